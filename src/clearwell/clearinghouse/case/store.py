# SPDX-License-Identifier: Apache-2.0
"""Cases in the database: cases, participants, attachments, links, statements, fixes, contacts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from clearwell.clearinghouse.case.case import Case
from clearwell.clearinghouse.case.decision_point import DecisionPoint
from clearwell.clearinghouse.case.embargo import Embargo
from clearwell.clearinghouse.case.participant import Queued
from clearwell.clearinghouse.case.state import CaseState
from clearwell.ground.storage.bulk import array_of
from clearwell.ground.storage.database import Row, Transaction, as_json
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.ids import AdvisoryId, CaseId, FindingId, LinkId, OrganizationId, ParticipantId, ProofId, RemediationId
from clearwell.vocabulary.marking import Marking


class KeptCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case with what the hub keeps beside the noun: marking, embargo, ladder, representative proof, place in the queue.

    `fires` and `clean` are versions on which a proof of it was seen to fire or not (the ladder). `automatable` and
    `technical_impact` are SSVC's decision points that a coordinator recorded. `regression_of` is the fixed case whose signature it bears.
    `version` is the one that its reports name, in the spelling of signatures; None while none does.
    """

    case: Case
    marking: Marking
    embargo: Embargo = Embargo()
    fires: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    proof: ProofId | None = None
    aliases: tuple[str, ...] = ()
    automatable: DecisionPoint = DecisionPoint()
    technical_impact: DecisionPoint = DecisionPoint()
    merged_into: CaseId | None = None
    regression_of: CaseId | None = None
    version: str | None = None
    advisory: AdvisoryId | None = None
    presented_at: datetime | None = None
    reminded: tuple[int, ...] = ()
    priority: int = 0
    priority_reasons: tuple[str, ...] = ()

    @property
    def id(self) -> CaseId:
        """The case's id."""
        return self.case.id


class KeptParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """A party to a case, as stored. `organization` is None for a maintainer who acts through a link."""

    id: ParticipantId
    case: CaseId
    role: str
    organization: OrganizationId | None = None
    report_state: str = "received"
    contact: str | None = None
    contact_origin: str | None = None
    joined_at: datetime
    first_reported: datetime
    credited: bool = True


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """Why a finding is in a case: the rung and its evidence; `from_case` is where a split puts it back."""

    id: str
    case: CaseId
    finding: FindingId
    from_case: CaseId
    rung: str | None
    evidence: tuple[tuple[str, str], ...]
    attached_at: datetime
    attached_by: str
    detached_at: datetime | None = None
    reason: str | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A maintainer's capability: one case, one participant, one set of acts. Only the hash of its secret is stored."""

    id: LinkId
    case: CaseId
    participant: ParticipantId
    acts: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None = None
    code_hash: bytes | None = None
    code_expires_at: datetime | None = None
    code_tries: int = 0


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed remediation: a fixed version, or a patch. `ladder` is the FixVerdict of trying to refute it, as stored."""

    id: RemediationId
    case: CaseId
    kind: str
    version: str | None
    patch_address: str | None
    claimed_by: str
    claimed_at: datetime
    state: str
    reason: str = ""
    diff_address: str | None = None
    diff_sha256: str | None = None
    distributed_at: datetime | None = None
    ladder: dict[str, Any] | None = None


class Contact(msgspec.Struct, frozen=True):
    """A component's maintainer: where they are reached, where that was found, and how many open reports they take at once."""

    component: str
    name: str
    contact: str
    origin: str
    open_reports_limit: int


