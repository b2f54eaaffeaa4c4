# SPDX-License-Identifier: Apache-2.0
"""Reports in the database: rows to nouns and back. Bulk goes by arrays; every look-up is per batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case.report import Answer, AnswerRow, KeptFinding, Proof, Run, Submission, SubmissionState
from clearwell.ground.storage.database import Row, Transaction, as_json
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import CaseId, FindingId, OrganizationId, ProofId, RunId, SubmissionId
from clearwell.vocabulary.marking import Marking

_SUBMISSION = """
SELECT id, organization_id AS organization, sent_by, name, address, size, received_at, marking, origin, target, state, format, tool,
       findings, batches, problems, parsed_at, complete, scope, turn, source_id AS source, columns
FROM clearwell.submission
"""
_FINDING = """
SELECT id, submission_id AS submission, organization_id AS organization, batch, position, component, version, title, body, marking, answer,
       first_answer, first_reason, case_id AS "case", has_proof, is_proven, received_at, ends_at,
       (SELECT u.last_seen_at FROM clearwell.unseen u WHERE u.finding_id = finding.id) AS not_seen_since
FROM clearwell.finding
"""
_PROOF = """
SELECT id, finding_id AS finding, organization_id AS organization, case_id AS "case", address, folder_sha256, size, marking, received_at
FROM clearwell.proof
"""
_RUN = """
SELECT id, proof_id AS proof, finding_id AS finding, case_id AS "case", organization_id AS organization, verdict, reason, body,
       started_at, finished_at, fix_id AS fix, worker
FROM clearwell.run
"""


def insert_submission(tx: Transaction, submission: Submission, content: bytes, idempotency_key: bytes | None) -> None:
    """Store a new submission; the keyed hashes make the same bytes or the same key again find it."""
    tx.execute(
        """
        INSERT INTO clearwell.submission (id, organization_id, sent_by, idempotency_key, content, address, size, name, target, marking,
                                          origin, state, received_at, complete, scope, turn, source_id, columns)
        VALUES (%(id)s, %(organization)s, %(sent_by)s, %(key)s, %(content)s, %(address)s, %(size)s, %(name)s, %(target)s, %(marking)s,
                %(origin)s, %(state)s, %(received_at)s, %(complete)s, %(scope)s, %(turn)s, %(source)s, %(columns)s)
        """,
        id=submission.id,
        organization=submission.organization,
        sent_by=submission.sent_by,
        key=idempotency_key,
        content=content,
        address=submission.address,
        size=submission.size,
        name=submission.name,
        target=as_json(submission.target) if submission.target else None,
        marking=submission.marking.value,
        origin=as_json(submission.origin),
        state=submission.state.value,
        received_at=submission.received_at,
        complete=submission.complete,
        scope=submission.scope,
        turn=submission.turn,
        source=submission.source,
        columns=as_json(submission.columns),
    )


def find_submission(tx: Transaction, organization: OrganizationId, content: bytes, idempotency_key: bytes | None) -> Submission | None:
    """The submission that the same key or the same content made before, of this organization alone: who sees others' has no part in them."""
    row = tx.row(
        f"""
        {_SUBMISSION} WHERE organization_id = %(organization)s AND (idempotency_key = %(key)s OR content = %(content)s)
        ORDER BY (idempotency_key = %(key)s) DESC NULLS LAST LIMIT 1
        """,
        organization=organization,
        key=idempotency_key,
        content=content,
    )
    return msgspec.convert(row, Submission) if row else None


def load_submission(tx: Transaction, submission: SubmissionId, lock: bool = False) -> Submission:
    """Load a submission that the transaction may see; raise NotFound."""
    row = tx.row(f"{_SUBMISSION} WHERE id = %(id)s {'FOR UPDATE' if lock else ''}", id=submission)
    if row is None:
        raise NotFound("there is no such submission, or none that you may see")
    return msgspec.convert(row, Submission)


def list_submissions(tx: Transaction, before: str | None, limit: int) -> tuple[Submission, ...]:
    """The newest submissions first; `before` is the last id of the page before."""
    rows = tx.rows(
        f"{_SUBMISSION} WHERE %(before)s::text IS NULL OR id < %(before)s ORDER BY id DESC LIMIT %(limit)s", before=before, limit=limit
    )
    return tuple(msgspec.convert(row, Submission) for row in rows)


