# SPDX-License-Identifier: Apache-2.0
"""Rows in bulk: many rows as the text of one INSERT and a few long parameters, quickly made here and quickly read there.

COPY refuses a table with row-level security, and by way of a temporary table each row is written twice and files come and go with each
batch. One array for each column costs the server less; what is the same in all rows is sent once. ADR 29 has the figures.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Any, cast

import msgspec
from psycopg.types.json import Jsonb

Column = Sequence[Any]
"""The values of one column, of one type but for None."""

_BETWEEN = "\x1e"
"""Stands between JSON values: inside them control characters are always written as escapes (RFC 8259, 7)."""


class Insertion(msgspec.Struct, frozen=True):
    """A statement with `%(name)s` parameters, and its values."""

    statement: str
    values: dict[str, Any]

    @property
    def size(self) -> int:
        """Characters of the parameters, nearly: what one statement makes the server hold at once."""
        return sum(len(value) for value in self.values.values() if isinstance(value, str))


def insertion(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], on_conflict: str = "") -> Insertion:
    """Make the INSERT of at least one row; rows keep their order. Raises TypeError for a value whose type no column takes here."""
    values: dict[str, Any] = {}
    chosen, sources, names = [], [], []
    for number, column in enumerate(zip(*rows, strict=True)):
        if _is_constant(column):
            first = column[0]
            chosen.append("NULL" if first is None else f"%(v{number})s")
            if first is not None:
                values[f"v{number}"] = _list(first)[1] if isinstance(first, list) else first
            continue
        source, cast_to, values[f"v{number}"] = _source(column, f"%(v{number})s")
        sources.append(source)
        names.append(f"c{number}")
        chosen.append(f"c{number}{cast_to}")
    into, what = ", ".join(f'"{name}"' for name in columns), ", ".join(chosen)
    if not sources:  # every row is the same
        sources, names = ["generate_series(1, %(rows)s)"], ["n"]
        values["rows"] = len(rows)
    made = f"ROWS FROM ({', '.join(sources)}) AS made ({', '.join(names)})"
    return Insertion(f"INSERT INTO {table} ({into}) SELECT {what} FROM {made} {on_conflict}", values)


def _is_constant(column: Column) -> bool:
    """True when a column's values are all the same; JSON, which is long and seldom so, is not compared."""
    first = column[0]
    return type(first) is not Jsonb and column.count(first) == len(column)


def _source(column: Column, parameter: str) -> tuple[str, str, str]:
    """A column as a set of texts: the function that gives them, the cast of each to its type, the one parameter."""
    kinds = set(map(type, column)) - {NoneType}
    if kinds == {Jsonb}:
        return _json_source(column, parameter)
    if kinds == {list}:
        cast_to, _ = _list([one for value in column if value is not None for one in value])
        texts: Sequence[str | None] = _texts(column, lambda value: _list(value)[1])
    elif len(kinds) == 1 and (kind := kinds.pop()) in _KINDS:
        cast_to, text = _KINDS[kind]
        texts = column if text is None else _texts(column, text)
    else:
        raise TypeError("a column cannot be written in bulk: its values are of no type, or of several, that are known here")
    return f"unnest({parameter}::text[])", cast_to, array_of(texts)


def _texts(column: Column, text: Callable[[Any], str]) -> list[str | None]:
    return [None if value is None else text(value) for value in column]


def _json_source(column: Column, parameter: str) -> tuple[str, str, str]:
    texts = [None if value is None else value.dumps(value.obj).decode() for value in column]
    if None in texts:
        return f"unnest({parameter}::text[])", "::jsonb", array_of(texts)
    told = _BETWEEN.join(cast(list[str], texts))
    if told.count(_BETWEEN) != len(texts) - 1:
        raise ValueError("a JSON value holds a control character")
    return f"string_to_table({parameter}, E'\\x1e')", "::jsonb", told


def array_of(texts: Sequence[str | None]) -> str:
    """The literal of a PostgreSQL array of texts: each in quotes, so that no text reads as NULL, a brace or a comma."""
    if None in texts:
        return "{" + ",".join(["NULL" if text is None else f'"{_quoted(text)}"' for text in texts]) + "}"
    told = '","'.join(cast(Sequence[str], texts))
    if "\\" in told or told.count('"') != 2 * (len(texts) - 1):
        told = '","'.join([_quoted(text) for text in cast(Sequence[str], texts)])
    return f'{{"{told}"}}' if texts else "{}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _list(values: list[Any]) -> tuple[str, str]:
    """A list's type, and its literal: of whole numbers (an empty one too, which becomes any other), else of texts."""
    if all(type(value) is int for value in values):
        return "::bigint[]", array_of(list(map(str, values)))
    return "::text[]", array_of(values)


_KINDS: dict[type, tuple[str, Callable[[Any], str] | None]] = {
    str: ("", None),
    bool: ("::boolean", lambda value: "t" if value else "f"),
    int: ("::bigint", str),
    float: ("::double precision", repr),
    bytes: ("::bytea", lambda value: f"\\x{value.hex()}"),
    datetime: ("::timestamptz", datetime.isoformat),
    date: ("::date", date.isoformat),
}
"""For each type of value the cast that makes it again of its text, and how the text is made (None: it is text)."""
