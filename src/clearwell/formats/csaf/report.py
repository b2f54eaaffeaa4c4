# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0 and 2.1 read as a report: a finding for each vulnerability that the document does not say affects nothing.

2.1 has `cwes` for `cwe`, `metrics` for `scores`, `purls` for `purl`, and names several ids; both shapes are read wherever they stand.
Documents that are not yet advisories (VINCE's `vulreport`, without tracking) are read as well.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.records import has_keys, mend, read_parts
from clearwell.vocabulary.severity import Severity
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

MAX_DEPTH = 100
MAX_PRODUCTS = 500_000
_T = TypeVar("_T", bound=msgspec.Struct)
_AFFECTED = ("known_affected", "first_affected", "last_affected", "under_investigation", "unknown")
_FIXED = ("fixed", "first_fixed", "recommended")
_VERSIONS = ("cvss_v4", "cvss_v3", "cvss_v2")
_LIST = "vulnerabilities"


class _Helper(msgspec.Struct):
    purl: str | None = None
    purls: list[str] | None = None


class _FullName(msgspec.Struct):
    product_id: str
    name: str = ""
    product_identification_helper: _Helper | None = None


class _Branch(msgspec.Struct):
    category: str = ""
    name: str = ""
    product: _FullName | None = None
    branches: list["_Branch"] | None = None


class _Relationship(msgspec.Struct):
    full_product_name: _FullName
    product_reference: str = ""


class _Tree(msgspec.Struct):
    branches: list[_Branch] | None = None
    full_product_names: list[_FullName] | None = None
    relationships: list[_Relationship] | None = None


class _Publisher(msgspec.Struct):
    name: str | None = None


class _Tracking(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    aliases: list[str] | None = None


class _Reference(msgspec.Struct):
    url: str | None = None


class _Thanks(msgspec.Struct):
    names: list[str] | None = None
    organization: str | None = None
    name: str | None = None


class _Header(msgspec.Struct):
    title: str = ""
    csaf_version: str | None = None
    publisher: _Publisher | None = None
    tracking: _Tracking | None = None
    acknowledgments: list[_Thanks] | None = None
    references: list[_Reference] | None = None


class _Id(msgspec.Struct):
    text: str | None = None


class _Note(msgspec.Struct):
    category: str = ""
    title: str = ""
    text: str = ""


class _Cwe(msgspec.Struct):
    id: str = ""


class _Threat(msgspec.Struct):
    category: str = ""
    details: str = ""


class _Flaw(msgspec.Struct):
    cve: str | None = None
    title: str | None = None
    ids: list[_Id] | None = None
    cwe: _Cwe | str | None = None
    cwes: list[_Cwe] | None = None
    notes: list[_Note] | None = None
    scores: list[dict[str, Any]] | None = None
    metrics: list[dict[str, Any]] | None = None
    product_status: dict[str, list[str]] | None = None
    references: list[_Reference] | None = None
    acknowledgments: list[_Thanks] | None = None
    threats: list[_Threat] | None = None


class _Csaf(msgspec.Struct):
    document: msgspec.Raw
    product_tree: msgspec.Raw = msgspec.Raw()
    vulnerabilities: list[msgspec.Raw] = []


class _Listed(msgspec.Struct, frozen=True):
    """A product of the tree, in words, and as far as it can be named."""

    words: str
    product: Product | None


_csaf = msgspec.json.Decoder(_Csaf)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no CSAF document, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] != b"{":
        return "not a JSON object"
    if not has_keys(data, "document"):
        return "no document"
    if has_keys(data, "runs"):
        return "runs stand beside its document"
    if b'"csaf_version"' in data or has_keys(data, _LIST) or has_keys(data, "product_tree"):
        return None
    return "a document without csaf_version, product_tree and vulnerabilities"


def read_report(data: bytes, name: str, target: Product | None) -> Document:
    """Read a CSAF document's vulnerabilities as findings; a broken one is listed, one that affects nothing is left out."""
    reading = Reading("csaf")
    try:
        csaf = _csaf.decode(mend(data, _LIST, reading))
    except BROKEN_JSON as reason:
        raise Invalid(f"this is not a CSAF document: {reason}") from None
    header = _part(csaf.document, _Header, "document", reading) or _Header()
    version = header.csaf_version
    if version is not None and not version.startswith("2."):
        raise Invalid(f"CSAF 2.0 and 2.1 are read; this is {version[:20]!r}")
    tree = _part(csaf.product_tree, _Tree, "product_tree", reading) or _Tree()
    products = _products(tree)
    for number, raw in enumerate(csaf.vulnerabilities):
        position = f"{_LIST}[{number}]"
        if not reading.has_room():
            break
        try:
            flaw = read_parts(raw, _Flaw, position, reading)
        except BROKEN_JSON as reason:
            reading.broken(position, reason)
            continue
        status = flaw.product_status or {}
        if status.get("known_not_affected") and not any(status.get(key) for key in (*_AFFECTED, *_FIXED)):
            reading.leave_out(position, f"{(flaw.cve or flaw.title or '?')[:80]}: the document names only products that are not affected")
        else:
            reading.add(_finding(reading, flaw, header, products, target))
    publisher = header.publisher.name if header.publisher is not None else None
    return reading.document((publisher or "")[:200] or None)


def _part(raw: msgspec.Raw, kind: type[_T], where: str, reading: Reading) -> _T | None:
    if not bytes(raw):
        return None
    try:
        return read_parts(raw, kind, where, reading)
    except BROKEN_JSON as reason:
        reading.broken(where, reason)
        return None


def _products(tree: _Tree) -> dict[str, _Listed]:
    found: dict[str, _Listed] = {}
    for full_name, path in _named(tree.branches or []):
        _keep(found, full_name, path)
    for full_name in tree.full_product_names or ():
        _keep(found, full_name, {})
    for relationship in tree.relationships or ():
        full_name = relationship.full_product_name
        _keep(found, full_name, {})
        part, own = found.get(relationship.product_reference), found.get(full_name.product_id)
        if part is not None and own is not None and (own.product is None or own.product.purl is None):
            found[full_name.product_id] = _Listed(own.words, part.product)
    return found


def _named(branches: list[_Branch]) -> Iterator[tuple[_FullName, dict[str, str]]]:
    """Walk the branches without recursion; a product bears the names of all branches above it, by their category.

    VINCE's reports end in a version without a product: its branches then are the product.
    """
    waiting: list[tuple[_Branch, dict[str, str], int]] = [(branch, {}, 0) for branch in reversed(branches)]
    while waiting:
        branch, above, depth = waiting.pop()
        path = {**above, branch.category: branch.name}
        if branch.product is not None:
            yield branch.product, path
        elif not branch.branches and "product_name" in path:
            yield _FullName(f"\0{path.get('vendor')}/{path['product_name']}/{path.get('product_version')}"), path
        if depth < MAX_DEPTH:
            waiting += [(child, path, depth + 1) for child in reversed(branch.branches or [])]


def _keep(found: dict[str, _Listed], full_name: _FullName, path: dict[str, str]) -> None:
    if len(found) >= MAX_PRODUCTS:
        raise Invalid(f"the product tree names more than {MAX_PRODUCTS:,} products")
    helper = full_name.product_identification_helper or _Helper()
    stated = next(filter(None, map(product_of_purl, [helper.purl, *(helper.purls or ())[:5]])), None)
    version = path.get("product_version")
    if stated is not None and stated.purl is not None and stated.version is None and version:
        stated = product_of_purl(f"{stated.purl}@{version.strip()}") or stated
    named = stated or product_named(path.get("vendor"), path.get("product_name") or full_name.name)
    span = version or path.get("product_version_range")
    name = stated.purl if stated is not None and stated.purl else " ".join(filter(None, (path.get("vendor"), path.get("product_name"))))
    words = f"{name or full_name.name}: {span}" if span else name or full_name.name
    found[full_name.product_id] = _Listed(words[:600], named)


_MOST_PRODUCTS = 100
"""Products of one flaw that are named; a document may list ten thousand for each of a thousand flaws."""


def _finding(reading: Reading, flaw: _Flaw, header: _Header, products: dict[str, _Listed], target: Product | None) -> Finding:
    status = flaw.product_status or {}
    ids = [product for key in _AFFECTED for product in (status.get(key) or ())[:_MOST_PRODUCTS]]
    if not status:
        ids = list(islice((product for product in products if product.startswith("\0")), _MOST_PRODUCTS)) or (
            list(products) if len(products) == 1 else []
        )
    affected = [products[product] for product in ids if product in products]
    fixed = [] if affected else [products[p] for key in _FIXED for p in (status.get(key) or ())[:_MOST_PRODUCTS] if p in products]
    notes = sorted(flaw.notes or (), key=lambda note: note.category not in {"description", "summary"})
    text = "\n\n".join(note.text for note in notes if note.text.strip() and note.category != "legal_disclaimer")
    impact = "\n\n".join(threat.details for threat in flaw.threats or () if threat.category == "impact")
    tracking = header.tracking or _Tracking()
    stated = [*([flaw.cwe.id if isinstance(flaw.cwe, _Cwe) else flaw.cwe] if flaw.cwe else []), *(cwe.id for cwe in flaw.cwes or ())]
    identity = flaw.cve or next((one.text for one in flaw.ids or () if one.text), None) or tracking.id
    investigated = status.get("under_investigation") and not any(status.get(key) for key in _AFFECTED[:3])
    return Finding(
        format="csaf",
        title=title_from(flaw.title, header.title, text, identity),
        message="\n\n".join(filter(None, (text, impact)))[:MAX_TEXT],
        product=first_known(*(each.product for each in affected), *(_any_version(each.product) for each in fixed)) or target,
        weaknesses=weaknesses_of(
            reading,
            stated_weaknesses(stated, "cwe" if flaw.cwe else "cwes"),
            ("title", flaw.title or ""),
            ("notes", text),
            ("threats", impact),
        ),
        severity=_severity(flaw),
        external_id=(identity or "").strip()[:200] or None,
        aliases=listed((n for n in (*(one.text for one in flaw.ids or ()), tracking.id, *(tracking.aliases or ())) if n != identity), 200),
        affected=listed((*(each.words for each in affected), *(f"fixed in {each.words}" for each in fixed)), 600),
        references=listed(reference.url for reference in [*(flaw.references or ()), *(header.references or ())]),
        credits=listed(_thanked([*(flaw.acknowledgments or ()), *(header.acknowledgments or ())]), 200),
        remarks=("under investigation",) if investigated else ("named only where it is fixed",) if fixed else (),
    )


def _any_version(product: Product | None) -> Product | None:
    """The product of which the document names a version that has the fix: the flaw is in others."""
    return product_of_purl(product.component) if product is not None and product.purl is not None else product


def _thanked(thanks: list[_Thanks]) -> Iterator[str | None]:
    for one in thanks[:100]:
        names = [*(one.names or ())[:20], *([one.name] if one.name else [])]
        yield from names or [one.organization]


def _severity(flaw: _Flaw) -> Severity | None:
    """The newest CVSS: of `scores` (2.0) or `metrics[].content` (2.1), which may hold a qualitative rating instead."""
    contents = [*(flaw.scores or ()), *(m["content"] for m in flaw.metrics or () if isinstance(m.get("content"), dict))]
    for version in _VERSIONS:
        for content in contents:
            cvss = content.get(version)
            if not isinstance(cvss, dict):
                continue
            vector, level = cvss.get("vectorString"), cvss.get("baseSeverity")
            found = severity_of(
                [vector if isinstance(vector, str) else None],
                number_of(cvss.get("baseScore")),
                level if isinstance(level, str) else None,
            )
            if found is not None:
                return found
    rating = next((c["qualitative_severity_rating"] for c in contents if isinstance(c.get("qualitative_severity_rating"), str)), None)
    return severity_of([], None, rating)


REPORT = ReportFormat(name="csaf", title="CSAF 2.0 and 2.1", why_not=why_not, read=read_report)