def next_parsed(tx: Transaction, after: str) -> SubmissionId | None:
    """The next submission behind an id whose findings are all there; None when there is no more."""
    found = tx.value("SELECT id FROM clearwell.submission WHERE id > %(after)s AND state = 'parsed' ORDER BY id LIMIT 1", after=after)
    return SubmissionId(found) if found is not None else None


def components_of(tx: Transaction, submission: SubmissionId) -> tuple[str, ...]:
    """The components that a submission's findings are about."""
    rows = tx.rows("SELECT DISTINCT component FROM clearwell.finding WHERE submission_id = %(id)s AND component IS NOT NULL", id=submission)
    return tuple(row["component"] for row in rows)


def mark_batch(tx: Transaction, submission: SubmissionId, batches: int, findings: int) -> None:
    """Count a committed batch, so that a repeated job goes on behind it."""
    tx.execute(
        "UPDATE clearwell.submission SET batches = %(batches)s, findings = findings + %(findings)s WHERE id = %(id)s",
        id=submission,
        batches=batches,
        findings=findings,
    )


def set_complete(tx: Transaction, submission: SubmissionId) -> None:
    """Say that a scan names everything that its tool finds."""
    tx.execute("UPDATE clearwell.submission SET complete = true WHERE id = %(id)s", id=submission)


def set_turn(tx: Transaction, submission: SubmissionId, turn: int) -> None:
    """Give a submission's further jobs another priority."""
    tx.execute("UPDATE clearwell.submission SET turn = %(turn)s WHERE id = %(id)s", id=submission, turn=turn)


def finish_submission(
    tx: Transaction,
    submission: SubmissionId,
    state: SubmissionState,
    format: str | None,
    tool: str | None,
    problems: Sequence[str],
    now: datetime,
) -> None:
    """Say that a submission is read, or unreadable."""
    tx.execute(
        """
        UPDATE clearwell.submission SET state = %(state)s, format = %(format)s, tool = %(tool)s, problems = %(problems)s, parsed_at = %(now)s
        WHERE id = %(id)s
        """,
        id=submission,
        state=state.value,
        format=format,
        tool=tool,
        problems=as_json(list(problems)),
        now=now,
    )


def insert_findings(tx: Transaction, findings: Iterable[KeptFinding]) -> None:
    """Store a batch's findings."""
    columns = (
        "id", "submission_id", "organization_id", "batch", "position", "component", "version", "title", "body", "ai", "marking", "answer",
        "first_answer", "first_reason", "case_id", "has_proof", "is_proven", "received_at", "ends_at",
    )  # fmt: skip
    rows = (
        (f.id, f.submission, f.organization, f.batch, f.position, f.component, f.version, f.title, as_json(f.body), f.is_ai, f.marking.value,
         f.answer.value, f.first_answer.value, f.first_reason, f.case, f.has_proof, f.is_proven, f.received_at, f.ends_at)
        for f in findings
    )  # fmt: skip
    tx.insert_many("clearwell.finding", columns, rows)


def load_finding(tx: Transaction, finding: FindingId) -> KeptFinding:
    """Load a finding that the transaction may see; raise NotFound."""
    row = tx.row(f"{_FINDING} WHERE id = %(id)s", id=finding)
    if row is None:
        raise NotFound("there is no such finding, or none that you may see")
    return _finding(row)


def findings_to_check(tx: Transaction, submission: SubmissionId, batch: int, components: str) -> tuple[KeptFinding, ...]:
    """A batch's findings, in the document's order, that bring a proof or whose component begins as the pattern `components` says.

    The rest is not loaded: of a scan of a repository that no index knows there is nothing to look up.
    """
    rows = tx.rows(
        f"{_FINDING} WHERE submission_id = %(s)s AND batch = %(b)s AND (has_proof OR component ~ %(components)s) ORDER BY position",
        s=submission,
        b=batch,
        components=components,
    )
    return tuple(map(_finding, rows))


