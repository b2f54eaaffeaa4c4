# SPDX-License-Identifier: Apache-2.0
"""Suggestions between clusters (rung L2): which of what stays apart may still be one flaw, for a person to look at. Joins nothing."""

from collections.abc import Sequence

import msgspec

from clearwell.clearinghouse.dedupe.cluster import Row
from clearwell.clearinghouse.dedupe.similarity import Signal, suggest
from clearwell.clearinghouse.dedupe.sketch import Sketch, sketch
from clearwell.vocabulary.finding import Finding


class Side(msgspec.Struct, frozen=True):
    """One finding of a suggestion, as in the rows of `clearwell cluster`."""

    file: str
    index: int
    cluster: str


class SuggestedRow(msgspec.Struct, frozen=True):
    """Two clusters that may be one: `between` names a finding of each, `score` is a rough chance, `signals` what speaks for and against."""

    suggestion: str
    between: tuple[Side, Side]
    score: float
    signals: tuple[Signal, ...]


def suggestions(findings: Sequence[tuple[str, int, Finding]], rows: Sequence[Row], most: int = 5) -> list[SuggestedRow]:
    """Return the suggestions between clusters, best first. A cluster speaks through the finding that says most of itself."""
    sketches = [sketch(finding, run=file) for file, _, finding in findings]
    speaker: dict[str, int] = {}
    for number, row in enumerate(rows):
        held = speaker.get(row.cluster)
        if held is None or _says(sketches[number]) > _says(sketches[held]):
            speaker[row.cluster] = number
    numbers = [number for number in sorted(speaker.values()) if sketches[number].component is not None]
    found = suggest([sketches[number] for number in numbers], most)
    return [SuggestedRow("L2", (_side(rows[numbers[one.one]]), _side(rows[numbers[one.other]])), one.score, one.signals) for one in found]


def _says(one: Sketch) -> int:
    return len(one.functions) + len(one.files) + len(one.introduced) + len(one.code)


def _side(row: Row) -> Side:
    return Side(row.file, row.index, row.cluster)
