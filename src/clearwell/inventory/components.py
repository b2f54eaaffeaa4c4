# SPDX-License-Identifier: Apache-2.0
"""Inventories: a document that says what somebody runs, recognized by its content and read into components."""

from typing import Any

import msgspec

from clearwell.formats import cyclonedx, package_lock, pip_freeze
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid

MAX_BYTES = 256 * 1024 * 1024
"""The largest inventory that is read, in bytes; each format has its own, lower limit."""

MAX_PLACES = 20
"""How many places of one component are kept."""


class Inventory(msgspec.Struct, frozen=True):
    """What a document says is installed: its format and components, each (component, version) once."""

    name: str
    format: str
    components: tuple[Component, ...]


def read_inventory(data: bytes, name: str) -> Inventory:
    """Read CycloneDX JSON, package-lock.json or the output of `pip freeze`, told apart by content, never by `name`.

    Raises Invalid saying why each of them was not it.
    """
    require_size(data, MAX_BYTES)
    text = as_utf8(data)
    if text.lstrip()[:1] not in (b"{", b"["):
        return Inventory(name, "pip-freeze", _merged(pip_freeze.read(text)))
    try:
        document: dict[str, Any] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"the file begins like JSON and cannot be read as an object: {reason}") from None
    if cyclonedx.is_bom(document):
        return Inventory(name, "cyclonedx", _merged(cyclonedx.read(text)))
    if package_lock.is_lock(document):
        return Inventory(name, "package-lock", _merged(package_lock.read(text)))
    raise Invalid("this JSON is neither CycloneDX (it has no bomFormat) nor a package-lock.json (it has no lockfileVersion)")


def _merged(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """Join what is one component in one version, found in several places, in the order of the first."""
    joined: dict[tuple[str, str | None, str | None], list[Component]] = {}
    for component in components:
        joined.setdefault((component.purl or f"?{component.name}", component.version, component.release), []).append(component)
    return tuple(_join(same) for same in joined.values())


def _join(same: list[Component]) -> Component:
    first = same[0]
    if len(same) == 1:
        return first
    places = tuple(place for component in same for place in component.found)[:MAX_PLACES]
    sources = tuple(dict.fromkeys(source for component in same for source in component.sources))
    scopes = {component.scope for component in same}
    return msgspec.structs.replace(first, found=places, sources=sources, scope=first.scope if len(scopes) == 1 else None)