_CASE = """
SELECT id, component, title, weaknesses, marking, letters, first_received, opened, ends_at, end_date_policy, proven_at, refused_at, refusal,
       fixed_at, published_at, extended_by, embargo, fires, clean, proof_id AS proof, aliases, NULLIF(automatable, '{}') AS automatable,
       NULLIF(technical_impact, '{}') AS technical_impact, merged_into, advisory_id AS advisory, presented_at, reminded, priority,
       NULLIF(priority_reasons, '[]') AS priority_reasons, regression_of, version
FROM clearwell.vulnerability_case
"""
_SELDOM = ("automatable", "technical_impact", "priority_reasons")
"""What most cases have none of; it is not sent as JSON then, which would be read a thousand times for each batch of known findings."""
_PARTICIPANT = """
SELECT id, case_id AS "case", organization_id AS organization, role, report_state, contact, contact_origin, joined_at, first_reported, credited
FROM clearwell.participant
"""
_LINK = """
SELECT id, case_id AS "case", participant_id AS participant, acts, expires_at, revoked_at, code_hash, code_expires_at, code_tries
FROM clearwell.link
"""
_FIX = """
SELECT id, case_id AS "case", kind, version, patch_address, claimed_by, claimed_at, state, reason, diff_address, diff_sha256, distributed_at,
       ladder
FROM clearwell.fix
"""
_ATTACHMENT = """
SELECT id, case_id AS "case", finding_id AS finding, from_case_id AS from_case, rung, evidence, attached_at, attached_by, detached_at, reason
FROM clearwell.attachment
"""


# -- cases -----------------------------------------------------------------------------------------------------


def insert_cases(tx: Transaction, cases: Iterable[KeptCase]) -> None:
    """Store new cases, in bulk."""
    columns = (
        "id", "component", "title", "weaknesses", "marking", "letters", "first_received", "opened", "ends_at", "end_date_policy", "embargo",
        "regression_of", "version",
    )  # fmt: skip
    rows = (
        (kept.id, c.component, c.title, list(c.weaknesses), kept.marking.value, c.state.letters, c.first_received, c.opened, c.ends_at,
         c.end_date_policy, as_json(kept.embargo), kept.regression_of, kept.version)
        for kept in cases
        for c in (kept.case,)
    )  # fmt: skip
    tx.insert_many("clearwell.vulnerability_case", columns, rows)


def save_case(tx: Transaction, kept: KeptCase) -> None:
    """Write a changed case back."""
    c = kept.case
    tx.execute(
        """
        UPDATE clearwell.vulnerability_case
        SET title = %(title)s, weaknesses = %(weaknesses)s, marking = %(marking)s, letters = %(letters)s, first_received = %(first_received)s,
            ends_at = %(ends_at)s, proven_at = %(proven_at)s, refused_at = %(refused_at)s, refusal = %(refusal)s, fixed_at = %(fixed_at)s,
            published_at = %(published_at)s, extended_by = %(extended_by)s, embargo = %(embargo)s, fires = %(fires)s, clean = %(clean)s,
            proof_id = %(proof)s, aliases = %(aliases)s, automatable = %(automatable)s, technical_impact = %(technical_impact)s,
            merged_into = %(merged_into)s, advisory_id = %(advisory)s, presented_at = %(presented_at)s, reminded = %(reminded)s,
            priority = %(priority)s, priority_reasons = %(priority_reasons)s, regression_of = %(regression_of)s, version = %(version)s
        WHERE id = %(id)s
        """,
        id=c.id,
        title=c.title,
        weaknesses=list(c.weaknesses),
        marking=kept.marking.value,
        letters=c.state.letters,
        first_received=c.first_received,
        ends_at=c.ends_at,
        proven_at=c.proven_at,
        refused_at=c.refused_at,
        refusal=c.refusal,
        fixed_at=c.fixed_at,
        published_at=c.published_at,
        extended_by=sorted(c.extended_by),
        embargo=as_json(kept.embargo),
        fires=list(kept.fires),
        clean=list(kept.clean),
        proof=kept.proof,
        aliases=list(kept.aliases),
        automatable=as_json(kept.automatable),
        technical_impact=as_json(kept.technical_impact),
        merged_into=kept.merged_into,
        advisory=kept.advisory,
        presented_at=kept.presented_at,
        reminded=list(kept.reminded),
        priority=kept.priority,
        priority_reasons=as_json(list(kept.priority_reasons)),
        regression_of=kept.regression_of,
        version=kept.version,
    )


