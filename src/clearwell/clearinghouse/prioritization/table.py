# SPDX-License-Identifier: Apache-2.0
"""Decision tables: every combination of some decision points -> one outcome, as packaged data with source, version and date."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from itertools import product
from typing import Any

import msgspec

from clearwell.vocabulary.errors import Invalid


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision point and the values it can have."""

    name: str
    values: tuple[str, ...]


class _Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: tuple[tuple[str, ...], ...]


class DecisionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A total table: each combination of values stands in exactly one row, its last cell the outcome.

    `outcomes` go from least to most urgent. `directive` holds what only a directive has (bod_26_04.py reads it).
    """

    version: str
    effective_from: date
    source: str
    outcomes: tuple[str, ...]
    points: tuple[Point, ...]
    table: _Rows
    directive: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        combinations = {row[:-1] for row in self.table.rows}
        expected = set(product(*(point.values for point in self.points)))
        if combinations != expected or len(self.table.rows) != len(expected):
            raise Invalid(f"table {self.version} needs each of its {len(expected)} combinations exactly once")
        if not self.source or {row[-1] for row in self.table.rows} - set(self.outcomes):
            raise Invalid(f"table {self.version} needs a source, and rows that end in one of its outcomes")

    @property
    def rows(self) -> Mapping[tuple[str, ...], str]:
        """Combination -> outcome."""
        return {row[:-1]: row[-1] for row in self.table.rows}

    def possible(self, *values: Sequence[str]) -> tuple[str, ...]:
        """The outcomes that are left, most urgent first, when each point may have any of the values given for it.

        SSVC: what is not known is told as the set of values that are possible, all of them when nothing is known.
        """
        rows = self.rows
        reached = {rows[combination] for combination in product(*values)}
        return tuple(outcome for outcome in reversed(self.outcomes) if outcome in reached)


def either(choices: Sequence[str]) -> str:
    """Join alternatives for a sentence: `a, b or c`."""
    return " or ".join(part for part in (", ".join(choices[:-1]), *choices[-1:]) if part)


def read_table(text: str) -> DecisionTable:
    """Read a table from TOML; raise Invalid when it cannot be read, has gaps or says a thing twice."""
    try:
        return msgspec.convert(tomllib.loads(text), DecisionTable)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise Invalid(f"the decision table cannot be read: {reason}") from None


def packaged(name: str) -> DecisionTable:
    """Read one of the tables beside this file."""
    return read_table(resources.files(__package__).joinpath("tables", f"{name}.toml").read_text(encoding="utf-8"))
