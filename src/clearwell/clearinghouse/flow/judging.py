# SPDX-License-Identifier: Apache-2.0
"""Judging: what people say about which reports are one (rung L4): join, take apart again, keep apart. Within the verbs' transactions.

Each keeps what the queue of suggestions says about the two cases true, whichever page it was said on.
"""

from collections.abc import Sequence

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import CasesFoundDifferent, CaseSplit
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.dedupe import suggestion_store
from clearwell.clearinghouse.dedupe.decide import Joined
from clearwell.clearinghouse.dedupe.difference import Difference, apart_among, remember
from clearwell.clearinghouse.dedupe.suggestion import SuggestionState
from clearwell.clearinghouse.flow.jobs import INVITE, VALIDATE
from clearwell.clearinghouse.flow.joining import attach_case, let_go, settle, wake
from clearwell.ground.house import House
from clearwell.ground.identity.actor import CASE, Member
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import CaseId, FindingId


def reason_of(reason: str) -> str:
    """A reason as it is kept; raise Invalid for none, or a treatise."""
    if not 1 <= len(reason.strip()) <= 2_000:
        raise Invalid("say why, in 1 to 2,000 characters: it goes to the ledger (as a salted hash) and to the case")
    return reason.strip()


def merge(
    house: House, tx: Transaction, actor: Member, case_id: CaseId, into: CaseId, reason: str, shown: Sequence[tuple[str, str]] = ()
) -> None:
    """Join one case with another; `shown` is what the person was shown beside. Raises Conflict, NotFound."""
    tx.take_turns("component", [store.load_case(tx, one).case.component for one in (case_id, into)])
    kept, other = store.load_case(tx, case_id), store.load_case(tx, into)
    if kept.case.is_proven and not other.case.is_proven:
        raise Conflict("a proven case is never attached to an unproven, refused or fixed one; merge them the other way round")
    with tx.acting_as(CASE.scope):
        attach_case(house, tx, case_id, Joined(into, "L4", (("a person's judgment", reason), *shown)), actor)
        suggestion_store.settle(tx, case_id, into, SuggestionState.ACCEPTED, actor.person, house.clock.now())


def split(
    house: House, tx: Transaction, actor: Member, case_id: CaseId, finding_ids: Sequence[FindingId], reason: str
) -> tuple[CaseId, ...]:
    """Take findings out of a case again, each into the case it came from, which wakes as it was. Returns those cases.

    A finding that opened this case itself stays; one that joined at intake gets a case of its own. Raises Conflict, NotFound.
    """
    with tx.acting_as(CASE.scope):
        tx.take_turns("component", [store.load_case(tx, case_id).case.component])
        store.load_case(tx, case_id, lock=True)
        now = house.clock.now()
        joined = store.joined_to(tx, case_id, finding_ids)
        back: list[CaseId] = []
        for finding_id in finding_ids:
            attachment = joined.get(finding_id)
            if attachment is None or attachment.rung is None:
                raise Conflict(f"{finding_id} was not joined to this case: it opened it, or is in another")
            finding = report_store.load_finding(tx, finding_id)
            origin = attachment.from_case if attachment.from_case != case_id else None
            target = wake(house, tx, finding, origin)
            proof = report_store.proof_of_finding(tx, finding_id)
            if proof is not None:
                house.blobs.share(tx, proof.address, proof.case, target)
            report_store.move_to_case(tx, finding_id, target)
            let_go(house, tx, case_id)
            store.detach(tx, attachment.id, actor.person, reason, now)
            back.append(target)
            if finding.answer is Answer.REFUSED:
                continue
            answer = Answer.REPRODUCED if finding.is_proven else Answer.NEW if proof is not None else Answer.NEEDS_PROOF
            report_store.move_answer(tx, finding, answer, "a person found that it is not the same", "coordinator", now)
            if answer is Answer.NEW and proof is not None:
                defer(tx, [VALIDATE.job(proof=proof.id)])
        settle(tx, case_id, now)
        for target in dict.fromkeys(back):
            said = Difference(one=case_id, other=target, kind="split", reason=reason, decided_by=actor.person, decided_at=now)
            remember(tx, said)
            suggestion_store.settle(tx, case_id, target, SuggestionState.UNDONE, actor.person, now)
            house.write(tx, CaseSplit(case_id, target, back.count(target), Salted(reason, case=case_id)), by=actor)
    defer(tx, [INVITE.job(case=target) for target in dict.fromkeys(back)])
    return tuple(dict.fromkeys(back))


def keep_apart(house: House, tx: Transaction, actor: Member, case_id: CaseId, other: CaseId, reason: str) -> None:
    """Remember for ever that two cases are not one. Two that were joined are split first (Conflict)."""
    tx.take_turns("component", [store.load_case(tx, one).case.component for one in (case_id, other)])
    kept, known = store.load_case(tx, case_id), store.load_case(tx, other)
    if case_id == other or kept.merged_into == other or known.merged_into == case_id:
        raise Conflict("these two are one case now; take the reports out of it first")
    with tx.acting_as(CASE.scope):
        if apart_among(tx, (case_id, other), ("different",)).keeps(case_id, other):
            return
        said = Difference(one=case_id, other=other, kind="different", reason=reason, decided_by=actor.person, decided_at=house.clock.now())
        remember(tx, said)
        suggestion_store.settle(tx, case_id, other, SuggestionState.DIFFERENT, actor.person, house.clock.now())
        house.write(tx, CasesFoundDifferent(case_id, Salted(other, case=case_id), Salted(reason, case=case_id)), by=actor)
