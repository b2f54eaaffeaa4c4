# SPDX-License-Identifier: Apache-2.0
"""The end date: every finding and case has one from its first receipt on, by a dated policy table (end_dates.toml)."""

import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import resources

import msgspec

from clearwell.vocabulary.errors import Invalid, Refused, TooLate
from clearwell.vocabulary.ids import PersonId


class EndDatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table. Days are calendar days of 24 hours from first receipt; `reminder_days` count back from the end date."""

    version: str
    effective_from: date
    default_days: int
    maximum_days: int
    reminder_days: tuple[int, ...]
    source: str

    def __post_init__(self) -> None:
        if not 0 < self.default_days <= self.maximum_days:
            raise Invalid(f"end date policy {self.version}: 0 < default_days <= maximum_days does not hold")
        if not self.reminder_days or list(self.reminder_days) != sorted(set(self.reminder_days), reverse=True):
            raise Invalid(f"end date policy {self.version}: reminder_days needs at least one day, the farthest first")
        if self.reminder_days[-1] < 1 or self.reminder_days[0] >= self.default_days:
            raise Invalid(f"end date policy {self.version}: each reminder lies between the first receipt and the end date")

    def ends_at(self, first_received: datetime) -> datetime:
        """The end date of what was first received then (UTC)."""
        return first_received + timedelta(days=self.default_days)

    def latest(self, first_received: datetime) -> datetime:
        """The date that no extension passes."""
        return first_received + timedelta(days=self.maximum_days)


def read_policies(text: str) -> tuple[EndDatePolicy, ...]:
    """Read the table from TOML; raise Invalid when it is empty, not in order of its dates, or a row contradicts itself."""
    try:
        policies = msgspec.convert(tomllib.loads(text).get("policy", []), tuple[EndDatePolicy, ...])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise Invalid(f"the end date table cannot be read: {reason}") from None
    dates = [policy.effective_from for policy in policies]
    if not dates or dates != sorted(set(dates)):
        raise Invalid("the end date table needs at least one policy, each with a later effective_from than the one before")
    return policies


POLICIES = read_policies(resources.files(__package__).joinpath("end_dates.toml").read_text(encoding="utf-8"))
"""The packaged table, oldest first."""


def policy_for(first_received: datetime, policies: Sequence[EndDatePolicy] = POLICIES) -> EndDatePolicy:
    """The policy in force (UTC date) when something was first received; the oldest for what came before the table began."""
    day = first_received.astimezone(UTC).date()
    in_force = [policy for policy in policies if policy.effective_from <= day]
    return in_force[-1] if in_force else policies[0]


def policy_named(version: str, policies: Sequence[EndDatePolicy] = POLICIES) -> EndDatePolicy:
    """The policy that a case was opened under; raise Invalid when the table has lost it (rows are never removed)."""
    for policy in policies:
        if policy.version == version:
            return policy
    raise Invalid(f"the end date table has no policy '{version}': rows are never removed, restore end_dates.toml")


def two_people(people: frozenset[PersonId], act: str) -> None:
    """Raise Refused unless two different people stand behind `act` (never 5: no lone hand)."""
    if len(people) < 2:
        raise Refused(f"{act} needs two different people; {len(people)} agreed. Ask a second person to confirm.")


def extended(
    ends_at: datetime, until: datetime, first_received: datetime, policy: EndDatePolicy, people: frozenset[PersonId], now: datetime
) -> datetime:
    """Return `until` as the new end date. Raise Refused (one person, too long, not later) or TooLate (the end date has passed)."""
    two_people(people, "extending an end date")
    if now >= ends_at:
        raise TooLate(f"the end date was {ends_at:%Y-%m-%d}; what has ended is published, it cannot be extended")
    if until <= ends_at:
        raise Refused(f"an extension ends later than {ends_at:%Y-%m-%d}; publishing earlier needs no extension")
    if until > policy.latest(first_received):
        days = (until - first_received) / timedelta(days=1)
        latest = policy.latest(first_received)
        raise Refused(f"{days:.0f} days from first receipt; policy {policy.version} allows {policy.maximum_days}, until {latest:%Y-%m-%d}")
    return until