def load_case(tx: Transaction, case: CaseId, lock: bool = False) -> KeptCase:
    """Load a case that the transaction may see; raise NotFound."""
    row = tx.row(f"{_CASE} WHERE id = %(id)s {'FOR UPDATE' if lock else ''}", id=case)
    if row is None:
        raise NotFound("there is no such case, or none that you may see")
    return _case(row)


def load_cases(tx: Transaction, cases: Sequence[CaseId]) -> dict[CaseId, KeptCase]:
    """Load several cases at once; those that do not exist are left out."""
    return {(kept := _case(row)).id: kept for row in tx.rows(f"{_CASE} WHERE id = ANY(%(ids)s::text[])", ids=array_of(cases))}


def awake(tx: Transaction, case: CaseId) -> CaseId:
    """The case in which a case's reports are now: itself, or what took it in, directly or through others. Raises NotFound."""
    kept = load_case(tx, case)
    while kept.merged_into is not None:
        kept = load_case(tx, kept.merged_into)
    return kept.id


def load_whole_cases(tx: Transaction, cases: Sequence[CaseId]) -> dict[CaseId, KeptCase]:
    """Load several cases for a decision: each with the versions on which proofs fired, or did not, in what was joined with it.

    Those are read where they were found, never copied: a split takes them out again by waking the case that has them. `OFFSET 0` keeps the
    planner to one look-up in the index for each case: before it has statistics it would read the whole table for each batch. UNION ALL, for
    no case lies within itself: UNION makes a table for millions of guessed rows, which took ten times as long as the look-ups.
    """
    if not cases:
        return {}
    rows = tx.rows(
        """
        WITH RECURSIVE inside AS (
            SELECT top, c.id, c.fires, c.clean FROM unnest(%(ids)s::text[]) AS given(top) CROSS JOIN LATERAL (
                SELECT m.id, m.fires, m.clean FROM clearwell.vulnerability_case m
                WHERE m.merged_into IS NOT NULL AND m.merged_into = top AND m.fires <> '{}' OFFSET 0) c
            UNION ALL
            SELECT i.top, c.id, c.fires, c.clean FROM inside i CROSS JOIN LATERAL (
                SELECT m.id, m.fires, m.clean FROM clearwell.vulnerability_case m
                WHERE m.merged_into IS NOT NULL AND m.merged_into = i.id AND m.fires <> '{}' OFFSET 0) c
        )
        SELECT top, fires, clean FROM inside
        """,
        ids=array_of(cases),
    )
    found = load_cases(tx, cases)
    for row in rows:
        kept = found[row["top"]]
        fires, clean = sorted({*kept.fires, *row["fires"]}), sorted({*kept.clean, *row["clean"]})
        found[kept.id] = msgspec.structs.replace(kept, fires=tuple(fires), clean=tuple(clean))
    return found


def list_cases(tx: Transaction, standing: str | None, after: tuple[int, str] | None, limit: int) -> tuple[KeptCase, ...]:
    """Cases by priority, then id; `after` is the last row of the page before (priority, id)."""
    rows = tx.rows(
        f"""
        {_CASE}
        WHERE merged_into IS NULL AND (%(standing)s::text IS NULL OR standing = %(standing)s)
          AND (%(priority)s::bigint IS NULL OR (priority, id) < (%(priority)s, %(id)s))
        ORDER BY priority DESC, id DESC LIMIT %(limit)s
        """,
        standing=standing,
        priority=after[0] if after else None,
        id=after[1] if after else None,
        limit=limit,
    )
    return tuple(map(_case, rows))


def proven_cases(tx: Transaction, component: str) -> tuple[KeptCase, ...]:
    """The proven cases of a component that still stand by themselves, oldest first."""
    rows = tx.rows(
        f"{_CASE} WHERE component = %(c)s AND proven_at IS NOT NULL AND merged_into IS NULL ORDER BY first_received, id", c=component
    )
    return tuple(map(_case, rows))


