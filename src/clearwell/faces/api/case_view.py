# SPDX-License-Identifier: Apache-2.0
"""A case as coordinators see it in the API."""

from datetime import date, datetime

import msgspec

from clearwell.clearinghouse.case.decision_point import DecisionPoint
from clearwell.clearinghouse.case.participant import Role
from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.clearinghouse.case.store import Attachment, Fix, KeptCase
from clearwell.clearinghouse.dedupe.difference import Difference
from clearwell.clearinghouse.flow.coordinating import CaseView
from clearwell.clearinghouse.validation.assertion import KeptSanity
from clearwell.faces.api.findings import RunView, SanityView, run_view, sanity_view
from clearwell.faces.api.fixes import ProposalView, proposal_view
from clearwell.vocabulary.finding import Origin


class PointView(msgspec.Struct, frozen=True):
    """One of SSVC's decision points: `value` (SSVC's word, or unknown), where it comes from, when and by whom it was recorded."""

    value: str
    source: str | None
    recorded_at: datetime | None
    recorded_by: str | None


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list. `standing`: unproven, proven, refused, fixed, published; `state` is CERT/CC's six letters."""

    id: str
    component: str
    title: str
    weaknesses: tuple[str, ...]
    standing: str
    state: str
    marking: str
    priority: int
    priority_reasons: tuple[str, ...]
    first_received: datetime
    ends_at: datetime
    aliases: tuple[str, ...]
    automatable: PointView
    technical_impact: PointView


class CaseFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A report of the case: whose, what it says, what it was answered. `not_seen_since`: a later complete scan of its sender lacks it."""

    id: str
    submission: str
    organization: str
    title: str
    version: str | None
    answer: str
    has_proof: bool
    is_proven: bool
    received_at: datetime
    ai: bool
    sanity: SanityView | None
    origin: Origin
    not_seen_since: date | None


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Why a finding is in the case: the rung (null: it opened the case) and its evidence; undone where `detached_at` stands."""

    finding: str
    rung: str | None
    evidence: tuple[tuple[str, str], ...]
    from_case: str
    attached_at: datetime
    attached_by: str
    detached_at: datetime | None
    reason: str | None


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part, as what, and how far they are with the report.

    `credit_from`: a finder's first report that was proven, or named something that was found in the source; null until there is one.
    """

    id: str
    role: str
    organization: str | None
    contact: str | None
    contact_origin: str | None
    report_state: str
    joined_at: datetime
    credit_from: datetime | None = None


class CopyView(msgspec.Struct, frozen=True):
    """A case of another component with the same stack or place: a copy of the same source, perhaps. It is fixed by itself."""

    case: str
    component: str
    title: str
    standing: str


class StatementView(msgspec.Struct, frozen=True):
    """What a maintainer stated. It closes nothing by itself."""

    kind: str
    detail: str
    made_at: datetime


class FixRungView(msgspec.Struct, frozen=True):
    """One rung: applies, builds, proof, features, variants, touched, person; passed, refuted, flagged, open or not_reached."""

    name: str
    state: str
    said: str


class FlagView(msgspec.Struct, frozen=True):
    """What a person must look at in a patch."""

    kind: str
    file: str
    said: str


class FixLadderView(msgspec.Struct, frozen=True):
    """What trying to refute a fix showed. `label`: not_refuted, flagged, refuted, inconclusive; `caught` names what is wrong."""

    label: str
    refuted_by: str | None
    caught: str | None
    rungs: tuple[FixRungView, ...]
    flags: tuple[FlagView, ...]


class KillView(msgspec.Struct, frozen=True):
    """One cell of the kill matrix: killed (the proof fires without the fix, not with it), fires, or unknown."""

    fix: str
    proof: str
    outcome: str
    reason: str
    ran_at: datetime


class RelationView(msgspec.Struct, frozen=True):
    """How the case stands to another by their fixes: same_root_cause, subsumes, is_subsumed, different, unknown."""

    other: str
    relation: str
    evidence: tuple[tuple[str, str], ...]
    decided_at: datetime


class FixView(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed fix. `state`: claimed, verified, not_verified; the difference can be read once it is verified."""

    id: str
    kind: str
    version: str | None
    state: str
    reason: str
    claimed_at: datetime
    diff_sha256: str | None
    distributed_at: datetime | None
    ladder: FixLadderView | None = None


class LinkView(msgspec.Struct, frozen=True):
    """A maintainer's link, without its secret."""

    id: str
    participant: str
    expires_at: datetime
    revoked_at: datetime | None


class DutyView(msgspec.Struct, frozen=True):
    """A dated duty: tell_maintainer, publish_minimal, release_refused."""

    kind: str
    due: datetime
    days_before: int


