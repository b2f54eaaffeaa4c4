# SPDX-License-Identifier: Apache-2.0
"""Markings: the labels of the Traffic Light Protocol 2.0 (FIRST, August 2022) and their order."""

from collections.abc import Iterable
from enum import StrEnum


class Marking(StrEnum):
    """A TLP 2.0 label, spelled as the standard spells it."""

    CLEAR = "TLP:CLEAR"
    GREEN = "TLP:GREEN"
    AMBER = "TLP:AMBER"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    RED = "TLP:RED"

    @property
    def strictness(self) -> int:
        """0 for CLEAR to 4 for RED."""
        return _STRICTNESS[self]


_STRICTNESS = {marking: number for number, marking in enumerate(Marking)}


def strictest(markings: Iterable[Marking]) -> Marking:
    """Return the strictest of several sources' labels; RED when there is none, since nobody allowed anything."""
    return max(markings, key=lambda marking: marking.strictness, default=Marking.RED)
