# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0, read: which status a document (advisory or VEX) gives to the packages of its product tree."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from clearwell.vocabulary.component import identify
from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.vulnerability import Affected, VersionRange, Vulnerability

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 100
MAX_PRODUCTS = 500_000
MAX_RANGE = 100_000
"""Characters of the longest version range that is read; a longer one is treated like prose."""

EVERY = "*"
"""Stands in `not_affected` and `under_investigation` for a product that is named without a version."""

# Reading: the parts that say which product has which status.


class _Helper(msgspec.Struct):
    purl: str | None = None


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
    product_reference: str


class _Tree(msgspec.Struct):
    branches: list[_Branch] | None = None
    full_product_names: list[_FullName] | None = None
    relationships: list[_Relationship] | None = None
    product_groups: list[dict[str, Any]] | None = None


class _Tracking(msgspec.Struct):
    id: str
    current_release_date: str
    initial_release_date: str | None = None


class _Header(msgspec.Struct):
    tracking: _Tracking
    title: str = ""


class _Id(msgspec.Struct):
    text: str = ""


class _Note(msgspec.Struct):
    category: str = ""
    text: str = ""


class _Cwe(msgspec.Struct):
    id: str = ""


class _Flaw(msgspec.Struct):
    cve: str | None = None
    title: str = ""
    ids: list[_Id] | None = None
    cwe: _Cwe | None = None
    notes: list[_Note] | None = None
    product_status: dict[str, list[str]] | None = None


class _Csaf(msgspec.Struct):
    document: _Header
    product_tree: _Tree | None = None
    vulnerabilities: list[_Flaw] | None = None


class _Product(msgspec.Struct, frozen=True):
    """A product of the tree that a package URL identifies, with its version or the text of its range."""

    component: str
    release: str | None
    version: str | None
    range: str | None


def read(data: bytes) -> tuple[Vulnerability, ...]:
    """Read a CSAF 2.0 document: one vulnerability each, all under the document's tracking id, with what it says of packages.

    Products that no package URL identifies are left out. A document without vulnerabilities gives one that affects nothing.
    Raises Invalid naming the field that is missing or wrong.
    """
    require_size(data, MAX_BYTES)
    try:
        stated = msgspec.json.decode(as_utf8(data), type=_Csaf)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"this is not a CSAF document: {reason}") from None
    products = _products(stated.product_tree or _Tree())
    tracking = stated.document.tracking
    return tuple(
        Vulnerability(
            id=tracking.id,
            aliases=tuple(name for name in (flaw.cve, *(other.text for other in flaw.ids or ())) if name),
            summary=flaw.title or stated.document.title,
            details=next((note.text for note in flaw.notes or () if note.category == "description"), ""),
            weaknesses=(flaw.cwe.id,) if flaw.cwe else (),
            affected=_affected(flaw.product_status or {}, products),
            published=tracking.initial_release_date,
            modified=tracking.current_release_date,
        )
        for flaw in stated.vulnerabilities or (_Flaw(),)
    )


def _products(tree: _Tree) -> dict[str, _Product]:
    found: dict[str, _Product] = {}
    for full_name, version, stated_range in _named(tree.branches or [], None, None, 0):
        _keep(found, full_name, version, stated_range)
    for full_name in tree.full_product_names or ():
        _keep(found, full_name, None, None)
    for relationship in tree.relationships or ():
        _keep(found, relationship.full_product_name, None, None)
        part = found.get(relationship.product_reference)
        if part is not None:
            found.setdefault(relationship.full_product_name.product_id, part)
    return found


def _named(
    branches: list[_Branch], version: str | None, stated_range: str | None, depth: int
) -> Iterator[tuple[_FullName, str | None, str | None]]:
    """Walk the branches; a version or range that a branch names holds for all below it."""
    if depth > MAX_DEPTH:
        raise Invalid(f"the product tree nests branches more than {MAX_DEPTH} deep")
    for branch in branches:
        here = branch.name if branch.category == "product_version" else version
        there = branch.name if branch.category == "product_version_range" else stated_range
        if branch.product is not None:
            yield branch.product, here, there
        yield from _named(branch.branches or [], here, there, depth + 1)


def _keep(found: dict[str, _Product], full_name: _FullName, version: str | None, stated_range: str | None) -> None:
    helper = full_name.product_identification_helper
    if helper is None or helper.purl is None:
        return
    if len(found) >= MAX_PRODUCTS:
        raise Invalid(f"the product tree names more than {MAX_PRODUCTS:,} products")
    try:
        identity = identify(helper.purl)
    except Invalid:
        return
    assert identity.purl is not None
    known = identity.version or (None if stated_range else version)
    found[full_name.product_id] = _Product(identity.purl, identity.release, known, None if identity.version else stated_range)


