# SPDX-License-Identifier: Apache-2.0
"""Reporting: a finder sends a report. It is sealed as received, recorded and queued in one transaction, then answered."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.deadline import policy_for
from clearwell.clearinghouse.case.entries import (
    AppealDecided,
    MarkingChanged,
    RefusalAppealed,
    ScanDeclaredComplete,
    SubmissionReceived,
)
from clearwell.clearinghouse.case.report import Answer, AnswerRow, KeptFinding, Run, Submission
from clearwell.clearinghouse.distribution import store as distribution_store
from clearwell.clearinghouse.flow import sourcing
from clearwell.clearinghouse.flow.jobs import COMPARE, PARSE, PARSE_BULK
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.batch import storable
from clearwell.clearinghouse.intake.minimization import minimize_origin, minimize_text
from clearwell.clearinghouse.intake.quota import midnight, require_room, usual
from clearwell.clearinghouse.intake.turn import BULK
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.assertion import KeptSanity
from clearwell.clearinghouse.validation.store import SourceArchive
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, Member
from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.sharing.remarking import remark
from clearwell.ground.storage.blobs import Sealed
from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.finding import Origin
from clearwell.vocabulary.ids import FindingId, SourceId, SubmissionId, UploadId
from clearwell.vocabulary.marking import Marking, strictest
from clearwell.vocabulary.product import Product

_UNICODE = re.compile(r"[^\x00\ud800-\udfff]*")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about a report beside its bytes. `name` is the file's name as given: shown, never opened.

    `complete`: the report names everything that its tool finds in `target`; what earlier complete ones had and it lacks is
    *not seen since*. `source` is a source archive sent before it, in which what it cites is looked up. `columns` says that it is a
    table, and which column holds which field (field -> column's name).
    """

    name: str
    target: Product | None = None
    marking: Marking = Marking.AMBER
    origin: Origin = Origin()
    idempotency_key: str | None = None
    complete: bool = False
    source: SourceId | None = None
    columns: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 255:
            raise Invalid("a report's name has 1 to 255 characters")
        if self.idempotency_key is not None and not 1 <= len(self.idempotency_key) <= 200:
            raise Invalid("an idempotency key has 1 to 200 characters")
        if self.complete and self.target is None:
            raise Invalid("a complete scan names its target: what it lacks is looked for among earlier scans of the same target")
        for text in (self.name, self.idempotency_key or ""):
            if not _UNICODE.fullmatch(text):
                raise Invalid("a report's name and its idempotency key are Unicode text without NUL")


class AnsweredFinding(msgspec.Struct, frozen=True):
    """A finding with its history of answers, as its sender sees it: its own ids and public ones only.

    `participation` is the sender's own id for the case, in which it takes part as a finder; `first_reported`, `standing` and `ends_at`
    are the case's, `advisory` is the public id of what was published. `said_again` is true of what only says again what is held: the
    answer to that is no more than `known` says (`told`).
    """

    finding: KeptFinding
    history: tuple[AnswerRow, ...]
    participation: str | None
    first_reported: datetime | None
    standing: str | None
    ends_at: datetime
    advisory: str | None
    said_again: bool = False

    @property
    def told(self) -> tuple[str | None, datetime]:
        """The case's standing and end as an answer tells them; what was said again: none, and what the public policy makes of that day."""
        if not self.said_again or self.first_reported is None:
            return self.standing, self.ends_at
        return None, policy_for(self.first_reported).ends_at(self.first_reported)


def submit_report(house: House, actor: Member, pieces: Iterable[bytes], envelope: Envelope) -> Submission:
    """Take a report in: once this returns, raw bytes, row, ledger entry and job are committed (never 8).

    The same idempotency key, or the same bytes with the same name, target, source and columns, gives the same submission. Raises
    Invalid, Refused, QuotaReached.
    """
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(organization=actor.organization))
    sealed = house.blobs.put(pieces, house.settings.submission_bytes)
    with house.transaction(actor) as tx:
        return record(house, tx, actor, sealed, envelope)


def record(house: House, tx: Transaction, actor: Member, sealed: Sealed, envelope: Envelope, upload: UploadId | None = None) -> Submission:
    """Record sealed bytes as a submission, or find what the same key or bytes made before; on any error nothing is kept.

    `upload` is what brought the bytes in pieces: it is not counted twice.
    """
    try:
        return _record(house, tx, actor, sealed, envelope, upload)
    except BaseException:
        house.blobs.discard(sealed)
        raise


