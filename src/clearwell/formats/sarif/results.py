# SPDX-License-Identifier: Apache-2.0
"""A SARIF result becomes a finding: its message, places, weaknesses, severity and standing, with what its run says of all of them."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.formats.sarif.model import ABSENT, CodeFlow, Invocation, Message, Physical, Place, Result, Run, Stack, Step, Suppression
from clearwell.formats.sarif.places import MAX_LINE, Places
from clearwell.formats.sarif.rules import (
    MAX_RAW,
    RuleFacts,
    Rules,
    cvss_of,
    cwes_in,
    package_in,
    properties_of,
    score_of,
    stated_in_properties,
    text_of,
    unique,
)
from clearwell.vocabulary.document import BROKEN_JSON
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin, Quote
from clearwell.vocabulary.inference import weakness_from_words
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.stated import product_of_purl
from clearwell.vocabulary.weakness import Weakness

MAX_TITLE = 200
_MAX_TEXT = 20_000
_MAX_LOCATIONS = 50
_MAX_SNIPPET = 4_000
_NO_CODE = "requires login"
"""What semgrep writes in place of code to who is not signed in."""
_MAX_READ = 4_000_000
"""Characters of messages from which a run's weaknesses are inferred: that costs a microsecond each."""
_REMARKABLE_KINDS = {"open", "review", "informational"}
_PLACEHOLDER = re.compile(r"\{([0-9]{1,3})\}")

_suppressions = msgspec.json.Decoder(list[Suppression])
_code_flows = msgspec.json.Decoder(list[CodeFlow])
_stacks = msgspec.json.Decoder(list[Stack])
_steps = msgspec.json.Decoder(list[Step])
_places = msgspec.json.Decoder(list[Place])
_pairs = msgspec.json.Decoder(dict[str, str])
_arguments = msgspec.json.Decoder(list[str])


