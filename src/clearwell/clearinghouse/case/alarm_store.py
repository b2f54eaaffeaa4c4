# SPDX-License-Identifier: Apache-2.0
"""Alarms of the proving ground, as rows: each stops the proving queue until a person resumes it."""

from datetime import datetime

import msgspec

from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import AlarmId, ProofId


class Alarm(msgspec.Struct, frozen=True):
    """A run whose canary was heard outside its box: which proof's (None: a look at cited source), how it got out, and who let the queue go on and why."""

    id: AlarmId
    proof: ProofId | None
    raised_at: datetime
    reason: str
    resumed_at: datetime | None = None
    resumed_by: str | None = None
    because: str | None = None


_ALARM = "SELECT id, proof_id AS proof, raised_at, reason, resumed_at, resumed_by, because FROM clearwell.proving_alarm"


def insert_alarm(tx: Transaction, alarm: Alarm) -> None:
    """Store a new alarm; from its commit on the queue is stopped."""
    tx.execute(
        "INSERT INTO clearwell.proving_alarm (id, proof_id, raised_at, reason) VALUES (%(id)s, %(proof)s, %(raised_at)s, %(reason)s)",
        id=alarm.id,
        proof=alarm.proof,
        raised_at=alarm.raised_at,
        reason=alarm.reason,
    )


def open_alarms(tx: Transaction) -> tuple[Alarm, ...]:
    """The alarms that nobody has answered, oldest first; empty when the queue may run."""
    return tuple(msgspec.convert(row, Alarm) for row in tx.rows(f"{_ALARM} WHERE resumed_at IS NULL ORDER BY id LIMIT 100"))


def answer_alarms(tx: Transaction, at: datetime, by: str, because: str) -> tuple[Alarm, ...]:
    """Mark every open alarm as answered; return them as they are now."""
    rows = tx.rows(
        """
        UPDATE clearwell.proving_alarm SET resumed_at = %(at)s, resumed_by = %(by)s, because = %(because)s WHERE resumed_at IS NULL
        RETURNING id, proof_id AS proof, raised_at, reason, resumed_at, resumed_by, because
        """,
        at=at,
        by=by,
        because=because,
    )
    return tuple(msgspec.convert(row, Alarm) for row in rows)
