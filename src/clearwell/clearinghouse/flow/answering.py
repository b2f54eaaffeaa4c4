# SPDX-License-Identifier: Apache-2.0
"""Answering: the parse job. Each batch commits whole: findings, cases, dedupe decisions, one ledger entry, two follow-up jobs."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing, open_case
from clearwell.clearinghouse.case.embargo import Terms, default_embargo
from clearwell.clearinghouse.case.entries import BatchAnswered, RegressionSuspected, SubmissionRead, SubmissionUnreadable
from clearwell.clearinghouse.case.report import Answer, KeptFinding, Proof, Submission, SubmissionState
from clearwell.clearinghouse.case.store import Attachment, KeptCase, KeptParticipant
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import Joined, Known, decide, regression_of, run_of, usable
from clearwell.clearinghouse.dedupe.difference import Apart, apart_among
from clearwell.clearinghouse.dedupe.signature import Signature, document_signatures
from clearwell.clearinghouse.dedupe.spelling import component_of as dedupe_component
from clearwell.clearinghouse.dedupe.store import Stored
from clearwell.clearinghouse.flow.jobs import CHECK, COMPARE, LAST, SKETCH
from clearwell.clearinghouse.flow.joining import dates
from clearwell.clearinghouse.flow.slice import Slice
from clearwell.clearinghouse.intake.batch import component_of, cut, storable, title_of, version_of
from clearwell.clearinghouse.intake.minimization import minimize, minimize_text
from clearwell.formats import read
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.ledger.merkle import leaf_hash, root_of
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.blobs import Sealed
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Origin, ProofFiles
from clearwell.vocabulary.ids import CaseId, FindingId, ParticipantId, ProofId, SubmissionId
from clearwell.vocabulary.marking import strictest
from clearwell.vocabulary.outside import for_header

Signed = tuple[Finding, tuple[Signature, ...]]
"""A finding and its signatures."""

_PROOF_LIMIT = 80 * 1024 * 1024
_PROBLEMS_KEPT = 200


def parse_submission(house: House, submission: SubmissionId) -> None:
    """Read a submission and answer every finding in it. Repeated after a crash, it goes on behind the last committed batch."""
    with house.transaction(INTAKE) as tx:
        house.policy.require(INTAKE, Act.PARSE, Subject(submission))
        sent = report_store.load_submission(tx, submission)
        if sent.state is not SubmissionState.RECEIVED:
            return
        house.write(tx, SubmissionRead(sent.id, "to be parsed"), by=INTAKE)
    with house.transaction(INTAKE) as tx:
        raw = b"".join(house.blobs.open(tx, sent.id, sent.address))
    slice = Slice(house, sent)
    try:
        document = read_sent(sent, raw)
    except Invalid as reason:
        _finish(house, sent, SubmissionState.UNREADABLE, None, (minimize_text(str(reason)),))
        return
    del raw  # a big document is held once
    named = [minimize(with_origin(finding, sent.origin)) for finding in document.findings]
    signed = document_signatures(named, unknown=sent.organization)
    slice.begin()
    for batch, start, findings in cut(list(zip(named, signed, strict=True)), sent.batches):
        _Answering(house, sent, batch, start).commit(findings)
        if slice.passes_on():
            return
    problems = tuple(minimize_text(f"{problem}") for problem in document.problems[:_PROBLEMS_KEPT])
    _finish(house, sent, SubmissionState.PARSED, document, problems)


def read_sent(sent: Submission, raw: bytes) -> Document:
    """Read a submission's bytes as its sender said: the same whenever they are read. Raises Invalid."""
    return read(raw, sent.name, sent.target, sent.columns)


def _finish(house: House, sent: Submission, state: SubmissionState, document: Document | None, problems: tuple[str, ...]) -> None:
    with house.transaction(INTAKE) as tx:
        if report_store.load_submission(tx, sent.id, lock=True).state is not SubmissionState.RECEIVED:
            return
        form, tool = (document.format, document.tool) if document else (None, None)
        tool = for_header(minimize_text(tool)) if tool is not None else None
        report_store.finish_submission(tx, sent.id, state, form, tool, [problem[:500] for problem in problems], house.clock.now())
        if state is SubmissionState.UNREADABLE:
            house.write(tx, SubmissionUnreadable(sent.id), by=INTAKE)
        elif sent.scope is not None:
            defer(tx, [COMPARE.job(submission=sent.id, priority=sent.turn)])


def with_origin(finding: Finding, told: Origin) -> Finding:
    """What the sender said of the whole report fills what the document leaves open (never the other way round)."""
    stated = finding.origin
    origin = Origin(
        tool=stated.tool or told.tool,
        tool_version=stated.tool_version or told.tool_version,
        model=stated.model or told.model,
        model_version=stated.model_version or (told.model_version if stated.model in {None, told.model} else None),
        human_reviewer=stated.human_reviewer or told.human_reviewer,
    )
    return finding if origin == stated else msgspec.structs.replace(finding, origin=origin)


