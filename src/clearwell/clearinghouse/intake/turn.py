# SPDX-License-Identifier: Apache-2.0
"""Turns: in which order organizations' reports are read. Who used less of the workers' time comes first; nobody waits for ever.

Start-time fair queueing (Goyal, Vin, Cheng, 1996): each job is tagged with when its organization's turn would begin if every
organization got the same share, and the smallest tag is served first. An organization that has used no more than its share
goes before all tagged ones, in the order of arrival: a single report does not wait behind twenty floods.
"""

import msgspec

UNIT = 64 * 1024
"""Bytes of a document that one unit of a turn stands for."""
MOST = 64
"""Units that one turn of reading is charged at most: a longer document takes several turns."""
BULK = 256 * 1024
"""Documents larger than this, in bytes, are read in the queue of their own."""


class Turn(msgspec.Struct, frozen=True):
    """A job's place: its `priority` (0 before all others, then -1, -2 ...), and when the organization's next turn begins."""

    priority: int
    finish: int


def next_turn(now: int, finish: int, size: int, is_alone: bool) -> Turn:
    """The turn of a document of `size` bytes. `now` is the virtual time (the tag served next), `finish` the organization's own.

    `is_alone`: nothing else of its organization waits.
    """
    cost = min(MOST, 1 + size // UNIT)
    start = max(now, finish)
    return Turn(0 if is_alone and finish <= now else -max(1, start), start + cost)
