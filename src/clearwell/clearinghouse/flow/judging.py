# SPDX-License-Identifier: Apache-2.0
"""Judging: what people say about which reports are one (rung L4): join, take apart again, keep apart. Within the verbs' transactions.

A merge or split that would bring a proof to a new participant is only proposed; it is done when a second person confirms it, and only
if nothing of it changed in between. Each keeps what the queue of suggestions says true, whichever page it was said on.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import (
    CasesFoundDifferent,
    CaseSplit,
    MergeConfirmed,
    MergeProposed,
    SplitConfirmed,
    SplitProposed,
)
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.case.store import Attachment, KeptParticipant
from clearwell.clearinghouse.dedupe import suggestion_store
from clearwell.clearinghouse.dedupe.decide import Joined, forbids_merge
from clearwell.clearinghouse.dedupe.difference import Difference, apart_among, inherit, remember
from clearwell.clearinghouse.dedupe.suggestion import SuggestionState
from clearwell.clearinghouse.flow.jobs import INVITE, SKETCH_CASE
from clearwell.clearinghouse.flow.joining import JUDGMENT, attach_case, let_go, settle, wake
from clearwell.clearinghouse.flow.standing import stand
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.ground.house import House
from clearwell.ground.identity.actor import CASE, Member
from clearwell.ground.identity.two_person import Proposal, propose
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import CaseId, FindingId, ProposalId

MERGE, SPLIT = "merge_cases", "split_case"
"""The two-person acts."""
_FINDER = "finder"
_STALE = "what was proposed is not what is there now: reports, proofs or participants changed since; propose it anew"


class Judged(msgspec.Struct, frozen=True):
    """What a judgment did: the cases that go on (merge) or woke (split); or only a proposal, which a second person must confirm."""

    cases: tuple[CaseId, ...] = ()
    proposal: Proposal | None = None


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """What the second person confirms of a merge. `standing` is a digest of what would move, and of who would get it."""

    into: CaseId
    reason: str
    shown: tuple[tuple[str, str], ...]
    standing: str


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What the second person confirms of a split, likewise."""

    findings: tuple[FindingId, ...]
    reason: str
    standing: str


def reason_of(reason: str) -> str:
    """A reason as it is kept; raise Invalid for none, or a treatise."""
    if not 1 <= len(reason.strip()) <= 2_000:
        raise Invalid("say why, in 1 to 2,000 characters: it goes to the ledger (as a salted hash) and to the case")
    return reason.strip()


def merge(
    house: House, tx: Transaction, actor: Member, case_id: CaseId, into: CaseId, reason: str, shown: Sequence[tuple[str, str]] = ()
) -> Judged:
    """Join one case with another; `shown` is what the person was shown beside. Raises Conflict, NotFound.

    Where that would bring a proof to somebody who takes part in the other case alone, it is proposed only (never 5).
    """
    wish = Merge(into=into, reason=reason, shown=tuple(shown), standing=_check_merge(tx, case_id, into))
    if reached(tx, case_id, into):
        return _propose(house, tx, actor, MERGE, case_id, wish)
    _merge(house, tx, actor, case_id, wish)
    return Judged((into,))


def split(house: House, tx: Transaction, actor: Member, case_id: CaseId, finding_ids: Sequence[FindingId], reason: str) -> Judged:
    """Take findings out of a case again, each into the case it came from, which wakes as it was. Raises Conflict, NotFound.

    A finding that opened this case itself stays; one that joined at intake gets a case of its own. Where that would bring a proof to
    somebody who came to the other case since, it is proposed only (never 5).
    """
    tx.take_turns("component", [store.load_case(tx, case_id).case.component])
    leaving = _leaving(tx, case_id, finding_ids)
    wish = Split(findings=tuple(finding_ids), reason=reason, standing=_standing_of_split(tx, leaving))
    if any(reached(tx, case_id, one.from_case, [one.finding], since=one.attached_at) for one in leaving if one.from_case != case_id):
        return _propose(house, tx, actor, SPLIT, case_id, wish)
    return Judged(_split(house, tx, actor, case_id, wish))


def merge_as_agreed(house: House, tx: Transaction, actor: Member, agreed: Proposal) -> None:
    """Do a merge that a second person just confirmed; raise Conflict when the cases are not what the first one saw."""
    case_id, wish = CaseId(agreed.subject), msgspec.convert(agreed.payload, Merge)
    if _check_merge(tx, case_id, wish.into) != wish.standing:
        raise Conflict(_STALE)
    house.write(tx, MergeConfirmed(case_id, agreed.id), by=actor)
    _merge(house, tx, actor, case_id, msgspec.structs.replace(wish, shown=(*wish.shown, ("proposed by", agreed.proposed_by))))


