# SPDX-License-Identifier: Apache-2.0
"""Intake in the database: quotas and what is used of them, turns, uploads under way. Only intake reads these tables."""

from datetime import datetime

import msgspec

from clearwell.clearinghouse.intake.quota import Quota, Usage
from clearwell.clearinghouse.intake.turn import Turn, next_turn
from clearwell.clearinghouse.intake.upload import Upload
from clearwell.ground.identity.actor import INTAKE
from clearwell.ground.jobs.queue import foremost
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.ids import OrganizationId, SubmissionId, UploadId

_UPLOAD = """
SELECT id, organization_id AS organization, size, received, submission_id AS submission, started_at, idempotency_key AS key,
       joining_until
FROM clearwell.upload
"""


def load_quota(tx: Transaction, organization: OrganizationId, usual: Quota) -> Quota:
    """An organization's quota: what its own row says, else the usual."""
    row = tx.row(
        """
        SELECT findings_per_day, bytes_per_day, submissions_in_flight, proofs_per_day
        FROM clearwell.quota WHERE organization_id = %(organization)s
        """,
        organization=organization,
    )
    own = {name: value for name, value in (row or {}).items() if value is not None}
    return msgspec.structs.replace(usual, **own)


def save_quota(tx: Transaction, organization: OrganizationId, own: dict[str, int | None], now: datetime) -> None:
    """Set an organization's own quota; None is the hub's setting."""
    tx.execute(
        """
        INSERT INTO clearwell.quota (organization_id, findings_per_day, bytes_per_day, submissions_in_flight, proofs_per_day, set_at)
        VALUES (%(organization)s, %(findings_per_day)s, %(bytes_per_day)s, %(submissions_in_flight)s, %(proofs_per_day)s, %(now)s)
        ON CONFLICT (organization_id) DO UPDATE SET findings_per_day = excluded.findings_per_day,
            bytes_per_day = excluded.bytes_per_day, submissions_in_flight = excluded.submissions_in_flight,
            proofs_per_day = excluded.proofs_per_day, set_at = excluded.set_at
        """,
        organization=organization,
        now=now,
        **own,
    )


def usage(tx: Transaction, organization: OrganizationId, since: datetime, but: UploadId | None = None) -> Usage:
    """What an organization sent since then and has under way, within the rows of whoever asks; `but` is an upload not to count."""
    row = tx.row(
        """
        SELECT coalesce(sum(findings), 0)::bigint AS findings,
               coalesce(sum(size), 0)::bigint + (SELECT coalesce(sum(u.size), 0)::bigint FROM clearwell.upload u
                   WHERE u.organization_id = %(o)s AND u.submission_id IS NULL AND u.id IS DISTINCT FROM %(but)s)
               + (SELECT coalesce(sum(a.size), 0)::bigint FROM clearwell.source_archive a
                  WHERE a.organization_id = %(o)s AND a.received_at >= %(since)s) AS size,
               (SELECT count(*) FROM clearwell.submission s WHERE s.organization_id = %(o)s AND s.state = 'received')
               + (SELECT count(*) FROM clearwell.upload u
                  WHERE u.organization_id = %(o)s AND u.submission_id IS NULL AND u.id IS DISTINCT FROM %(but)s) AS in_flight,
               (SELECT count(*) FROM clearwell.proof p WHERE p.organization_id = %(o)s AND p.received_at >= %(since)s) AS proofs
        FROM clearwell.submission WHERE organization_id = %(o)s AND received_at >= %(since)s
        """,
        o=organization,
        since=since,
        but=but,
    )
    return msgspec.convert(row, Usage)


