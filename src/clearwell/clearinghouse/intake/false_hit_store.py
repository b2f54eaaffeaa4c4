# SPDX-License-Identifier: Apache-2.0
"""Intake in the database: which omissions of which findings their originator calls no private word, and projections computed anew."""

from datetime import datetime

from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.ids import SubmissionId


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


def false_hits(tx: Transaction, submission: SubmissionId) -> dict[int, set[int]]:
    """The false hits of a submission: position of the finding -> numbers of its omissions."""
    rows = tx.rows("SELECT position, number FROM clearwell.false_hit WHERE submission_id = %(submission)s", submission=submission)
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row["position"], set()).add(row["number"])
    return found


def save_projection(tx: Transaction, finding: KeptFinding) -> None:
    """Store a finding's title and body as they are shown now."""
    tx.execute(
        "UPDATE clearwell.finding SET title = %(title)s, body = %(body)s WHERE id = %(id)s",
        id=finding.id,
        title=finding.title,
        body=as_json(finding.body),
    )
