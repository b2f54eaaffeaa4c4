# SPDX-License-Identifier: Apache-2.0
"""/findings and /participations: one finding with its runs, who read its proof, appeals against a refusal."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar.params import FromPath, JSONBody

from clearwell.clearinghouse.case.report import Run
from clearwell.clearinghouse.flow import minimizing, reporting
from clearwell.clearinghouse.validation.assertion import KeptSanity
from clearwell.faces.api.answers import AnswerView, answer_view
from clearwell.faces.api.routes import Housed, Signed, read, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.finding import Location, Origin
from clearwell.vocabulary.ids import FindingId, parse_id
from clearwell.vocabulary.severity import Severity

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]


class RunView(msgspec.Struct, frozen=True):
    """What running a proof showed; `report` is the verdict as `clearwell prove --json` prints it."""

    run: str
    verdict: str
    reason: str
    started_at: datetime
    finished_at: datetime
    report: dict[str, Any]


class OmissionView(msgspec.Struct, frozen=True):
    """What the projection leaves out: its number, its kind, the field and the character at which its marker stands; never the words.

    `is_false` where its originator said that it is nothing private: it is shown. `more` counts what is not listed behind the last.
    """

    number: int
    kind: str
    field: str
    start: int
    is_false: bool
    more: int


class AssertionView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the report says of the source. `outcome`: exists, moved (`where`), does_not_exist, could_not_be_checked.

    `archive`, `sha256`, `file` and `line` say where the look went.
    """

    kind: str
    said: str
    outcome: str
    reason: str
    where: str | None
    archive: str | None
    sha256: str | None
    file: str | None
    line: int | None


