# SPDX-License-Identifier: Apache-2.0
"""Participants: who takes part in a case and as what, each with its own report state; what a maintainer states; their limit.

Source of the report states: CERT/CC's report management model (Vultron, "A Protocol for Multi-Party CVD", CMU/SEI-2022-SR-012, section 2).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from clearwell.clearinghouse.case.transition import step
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import CaseId, OrganizationId, ParticipantId


class Role(StrEnum):
    """What a participant is in a case: CERT/CC's roles; the maintainer of a component is its vendor."""

    FINDER = "finder"
    REPORTER = "reporter"
    VENDOR = "vendor"
    DEPLOYER = "deployer"
    COORDINATOR = "coordinator"
    OTHER = "other"


class ReportState(StrEnum):
    """One participant's handling of the report (RM). `deferred` is that participant's own pace: it moves no end date."""

    START = "start"
    RECEIVED = "received"
    INVALID = "invalid"
    VALID = "valid"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class ReportAct(StrEnum):
    """What moves a report state."""

    RECEIVE = "receive"
    VALIDATE = "validate"
    INVALIDATE = "invalidate"
    ACCEPT = "accept"
    DEFER = "defer"
    CLOSE = "close"


REPORT_EDGES = {
    (ReportState.START, ReportAct.RECEIVE): ReportState.RECEIVED,
    (ReportState.RECEIVED, ReportAct.VALIDATE): ReportState.VALID,
    (ReportState.RECEIVED, ReportAct.INVALIDATE): ReportState.INVALID,
    (ReportState.INVALID, ReportAct.VALIDATE): ReportState.VALID,
    (ReportState.INVALID, ReportAct.CLOSE): ReportState.CLOSED,
    (ReportState.VALID, ReportAct.ACCEPT): ReportState.ACCEPTED,
    (ReportState.VALID, ReportAct.DEFER): ReportState.DEFERRED,
    (ReportState.ACCEPTED, ReportAct.DEFER): ReportState.DEFERRED,
    (ReportState.ACCEPTED, ReportAct.CLOSE): ReportState.CLOSED,
    (ReportState.DEFERRED, ReportAct.ACCEPT): ReportState.ACCEPTED,
    (ReportState.DEFERRED, ReportAct.CLOSE): ReportState.CLOSED,
}
"""CERT/CC's 11 edges."""


class ContactOrigin(StrEnum):
    """Where a maintainer's contact was found. A report is no origin: it could name the attacker's own address."""

    SECURITY_TXT = "security_txt"
    SECURITY_POLICY = "security_policy"
    REGISTRY = "registry"
    COORDINATOR = "coordinator"
    MAINTAINER = "maintainer"