def findings_page(tx: Transaction, submission: SubmissionId, after: int, limit: int) -> tuple[KeptFinding, ...]:
    """A page of a submission's findings, behind the position `after` (-1 for the first page)."""
    rows = tx.rows(
        f"{_FINDING} WHERE submission_id = %(s)s AND position > %(after)s ORDER BY position LIMIT %(limit)s",
        s=submission,
        after=after,
        limit=limit,
    )
    return tuple(map(_finding, rows))


def findings_of_case(tx: Transaction, case: CaseId, limit: int | None = 200) -> tuple[KeptFinding, ...]:
    """The findings attached to a case: those whose own proof reproduced first, then the oldest; all of them when `limit` is None.

    Within a limit each organization's first come before anybody's second, so that no heap of one's reports hides another's.
    """
    chosen = """
        SELECT id FROM (
            SELECT id, is_proven, received_at, row_number() OVER (PARTITION BY organization_id ORDER BY is_proven DESC, received_at, id) AS turn
            FROM clearwell.finding WHERE case_id = %(case)s) told
        ORDER BY is_proven DESC, turn, received_at, id LIMIT %(limit)s
    """
    within = "case_id = %(case)s" if limit is None else f"id = ANY(ARRAY({chosen}))"
    rows = tx.rows(f"{_FINDING} WHERE {within} ORDER BY is_proven DESC, received_at, id", case=case, limit=limit)
    return tuple(map(_finding, rows))


def count_of_case(tx: Transaction, case: CaseId) -> int:
    """How many findings are attached to a case."""
    return int(tx.value("SELECT count(*) FROM clearwell.finding WHERE case_id = %(case)s", case=case))


def move_answer(tx: Transaction, finding: KeptFinding, answer: Answer, reason: str, by: str, now: datetime) -> None:
    """Give a finding another answer and keep the history."""
    tx.execute(
        """
        INSERT INTO clearwell.answer (finding_id, organization_id, number, answer, reason, at, by)
        SELECT %(id)s, %(organization)s, 1 + count(*), %(answer)s, %(reason)s, %(now)s, %(by)s
        FROM clearwell.answer WHERE finding_id = %(id)s
        """,
        id=finding.id,
        organization=finding.organization,
        answer=answer.value,
        reason=reason,
        now=now,
        by=by,
    )
    tx.execute("UPDATE clearwell.finding SET answer = %(answer)s WHERE id = %(id)s", id=finding.id, answer=answer.value)


def mark_proven(tx: Transaction, finding: FindingId) -> None:
    """Say that a finding's own proof reproduced."""
    tx.execute("UPDATE clearwell.finding SET is_proven = true WHERE id = %(id)s", id=finding)


def move_to_case(tx: Transaction, findings: Sequence[FindingId], case: CaseId) -> None:
    """Attach findings, their proofs and the runs of these to another case, all at once: their signatures move once, not one by one."""
    tx.execute("UPDATE clearwell.finding SET case_id = %(case)s WHERE id = ANY(%(ids)s)", ids=list(findings), case=case)
    tx.execute("UPDATE clearwell.proof SET case_id = %(case)s WHERE finding_id = ANY(%(ids)s)", ids=list(findings), case=case)
    tx.execute(
        "UPDATE clearwell.run SET case_id = %(case)s WHERE finding_id = ANY(%(ids)s) AND fix_id IS NULL", ids=list(findings), case=case
    )


def history(tx: Transaction, findings: Sequence[KeptFinding]) -> dict[FindingId, tuple[AnswerRow, ...]]:
    """Every answer that each finding has had, in order."""
    rows = tx.rows(
        "SELECT finding_id, answer, reason, at FROM clearwell.answer WHERE finding_id = ANY(%(ids)s) ORDER BY finding_id, number",
        ids=[finding.id for finding in findings],
    )
    told = {f.id: [AnswerRow(f.first_answer, f.first_reason, f.received_at)] for f in findings}
    for row in rows:
        told[row["finding_id"]].append(AnswerRow(Answer(row["answer"]), row["reason"], row["at"]))
    return {finding: tuple(answers) for finding, answers in told.items()}


