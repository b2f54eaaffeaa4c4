# SPDX-License-Identifier: Apache-2.0
"""Sanity in the database: what was looked up for each finding, and the source archives that were sent along."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.clearinghouse.validation.assertion import KeptSanity, Sanity
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.ids import FindingId, OrganizationId, SourceId, SubmissionId


class SourceArchive(msgspec.Struct, frozen=True, kw_only=True):
    """A source archive or git bundle that somebody sent along with reports. Its bytes lie sealed, held by its own id.

    From `destroyed_at` on they are gone; the row says that they were there.
    """

    id: SourceId
    organization: OrganizationId
    sent_by: str
    name: str
    address: str
    size: int
    received_at: datetime
    destroyed_at: datetime | None = None


_SOURCE = """
SELECT s.id, s.organization_id AS organization, s.sent_by, s.name, s.address, s.size, s.received_at, s.destroyed_at
FROM clearwell.source_archive s
"""


def insert_source(tx: Transaction, source: SourceArchive) -> None:
    """Store a source archive's row."""
    tx.execute(
        """
        INSERT INTO clearwell.source_archive (id, organization_id, sent_by, name, address, size, received_at)
        VALUES (%(id)s, %(organization)s, %(sent_by)s, %(name)s, %(address)s, %(size)s, %(received_at)s)
        """,
        **msgspec.structs.asdict(source),
    )


def find_source(tx: Transaction, organization: OrganizationId, address: str, name: str) -> SourceArchive | None:
    """The same archive that the organization sent before under the same name and that is still here, or None."""
    row = tx.row(
        f"{_SOURCE} WHERE s.organization_id = %(o)s AND s.address = %(address)s AND s.name = %(name)s AND s.destroyed_at IS NULL LIMIT 1",
        o=organization,
        address=address,
        name=name,
    )
    return msgspec.convert(row, SourceArchive) if row else None


def set_sent_again(tx: Transaction, source: SourceId, now: datetime) -> None:
    """Say that a source archive was sent once more: its time begins anew."""
    tx.execute("UPDATE clearwell.source_archive SET sent_last_at = %(now)s WHERE id = %(id)s", id=source, now=now)


_OUT_OF_TIME = """
s.destroyed_at IS NULL AND coalesce(s.sent_last_at, s.received_at) < %(unnamed)s
AND NOT EXISTS (
    SELECT FROM clearwell.submission b WHERE b.source_id = s.id AND (
        b.state = 'received' OR b.received_at >= %(named)s OR coalesce(s.sent_last_at, s.received_at) >= %(named)s
        OR EXISTS (
            SELECT FROM clearwell.finding f JOIN clearwell.vulnerability_case c ON c.id = f.case_id
            WHERE f.submission_id = b.id AND c.standing IN ('unproven', 'proven'))))
"""


def sources_out_of_time(tx: Transaction, unnamed: datetime, named: datetime, after: str, most: int) -> tuple[SourceArchive, ...]:
    """Source archives that nothing needs any longer, in the order of their ids, behind `after`.

    One that no report names: sent before `unnamed`. One that some do: sent and named before `named`, with every report read and each
    of their findings in a case that is closed.
    """
    rows = tx.rows(
        f"{_SOURCE} WHERE s.id > %(after)s AND {_OUT_OF_TIME} ORDER BY s.id LIMIT %(most)s",
        unnamed=unnamed,
        named=named,
        after=after,
        most=most,
    )
    return tuple(msgspec.convert(row, SourceArchive) for row in rows)


def is_out_of_time(tx: Transaction, source: SourceId, unnamed: datetime, named: datetime) -> bool:
    """True for one of `sources_out_of_time`."""
    return tx.row(f"{_SOURCE} WHERE s.id = %(id)s AND {_OUT_OF_TIME}", id=source, unnamed=unnamed, named=named) is not None


def set_destroyed(tx: Transaction, source: SourceId, now: datetime) -> None:
    """Say that a source archive's bytes are gone."""
    tx.execute("UPDATE clearwell.source_archive SET destroyed_at = %(now)s WHERE id = %(id)s", id=source, now=now)


def load_source(tx: Transaction, source: SourceId) -> SourceArchive:
    """Load a source archive that the transaction may see; raise NotFound."""
    row = tx.row(f"{_SOURCE} WHERE s.id = %(id)s", id=source)
    if row is None:
        raise NotFound("there is no such source archive, or none that you may see")
    return msgspec.convert(row, SourceArchive)


def source_of_submission(tx: Transaction, submission: SubmissionId) -> SourceArchive | None:
    """The source archive that was sent along with a report, while it is here, or None."""
    row = tx.row(
        f"{_SOURCE} JOIN clearwell.submission b ON b.source_id = s.id WHERE b.id = %(id)s AND s.destroyed_at IS NULL", id=submission
    )
    return msgspec.convert(row, SourceArchive) if row else None


def insert_sanity(tx: Transaction, found: Iterable[tuple[KeptFinding, Sanity]], now: datetime) -> None:
    """Store what was looked up for findings; a later look replaces an earlier one that found something else.

    A look that finds the same changes nothing: the stage may run twice, and `checked_at` says since when this is what is known.
    """
    columns = ("finding_id", "organization_id", "body", "checked_at")
    rows = [(finding.id, finding.organization, as_json(sanity), now) for finding, sanity in found]
    if rows:
        replace = """
            ON CONFLICT (finding_id) DO UPDATE SET body = excluded.body, checked_at = excluded.checked_at
            WHERE sanity.body IS DISTINCT FROM excluded.body
            """
        tx.insert_many("clearwell.sanity", columns, rows, replace)


def sanity_of(tx: Transaction, findings: Sequence[FindingId]) -> dict[FindingId, KeptSanity]:
    """What was looked up for findings that the transaction may see; those that could not be checked at all have none."""
    rows = tx.rows("SELECT finding_id, body, checked_at FROM clearwell.sanity WHERE finding_id = ANY(%(ids)s)", ids=list(findings))
    return {FindingId(row["finding_id"]): KeptSanity(msgspec.convert(row["body"], Sanity), row["checked_at"]) for row in rows}
