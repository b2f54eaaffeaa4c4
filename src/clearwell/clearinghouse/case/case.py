# SPDX-License-Identifier: Apache-2.0
"""The case: the unit of coordination, one root cause; what stands proven of it, and the end date that nothing keeps back."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from clearwell.clearinghouse.case.deadline import EndDatePolicy, extended, policy_for, policy_named
from clearwell.clearinghouse.case.state import CaseEvent, CaseState
from clearwell.vocabulary.advisory import Advisory
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import AdvisoryId, CaseId, PersonId
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.outside import for_header
from clearwell.vocabulary.vulnerability import Affected, Vulnerability


class Standing(StrEnum):
    """What evidence has shown so far. There is none for keeping a flaw back (never 2): time alone publishes."""

    UNPROVEN = "unproven"
    PROVEN = "proven"
    REFUSED = "refused"
    FIXED = "fixed"
    PUBLISHED = "published"


class DutyKind(StrEnum):
    """What the hub owes without anyone acting."""

    TELL_MAINTAINER = "tell_maintainer"
    PUBLISH_MINIMAL = "publish_minimal"
    RELEASE_REFUSED = "release_refused"


class Duty(msgspec.Struct, frozen=True):
    """A dated duty of a case. `days_before` counts back from the end date (0: the end date itself)."""

    kind: DutyKind
    due: datetime
    days_before: int = 0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One root cause under coordination.

    `component` is versionless (`pkg:pypi/ujson`); `title` is outside text, for participants only; `weaknesses` are CWE ids.
    The four dates say when evidence was had, None until then; `standing` follows from them. `ends_at` (UTC) is set at opening.
    """

    id: CaseId
    component: str
    title: str
    first_received: datetime
    opened: datetime
    ends_at: datetime
    end_date_policy: str
    weaknesses: tuple[str, ...] = ()
    state: CaseState = CaseState()
    proven_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str | None = None
    fixed_at: datetime | None = None
    published_at: datetime | None = None
    extended_by: frozenset[PersonId] = frozenset()

    @property
    def standing(self) -> Standing:
        """One word for the four dates. A verified fix outranks publication: `published` is public with no verified fix yet."""
        if self.refused_at is not None:
            return Standing.REFUSED
        if self.fixed_at is not None:
            return Standing.FIXED
        if self.published_at is not None:
            return Standing.PUBLISHED
        return Standing.UNPROVEN if self.proven_at is None else Standing.PROVEN

    @property
    def is_proven(self) -> bool:
        """True when a reproduction stands and the case is neither refused nor fixed."""
        return self.proven_at is not None and self.refused_at is None and self.fixed_at is None

    @property
    def policy(self) -> EndDatePolicy:
        """The end date policy this case was opened under; a successor never moves it."""
        return policy_named(self.end_date_policy)

    @property
    def public_component(self) -> str:
        """The component as the public may read it: a report that names no product is kept by its sender's id, which stays in here."""
        return "a product that no report names" if self.component.startswith("unknown:") else self.component

    def attach(self, finding_received: datetime, finding_is_proven: bool) -> "Case":
        """Return the case with one more finding; an earlier receipt brings the end date forward, never back.

        Raises Conflict: a proven finding is never attached to an unproven, refused or fixed case (it opens its own).
        """
        if finding_is_proven and not self.is_proven:
            what = "fixed" if self.fixed_at is not None else "refused" if self.refused_at is not None else "unproven"
            raise Conflict(f"a proven finding is never attached to an unproven, refused or fixed case; this one is {what}: open a new case")
        if finding_received >= self.first_received:
            return self
        days = self.policy.maximum_days if self.extended_by else self.policy.default_days
        ends_at = min(self.ends_at, finding_received + timedelta(days=days))
        return msgspec.structs.replace(self, first_received=finding_received, ends_at=ends_at)

    def prove(self, at: datetime) -> "Case":
        """A proof reproduced; the first date stays. Raises Conflict on a refused or fixed case: reopen it first."""
        if self.refused_at is not None or self.fixed_at is not None:
            raise Conflict(f"this case is {self.standing.value}; a reproduction opens it again ('reopen') before it stands as proven")
        return self if self.proven_at is not None else msgspec.structs.replace(self, proven_at=at)

    def forget_proof(self) -> "Case":
        """The report whose proof reproduced belongs to another case. Raises Conflict once fixed or published: both rest on that proof."""
        if self.fixed_at is not None or self.published_at is not None:
            raise Conflict(f"this case is {self.standing.value}, and that rests on this report's proof: it cannot be taken out")
        return msgspec.structs.replace(self, proven_at=None)

    def refuse(self, at: datetime, reason: str) -> "Case":
        """The evidence speaks against it (no such file, the proof does not fire). Raises Conflict once proven or published.

        A refusal keeps nothing back: its finder is told why, may appeal, and is bound by no embargo of ours.
        """
        if self.proven_at is not None:
            raise Conflict("a proven case cannot be refused: a reproduction stands")
        if self.published_at is not None:
            raise Conflict("a published case cannot be refused; correct its advisory instead")
        if not reason.strip():
            raise Invalid("a refusal names its reason")
        return self if self.refused_at is not None else msgspec.structs.replace(self, refused_at=at, refusal=reason)

    def fix(self, at: datetime) -> "Case":
        """A fix passed verification. Raises Conflict unless proven: without a proof there is nothing to verify a fix with."""
        if self.fixed_at is not None:
            return self
        if not self.is_proven:
            raise Conflict(
                f"only a proven case has a verified fix; this one is {self.standing.value}. 'Fixed in' as a statement closes nothing"
            )
        return msgspec.structs.replace(self, fixed_at=at)

    def reopen(self) -> "Case":
        """Undo a refusal (an appeal succeeded) or a fix (it does not hold). The end date stays. Raises Conflict when neither stands."""
        if self.refused_at is not None:
            return msgspec.structs.replace(self, refused_at=None, refusal=None)
        if self.fixed_at is not None:
            return msgspec.structs.replace(self, fixed_at=None)
        raise Conflict(f"this case is {self.standing.value}; only a refused or fixed case is opened again")

    def learn(self, event: CaseEvent) -> "Case":
        """Record what happened in the world (CERT/CC's letters), with what it forces. Raises Conflict naming the rule."""
        return msgspec.structs.replace(self, state=self.state.observe(event))

    def publish(self, at: datetime) -> "Case":
        """An advisory is out: the public is aware (P). The first date stays. Raises Conflict on a refused case."""
        if self.refused_at is not None:
            raise Conflict("a refused case has no advisory: nothing was shown to be wrong with the component")
        if self.published_at is not None:
            return self
        state = self.state if self.state.has(CaseEvent.PUBLIC_AWARE) else self.state.observe(CaseEvent.PUBLIC_AWARE)
        return msgspec.structs.replace(self, published_at=at, state=state)

    def extend(self, until: datetime, people: frozenset[PersonId], now: datetime) -> "Case":
        """Move the end date within the policy's maximum from first receipt (never 5: two people).

        Raises Refused, TooLate, or Conflict once anything is public or attacked.
        """
        if not self.state.is_quiet:
            raise Conflict(f"case state {self.state.letters}: once public, exploited in public or attacked, an end date only comes nearer")
        until = extended(self.ends_at, until, self.first_received, self.policy, people, now)
        return msgspec.structs.replace(self, ends_at=until, extended_by=self.extended_by | people)

    def has_ended(self, now: datetime) -> bool:
        """True from the end date on."""
        return now >= self.ends_at

    @property
    def remind_from(self) -> datetime:
        """When the maintainer is first told of the coming end, whatever their limit."""
        return self.ends_at - timedelta(days=self.policy.reminder_days[0])

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Every dated duty left, in order: the maintainer is told before the end date whatever their limit, then it is published.

        A refused case asserts nothing, so at its end date nothing is published of it: whatever still bound anyone is released.
        """
        if self.published_at is not None:
            return ()
        if self.refused_at is not None:
            return (Duty(DutyKind.RELEASE_REFUSED, self.ends_at),)
        told = tuple(Duty(DutyKind.TELL_MAINTAINER, self.ends_at - timedelta(days=days), days) for days in self.policy.reminder_days)
        return (*told, Duty(DutyKind.PUBLISH_MINIMAL, self.ends_at))

    def duties_due(self, now: datetime, told: frozenset[int] = frozenset()) -> tuple[Duty, ...]:
        """The duties that are due and not done, telling before publishing even when both are late.

        `told` holds the `days_before` of reminders already sent for the present end date. Of several late reminders only the last is
        sent, and none that a later one has overtaken.
        """
        due = [duty for duty in self.duties if duty.due <= now]
        reminders = [duty for duty in due if duty.kind is DutyKind.TELL_MAINTAINER]
        last = tuple(duty for duty in reminders[-1:] if duty.days_before not in told)
        return (*last, *(duty for duty in due if duty.kind is not DutyKind.TELL_MAINTAINER))

    def expire(self, now: datetime) -> "Case":
        """The end date has come and nobody acted: published. Raises Conflict before that date, or on a refused case."""
        if not self.has_ended(now):
            raise Conflict(f"this case ends on {self.ends_at:%Y-%m-%d}; publishing before that is a decision of its participants")
        return self.publish(now)

    def minimal_advisory(self, advisory: AdvisoryId, at: datetime) -> Advisory:
        """The advisory that expiry publishes: component and weakness and nothing else, no title, text, version, proof or name.

        It says whether the hub reproduced the flaw, since an unproven report must not read as a finding of fact (never 7).
        """
        if self.refused_at is not None:
            raise Conflict("a refused case has no advisory: nothing was shown to be wrong with the component")
        weakness = ", ".join(self.weaknesses) or "a weakness of unknown kind"
        component = for_header(self.public_component)
        shown = "reproduced by this hub" if self.proven_at is not None else "reported to this hub and not reproduced by it"
        vulnerability = Vulnerability(
            id=advisory,
            summary=f"{weakness} in {component}",
            details=f"{weakness} in {component}, {shown}. The time for coordination has ended; details are not published here.",
            weaknesses=self.weaknesses,
            affected=(Affected(component=component),),
        )
        return Advisory(
            id=advisory,
            revision=1,
            title=vulnerability.summary,
            vulnerability=vulnerability,
            marking=Marking.CLEAR,
            initial_release=at,
            current_release=at,
            is_minimal=True,
        )


def open_case(case: CaseId, component: str, title: str, weaknesses: tuple[str, ...], first_received: datetime, now: datetime) -> Case:
    """Open a case for what was first received at `first_received`; its end date counts from then, not from `now`. Raises Invalid."""
    if first_received > now:
        raise Invalid("a case cannot be received after it is opened: check the clocks of hub and submission")
    policy = policy_for(first_received)
    return Case(
        id=case,
        component=component,
        title=title,
        weaknesses=weaknesses,
        first_received=first_received,
        opened=now,
        ends_at=policy.ends_at(first_received),
        end_date_policy=policy.version,
    )
