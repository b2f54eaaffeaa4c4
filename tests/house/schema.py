# SPDX-License-Identifier: Apache-2.0
"""The database's tables as the migrations leave them: read from the SQL itself, so that the house's tests need no server."""

import re
from collections.abc import Iterable

import msgspec

_NAME = r'(?:"?[a-z_]+"?\.)?"?(?P<table>[a-z_0-9]+)"?'
_CREATE = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*\(", re.IGNORECASE)
_ALTER = re.compile(rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}\s+(?P<acts>[^;]+);", re.IGNORECASE)
_NO_COLUMN = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"}


class Table(msgspec.Struct):
    """One table: its columns with their definitions, in one line and in capitals, as written."""

    name: str
    columns: dict[str, str]


def read(migrations: Iterable[str]) -> dict[str, Table]:
    """Apply what creates and alters tables, in the order of the migrations; everything else is passed over."""
    tables: dict[str, Table] = {}
    for text in migrations:
        sql = without_comments(text)
        acts = [(found.start(), "create", found) for found in _CREATE.finditer(sql)]
        acts += [(found.start(), "alter", found) for found in _ALTER.finditer(sql)]
        for _, kind, found in sorted(acts, key=lambda act: act[0]):
            name = found["table"].lower()
            if kind == "create":
                tables[name] = Table(name, _columns(_inside(sql, found.end())))
            elif name in tables:
                _alter(tables[name], found["acts"])
    return tables


def without_comments(sql: str) -> str:
    """The SQL without `--` and `/* */` comments (none of ours stand inside a string)."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)


def words_of(sql: str) -> tuple[str, ...]:
    """Every name and every short literal of a migration: states, kinds, policies, functions, whatever declares them."""
    plain = without_comments(sql)
    literals = re.findall(r"'([A-Za-z][A-Za-z0-9_:. -]{0,60})'", plain)
    return tuple(dict.fromkeys([*re.findall(r"[A-Za-z_][A-Za-z_0-9]*", re.sub(r"'[^']*'", " ", plain)), *literals]))


def _inside(sql: str, start: int) -> str:
    depth, at = 1, start
    while depth and at < len(sql):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        at += 1
    return sql[start : at - 1]


def _pieces(text: str) -> list[str]:
    pieces, depth, last = [], 0, 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            pieces.append(text[last:at])
            last = at + 1
    return [" ".join(piece.split()) for piece in [*pieces, text[last:]] if piece.strip()]


def _columns(body: str) -> dict[str, str]:
    pieces = [piece.partition(" ") for piece in _pieces(body)]
    return {name.strip('"').lower(): rest.upper() for name, _, rest in pieces if name.upper() not in _NO_COLUMN}


def _alter(table: Table, acts: str) -> None:
    for act in _pieces(acts):
        if found := re.match(r"ADD COLUMN (?:IF NOT EXISTS )?(\w+) (.*)", act, re.IGNORECASE):
            table.columns[found[1].lower()] = found[2].upper()
        elif found := re.match(r"DROP COLUMN (?:IF EXISTS )?(\w+)", act, re.IGNORECASE):
            table.columns.pop(found[1].lower(), None)
        elif found := re.match(r"RENAME COLUMN (\w+) TO (\w+)", act, re.IGNORECASE):
            table.columns[found[2].lower()] = table.columns.pop(found[1].lower(), "")
        elif found := re.match(r"ALTER COLUMN (\w+) DROP NOT NULL", act, re.IGNORECASE):
            column = found[1].lower()
            table.columns[column] = table.columns.get(column, "").replace("NOT NULL", "")
        elif found := re.match(r"ALTER COLUMN (\w+) SET NOT NULL", act, re.IGNORECASE):
            table.columns[found[1].lower()] = table.columns.get(found[1].lower(), "") + " NOT NULL"
