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
    """A source archive or git bundle that somebody sent along with reports. Its bytes lie sealed, held by its own id."""

    id: SourceId
    organization: OrganizationId
    sent_by: str
    name: str
    address: str
    size: int
    received_at: datetime


_SOURCE = (
    "SELECT s.id, s.organization_id AS organization, s.sent_by, s.name, s.address, s.size, s.received_at FROM clearwell.source_archive s"
)


def insert_source(tx: Transaction, source: SourceArchive) -> None:
    """Store a source archive's row."""
    tx.execute(
        """
        INSERT INTO clearwell.source_archive (id, organization_id, sent_by, name, address, size, received_at)
        VALUES (%(id)s, %(organization)s, %(sent_by)s, %(name)s, %(address)s, %(size)s, %(received_at)s)
        """,
        **msgspec.structs.asdict(source),
    )


def load_source(tx: Transaction, source: SourceId) -> SourceArchive:
    """Load a source archive that the transaction may see; raise NotFound."""
    row = tx.row(f"{_SOURCE} WHERE s.id = %(id)s", id=source)
    if row is None:
        raise NotFound("there is no such source archive, or none that you may see")
    return msgspec.convert(row, SourceArchive)


def source_of_submission(tx: Transaction, submission: SubmissionId) -> SourceArchive | None:
    """The source archive that was sent along with a report, or None."""
    row = tx.row(f"{_SOURCE} JOIN clearwell.submission b ON b.source_id = s.id WHERE b.id = %(id)s", id=submission)
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