def split_as_agreed(house: House, tx: Transaction, actor: Member, agreed: Proposal) -> tuple[CaseId, ...]:
    """Do a split that a second person just confirmed; raise Conflict when the cases are not what the first one saw."""
    case_id, wish = CaseId(agreed.subject), msgspec.convert(agreed.payload, Split)
    tx.take_turns("component", [store.load_case(tx, case_id).case.component])
    if _standing_of_split(tx, _leaving(tx, case_id, wish.findings)) != wish.standing:
        raise Conflict(_STALE)
    house.write(tx, SplitConfirmed(case_id, agreed.id), by=actor)
    return _split(house, tx, actor, case_id, wish)


def reached(
    tx: Transaction, source: CaseId, target: CaseId, findings: Sequence[FindingId] | None = None, since: datetime | None = None
) -> tuple[KeptParticipant, ...]:
    """Who takes part in `target`, could read a proof there and has not had these proofs: those of `source`, or of some findings in it.

    Finders read no proof but their own. With `since`, who took part before has had them: they were there then.
    """
    proofs = [proof for proof in report_store.proofs_of_case(tx, source) if findings is None or proof.finding in findings]
    if not proofs:
        return ()
    known = {_name(one) for one in store.participants_of(tx, source) if one.role != _FINDER}
    there = [one for one in store.participants_of(tx, target) if one.role != _FINDER and _name(one) not in known]
    return tuple(one for one in there if since is None or one.joined_at > since)


def _name(one: KeptParticipant) -> str:
    return one.organization or (one.contact or one.id).lower()


def _propose(house: House, tx: Transaction, actor: Member, act: str, case_id: CaseId, wish: Merge | Split) -> Judged:
    proposal_id = ProposalId(house.new_id("proposal"))
    payload = msgspec.to_builtins(wish)
    proposal = propose(tx, proposal_id, actor, act, case_id, payload, house.clock.now(), house.settings.proposal_hours)
    house.write(tx, MergeProposed(case_id, proposal_id) if act == MERGE else SplitProposed(case_id, proposal_id), by=actor)
    return Judged(proposal=proposal)


def _check_merge(tx: Transaction, case_id: CaseId, into: CaseId) -> str:
    """Refuse what is no merge; return how the two stand: what is to move, and who would get it."""
    if case_id == into:
        raise Conflict("a case cannot be joined with itself")
    tx.take_turns("component", [store.load_case(tx, one).case.component for one in (case_id, into)])
    kept, other = store.load_case(tx, case_id), store.load_case(tx, into)
    if kept.merged_into is not None or other.merged_into is not None:
        raise Conflict("one of the two was joined with another case already; look again")
    if (forbidden := forbids_merge(kept, other)) is not None:
        raise Conflict(forbidden)
    moves = [finding.id for finding in report_store.findings_of_case(tx, case_id, limit=None)]
    return _digest([kept.case.standing, other.case.standing, *moves, *_proofs_and_readers(tx, case_id, into)])


def _leaving(tx: Transaction, case_id: CaseId, findings: Sequence[FindingId]) -> tuple[Attachment, ...]:
    """Why each of these is in the case now; raise Conflict for one that was not joined to it, or went on to another."""
    joined = store.joined_to(tx, case_id, findings)
    for finding in findings:
        if finding not in joined or joined[finding].rung is None or report_store.load_finding(tx, finding).case != case_id:
            raise Conflict(f"{finding} was not joined to this case: it opened it, or is in another")
    return tuple(joined[finding] for finding in dict.fromkeys(findings))


def _standing_of_split(tx: Transaction, leaving: Sequence[Attachment]) -> str:
    ways = {(one.case, one.from_case) for one in leaving}
    return _digest([*(one.id for one in leaving), *(said for way in sorted(ways) for said in _proofs_and_readers(tx, *way))])


def _proofs_and_readers(tx: Transaction, source: CaseId, target: CaseId) -> list[str]:
    proofs = sorted(proof.id for proof in report_store.proofs_of_case(tx, source))
    readers = [one for case in (source, target) for one in store.participants_of(tx, case) if one.role != _FINDER]
    return [*proofs, target, *sorted(f"{one.case} {one.id}" for one in readers)]