class _Statement:
    """What a vulnerability says about one component while its products are being gathered."""

    def __init__(self) -> None:
        self.versions: dict[str, None] = {}
        self.ranges: dict[VersionRange, None] = {}
        self.fixed: dict[str, None] = {}
        self.not_affected: dict[str, None] = {}
        self.under_investigation: dict[str, None] = {}
        self.is_affected_as_a_whole = False

    def affects(self, product: _Product) -> None:
        if product.version is not None:
            self.versions[product.version] = None
        elif product.range is not None:
            single, ranges, excluded = parse_range(product.range)
            self.versions.update(dict.fromkeys(single))
            self.ranges.update(dict.fromkeys(ranges))
            self.not_affected.update(dict.fromkeys(excluded))
        else:
            self.is_affected_as_a_whole = True

    def spares(self, product: _Product, is_fix: bool) -> None:
        """A range of fixed versions counts by where it begins; one of versions never affected by the versions that it names."""
        kept = self.fixed if is_fix else self.not_affected
        if product.version is not None:
            kept[product.version] = None
        elif product.range is not None:
            single, ranges, _ = parse_range(product.range)
            starts = [stated.introduced for stated in ranges if stated.introduced is not None] if is_fix else []
            kept.update(dict.fromkeys((*single, *starts)))
        elif not is_fix:
            kept[EVERY] = None

    def finished(self, component: str, release: str | None) -> Affected:
        ranges = list(self.ranges)
        if self.is_affected_as_a_whole and not self.versions and not ranges:
            fixes = list(self.fixed)
            # Affected without a version: up to the one fix, or as a whole; several fixes leave open which versions are meant.
            ranges.append(
                VersionRange(introduced="a version not stated") if len(fixes) > 1 else VersionRange(fixed=next(iter(fixes), None))
            )
        return Affected(
            component=component,
            versions=tuple(self.versions),
            ranges=tuple(ranges),
            release=release,
            fixed=tuple(self.fixed),
            not_affected=tuple(self.not_affected),
            under_investigation=tuple(self.under_investigation),
            is_complete=False,
        )


def _affected(status: dict[str, list[str]], products: dict[str, _Product]) -> tuple[Affected, ...]:
    statements: dict[tuple[str, str | None], _Statement] = {}
    for standing, listed in status.items():
        for product_id in listed:
            product = products.get(product_id)
            if product is None:
                continue
            statement = statements.setdefault((product.component, product.release), _Statement())
            if standing in {"known_affected", "first_affected", "last_affected"}:
                statement.affects(product)
            elif standing in {"fixed", "first_fixed", "recommended"}:
                statement.spares(product, is_fix=True)
            elif standing == "known_not_affected":
                statement.spares(product, is_fix=False)
            elif standing == "under_investigation":
                statement.under_investigation[product.version or EVERY] = None
    return tuple(statement.finished(component, release) for (component, release), statement in statements.items())


_CONSTRAINT = re.compile(r" ?(>=|<=|!=|==|=|<|>|) ?([^<>=!|, ]+) ?", re.ASCII)


def parse_range(text: str) -> tuple[tuple[str, ...], tuple[VersionRange, ...], tuple[str, ...]]:
    """Read `vers:pypi/>=1.0|<1.5` or `>=1.0, <1.5` into single versions, ranges and excluded versions.

    Text that is neither becomes a range from a version that has no place in any order, so that what depends on it is unknown.
    """
    plain = " ".join(text.split())
    vers = re.fullmatch(r"vers:[a-z0-9.+-]{1,40}/(.*)", plain, re.ASCII)
    stated = vers[1] if vers else plain
    if stated.strip() == EVERY:
        return (), (VersionRange(),), ()
    if len(stated) > MAX_RANGE:
        return (), (VersionRange(introduced=plain[:200]),), ()
    single, ranges, excluded, start = [], [], [], None
    for part in filter(str.strip, re.split(r"[|,]| (?=[<>=!])", stated)):
        match = _CONSTRAINT.fullmatch(part)
        if match is None or (not match[1] and not vers):
            return (), (VersionRange(introduced=plain[:200]),), ()
        sign, version = match[1], unquote(match[2])
        if sign in {"", "=", "=="}:
            single.append(version)
        elif sign == "!=":
            excluded.append(version)
        elif sign in {">=", ">"}:
            excluded += [version] if sign == ">" else []
            if start is not None:
                ranges.append(VersionRange(start))
            start = version
        else:
            ranges.append(VersionRange(start, version) if sign == "<" else VersionRange(start, None, version))
            start = None
    if start is not None:
        ranges.append(VersionRange(start))
    return tuple(single), tuple(ranges), tuple(excluded)
