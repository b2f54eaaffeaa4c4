# SPDX-License-Identifier: Apache-2.0
"""What was asked, in the database: keyed hashes and whether the answer was positive, for budgets and the alarm. No signature is kept."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import FindingId, OrganizationId


def insert_asked(tx: Transaction, organization: OrganizationId, keyed: Sequence[tuple[bytes, bool]], at: datetime) -> None:
    """Store what an organization asked: (keyed hash of the signature, whether the answer was positive)."""
    tx.insert_many(
        "clearwell.asked_signature",
        ("organization_id", "keyed_hash", "positive", "asked_at"),
        ((organization, key, positive, at) for key, positive in keyed),
    )


def counted_since(tx: Transaction, organization: OrganizationId, since: datetime) -> tuple[int, int]:
    """How many signatures an organization asked about since then, and how many answers were positive."""
    row = tx.row(
        """
        SELECT count(*) AS asked, count(*) FILTER (WHERE positive) AS positive
        FROM clearwell.asked_signature WHERE organization_id = %(organization)s AND asked_at > %(since)s
        """,
        organization=organization,
        since=since,
    )
    return (row["asked"], row["positive"]) if row else (0, 0)


def raise_alarm(tx: Transaction, organization: OrganizationId, asked: int, positive: int, at: datetime) -> None:
    """Remember that an organization was told "known" suspiciously often; one row a day, with the latest counts."""
    tx.execute(
        """
        INSERT INTO clearwell.asking_alarm (organization_id, day, asked, positive, raised_at)
        VALUES (%(organization)s, %(day)s, %(asked)s, %(positive)s, %(at)s)
        ON CONFLICT (organization_id, day) DO UPDATE SET asked = excluded.asked, positive = excluded.positive
        """,
        organization=organization,
        day=at.date(),
        asked=asked,
        positive=positive,
        at=at,
    )


def has_alarm(tx: Transaction, organization: OrganizationId, at: datetime) -> bool:
    """Whether the alarm about an organization was raised on this day already."""
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT FROM clearwell.asking_alarm WHERE organization_id = %(organization)s AND day = %(day)s)",
            organization=organization,
            day=at.date(),
        )
    )


def alarms(tx: Transaction, limit: int = 50) -> tuple[Row, ...]:
    """The newest alarms, for coordinators: organization, day, how many asked and how many positive."""
    return tx.rows(
        """
        SELECT a.organization_id AS organization, o.name, a.day, a.asked, a.positive, a.raised_at
        FROM clearwell.asking_alarm a JOIN clearwell.organization o ON o.id = a.organization_id
        ORDER BY a.day DESC, a.organization_id LIMIT %(limit)s
        """,
        limit=limit,
    )


def forget_before(tx: Transaction, moment: datetime) -> int:
    """Remove what was asked before then; the ledger keeps that it was asked."""
    return tx.execute("DELETE FROM clearwell.asked_signature WHERE asked_at < %(moment)s", moment=moment)


# scrutineer's claim check: salted hashes of what is held ------------------------------------------------------------


def unhashed_findings(tx: Transaction, after: str, salt_mark: bytes, limit: int) -> tuple[tuple[FindingId, Finding], ...]:
    """Findings behind this id that were not hashed with this salt, in the order of ids."""
    rows = tx.rows(
        """
        SELECT f.id, f.body FROM clearwell.finding f
        WHERE f.id > %(after)s
          AND NOT EXISTS (SELECT FROM clearwell.claim_hash h WHERE h.finding_id = f.id AND h.salt_mark = %(salt_mark)s)
        ORDER BY f.id LIMIT %(limit)s
        """,
        after=after,
        salt_mark=salt_mark,
        limit=limit,
    )
    return tuple((row["id"], msgspec.convert(row["body"], Finding)) for row in rows)


def insert_claim_hashes(tx: Transaction, rows: Sequence[tuple[bytes | None, str]], salt_mark: bytes) -> None:
    """Store the salted hash of each finding; None where it names no repository and place (so that it is not looked at again)."""
    tx.insert_many(
        "clearwell.claim_hash",
        ("hash", "finding_id", "salt_mark"),
        ((hashed, finding, salt_mark) for hashed, finding in rows),
        on_conflict="ON CONFLICT DO NOTHING",
    )


def last_hashed(tx: Transaction, salt_mark: bytes) -> str:
    """The id of the newest finding that was hashed with this salt, or an empty text."""
    return str(tx.value("SELECT max(finding_id) FROM clearwell.claim_hash WHERE salt_mark = %(mark)s", mark=salt_mark) or "")


def has_claim(tx: Transaction, hashed: bytes, salt_mark: bytes) -> bool:
    """Whether a finding with this salted hash is held that is neither refused nor a duplicate."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT FROM clearwell.claim_hash h JOIN clearwell.finding f ON f.id = h.finding_id
                           WHERE h.hash = %(hashed)s AND h.salt_mark = %(mark)s AND f.answer NOT IN ('refused', 'duplicate'))
            """,
            hashed=hashed,
            mark=salt_mark,
        )
    )
