# SPDX-License-Identifier: Apache-2.0
"""Remediating: a claimed fix is verified by the same proof, variants and features; two people read the difference."""

from typing import Any

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import DiffRead, DistributionConfirmed, DistributionProposed, FixDrawn, FixRechecked, FixVerified
from clearwell.clearinghouse.case.report import Run
from clearwell.clearinghouse.case.state import CaseEvent
from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.clearinghouse.flow.alarming import put_off
from clearwell.clearinghouse.flow.evidence import read_proof, seal_evidence
from clearwell.clearinghouse.flow.jobs import COMPARE_FIX, PUBLISH, RECHECK_FIX, VERIFY_FIX
from clearwell.clearinghouse.flow.maintaining import fixed_purl, next_in_queue
from clearwell.clearinghouse.flow.ordering import ANOTHER_LOOKS, Asked, ask, is_drawn, proving_settings, settle, waits_for_another
from clearwell.clearinghouse.flow.trying import order_of, patch_of
from clearwell.clearinghouse.remediation.difference import between
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING, Member
from clearwell.ground.identity.two_person import Proposal, confirm, propose
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.ledger.ledger import has_entry
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.proving.archives import Registry
from clearwell.proving.order import Order
from clearwell.proving.statement import read_unverified
from clearwell.proving.verdict import FixLabel, FixVerdict, Outcome, Verdict
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound
from clearwell.vocabulary.ids import ProposalId, RemediationId, RunId
from clearwell.vocabulary.outside import visible

DISTRIBUTE = "distribute_fix"
_STANDS = {FixLabel.NOT_REFUTED, FixLabel.FLAGGED}
_DIFF_LIMIT = 8 * 1024 * 1024
_OTHERS = 5


def verify_fix(house: House, fix: RemediationId) -> None:
    """Try to refute a claimed fix with the case's proofs on every rung (a job). Verified: not refuted; two people read it all the same.

    What is decided is decided again, for a random share of the fixes, before the maintainer is told.
    """
    house.policy.require(PROVING, Act.VERIFY_FIX, Subject(fix))
    _verify(house, fix, again=False)


def recheck_fix(house: House, fix: RemediationId) -> None:
    """Try to refute a fix once more, by another worker where there is one; only when both agree is the maintainer told (a job)."""
    house.policy.require(PROVING, Act.VERIFY_FIX, Subject(fix))
    _verify(house, fix, again=True)


def _verify(house: House, fix: RemediationId, *, again: bool) -> None:
    job = (RECHECK_FIX if again else VERIFY_FIX).job(fix=fix)
    if put_off(house, job):
        return
    with house.transaction(PROVING) as tx:
        claimed = store.load_fix(tx, fix)
        if claimed.state != "claimed":
            return
        kept = store.load_case(tx, claimed.case)
        patch = patch_of(house, tx, claimed)
        first = _first_run(tx, claimed)
        if first is not None and not again:
            return
        if first is not None and waits_for_another(house, first.worker, first.finished_at):
            defer(tx, [msgspec.structs.replace(job, not_before=house.clock.now() + ANOTHER_LOOKS)])
            return
        before = _said(tx, first) if first is not None else None
        proof = report_store.load_proof(tx, kept.proof) if kept.proof is not None else None
    if proof is None or kept.merged_into is not None or kept.case.proven_at is None:
        _not_verifiable(house, fix, kept)
        return
    asked = Asked(f"{job.name}:{fix}", job, proof.id, not_for=first.worker if first is not None else None)

    def prepare(order: str) -> Order:
        _, files = read_proof(house, PROVING, proof.id, "verification of a fix")
        return order_of(order, "judge", files, proving_settings(house), (kept, claimed, patch), _others(house, kept))

    shown = ask(house, asked, prepare)
    if shown is None or shown.judged is None:
        return
    judged, verdict = shown.judged, shown.done.verdict
    verified = judged.label in _STANDS
    drawn = not again and _decided(judged) is not None and is_drawn(house)
    diff = _difference(kept, claimed, patch, verdict) if verified and not drawn else None
    why = visible(judged.reason)[:500]
    if verified and diff is None:
        why = "the proof stops, but the difference to the flawed source cannot be read"
    agrees = before is None or before == _decided(judged)
    if not agrees:
        why = "two runs of it disagree, so a person must look: " + why
    verified = diff is not None and agrees
    sealed = house.blobs.put([diff], _DIFF_LIMIT) if verified and diff is not None else None
    with house.transaction(PROVING) as tx:
        claimed = store.load_fix(tx, fix, lock=True)
        if claimed.state != "claimed" or (not again and _first_run(tx, claimed) is not None):
            return
        settle(house, tx, asked)
        run = Run(
            id=RunId(house.new_id("run")), proof=proof.id, finding=proof.finding, case=kept.id, organization=proof.organization,
            verdict=verdict.verdict.value, reason=visible(verdict.reason)[:2000], body=msgspec.to_builtins(verdict),
            started_at=shown.started, finished_at=house.clock.now(), fix=fix, worker=shown.worker, statement=shown.statement,
        )  # fmt: skip
        report_store.insert_run(tx, run)
        if drawn:
            house.write(tx, FixDrawn(kept.id, fix, run.id), by=PROVING)
            defer(tx, [RECHECK_FIX.job(fix=fix)])
            return
        if again:
            house.write(tx, FixRechecked(kept.id, fix, run.id, agrees), by=PROVING)
        if sealed is not None and diff is not None:
            house.blobs.hold(tx, kept.id, sealed)
            claimed = msgspec.structs.replace(claimed, diff_address=sealed.address, diff_sha256=seal_evidence(house, diff)[0])
        state = "verified" if verified else "not_verified"
        store.save_fix(tx, msgspec.structs.replace(claimed, state=state, reason=why[:500], ladder=_ladder(judged)))
        if verified:
            _mark_fixed(house, tx, claimed)
            defer(tx, [COMPARE_FIX.job(fix=fix)])
        house.write(tx, FixVerified(kept.id, fix, run.id, verdict.verdict.value, verified), by=PROVING)