class SanityView(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up in the real source. `outcome` is the worst; `tree_sha256` is of the tree's files, as builds know it."""

    outcome: str
    assertions: tuple[AssertionView, ...]
    source: str | None
    source_sha256: str | None
    tree_sha256: str | None
    checked_at: datetime


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One finding as its sender sees it, with its answer and the runs of its own proof.

    `affected`, `aliases`, `introduced`, `references`, `credits`, `remarks` and `severity` are the report's own words. References are
    data: never followed by the hub, and not to be made links.
    """

    answer: AnswerView
    submission: str
    component: str
    version: str | None
    message: str
    weaknesses: tuple[str, ...]
    locations: tuple[Location, ...]
    affected: tuple[str, ...]
    aliases: tuple[str, ...]
    introduced: tuple[str, ...]
    references: tuple[str, ...]
    credits: tuple[str, ...]
    remarks: tuple[str, ...]
    preconditions: tuple[str, ...]
    severity: Severity | None
    rule: str | None
    external_id: str | None
    left_out: tuple[OmissionView, ...]
    sanity: SanityView | None
    origin: Origin
    marking: str
    received_at: datetime
    has_proof: bool
    is_proven: bool
    runs: tuple[RunView, ...]


class ProofReadView(msgspec.Struct, frozen=True):
    """One read of a proof: by whom (an id or a system's name), why, when, and the ledger entry that was written before it."""

    reader: str
    purpose: str
    at: datetime
    entry: str


class ProofReads(msgspec.Struct, frozen=True):
    """Every read of a finding's proof, oldest first."""

    reads: tuple[ProofReadView, ...]


class Participation(msgspec.Struct, frozen=True, kw_only=True):
    """A case that your organization takes part in as a finder, under your organization's own id for it."""

    participation: str
    first_reported: date
    standing: str
    state: str
    ends_at: datetime
    published_at: datetime | None
    advisory: str | None
    findings: tuple[str, ...]


class Participations(msgspec.Struct, frozen=True):
    """The newest thousand."""

    participations: tuple[Participation, ...]


class Appeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a person should look at a refusal."""

    reason: Reason


class AppealDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coordinator's decision on an appeal."""

    upheld: bool
    reason: Reason


class Done(msgspec.Struct, frozen=True):
    """What was done, in one word, and to what."""

    done: str
    id: str


def sanity_view(kept: KeptSanity | None) -> SanityView | None:
    """Show what was looked up; nothing where nothing could be."""
    if kept is None:
        return None
    sanity = kept.sanity
    shown = tuple(
        AssertionView(
            kind=one.kind.value, said=one.said, outcome=one.outcome.value, reason=one.reason, where=one.where,
            archive=one.evidence.archive, sha256=one.evidence.sha256, file=one.evidence.file, line=one.evidence.line,
        )
        for one in sanity.assertions
    )  # fmt: skip
    return SanityView(
        outcome=sanity.outcome.value, assertions=shown, source=sanity.source, source_sha256=sanity.source_sha256,
        tree_sha256=sanity.tree_sha256, checked_at=kept.checked_at,
    )  # fmt: skip


def run_view(run: Run) -> RunView:
    """Show a run."""
    return RunView(run.id, run.verdict, run.reason, run.started_at, run.finished_at, run.body)


@read("/findings/{finding_id:str}", Act.READ_REPORTS)
def read_finding(house: Housed, member: Signed, finding_id: FromPath[str]) -> FindingView:
    """One finding with its answer and the runs of its own proof."""
    answered, runs = reporting.read_finding(house, member, FindingId(parse_id("finding", finding_id)))
    kept = answered.finding
    return FindingView(
        answer=answer_view(answered),
        submission=kept.submission,
        component=kept.component,
        version=kept.version,
        message=kept.body.message,
        weaknesses=tuple(weakness.id for weakness in kept.body.weaknesses),
        locations=kept.body.locations,
        affected=kept.body.affected,
        aliases=kept.body.aliases,
        introduced=kept.body.introduced,
        references=kept.body.references,
        credits=kept.body.credits,
        remarks=kept.body.remarks,
        preconditions=kept.body.preconditions,
        severity=kept.body.severity,
        rule=kept.body.rule,
        external_id=kept.body.external_id,
        left_out=tuple(OmissionView(o.number, o.kind, o.field, o.start, o.is_false, o.more) for o in kept.body.left_out),
        sanity=sanity_view(reporting.read_sanity(house, member, kept.id)),
        origin=kept.body.origin,
        marking=kept.marking.value,
        received_at=kept.received_at,
        has_proof=kept.has_proof,
        is_proven=kept.is_proven,
        runs=tuple(map(run_view, runs)),
    )


@read("/findings/{finding_id:str}/reads", Act.READ_REPORTS)
def read_proof_reads(house: Housed, member: Signed, finding_id: FromPath[str]) -> ProofReads:
    """Who read the finding's proof, when and why."""
    rows = reporting.proof_reads(house, member, FindingId(parse_id("finding", finding_id)))
    return ProofReads(tuple(ProofReadView(row["reader"], row["purpose"], row["at"], row["entry_id"]) for row in rows))


@write("/findings/{finding_id:str}/omissions/{number:int}/false-hit", Act.MARK_FALSE_HIT)
def mark_false_hit(house: Housed, member: Signed, finding_id: FromPath[str], number: FromPath[int]) -> Done:
    """Say that what was left out under this number is nothing private: it is shown in the whole report from then on."""
    minimizing.mark_false_hit(house, member, FindingId(parse_id("finding", finding_id)), number)
    return Done("marked", finding_id)


@write("/findings/{finding_id:str}/appeal", Act.APPEAL_REFUSAL)
def appeal(house: Housed, member: Signed, finding_id: FromPath[str], data: JSONBody[Appeal]) -> Done:
    """Ask a person to look at a refusal."""
    reporting.appeal_refusal(house, member, FindingId(parse_id("finding", finding_id)), data.reason)
    return Done("appealed", finding_id)


@write("/findings/{finding_id:str}/appeal/decision", Act.DECIDE_APPEAL)
def decide_appeal(house: Housed, member: Signed, finding_id: FromPath[str], data: JSONBody[AppealDecision]) -> Done:
    """Decide an appeal: upheld, the finding is open again and its proof runs once more."""
    reporting.decide_appeal(house, member, FindingId(parse_id("finding", finding_id)), data.upheld, data.reason)
    return Done("upheld" if data.upheld else "not upheld", finding_id)


@read("/participations", Act.READ_REPORTS)
def list_participations(house: Housed, member: Signed) -> Participations:
    """The cases that your organization takes part in as a finder."""
    rows = reporting.my_participations(house, member)
    return Participations(
        tuple(
            Participation(
                participation=row["id"],
                first_reported=row["first_reported"].date(),
                standing=row["standing"],
                state=row["letters"],
                ends_at=row["ends_at"],
                published_at=row["published_at"],
                advisory=row["advisory"],
                findings=tuple(row["finding_ids"]),
            )
            for row in rows
        )
    )


ROUTES = (read_finding, read_proof_reads, mark_false_hit, appeal, decide_appeal, list_participations)
