# SPDX-License-Identifier: Apache-2.0
"""The ledger's writing side: an entry in the act's own transaction, and a job for each who subscribed to its type."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.ledger.entries import Entry, encode
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.ids import EntryId

Subscriber = Callable[[Entry, EntryId], Job | None]
"""Asked when an entry is written: the job to defer in the same transaction, or None."""


class Line(msgspec.Struct, frozen=True):
    """An entry as stored: `index` is None until the sequencer has given it its place in the log."""

    id: EntryId
    type: str
    at: datetime
    body: bytes
    index: int | None


class Ledger:
    """Appends entries. `new_id` and `now` come from the house, so that a test decides chance and time."""

    def __init__(
        self, new_id: Callable[[], EntryId], now: Callable[[], datetime], subscribers: Mapping[str, tuple[Subscriber, ...]]
    ) -> None:
        self._new_id, self._now, self._subscribers = new_id, now, subscribers

    def append(self, tx: Transaction, entry: Entry, by: str, acting_as: str | None = None) -> EntryId:
        """Write an entry in the caller's transaction, and defer the jobs of its subscribers in the same one."""
        entry_id, at = self._new_id(), self._now()
        body, salts = encode(entry, entry_id, by, acting_as, at)
        tx.execute(
            "INSERT INTO clearwell.ledger_entry (id, type, about, written_at, body) VALUES (%(id)s, %(type)s, %(about)s, %(at)s, %(body)s)",
            id=entry_id,
            type=entry.type,
            about=entry.about,
            at=at,
            body=body,
        )
        for salt in salts:
            tx.execute(
                """
                INSERT INTO clearwell.ledger_salt (entry_id, field, organization_id, case_id, salt)
                VALUES (%(entry)s, %(field)s, %(organization)s, %(case)s, %(salt)s)
                """,
                entry=entry_id,
                field=salt.field,
                organization=salt.organization,
                case=salt.case,
                salt=salt.salt,
            )
        jobs = [job for ask in self._subscribers.get(entry.type, ()) if (job := ask(entry, entry_id)) is not None]
        defer(tx, jobs)
        return entry_id


def entries_about(tx: Transaction, about: str, kind: str, since: datetime) -> int:
    """How many entries of one type were written about one id since then (for limits on how often something may be done)."""
    return int(
        tx.value(
            "SELECT count(*) FROM clearwell.ledger_entry WHERE about = %(about)s AND type = %(type)s AND written_at > %(since)s",
            about=about,
            type=kind,
            since=since,
        )
    )


def has_entry(tx: Transaction, about: str, kind: str, by: str, **payload: str) -> bool:
    """True when `by` wrote an entry of one type about one id with these values in its payload (what an act must have been preceded by)."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT FROM clearwell.ledger_entry WHERE about = %(about)s AND type = %(type)s
                           AND convert_from(body, 'UTF8')::jsonb @> %(said)s)
            """,
            about=about,
            type=kind,
            said=as_json({"by": by, "payload": payload}),
        )
    )


def recent_lines(tx: Transaction, before: int | None, limit: int) -> tuple[Line, ...]:
    """The newest lines that have their place, newest first; `before` pages. Public by design."""
    rows = tx.rows(
        """
        SELECT id, type, written_at AS at, body, log_index AS index FROM clearwell.ledger_entry
        WHERE log_index IS NOT NULL AND (%(before)s::bigint IS NULL OR log_index < %(before)s) ORDER BY log_index DESC LIMIT %(limit)s
        """,
        before=before,
        limit=limit,
    )
    return tuple(msgspec.convert(row, Line) for row in rows)