def _first_run(tx: Transaction, fix: Fix) -> Run | None:
    """The run of a fix that still stands as claimed: it was drawn, and waits for its second."""
    return next((run for run in reversed(report_store.runs_of_case(tx, fix.case)) if run.fix == fix.id), None)


def _decided(judged: FixVerdict) -> bool | None:
    """What a ladder says of a fix: it stands, it is refuted, or (None) nothing."""
    return judged.label in _STANDS if judged.label in {*_STANDS, FixLabel.REFUTED} else None


def _said(tx: Transaction, run: Run) -> bool | None:
    """What an earlier run's worker signed of a fix; it was believed when it was handed in."""
    judged = read_unverified(report_store.statement_of(tx, run.id)).predicate.judged
    return _decided(judged) if judged is not None else None


def _not_verifiable(house: House, fix: RemediationId, kept: KeptCase) -> None:
    """Say of a claim that there is nothing to verify it with (never 7: neither verified nor left open for ever)."""
    reason = "nothing was reproduced here that a fix could be verified with"
    if kept.merged_into is not None:
        reason = "this report was joined with another one; the fix is verified there"
    with house.transaction(PROVING) as tx:
        claimed = store.load_fix(tx, fix, lock=True)
        if claimed.state == "claimed":
            store.save_fix(tx, msgspec.structs.replace(claimed, state="not_verified", reason=reason))


def _others(house: House, kept: KeptCase) -> list[tuple[str, dict[str, bytes]]]:
    """The other proofs of the case, at most a few, newest first: a fix must stop every one of them."""
    with house.transaction(PROVING) as tx:
        proofs = [proof.id for proof in report_store.proofs_of_case(tx, kept.id) if proof.id != kept.proof]
        reproduced = {run.proof for run in report_store.runs_of_case(tx, kept.id) if run.verdict == Outcome.REPRODUCED.value}
    chosen = [proof for proof in reversed(proofs) if proof in reproduced][:_OTHERS]
    return [(proof, read_proof(house, PROVING, proof, "verification of a fix")[1]) for proof in chosen]


def _ladder(judged: FixVerdict) -> dict[str, Any]:
    """What is shown of the ladder: the verdict itself stands in the run."""
    told: dict[str, Any] = msgspec.to_builtins(judged)
    del told["verdict"], told["escaped"]
    for rung in told["rungs"]:
        rung["said"] = visible(rung["said"])[:1000]
    for flag in told["flags"]:
        flag["file"], flag["said"] = visible(flag["file"])[:300], visible(flag["said"])[:300]
    return {**told, "reason": visible(judged.reason)[:1000]}


