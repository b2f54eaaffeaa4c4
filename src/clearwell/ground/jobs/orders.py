# SPDX-License-Identifier: Apache-2.0
"""Orders for workers apart: the hub places sealed orders as rows; a worker takes one at a time through a role that sees no table.

What is handed in defers the job that placed the order again, in the same statement. Nothing here knows what an order is about.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from clearwell.ground.jobs.queue import Job, as_row
from clearwell.ground.storage.database import Transaction
from clearwell.ground.storage.embedded import PROVER
from clearwell.vocabulary.errors import Conflict, Unavailable

LEASE_SECONDS = 60
"""An order that was not handed in or held on to for so long is handed out again."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An order on its way out. `key` names what it decides (one order each), `about` the hashes that its result must be about.

    `wrapped_key` is the box's key as the hub keeps it. `not_for` is a worker that should not do it before `not_for_until`. One worker may
    hold it for `most_seconds`, however often it holds on to it.
    """

    id: str
    key: str
    proof: str
    about: dict[str, str]
    job: Job
    sealed: bytes
    wrapped_key: bytes
    placed_at: datetime
    not_for: str | None = None
    not_for_until: datetime | None = None
    most_seconds: int = 3600


class Waiting(msgspec.Struct, frozen=True):
    """An order as the hub finds it again, and the worker that took it last. Handed in without a result: its workers died."""

    id: str
    about: dict[str, str]
    wrapped_key: bytes
    placed_at: datetime
    taken_by: str | None
    is_handed_in: bool
    result: bytes | None


def place(tx: Transaction, order: Placed) -> None:
    """Place an order, unless one of its key stands already."""
    tx.execute(
        """
        INSERT INTO clearwell.work_order
            (id, key, proof_id, about, job, sealed, wrapped_key, placed_at, not_for, not_for_until, most_seconds)
        VALUES (%(id)s, %(key)s, %(proof)s, %(about)s, %(row)s, %(sealed)s, %(wrapped_key)s, %(placed_at)s, %(not_for)s, %(not_for_until)s,
            %(most_seconds)s)
        ON CONFLICT (key) DO NOTHING
        """,
        **{**msgspec.structs.asdict(order), "about": Jsonb(order.about), "row": Jsonb(as_row(order.job))},
    )


def find(tx: Transaction, key: str) -> Waiting | None:
    """The order of a key, or None."""
    row = tx.row(
        """
        SELECT id, about, wrapped_key, placed_at, taken_by, handed_at IS NOT NULL AS is_handed_in, result
        FROM clearwell.work_order WHERE key = %(key)s
        """,
        key=key,
    )
    return msgspec.convert(row, Waiting) if row else None


def settle(tx: Transaction, key: str) -> None:
    """Forget an order: what it showed is applied, or is no longer wanted."""
    tx.execute("DELETE FROM clearwell.work_order WHERE key = %(key)s", key=key)


def forget_escapes(tx: Transaction) -> tuple[tuple[str, str], ...]:
    """Forget the orders of which a worker said that a run got out of its box; return the proof of each, and what was said."""
    rows = tx.rows("DELETE FROM clearwell.work_order WHERE escaped IS NOT NULL RETURNING proof_id, escaped")
    return tuple((row["proof_id"], row["escaped"]) for row in rows)


def forget_proofs(tx: Transaction, proofs: Sequence[str]) -> int:
    """Forget every order that holds a copy of one of these proofs."""
    return tx.execute("DELETE FROM clearwell.work_order WHERE proof_id = ANY(%(proofs)s)", proofs=list(proofs))


def sweep(tx: Transaction, before: datetime) -> int:
    """Forget orders whose results nobody asked for since then."""
    return tx.execute("DELETE FROM clearwell.work_order WHERE handed_at < %(before)s", before=before)


class Taken(msgspec.Struct, frozen=True):
    """An order in a worker's hands, with the lease by which it is held."""

    id: str
    lease: str
    sealed: bytes


class Line:
    """A worker's line to the hub: three functions of the database, and nothing else."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def take(self, worker: str, seconds: int = LEASE_SECONDS) -> Taken | None:
        """Take the oldest order that waits; None when there is none for this worker, or the queue is stopped."""
        row = self._ask("SELECT taken, taken_lease, taken_sealed FROM prover.take(%s, %s)", worker, seconds)
        return Taken(*row) if row else None

    def extend(self, taken: Taken, seconds: int = LEASE_SECONDS) -> None:
        """Go on holding an order, to its longest time at most; raise Conflict when that is over, or it is another's by now."""
        self._insist(self._ask("SELECT prover.extend(%s, %s, %s)", taken.id, taken.lease, seconds))

    def hand_in(self, taken: Taken, result: bytes, escaped: str | None) -> None:
        """Hand in a sealed result; raise Conflict when the order is another's by now."""
        self._insist(self._ask("SELECT prover.hand_in(%s, %s, %s, %s)", taken.id, taken.lease, result, escaped))

    @staticmethod
    def _insist(row: tuple[Any, ...] | None) -> None:
        if row != (True,):
            raise Conflict("the order is held no more: it was taken for a dead worker's, or is settled")

    def _ask(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = _connected(self._url)
            return self._connection.execute(query.encode(), values).fetchone()
        except psycopg.OperationalError as reason:
            raise Unavailable(f"the hub's database does not answer; try again ({type(reason).__name__})") from reason


def _connected(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, autocommit=True, connect_timeout=5, application_name="clearwell prover")
    found = connection.execute("SELECT current_user::text").fetchone()
    if found != (PROVER,):
        connection.close()
        raise Unavailable(f"a proving worker apart logs in as {PROVER} and nobody else: that role sees no table (CLEARWELL_PROVER_URL)")
    return connection
