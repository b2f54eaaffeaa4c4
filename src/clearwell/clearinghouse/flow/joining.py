# SPDX-License-Identifier: Apache-2.0
"""Joining: a case's findings are attached to another, reversibly. Every report, proof, finder and date is kept (never 8)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import open_case
from clearwell.clearinghouse.case.deadline import policy_for
from clearwell.clearinghouse.case.embargo import Terms, default_embargo
from clearwell.clearinghouse.case.entries import AnswerMoved, CasesJoined, CaseSplit
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.case.store import Attachment, KeptCase, KeptParticipant
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import Joined, Known, decide, run_of, usable
from clearwell.clearinghouse.dedupe.difference import Kind, apart_among, inherit
from clearwell.clearinghouse.dedupe.signature import STACKS, signatures
from clearwell.clearinghouse.dedupe.spelling import component_of
from clearwell.clearinghouse.flow.jobs import SKETCH_CASE
from clearwell.clearinghouse.flow.standing import stand
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.clearinghouse.intake.batch import storable
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member, System
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, FindingId, ParticipantId, SubmissionId
from clearwell.vocabulary.marking import strictest

Evidence = tuple[tuple[str, str], ...]
"""Why a report is in a case: kinds of signatures, each with what is the same."""

JUDGMENT = "a person's judgment"
"""The signal of rung L4."""

_FEW, _RECONSIDERED = 4, 20
"""Cases of one signature, a report's own among them, that leave no doubt once one is refused; and reports that one refusal decides anew."""

_GROUPS = 200
"""Reports of one refused case that are parted at most; the rest stays together, for a person to split."""


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
    dated = [finding for finding in findings if dates(into, finding, joined.evidence)]
    case = into.case
    for finding in dated:
        case = case.attach(finding.received_at, finding_is_proven=False)
    first = {finding.organization for finding in dated}
    finders = [old for old in store.participants_of(tx, case_id) if old.role == "finder"]
    store.insert_participants(
        tx,
        [_copy(house, into.id, old, old.first_reported if old.organization in first else case.first_received) for old in finders],
    )
    told = () if case.ends_at != into.case.ends_at else into.reminded
    markings = strictest((into.marking, gone.marking))
    store.save_case(
        tx,
        msgspec.structs.replace(
            into, case=case, marking=markings, embargo=into.embargo.capped(case.ends_at), reminded=told,
            version=_version_of_both(tx, into, gone),
        ),
    )  # fmt: skip
    store.save_case(tx, msgspec.structs.replace(gone, merged_into=into.id))
    waits = Answer.NEW if into.case.proven_at is None else None  # a proof that is still to be run may be what proves them
    for finding in findings:
        if finding.answer in {Answer.NEW, Answer.NEEDS_PROOF} and finding.answer is not waits:
            reason = "the same as one reported before"
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
    report_store.move_to_case(tx, [finding.id for finding in findings], joined.case)
    for left in dict.fromkeys(finding.case for finding in findings):
        let_go(house, tx, left)
    store.insert_attachments(tx, rows)


def dates(kept: KeptCase, finding: KeptFinding, evidence: Evidence) -> bool:
    """True when a report counts for a case from its receipt: for the end date, and for the credit of whoever was first.

    In a proven case only what could be checked does: a proof, or a stack that the case's proof (or a person) bears out. A bare place,
    which anybody can name for every function of a program, has no claim on a date. What was refused never has.
    """
    if finding.answer is Answer.REFUSED:
        return False
    if kept.case.proven_at is None or finding.is_proven or finding.has_proof:
        return True
    return finding.body.crash is not None and any(signal in STACKS or signal == JUDGMENT for signal, _ in evidence)


def let_go(house: House, tx: Transaction, case: CaseId) -> None:
    """A case keeps the keys of the proofs it has, and of no other proof."""
    kept = {proof.address for proof in report_store.proofs_of_case(tx, case)}
    for address in report_store.proofs_that_left(tx, case):
        if address not in kept:
            house.blobs.release(tx, case, address)


def settle(tx: Transaction, case: CaseId, now: datetime) -> None:
    """A case is what its own standing findings make it: dates, marking, version, finders. An end date that two people moved stays."""
    store.remove_idle_finders(tx, case)
    left = report_store.findings_of_case(tx, case, limit=None)
    kept = store.load_case(tx, case, lock=True)
    if not left:
        return
    left = tuple(finding for finding in left if finding.answer is not Answer.REFUSED) or left
    noun, joined = kept.case, store.joined_to(tx, case, [finding.id for finding in left])
    evidence = {finding: attachment.evidence for finding, attachment in joined.items()}
    dated = [finding for finding in left if dates(kept, finding, evidence.get(finding.id, ()))]
    first = min(finding.received_at for finding in dated or left)
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
            version=stated_version(left),
        ),
    )