class StatementKind(StrEnum):
    """What a maintainer can say of a case. None of these closes anything: each calls for a check by the hub."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    NOT_A_BUG = "not_a_bug"
    FIXED_IN = "fixed_in"
    NEEDS_MORE = "needs_more"


NEXT_STEP = {
    StatementKind.ACCEPTED: "the maintainer works on it; the end date stands",
    StatementKind.DUPLICATE: "a coordinator compares it with the report named and may merge them; the case stays open",
    StatementKind.NOT_A_BUG: "a coordinator looks at the proof and the reason; the case stays open",
    StatementKind.FIXED_IN: "the hub runs the proof, its variants and the features on that version; the case stays open until they agree",
    StatementKind.NEEDS_MORE: "a coordinator reads it and can ask the finder; the end date stands",
}
"""Statement -> what it makes necessary."""

_STATEMENT_ACTS = {
    StatementKind.ACCEPTED: (ReportAct.RECEIVE, ReportAct.VALIDATE, ReportAct.ACCEPT),
    StatementKind.FIXED_IN: (ReportAct.RECEIVE, ReportAct.VALIDATE, ReportAct.ACCEPT),
    StatementKind.NOT_A_BUG: (ReportAct.RECEIVE, ReportAct.INVALIDATE),
    StatementKind.DUPLICATE: (ReportAct.RECEIVE,),
    StatementKind.NEEDS_MORE: (ReportAct.RECEIVE,),
}


class Statement(msgspec.Struct, frozen=True):
    """A maintainer's words on a case. `text` and `version` are outside text; `version` belongs to `fixed_in` and to nothing else."""

    kind: StatementKind
    at: datetime
    version: str | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if (self.kind is StatementKind.FIXED_IN) != (self.version is not None and self.version.strip() != ""):
            raise Invalid("'fixed_in' needs the version that has the fix, and only 'fixed_in' has a version")
        if len(self.version or "") > 200 or len(self.text) > 20_000:
            raise Invalid("a version has at most 200 characters, a statement at most 20,000")

    @property
    def next_step(self) -> str:
        """What this statement makes necessary; it closes nothing by itself."""
        return NEXT_STEP[self.kind]


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One party to one case. A joined finder sees the case through this, under an id of its own.

    `organization` is None for a maintainer without an account, who acts through a link; `contact_origin` then says where the
    contact came from. `statements` are kept in the order they were made, all of them.
    """

    id: ParticipantId
    case: CaseId
    roles: frozenset[Role]
    organization: OrganizationId | None = None
    contact_origin: ContactOrigin | None = None
    report: ReportState = ReportState.START
    statements: tuple[Statement, ...] = ()

    def __post_init__(self) -> None:
        if not self.roles:
            raise Invalid("a participant has at least one role: finder, reporter, vendor, deployer, coordinator or other")
        if self.organization is None and self.contact_origin is None:
            raise Invalid("a participant is an organization with an account, or a contact whose origin is recorded")

    def act(self, act: ReportAct) -> "Participant":
        """Move this participant's own report state; raise Conflict when CERT/CC's model has no such edge."""
        return msgspec.structs.replace(self, report=step("report", REPORT_EDGES, self.report, act))

    def state(self, statement: Statement) -> "Participant":
        """Record what a maintainer says and move *their* report state as far as the model allows, never to closed.

        The case itself has no verb that takes a statement: it is changed by evidence. Raises Conflict for anyone but a vendor.
        """
        if Role.VENDOR not in self.roles:
            raise Conflict("only the maintainer (vendor) of the component makes statements on a case")
        said = msgspec.structs.replace(self, statements=(*self.statements, statement))
        for act in _STATEMENT_ACTS[statement.kind]:
            reached = REPORT_EDGES.get((said.report, act))
            said = said if reached is None else msgspec.structs.replace(said, report=reached)
        return said


class Queued(msgspec.Struct, frozen=True):
    """An open case as the maintainer's queue sees it. `priority`: greater is sooner; `presented`: they have it in front of them."""

    case: CaseId
    priority: int
    first_received: datetime
    remind_from: datetime
    presented: bool = False


class Turn(msgspec.Struct, frozen=True):
    """Whose turn it is. `presented` holds what fits the limit, `waiting` the rest; both in order.

    `told` are waiting cases whose end date is near: the maintainer hears of those whatever the limit.
    """

    presented: tuple[CaseId, ...]
    waiting: tuple[CaseId, ...]
    told: tuple[CaseId, ...]


def take_turns(queue: Iterable[Queued], limit: int | None, now: datetime) -> Turn:
    """Decide which open cases a maintainer has in front of them now: never more than `limit` (None: no limit).

    What is presented already stays and counts first, so nothing is snatched away by a more urgent case; free places go by
    priority, then by first receipt. Waiting changes no end date. Raises Invalid for a negative limit.
    """
    if limit is not None and limit < 0:
        raise Invalid("a limit of open reports is 0 or more, or none at all")
    ordered = sorted(queue, key=lambda queued: (-queued.priority, queued.first_received, queued.case))
    kept = [queued for queued in ordered if queued.presented]
    fresh = [queued for queued in ordered if not queued.presented]
    free = len(fresh) if limit is None else max(0, limit - len(kept))
    waiting = fresh[free:]
    return Turn(
        presented=tuple(queued.case for queued in (*kept, *fresh[:free])),
        waiting=tuple(queued.case for queued in waiting),
        told=tuple(queued.case for queued in waiting if queued.remind_from <= now),
    )
