# SPDX-License-Identifier: Apache-2.0
"""Clearwell's own report, version 1, key by key: what an AI or a person asserts, with its proof."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, Problem
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin, ProofFiles, Quote
from clearwell.vocabulary.product import Product, parse_purl, parse_target
from clearwell.vocabulary.quoting import fenced_quotes
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.weakness import Weakness, parse_cwe

MAX_PROOF = 64 * 1024 * 1024
MAX_PROOF_FILES = 1_000
MAX_FINDINGS = 100_000
FORMAT = "clearwell-report"
_MAX_NAME, _MAX_TITLE, _MAX_TEXT, _MAX_PATH, _MAX_LINE = 200, 300, 100_000, 1_000, 2**31 - 1
_MAX_CODE = 20_000
_MAX_LOCATIONS, _MAX_PRECONDITIONS, _MAX_WEAKNESSES = 100, 50, 20
_NAMED_CWE = re.compile(r"\s*(CWE[-_ ]?[0-9]{1,5})(?:[:,;(]|\s+[-(–—:]|\s+[A-Z])", re.IGNORECASE)
"""A CWE with its name behind it: `CWE-416: Use After Free`."""
_RANGE = re.compile(r"[lL]?([0-9]{1,10})(?:\s*(?:-|–|:|\.\.|to)\s*[lL]?[0-9]{1,10})?")
_NOBODY = frozenset({"none", "no", "nobody", "false", "n/a", "na", "-", "null", "not reviewed"})
_PART = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object in which an unknown key is an error: a misspelled key must not be lost in silence."""


class _Tool(_Strict, frozen=True):
    name: str
    version: str | None = None
    model: str | None = None
    model_version: str | None = None


class _Product(_Strict, frozen=True):
    purl: str | None = None
    repository: str | None = None
    commit: str | None = None
    vendor: str | None = None
    model: str | None = None


class _Location(_Strict, frozen=True):
    file: str | None = None
    line: int | str | None = None
    function: str | None = None
    code: str | None = None


class _Severity(_Strict, frozen=True):
    level: str | None = None
    cvss: str | None = None
    score: float | None = None


class _Bytes(_Strict, frozen=True):
    base64: str


class _Proof(_Strict, frozen=True):
    files: dict[str, str | _Bytes]


class SentFinding(_Strict, frozen=True):
    """A finding as it was sent."""

    title: str
    external_id: str | None = None
    text: str = ""
    product: _Product | None = None
    weakness: str | list[str] | None = None
    locations: list[_Location] | _Location = []
    preconditions: list[str] | str = []
    severity: str | float | _Severity | None = None
    proof: _Proof | None = None


class Report(_Strict, frozen=True):
    """The outer object; its findings are decoded one by one."""

    format: Literal["clearwell-report"]
    version: Literal[1]
    tool: _Tool
    findings: list[Any]
    human_reviewer: str | None = None


def read_findings(report: Report, decode: Callable[[Any], SentFinding], target: Product | None) -> Document:
    """Read a report whose outer object is right; raise Invalid for too many findings. Wrong findings are listed, right ones kept."""
    if len(report.findings) > MAX_FINDINGS:
        raise Invalid(f"this report holds {len(report.findings):,} findings; at most {MAX_FINDINGS:,} are read: split it")
    origin = _origin(report)
    findings: list[Finding] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, raw in enumerate(report.findings):
        position = f"findings[{number}]"
        try:
            finding = _read_finding(decode(raw), origin, target)
            if finding.external_id is not None and finding.external_id in seen:
                raise Invalid(f"external_id {finding.external_id[:60]!r} is used twice in this report")
        except (*BROKEN_JSON, msgspec.ValidationError, Invalid) as reason:
            problems.append(Problem(position, clean(reason)))
        else:
            seen.add(finding.external_id or "")
            findings.append(finding)
    return Document(FORMAT, origin.tool, tuple(findings), tuple(problems))