def _version_of_both(tx: Transaction, into: KeptCase, gone: KeptCase) -> str | None:
    """The version of two cases that are one now: what `settle` would find, without reading many reports where only one version is named."""
    if into.version is None or gone.version is None or into.version == gone.version:
        return into.version or gone.version
    left = report_store.findings_of_case(tx, into.id, limit=None)
    return stated_version([finding for finding in left if finding.answer is not Answer.REFUSED] or left)


def stated_version(findings: Sequence[KeptFinding]) -> str | None:
    """The version that the first report which names one is about, as signatures spell it."""
    told = (component_of(finding.body.product)[1] for finding in sorted(findings, key=lambda finding: (finding.received_at, finding.id)))
    return next((storable(version) for version in told if version is not None), None)


def _copy(house: House, case: CaseId, old: KeptParticipant, earliest: datetime) -> KeptParticipant:
    """The same finder in the other case: its credit goes along, and its date where its reports count from their receipt."""
    reported = max(old.first_reported, earliest)
    new = ParticipantId(house.new_id("part"))
    return msgspec.structs.replace(old, id=new, case=case, joined_at=house.clock.now(), first_reported=reported)


def reconsider(house: House, tx: Transaction, refused: Sequence[KeptFinding]) -> None:
    """Decide anew on lone reports that may have been left apart only because refused ones made it doubtful where they belong.

    Runs as dedupe, in the refusal's own transaction; looks at the refused ones' own signatures and at few reports (never a scan).
    """
    with tx.acting_as(DEDUPE.scope):
        stated = {one.key for finding in refused for one in usable(signatures(finding.body, unknown=finding.organization))}
        near = dedupe_store.known(tx, sorted(stated))
        open_now = {finding for others in near.values() for finding in _with_few(others)}
        for finding_id in sorted(open_now, reverse=True)[:_RECONSIDERED]:  # the newer joins the older
            finding = report_store.load_finding(tx, finding_id)
            if finding.answer is Answer.NEEDS_PROOF and len(report_store.findings_of_case(tx, finding.case, limit=2)) == 1:
                joined = _decide_anew(tx, finding)
                if joined is not None:
                    attach_case(house, tx, finding.case, joined, DEDUPE)


def _with_few(others: Sequence[Known]) -> Iterator[FindingId]:
    """Of the findings that bear a signature, those for whose version one other case has it, or a few: the rest is as open as before."""
    told: dict[CaseId, set[str | None]] = {}
    for other in others:
        told.setdefault(other.case, set()).add(other.version)
    for other in others:
        fits = [case for case, versions in told.items() if other.version is None or other.version in versions or versions == {None}]
        if 1 < len(fits) <= _FEW:
            yield other.finding


def _decide_anew(tx: Transaction, finding: KeptFinding) -> Joined | None:
    found = usable(signatures(finding.body, unknown=finding.organization))
    known, run = dedupe_store.known(tx, [signature.key for signature in found]), run_of(finding.submission, finding.body)
    others = {key: [_of_run(other, finding, run) for other in rows if other.case != finding.case] for key, rows in known.items()}
    cases = store.load_whole_cases(tx, list({other.case for rows in others.values() for other in rows}))
    apart = apart_among(tx, [finding.case, *cases])
    cases = {case_id: kept for case_id, kept in cases.items() if not apart.keeps(case_id, finding.case)}
    return decide(found, run, component_of(finding.body.product)[1], finding.has_proof, others, cases, finding.component, apart)


def _of_run(other: Known, finding: KeptFinding, run: SubmissionId) -> Known:
    """What was stored as of this finding's whole submission, before runs were told apart, counts as of its run."""
    return msgspec.structs.replace(other, run=run) if other.run == finding.submission else other


def wake(house: House, tx: Transaction, finding: KeptFinding, origin: CaseId | None) -> CaseId:
    """The case that a finding goes back to: the one it came from, awake again, or a new one counted from its own first receipt."""
    if origin is not None:
        slept = store.load_case(tx, origin, lock=True)
        store.save_case(tx, msgspec.structs.replace(slept, merged_into=None))
        store.insert_participants(tx, [_finder(house, origin, finding)])  # who is there already stays as it was
        return origin
    case_id, finder = CaseId(house.new_id("case")), ParticipantId(house.new_id("part"))
    weaknesses = tuple(weakness.id for weakness in finding.body.weaknesses)
    case = open_case(case_id, finding.component, finding.title, weaknesses, finding.received_at, house.clock.now())
    terms = Terms(ends_at=case.ends_at, proposed_by=finder, proposed_at=finding.received_at)
    kept = KeptCase(case=case, marking=finding.marking, embargo=default_embargo(terms, (finder,)), version=stated_version([finding]))
    store.insert_cases(tx, [kept])
    participant = KeptParticipant(
        id=finder,
        case=case_id,
        role="finder",
        organization=finding.organization,
        joined_at=house.clock.now(),
        first_reported=finding.received_at,
    )
    store.insert_participants(tx, [participant])
    return case_id


