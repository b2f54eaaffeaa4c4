# SPDX-License-Identifier: Apache-2.0
"""What every oracle is: one run seen from outside goes in, a signature of the effect comes out, or None."""

from collections.abc import Callable

import msgspec

from clearwell.proving.folder import Oracle
from clearwell.proving.running import Observation
from clearwell.proving.sanitizer_report import Report, parse_reports


class Asked(msgspec.Struct, frozen=True):
    """What an oracle is asked about a run: the proof's parameters, the functions of the proof or its variant, and ordinary markup.

    `ordinary` is what features print on the same side, and on the target: an effect is only what an input adds to it.
    """

    oracle: Oracle
    functions: tuple[str, ...] = ()
    ordinary: frozenset[str] = frozenset()


Judge = Callable[[Asked, Observation], str | None]
"""One oracle: describes the effect in words that are the same on every run, or None. Pure: no clock, no files, no chance."""


def all_reports(seen: Observation) -> tuple[Report, ...]:
    """The sanitizer reports of a run, from the places that only the sanitizer's runtime knows."""
    return tuple(report for text in seen.reports for report in parse_reports(text, seen.sources))