class DifferentView(msgspec.Struct, frozen=True, kw_only=True):
    """A case that a person found not to be the same. `kind`: different (said so), split (taken out of this one or the other)."""

    case: str
    kind: str
    reason: str
    decided_by: str
    decided_at: datetime


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case. `findings` are at most 200 of the `findings_held`: each organization's first before anybody's second."""

    case: CaseRow
    embargo: str
    proven_at: datetime | None
    refused_at: datetime | None
    refusal: str | None
    fixed_at: datetime | None
    published_at: datetime | None
    presented_at: datetime | None
    merged_into: str | None
    regression_of: str | None
    fires: tuple[str, ...]
    clean: tuple[str, ...]
    duties: tuple[DutyView, ...]
    findings: tuple[CaseFinding, ...]
    findings_held: int
    joined: tuple[Joined, ...]
    participants: tuple[ParticipantView, ...]
    runs: tuple[RunView, ...]
    statements: tuple[StatementView, ...]
    fixes: tuple[FixView, ...]
    links: tuple[LinkView, ...]
    proposals: tuple[ProposalView, ...]
    different_from: tuple[DifferentView, ...]
    kills: tuple[KillView, ...]
    relations: tuple[RelationView, ...]
    copies: tuple[CopyView, ...] = ()


def case_row(kept: KeptCase) -> CaseRow:
    """Show a line of the list."""
    case = kept.case
    return CaseRow(
        id=case.id, component=case.component, title=case.title, weaknesses=case.weaknesses, standing=case.standing.value,
        state=case.state.letters, marking=kept.marking.value, priority=kept.priority, priority_reasons=kept.priority_reasons,
        first_received=case.first_received, ends_at=case.ends_at, aliases=kept.aliases,
        automatable=_point(kept.automatable), technical_impact=_point(kept.technical_impact),
    )  # fmt: skip


def case_page(view: CaseView) -> CasePage:
    """Show a case; of the organization's open proposals, those about it."""
    kept, case = view.kept, view.kept.case
    about = {case.id, *(fix.id for fix in view.fixes)}
    return CasePage(
        case=case_row(kept),
        embargo=kept.embargo.state.value,
        proven_at=case.proven_at,
        refused_at=case.refused_at,
        refusal=case.refusal,
        fixed_at=case.fixed_at,
        published_at=case.published_at,
        presented_at=kept.presented_at,
        merged_into=kept.merged_into,
        regression_of=kept.regression_of,
        fires=kept.fires,
        clean=kept.clean,
        duties=tuple(DutyView(duty.kind.value, duty.due, duty.days_before) for duty in case.duties),
        findings=tuple(_finding(kept, view.sanity.get(kept.id)) for kept in view.findings),
        findings_held=view.held,
        joined=tuple(map(_joined, view.attachments)),
        participants=tuple(
            ParticipantView(
                id=p.id,
                role=Role(p.role).value,
                organization=p.organization,
                contact=p.contact,
                contact_origin=p.contact_origin,
                report_state=p.report_state,
                joined_at=p.joined_at,
                credit_from=view.credit.get(p.organization) if p.organization and p.role == Role.FINDER else None,
            )
            for p in view.participants
        ),
        runs=tuple(map(run_view, view.runs)),
        statements=tuple(StatementView(row["kind"], row["detail"], row["made_at"]) for row in view.statements),
        fixes=tuple(map(fix_view, view.fixes)),
        links=tuple(LinkView(link.id, link.participant, link.expires_at, link.revoked_at) for link in view.links),
        proposals=tuple(proposal_view(made) for made in view.proposals if made.subject in about),
        different_from=tuple(_different(said, kept.id) for said in view.differences),
        kills=tuple(KillView(cell.fix, cell.proof, cell.outcome, cell.reason, cell.ran_at) for cell in view.kills),
        relations=tuple(RelationView(row.other, row.relation.value, row.evidence, row.decided_at) for row in view.relations),
        copies=tuple(CopyView(other.id, other.case.component, other.case.title, other.case.standing.value) for other in view.copies),
    )


def fix_view(fix: Fix) -> FixView:
    """Show a fix."""
    return FixView(
        id=fix.id, kind=fix.kind, version=fix.version, state=fix.state, reason=fix.reason, claimed_at=fix.claimed_at,
        diff_sha256=fix.diff_sha256, distributed_at=fix.distributed_at,
        ladder=msgspec.convert(fix.ladder, FixLadderView) if fix.ladder is not None else None,
    )  # fmt: skip


def _point(point: DecisionPoint) -> PointView:
    return PointView(point.value, point.source, point.recorded_at, point.recorded_by or None)


def _finding(kept: KeptFinding, sanity: KeptSanity | None) -> CaseFinding:
    return CaseFinding(
        id=kept.id, submission=kept.submission, organization=kept.organization, title=kept.title, version=kept.version,
        answer=kept.answer.value, has_proof=kept.has_proof, is_proven=kept.is_proven, received_at=kept.received_at, ai=kept.is_ai,
        sanity=sanity_view(sanity),
        origin=kept.body.origin, not_seen_since=kept.not_seen_since.date() if kept.not_seen_since else None,
    )  # fmt: skip


def _joined(attachment: Attachment) -> Joined:
    return Joined(
        finding=attachment.finding,
        rung=attachment.rung,
        evidence=attachment.evidence,
        from_case=attachment.from_case,
        attached_at=attachment.attached_at,
        attached_by=attachment.attached_by,
        detached_at=attachment.detached_at,
        reason=attachment.reason,
    )


def _different(said: Difference, case: str) -> DifferentView:
    other = said.one if said.other == case else said.other
    return DifferentView(case=other, kind=said.kind, reason=said.reason, decided_by=said.decided_by, decided_at=said.decided_at)