def cases_with_duties(
    tx: Transaction, now: datetime, reminder_days: Sequence[int], after: tuple[datetime, str] | None = None, limit: int = 200
) -> tuple[KeptCase, ...]:
    """Unpublished cases whose end date has come, or for which a reminder is due that was not sent; nearest end date first.

    `after` is (end date, id) of the last row of the page before.
    """
    rows = tx.rows(
        f"""
        {_CASE}
        WHERE published_at IS NULL AND merged_into IS NULL AND standing <> 'refused'
          AND ends_at <= %(now)s + make_interval(days => %(most)s)
          AND (ends_at <= %(now)s OR EXISTS (
                SELECT FROM unnest(%(days)s::int[]) AS d(days)
                WHERE ends_at - make_interval(days => d.days) <= %(now)s AND NOT EXISTS (SELECT FROM unnest(reminded) r WHERE r <= d.days)))
          AND (%(after)s::timestamptz IS NULL OR (ends_at, id) > (%(after)s, %(id)s))
        ORDER BY ends_at, id LIMIT %(limit)s
        """,
        after=after[0] if after else None,
        id=after[1] if after else None,
        now=now,
        most=max(reminder_days),
        days=list(reminder_days),
        limit=limit,
    )
    return tuple(map(_case, rows))


def counts_by_standing(tx: Transaction, cap: int = 10_000) -> dict[str, int]:
    """How many cases stand how, counted up to `cap` each (a bigger list says "10,000+")."""
    rows = tx.rows(
        """
        SELECT s.standing, (SELECT count(*) FROM (SELECT 1 FROM clearwell.vulnerability_case c
                            WHERE c.standing = s.standing AND c.merged_into IS NULL LIMIT %(cap)s) x) AS n
        FROM unnest(ARRAY['unproven', 'proven', 'refused', 'fixed', 'published']) AS s(standing)
        """,
        cap=cap,
    )
    return {row["standing"]: row["n"] for row in rows}


# -- participants ----------------------------------------------------------------------------------------------


def insert_participants(tx: Transaction, participants: Iterable[KeptParticipant]) -> None:
    """Store participants in bulk; a finder that takes part already stays as it is."""
    columns = (
        "id", "case_id", "organization_id", "role", "report_state", "contact", "contact_origin", "joined_at", "first_reported", "credited",
    )  # fmt: skip
    rows = (
        (p.id, p.case, p.organization, p.role, p.report_state, p.contact, p.contact_origin, p.joined_at, p.first_reported, p.credited)
        for p in participants
    )
    tx.insert_many("clearwell.participant", columns, rows, "ON CONFLICT DO NOTHING")


def participants_of(tx: Transaction, case: CaseId) -> tuple[KeptParticipant, ...]:
    """A case's participants that the transaction may see."""
    rows = tx.rows(f"{_PARTICIPANT} WHERE case_id = %(case)s ORDER BY joined_at, id", case=case)
    return tuple(msgspec.convert(row, KeptParticipant) for row in rows)


def remove_idle_finders(tx: Transaction, case: CaseId) -> None:
    """Take finders out of a case in which no finding of theirs is left (a split undid what brought them)."""
    tx.execute(
        """
        DELETE FROM clearwell.participant p WHERE p.case_id = %(case)s AND p.role = 'finder' AND NOT EXISTS (
            SELECT FROM clearwell.finding f WHERE f.case_id = p.case_id AND f.organization_id = p.organization_id)
        """,
        case=case,
    )


def credit_dates(tx: Transaction, case: CaseId) -> dict[OrganizationId, datetime]:
    """Since when each finder of a case has credit: its first report that stands and was proven, or named something found in the source.

    Who is missing sent only what could not be checked, so far. Derived, so that a proof, a refusal, a merge and a split move it.
    """
    rows = tx.rows(
        """
        SELECT f.organization_id, min(f.received_at) AS since
        FROM clearwell.finding f LEFT JOIN clearwell.sanity s ON s.finding_id = f.id
        WHERE f.case_id = %(case)s AND f.answer <> 'refused' AND (f.is_proven OR jsonb_path_exists(
            s.body, '$.assertions[*] ? (@.decides == true && (@.outcome == "exists" || @.outcome == "moved"))'))
        GROUP BY f.organization_id
        """,
        case=case,
    )
    return {row["organization_id"]: row["since"] for row in rows}


