# SPDX-License-Identifier: Apache-2.0
"""What a SARIF rule says of its results: title, severity and weakness, from every place where tools put a CWE."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clearwell.formats.sarif.model import ABSENT, Driver, Message, Reference, Result, Rule, Run
from clearwell.vocabulary.document import BROKEN_JSON
from clearwell.vocabulary.inference import weakness_from_words
from clearwell.vocabulary.weakness import Weakness

MAX_RAW = 256 * 1024
_MAX_TITLE = 200
_MAX_WEAKNESSES = 20
_MAX_READ_RULES = 20_000
_CWE_ID = re.compile(r"(?i)(?<![a-z0-9])cwe[-_: /]{0,2}0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_ALONE = re.compile(r"(?i)\s*(?:cwe)?[-_: ]{0,2}0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_PAGE = re.compile(r"cwe\.mitre\.org/data/definitions/([1-9][0-9]{0,4})(?:\.html)?(?![0-9])")
_SCORE = re.compile(r"\s*([0-9]{1,2}(?:\.[0-9]{1,4})?)\s*")
_IRRELEVANT_KEYS = {"tags", "security-severity"}


class RuleFacts(msgspec.Struct, frozen=True):
    """What all results of one rule share."""

    id: str | None
    title: str | None
    level: str | None
    score: float | None
    stated: tuple[Weakness, ...]
    inferred: tuple[Weakness, ...]
    rule: Rule | None
    driver: Driver


def properties_of(raw: msgspec.Raw) -> dict[str, Any]:
    """Decode a property bag; what is no object, too large or broken counts as empty, since bags are free-form."""
    if raw is ABSENT or len(memoryview(raw)) > MAX_RAW:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except BROKEN_JSON:
        return {}


def score_of(properties: dict[str, Any]) -> float | None:
    """Read GitHub's `security-severity`, a CVSS score as a string or number."""
    value = properties.get("security-severity")
    match = _SCORE.fullmatch(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    return float(match.group(1)) if match is not None and float(match.group(1)) <= 10 else None


def cwes_in(text: str) -> Iterator[str]:
    """Yield each `CWE-nnn` spelled out in text."""
    for match in _CWE_ID.finditer(text[:20_000]):
        yield f"CWE-{match.group(1)}"


def _values(value: Any) -> Iterator[str]:
    """Yield the scalars of a property: a string, a number, or a list or object of such."""
    if isinstance(value, dict):
        value = [value.get("id") or value.get("cweId") or value.get("name")]
    for item in value[:100] if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield from _values(item)
        elif isinstance(item, str | int) and not isinstance(item, bool):
            yield str(item)


def stated_in_properties(properties: dict[str, Any], where: str) -> Iterator[Weakness]:
    """Yield the CWEs of a property bag: tags (`external/cwe/cwe-079`, `CWE-89: ...`) and any key that names CWE."""
    for tag in _values(properties.get("tags", [])):
        for cwe in cwes_in(tag):
            yield Weakness(cwe, "stated", f"{where}.tags")
    for key, value in list(properties.items())[:200]:
        if "cwe" in key.lower():
            for text in _values(value):
                found = [f"CWE-{m.group(1)}" for m in [_CWE_ALONE.match(text)] if m] or list(cwes_in(text))
                for cwe in found[:5]:
                    yield Weakness(cwe, "stated", f"{where}.{key[:60]}")
        elif key == "metadata" and isinstance(value, dict):
            yield from stated_in_properties(value, f"{where}.metadata")


def text_of(message: Message | None) -> str:
    """Return a message's text, or its markdown when that is all there is."""
    return (message.text or message.markdown or "") if message is not None else ""


def unique(weaknesses: Iterable[Weakness]) -> tuple[Weakness, ...]:
    """Keep the first statement of each CWE."""
    seen: dict[str, Weakness] = {}
    for weakness in weaknesses:
        if len(seen) < _MAX_WEAKNESSES:
            seen.setdefault(weakness.id, weakness)
    return tuple(seen.values())


class Rules:
    """One run's rules and taxa, looked up as the standard says (3.52.3: by index, guid or id), each read once."""

    def __init__(self, run: Run) -> None:
        self._driver = run.tool.driver
        self._extensions = run.tool.extensions or []
        self._taxonomies = run.taxonomies or []
        self._by_id: dict[str, tuple[Rule, Driver]] = {}
        self._by_guid: dict[str, tuple[Rule, Driver]] = {}
        for component in (self._driver, *self._extensions):
            for rule in component.rules or []:
                self._by_id.setdefault(rule.id, (rule, component))
                if rule.guid:
                    self._by_guid.setdefault(rule.guid, (rule, component))
        self._facts: dict[tuple[str | None, int | None, Reference | None], RuleFacts] = {}

    def facts(self, result: Result) -> RuleFacts:
        """Return what the result's rule says of it."""
        if result.rule is not None:
            return self._read(result)
        key = (result.ruleId, result.ruleIndex, None)
        facts = self._facts.get(key)
        if facts is None:
            facts = self._read(result)
            if len(self._facts) < _MAX_READ_RULES:
                self._facts[key] = facts
        return facts

    def _read(self, result: Result) -> RuleFacts:
        rule, component = self._find(result)
        rule_id = result.ruleId or (result.rule.id if result.rule else None) or (rule.id if rule else None) or None
        if rule is None:
            inferred = weakness_from_words(rule_id or "", "rule id") if len(self._facts) < _MAX_READ_RULES else None
            stated = unique(Weakness(cwe, "stated", "ruleId") for cwe in cwes_in(rule_id or ""))
            return RuleFacts(rule_id, None, None, None, stated, (inferred,) if inferred and not stated else (), None, component)
        properties = properties_of(rule.properties)
        stated = unique(self._stated(rule, rule_id, properties))
        inferred = None if stated else self._infer(rule, rule_id, properties)
        level = rule.defaultConfiguration.level if rule.defaultConfiguration else None
        return RuleFacts(rule_id, title_of(rule), level, score_of(properties), stated, (inferred,) if inferred else (), rule, component)

    def _find(self, result: Result) -> tuple[Rule | None, Driver]:
        component = self._component(result)
        reference = result.rule
        index = result.ruleIndex if result.ruleIndex is not None else (reference.index if reference else None)
        wanted = result.ruleId or (reference.id if reference else None)
        rules = component.rules or []
        if index is not None and 0 <= index < len(rules):
            rule = rules[index]
            if not wanted or wanted == rule.id or wanted.startswith(f"{rule.id}/"):
                return rule, component
        if reference is not None and reference.guid and reference.guid in self._by_guid:
            return self._by_guid[reference.guid]
        while wanted:
            if wanted in self._by_id:
                return self._by_id[wanted]
            wanted = wanted.rpartition("/")[0]  # 3.27.5: hierarchical ids, most specific last
        return None, component

    def _component(self, result: Result) -> Driver:
        wanted = result.rule.toolComponent if result.rule is not None else None
        if wanted is None:
            return self._driver
        if wanted.index is not None and 0 <= wanted.index < len(self._extensions):
            return self._extensions[wanted.index]
        for extension in self._extensions:
            if (wanted.guid and wanted.guid == extension.guid) or (wanted.name and wanted.name == extension.name):
                return extension
        return self._driver

    def _stated(self, rule: Rule, rule_id: str | None, properties: dict[str, Any]) -> Iterator[Weakness]:
        for relationship in (rule.relationships or [])[:50]:
            cwe = self.cwe_of(relationship.target)
            if cwe is not None:
                yield Weakness(cwe, "stated", "rule.relationships")
        yield from stated_in_properties(properties, "rule.properties")
        for cwe in cwes_in(f"{rule_id or ''} {rule.name or ''}"):
            yield Weakness(cwe, "stated", "rule id")
        for number in _CWE_PAGE.findall((rule.helpUri or "")[:2_000]):
            yield Weakness(f"CWE-{number}", "stated", "rule.helpUri")
        for field, message in (("shortDescription", rule.shortDescription), ("fullDescription", rule.fullDescription)):
            for cwe in cwes_in(text_of(message)):
                yield Weakness(cwe, "stated", f"rule.{field}")

    def _infer(self, rule: Rule, rule_id: str | None, properties: dict[str, Any]) -> Weakness | None:
        tags = " ".join(_values(properties.get("tags", [])))
        sources = (
            ("rule id", rule_id or ""),
            ("rule name", rule.name or ""),
            ("rule tags", tags),
            ("rule description", f"{text_of(rule.shortDescription)} {text_of(rule.fullDescription)}"),
        )
        return next((found for origin, text in sources if (found := weakness_from_words(text, origin)) is not None), None)

    def cwe_of(self, reference: Reference) -> str | None:
        """Return the CWE that a taxon is, if its taxonomy is CWE or its id says so (3.27.8, 3.49.15)."""
        component = reference.toolComponent
        name = component.name if component is not None else None
        taxonomy = self._taxonomy(reference)
        if name is None and taxonomy is not None:
            name = taxonomy.name
        text = reference.id
        if text is None and taxonomy is not None and reference.index is not None and 0 <= reference.index < len(taxonomy.taxa or []):
            text = (taxonomy.taxa or [])[reference.index].id
        if text is None and taxonomy is not None and reference.guid is not None:
            text = next((taxon.id for taxon in taxonomy.taxa or [] if taxon.guid == reference.guid), None)
        if text is None:
            return None
        if name is not None and name.strip().lower() == "cwe":
            match = _CWE_ALONE.match(text)
            if match is not None:
                return f"CWE-{match.group(1)}"
        return next(cwes_in(text), None)

    def _taxonomy(self, reference: Reference) -> Driver | None:
        component = reference.toolComponent
        if component is None:
            return None
        if component.index is not None and 0 <= component.index < len(self._taxonomies):
            return self._taxonomies[component.index]
        for taxonomy in self._taxonomies:
            if (component.guid and component.guid == taxonomy.guid) or (component.name and component.name == taxonomy.name):
                return taxonomy
        return None


def title_of(rule: Rule) -> str | None:
    """Return a rule's title: its short description's first line, else its name."""
    text = text_of(rule.shortDescription).strip().partition("\n")[0].strip() or (rule.name or "").strip()
    return text[:_MAX_TITLE] or None
