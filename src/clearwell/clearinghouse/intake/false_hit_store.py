# SPDX-License-Identifier: Apache-2.0
"""Intake in the database: which omissions of which findings their originator calls no private word, and projections computed anew."""

from datetime import datetime

import msgspec

from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.ids import FindingId, SubmissionId


class FalseHit(msgspec.Struct, frozen=True):
    """An omission that its originator calls no private word. `word` is the keyed hash of the words, once they were looked up."""

    finding: FindingId
    position: int
    number: int
    word: bytes | None


def insert_false_hit(tx: Transaction, finding: KeptFinding, number: int, by: str, now: datetime) -> bool:
    """Note a false hit; False when it is noted already."""
    return bool(
        tx.execute(
            """
            INSERT INTO clearwell.false_hit (finding_id, number, submission_id, organization_id, position, marked_by, marked_at)
            VALUES (%(finding)s, %(number)s, %(submission)s, %(organization)s, %(position)s, %(by)s, %(now)s)
            ON CONFLICT (finding_id, number) DO NOTHING
            """,
            finding=finding.id,
            number=number,
            submission=finding.submission,
            organization=finding.organization,
            position=finding.position,
            by=by,
            now=now,
        )
    )


def false_hits(tx: Transaction, submission: SubmissionId) -> tuple[FalseHit, ...]:
    """The false hits of a submission."""
    rows = tx.rows(
        "SELECT finding_id AS finding, position, number, word FROM clearwell.false_hit WHERE submission_id = %(s)s ORDER BY position, number",
        s=submission,
    )
    return tuple(msgspec.convert(row, FalseHit) for row in rows)


def set_word(tx: Transaction, hit: FalseHit) -> None:
    """Remember which words a false hit names, by their keyed hash."""
    tx.execute(
        "UPDATE clearwell.false_hit SET word = %(word)s WHERE finding_id = %(finding)s AND number = %(number)s",
        word=hit.word,
        finding=hit.finding,
        number=hit.number,
    )


def delete_false_hit(tx: Transaction, hit: FalseHit) -> None:
    """Forget a false hit that names nothing."""
    tx.execute(
        "DELETE FROM clearwell.false_hit WHERE finding_id = %(finding)s AND number = %(number)s", finding=hit.finding, number=hit.number
    )


def save_projection(tx: Transaction, finding: KeptFinding) -> None:
    """Store a finding's title and body as they are shown now."""
    tx.execute(
        "UPDATE clearwell.finding SET title = %(title)s, body = %(body)s WHERE id = %(id)s",
        id=finding.id,
        title=finding.title,
        body=as_json(finding.body),
    )