def load_participant(tx: Transaction, participant: ParticipantId) -> KeptParticipant:
    """Load a participant; raise NotFound."""
    row = tx.row(f"{_PARTICIPANT} WHERE id = %(id)s", id=participant)
    if row is None:
        raise NotFound("there is no such participant")
    return msgspec.convert(row, KeptParticipant)


def my_participations(tx: Transaction, findings: Sequence[FindingId] | None = None) -> tuple[Row, ...]:
    """What a finder sees of its cases: its own id for each, the date first reported, standing, end date, its own findings.

    With `findings`, only the cases of those; without, the newest thousand.
    """
    return tx.rows("SELECT * FROM clearwell.my_participations(%(only)s::text[])", only=list(findings) if findings is not None else None)


# -- attachments -----------------------------------------------------------------------------------------------


def insert_attachments(tx: Transaction, attachments: Iterable[Attachment]) -> None:
    """Store why findings are in their cases, in bulk."""
    columns = ("id", "case_id", "finding_id", "from_case_id", "rung", "evidence", "attached_at", "attached_by")
    rows = ((a.id, a.case, a.finding, a.from_case, a.rung, as_json(a.evidence), a.attached_at, a.attached_by) for a in attachments)
    tx.insert_many("clearwell.attachment", columns, rows)


def attachments_of(tx: Transaction, case: CaseId, findings: Sequence[FindingId]) -> tuple[Attachment, ...]:
    """Every attachment of these findings to a case, undone ones too, and those of what went on to another case; oldest first."""
    rows = tx.rows(
        f"""
        SELECT * FROM ({_ATTACHMENT} WHERE case_id = %(case)s AND finding_id = ANY(%(findings)s) ORDER BY id DESC LIMIT 1000) shown
        UNION ALL SELECT * FROM ({_ATTACHMENT} a WHERE case_id = %(case)s AND NOT EXISTS (
            SELECT FROM clearwell.finding f WHERE f.id = a.finding_id AND f.case_id = a.case_id) ORDER BY id DESC LIMIT 500) gone
        ORDER BY id
        """,
        case=case,
        findings=list(findings),
    )
    return tuple(msgspec.convert(row, Attachment) for row in rows)


def joined_to(tx: Transaction, case: CaseId, findings: Sequence[FindingId]) -> dict[FindingId, Attachment]:
    """The attachments in force by which these findings are in a case, however many others it has; the newest of each."""
    rows = tx.rows(
        f"{_ATTACHMENT} WHERE case_id = %(case)s AND finding_id = ANY(%(findings)s) AND detached_at IS NULL ORDER BY id",
        case=case,
        findings=list(findings),
    )
    return {(found := msgspec.convert(row, Attachment)).finding: found for row in rows}


def came_from(tx: Transaction, case: CaseId, origin: CaseId) -> tuple[FindingId, ...]:
    """The findings of a case that came to it from another and are there still."""
    rows = tx.rows(
        """
        SELECT a.finding_id FROM clearwell.attachment a JOIN clearwell.finding f ON f.id = a.finding_id AND f.case_id = a.case_id
        WHERE a.case_id = %(case)s AND a.from_case_id = %(origin)s AND a.detached_at IS NULL ORDER BY a.id
        """,
        case=case,
        origin=origin,
    )
    return tuple(row["finding_id"] for row in rows)


def was_undone(tx: Transaction, case: CaseId, origin: CaseId) -> bool:
    """Whether something that came to a case from another was taken out again."""
    asked = "case_id = %(case)s AND from_case_id = %(origin)s AND detached_at IS NOT NULL"
    return bool(tx.value(f"SELECT EXISTS (SELECT FROM clearwell.attachment WHERE {asked})", case=case, origin=origin))


