# SPDX-License-Identifier: Apache-2.0
"""SARIF 2.1.0 (OASIS Standard, errata 01): results of static analyzers and some fuzzers, many thousands in one file."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clearwell.formats.sarif import model
from clearwell.formats.sarif.loosening import loosened, loosened_tool
from clearwell.formats.sarif.model import ABSENT, External, InlineProperties, LooseLog, LooseRun, Result, Run, Tool, WholeLog, WholeRun
from clearwell.formats.sarif.results import MAX_TITLE, RunContext
from clearwell.vocabulary.document import BROKEN_JSON, Document, Problem, ReportFormat, broken_json
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product

MAX_OBJECTS = 2_000_000
MAX_PROBLEMS = 1_000
_MAX_SALVAGE = 64 * 1024 * 1024
_NO_FINDING = {"pass": "the tool says that the rule passed", "notApplicable": "the tool says that the rule does not apply"}
_UNDERSCORED = (b'"rule_id"', b'"rule_index"', b'"physical_location"')
_RESULTS_KEY = re.compile(rb'(?<!\\)"results"\s*:\s*\[')
_NO_RUNS = re.compile(rb'"runs"\s*:\s*(?:\[\s*\]|null)')
_TOOL_KEY = re.compile(rb'(?<!\\)"tool"\s*:\s*(?=\{)')

_whole_log = msgspec.json.Decoder(WholeLog)
_loose_log = msgspec.json.Decoder(LooseLog)
_whole_run = msgspec.json.Decoder(WholeRun)
_loose_run = msgspec.json.Decoder(LooseRun)
_result = msgspec.json.Decoder(Result)
_inline = msgspec.json.Decoder(list[InlineProperties])
_externals = msgspec.json.Decoder(dict[str, External | list[External]])


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no SARIF log, or None when they are one."""
    if data[:256].lstrip(b" \t\r\n")[:1] != b"{":
        return "not a JSON object"
    if b'"runs"' not in data:
        return "no runs"
    if b'"results"' in data or b'"tool"' in data or (b'"2.1.0"' in data and _NO_RUNS.search(data)):
        return None  # a log of no run, empty or null, says that nothing was scanned (SARIF 2.1.0, 3.13.4)
    return "runs without tool and results"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a log; raise Invalid when it is no SARIF 2.1.0 at all. Broken results are listed, good ones kept."""
    if data.count(b"{") > MAX_OBJECTS:
        raise Invalid(f"this SARIF log holds more than {MAX_OBJECTS:,} objects: split it by run or by rule")
    reading = _Reading(target)
    data = reading.require_utf8(data)
    if any(key in data for key in _UNDERSCORED) and b'"ruleId"' not in data and b'"physicalLocation"' not in data:
        data = reading.rename_keys(data)
    try:
        log = _whole_log.decode(data)
    except BROKEN_JSON as reason:
        reading.read_loosely(data, reason)
    else:
        reading.check_version(log.version)
        reading.note_inline(log.inlineExternalProperties or [])
        runs = log.runs or []
        for number, run in enumerate(runs):
            reading.read_run(run, f"runs[{number}]", run.results or [], len(runs) == 1)
    return reading.document()


class _Reading:
    """One log being read: what was found and what was wrong so far."""

    def __init__(self, target: Product | None) -> None:
        self._target = target
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._suppressed_problems = 0
        self._left_out: list[Problem] = []
        self._tools: list[str] = []
        self._inline: list[tuple[int, InlineProperties]] = []

    def document(self) -> Document:
        if self._suppressed_problems:
            self._problems.append(Problem("", f"and {self._suppressed_problems:,} more broken parts"))
        tool = ", ".join(dict.fromkeys(self._tools))[:MAX_TITLE] or None
        return Document("sarif", tool, tuple(self._findings), tuple(self._problems), tuple(self._left_out))

    def _problem(self, position: str, reason: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(position, reason))
        else:
            self._suppressed_problems += 1

    def check_version(self, version: str | None) -> None:
        if version is not None and not version.startswith("2."):
            raise Invalid(f"this is SARIF {version[:20]!r}; version 2.1.0 is read")

    def note_inline(self, inline: list[InlineProperties]) -> None:
        self._inline = [(number, properties) for number, properties in enumerate(inline) if properties.results]

    def require_utf8(self, data: bytes) -> bytes:
        """Return the log in UTF-8, as the standard demands (3.13.1); broken bytes are shown as U+FFFD and reported."""
        try:
            data.decode()
        except UnicodeDecodeError as broken:
            self._problem(f"byte {broken.start:,}", "this is not UTF-8; the bytes in question are shown as U+FFFD")
            return data.decode(errors="replace").encode()
        return data

    def rename_keys(self, data: bytes) -> bytes:
        """Return a log whose keys have underscores (what Python's object model of SARIF prints) with SARIF's own names of them."""
        names = {field.name for kind in vars(model).values() for field in _fields(kind) if field.name.lower() != field.name}
        said = {re.sub(r"[A-Z]", lambda m: f"_{m[0].lower()}", name).encode(): name.encode() for name in names}
        key = re.compile(rb'(?<!\\)"(' + b"|".join(sorted(said)) + rb')"(?=\s*:)')
        self._leave_out(
            "", "this is no SARIF as it stands: its keys are written with underscores (`rule_id`); they are read as `ruleId` and so on"
        )
        return key.sub(lambda m: b'"' + said[m[1]] + b'"', data)

    # Whole documents whose parts are partly broken -------------------------------------------------------------

    def read_loosely(self, data: bytes, reason: Exception) -> None:
        try:
            log = _loose_log.decode(data)
        except BROKEN_JSON as syntax:
            self._salvage(data, syntax)
            return
        self.check_version(_scalar(log.version))
        if log.inlineExternalProperties is not ABSENT:
            try:
                self.note_inline(_inline.decode(log.inlineExternalProperties))
            except BROKEN_JSON as broken:
                self._problem("inlineExternalProperties", str(broken))
        runs = log.runs or []
        for number, raw in enumerate(runs):
            self._read_loose_run(raw, f"runs[{number}]", len(runs) == 1)

    def _read_loose_run(self, raw: msgspec.Raw, position: str, alone: bool) -> None:
        try:
            run = _whole_run.decode(raw)
            self.read_run(run, position, run.results or [], alone)
            return
        except BROKEN_JSON:
            pass
        try:
            loose = _loose_run.decode(raw)
        except BROKEN_JSON as broken:
            self._read_run_without_context(raw, position, broken, alone)
            return
        self.read_run(loose, position, self._decode_each(loose.results or [], position), alone)

    def _read_run_without_context(self, raw: msgspec.Raw, position: str, broken: Exception, alone: bool) -> None:
        """Something beside the results is broken: take the results and what else of the run can be read by itself."""
        try:
            parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            results = msgspec.json.decode(parts.get("results", msgspec.Raw(b"[]")), type=list[msgspec.Raw])
        except BROKEN_JSON:
            self._problem(position, _clean(broken))
            return
        kept: dict[str, Any] = {}
        for field in msgspec.structs.fields(Run):
            if field.name not in parts:
                continue
            try:
                kept[field.name] = msgspec.json.decode(parts[field.name], type=field.type)
            except BROKEN_JSON as reason:
                if field.name == "tool":
                    kept["tool"], lost = loosened_tool(parts["tool"])
                    for place in lost:
                        self._problem(f"{position}.{place}", "this is not as SARIF says; it is left empty")
                elif (value := loosened(parts[field.name], field.type)) is not None:
                    kept[field.name] = value
                else:
                    self._problem(f"{position}.{field.name}", _clean(reason))
        self.read_run(Run(**kept), position, self._decode_each(results, position), alone)

    def _decode_each(self, results: list[msgspec.Raw], position: str) -> Iterator[Result | None]:
        for number, raw in enumerate(results):
            try:
                yield _result.decode(raw)
            except BROKEN_JSON as broken:
                result = loosened(raw, Result)
                if result is None:
                    self._problem(f"{position}.results[{number}]", _clean(broken))
                yield result

    def _salvage(self, data: bytes, syntax: Exception) -> None:
        """The JSON itself is broken (cut off, flipped bits): keep each result that stands whole before the break."""
        self._problem("", broken_json(syntax, data))
        if len(data) > _MAX_SALVAGE:
            raise Invalid(f"this SARIF log is broken JSON ({_clean(syntax)}) and too large to look for whole results in it")
        decoder = json.JSONDecoder(parse_int=_bounded_int)
        text = data.decode("utf-8", errors="replace")
        ends = 0
        for number, key in enumerate(re.finditer(_RESULTS_KEY.pattern.decode(), text)):
            if key.start() < ends:
                continue
            run = self._salvage_run(decoder, text, ends, key.start())
            results, ends = self._salvage_results(decoder, text, key.end(), f"runs[{number}]")
            self.read_run(run, f"runs[{number}]", results, alone=False)
        if not self._findings:
            raise Invalid(f"{broken_json(syntax, data)}; no whole result stands in this SARIF log")

    def _salvage_run(self, decoder: json.JSONDecoder, text: str, start: int, end: int) -> Run:
        for key in re.compile(_TOOL_KEY.pattern.decode()).finditer(text, start, end):
            try:
                return Run(tool=msgspec.convert(decoder.raw_decode(text, key.end())[0], Tool))
            except (ValueError, RecursionError):
                continue
        return Run()

    def _salvage_results(self, decoder: json.JSONDecoder, text: str, at: int, position: str) -> tuple[list[Result | None], int]:
        results: list[Result | None] = []
        separator = re.compile(r"[\s,]*")
        while True:
            gap = separator.match(text, at)
            at = gap.end() if gap is not None else at
            if at >= len(text) or text[at] == "]":
                return results, at
            try:
                value, at = decoder.raw_decode(text, at)
                results.append(_result.decode(msgspec.json.encode(value)))
            except msgspec.DecodeError as broken:
                self._problem(f"{position}.results[{len(results)}]", _clean(broken))
                results.append(None)
            except (ValueError, RecursionError):
                self._problem(f"{position}.results[{len(results)}]", f"the JSON breaks off here (character {at:,})")
                return results, at

    # A run and its results -------------------------------------------------------------------------------------

    def read_run(self, run: Run, position: str, results: Iterable[Result | None], alone: bool) -> None:
        """Add a run's findings. `alone`: it is the log's only run, so inline properties are its own."""
        context = RunContext(run, self._target)
        if context.tool is not None:
            self._tools.append(context.tool)
        self._check_externals(run, position, alone)
        for number, invocation in enumerate(run.invocations or []):
            if invocation.executionSuccessful is False:
                self._leave_out(f"{position}.invocations[{number}]", "the tool says that it did not run to its end: results may be missing")
        self._add(context, results, f"{position}.results")
        for number, properties in [] if not alone else self._inline:
            where = f"inlineExternalProperties[{number}]"
            self._add(context, self._decode_each(properties.results or [], where), f"{where}.results")

    def _add(self, context: RunContext, results: Iterable[Result | None], position: str) -> None:
        for number, result in enumerate(results):
            if result is None:
                continue
            if result.kind in _NO_FINDING:
                self._leave_out(f"{position}[{number}]", _NO_FINDING[result.kind])
            elif result.baselineState == "absent":
                self._leave_out(f"{position}[{number}]", "the tool says that it is no longer there (baselineState absent)")
            else:
                finding = context.finding(result)
                if finding is None:
                    self._problem(f"{position}[{number}]", "a result needs a message, a rule or a location")
                else:
                    self._findings.append(finding)

    def _leave_out(self, position: str, reason: str) -> None:
        if len(self._left_out) < MAX_PROBLEMS:
            self._left_out.append(Problem(position, reason))

    def _check_externals(self, run: Run, position: str, alone: bool) -> None:
        """External property files are never fetched (3.14.2): missing results are a problem, other parts are noted."""
        if run.externalPropertyFileReferences is ABSENT:
            return
        try:
            externals = _externals.decode(run.externalPropertyFileReferences)
        except BROKEN_JSON as broken:
            self._problem(f"{position}.externalPropertyFileReferences", _clean(broken))
            return
        inline = {properties.guid for _, properties in self._inline}
        for part, references in externals.items():
            for reference in references if isinstance(references, list) else [references]:
                if reference.guid is not None and reference.guid in inline and alone:
                    continue
                reason = f"external property files are never fetched ({part[:60]}); send one file with everything inline"
                if part == "results":
                    self._problem(f"{position}.externalPropertyFileReferences", reason)
                else:
                    self._leave_out(f"{position}.externalPropertyFileReferences", reason)


def _fields(kind: object) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else ()


def _scalar(raw: msgspec.Raw) -> str | None:
    try:
        value = msgspec.json.decode(raw) if raw is not ABSENT else None
    except BROKEN_JSON:
        return None
    return value if isinstance(value, str) else None


def _bounded_int(digits: str) -> int:
    return int(digits) if len(digits) < 18 else 0


def _clean(reason: Exception) -> str:
    return str(reason).replace(" - at `$", " at `")[:300]


REPORT = ReportFormat(name="sarif", title="SARIF 2.1.0", why_not=why_not, read=read)