def insert_proofs(tx: Transaction, proofs: Iterable[Proof]) -> None:
    """Store proofs' rows (their bytes lie sealed, held by their case)."""
    for proof in proofs:
        tx.execute(
            """
            INSERT INTO clearwell.proof (id, finding_id, organization_id, case_id, address, folder_sha256, size, marking, received_at)
            VALUES (%(id)s, %(finding)s, %(organization)s, %(case)s, %(address)s, %(folder_sha256)s, %(size)s, %(marking)s, %(received_at)s)
            """,
            **{**msgspec.structs.asdict(proof), "marking": proof.marking.value},
        )


def load_proof(tx: Transaction, proof: ProofId) -> Proof:
    """Load a proof's row; raise NotFound."""
    row = tx.row(f"{_PROOF} WHERE id = %(id)s", id=proof)
    if row is None:
        raise NotFound("there is no such proof, or none that you may see")
    return msgspec.convert(row, Proof)


def proof_of_finding(tx: Transaction, finding: FindingId) -> Proof | None:
    """A finding's own proof, or None."""
    row = tx.row(f"{_PROOF} WHERE finding_id = %(id)s", id=finding)
    return msgspec.convert(row, Proof) if row else None


def proofs_of_case(tx: Transaction, case: CaseId) -> tuple[Proof, ...]:
    """All proofs that a case holds."""
    return tuple(msgspec.convert(row, Proof) for row in tx.rows(f"{_PROOF} WHERE case_id = %(case)s ORDER BY id", case=case))


def last_turn(tx: Transaction, organization: OrganizationId, job: str) -> int | None:
    """The lowest priority among an organization's proofs that wait for this kind of job; None when none does."""
    return tx.value(  # type: ignore[no-any-return]  # the column is an integer
        """
        SELECT min(j.priority) FROM procrastinate.procrastinate_jobs j JOIN clearwell.proof p ON p.id = j.args->>'proof'
        WHERE j.status = 'todo' AND j.task_name = %(job)s AND p.organization_id = %(organization)s
        """,
        job=job,
        organization=organization,
    )


def proofs_that_left(tx: Transaction, case: CaseId) -> tuple[str, ...]:
    """Addresses of the proofs of findings that were in a case once and are in another now."""
    rows = tx.rows(
        """
        SELECT DISTINCT p.address FROM clearwell.proof p JOIN clearwell.attachment a ON a.finding_id = p.finding_id
        WHERE (a.case_id = %(case)s OR a.from_case_id = %(case)s) AND p.case_id <> %(case)s
        """,
        case=case,
    )
    return tuple(row["address"] for row in rows)


def insert_proof_read(tx: Transaction, read_id: str, proof: Proof, reader: str, purpose: str, now: datetime, entry: str) -> None:
    """Show a read to the proof's contributor (never 4)."""
    tx.execute(
        """
        INSERT INTO clearwell.proof_read (id, proof_id, organization_id, reader, purpose, at, entry_id)
        VALUES (%(id)s, %(proof)s, %(organization)s, %(reader)s, %(purpose)s, %(now)s, %(entry)s)
        """,
        id=read_id,
        proof=proof.id,
        organization=proof.organization,
        reader=reader,
        purpose=purpose,
        now=now,
        entry=entry,
    )


def proof_reads(tx: Transaction, proof: ProofId) -> tuple[Row, ...]:
    """Who read a proof, when and why: `reader`, `purpose`, `at`, `entry_id`."""
    return tx.rows(
        "SELECT reader, purpose, at, entry_id FROM clearwell.proof_read WHERE proof_id = %(proof)s ORDER BY id LIMIT 1000", proof=proof
    )


def insert_run(tx: Transaction, run: Run) -> None:
    """Store what running a proof showed."""
    told = msgspec.structs.asdict(run)
    told["signed"] = told.pop("statement")
    tx.execute(
        """
        INSERT INTO clearwell.run (id, proof_id, finding_id, case_id, organization_id, fix_id, verdict, reason, body, started_at, finished_at,
                                   worker, statement)
        VALUES (%(id)s, %(proof)s, %(finding)s, %(case)s, %(organization)s, %(fix)s, %(verdict)s, %(reason)s, %(body)s, %(started_at)s,
                %(finished_at)s, %(worker)s, %(signed)s)
        """,
        **{**told, "body": as_json(run.body)},
    )