def detach(tx: Transaction, attachment: str, by: str, reason: str, now: datetime) -> None:
    """Undo an attachment; its row stays as history."""
    tx.execute(
        "UPDATE clearwell.attachment SET detached_at = %(now)s, detached_by = %(by)s, reason = %(reason)s WHERE id = %(id)s",
        id=attachment,
        now=now,
        by=by,
        reason=reason,
    )


# -- links and codes -------------------------------------------------------------------------------------------


def insert_link(tx: Transaction, link: Link, secret_hash: bytes, now: datetime) -> None:
    """Store a new link by its secret's hash."""
    tx.execute(
        """
        INSERT INTO clearwell.link (id, case_id, participant_id, hash, acts, created_at, expires_at)
        VALUES (%(id)s, %(case)s, %(participant)s, %(hash)s, %(acts)s, %(now)s, %(expires)s)
        """,
        id=link.id,
        case=link.case,
        participant=link.participant,
        hash=secret_hash,
        acts=list(link.acts),
        now=now,
        expires=link.expires_at,
    )


def find_link(tx: Transaction, secret_hash: bytes) -> Link | None:
    """The link of a secret, in force or not."""
    row = tx.row(f"{_LINK} WHERE hash = %(hash)s", hash=secret_hash)
    return msgspec.convert(row, Link) if row else None


def links_of_case(tx: Transaction, case: CaseId) -> tuple[Link, ...]:
    """A case's links."""
    return tuple(msgspec.convert(row, Link) for row in tx.rows(f"{_LINK} WHERE case_id = %(case)s ORDER BY id", case=case))


def set_code(tx: Transaction, link: LinkId, code_hash: bytes | None, expires_at: datetime | None) -> None:
    """Store the hash of a mailed code (None: used up)."""
    tx.execute(
        "UPDATE clearwell.link SET code_hash = %(hash)s, code_expires_at = %(expires)s, code_tries = 0 WHERE id = %(id)s",
        id=link,
        hash=code_hash,
        expires=expires_at,
    )


def count_try(tx: Transaction, link: LinkId) -> int:
    """Count an attempt at a code; return how many there were."""
    return int(tx.value("UPDATE clearwell.link SET code_tries = code_tries + 1 WHERE id = %(id)s RETURNING code_tries", id=link))


def forget_tries(tx: Transaction, link: LinkId) -> None:
    """A right code was entered: earlier slips no longer count."""
    tx.execute("UPDATE clearwell.link SET code_tries = 0 WHERE id = %(id)s", id=link)


def revoke_link(tx: Transaction, link: LinkId, now: datetime) -> CaseId:
    """End a link; raise NotFound. Returns its case."""
    case = tx.value(
        "UPDATE clearwell.link SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL RETURNING case_id", id=link, now=now
    )
    if case is None:
        raise NotFound("there is no such link in force")
    return CaseId(case)


# -- statements, fixes, contacts -------------------------------------------------------------------------------


def insert_statement(
    tx: Transaction, statement_id: str, case: CaseId, participant: ParticipantId, kind: str, detail: str, now: datetime
) -> None:
    """Store what a maintainer stated."""
    tx.execute(
        """
        INSERT INTO clearwell.statement (id, case_id, participant_id, kind, detail, made_at)
        VALUES (%(id)s, %(case)s, %(participant)s, %(kind)s, %(detail)s, %(now)s)
        """,
        id=statement_id,
        case=case,
        participant=participant,
        kind=kind,
        detail=detail,
        now=now,
    )


def statements_of(tx: Transaction, case: CaseId) -> tuple[Row, ...]:
    """Statements on a case: `kind`, `detail`, `made_at`, `participant_id`."""
    return tx.rows("SELECT kind, detail, made_at, participant_id FROM clearwell.statement WHERE case_id = %(case)s ORDER BY id", case=case)


def set_report_state(tx: Transaction, participant: ParticipantId, state: str) -> None:
    """Store a participant's own report state (RM)."""
    tx.execute("UPDATE clearwell.participant SET report_state = %(state)s WHERE id = %(id)s", id=participant, state=state)


