# SPDX-License-Identifier: Apache-2.0
"""CycloneDX 1.2 to 1.7 in JSON (Ecma-424): the components of a bill of materials, and a VDR's or VEX's vulnerabilities as a report."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.vocabulary.component import Component, identify
from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat, as_utf8, require_size
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Origin
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.records import has_keys, mend
from clearwell.vocabulary.stated import (
    MAX_TEXT,
    first_known,
    listed,
    number_of,
    product_named,
    product_of_purl,
    severity_of,
    stated_weaknesses,
    title_from,
    weaknesses_of,
)

MAX_BYTES = 256 * 1024 * 1024
MAX_COMPONENTS = 500_000
MAX_DEPTH = 200


_MOST_AFFECTED = 100
"""Components of one vulnerability that are named; each name may be long."""


class _Component(msgspec.Struct):
    name: str = ""
    group: str | None = None
    version: str | None = None
    purl: str | None = None
    scope: str | None = None
    components: list["_Component"] | None = None


class _Metadata(msgspec.Struct):
    component: _Component | None = None


class _Bom(msgspec.Struct):
    bomFormat: str
    specVersion: str = ""
    metadata: _Metadata | None = None
    components: list[_Component] | None = None


def is_bom(document: dict[str, Any]) -> bool:
    """True when a JSON object has CycloneDX's mark."""
    return "bomFormat" in document


def read(data: bytes) -> tuple[Component, ...]:
    """Read the components of a bill of materials, nested ones too, the described product (`metadata.component`) first.

    A component without a package URL, or with one that cannot be read, is kept under its name with the reason in `doubt`.
    Raises Invalid naming the place that is wrong.
    """
    require_size(data, MAX_BYTES)
    try:
        bom = msgspec.json.decode(as_utf8(data), type=_Bom)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"this is not a CycloneDX document in JSON: {reason}") from None
    if bom.bomFormat != "CycloneDX" or not bom.specVersion.startswith("1."):
        raise Invalid(f"CycloneDX 1.x is read; this says {bom.bomFormat[:40]!r} {bom.specVersion[:20]!r}")
    found: list[Component] = []
    for component in _walk(bom):
        found.append(component)
        if len(found) > MAX_COMPONENTS:
            raise Invalid(f"the document names more than {MAX_COMPONENTS:,} components")
    return tuple(found)


def _walk(bom: _Bom) -> Iterator[Component]:
    if bom.metadata is not None and bom.metadata.component is not None:
        yield from _described(bom.metadata.component, "metadata.component")
    for index, part in enumerate(bom.components or ()):
        yield from _nested(part, f"components[{index}]", 0)


def _described(stated: _Component, place: str) -> Iterator[Component]:
    """The product that the document is about: only where a package URL says which it is, since its bare name is the owner's."""
    first, *others = _nested(stated, place, 0)
    if first.purl is not None:
        yield first
    yield from others


def _nested(stated: _Component, place: str, depth: int) -> Iterator[Component]:
    if depth > MAX_DEPTH:
        raise Invalid(f"the document nests components more than {MAX_DEPTH} deep")
    yield _component(stated, place)
    for index, child in enumerate(stated.components or ()):
        yield from _nested(child, f"{place}.components[{index}]", depth + 1)


def _component(stated: _Component, place: str) -> Component:
    name = (f"{stated.group}/{stated.name}" if stated.group else stated.name)[:300]
    version = (stated.version or "").strip() or None
    identity, doubt = None, None
    if stated.purl:
        try:
            identity = identify(stated.purl.strip(), name or None)
        except Invalid as reason:
            doubt = f"its package URL cannot be read ({reason})"
    if identity is None:
        return Component(
            name=name, version=version, found=(place,), scope=stated.scope, doubt=doubt or "the document gives it no package URL"
        )
    version, doubt = _agree(identity.version, version)
    return msgspec.structs.replace(identity, version=version, found=(place,), scope=stated.scope, doubt=doubt)


def _agree(by_purl: str | None, by_field: str | None) -> tuple[str | None, str | None]:
    """The package URL's version, else the field's; none where the two differ by more than a `v` or an epoch."""
    if by_purl is None or by_field is None:
        version = by_purl or by_field
        return version, None if version else "the document does not state it"
    if by_purl == by_field or by_purl.removeprefix("v") == by_field.removeprefix("v") or by_purl.partition(":")[2] == by_field:
        return by_purl, None
    if by_field.partition(":")[2] == by_purl:
        return by_field, None
    return None, f"the document states two, {by_purl} and {by_field}"


