# SPDX-License-Identifier: Apache-2.0
"""What a SARIF rule says of its results: title, severity and weakness, from every place where tools put a CWE."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clearwell.formats.sarif.model import ABSENT, Driver, Message, Reference, Result, Rule, Run
from clearwell.vocabulary.document import BROKEN_JSON
from clearwell.vocabulary.inference import weakness_from_words
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.stated import product_of_purl
from clearwell.vocabulary.tool_rules import SEVERAL, weakness_from_rule
from clearwell.vocabulary.weakness import Weakness

MAX_RAW = 256 * 1024
_MAX_TITLE = 200
_MAX_WEAKNESSES = 20
_MAX_ABOUT = 300
"""Characters of a rule's description that say what it is about; further on linters explain, compare and refer."""
_MAX_READ_RULES = 20_000
_CWE_ID = re.compile(r"(?i)(?<![a-z0-9])cwe[-_: /]{0,2}0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_ALONE = re.compile(r"(?i)\s*(?:cwe)?[-_: ]{0,2}0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_PAGE = re.compile(r"cwe\.mitre\.org/data/definitions/([1-9][0-9]{0,4})(?:\.html)?(?![0-9])")
_PUBLIC_ID = re.compile(
    r"\bCVE-[0-9]{4}-[0-9]{4,19}|\bGHSA(?:-[23456789cfghjmpqrvwx]{4}){3}\b|\b(?:RUSTSEC|GO|PYSEC|OSV|MAL)-20[0-9]{2}-[0-9]{1,9}\b"
)
_IN_FRONT = re.compile(r"\s*[(\[]([A-Z]+-[\w-]{4,40})[)\]]")
_SCORE = re.compile(r"\s*([0-9]{1,2}(?:\.[0-9]{1,4})?)\s*")
_VECTOR = re.compile(r"CVSS:(?:3\.[01]|4\.0)(?:/[A-Z]{1,3}:[A-Z][a-z]{0,5}){4,40}")
_CWE_TAXONOMIES = {"ffc64c90-42b6-44ce-8beb-f6b7dae649e5", "25f72d7e-8a92-459d-ad67-64853f788765"}
"""Guids of CWE's taxonomy in the tools that write them (Flawfinder, Microsoft's SARIF SDK)."""


class RuleFacts(msgspec.Struct, frozen=True):
    """What all results of one rule share."""

    id: str | None
    title: str | None
    level: str | None
    score: float | None
    cvss: str | None
    stated: tuple[Weakness, ...]
    inferred: tuple[Weakness, ...]
    rule: Rule | None
    driver: Driver
    aliases: tuple[str, ...] = ()
    package: Product | None = None
    is_broad: bool = False
    """True where a result's own message tells its weakness better than its rule."""


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


def cvss_of(properties: dict[str, Any]) -> str | None:
    """Read a CVSS vector that a tool keeps under a key of its own (`cvssv3_vector`, `cvss`)."""
    for key, value in list(properties.items())[:200]:
        if "cvss" in key.lower():
            for text in _values(value):
                if _VECTOR.fullmatch(text):
                    return text
    return None


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
                found = list(cwes_in(text)) or [f"CWE-{m.group(1)}" for m in [_CWE_ALONE.match(text)] if m]
                found = found or [f"CWE-{number}" for number in _CWE_PAGE.findall(text[:2_000])]
                for cwe in found[:5]:
                    yield Weakness(cwe, "stated", f"{where}.{key[:60]}")
        elif key == "metadata" and isinstance(value, dict):
            yield from stated_in_properties(value, f"{where}.metadata")


def public_ids(text: str) -> tuple[str, ...]:
    """The public ids of a flaw that a rule's id holds: scanners of packages have a rule for each flaw (`CVE-2024-1234-libssl3`)."""
    return tuple(dict.fromkeys(match.group() for match in _PUBLIC_ID.finditer(text[:5_000])))


def _other_ids(rule: Rule, properties: dict[str, Any]) -> Iterator[str]:
    """Where scanners of packages keep a flaw's other public ids: old ids of the rule, tags, or in brackets before its description."""
    yield from (rule.deprecatedIds or [])[:50]
    yield from (tag for tag in _values(properties.get("tags", [])) if _PUBLIC_ID.fullmatch(tag[:60]))
    for described in (rule.shortDescription, rule.fullDescription):
        named = _IN_FRONT.match(text_of(described)[:100])
        if named is not None:
            yield named[1]


def package_in(properties: dict[str, Any]) -> Product | None:
    """The package that a property bag names by package URLs, when it is exactly one."""
    found = {
        product for key in ("purl", "purls") for text in _values(properties.get(key, [])) if (product := product_of_purl(text)) is not None
    }
    return found.pop() if len(found) == 1 else None


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
        self._tool = self._driver.name or self._driver.fullName or ""
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
            inferred = None
            if len(self._facts) < _MAX_READ_RULES:
                inferred = weakness_from_rule(self._tool, rule_id or "") or weakness_from_words(rule_id or "", "rule id")
            stated = unique(Weakness(cwe, "stated", "ruleId") for cwe in cwes_in(rule_id or ""))
            told = (inferred,) if inferred and not stated else ()
            return RuleFacts(
                rule_id, None, None, None, None, stated, told, None, component, public_ids(rule_id or ""), None, _is_broad(rule_id)
            )
        properties = properties_of(rule.properties)
        stated = unique(self._stated(rule, rule_id, properties)) or unique(self._stated_in_help(rule))
        inferred = None if stated else self._infer(rule, rule_id, properties)
        level = rule.defaultConfiguration.level if rule.defaultConfiguration else None
        score, cvss = score_of(properties), cvss_of(properties)
        told = (inferred,) if inferred else ()
        ids = public_ids(" ".join([rule_id or "", rule.name or "", *_other_ids(rule, properties)])[:5_000])
        package = package_in(properties)
        return RuleFacts(rule_id, title_of(rule), level, score, cvss, stated, told, rule, component, ids, package, _is_broad(rule_id))

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

    def _stated_in_help(self, rule: Rule) -> Iterator[Weakness]:
        """Help is long and names related weaknesses too: it is asked only where nothing else states one, and only its first counts."""
        help_ = f"{rule.help.text or ''}\n{rule.help.markdown or ''}"[:20_000] if rule.help is not None else ""
        found = [*cwes_in(help_), *(f"CWE-{number}" for number in _CWE_PAGE.findall(help_))]
        if found:
            yield Weakness(found[0], "stated", "rule.help")

    def _infer(self, rule: Rule, rule_id: str | None, properties: dict[str, Any]) -> Weakness | None:
        known = weakness_from_rule(self._tool, rule_id or "") or weakness_from_rule(self._tool, rule.name or "")
        if known is not None:
            return known
        tags = " ".join(_values(properties.get("tags", [])))
        sources = (
            ("rule id", rule_id or ""),
            ("rule name", rule.name or ""),
            ("rule tags", tags),
            ("rule description", f"{text_of(rule.shortDescription)[:_MAX_ABOUT]} {text_of(rule.fullDescription)[:_MAX_ABOUT]}"),
        )
        return next((found for origin, text in sources if (found := weakness_from_words(text, origin)) is not None), None)

    def referred(self, reference: Reference) -> str | None:
        """Return the id of the rule that a reference means, by id, guid or index (3.52)."""
        if reference.id:
            return reference.id
        if reference.guid and reference.guid in self._by_guid:
            return self._by_guid[reference.guid][0].id
        component = self._referred_component(reference, self._extensions) or self._driver
        rules = component.rules or []
        return rules[reference.index].id if reference.index is not None and 0 <= reference.index < len(rules) else None

    def cwe_of(self, reference: Reference) -> str | None:
        """Return the CWE that a taxon is, if its taxonomy is CWE or its id says so (3.27.8, 3.49.15)."""
        component = reference.toolComponent
        taxonomy = self._taxonomy(reference)
        name = component.name if component is not None else None
        if name is None and taxonomy is not None:
            name = taxonomy.name or taxonomy.fullName
        guid = (component.guid if component is not None else None) or (taxonomy.guid if taxonomy is not None else None) or ""
        text = reference.id
        taxa = taxonomy.taxa or [] if taxonomy is not None else []
        if text is None and reference.index is not None and 0 <= reference.index < len(taxa):
            text = taxa[reference.index].id or taxa[reference.index].name
        if text is None and reference.guid is not None:
            text = next((taxon.id for taxon in taxa if taxon.guid == reference.guid), None)
        if text is None:
            return None
        if guid.lower() in _CWE_TAXONOMIES or (name is not None and name.strip().lower().startswith(("cwe", "common weakness"))):
            match = _CWE_ALONE.match(text)
            if match is not None:
                return f"CWE-{match.group(1)}"
        return next(cwes_in(text), None)

    def _taxonomy(self, reference: Reference) -> Driver | None:
        """The taxonomy that a reference is into: one of the run's, an extension that has taxa, or the driver itself."""
        if reference.toolComponent is None:
            return self._driver
        return self._referred_component(reference, self._taxonomies) or self._referred_component(
            reference, [extension if extension.taxa else Driver() for extension in self._extensions]
        )

    def _referred_component(self, reference: Reference, components: list[Driver]) -> Driver | None:
        wanted = reference.toolComponent
        if wanted is None:
            return None
        for component in components:
            if (wanted.guid and wanted.guid == component.guid) or (wanted.name and wanted.name == component.name):
                return component
        if wanted.index is not None and 0 <= wanted.index < len(components):
            return components[wanted.index]
        return None


def _is_broad(rule_id: str | None) -> bool:
    return rule_id is not None and rule_id.lower().removeprefix("clang-analyzer-") in SEVERAL


def title_of(rule: Rule) -> str | None:
    """Return a rule's title: its short description's first line, else its name."""
    text = text_of(rule.shortDescription).strip().partition("\n")[0].strip() or (rule.name or "").strip()
    return text[:_MAX_TITLE] or None
