# SPDX-License-Identifier: Apache-2.0
"""Migrations: numbered SQL files, forward only, applied once under an advisory lock that dies with its holder."""

import re
from collections.abc import Callable
from contextlib import closing
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.rows import dict_row
from yoyo import get_backend, read_migrations

from clearwell.ground.storage.database import Row
from clearwell.ground.storage.embedded import APPLICATION, PROVER
from clearwell.vocabulary.errors import Unavailable

_LOCK = 0x636C6561727765  # "clearwe"; any process of ours that migrates takes it first
_NAME = "clearwell-migrate"  # the session that applies the files

Step = Callable[[psycopg.Connection[Row]], bool | None]
"""Something to do with the migrations (the job queue's own schema), in a transaction of its own; again, in another, while it says True."""


def migrate(url: str, steps: tuple[Step, ...] = (), folder: Path | None = None) -> tuple[str, ...]:
    """Apply what is missing as the owner; return the ids applied. Two processes at once apply each file once.

    yoyo's own lock is a committed row that a kill leaves behind; ours is the session's, so that row is broken first.
    """
    try:
        guard = psycopg.connect(url, autocommit=True, row_factory=dict_row)
    except psycopg.OperationalError as reason:
        raise Unavailable(f"no database answers the owner's address (CLEARWELL_MIGRATE_URL): {reason}") from None
    with closing(guard):
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        guard.execute(_END_LEFTOVERS, (_NAME,))
        guard.execute("CREATE SCHEMA IF NOT EXISTS clearwell")
        guard.execute("CREATE SCHEMA IF NOT EXISTS clearwell_migrations")
        applied = _apply_files(url, folder)
        for step in steps:
            more: bool | None = True
            while more:
                with guard.transaction():
                    more = step(guard)
        _grant(guard)
        return applied


def known_migrations() -> frozenset[str]:
    """The ids of the migrations that this release brings."""
    folder = resources.files(__package__).joinpath("migrations")
    return frozenset(file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql"))


def pending(url: str) -> bool:
    """True when the application's role sees that a migration of this release is missing."""
    names = known_migrations()
    with psycopg.connect(url, row_factory=dict_row) as connection:
        try:
            found = connection.execute("SELECT migration_id FROM clearwell_migrations._yoyo_migration").fetchall()
        except psycopg.Error:
            return True
    return bool(names - {row["migration_id"] for row in found})


# The server notices that a client was killed only when it next speaks to it: a statement under way keeps its locks until then.
_END_LEFTOVERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE application_name = %s AND datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def _apply_files(url: str, folder: Path | None) -> tuple[str, ...]:
    with resources.as_file(resources.files(__package__).joinpath("migrations")) as packaged:
        migrations = read_migrations(str(folder or packaged))
        backend = get_backend(_yoyo_address(url))
        with closing(backend.connection):
            backend.break_lock()
            missing = backend.to_apply(migrations)
            names = tuple(migration.id for migration in missing)
            with backend.lock():
                backend.apply_migrations(missing)
            return names


def _yoyo_address(url: str) -> str:
    """Translate a libpq address into yoyo's form; its tables live in a schema of their own."""
    parts = {key: str(value) for key, value in psycopg.conninfo.conninfo_to_dict(url).items() if value is not None}
    user, password = parts.pop("user", ""), parts.pop("password", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host, database = parts.pop("host", ""), parts.pop("dbname", "")
    if not host.startswith("/"):
        place = host + (f":{parts.pop('port')}" if "port" in parts else "")
    else:
        place = ""
        parts["host"] = host
    parts["schema"] = "clearwell_migrations"
    parts["application_name"] = _NAME
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items())
    return f"postgresql+psycopg://{login}@{place}/{quote(database, safe='')}?{query}"


def _grant(connection: psycopg.Connection[Row]) -> None:
    """Give the application's role its rights anew: use and change rows, own nothing, alter nothing."""
    for statement in GRANTS:
        connection.execute(re.sub(r"\s+", " ", statement).encode())


GRANTS: tuple[str, ...] = (
    f"GRANT USAGE ON SCHEMA clearwell, clearwell_migrations TO {APPLICATION}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA clearwell_migrations TO {APPLICATION}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clearwell TO {APPLICATION}",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA clearwell TO {APPLICATION}",
    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA clearwell TO {APPLICATION}",
    # What is written once stays: the ledger's rows and the reports as received.
    f"REVOKE UPDATE, DELETE, TRUNCATE ON clearwell.ledger_entry FROM {APPLICATION}",
    f"GRANT UPDATE (log_index) ON clearwell.ledger_entry TO {APPLICATION}",
    f"REVOKE DELETE, TRUNCATE ON clearwell.submission, clearwell.finding, clearwell.answer FROM {APPLICATION}",
    # A restored database has no grants, and so no revocations either.
    "REVOKE ALL ON SCHEMA prover FROM PUBLIC",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA prover FROM PUBLIC",
    # A proving worker apart may call three functions and see no table. (A server of one's own may lack the role: nobody needs it there.)
    f"""
    DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{PROVER}') THEN
        GRANT USAGE ON SCHEMA prover TO {PROVER};
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA prover TO {PROVER};
    END IF; END $$
    """,
)