def statement_of(tx: Transaction, run: RunId) -> bytes:
    """What the worker of a run signed (lists of runs leave it out); raise NotFound for a run that one may not see or that is unsigned."""
    signed = tx.value("SELECT statement FROM clearwell.run WHERE id = %(id)s", id=run)
    if signed is None:
        raise NotFound(f"there is no signed run {run}")
    return str(signed).encode()


def runs_of_case(tx: Transaction, case: CaseId) -> tuple[Run, ...]:
    """Every run of a case's proofs, oldest first."""
    return tuple(msgspec.convert(row, Run) for row in tx.rows(f"{_RUN} WHERE case_id = %(case)s ORDER BY id LIMIT 200", case=case))


def runs_of_finding(tx: Transaction, finding: FindingId) -> tuple[Run, ...]:
    """The runs of a finding's own proof that its sender may see."""
    return tuple(msgspec.convert(row, Run) for row in tx.rows(f"{_RUN} WHERE finding_id = %(id)s ORDER BY id LIMIT 50", id=finding))


def insert_appeal(
    tx: Transaction, appeal_id: str, finding: FindingId, organization: OrganizationId, reason: str, by: str, now: datetime
) -> None:
    """Store an appeal against a refusal; one may be open for a finding."""
    tx.execute(
        """
        INSERT INTO clearwell.appeal (id, finding_id, organization_id, reason, made_by, made_at)
        VALUES (%(id)s, %(finding)s, %(organization)s, %(reason)s, %(by)s, %(now)s)
        """,
        id=appeal_id,
        finding=finding,
        organization=organization,
        reason=reason,
        by=by,
        now=now,
    )


def open_appeals(tx: Transaction) -> tuple[Row, ...]:
    """Appeals that wait for a person: `id`, `finding_id`, `reason`, `made_at`."""
    return tx.rows("SELECT id, finding_id, reason, made_at FROM clearwell.appeal WHERE decided_at IS NULL ORDER BY id LIMIT 200")


def decide_appeal(tx: Transaction, finding: FindingId, by: str, upheld: bool, now: datetime) -> None:
    """Record a person's decision; raise NotFound when no appeal is open."""
    done = tx.execute(
        """
        UPDATE clearwell.appeal SET decided_by = %(by)s, decided_at = %(now)s, upheld = %(upheld)s
        WHERE finding_id = %(finding)s AND decided_at IS NULL
        """,
        finding=finding,
        by=by,
        now=now,
        upheld=upheld,
    )
    if not done:
        raise NotFound("there is no open appeal for this finding")


def _finding(row: Row) -> KeptFinding:
    return msgspec.convert({**row, "body": msgspec.convert(row["body"], Finding)}, KeptFinding)


def set_marking(tx: Transaction, submission: SubmissionId, marking: Marking) -> None:
    """Give a submission, its findings and its proofs another label."""
    values = {"id": submission, "marking": marking.value}
    tx.execute("UPDATE clearwell.submission SET marking = %(marking)s WHERE id = %(id)s", **values)
    tx.execute(
        """
        UPDATE clearwell.proof SET marking = %(marking)s
        WHERE finding_id IN (SELECT id FROM clearwell.finding WHERE submission_id = %(id)s)
        """,
        **values,
    )
    tx.execute("UPDATE clearwell.finding SET marking = %(marking)s WHERE submission_id = %(id)s", **values)


def cases_of_submission(tx: Transaction, submission: SubmissionId) -> tuple[CaseId, ...]:
    """The cases that a submission's findings are in."""
    rows = tx.rows("SELECT DISTINCT case_id FROM clearwell.finding WHERE submission_id = %(id)s ORDER BY case_id", id=submission)
    return tuple(CaseId(row["case_id"]) for row in rows)


def markings_of_case(tx: Transaction, case: CaseId) -> tuple[Marking, ...]:
    """The labels of a case's findings, each once."""
    return tuple(Marking(row["marking"]) for row in tx.rows("SELECT DISTINCT marking FROM clearwell.finding WHERE case_id = %(c)s", c=case))
