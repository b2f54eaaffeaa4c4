# SPDX-License-Identifier: Apache-2.0
"""Joining: a case's findings are attached to another, reversibly. Every report, proof, finder and date is kept (never 8)."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.deadline import policy_for
from clearwell.clearinghouse.case.entries import AnswerMoved, CasesJoined
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.case.store import Attachment, KeptParticipant
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import Joined, decide, usable
from clearwell.clearinghouse.dedupe.difference import Kind, apart_among
from clearwell.clearinghouse.dedupe.signature import signatures
from clearwell.clearinghouse.dedupe.spelling import component_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member, System
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, ParticipantId
from clearwell.vocabulary.marking import strictest


def attach_case(house: House, tx: Transaction, case_id: CaseId, joined: Joined, by: System | Member) -> None:
    """Attach every finding of `case_id` to `joined.case`. The emptied case stays, marked as merged, for a split to wake."""
    if case_id == joined.case:
        raise Conflict("a case cannot be joined with itself")
    gone, into = store.load_case(tx, case_id, lock=True), store.load_case(tx, joined.case, lock=True)
    if gone.merged_into is not None or into.merged_into is not None:
        raise Conflict("one of the two was joined with another case already; look again")
    kinds: tuple[Kind, ...] = ("different",) if isinstance(by, Member) else ("different", "split")
    if apart_among(tx, (case_id, joined.case), kinds).keeps(case_id, joined.case):
        raise Conflict("a person found that these two are different; that is remembered for ever")
    now, findings = house.clock.now(), report_store.findings_of_case(tx, case_id, limit=None)
    _move(house, tx, findings, joined, by)
    participants = [_copy(house, into.id, old) for old in store.participants_of(tx, case_id) if old.role == "finder"]
    store.insert_participants(tx, participants)
    case = into.case
    for finding in findings:
        case = case.attach(finding.received_at, finding_is_proven=False)
    told = () if case.ends_at != into.case.ends_at else into.reminded
    markings = strictest((into.marking, gone.marking))
    store.save_case(
        tx, msgspec.structs.replace(into, case=case, marking=markings, embargo=into.embargo.capped(case.ends_at), reminded=told)
    )
    store.save_case(tx, msgspec.structs.replace(gone, merged_into=into.id))
    for finding in findings:
        if finding.answer in {Answer.NEW, Answer.NEEDS_PROOF}:
            reason = f"the same as one reported before ({joined.rung})"
            report_store.move_answer(tx, finding, Answer.DUPLICATE, reason, by.name, now)
            salted = Salted(reason, organization=finding.organization, case=into.id)
            house.write(tx, AnswerMoved(finding.id, Answer.DUPLICATE.value, salted), by=by)
    evidence = Salted("; ".join(f"{signal}: {value}" for signal, value in joined.evidence), case=into.id)
    house.write(tx, CasesJoined(case_id, into.id, joined.rung, evidence), by=by)


def _move(house: House, tx: Transaction, findings: Sequence[KeptFinding], joined: Joined, by: System | Member) -> None:
    now = house.clock.now()
    rows = []
    for finding in findings:
        for proof in (report_store.proof_of_finding(tx, finding.id),):
            if proof is not None:
                house.blobs.share(tx, proof.address, proof.case, joined.case)
        report_store.move_to_case(tx, finding.id, joined.case)
        let_go(house, tx, finding.case)
        rows.append(
            Attachment(
                id=house.new_id("attach"),
                case=joined.case,
                finding=finding.id,
                from_case=finding.case,
                rung=joined.rung,
                evidence=joined.evidence,
                attached_at=now,
                attached_by=by.name,
            )
        )
    store.insert_attachments(tx, rows)


def let_go(house: House, tx: Transaction, case: CaseId) -> None:
    """A case keeps the keys of the proofs it has, and of no other proof."""
    kept = {proof.address for proof in report_store.proofs_of_case(tx, case)}
    for address in report_store.proofs_that_left(tx, case):
        if address not in kept:
            house.blobs.release(tx, case, address)


def settle(tx: Transaction, case: CaseId, now: datetime) -> None:
    """After a split a case is what its own findings make it: dates, marking, finders. An end date that two people moved stays."""
    store.remove_idle_finders(tx, case)
    left = report_store.findings_of_case(tx, case, limit=None)
    kept = store.load_case(tx, case, lock=True)
    if not left:
        return
    noun = kept.case
    first = min(finding.received_at for finding in left)
    ends_at = noun.ends_at if noun.extended_by or noun.has_ended(now) else policy_for(first).ends_at(first)
    told = kept.reminded if ends_at == noun.ends_at else ()
    store.save_case(
        tx,
        msgspec.structs.replace(
            kept,
            case=msgspec.structs.replace(noun, first_received=first, ends_at=ends_at),
            marking=strictest(finding.marking for finding in left),
            embargo=kept.embargo.follows(noun.ends_at, ends_at),
            reminded=told,
        ),
    )


def _copy(house: House, case: CaseId, old: KeptParticipant) -> KeptParticipant:
    """The same finder in the other case: its credit and its date go along."""
    return msgspec.structs.replace(old, id=ParticipantId(house.new_id("part")), case=case, joined_at=house.clock.now())


def reconsider(house: House, tx: Transaction, refused: KeptFinding) -> None:
    """Decide anew on lone reports that may have been left apart only because the refused one made it doubtful where they belong.

    Runs as dedupe, in the refusal's own transaction; looks at the refused one's own signatures and at few reports (never a scan).
    """
    with tx.acting_as(DEDUPE.scope):
        stated = usable(signatures(refused.body, unknown=refused.organization))
        near = dedupe_store.known(tx, [signature.key for signature in stated])
        for finding_id in sorted(
            {other.finding for others in near.values() for other in others}, reverse=True
        ):  # the newer joins the older
            finding = report_store.load_finding(tx, finding_id)
            if finding.answer is Answer.NEEDS_PROOF and len(report_store.findings_of_case(tx, finding.case, limit=2)) == 1:
                joined = _decide_anew(tx, finding)
                if joined is not None:
                    attach_case(house, tx, finding.case, joined, DEDUPE)


def _decide_anew(tx: Transaction, finding: KeptFinding) -> Joined | None:
    found = usable(signatures(finding.body, unknown=finding.organization))
    known = dedupe_store.known(tx, [signature.key for signature in found])
    others = {key: [other for other in rows if other.case != finding.case] for key, rows in known.items()}
    cases = store.load_cases(tx, list({other.case for rows in others.values() for other in rows}))
    apart = apart_among(tx, [finding.case, *cases])
    cases = {case_id: kept for case_id, kept in cases.items() if not apart.keeps(case_id, finding.case)}
    return decide(
        found, finding.submission, component_of(finding.body.product)[1], finding.has_proof, others, cases, finding.component, apart
    )
