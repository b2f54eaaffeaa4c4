# SPDX-License-Identifier: Apache-2.0
"""SARIF 2.1.0 (OASIS Standard, errata 01): results of static analyzers and some fuzzers, many thousands in one file."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clearwell.formats.sarif.model import (
    ABSENT,
    CodeFlow,
    External,
    InlineProperties,
    LooseLog,
    LooseRun,
    Message,
    Place,
    Result,
    Run,
    Suppression,
    Tool,
    WholeLog,
    WholeRun,
)
from clearwell.formats.sarif.places import Places
from clearwell.formats.sarif.rules import MAX_RAW, RuleFacts, Rules, cwes_in, properties_of, score_of, stated_in_properties, text_of, unique
from clearwell.vocabulary.document import BROKEN_JSON, Document, Problem, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin
from clearwell.vocabulary.inference import weakness_from_words
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.weakness import Weakness

MAX_OBJECTS = 2_000_000
MAX_PROBLEMS = 1_000
_MAX_TEXT = 20_000
_MAX_TITLE = 200
_MAX_LOCATIONS = 50
_MAX_READ_MESSAGES = 20_000
_MAX_SALVAGE = 64 * 1024 * 1024
_NO_FINDING = {"pass": "the tool says that the rule passed", "notApplicable": "the tool says that the rule does not apply"}
_REMARKABLE_KINDS = {"open", "review", "informational"}
_PLACEHOLDER = re.compile(r"\{([0-9]{1,3})\}")
_RESULTS_KEY = re.compile(rb'(?<!\\)"results"\s*:\s*\[')
_TOOL_KEY = re.compile(rb'(?<!\\)"tool"\s*:\s*(?=\{)')

_whole_log = msgspec.json.Decoder(WholeLog)
_loose_log = msgspec.json.Decoder(LooseLog)
_whole_run = msgspec.json.Decoder(WholeRun)
_loose_run = msgspec.json.Decoder(LooseRun)
_result = msgspec.json.Decoder(Result)
_inline = msgspec.json.Decoder(list[InlineProperties])
_suppressions = msgspec.json.Decoder(list[Suppression])
_code_flows = msgspec.json.Decoder(list[CodeFlow])
_places = msgspec.json.Decoder(list[Place])
_pairs = msgspec.json.Decoder(dict[str, str])
_arguments = msgspec.json.Decoder(list[str])
_externals = msgspec.json.Decoder(dict[str, External | list[External]])


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no SARIF log, or None when they are one."""
    if data[:256].lstrip(b" \t\r\n")[:1] != b"{":
        return "not a JSON object"
    if b'"runs"' not in data:
        return "no runs"
    return None if b'"results"' in data or b'"tool"' in data else "runs without tool and results"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a log; raise Invalid when it is no SARIF 2.1.0 at all. Broken results are listed, good ones kept."""
    if data.count(b"{") > MAX_OBJECTS:
        raise Invalid(f"this SARIF log holds more than {MAX_OBJECTS:,} objects: split it by run or by rule")
    reading = _Reading(target)
    data = reading.require_utf8(data)
    try:
        log = _whole_log.decode(data)
    except BROKEN_JSON as reason:
        reading.read_loosely(data, reason)
    else:
        reading.check_version(log.version)
        reading.note_inline(log.inlineExternalProperties or [])
        for number, run in enumerate(log.runs):
            reading.read_run(run, f"runs[{number}]", run.results or [], len(log.runs) == 1)
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
        tool = ", ".join(dict.fromkeys(self._tools))[:_MAX_TITLE] or None
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
        for number, raw in enumerate(log.runs):
            self._read_loose_run(raw, f"runs[{number}]", len(log.runs) == 1)

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
        self._problem(position, _clean(broken))
        try:
            parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            results = msgspec.json.decode(parts.get("results", msgspec.Raw(b"[]")), type=list[msgspec.Raw])
        except BROKEN_JSON:
            return
        kept: dict[str, Any] = {}
        for field in msgspec.structs.fields(Run):
            if field.name in parts:
                try:
                    kept[field.name] = msgspec.json.decode(parts[field.name], type=field.type)
                except BROKEN_JSON:
                    continue
        self.read_run(Run(**kept), position, self._decode_each(results, position), alone)

    def _decode_each(self, results: list[msgspec.Raw], position: str) -> Iterator[Result | None]:
        for number, raw in enumerate(results):
            try:
                yield _result.decode(raw)
            except BROKEN_JSON as broken:
                self._problem(f"{position}.results[{number}]", _clean(broken))
                yield None

    def _salvage(self, data: bytes, syntax: Exception) -> None:
        """The JSON itself is broken (cut off, flipped bits): keep each result that stands whole before the break."""
        self._problem("", f"the JSON is broken: {_clean(syntax)}")
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
            raise Invalid(f"this SARIF log is broken JSON: {_clean(syntax)}; no whole result stands in it")

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
        context = _RunContext(run, self._target)
        if context.tool is not None:
            self._tools.append(context.tool)
        self._check_externals(run, position, alone)
        self._add(context, results, f"{position}.results")
        for number, properties in [] if not alone else self._inline:
            where = f"inlineExternalProperties[{number}]"
            self._add(context, self._decode_each(properties.results or [], where), f"{where}.results")

    def _add(self, context: "_RunContext", results: Iterable[Result | None], position: str) -> None:
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


class _RunContext:
    """What a run's results share: tool, product, rules and places."""

    def __init__(self, run: Run, target: Product | None) -> None:
        driver = run.tool.driver
        self.tool = (driver.name or driver.fullName or "")[:_MAX_TITLE] or None
        version = (driver.semanticVersion or driver.version or "")[:100] or None
        self._origin = Origin(tool=self.tool, tool_version=version)
        self._product = _product_of(run) or target
        self._rules = Rules(run)
        self._places = Places(run)
        self._read_messages = 0
        self._inferred: dict[str, tuple[Weakness, ...]] = {}
        self._severities: dict[tuple[str, float | None], Severity] = {}

    def finding(self, result: Result) -> Finding | None:
        """Return the finding that a result is; None when it says nothing."""
        facts = self._rules.facts(result)
        message = self._message(result, facts)
        locations = self._locations(result)
        if not message and facts.id is None and not locations:
            return None
        properties = properties_of(result.properties) if result.properties is not ABSENT else {}
        return Finding(
            format="sarif",
            title=facts.title or _first_line(message) or facts.id or "finding without words",
            message=message,
            product=self._product,
            weaknesses=self._weaknesses(result, facts, properties, message),
            locations=locations,
            severity=self._severity(result, facts, properties),
            origin=self._origin,
            external_id=result.guid or result.correlationGuid,
            rule=facts.id,
            fingerprints=_fingerprints(result),
            remarks=_remarks(result)
            if result.suppressions is not ABSENT or result.kind is not None or result.baselineState is not None
            else (),
        )

    def _message(self, result: Result, facts: RuleFacts) -> str:
        message = result.message
        if message is None:
            return ""
        text = message.text or message.markdown
        if text is None and message.id is not None:
            strings = (facts.rule.messageStrings or {}) if facts.rule is not None else {}
            found = strings.get(message.id) or (facts.driver.globalMessageStrings or {}).get(message.id)
            text = text_of(found) or None
        if text is None:
            return ""
        if message.arguments is not ABSENT and "{" in text:
            text = _fill(text[:_MAX_TEXT], message)
        return text[:_MAX_TEXT]

    def _locations(self, result: Result) -> tuple[Location, ...]:
        places = result.locations
        if places is not None and len(places) == 1:
            only = self._places.location(places[0])
            if only is not None:
                return (only,)
        elif places:
            found = [self._places.location(place) for place in places[:_MAX_LOCATIONS]]
            if any(found):
                return tuple(dict.fromkeys(location for location in found if location is not None))
        return self._other_locations(result)

    def _other_locations(self, result: Result) -> tuple[Location, ...]:
        """No place of its own: the end of its first code flow, else the places related to it."""
        for place in _flow_ends(result):
            location = self._places.location(place)
            if location is not None:
                return (location,)
        found = (self._places.location(place) for place in _decoded(_places, result.relatedLocations)[:_MAX_LOCATIONS])
        return tuple(dict.fromkeys(location for location in found if location is not None))

    def _weaknesses(self, result: Result, facts: RuleFacts, properties: dict[str, Any], message: str) -> tuple[Weakness, ...]:
        if result.taxa is None and not properties:
            if facts.stated or facts.inferred:
                return facts.stated or facts.inferred
        else:
            taxa = [Weakness(cwe, "stated", "result.taxa") for t in (result.taxa or [])[:50] if (cwe := self._rules.cwe_of(t))]
            stated = unique([*taxa, *stated_in_properties(properties, "result.properties"), *facts.stated])
            if stated or facts.inferred:
                return stated or facts.inferred
        return self._from_message(message)

    def _from_message(self, message: str) -> tuple[Weakness, ...]:
        known = self._inferred.get(message)
        if known is None:
            stated = unique(Weakness(cwe, "stated", "result.message") for cwe in cwes_in(message))
            self._read_messages += 1
            inferred = weakness_from_words(message, "message") if not stated and self._read_messages <= _MAX_READ_MESSAGES else None
            known = stated or ((inferred,) if inferred is not None else ())
            if len(self._inferred) < 5_000:
                self._inferred[message] = known
        return known

    def _severity(self, result: Result, facts: RuleFacts, properties: dict[str, Any]) -> Severity:
        score = score_of(properties) if "security-severity" in properties else None
        level = (result.level or facts.level or "warning")[:40]
        key = (level, score if score is not None else facts.score)
        severity = self._severities.get(key)
        if severity is None:
            severity = Severity(level=level, score=key[1])
            if len(self._severities) < 1_000:
                self._severities[key] = severity
        return severity


