# SPDX-License-Identifier: Apache-2.0
"""A finder's scorecard: what became of what it sent, by tool and model: yield, duplicate rate, precision. Unknown stays unknown."""

import math

import msgspec

_Z = 1.959964
"""The normal deviate of a 95 % interval."""


class Share(msgspec.Struct, frozen=True):
    """A share of `of` with its 95 % interval (Wilson's score, 1927): `low` and `high` tell how little a small number says."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval, None of nothing."""
        if not self.of:
            return None
        share, spread = self.count / self.of, _Z * _Z / self.of
        middle = (share + spread / 2) / (1 + spread)
        half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / self.of + spread / (4 * self.of))
        return max(0.0, middle - half), min(1.0, middle + half)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the findings of one tool and model (None where not named). Counts of present answers; each finding has one."""

    tool: str | None
    model: str | None
    sent: int
    new: int
    needs_proof: int
    duplicate: int
    refused: int
    reproduced: int

    @property
    def yielded(self) -> Share:
        """Yield: findings that reproduced here and were nobody else's before, of all that were sent."""
        return Share(self.reproduced, self.sent)

    @property
    def duplicates(self) -> Share:
        """Duplicate rate: findings that were reported before, of all that were sent."""
        return Share(self.duplicate, self.sent)

    @property
    def precision(self) -> Share:
        """Precision: findings that reproduced, of those that were settled by running or by looking at the source."""
        return Share(self.reproduced, self.reproduced + self.refused)
