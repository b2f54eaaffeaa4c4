# SPDX-License-Identifier: Apache-2.0
"""BOD 26-04: for one flaw on one federal civilian asset, by when it must be fixed, and why, or that this is undetermined.

Source: CISA, Binding Operational Directive 26-04, "Prioritizing Security Updates Based on Risk" (2026-06-10); tables/bod_26_04.toml.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

import msgspec

from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, Exploitation, FlawFacts, TechnicalImpact
from clearwell.clearinghouse.prioritization.table import DecisionTable, either, packaged


class Outcome(StrEnum):
    """The directive's five outcomes, and the two honest answers beside them."""

    ON_UPGRADE = "FSU"
    SIXTY_DAYS = "60D"
    FOURTEEN_DAYS = "14D"
    THREE_DAYS = "3D"
    THREE_DAYS_FORENSIC = "3DF"
    UNDETERMINED = "undetermined"
    NOT_APPLICABLE = "not_applicable"


class Directive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the directive says beside its table. `days` and `triage_hours` are calendar days and hours."""

    id: str
    applies_to: tuple[str, ...]
    revokes: tuple[str, ...]
    fully_used_by: date
    forensic: tuple[str, ...]
    exposure_unknown: Answer
    active_but_not_in_kev: Answer
    not_in_kev_without_metadata: str
    days: Mapping[str, int]
    triage_hours: Mapping[str, int]

    def triage_deadlines(self, started: datetime) -> tuple[tuple[str, datetime], ...]:
        """The steps of a forensic triage and by when, counted from `started` (KEV addition)."""
        return tuple((step, started + timedelta(hours=hours)) for step, hours in self.triage_hours.items())


TABLES: tuple[DecisionTable, ...] = (packaged("bod_26_04"),)
"""The directive's table and, one day, its successors beside it; oldest first."""

DIRECTIVES: Mapping[str, Directive] = {table.version: msgspec.convert(table.directive, Directive) for table in TABLES}
"""Version of a table -> what the directive says beside it."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the directive asks for one flaw on one asset.

    `possible` are the outcomes left, most urgent first (one when it is decided). `clock_start` and `due` are dates in the operator's
    own time zone; `due_at` is the first moment after `due` (UTC), from which on it is overdue. An undetermined decision has no due
    date; `plan_by` is the soonest it could turn out to be. `kev_due` is the catalog's own date, as it was given.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    table: str | None = None
    possible: tuple[Outcome, ...] = ()
    days: int | None = None
    forensic: bool = False
    clock_start: date | None = None
    due: date | None = None
    due_at: datetime | None = None
    plan_by: date | None = None
    kev_due: date | None = None

    @property
    def is_binding(self) -> bool:
        """True where the directive applies, decided or not."""
        return self.outcome is not Outcome.NOT_APPLICABLE

    def is_overdue(self, now: datetime) -> bool:
        """True once the due day has passed in the operator's time zone."""
        return self.due_at is not None and now >= self.due_at


def decide(flaw: FlawFacts, asset: AssetFacts, zone: tzinfo, on: date, identified_at: datetime | None = None) -> Decision:
    """Decide as of the day `on`; `identified_at` is when the agency first found the flaw on the asset, `zone` the operator's.

    What is not known: exposure counts as exposed; a flaw that is attacked counts as in KEV; one that is not in KEV and lacks
    metadata (Vulnrichment) gets the directive's default, sooner where the known facts leave only sooner outcomes; one in KEV that
    lacks metadata, or one of which KEV is not known, is undetermined: the directive's guidance is never to guess.
    """
    in_force = [table for table in TABLES if table.effective_from <= on]
    if not in_force:
        return Decision(
            outcome=Outcome.NOT_APPLICABLE, reasons=(f"No directive on update timelines of this kind was in force on {_day(on)}.",)
        )
    table = in_force[-1]
    directive = DIRECTIVES[table.version]
    if asset.system_class not in directive.applies_to:
        return Decision(
            outcome=Outcome.NOT_APPLICABLE,
            reasons=(f"{directive.id} binds federal civilian systems only; this asset's class is {asset.system_class or 'not stated'}.",),
        )
    kev, kev_reason = _kev(flaw, directive)
    exposed = directive.exposure_unknown if asset.exposed is Answer.UNKNOWN else asset.exposed
    facts: tuple[str, ...] = (kev_reason, _exposure_reason(asset), _metadata_reason(flaw))
    possible = table.possible(kev.possible, exposed.possible, flaw.automatable.possible, flaw.technical_impact.possible)
    lacking = flaw.automatable is Answer.UNKNOWN or flaw.technical_impact is TechnicalImpact.UNKNOWN
    if kev is Answer.NO and lacking:
        default = directive.not_in_kev_without_metadata
        outcome = max(default, possible[-1], key=table.outcomes.index)
        facts += (f"Without that, {directive.id} gives {_ask(default, directive)}{_sooner(default, outcome, directive)}.",)
        possible = (outcome,)
    elif kev is Answer.UNKNOWN or lacking:
        return _undetermined(table, directive, flaw, possible, facts, zone, identified_at)
    return _decided(table, directive, flaw, possible[0], facts, zone, identified_at)


