# SPDX-License-Identifier: Apache-2.0
"""SARIF that almost keeps to the schema: numbers written as text or with a fraction of nothing, ids that are numbers, broken rules.

Tools write `"startLine": "12"`, `12.0` or `"ruleId": 2076`; what is meant is plain, so that such a result is no broken one.
"""

from typing import Any, TypeVar

import msgspec

from clearwell.formats.sarif.model import Driver, Rule, Tool
from clearwell.vocabulary.document import BROKEN_JSON

T = TypeVar("T")

MAX_LOOSENED = 8 * 1024 * 1024
"""Bytes of the largest part that is looked at a second time."""

_NUMBERS = {"startLine", "endLine", "index", "ruleIndex", "parentIndex"}
_WORDS = {"id", "ruleId", "guid", "name", "version", "semanticVersion", "text", "level", "kind", "uri"}


def loosened(raw: msgspec.Raw, kind: type[T]) -> T | None:
    """Decode a part with numbers and ids in either spelling; None when it still is not of its type."""
    try:
        value = msgspec.json.decode(raw) if len(memoryview(raw)) <= MAX_LOOSENED else None
        loose: T = _converted(value, kind)
    except BROKEN_JSON:
        return None
    return loose


def loosened_tool(raw: msgspec.Raw) -> tuple[Tool, list[str]]:
    """Decode a tool; its broken parts are named, and a broken rule counts as an empty one, so that the others keep their index."""
    try:
        stated = msgspec.json.decode(raw) if len(memoryview(raw)) <= MAX_LOOSENED else None
    except BROKEN_JSON:
        stated = None
    if not isinstance(stated, dict):
        return Tool(), ["tool"]
    broken: list[str] = []
    driver = _component(stated.get("driver"), "tool.driver", broken)
    extensions = stated.get("extensions")
    listed = extensions if isinstance(extensions, list) else []
    return Tool(driver, [_component(each, f"tool.extensions[{number}]", broken) for number, each in enumerate(listed)]), broken


def _component(stated: Any, position: str, broken: list[str]) -> Driver:
    if not isinstance(stated, dict):
        broken.append(position)
        return Driver()
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(Driver):
        place = f"{position}.{field.name}"
        if field.name in ("rules", "taxa"):
            kept[field.name] = _rules(stated.get(field.name), place, broken)
        elif field.name in stated:
            try:
                kept[field.name] = _converted(stated[field.name], field.type)
            except BROKEN_JSON:
                broken.append(place)
    return Driver(**kept)


def _rules(stated: Any, position: str, broken: list[str]) -> list[Rule]:
    found = []
    for number, rule in enumerate(stated if isinstance(stated, list) else ()):
        try:
            found.append(_converted(rule, Rule))
        except BROKEN_JSON:
            broken.append(f"{position}[{number}]")
            found.append(Rule())
    return found


def _converted(value: Any, kind: Any) -> Any:
    """Convert by way of JSON, since parts of a rule and of a result stay raw."""
    return msgspec.json.decode(msgspec.json.encode(_plain(value, 0)), type=kind)


def _plain(value: Any, depth: int) -> Any:
    if depth > 60:
        return None
    if isinstance(value, dict):
        return {key: _spelled(key, each, depth) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, depth + 1) for each in value]
    return value


def _spelled(key: str, value: Any, depth: int) -> Any:
    if key in _NUMBERS:
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) < 12:
            return int(value)
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
    if key in _WORDS and isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value)
    return _plain(value, depth + 1)
