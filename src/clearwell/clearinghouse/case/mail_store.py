# SPDX-License-Identifier: Apache-2.0
"""Queued mail in the database: sealed until it is sent, forgotten then."""

from datetime import datetime

from clearwell.ground.storage.database import Transaction


def insert(tx: Transaction, mail_id: str, sealed: bytes, now: datetime) -> None:
    """Queue a sealed mail."""
    tx.execute(
        "INSERT INTO clearwell.mail (id, sealed, created_at) VALUES (%(id)s, %(sealed)s, %(now)s)", id=mail_id, sealed=sealed, now=now
    )


def take(tx: Transaction, mail_id: str) -> bytes | None:
    """Lock a mail that was not sent and return it sealed; None when it was."""
    sealed = tx.value("SELECT sealed FROM clearwell.mail WHERE id = %(id)s AND sent_at IS NULL FOR UPDATE", id=mail_id)
    return None if sealed is None else bytes(sealed)


def mark_sent(tx: Transaction, mail_id: str, now: datetime) -> None:
    """Say that a mail left, and forget its text."""
    tx.execute("UPDATE clearwell.mail SET sent_at = %(now)s, sealed = NULL WHERE id = %(id)s", id=mail_id, now=now)
