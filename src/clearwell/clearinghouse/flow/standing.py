# SPDX-License-Identifier: Apache-2.0
"""Standing: what a case is, by the reports that are in it now. What proved it may have been split off, or all that stood refused."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.entries import AnswerMoved, CaseRefused
from clearwell.clearinghouse.case.report import Answer, KeptFinding, Proof, Run
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.clearinghouse.prioritization.priority import rank_case
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member, System
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.database import Transaction
from clearwell.proving.verdict import Outcome, Runs, Verdict
from clearwell.vocabulary.ids import CaseId
from clearwell.vocabulary.outside import visible
from clearwell.vocabulary.product import Product

_NONE_LEFT = "none of the reports that are left in this case stands"
_LEFT_ALONE = "the report that this one was joined with was refused, or taken out"


def stand(house: House, tx: Transaction, case_id: CaseId, by: Member | System) -> None:
    """Make a case proven, refused or open as the reports in it are, after some came or left.

    Raises Conflict where what proved a fixed or published case left it: fix and advisory speak of that.
    """
    left = report_store.findings_of_case(tx, case_id, limit=None)
    if not left:
        return
    before = store.load_case(tx, case_id, lock=True)
    kept = _as_proven(tx, before, left)
    rest = [finding for finding in left if finding.answer is not Answer.REFUSED]
    if kept.case.standing is Standing.REFUSED and rest:
        kept = msgspec.structs.replace(kept, case=kept.case.reopen())
    elif kept.case.standing is Standing.UNPROVEN and not rest:
        kept = msgspec.structs.replace(kept, case=kept.case.refuse(house.clock.now(), _NONE_LEFT))
        house.write(tx, CaseRefused(kept.id), by=by)
    if kept.case.proven_at is None and not any(finding.title == kept.case.title for finding in left):
        kept = in_words_of(kept, (rest or left)[0])
    if kept != before:
        store.save_case(tx, kept)
    if rest and kept.case.standing is Standing.UNPROVEN and all(finding.answer is Answer.DUPLICATE for finding in rest):
        let_first_speak(house, tx, rest, _LEFT_ALONE, by)


def proven_by(kept: KeptCase, proof: Proof, verdict: Verdict, at: datetime) -> KeptCase:
    """The case, proven by a run of this proof: with the versions on which it fired, and on which it did not, beside those it had."""
    fires = {Product(purl=verdict.target.purl).version} | {rung.version for rung in verdict.ladder if rung.fired}
    clean = {rung.version for rung in verdict.ladder if rung.fired is False}
    if isinstance(verdict.control, Runs) and verdict.control.purl is not None and verdict.control.kind == "same package":
        clean.add(Product(purl=verdict.control.purl).version or "")
    proven = msgspec.structs.replace(
        kept,
        case=kept.case.prove(at),
        proof=proof.id,
        fires=tuple(sorted({*kept.fires, *(version for version in fires if version)})),
        clean=tuple(sorted({*kept.clean, *(version for version in clean if version)})),
    )
    return rank_case(proven)


def in_words_of(kept: KeptCase, finding: KeptFinding) -> KeptCase:
    """The case with this report's title and weaknesses: those of a report that is refused or gone say nothing of it."""
    weaknesses = tuple(weakness.id for weakness in finding.body.weaknesses)
    return msgspec.structs.replace(kept, case=msgspec.structs.replace(kept.case, title=finding.title, weaknesses=weaknesses))


def let_first_speak(house: House, tx: Transaction, rest: Sequence[KeptFinding], reason: str, by: Member | System) -> KeptFinding:
    """The first of a case's reports, one with a proof before others, speaks for it from now on: its proof is run, or it needs one."""
    first = next((finding for finding in rest if finding.has_proof), rest[0])
    proof = report_store.proof_of_finding(tx, first.id)
    move_answer(house, tx, first, Answer.NEW if proof is not None else Answer.NEEDS_PROOF, reason, by)
    queue_proofs(tx, [proof] if proof is not None else [])
    with tx.acting_as(DEDUPE.scope):
        dedupe_store.let_speak(tx, first.id)
    return first


def move_answer(house: House, tx: Transaction, finding: KeptFinding, answer: Answer, reason: str, by: Member | System) -> None:
    """Give a finding another answer, told in the ledger. A finder learns that a coordinator did it, not who."""
    reason = visible(reason)[:500]
    name = by.system if isinstance(by, System) else "coordinator"
    report_store.move_answer(tx, finding, answer, reason, name, house.clock.now())
    house.write(tx, AnswerMoved(finding.id, answer.value, Salted(reason, organization=finding.organization, case=finding.case)), by=by)


def _as_proven(tx: Transaction, kept: KeptCase, left: Sequence[KeptFinding]) -> KeptCase:
    """The case as the proofs of its own reports prove it; one that stands on a proof which it still has stays as it is."""
    proven = [finding for finding in left if finding.is_proven]
    is_there = kept.proof is not None and report_store.load_proof(tx, kept.proof).finding in {finding.id for finding in left}
    if is_there or (kept.proof is None and not proven) or (kept.proof is None and kept.case.proven_at is not None):
        return kept
    if kept.proof is not None:
        kept = msgspec.structs.replace(kept, case=kept.case.forget_proof(), proof=None, fires=(), clean=(), priority=0, priority_reasons=())
    for finding in proven:
        runs = [run for run in report_store.runs_of_finding(tx, finding.id) if _is_sound(run)]
        proof = report_store.proof_of_finding(tx, finding.id)
        if runs and proof is not None:
            kept = proven_by(kept, proof, msgspec.convert(runs[-1].body, Verdict), runs[-1].finished_at)
    return kept


def _is_sound(run: Run) -> bool:
    return run.fix is None and run.verdict == Outcome.REPRODUCED.value and run.body.get("assurance") == "hub"