def take_turn(tx: Transaction, organization: OrganizationId, name: str, size: int, is_alone: bool) -> Turn:
    """Give a document of `size` bytes its turn among the jobs of that name, and charge its organization."""
    with tx.acting_as(INTAKE.scope):
        first = foremost(tx, name, below=0)
        served = -first if first is not None else tx.value("SELECT coalesce(max(finish), 0) FROM clearwell.intake_turn")
        own = tx.value(
            "SELECT finish FROM clearwell.intake_turn WHERE organization_id = %(organization)s FOR UPDATE", organization=organization
        )
        turn = next_turn(served, own or 0, size, is_alone)
        tx.execute(
            """
            INSERT INTO clearwell.intake_turn (organization_id, finish) VALUES (%(organization)s, %(finish)s)
            ON CONFLICT (organization_id) DO UPDATE SET finish = greatest(intake_turn.finish, excluded.finish)
            """,
            organization=organization,
            finish=turn.finish,
        )
    return turn


# -- uploads ------------------------------------------------------------------------------------------------------------


def insert_upload(tx: Transaction, upload: Upload) -> None:
    """Store an upload that begins."""
    tx.execute(
        """
        INSERT INTO clearwell.upload (id, organization_id, idempotency_key, size, started_at)
        VALUES (%(id)s, %(organization)s, %(key)s, %(size)s, %(started_at)s)
        """,
        id=upload.id,
        organization=upload.organization,
        key=upload.key,
        size=upload.size,
        started_at=upload.started_at,
    )


def find_upload(tx: Transaction, organization: OrganizationId, key: bytes) -> Upload | None:
    """The upload that the organization began under the same key, or None."""
    row = tx.row(f"{_UPLOAD} WHERE organization_id = %(organization)s AND idempotency_key = %(key)s", organization=organization, key=key)
    return msgspec.convert(row, Upload) if row else None


def load_upload(tx: Transaction, upload: UploadId, lock: bool = False) -> Upload:
    """Load an upload that the transaction may see; raise NotFound."""
    row = tx.row(f"{_UPLOAD} WHERE id = %(id)s {'FOR UPDATE' if lock else ''}", id=upload)
    if row is None:
        raise NotFound("there is no such upload, or none that you may see; begin it again")
    return msgspec.convert(row, Upload)


def insert_piece(tx: Transaction, upload: Upload, address: str, size: int) -> None:
    """Put a piece behind those that are there."""
    tx.execute(
        "INSERT INTO clearwell.upload_piece (upload_id, organization_id, start, address) VALUES (%(id)s, %(o)s, %(start)s, %(address)s)",
        id=upload.id,
        o=upload.organization,
        start=upload.received,
        address=address,
    )
    tx.execute("UPDATE clearwell.upload SET received = received + %(size)s WHERE id = %(id)s", id=upload.id, size=size)


def pieces(tx: Transaction, upload: UploadId) -> tuple[str, ...]:
    """The addresses of an upload's pieces, in order."""
    rows = tx.rows("SELECT address FROM clearwell.upload_piece WHERE upload_id = %(id)s ORDER BY start", id=upload)
    return tuple(row["address"] for row in rows)


def set_joining(tx: Transaction, upload: UploadId, until: datetime | None) -> None:
    """Say until when somebody makes an upload whole; None: nobody any longer."""
    tx.execute("UPDATE clearwell.upload SET joining_until = %(until)s WHERE id = %(id)s", id=upload, until=until)


def finish_upload(tx: Transaction, upload: UploadId, submission: SubmissionId) -> None:
    """Say what an upload became; its pieces are no longer needed."""
    tx.execute("UPDATE clearwell.upload SET submission_id = %(submission)s WHERE id = %(id)s", id=upload, submission=submission)
    tx.execute("DELETE FROM clearwell.upload_piece WHERE upload_id = %(id)s", id=upload)


def delete_uploads(tx: Transaction, before: datetime, most: int) -> tuple[Upload, ...]:
    """Forget uploads that began before then, the oldest first; return them. What another transaction holds is left for the next time."""
    rows = tx.rows(
        """
        DELETE FROM clearwell.upload WHERE id IN (
            SELECT id FROM clearwell.upload WHERE started_at < %(before)s ORDER BY started_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
        RETURNING id, organization_id AS organization, size, received, submission_id AS submission, started_at, idempotency_key AS key,
                  joining_until
        """,
        before=before,
        most=most,
    )
    return tuple(msgspec.convert(row, Upload) for row in rows)