def _record(house: House, tx: Transaction, actor: Member, sealed: Sealed, envelope: Envelope, upload: UploadId | None) -> Submission:
    if sealed.size == 0:
        raise Invalid("the report is empty")
    now, organization = house.clock.now(), actor.organization
    key = house.blobs.mac("idempotency", envelope.idempotency_key.encode()) if envelope.idempotency_key else None
    tx.take_turns("sender", [organization])
    source = sourcing.named(tx, organization, envelope.source)
    content = _content(house, sealed, envelope, source)
    known = report_store.find_submission(tx, organization, content, key)
    if known is not None:
        if known.address != sealed.address:
            raise Conflict("this idempotency key was used for other bytes; use a new key for a new report")
        if key is not None and known.target != envelope.target:
            raise Conflict("this idempotency key was used for another target; use a new key for a new report")
        if key is not None and known.columns != envelope.columns:
            raise Conflict("this idempotency key was used with other columns; use a new key to have the table read another way")
        house.blobs.discard(sealed)
        return _declare_complete(house, tx, actor, known) if envelope.complete and not known.complete else known
    sourcing.require_here(source)
    used = intake_store.usage(tx, organization, midnight(now), but=upload)
    require_room(intake_store.load_quota(tx, organization, usual(house.settings)), used, sealed.size, now)
    is_alone = used.in_flight == 0
    turn = intake_store.take_turn(tx, organization, PARSE.name, sealed.size, is_alone)
    submission = Submission(
        id=SubmissionId(house.new_id("sub")),
        organization=organization,
        sent_by=actor.person,
        name=minimize_text(envelope.name),
        address=sealed.address,
        size=sealed.size,
        received_at=now,
        marking=envelope.marking,
        origin=minimize_origin(envelope.origin),
        target=envelope.target,
        source=envelope.source,
        columns=envelope.columns,
        complete=envelope.complete,
        scope=storable(envelope.target.component) if envelope.target is not None else None,
        turn=turn.priority,
    )
    house.blobs.hold(tx, submission.id, sealed)
    report_store.insert_submission(tx, submission, content, key)
    salted = Salted(sealed.address, organization=organization)
    house.write(tx, SubmissionReceived(submission.id, organization, sealed.size, salted), by=actor)
    defer(tx, [parse_job(submission)])
    return submission


def _content(house: House, sealed: Sealed, envelope: Envelope, source: SourceArchive | None) -> bytes:
    """A keyed hash of all that decides what is read: who sends the same again gets the same submission."""
    told: list[Any] = [sealed.address, envelope.target, envelope.name]
    told += [source.address] if source is not None else []
    told += [dict(sorted(envelope.columns.items()))] if envelope.columns else []
    return house.blobs.mac("content", msgspec.json.encode(told))


def parse_job(submission: Submission) -> Job:
    """The job that reads a submission: big ones in a queue of their own, each at its organization's turn."""
    name = PARSE_BULK if submission.size > BULK else PARSE
    return name.job(submission=submission.id, priority=submission.turn)


def _declare_complete(house: House, tx: Transaction, actor: Member, known: Submission) -> Submission:
    """The same scan again, now declared complete: nothing is stored twice; it is compared once it is read."""
    house.write(tx, ScanDeclaredComplete(known.id), by=actor)
    with tx.acting_as(INTAKE.scope):
        report_store.set_complete(tx, known.id)
        defer(tx, [COMPARE.job(submission=known.id)])
    return msgspec.structs.replace(known, complete=True)


def read_submission(house: House, actor: Member, submission_id: SubmissionId) -> Submission:
    """One submission; raise NotFound."""
    with house.transaction(actor) as tx:
        submission = report_store.load_submission(tx, submission_id)
        house.policy.require(actor, Act.READ_REPORTS, Subject(submission.id, organization=submission.organization))
    return submission


def list_submissions(house: House, actor: Member, before: str | None = None, limit: int = 50) -> tuple[Submission, ...]:
    """Submissions that the actor may see, newest first."""
    house.policy.require(actor, Act.READ_REPORTS, Subject(organization=actor.organization))
    with house.transaction(actor) as tx:
        return report_store.list_submissions(tx, before, limit)


def read_answers(
    house: House, actor: Member, submission_id: SubmissionId, after: int = -1, limit: int = 100
) -> tuple[AnsweredFinding, ...]:
    """A page of answers with their history, in the document's order; `after` is the last position of the page before."""
    with house.transaction(actor) as tx:
        submission = report_store.load_submission(tx, submission_id)
        house.policy.require(actor, Act.READ_REPORTS, Subject(submission.id, organization=submission.organization))
        findings = report_store.findings_page(tx, submission_id, after, limit)
        return _answered(tx, findings)


def read_sanity(house: House, actor: Member, finding_id: FindingId) -> KeptSanity | None:
    """What was looked up for a finding in the real source; None when nothing could be checked. Raises NotFound."""
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.READ_REPORTS, Subject(finding.id, organization=finding.organization))
        return validation_store.sanity_of(tx, (finding_id,)).get(finding_id)


def read_finding(house: House, actor: Member, finding_id: FindingId) -> tuple[AnsweredFinding, tuple[Run, ...]]:
    """One finding with its answers and the runs of its own proof; raise NotFound."""
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.READ_REPORTS, Subject(finding.id, organization=finding.organization))
        runs = tuple(run for run in report_store.runs_of_finding(tx, finding_id) if run.fix is None)
        return _answered(tx, (finding,))[0], runs