def insert_fix(tx: Transaction, fix: Fix) -> None:
    """Store a claimed fix."""
    tx.execute(
        """
        INSERT INTO clearwell.fix (id, case_id, kind, version, patch_address, claimed_by, claimed_at, state)
        VALUES (%(id)s, %(case)s, %(kind)s, %(version)s, %(patch_address)s, %(claimed_by)s, %(claimed_at)s, %(state)s)
        """,
        **{
            name: value
            for name, value in msgspec.structs.asdict(fix).items()
            if name not in {"reason", "diff_address", "diff_sha256", "distributed_at", "ladder"}
        },
    )


def load_fix(tx: Transaction, fix: RemediationId, lock: bool = False) -> Fix:
    """Load a fix; raise NotFound."""
    row = tx.row(f"{_FIX} WHERE id = %(id)s {'FOR UPDATE' if lock else ''}", id=fix)
    if row is None:
        raise NotFound("there is no such fix, or none that you may see")
    return msgspec.convert(row, Fix)


def fixes_of(tx: Transaction, case: CaseId) -> tuple[Fix, ...]:
    """A case's claimed fixes, oldest first."""
    return tuple(msgspec.convert(row, Fix) for row in tx.rows(f"{_FIX} WHERE case_id = %(case)s ORDER BY id", case=case))


def save_fix(tx: Transaction, fix: Fix) -> None:
    """Write a fix's outcome back."""
    tx.execute(
        """
        UPDATE clearwell.fix SET state = %(state)s, reason = %(reason)s, diff_address = %(diff)s, diff_sha256 = %(sha)s,
               distributed_at = %(at)s, ladder = %(ladder)s
        WHERE id = %(id)s
        """,
        id=fix.id,
        state=fix.state,
        reason=fix.reason,
        diff=fix.diff_address,
        sha=fix.diff_sha256,
        at=fix.distributed_at,
        ladder=as_json(fix.ladder) if fix.ladder is not None else None,
    )


def save_contact(tx: Transaction, contact: Contact, by: str, now: datetime) -> None:
    """Record or replace a component's maintainer."""
    tx.execute(
        """
        INSERT INTO clearwell.maintainer_contact (component, name, contact, origin, open_reports_limit, recorded_by, recorded_at)
        VALUES (%(component)s, %(name)s, %(contact)s, %(origin)s, %(open_reports_limit)s, %(by)s, %(now)s)
        ON CONFLICT (component) DO UPDATE SET name = EXCLUDED.name, contact = EXCLUDED.contact, origin = EXCLUDED.origin,
            open_reports_limit = EXCLUDED.open_reports_limit, recorded_by = EXCLUDED.recorded_by, recorded_at = EXCLUDED.recorded_at
        """,
        **msgspec.structs.asdict(contact),
        by=by,
        now=now,
    )


def contact_of(tx: Transaction, component: str) -> Contact | None:
    """The recorded maintainer of a component, or None."""
    row = tx.row(
        "SELECT component, name, contact, origin, open_reports_limit FROM clearwell.maintainer_contact WHERE component = %(c)s", c=component
    )
    return msgspec.convert(row, Contact) if row else None


def queue_of_contact(tx: Transaction, contact: str) -> tuple[Queued, ...]:
    """The open proven cases of every component that one contact maintains, for the contact's limit."""
    rows = tx.rows(
        """
        SELECT c.id AS case, c.priority, c.first_received, c.ends_at - interval '14 days' AS remind_from, c.presented_at IS NOT NULL AS presented
        FROM clearwell.vulnerability_case c JOIN clearwell.maintainer_contact m ON m.component = c.component
        WHERE m.contact = %(contact)s AND c.standing = 'proven' AND c.merged_into IS NULL
        """,
        contact=contact,
    )
    return tuple(msgspec.convert(row, Queued) for row in rows)


def _case(row: Row) -> KeptCase:
    """A row to its nouns. Every column has its field's name; the inner noun takes its own from the same row, which is walked once."""
    row["state"], row["case"] = CaseState(row["letters"]), row
    for name in _SELDOM:
        if row[name] is None:
            del row[name]
    return msgspec.convert(row, KeptCase)