def _product_of(run: Run) -> Product | None:
    """Return the repository and commit that the run says it scanned (3.14.15)."""
    for provenance in run.versionControlProvenance or []:
        if provenance.repositoryUri and provenance.revisionId:
            try:
                return parse_target(f"{provenance.repositoryUri.rstrip('/')}@{provenance.revisionId.lower()}")
            except Invalid:
                continue
    return None


def _fill(text: str, message: Message) -> str:
    arguments = _decoded(_arguments, message.arguments)
    filled = _PLACEHOLDER.sub(lambda m: arguments[int(m.group(1))][:1_000] if int(m.group(1)) < len(arguments) else m.group(), text)
    return filled.replace("{{", "{").replace("}}", "}")


def _fingerprints(result: Result) -> tuple[tuple[str, str], ...]:
    if result.fingerprints is ABSENT and result.partialFingerprints is ABSENT:
        return ()
    pairs = {**_decoded(_pairs, result.partialFingerprints), **_decoded(_pairs, result.fingerprints)}
    return tuple((key[:200], value[:500]) for key, value in list(pairs.items())[:20])


def _remarks(result: Result) -> tuple[str, ...]:
    if result.suppressions is ABSENT and result.kind is None and result.baselineState is None:
        return ()
    remarks = []
    if result.kind in _REMARKABLE_KINDS:
        remarks.append(f"kind: {result.kind}")
    if result.baselineState in ("new", "unchanged", "updated"):
        remarks.append(f"baseline: {result.baselineState}")
    if result.suppressions is not ABSENT:
        active = [s for s in _decoded(_suppressions, result.suppressions) if s.status in (None, "accepted")]
        remarks += [f"suppressed: {(s.kind or 'unknown')[:40]}" for s in active[:1]]
    return tuple(remarks)


def _flow_ends(result: Result) -> Iterator[Place]:
    for flow in _decoded(_code_flows, result.codeFlows)[:5]:
        for thread in flow.threadFlows[:5]:
            for step in reversed(thread.locations[-5:]):
                if step.location is not None:
                    yield step.location


def _decoded(decoder: Any, raw: msgspec.Raw) -> Any:
    """Decode a raw part of a result; a broken or oversized one counts as empty, since the result stands without it."""
    empty: Any = {} if decoder is _pairs else []
    if raw is ABSENT or len(memoryview(raw)) > 4 * MAX_RAW:
        return empty
    try:
        return decoder.decode(raw)
    except BROKEN_JSON:
        return empty


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


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()[:_MAX_TITLE]


REPORT = ReportFormat(name="sarif", title="SARIF 2.1.0", why_not=why_not, read=read)