def my_participations(house: House, actor: Member) -> tuple[Row, ...]:
    """The cases that the actor's organization takes part in as a finder, each under the organization's own id for it."""
    house.policy.require(actor, Act.READ_REPORTS, Subject(organization=actor.organization))
    with house.transaction(actor) as tx:
        return _with_public_ids(tx, store.my_participations(tx))


def proof_reads(house: House, actor: Member, finding_id: FindingId) -> tuple[Row, ...]:
    """Who read a finding's proof, when and why: visible to its contributor (never 4)."""
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.READ_REPORTS, Subject(finding.id, organization=finding.organization))
        proof = report_store.proof_of_finding(tx, finding_id)
        return report_store.proof_reads(tx, proof.id) if proof else ()


def appeal_refusal(house: House, actor: Member, finding_id: FindingId, reason: str) -> None:
    """Ask a person to look at a refusal; raise Conflict unless the finding is refused and no appeal is open."""
    if not 1 <= len(reason.strip()) <= 4_000:
        raise Invalid("an appeal says why in 1 to 4,000 characters")
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.APPEAL_REFUSAL, Subject(finding.id, organization=finding.organization))
        if finding.answer is not Answer.REFUSED:
            raise Conflict(f"this finding is not refused; its answer is {finding.answer.value}")
        report_store.insert_appeal(
            tx, house.new_id("appeal"), finding_id, actor.organization, reason.strip(), actor.person, house.clock.now()
        )
        house.write(tx, RefusalAppealed(finding_id), by=actor)


def decide_appeal(house: House, actor: Member, finding_id: FindingId, upheld: bool, reason: str) -> None:
    """Decide an appeal: upheld, the finding is open again (and its proof runs once more); else the refusal stays."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.DECIDE_APPEAL, Subject(finding_id))
        finding = report_store.load_finding(tx, finding_id)
        now = house.clock.now()
        report_store.decide_appeal(tx, finding_id, actor.person, upheld, now)
        if upheld:
            kept = store.load_case(tx, finding.case, lock=True)
            if kept.case.refused_at is not None:
                store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.reopen()))
            answer = Answer.NEW if finding.has_proof else Answer.NEEDS_PROOF
            report_store.move_answer(tx, finding, answer, f"appeal upheld: {reason}"[:500], "coordinator", now)
            proof = report_store.proof_of_finding(tx, finding_id)
            if proof is not None:
                queue_proofs(tx, [proof])
        else:
            report_store.move_answer(tx, finding, Answer.REFUSED, f"appeal not upheld: {reason}"[:500], "coordinator", now)
        house.write(tx, AppealDecided(finding_id, upheld), by=actor)


def _answered(tx: Transaction, findings: tuple[KeptFinding, ...]) -> tuple[AnsweredFinding, ...]:
    told = report_store.history(tx, findings)
    taking_part = _with_public_ids(tx, store.my_participations(tx, [f.id for f in findings]))
    mine = {finding: row for row in taking_part for finding in row["finding_ids"]}
    return tuple(_one(finding, told[finding.id], mine.get(finding.id)) for finding in findings)


def _with_public_ids(tx: Transaction, participations: tuple[Row, ...]) -> tuple[Row, ...]:
    """A finder sees an advisory under its public id, `advisory`, by which anybody finds it."""
    public = distribution_store.public_ids(tx, {row["advisory_id"] for row in participations if row["advisory_id"] is not None})
    return tuple({**row, "advisory": public.get(row["advisory_id"])} for row in participations)


def _one(finding: KeptFinding, history: tuple[AnswerRow, ...], row: Row | None) -> AnsweredFinding:
    if row is None:
        return AnsweredFinding(finding, history, None, None, None, finding.ends_at, None)
    return AnsweredFinding(
        finding, history, row["id"], row["first_reported"], row["standing"], row["ends_at"], row["advisory"], row["said_again"]
    )


def remark_submission(house: House, actor: Member, submission_id: SubmissionId, marking: Marking) -> Submission:
    """Change a report's TLP label: stricter by its sender or a coordinator, less strict by its sender alone.

    Its findings and proofs follow; each case takes the strictest of its sources.
    """
    with house.transaction(actor) as tx:
        submission = report_store.load_submission(tx, submission_id)
        house.policy.require(actor, Act.REMARK_REPORT, Subject(submission.id, organization=submission.organization))
        wanted = remark(submission.marking, marking, submission.organization, actor)
        with tx.acting_as(INTAKE.scope):
            report_store.set_marking(tx, submission_id, wanted)
            for case_id in report_store.cases_of_submission(tx, submission_id):
                kept = store.load_case(tx, case_id, lock=True)
                labels = report_store.markings_of_case(tx, case_id)
                store.save_case(tx, msgspec.structs.replace(kept, marking=strictest(labels)))
            house.write(tx, MarkingChanged(submission_id, wanted.value), by=actor)
    return msgspec.structs.replace(submission, marking=wanted)
