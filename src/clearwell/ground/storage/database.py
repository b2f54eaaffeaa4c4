# SPDX-License-Identifier: Apache-2.0
"""The database: a pool of the application's connections, and transactions that are always opened as somebody."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool

from clearwell.ground.storage.bulk import insertion
from clearwell.vocabulary.errors import Conflict, Invalid, Unavailable

Row = dict[str, Any]
"""One row as the driver gives it; a store turns it into a noun before it leaves."""

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


def as_json(value: Any) -> Jsonb:
    """Wrap a value for a jsonb column; NUL characters, which PostgreSQL cannot store, are shown as U+2400."""
    return Jsonb(value, dumps=_dump)


def _dump(value: Any) -> bytes:
    encoded = msgspec.json.encode(value)
    return _NUL.sub(rb"\1" + "␀".encode(), encoded) if b"\\u0000" in encoded else encoded


_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL as JSON writes it: not the six characters that somebody wrote out, before which the backslash stands doubled."""

_ROWS, _LONGEST = 1_000, 8 * 1024 * 1024
"""Rows of one statement at most, and characters of its parameters: what the server holds several times over while it inserts."""


class Scope(msgspec.Struct, frozen=True):
    """As whom a transaction sees rows: what row-level security reads. All empty sees nothing.

    `system` is a named system actor (`system:dedupe`); `organization` with its `kind` and a `person` for members;
    `case` and `participant` for a maintainer's link. At most one of the three is set.
    """

    organization: str = ""
    kind: str = ""
    person: str = ""
    system: str = ""
    case: str = ""
    participant: str = ""


NOBODY = Scope()
"""Nobody: such a transaction sees no protected row."""

_SET_SCOPE = """
SELECT set_config('clearwell.organization', %(organization)s, true),
       set_config('clearwell.kind', %(kind)s, true),
       set_config('clearwell.person', %(person)s, true),
       set_config('clearwell.system', %(system)s, true),
       set_config('clearwell.case', %(case)s, true),
       set_config('clearwell.participant', %(participant)s, true)
"""


class Transaction:
    """An open transaction as somebody. Statements are SQL text with `%(name)s` parameters; rows come as dicts."""

    def __init__(self, connection: psycopg.Connection[Row], scope: Scope) -> None:
        self.connection = connection
        self.scope = scope
        self.after_commit: list[Any] = []

    def execute(self, statement: str, **values: Any) -> int:
        """Run a statement; return how many rows it touched."""
        return self.connection.execute(statement.encode(), values).rowcount

    def rows(self, statement: str, **values: Any) -> tuple[Row, ...]:
        """Run a query; return all its rows."""
        return tuple(self.connection.execute(statement.encode(), values).fetchall())

    def row(self, statement: str, **values: Any) -> Row | None:
        """Run a query; return its first row or None."""
        return self.connection.execute(statement.encode(), values).fetchone()

    def value(self, statement: str, **values: Any) -> Any:
        """Run a query of one column; return the first row's value or None."""
        row = self.row(statement, **values)
        return next(iter(row.values())) if row else None

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], on_conflict: str = "") -> int:
        """Insert many rows, a thousand in one statement (bulk.py says how), or fewer where they are long. Returns how many were touched."""
        left, touched = iter(rows), 0
        while some := list(islice(left, _ROWS)):
            touched += self._insert(table, columns, some, on_conflict)
        return touched

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], on_conflict: str) -> int:
        made = insertion(table, columns, rows, on_conflict)
        if made.size > _LONGEST and len(rows) > 1:
            half = len(rows) // 2
            return sum(self._insert(table, columns, part, on_conflict) for part in (rows[:half], rows[half:]))
        return self.execute(made.statement, **made.values)

    def take_turns(self, about: str, names: Iterable[str]) -> None:
        """Wait until no other transaction holds one of these names, and hold them to the end; in one order, so never in a circle."""
        self.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(n, 0)) FROM (SELECT n FROM unnest(%(names)s::text[]) n ORDER BY n) ordered",
            names=sorted({f"{about} {name}" for name in names}),
        )

    @contextmanager
    def acting_as(self, scope: Scope) -> Iterator["Transaction"]:
        """Go on as somebody else within the same transaction, then back: the only way for a stage to switch."""
        before = self.scope
        self._become(scope)
        try:
            yield self
        finally:
            if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                self._become(before)
            self.scope = before  # after an error the database undoes its part itself, with the savepoint or the transaction

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that may fail alone: an error inside undoes only it."""
        with self.connection.transaction():
            yield

    def _become(self, scope: Scope) -> None:
        self.connection.execute(_SET_SCOPE, msgspec.structs.asdict(scope))
        self.scope = scope


class Database:
    """The application's pool. Refuses roles that could see past row-level security."""

    def __init__(self, url: str, size: int = 8) -> None:
        self._url = url
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            _with_defaults(url),
            min_size=1,
            max_size=size,
            open=False,
            timeout=20,
            kwargs={"row_factory": dict_row},
            check=ConnectionPool.check_connection,
            name="clearwell",
        )

    @property
    def url(self) -> str:
        """The address, for the job queue's own connections. It may hold a password: never print it."""
        return self._url

    def open(self) -> None:
        """Connect; raise Unavailable if the server is not there or the role could bypass row-level security."""
        try:
            self._pool.open(wait=True, timeout=20)
        except psycopg.Error as reason:
            self._pool.close()
            raise Unavailable(f"no database answers: {reason}") from None
        with self._pool.connection() as connection:
            refuse_strong_role(connection)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    @contextmanager
    def transaction(self, scope: Scope) -> Iterator[Transaction]:
        """Open a transaction as `scope`; commit at the end, roll back on any error. Driver errors become ours."""
        try:
            with self._pool.connection() as connection:
                tx = Transaction(connection, scope)
                with connection.transaction():
                    tx._become(scope)
                    yield tx
            for act in tx.after_commit:
                act()
        except (psycopg.OperationalError, psycopg.errors.AdminShutdown) as reason:
            raise Unavailable(f"the database is not there or ended the session; try again ({type(reason).__name__})") from reason
        except psycopg.errors.UniqueViolation as reason:
            raise Conflict("this exists already") from reason
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as reason:
            raise Conflict("somebody else changed this at the same time; try again") from reason
        except psycopg.DataError as reason:
            raise Invalid("the input holds what the database cannot store (for example a NUL character)") from reason


def refuse_strong_role(connection: psycopg.Connection[Row]) -> None:
    """Raise Unavailable if the connected role is a superuser, may bypass row-level security or owns a table of ours."""
    row = connection.execute(
        """
        SELECT rolname, rolsuper, rolbypassrls,
               EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname IN ('clearwell', 'procrastinate') AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns
        FROM pg_roles WHERE rolname = current_user
        """
    ).fetchone()
    if row is None or row["rolsuper"] or row["rolbypassrls"] or row["owns"]:
        name = row["rolname"] if row else "?"
        raise Unavailable(
            f"the role {name} is a superuser, may bypass row-level security or owns the tables: "
            "log in as the application's role (clearwell migrate --print-roles shows how to make it)"
        )


def _with_defaults(url: str) -> str:
    settings: dict[str, Any] = dict(psycopg.conninfo.conninfo_to_dict(url))
    settings.setdefault("connect_timeout", 5)
    settings.setdefault("application_name", "clearwell")
    settings["options"] = "-c search_path=clearwell,procrastinate -c statement_timeout=60000 -c idle_in_transaction_session_timeout=120000"
    return psycopg.conninfo.make_conninfo(**settings)