# Vulnerabilities sent as a report (VDR, VEX) ------------------------------------------------------------------------------


class _Source(msgspec.Struct):
    name: str | None = None
    url: str | None = None


class _Known(msgspec.Struct):
    id: str | None = None
    source: _Source | None = None


class _Rating(msgspec.Struct):
    severity: str | None = None
    score: Any = None
    vector: str | None = None


class _Advisory(msgspec.Struct):
    url: str | None = None


class _Version(msgspec.Struct):
    version: str | None = None
    range: str | None = None
    status: str = "affected"


class _Affects(msgspec.Struct):
    ref: str = ""
    versions: list[_Version] | None = None


class _Analysis(msgspec.Struct):
    state: str | None = None
    justification: str | None = None


class _Named(msgspec.Struct):
    name: str | None = None
    version: str | None = None


class _Tools(msgspec.Struct):
    components: list[_Named] | None = None


class _Credits(msgspec.Struct):
    individuals: list[_Named] | None = None
    organizations: list[_Named] | None = None


class _Vulnerability(msgspec.Struct):
    id: str | None = None
    source: _Source | None = None
    references: list[_Known] | None = None
    ratings: list[_Rating] | None = None
    cwes: list[Any] | None = None
    description: str | None = None
    detail: str | None = None
    recommendation: str | None = None
    advisories: list[_Advisory] | None = None
    credits: _Credits | None = None
    tools: list[_Named] | _Tools | None = None
    analysis: _Analysis | None = None
    affects: list[_Affects] | None = None
    rejected: str | None = None


class _Referred(msgspec.Struct):
    """A component as `affects` refers to it."""

    name: str = ""
    group: str | None = None
    version: str | None = None
    purl: str | None = None
    ref: str | None = msgspec.field(default=None, name="bom-ref")
    components: list["_Referred"] | None = None


class _ReportMetadata(msgspec.Struct):
    component: _Referred | None = None
    tools: list[_Named] | _Tools | None = None


class _Report(msgspec.Struct):
    bomFormat: str
    specVersion: str = ""
    metadata: msgspec.Raw = msgspec.Raw()
    components: msgspec.Raw = msgspec.Raw()
    vulnerabilities: list[msgspec.Raw] = []


_NO_FINDING = {
    "not_affected": "the document says that it is not affected",
    "false_positive": "the document says that it is a false positive",
    "resolved": "the document says that it is resolved",
    "resolved_with_pedigree": "the document says that it is resolved",
}
_report = msgspec.json.Decoder(_Report)
_vulnerability = msgspec.json.Decoder(_Vulnerability)
_LIST = "vulnerabilities"


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no CycloneDX document with vulnerabilities, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] != b"{":
        return "not a JSON object"
    if not has_keys(data, "bomFormat"):
        return "no bomFormat"
    return None if has_keys(data, _LIST) else "a bill of materials without vulnerabilities"


def read_report(data: bytes, name: str, target: Product | None) -> Document:
    """Read the vulnerabilities of a VDR or VEX: a finding each, unless the document's own analysis says that it is none."""
    reading = Reading("cyclonedx")
    try:
        bom = _report.decode(mend(data, _LIST, reading))
    except BROKEN_JSON as reason:
        raise Invalid(f"this is not a CycloneDX document in JSON: {reason}") from None
    if bom.bomFormat != "CycloneDX" or not bom.specVersion.startswith("1."):
        raise Invalid(f"CycloneDX 1.x is read; this says {bom.bomFormat[:40]!r} {bom.specVersion[:20]!r}")
    metadata = _part(bom.metadata, _ReportMetadata, "metadata", reading) or _ReportMetadata()
    components = _part(bom.components, list[_Referred], "components", reading) or []
    known = _by_reference([*([metadata.component] if metadata.component else []), *components])
    tools = _tools(metadata.tools)
    for number, raw in enumerate(bom.vulnerabilities):
        position = f"{_LIST}[{number}]"
        if not reading.has_room():
            break
        try:
            stated = _vulnerability.decode(raw)
        except BROKEN_JSON as reason:
            reading.broken(position, reason)
            continue
        state = stated.analysis.state if stated.analysis is not None else None
        if state in _NO_FINDING or stated.rejected:
            reading.leave_out(
                position, f"{(stated.id or '?')[:80]}: {_NO_FINDING.get(state or '', 'the document says that it was rejected')}"
            )
        elif not (stated.id or stated.description or stated.detail):
            reading.broken(position, "a vulnerability needs an id or a description")
        else:
            own = metadata.component
            reading.add(_finding(reading, stated, known, tools, target or (_referred_product(own) if own is not None else None)))
    return reading.document(tools[0].name if tools else None)


