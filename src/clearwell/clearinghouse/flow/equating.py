# SPDX-License-Identifier: Apache-2.0
"""Equating: fixes of one case are run against proofs of another (rung L3). Both ways: one root cause, joined, reversibly."""

import hashlib
from collections.abc import Sequence

import msgspec

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.entries import FixesCompared
from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.clearinghouse.dedupe import kill_store
from clearwell.clearinghouse.dedupe.decide import Joined
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.dedupe.equivalence import Fixed, KnownFix, Relation, compare
from clearwell.clearinghouse.flow.alarming import put_off
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.jobs import COMPARE_CASE, COMPARE_FIX
from clearwell.clearinghouse.flow.joining import attach_case
from clearwell.clearinghouse.flow.ordering import ANOTHER_LOOKS, Asked, ask, is_drawn, proving_settings, settle, waits_for_another
from clearwell.clearinghouse.flow.trying import order_of, patch_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING
from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.proving.order import Order
from clearwell.proving.patches import parse
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import CaseId, ProofId, RemediationId
from clearwell.vocabulary.outside import visible

_PAIRS = 8
_FIXES = 4


def compare_fix(house: House, fix: RemediationId) -> None:
    """Run a verified fix against the proofs of the newest other proven cases of its component, then decide each pair (a job)."""
    job = COMPARE_FIX.job(fix=fix)
    if put_off(house, job):
        return
    with house.transaction(PROVING) as tx:
        house.policy.require(PROVING, Act.VERIFY_FIX, Subject(fix))
        kept = store.load_fix(tx, fix)
        case = store.load_case(tx, kept.case)
        others = _near(tx, case)
    if kept.state != "verified" or case.merged_into is not None:
        return
    is_whole = _fill(house, job, case, kept, case)
    for other in others:
        if is_whole and (is_whole := _fill(house, job, case, kept, other)):
            _settle(house, case.id, other.id)


def compare_case(house: House, case: CaseId) -> None:
    """Run the verified fixes of the newest other cases of its component against a proven case's proof, then decide each pair (a job)."""
    job = COMPARE_CASE.job(case=case)
    if put_off(house, job):
        return
    with house.transaction(PROVING) as tx:
        house.policy.require(PROVING, Act.VERIFY_FIX, Subject(case, case=case))
        kept = store.load_case(tx, case)
        near = [(other, _verified(store.fixes_of(tx, other.id))) for other in _near(tx, kept)]
    if kept.merged_into is not None:
        return
    for other, fixes in near:
        if not all(_fill(house, job, other, fix, kept) for fix in fixes):
            return
        if fixes:
            _settle(house, other.id, kept.id)


def _near(tx: Transaction, case: KeptCase) -> list[KeptCase]:
    """The newest other proven cases of the component that have a proof: a bounded number of pairs."""
    others = [other for other in store.proven_cases(tx, case.case.component) if other.id != case.id and other.proof is not None]
    return others[: -_PAIRS - 1 : -1]


def _verified(fixes: Sequence[Fix]) -> list[Fix]:
    return [fix for fix in fixes if fix.state == "verified"][: -_FIXES - 1 : -1]


def _fill(house: House, job: Job, owner: KeptCase, fix: Fix, other: KeptCase) -> bool:
    """Run one cell of the kill matrix, unless it is known; False when it is not known yet: the job is deferred again.

    A random share of the cells is run twice, by another worker where there is one; one on which two runs disagree is unknown.
    """
    if other.proof is None:
        return True
    while True:
        with house.transaction(PROVING) as tx:
            first = next((cell for cell in kill_store.cells(tx, [fix.id], []) if cell.proof == other.proof), None)
            patch = patch_of(house, tx, fix)
            if first is not None and not first.is_settled and waits_for_another(house, first.worker, first.ran_at):
                defer(tx, [msgspec.structs.replace(job, not_before=house.clock.now() + ANOTHER_LOOKS)])
                return False
        if first is not None and first.is_settled:
            return True
        if not _run_cell(house, job, (owner, fix, patch), other.proof, first):
            return False