def clean(reason: Exception) -> str:
    """A decoder's reason in the words of a problem."""
    return str(reason).replace(" - at `$.", " at `")[:300]


def _origin(report: Report) -> Origin:
    tool, reviewer = report.tool, report.human_reviewer
    if reviewer is not None and reviewer.strip().lower() in _NOBODY:
        reviewer = None  # a model's way to say null; nobody shall be shown as a reviewer named "none"
    return Origin(
        tool=_text("tool.name", tool.name, _MAX_NAME, needed=True),
        tool_version=_optional("tool.version", tool.version, _MAX_NAME),
        model=_optional("tool.model", tool.model, _MAX_NAME),
        model_version=_optional("tool.model_version", tool.model_version, _MAX_NAME),
        human_reviewer=_optional("human_reviewer", reviewer, _MAX_NAME),
    )


def _read_finding(sent: SentFinding, origin: Origin, target: Product | None) -> Finding:
    locations = sent.locations if isinstance(sent.locations, list) else [sent.locations]
    preconditions = sent.preconditions if isinstance(sent.preconditions, list) else [sent.preconditions]
    for key, items, limit in (("locations", locations, _MAX_LOCATIONS), ("preconditions", preconditions, _MAX_PRECONDITIONS)):
        if len(items) > limit:
            raise Invalid(f"{key}: {len(items)} entries; at most {limit}")
    text = _text("text", sent.text, _MAX_TEXT)
    return Finding(
        format=FORMAT,
        title=_text("title", sent.title, _MAX_TITLE, needed=True),
        message=text,
        product=_read_product(sent.product) if sent.product is not None else target,
        weaknesses=_read_weaknesses(sent.weakness),
        locations=tuple(_read_location(f"locations[{n}]", location) for n, location in enumerate(locations)),
        severity=_read_severity(sent.severity),
        origin=origin,
        external_id=_optional("external_id", sent.external_id, _MAX_NAME),
        preconditions=tuple(_text(f"preconditions[{n}]", text, 2_000, needed=True) for n, text in enumerate(preconditions)),
        proof=_read_proof(sent.proof) if sent.proof is not None else None,
        quotes=(*_read_quotes(locations), *fenced_quotes(text)),
    )


def _read_quotes(sent: list[_Location]) -> tuple[Quote, ...]:
    """The code that stands at each location, as the report quotes it."""
    return tuple(
        Quote(_text(f"locations[{n}].code", place.code, _MAX_CODE, needed=True), _file(place), _line(f"locations[{n}]", place))
        for n, place in enumerate(sent)
        if place.code is not None
    )


def _read_product(sent: _Product) -> Product:
    """A product is named in exactly one of three ways."""
    given = frozenset(field for field in sent.__struct_fields__ if getattr(sent, field) is not None)
    if given == {"purl"} and sent.purl is not None:
        return parse_purl(sent.purl)
    if given == {"repository", "commit"}:
        return parse_target(f"{sent.repository}@{(sent.commit or '').lower()}")
    if given in ({"vendor", "model"}, {"model"}):
        return Product(vendor=_optional("product.vendor", sent.vendor, _MAX_NAME), model=_optional("product.model", sent.model, _MAX_NAME))
    raise Invalid("product: give purl, or repository and commit, or vendor and model")


def _read_weaknesses(sent: str | list[str] | None) -> tuple[Weakness, ...]:
    stated = _several(sent) if isinstance(sent, str) else sent or []
    if len(stated) > _MAX_WEAKNESSES:
        raise Invalid(f"weakness: {len(stated)} entries; at most {_MAX_WEAKNESSES}")
    return tuple(Weakness(cwe, "stated", "weakness") for cwe in dict.fromkeys(_read_cwe(text) for text in stated))


def _several(text: str) -> list[str]:
    """`CWE-787, CWE-120` names two; `CWE-20, bad input` one."""
    first, *others = re.split(r"[,;]", text[: 10 * _MAX_NAME])
    return [first, *(part for part in others if re.match(r"\s*(?:CWE[-_ ]?)?[0-9]{1,5}\b", part, re.IGNORECASE))]


