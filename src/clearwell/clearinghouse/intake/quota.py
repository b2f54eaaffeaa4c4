# SPDX-License-Identifier: Apache-2.0
"""Quotas: how much one organization may send, so that nobody's flood uses up the hub; who is over one is told when to come back."""

import math
from datetime import UTC, datetime, timedelta

import msgspec

from clearwell.ground.settings import Settings
from clearwell.vocabulary.errors import Unavailable

BUSY = timedelta(seconds=5)
"""After how long somebody looks again whose earlier reports still wait to be read."""


class QuotaReached(Unavailable):
    """An organization's quota is used up for now. `seconds` is after how long (rounded up) the same act is possible again."""

    def __init__(self, said: str, seconds: int) -> None:
        super().__init__(said)
        self.seconds = seconds


class Quota(msgspec.Struct, frozen=True):
    """What one organization may send: findings, bytes and proofs in one day (UTC), and submissions that wait at the same time."""

    findings_per_day: int
    bytes_per_day: int
    submissions_in_flight: int
    proofs_per_day: int


def usual(settings: Settings) -> Quota:
    """What every organization may send that has no quota of its own."""
    return Quota(settings.findings_per_day, settings.bytes_per_day, settings.submissions_in_flight, settings.proofs_per_day)


class Usage(msgspec.Struct, frozen=True):
    """What an organization sent since midnight (UTC), and how many of its submissions and uploads are under way."""

    findings: int
    size: int
    in_flight: int
    proofs: int


def midnight(now: datetime) -> datetime:
    """When the present day began (UTC): quotas count from then."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def require_room(quota: Quota, used: Usage, size: int, now: datetime) -> None:
    """Raise QuotaReached unless a report of `size` bytes may be taken now.

    What is taken is answered whole: a report that crosses the quota of findings or proofs is the last of its day, never cut.
    """
    if used.in_flight >= quota.submissions_in_flight:
        said = f"{quota.submissions_in_flight:,} of your organization's reports wait to be read, as many as may; come back in"
        raise QuotaReached(f"{said} {BUSY.seconds} seconds", BUSY.seconds)
    tomorrow = midnight(now) + timedelta(days=1)
    over = (
        (used.findings >= quota.findings_per_day, f"{quota.findings_per_day:,} findings"),
        (used.size + size > quota.bytes_per_day, f"{quota.bytes_per_day:,} bytes"),
        (used.proofs >= quota.proofs_per_day, f"{quota.proofs_per_day:,} proofs"),
    )
    for is_over, limit in over:
        if is_over:
            said = f"your organization's quota of {limit} a day does not hold this report; come back at {tomorrow:%Y-%m-%dT%H:%MZ}"
            raise QuotaReached(f"{said}, or ask the hub's operator for a larger one", math.ceil((tomorrow - now).total_seconds()))