def _part(raw: msgspec.Raw, kind: Any, where: str, reading: Reading) -> Any:
    if not bytes(raw):
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except BROKEN_JSON as reason:
        reading.broken(where, reason)
        return None


def _by_reference(components: list[_Referred]) -> dict[str, _Referred]:
    """Components by `bom-ref`, nested ones too; breadth first, so that no depth of nesting is too deep."""
    found: dict[str, _Referred] = {}
    waiting = components[:]
    for component in waiting:
        if component.ref:
            found.setdefault(component.ref, component)
        if len(found) >= MAX_COMPONENTS or len(waiting) > MAX_COMPONENTS:
            break
        waiting += component.components or ()
    return found


def _tools(stated: list[_Named] | _Tools | None) -> list[_Named]:
    """Tools as a list (until 1.4), or as components (since 1.5)."""
    return [tool for tool in (stated.components or [] if isinstance(stated, _Tools) else stated or []) if tool.name]


def _finding(reading: Reading, stated: _Vulnerability, known: dict[str, _Referred], tools: list[_Named], target: Product | None) -> Finding:
    text = "\n\n".join(part for part in (stated.description, stated.detail, stated.recommendation) if part and part.strip())
    affects = (stated.affects or [])[:_MOST_AFFECTED]
    ratings = stated.ratings or []
    severity = severity_of(
        [rating.vector for rating in ratings], None, next((rating.severity for rating in ratings if rating.severity), None)
    )
    chosen = next((r for r in ratings if severity is not None and r.vector and r.vector.strip() == severity.cvss), None)
    score = number_of(chosen.score) if chosen else next((s for r in ratings if (s := number_of(r.score)) is not None), None)
    tool = next(iter(_tools(stated.tools) or tools), _Named())
    people = stated.credits or _Credits()
    analysis = stated.analysis or _Analysis()
    return Finding(
        format="cyclonedx",
        title=title_from(stated.description, stated.detail, stated.id),
        message=text[:MAX_TEXT],
        product=first_known(*(_affected_product(entry, known) for entry in affects)) or target,
        weaknesses=weaknesses_of(reading, stated_weaknesses(stated.cwes or (), "cwes"), ("description", text)),
        severity=severity_of([severity.cvss], score, severity.level) if severity is not None else severity_of([], score),
        origin=Origin(tool=(tool.name or "")[:200] or None, tool_version=(tool.version or "")[:100] or None),
        external_id=(stated.id or "").strip()[:200] or None,
        aliases=listed((other.id for other in stated.references or ()), 200),
        affected=listed(_affected_in_words(entry, known) for entry in affects),
        references=listed([*(a.url for a in stated.advisories or ()), stated.source.url if stated.source else None]),
        credits=listed((one.name for one in [*(people.individuals or ()), *(people.organizations or ())]), 200),
        remarks=(f"analysis: {analysis.state[:40]}",) if analysis.state else (),
    )


def _affected_product(entry: _Affects, known: dict[str, _Referred]) -> Product | None:
    component = known.get(entry.ref)
    if component is not None:
        return _referred_product(component)
    reference = entry.ref.partition("#")[2] if entry.ref.startswith("urn:cdx:") else entry.ref
    return product_of_purl(reference) if reference.startswith("pkg:") else None


def _referred_product(component: _Referred) -> Product | None:
    stated = product_of_purl(component.purl)
    if stated is not None and stated.purl is not None and stated.version is None and component.version:
        return product_of_purl(f"{stated.purl}@{component.version.strip()}") or stated
    return stated or product_named(component.group, component.name)


def _affected_in_words(entry: _Affects, known: dict[str, _Referred]) -> str:
    product = _affected_product(entry, known)
    name = (product.purl or product.name) if product is not None else entry.ref[:300] or "?"
    spans = [f"{v.status} {(v.version or v.range or '?')[:200]}" for v in (entry.versions or ())[:20]]
    return f"{name}: {', '.join(spans)}" if spans else name


REPORT = ReportFormat(name="cyclonedx", title="CycloneDX with vulnerabilities (VDR, VEX)", why_not=why_not, read=read_report)
