# SPDX-License-Identifier: Apache-2.0
"""CycloneDX 1.2 to 1.6 in JSON (Ecma-424): the components of a software bill of materials."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.vocabulary.component import Component, identify
from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid

MAX_BYTES = 256 * 1024 * 1024
MAX_COMPONENTS = 500_000
MAX_DEPTH = 200


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