class _Answering:
    """One batch on its way: what is decided so far, and the rows that will be stored."""

    def __init__(self, house: House, sent: Submission, batch: int, start: int) -> None:
        self._house, self._sent, self._batch, self._start = house, sent, batch, start
        self._now: datetime = house.clock.now()
        self._known: dict[bytes, list[Known]] = {}
        self._cases: dict[CaseId, KeptCase] = {}
        self._apart = Apart()
        self._regressions: list[RegressionSuspected] = []
        self._opened: dict[CaseId, KeptCase] = {}
        self._findings: list[KeptFinding] = []
        self._attachments: list[Attachment] = []
        self._participants: dict[CaseId, KeptParticipant] = {}
        self._signatures: list[Stored] = []
        self._proofs: list[tuple[Proof, Sealed]] = []
        self._earlier: dict[CaseId, datetime] = {}
        self._named: dict[CaseId, str | None] = {}
        self._ids: dict[str, Iterator[str]] = {}
        """Ids that are not given yet, of each kind as many as there are findings: none of them needs two."""

    def commit(self, findings: Sequence[Signed]) -> None:
        """Decide and store the batch in one transaction, unless it is stored already."""
        sealed = [self._seal(finding.proof) for finding, _ in findings]
        with self._house.transaction(INTAKE) as tx:
            if report_store.load_submission(tx, self._sent.id, lock=True).batches > self._batch:
                return
            tx.take_turns("component", [component_of(finding.product, self._sent.organization) for finding, _ in findings])
            deciding = [usable(found) for _, found in findings]
            self._known = dedupe_store.known(tx, [signature.key for found in deciding for signature in found])
            self._cases = store.load_whole_cases(tx, list({other.case for others in self._known.values() for other in others}))
            self._apart = apart_among(tx, self._cases)
            self._ids = {kind: iter(self._house.new_ids(kind, len(findings))) for kind in ("finding", "case", "part", "attach")}
            for offset, ((finding, _), found, proof) in enumerate(zip(findings, deciding, sealed, strict=True)):
                self._answer(self._start + offset, FindingId(next(self._ids["finding"])), finding, found, proof)
            self._store(tx)

    def _seal(self, proof: ProofFiles | None) -> Sealed | None:
        if proof is None:
            return None
        return self._house.blobs.put([msgspec.msgpack.encode(proof.files)], _PROOF_LIMIT)

    def _answer(self, position: int, finding_id: FindingId, finding: Finding, found: Sequence[Signature], sealed: Sealed | None) -> None:
        sent, component = self._sent, component_of(finding.product, self._sent.organization)
        compared, run = dedupe_component(finding.product)[1], run_of(sent.id, finding)
        is_known = any(signature.key in self._known for signature in found)
        joined = decide(found, run, compared, sealed is not None, self._known, self._cases, component, self._apart) if is_known else None
        suspected = regression_of(found, compared, self._known, self._cases) if is_known and joined is None else None
        case = self._cases[joined.case] if joined else self._open(finding, component, suspected, compared)
        self._learn_version(case, compared)
        answer, reason = _first_answer(joined, case, sealed is not None)
        kept = KeptFinding(
            id=finding_id, submission=sent.id, organization=sent.organization, batch=self._batch, position=position,
            component=component, version=version_of(finding.product), title=title_of(finding),
            body=finding if finding.proof is None else msgspec.structs.replace(finding, proof=None),
            marking=sent.marking, answer=answer, first_answer=answer, first_reason=reason, case=case.id,
            has_proof=sealed is not None, is_proven=False, received_at=sent.received_at, ends_at=case.case.ends_at,
        )  # fmt: skip
        self._findings.append(kept)
        counts = dates(case, kept, joined.evidence if joined else ())
        if case.id not in self._participants:
            self._participants[case.id] = self._finder(case.id, earliest=None if counts else case.case.first_received)
        self._attachments.append(self._attachment(kept, joined))
        if counts and sent.received_at < case.case.first_received:
            self._earlier[case.id] = sent.received_at
        self._signatures += dedupe_store.stored(found, finding_id, run, case.id, joined, self._known)
        if sealed is not None:
            self._proofs.append((self._proof(kept, sealed, found), sealed))

    def _learn_version(self, case: KeptCase, version: str | None) -> None:
        """A case whose reports named no version is from now on about the one that this report names."""
        if version is None or case.version is not None or case.case.is_proven:
            return
        self._cases[case.id] = known = msgspec.structs.replace(case, version=storable(version))
        if case.id in self._opened:
            self._opened[case.id] = known
        else:
            self._named[case.id] = known.version

    def _open(self, finding: Finding, component: str, suspected: tuple[CaseId, tuple[str, str]] | None, version: str | None) -> KeptCase:
        case_id = CaseId(next(self._ids["case"]))
        weaknesses = tuple(weakness.id for weakness in finding.weaknesses)
        case = open_case(case_id, component, title_of(finding), weaknesses, self._sent.received_at, max(self._now, self._sent.received_at))
        finder = ParticipantId(next(self._ids["part"]))
        terms = Terms(ends_at=case.ends_at, proposed_by=finder, proposed_at=self._sent.received_at)
        fixed = suspected[0] if suspected else None
        at = storable(version) if version is not None else None
        kept = KeptCase(case=case, marking=self._sent.marking, embargo=default_embargo(terms, (finder,)), regression_of=fixed, version=at)
        if suspected is not None:
            self._regressions.append(
                RegressionSuspected(case_id, Salted(suspected[0], case=case_id), Salted(": ".join(suspected[1]), case=case_id))
            )
        self._opened[case_id] = self._cases[case_id] = kept
        self._participants[case_id] = self._finder(case_id, finder)
        return kept

    def _finder(self, case: CaseId, participant: ParticipantId | None = None, earliest: datetime | None = None) -> KeptParticipant:
        return KeptParticipant(
            id=participant or ParticipantId(next(self._ids["part"])),
            case=case,
            role="finder",
            organization=self._sent.organization,
            joined_at=self._now,
            first_reported=max(self._sent.received_at, earliest or self._sent.received_at),
        )

    def _attachment(self, kept: KeptFinding, joined: Joined | None) -> Attachment:
        return Attachment(
            id=next(self._ids["attach"]),
            case=kept.case,
            finding=kept.id,
            from_case=kept.case,
            rung=joined.rung if joined else None,
            evidence=joined.evidence if joined else (),
            attached_at=self._now,
            attached_by=INTAKE.system,
        )

    def _proof(self, kept: KeptFinding, sealed: Sealed, found: Sequence[Signature]) -> Proof:
        folder = next((s.key.hex() for s in found if s.kind == "proof"), hashlib.sha256(sealed.address.encode()).hexdigest())
        return Proof(
            id=ProofId(self._house.new_id("proof")), finding=kept.id, organization=kept.organization, case=kept.case,
            address=sealed.address, folder_sha256=folder, size=sealed.size, marking=kept.marking, received_at=kept.received_at,
        )  # fmt: skip

    def _store(self, tx: Transaction) -> None:
        """Store everything, the batch's one ledger entry and its two follow-up jobs."""
        store.insert_cases(tx, self._opened.values())
        store.insert_participants(tx, self._participants.values())
        report_store.insert_findings(tx, self._findings)
        store.insert_attachments(tx, self._attachments)
        dedupe_store.insert(tx, self._signatures)
        for proof, sealed in self._proofs:
            self._house.blobs.hold(tx, proof.case, sealed)
        report_store.insert_proofs(tx, [proof for proof, _ in self._proofs])
        self._join_known(tx)
        report_store.mark_batch(tx, self._sent.id, self._batch + 1, len(self._findings))
        lines = [f"{f.id} {f.answer.value}".encode() for f in self._findings]
        count = {answer: sum(f.answer is answer for f in self._findings) for answer in Answer}
        entry = BatchAnswered(
            self._sent.id, self._batch, len(self._findings), root_of([leaf_hash(line) for line in lines]).hex(),
            count[Answer.NEW], count[Answer.DUPLICATE], count[Answer.NEEDS_PROOF],
        )  # fmt: skip
        self._house.write(tx, entry, by=INTAKE)
        for suspicion in self._regressions:
            self._house.write(tx, suspicion, by=INTAKE)
        turns = ((CHECK, self._sent.turn), (SKETCH, LAST))
        defer(tx, [job.job(submission=self._sent.id, batch=self._batch, priority=priority) for job, priority in turns])

    def _join_known(self, tx: Transaction) -> None:
        """An earlier receipt brings a known case's end date forward; a stricter source makes its marking stricter; a version is learned."""
        stricter = {
            f.case for f in self._findings if strictest((f.marking, self._cases[f.case].marking)) is not self._cases[f.case].marking
        }
        for case_id in (set(self._earlier) | stricter | set(self._named)) - set(self._opened):
            kept = store.load_case(tx, case_id, lock=True)
            case = kept.case.attach(self._earlier.get(case_id, kept.case.first_received), finding_is_proven=False)
            told = () if case.ends_at != kept.case.ends_at else kept.reminded
            marking = strictest((kept.marking, self._sent.marking))
            changed = msgspec.structs.replace(
                kept, case=case, marking=marking, embargo=kept.embargo.capped(case.ends_at), reminded=told,
                version=kept.version or self._named.get(case_id),
            )  # fmt: skip
            store.save_case(tx, changed)


def _first_answer(joined: Joined | None, case: KeptCase, has_proof: bool) -> tuple[Answer, str]:
    """The first answer and its reason, in words that name nothing of others."""
    if joined is not None and case.case.standing is Standing.REFUSED:
        return Answer.REFUSED, "the same proof was sent before and was refused"
    if joined is not None:
        return Answer.DUPLICATE, "the same as one reported before"
    if has_proof:
        return Answer.NEW, "not known here; its proof will be run"
    return Answer.NEEDS_PROOF, "not known here; send a proof (docs/reference/proof.md) to have it reproduced"