class RunContext:
    """What a run's results share: tool, product, rules and places."""

    def __init__(self, run: Run, target: Product | None) -> None:
        driver = run.tool.driver
        self.tool = (driver.name or driver.fullName or "")[:MAX_TITLE] or None
        version = (driver.semanticVersion or driver.version or "")[:100] or None
        self._origin = Origin(tool=self.tool, tool_version=version)
        self._product = _product_of(run) or target
        self._rules = Rules(run)
        self._places = Places(run)
        self._read = 0
        self._inferred: dict[str, tuple[Weakness, ...]] = {}
        self._severities: dict[tuple[str, float | None, str | None], Severity] = {}
        self._levels = _overridden_levels(run.invocations or [], self._rules)
        self._steps: Any = run.threadFlowLocations

    def finding(self, result: Result) -> Finding | None:
        """Return the finding that a result is; None when it says nothing."""
        facts = self._rules.facts(result)
        message = self._message(result, facts)
        locations = self._locations(result)
        if not message and facts.id is None and not locations:
            return None
        properties = properties_of(result.properties) if result.properties is not ABSENT else {}
        affected, package = _packages(properties, message) if facts.package is None else ((), facts.package)
        return Finding(
            format="sarif",
            title=facts.title or _first_line(message) or facts.id or "finding without words",
            message=message,
            product=package or _named_by_place(result.locations) or self._product,
            weaknesses=self._weaknesses(result, facts, properties, message),
            locations=locations,
            quotes=_quotes(result.locations, locations),
            severity=self._severity(result, facts, properties),
            origin=self._origin,
            external_id=result.guid or result.correlationGuid,
            rule=facts.id,
            aliases=facts.aliases,
            affected=affected,
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
        """No place of its own: the end of its first code flow, the top of its first stack, what was analyzed, the places related to it."""
        for place in (*self._flow_ends(result), *_stack_tops(result)):
            location = self._places.location(place)
            if location is not None:
                return (location,)
        if result.analysisTarget is not None:
            file = self._places.location(Place(Physical(result.analysisTarget)))
            if file is not None:
                return (file,)
        found = (self._places.location(place) for place in _decoded(_places, result.relatedLocations)[:_MAX_LOCATIONS])
        return tuple(dict.fromkeys(location for location in found if location is not None))

    def _flow_ends(self, result: Result) -> Iterator[Place]:
        for flow in _decoded(_code_flows, result.codeFlows)[:5]:
            for thread in flow.threadFlows[:5]:
                for step in reversed(thread.locations[-5:]):
                    place = step.location or self._step(step.index)
                    if place is not None:
                        yield place

    def _step(self, index: int | None) -> Place | None:
        """A step by its index into the run's own (3.38.2)."""
        if index is None or self._steps is ABSENT:
            return None
        if isinstance(self._steps, msgspec.Raw):
            self._steps = _decoded(_steps, self._steps, 64 * MAX_RAW)
        steps: list[Step] = self._steps
        return steps[index].location if 0 <= index < len(steps) else None

    def _weaknesses(self, result: Result, facts: RuleFacts, properties: dict[str, Any], message: str) -> tuple[Weakness, ...]:
        if result.taxa is None and not properties:
            if facts.stated or (facts.inferred and not facts.is_broad):
                return facts.stated or facts.inferred
        else:
            taxa = [Weakness(cwe, "stated", "result.taxa") for t in (result.taxa or [])[:50] if (cwe := self._rules.cwe_of(t))]
            stated = unique([*taxa, *stated_in_properties(properties, "result.properties"), *facts.stated])
            if stated or (facts.inferred and not facts.is_broad):
                return stated or facts.inferred
        return self._from_message(message) or facts.inferred

    def _from_message(self, message: str) -> tuple[Weakness, ...]:
        known = self._inferred.get(message)
        if known is None:
            stated = unique(Weakness(cwe, "stated", "result.message") for cwe in cwes_in(message))
            self._read += 0 if stated else min(len(message), 2_000)
            inferred = weakness_from_words(message, "message") if not stated and self._read <= _MAX_READ else None
            known = stated or ((inferred,) if inferred is not None else ())
            if len(self._inferred) < 5_000:
                self._inferred[message] = known
        return known

    def _severity(self, result: Result, facts: RuleFacts, properties: dict[str, Any]) -> Severity:
        score, vector = facts.score, facts.cvss
        if properties:
            score = score_of(properties) if "security-severity" in properties else score
            vector = cvss_of(properties) or vector
        key = (self._level(result, facts), score, vector)
        severity = self._severities.get(key)
        if severity is None:
            severity = Severity(level=key[0], cvss=vector, score=score)
            if len(self._severities) < 1_000:
                self._severities[key] = severity
        return severity

    def _level(self, result: Result, facts: RuleFacts) -> str:
        """3.27.10: the result's own level; `none` for a kind that is no failure; an override, the rule's default, else `warning`."""
        if result.level:
            return result.level[:40]
        if result.kind is not None and result.kind != "fail":
            return "none"
        overridden = self._levels.get(facts.rule.id if facts.rule is not None else facts.id or "") if self._levels else None
        return (overridden or facts.level or "warning")[:40]


_PACKAGE = re.compile(
    r"(?:^|\n)Package: (?P<name>[^\n]{1,200})\nInstalled Version: (?P<version>[^\n]{1,200})(?P<rest>(?:\n[^\n]{0,500}){0,6})"
)
_VULNERABLE = re.compile(r"(?:Package ')?(?P<name>@?[^\s@']{1,200})[@ ](?P<version>[0-9v][^\s']{0,99})'? is vulnerable to ")
_FIXED = re.compile(r"\nFixed Version: ([^\n]{1,200})")


def _packages(properties: dict[str, Any], message: str) -> tuple[tuple[str, ...], Product | None]:
    """What a scanner of packages says is affected: a package URL in its properties, or the words of Trivy, OSV-Scanner and cargo-audit."""
    package = package_in(properties) if properties else None
    stated = _PACKAGE.search(message) if "Installed Version: " in message else None
    if stated is None:
        named = _VULNERABLE.match(message) if " is vulnerable to " in message else None
        return ((f"{named['name']}: {named['version']}",) if named is not None else ()), package
    fixed = _FIXED.search(stated["rest"])
    return (f"{stated['name']}: {stated['version']}{f'; fixed in {fixed[1]}' if fixed is not None else ''}",), package


def _named_by_place(places: list[Place] | None) -> Product | None:
    """The package whose URL stands where a function could: scanners of archives name what they found in one so."""
    logical = places[0].logicalLocations if places else None
    name = (logical[0].fullyQualifiedName or logical[0].name or "") if logical else ""
    return product_of_purl(name) if name.startswith("pkg:") else None


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


def _stack_tops(result: Result) -> Iterator[Place]:
    """The innermost frames of a fuzzer's or debugger's stacks that say where they are."""
    for stack in _decoded(_stacks, result.stacks)[:5]:
        yield from (frame.location for frame in stack.frames[:5] if frame.location is not None)


def _overridden_levels(invocations: list[Invocation], rules: Rules) -> dict[str, str]:
    """3.20.5: levels that an invocation's options gave to rules, by the rule's id."""
    found: dict[str, str] = {}
    for invocation in invocations[:100]:
        for override in (invocation.ruleConfigurationOverrides or [])[:5_000]:
            rule = rules.referred(override.descriptor)
            if rule is not None and override.configuration.level is not None:
                found[rule] = override.configuration.level[:40]
    return found


def _decoded(decoder: Any, raw: msgspec.Raw, limit: int = 4 * MAX_RAW) -> Any:
    """Decode a raw part of a result; a broken or oversized one counts as empty, since the result stands without it."""
    empty: Any = {} if decoder is _pairs else []
    if raw is ABSENT or len(memoryview(raw)) > limit:
        return empty
    try:
        return decoder.decode(raw)
    except BROKEN_JSON:
        return empty


def _quotes(places: list[Place] | None, locations: tuple[Location, ...]) -> tuple[Quote, ...]:
    """The code at the first place (3.30.13 snippet, else that of the context region, 3.29.5), where the document carries it."""
    physical = places[0].physicalLocation if places else None
    if physical is None:
        return ()
    for region in (physical.region, physical.contextRegion):
        text = region.snippet.text if region is not None and region.snippet is not None else None
        if region is not None and text and text.strip() and not text.startswith(_NO_CODE):
            line = region.startLine if region.startLine is not None and 0 < region.startLine <= MAX_LINE else None
            return (Quote(text[:_MAX_SNIPPET], locations[0].file if locations else None, line),)
    return ()


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()[:MAX_TITLE]