def _kev(flaw: FlawFacts, directive: Directive) -> tuple[Answer, str]:
    if flaw.kev is Answer.YES:
        return Answer.YES, f"CISA lists it as exploited (KEV){f', added {_day(flaw.kev_added)}' if flaw.kev_added else ''}."
    if flaw.exploitation is Exploitation.ACTIVE:
        return directive.active_but_not_in_kev, "It is attacked without being listed in KEV: to be handled as if it were."
    if flaw.kev is Answer.NO:
        return Answer.NO, "It is not in CISA's list of exploited flaws (KEV)."
    return Answer.UNKNOWN, "Whether it is in CISA's list of exploited flaws (KEV) is not known."


def _exposure_reason(asset: AssetFacts) -> str:
    return {
        Answer.YES: "The asset can be reached from a public network.",
        Answer.NO: "The asset cannot be reached from a public network.",
        Answer.UNKNOWN: "Whether the asset can be reached from a public network is not known: it counts as reachable.",
    }[asset.exposed]


def _metadata_reason(flaw: FlawFacts) -> str:
    automatable = {
        Answer.YES: "attackers can automate it",
        Answer.NO: "attackers cannot automate it",
        Answer.UNKNOWN: "whether attackers can automate it is not known",
    }[flaw.automatable]
    impact = {
        TechnicalImpact.TOTAL: "it gives total control",
        TechnicalImpact.PARTIAL: "it gives partial control",
        TechnicalImpact.UNKNOWN: "how much control it gives is not known",
    }[flaw.technical_impact]
    return f"{automatable[0].upper()}{automatable[1:]}, and {impact}."


def _ask(outcome: str, directive: Directive) -> str:
    if outcome not in directive.days:
        return "the next scheduled major upgrade or rebuild"
    return f"{directive.days[outcome]} days{' and a forensic triage' if outcome in directive.forensic else ''}"


def _sooner(default: str, outcome: str, directive: Directive) -> str:
    return "" if outcome == default else f", but what is known leaves at most {_ask(outcome, directive)}"


def _clock(flaw: FlawFacts, zone: tzinfo, identified_at: datetime | None) -> tuple[date | None, str]:
    listed = flaw.kev_added if flaw.kev is Answer.YES else None
    found = None if identified_at is None else identified_at.astimezone(zone).date()
    if listed is not None and (found is None or listed <= found):
        return listed, f"The clock started on {_day(listed)}, when KEV listed it."
    if found is not None:
        return found, f"The clock started on {_day(found)}, when it was found on this asset."
    return None, "When the clock started is not known, so there is no due date yet."


def _decided(
    table: DecisionTable,
    directive: Directive,
    flaw: FlawFacts,
    outcome: str,
    facts: tuple[str, ...],
    zone: tzinfo,
    identified_at: datetime | None,
) -> Decision:
    days = directive.days.get(outcome)
    reasons = (*facts, f"{directive.id} asks for the fix within {_ask(outcome, directive)}.")
    if days is None:
        reasons = (*facts, f"{directive.id} asks for the fix at {_ask(outcome, directive)}.")
        return _answer(table, flaw, Outcome(outcome), (outcome,), reasons)
    start, clock = _clock(flaw, zone, identified_at)
    due = None if start is None else start + timedelta(days=days)
    due_at = None if due is None else datetime.combine(due + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
    reasons += (clock, *(() if due is None else (f"It is due by the end of {_day(due)} in your time zone.",)))
    answer = _answer(table, flaw, Outcome(outcome), (outcome,), reasons)
    return msgspec.structs.replace(answer, days=days, forensic=outcome in directive.forensic, clock_start=start, due=due, due_at=due_at)


def _undetermined(
    table: DecisionTable,
    directive: Directive,
    flaw: FlawFacts,
    possible: tuple[str, ...],
    facts: tuple[str, ...],
    zone: tzinfo,
    identified_at: datetime | None,
) -> Decision:
    left = either([_ask(outcome, directive) for outcome in possible])
    start, clock = _clock(flaw, zone, identified_at)
    soonest = directive.days.get(possible[0])
    plan_by = None if start is None or soonest is None else start + timedelta(days=soonest)
    reasons = (
        *facts,
        f"So {directive.id} gives no answer yet, and it is not for anyone to guess: {left}.",
        clock,
        *(() if plan_by is None else (f"Plan for the soonest of these, {_day(plan_by)}.",)),
    )
    answer = _answer(table, flaw, Outcome.UNDETERMINED, possible, reasons)
    return msgspec.structs.replace(answer, clock_start=start, plan_by=plan_by)


def _answer(table: DecisionTable, flaw: FlawFacts, outcome: Outcome, possible: tuple[str, ...], reasons: tuple[str, ...]) -> Decision:
    stated = () if flaw.kev_due is None else (f"KEV itself states {_day(flaw.kev_due)}.",)
    return Decision(
        outcome=outcome,
        possible=tuple(Outcome(left) for left in possible),
        reasons=(*reasons, *stated),
        table=table.version,
        kev_due=flaw.kev_due,
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