def _run_cell(
    house: House, job: Job, claimed: tuple[KeptCase, Fix, bytes | None], proof: ProofId, first: kill_store.KeptCell | None
) -> bool:
    fix = claimed[1]
    number = 1 if first is None else 2
    asked = Asked(f"kill:{fix.id}:{proof}:{number}", job, proof, not_for=first.worker if first is not None else None)

    def prepare(order: str) -> Order:
        return order_of(order, "kill", read_proof(house, PROVING, proof, "comparison by a fix")[1], proving_settings(house), claimed)

    shown = ask(house, asked, prepare)
    if shown is None or shown.kill is None:
        return False
    kill = shown.kill
    if first is not None and first.outcome != kill.outcome:
        kill = msgspec.structs.replace(kill, outcome="unknown", reason=f"two runs of it disagree: {first.outcome}, then {kill.outcome}")
    with house.transaction(PROVING) as tx:
        settle(house, tx, asked)
        is_settled = first is not None or kill.outcome == "unknown" or not is_drawn(house)
        cell = kill_store.KeptCell(
            fix=fix.id, proof=proof, outcome=kill.outcome, reason=visible(kill.reason)[:1000], ran_at=house.clock.now(),
            worker=shown.worker, statement=shown.statement, is_settled=is_settled,
        )  # fmt: skip
        kill_store.save_cell(tx, cell)
    return True


def _settle(house: House, one_id: CaseId, other_id: CaseId) -> None:
    """Decide a pair from what is known now; join the younger with the older where both ways agree and no person said otherwise."""
    with house.transaction(PROVING) as tx:
        tx.take_turns("component", [store.load_case(tx, one_id).case.component])
        one, other = store.load_case(tx, one_id), store.load_case(tx, other_id)
        if one.merged_into is not None or other.merged_into is not None:
            return
        older, younger = sorted((one, other), key=lambda kept: (kept.case.first_received, kept.id))
        sides = [_fixed(house, tx, kept) for kept in (older, younger)]
        kept_cells = kill_store.cells(tx, [fix.id for side in sides for fix in side.fixes], [])
        decision = compare(sides[0], sides[1], kill_store.matrix_of([cell for cell in kept_cells if cell.is_settled]))
        kill_store.save_relation(tx, older.id, younger.id, decision, house.clock.now())
        relation = Salted(decision.relation.value, case=older.id)
        house.write(tx, FixesCompared(older.id, Salted(younger.id, case=older.id), relation), by=PROVING)
        if decision.relation is Relation.SAME and _may_join(tx, older, younger):
            attach_case(house, tx, younger.id, Joined(older.id, "L3", decision.evidence), PROVING)


def _fixed(house: House, tx: Transaction, kept: KeptCase) -> Fixed:
    known = []
    for fix in _verified(store.fixes_of(tx, kept.id)):
        patch = patch_of(house, tx, fix)
        known.append(KnownFix(fix.id, hashlib.sha256(patch).hexdigest() if patch else None, _places(patch)))
    proofs = (kept.proof,) if kept.proof is not None else ()
    return Fixed(kept.id, proofs, tuple(known), frozenset(kept.fires), frozenset(kept.clean))


def _places(patch: bytes | None) -> int:
    try:
        return sum(len(part.hunks) for part in parse(patch)) if patch else 0
    except Invalid:
        return 0


def _may_join(tx: Transaction, older: KeptCase, younger: KeptCase) -> bool:
    """False for what is published (an advisory names one case), and for what people took apart before: that is respected for ever."""
    if older.case.published_at is not None or younger.case.published_at is not None:
        return False
    if apart_among(tx, [older.id, younger.id]).keeps(older.id, younger.id):
        return False
    return not any(store.was_undone(tx, one.id, other.id) for one, other in ((older, younger), (younger, older)))