def regroup(house: House, tx: Transaction, case_id: CaseId, rest: Sequence[KeptFinding], first: KeptFinding) -> int:
    """After a refusal each report that a machine had joined is looked at anew: what only the refused one held together goes apart.

    Reports that share a signature with `first`, directly or through others that stand, stay; the others go, those that hang together
    as one, into the case they came from or one of their own. What people or patches joined (L3, L4) stays. Returns how many went.
    """
    with tx.acting_as(DEDUPE.scope):
        joined = store.joined_to(tx, case_id, [finding.id for finding in rest])
        fixed = {finding.id for finding in rest if (found := joined.get(finding.id)) is None or found.rung in {"L3", "L4"}}
        gone = 0
        for group in _groups(rest, dedupe_store.keys_by_finding(tx, [finding.id for finding in rest]))[:_GROUPS]:
            if first.id in {finding.id for finding in group} or any(finding.id in fixed for finding in group):
                continue
            _part(house, tx, case_id, sorted(group, key=lambda finding: (not finding.has_proof, finding.received_at, finding.id)), joined)
            gone += len(group)
        if gone:
            let_go(house, tx, case_id)
            settle(tx, case_id, house.clock.now())
        return gone


def _groups(findings: Sequence[KeptFinding], keys: Mapping[FindingId, Collection[bytes]]) -> list[list[KeptFinding]]:
    """Findings that hang together by signatures they share."""
    groups: list[tuple[set[bytes], list[KeptFinding]]] = []
    for finding in findings:
        own, members = set(keys.get(finding.id, ())), [finding]
        apart = []
        for other_keys, others in groups:
            if own & other_keys:
                own |= other_keys
                members = others + members
            else:
                apart.append((other_keys, others))
        groups = [*apart, (own, members)]
    return [members for _, members in groups]


def _part(house: House, tx: Transaction, case_id: CaseId, group: Sequence[KeptFinding], joined: Mapping[FindingId, Attachment]) -> None:
    """Take a group of reports out of a case. Its first speaks for it: its proof is run, or it needs one again."""
    now, lead = house.clock.now(), group[0]
    origin = joined[lead.id].from_case if joined[lead.id].from_case != case_id else None
    target = wake(house, tx, lead, origin)
    inherit(tx, case_id, target, since=max(joined[finding.id].attached_at for finding in group))
    reason = "the report that these were joined with was refused"
    proofs = {finding.id: proof for finding in group if (proof := report_store.proof_of_finding(tx, finding.id)) is not None}
    known = {participant.organization for participant in store.participants_of(tx, target)}
    for proof in proofs.values():
        house.blobs.share(tx, proof.address, case_id, target)
    report_store.move_to_case(tx, [finding.id for finding in group], target)
    for finding in group:
        store.detach(tx, joined[finding.id].id, DEDUPE.system, reason, now)
        rung, evidence = (None, ()) if finding is lead else (joined[finding.id].rung, joined[finding.id].evidence)
        row = Attachment(
            id=house.new_id("attach"), case=target, finding=finding.id, from_case=target, rung=rung, evidence=evidence,
            attached_at=now, attached_by=DEDUPE.system,
        )  # fmt: skip
        store.insert_attachments(tx, [row])
        if finding.organization not in known:
            known.add(finding.organization)
            store.insert_participants(tx, [_finder(house, target, finding)])
    answer = Answer.NEW if lead.id in proofs else Answer.NEEDS_PROOF
    defer(tx, [SKETCH_CASE.job(case=target)])
    queue_proofs(tx, [proofs[lead.id]] if lead.id in proofs else [])
    report_store.move_answer(tx, lead, answer, reason, DEDUPE.system, now)
    house.write(tx, AnswerMoved(lead.id, answer.value, Salted(reason, organization=lead.organization, case=target)), by=DEDUPE)
    stand(house, tx, target, DEDUPE)
    house.write(tx, CaseSplit(case_id, target, len(group), Salted(reason, case=case_id)), by=DEDUPE)


def _finder(house: House, case: CaseId, finding: KeptFinding) -> KeptParticipant:
    return KeptParticipant(
        id=ParticipantId(house.new_id("part")), case=case, role="finder", organization=finding.organization,
        joined_at=house.clock.now(), first_reported=finding.received_at,
    )  # fmt: skip