def _read_cwe(text: str) -> str:
    named = _NAMED_CWE.match(text[:_MAX_NAME])
    return parse_cwe(named[1] if named is not None else text)


def _read_location(key: str, sent: _Location) -> Location:
    line, file = _line(key, sent), _file(sent)
    if file is not None:
        _require_relative(f"{key}.file", file)
    if sent.file is None and sent.function is None:
        raise Invalid(f"{key}: give a file or a function")
    return Location(file, line, _optional(f"{key}.function", sent.function, _MAX_PATH))


def _line(key: str, sent: _Location) -> int | None:
    """The line, of a range (`12-18`) its first."""
    line = sent.line
    if isinstance(line, str):
        first = _RANGE.fullmatch(line.strip())
        if first is None:
            raise Invalid(f"{key}.line: {line[:40]!r} is no line")
        line = int(first[1])
    if line is not None and not 0 < line <= _MAX_LINE:
        raise Invalid(f"{key}.line: lines count from 1")
    return line


def _file(sent: _Location) -> str | None:
    return sent.file.removeprefix("./") if sent.file is not None else None


def _read_severity(sent: str | float | _Severity | None) -> Severity | None:
    """A word, a CVSS vector or a score by itself, or all of them by their keys."""
    if sent is None:
        return None
    if isinstance(sent, str) and re.fullmatch(r"\s*[0-9]{1,2}(?:\.[0-9]{1,3})?\s*", sent):
        sent = float(sent)
    if isinstance(sent, str) and sent.startswith("CVSS:"):
        sent = _Severity(cvss=sent)
    if isinstance(sent, str):
        return Severity(level=_text("severity", sent, 40, needed=True))
    if isinstance(sent, float):
        sent = _Severity(score=sent)
    if sent.score is not None and not 0 <= sent.score <= 10:
        raise Invalid("severity.score: a score is between 0 and 10")
    return Severity(_optional("severity.level", sent.level, 40), _optional("severity.cvss", sent.cvss, _MAX_NAME), sent.score)


def _read_proof(sent: _Proof) -> ProofFiles:
    if "proof.toml" not in sent.files:
        raise Invalid("proof.files: a proof folder has a file proof.toml at its top")
    if len(sent.files) > MAX_PROOF_FILES:
        raise Invalid(f"proof.files: {len(sent.files):,} files; at most {MAX_PROOF_FILES:,}")
    files: dict[str, bytes] = {}
    left = MAX_PROOF
    for name, content in sent.files.items():
        _require_relative("proof.files", name)
        files[name] = _decode(name, content)
        left -= len(files[name])
        if left < 0:
            raise Invalid(f"proof.files: more than {MAX_PROOF // 2**20} MB in all")
    for name in files:
        if any(name.startswith(f"{other}/") for other in files):
            raise Invalid(f"proof.files: {name[:100]!r} lies beneath a file")
    return ProofFiles(files)


def _decode(name: str, content: str | _Bytes) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", errors="surrogatepass")
    try:
        return base64.b64decode(content.base64, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"proof.files[{name[:100]!r}].base64 is not base64 (RFC 4648, with padding, no line breaks)") from None


def _require_relative(key: str, path: str) -> None:
    """Raise Invalid unless `path` is a plain relative name with forward slashes."""
    parts = path.split("/")
    if len(path) > _MAX_PATH or any(part in ("", ".", "..") or not _PART.fullmatch(part) for part in parts):
        raise Invalid(f"{key}: {path[:100]!r} is not a relative name with forward slashes and no '..'")


def _optional(key: str, text: str | None, limit: int) -> str | None:
    return None if text is None else _text(key, text, limit, needed=True)


def _text(key: str, text: str, limit: int, needed: bool = False) -> str:
    if needed and not text.strip():
        raise Invalid(f"{key} is empty")
    if len(text) > limit:
        raise Invalid(f"{key} has {len(text):,} characters; at most {limit:,}")
    return text
