# SPDX-License-Identifier: Apache-2.0
"""Signing anew (rungs L0 and L1): after a rule changed, every report's signatures are made again, a submission a step. ADR 33.

What was decided stays: no report changes its case by it, and each keeps the evidence on which it was joined. From then on new reports
are compared by the rules as they are now. What the run of a proof showed is signed when the proof runs, and stays as it was.
"""

from uuid import UUID

import msgspec

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.entries import SignaturesRecomputed, SubmissionSigned
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import run_of, usable
from clearwell.clearinghouse.dedupe.signature import Signature, document_signatures
from clearwell.clearinghouse.dedupe.store import Held, Resigned, Stored
from clearwell.clearinghouse.flow.jobs import LAST, SIGN_AGAIN
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, Member
from clearwell.ground.jobs.queue import defer
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.finding import ProofFiles
from clearwell.vocabulary.ids import SubmissionId, spell

_A_PROOF = ProofFiles(files={"proof": b""})
"""Stands for a proof whose bytes lie sealed: that there is one counts for the other rules, its own signature stays as stored."""


def recompute_signatures(house: House, actor: Member) -> None:
    """Have every report signed anew by the rules as they are now, in the background (after an update that changed one)."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RECOMPUTE_SIGNATURES)
        with tx.acting_as(INTAKE.scope):
            defer(tx, [SIGN_AGAIN.job(submission=spell("sub", UUID(int=0)), priority=LAST)])
            house.write(tx, SignaturesRecomputed(), by=actor)


def sign_again(house: House, submission: SubmissionId) -> None:
    """Sign the next submission behind this one anew, and go on until there is no more (a job). Repeated, it changes nothing."""
    with house.transaction(INTAKE) as tx:
        house.policy.require(INTAKE, Act.SIGN, Subject(submission))
        following = report_store.next_parsed(tx, submission)
        if following is None:
            return
        tx.take_turns("component", report_store.components_of(tx, following))
        found = dedupe_store.held_of(tx, following)  # as it is now that nobody else decides about these components
        changed = [(held, told) for held, told in zip(found, _signed(found), strict=True) if not held.states(told)]
        dedupe_store.sign_again(tx, [_resigned(held, told) for held, told in changed if held.stated])
        # What stated nothing was brought to its case by nothing: it speaks for itself.
        silent = [(held, run_of(following, held.body), told) for held, told in changed if not held.stated and not held.is_refused]
        dedupe_store.insert(tx, [Stored(one, held.finding, run, held.case, one.at) for held, run, told in silent for one in told])
        if changed:
            house.write(tx, SubmissionSigned(following, len(found), len(changed)), by=INTAKE)
        defer(tx, [SIGN_AGAIN.job(submission=following, priority=LAST)])


def _signed(found: tuple[Held, ...]) -> list[tuple[Signature, ...]]:
    """What each finding of a submission states by the rules as they are now. A proof lies sealed: its own signature is the stored one."""
    proofs = [next((key for kind, key in held.keys if kind == "proof"), None) for held in found]
    bodies = [
        held.body if proof is None else msgspec.structs.replace(held.body, proof=_A_PROOF)
        for held, proof in zip(found, proofs, strict=True)
    ]
    rows = document_signatures(bodies, unknown=found[0].organization) if found else []
    return [
        tuple(msgspec.structs.replace(one, key=proof) if one.kind == "proof" and proof is not None else one for one in usable(row))
        for row, proof in zip(rows, proofs, strict=True)
    ]


def _resigned(held: Held, told: tuple[Signature, ...]) -> Resigned:
    """What changes of a finding. A new key brings later reports in where the old one of its kind did; a new kind, where all did."""
    before, now = {key: kind for kind, key in held.keys}, {one.key for one in told}
    speaking = {kind for key, kind in before.items() if key in held.heads}
    speaks_for_all = set(before) <= held.heads
    kinds = set(before.values())
    heads = {one.key for one in told if one.key not in before and (one.kind in speaking if one.kind in kinds else speaks_for_all)}
    return Resigned(held.finding, told, frozenset(before.keys() - now), frozenset(heads))
