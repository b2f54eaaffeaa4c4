# SPDX-License-Identifier: Apache-2.0
"""Clearwell's report as Markdown: YAML front matter holds the keys, the text below it is the finding's, fenced blocks its proof.

YAML is read from PyYAML's events alone: no tags, no anchors and no aliases (an alias can double a document with every line), bounded
depth and size, every scalar a string until the report's own types ask for a number.
"""

import re
from typing import Any

import msgspec
import yaml

from clearwell.formats.ai_report.report import FORMAT, Report, SentFinding, clean, read_findings
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.product import Product

MAX_FRONT = 512 * 1024
MAX_DEPTH = 20
MAX_NODES = 50_000
MAX_FENCES = 10_000
_OUTER = ("format", "version", "tool", "human_reviewer", "findings")
_NULLS = {"", "~", "null", "Null", "NULL"}
_FENCE = re.compile(r"^(`{3,20}|~{3,20})[ \t]*+([^\n`]{0,300})\n", re.MULTILINE)
_PROOF = re.compile(r"(?:^|\s)proof=(\S{1,200})")
_MARK = re.compile(rb"^---[ \t]*\r?\n", re.MULTILINE)
_NAMED = re.compile(rb"^format[ \t]*:[ \t]*[\"']?" + FORMAT.encode() + rb"[\"']?[ \t]*\r?$", re.MULTILINE)
_MAX_WORDS = 2_000
"""Bytes above the front matter: a model may say a few words before its report, or put the whole of it into a fenced block."""
_HEADERS = re.compile(rb"\s*(?:From |[A-Za-z][A-Za-z0-9-]{0,76}:[ \t]*[^\s])")
"""A message's first line: what stands in a mail is the mail's, which hands it on."""
_WRAPPED = re.compile(r"(?:^|\n)(`{3,20}|~{3,20})[ \t]*(?:markdown|md|yaml)?[ \t]*\r?\n\Z")
_END = re.compile(rb"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def why_not(data: bytes) -> str | None:
    """Say why these bytes are no Markdown report, or None when their front matter names the format."""
    start = _start(data)
    if start is None:
        return "neither a JSON object nor Markdown with front matter"
    named = _NAMED.search(data, start, start + MAX_FRONT)
    return None if named is not None else f"front matter without format: {FORMAT}"


def _start(data: bytes) -> int | None:
    """Where the front matter's first line begins: on top, in a fenced block, or below a few words ("Here is the report:")."""
    on_top = _MARK.match(data, len(data[:256]) - len(data[:256].lstrip(b" \t\r\n")))
    if on_top is not None:
        return on_top.start()
    named = _NAMED.search(data, 0, 2 * _MAX_WORDS)
    if named is None or _HEADERS.match(data[:300]) is not None:
        return None
    above = [mark.start() for mark in _MARK.finditer(data, 0, min(named.start(), _MAX_WORDS))]
    return above[-1] if above else None


def read(data: bytes, target: Product | None) -> Document:
    """Read the report; raise Invalid when its front matter is wrong. Wrong findings are listed, right ones kept."""
    front, text = _split(data)
    stated = _Reader().read(front)
    outer = {key: value for key, value in stated.items() if key in _OUTER}
    inner = {key: value for key, value in stated.items() if key not in _OUTER}
    if "findings" in outer and inner:
        raise Invalid(f"front matter with findings holds no key of a single finding: {', '.join(map(str, inner))[:200]}")
    if "findings" not in outer:
        outer["findings"] = [_with_text(inner, text)]
    outer["version"] = _number(outer.get("version"))
    try:
        report = msgspec.convert(outer, Report)
    except (msgspec.ValidationError, RecursionError) as reason:
        raise Invalid(f"this Clearwell report cannot be read: {clean(reason)}") from None
    return read_findings(report, lambda sent: msgspec.convert(sent, SentFinding, strict=False), target)


def _split(data: bytes) -> tuple[str, str]:
    at = _start(data)
    start = _MARK.match(data, at) if at is not None else None
    end = _END.search(data, start.end()) if start is not None else None
    if start is None or end is None:
        raise Invalid("the front matter does not end: a line --- is missing")
    if end.start() - start.start() > MAX_FRONT:
        raise Invalid(
            f"the front matter has {end.start() - start.start():,} bytes; at most {MAX_FRONT:,} are read: put proofs into fenced blocks"
        )
    front, text = data[start.end() : end.start()].decode(errors="replace"), data[end.end() :].decode(errors="replace")
    wrapping = _WRAPPED.search(data[: start.start()].decode(errors="replace"))
    return front, text.rstrip().removesuffix(wrapping[1]) if wrapping is not None else text


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value) else value