def _digest(said: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _merge(house: House, tx: Transaction, actor: Member, case_id: CaseId, wish: Merge) -> None:
    with tx.acting_as(CASE.scope):
        attach_case(house, tx, case_id, Joined(wish.into, "L4", ((JUDGMENT, wish.reason), *wish.shown)), actor)
        suggestion_store.settle(tx, case_id, wish.into, SuggestionState.ACCEPTED, actor.person, house.clock.now())


def _split(house: House, tx: Transaction, actor: Member, case_id: CaseId, wish: Split) -> tuple[CaseId, ...]:
    with tx.acting_as(CASE.scope):
        store.load_case(tx, case_id, lock=True)
        now = house.clock.now()
        back: dict[CaseId, list[KeptFinding]] = {}
        for attachment in _leaving(tx, case_id, wish.findings):
            finding = report_store.load_finding(tx, attachment.finding)
            origin = attachment.from_case if attachment.from_case != case_id else None
            target = wake(house, tx, finding, origin)
            inherit(tx, case_id, target, since=attachment.attached_at)
            proof = report_store.proof_of_finding(tx, finding.id)
            if proof is not None:
                house.blobs.share(tx, proof.address, proof.case, target)
            report_store.move_to_case(tx, (finding.id,), target)
            let_go(house, tx, case_id)
            store.detach(tx, attachment.id, actor.person, wish.reason, now)
            back.setdefault(target, []).append(finding)
        for target, findings in back.items():
            _answer_as_before(house, tx, target, findings)
        for case in (case_id, *back):
            stand(house, tx, case, actor)
            settle(tx, case, now)
        for target, findings in back.items():
            said = Difference(one=case_id, other=target, kind="split", reason=wish.reason, decided_by=actor.person, decided_at=now)
            remember(tx, said)
            suggestion_store.settle(tx, case_id, target, SuggestionState.UNDONE, actor.person, now)
            house.write(tx, CaseSplit(case_id, target, len(findings), Salted(wish.reason, case=case_id)), by=actor)
    defer(tx, [job.job(case=target) for target in back for job in (INVITE, SKETCH_CASE)])
    return tuple(back)


def _answer_as_before(house: House, tx: Transaction, target: CaseId, findings: Sequence[KeptFinding]) -> None:
    """Give findings that went back the answers they had: who had joined another there is a duplicate of it still, if it is there."""
    held = store.joined_to(tx, target, [finding.id for finding in findings])
    joined = {finding.id for finding in findings if finding.id in held and held[finding.id].rung is not None}
    speaks = any(
        other.id not in joined and other.answer is not Answer.REFUSED and (other.id in held or other.answer is not Answer.DUPLICATE)
        for other in report_store.findings_of_case(tx, target, limit=None)
    )
    told = report_store.history(tx, findings)
    for finding in findings:
        proof = report_store.proof_of_finding(tx, finding.id)
        before = [row.answer for row in told[finding.id] if row.answer not in {Answer.DUPLICATE, Answer.REFUSED}]
        fresh = Answer.NEW if proof is not None else Answer.NEEDS_PROOF
        answer = Answer.REPRODUCED if finding.is_proven else before[-1] if before else fresh
        if finding.answer in {Answer.REFUSED, answer} or (finding.id in joined and speaks and not finding.is_proven):
            continue
        report_store.move_answer(tx, finding, answer, "a person found that it is not the same", "coordinator", house.clock.now())
        if answer is Answer.NEW and proof is not None:
            queue_proofs(tx, [proof])


def keep_apart(house: House, tx: Transaction, actor: Member, case_id: CaseId, other: CaseId, reason: str) -> None:
    """Remember for ever that two cases are not one. Two that were joined are split first (Conflict)."""
    tx.take_turns("component", [store.load_case(tx, one).case.component for one in (case_id, other)])
    if store.awake(tx, case_id) == store.awake(tx, other):
        raise Conflict("these two are one case now; take the reports out of it first")
    with tx.acting_as(CASE.scope):
        if apart_among(tx, (case_id, other), ("different",)).keeps(case_id, other):
            return
        said = Difference(one=case_id, other=other, kind="different", reason=reason, decided_by=actor.person, decided_at=house.clock.now())
        remember(tx, said)
        suggestion_store.settle(tx, case_id, other, SuggestionState.DIFFERENT, actor.person, house.clock.now())
        house.write(tx, CasesFoundDifferent(case_id, Salted(other, case=case_id), Salted(reason, case=case_id)), by=actor)