def _mark_fixed(house: House, tx: Transaction, fix: Fix) -> None:
    """The case stands as fixed; a version on which the proof did not fire is known to be clean; the next report may be presented."""
    kept = store.load_case(tx, fix.case, lock=True)
    case = kept.case.fix(house.clock.now())
    case = case if case.state.has(CaseEvent.FIX_READY) else case.learn(CaseEvent.FIX_READY)
    clean = {*kept.clean, *([fix.version] if fix.version else [])}
    store.save_case(tx, msgspec.structs.replace(kept, case=case, clean=tuple(sorted(clean))))
    next_in_queue(tx, kept)


def read_difference(house: House, actor: Member, fix: RemediationId) -> bytes:
    """The target-to-fix difference of a verified fix; who read it is in the ledger before its first byte leaves."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.READ_DIFF, Subject(fix))
        kept = store.load_fix(tx, fix)
        if kept.diff_address is None or kept.diff_sha256 is None:
            raise NotFound("this fix is not verified, so there is no difference to read")
        house.write(tx, DiffRead(kept.case, fix, Salted(kept.diff_sha256, case=kept.case)), by=actor)
    with house.transaction(actor) as tx:
        return b"".join(house.blobs.open(tx, kept.case, kept.diff_address))


def propose_distribution(house: House, actor: Member, fix: RemediationId, diff_sha256: str) -> Proposal:
    """The first of two people, having read the difference with this hash, proposes to distribute the fix."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.PROPOSE_DISTRIBUTION, Subject(fix))
        kept = _seen(tx, actor, store.load_fix(tx, fix), diff_sha256)
        if store.load_case(tx, kept.case).merged_into is not None:
            raise Conflict("this case was joined with another; its fix is distributed there, or split it first")
        proposal_id = ProposalId(house.new_id("proposal"))
        payload = {"case": kept.case, "diff_sha256": diff_sha256}
        proposal = propose(tx, proposal_id, actor, DISTRIBUTE, fix, payload, house.clock.now(), house.settings.proposal_hours)
        house.write(tx, DistributionProposed(kept.case, fix, proposal_id), by=actor)
    return proposal


def confirm_distribution(house: House, actor: Member, proposal_id: ProposalId, diff_sha256: str) -> Fix:
    """The second of two people, having read the same difference, confirms: the advisory is published (a job)."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.CONFIRM_DISTRIBUTION, Subject(proposal_id))
        now = house.clock.now()
        agreed = confirm(tx, proposal_id, actor, DISTRIBUTE, now)
        kept = _seen(tx, actor, store.load_fix(tx, RemediationId(agreed.subject), lock=True), diff_sha256)
        if agreed.payload["diff_sha256"] != diff_sha256:
            raise Conflict("the first person read another difference; propose anew")
        kept = msgspec.structs.replace(kept, distributed_at=now)
        store.save_fix(tx, kept)
        house.write(tx, DistributionConfirmed(kept.case, kept.id, proposal_id), by=actor)
        defer(tx, [PUBLISH.job(case=kept.case)])
    return kept


def _seen(tx: Transaction, actor: Member, fix: Fix, diff_sha256: str) -> Fix:
    """The fix, if it may be distributed and this very person read this very difference (the ledger says who read it)."""
    if fix.state != "verified" or fix.diff_sha256 is None:
        raise Conflict("only a verified fix is distributed")
    if fix.distributed_at is not None:
        raise Conflict("this fix was distributed already")
    if fix.diff_sha256 != diff_sha256:
        raise Conflict("name the SHA-256 of the difference that you read: this is another one")
    if not has_entry(tx, fix.case, DiffRead.type, actor.name, fix=fix.id):
        raise Conflict("read the difference first: two people read what is distributed, and the ledger does not say that you did")
    return fix


def _difference(kept: KeptCase, fix: Fix, patch: bytes | None, verdict: Verdict) -> bytes | None:
    """From the very target that the proof fires on to the fix; None when a side's source cannot be read: nobody could look at it."""
    if patch is not None:
        return patch
    registry = Registry()
    try:
        return between(registry, verdict.target.purl or fixed_purl(kept, kept.fires[-1]), fixed_purl(kept, fix.version or ""))
    except (NotFound, Invalid):
        return None
    finally:
        registry.close()