def _with_text(finding: dict[str, Any], text: str) -> dict[str, Any]:
    """The text below the front matter, and the proof's files that stand in it as fenced blocks with `proof=NAME`."""
    prose, files = _proof_files(text.replace("\r\n", "\n"))
    first = next((line.lstrip("# \t").strip() for line in prose.splitlines() if line.startswith("#")), None)
    found = {**({"title": first[:300]} if first else {}), "text": prose.strip(), **finding}
    if files:
        if "proof" in finding:
            raise Invalid("the proof stands in the front matter and in fenced blocks; give it once")
        found["proof"] = {"files": files}
    return found


def _proof_files(text: str) -> tuple[str, dict[str, Any]]:
    kept: list[str] = []
    files: dict[str, Any] = {}
    at, count = 0, 0
    while (fence := _FENCE.search(text, at)) is not None:
        count += 1
        if count > MAX_FENCES:
            raise Invalid(f"the text holds more than {MAX_FENCES:,} fenced blocks")
        closing = text.find(f"\n{fence.group(1)}", fence.end() - 1)
        end = closing + 1 if closing >= 0 else len(text)
        after = text.find("\n", end) if closing >= 0 else -1
        after = after + 1 if after >= 0 else len(text)
        named = _PROOF.search(fence.group(2))
        if named is None:
            kept.append(text[at:after])
        else:
            kept.append(text[at : fence.start()])
            if named.group(1) in files:
                raise Invalid(f"the proof's file {named.group(1)[:100]!r} stands there twice")
            body = text[fence.end() : end]
            files[named.group(1)] = {"base64": "".join(body.split())} if " base64" in f" {fence.group(2)}" else body
        at = after
    return "".join([*kept, text[at:]]), files


class _Reader:
    """Makes plain values of YAML's events."""

    def __init__(self) -> None:
        self._nodes = 0

    def read(self, text: str) -> dict[str, Any]:
        """Return the mapping that the front matter is; raise Invalid for any other, naming the line."""
        try:
            events = yaml.parse(text, Loader=_Loader)
            value = self._document(iter(events))
        except (yaml.YAMLError, RecursionError, ValueError) as reason:
            raise Invalid(f"the front matter is no YAML: {' '.join(str(reason).split())[:250]}") from None
        if not isinstance(value, dict):
            raise Invalid("the front matter is no mapping of keys to values")
        return value

    def _document(self, events: Any) -> Any:
        root: Any = None
        stack: list[tuple[Any, list[str]]] = []
        for event in events:
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Invalid(f"the front matter has an anchor or alias in line {_line(event)}; write the value out")
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
                continue
            if not isinstance(event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                continue
            self._check(event, len(stack))
            value = self._value(event)
            if not stack:
                root = value
            elif not self._place(stack[-1], value, event):
                continue
            if not isinstance(event, yaml.ScalarEvent):
                stack.append((value, []))
        return root

    def _check(self, event: Any, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise Invalid(f"the front matter holds more than {MAX_NODES:,} values, or nests more than {MAX_DEPTH} deep")
        if event.tag not in (None, "!"):
            raise Invalid(f"the front matter has a tag in line {_line(event)}; only plain values are read")

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return {}
        if isinstance(event, yaml.SequenceStartEvent):
            return []
        return None if not event.style and event.value in _NULLS else event.value

    def _place(self, into: tuple[Any, list[str]], value: Any, event: Any) -> bool:
        """Put a value where it belongs; False for a mapping's key, which waits for its value."""
        container, waiting = into
        if isinstance(container, list):
            container.append(value)
            return True
        if not waiting:
            if not isinstance(event, yaml.ScalarEvent):
                raise Invalid(f"the front matter has a key in line {_line(event)} that is no word")
            if event.value in container:
                raise Invalid(f"the front matter has the key {event.value[:60]!r} twice (line {_line(event)})")
            waiting.append(event.value)
            return False
        container[waiting.pop()] = value
        return True


def _line(event: Any) -> int:
    """The line in the file: the front matter begins on its second."""
    return int(event.start_mark.line) + 2
