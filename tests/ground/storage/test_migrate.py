# SPDX-License-Identifier: Apache-2.0
"""Migrations: an empty database and every released one come forward; two at once migrate once; a kill blocks nothing."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from clearwell import app
from clearwell.ground.storage.embedded import APPLICATION, OWNER
from clearwell.ground.storage.migrate import migrate, pending
from clearwell.vocabulary.ids import spell
from ground.storage.snapshot import FOLDER, load

_OLD = "(key, kind, version, rung, finding_id, submission_id, product_version, proven, case_id, is_head, is_refused)"
MIGRATE = "import sys; from clearwell import app; print(len(app.bring_forward(sys.argv[1])))"
MIGRATE_FOLDER = """
import sys, pathlib
from clearwell.ground.storage.migrate import migrate
migrate(sys.argv[1], folder=pathlib.Path(sys.argv[2]))
"""


@pytest.fixture
def empty(server) -> Iterator[str]:
    """A database with nothing in it."""
    name = server.create("template0")
    yield name
    server.drop(name)


def _tables(url: str) -> dict[str, list[tuple[str, str, bool]]]:
    """Every table of ours with its columns: name, type, not null."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """
            SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('clearwell', 'procrastinate') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
            """
        ).fetchall()
    tables: dict[str, list[tuple[str, str, bool]]] = {}
    for table, *column in rows:
        tables.setdefault(table, []).append((column[0], column[1], column[2]))
    return {table: sorted(columns) for table, columns in tables.items()}


def _policies(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'clearwell' ORDER BY 1, 2"
        ).fetchall()


def test_an_empty_database_comes_forward_once(server, empty: str) -> None:
    assert pending(server.url(APPLICATION, server.template)) is False

    applied = app.bring_forward(server.url(OWNER, empty))

    assert applied and applied[0].startswith("0001_")
    assert list(applied) == sorted(applied)
    assert app.bring_forward(server.url(OWNER, empty)) == ()
    assert pending(server.url(APPLICATION, empty)) is False


def test_the_application_sees_that_migrations_are_missing(server, empty: str) -> None:
    assert pending(server.url(APPLICATION, empty)) is True


@pytest.mark.parametrize("snapshot", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_a_database_of_a_released_version_comes_forward_with_its_rows(server, empty: str, snapshot: Path) -> None:
    owner = server.url(OWNER, empty)
    load(owner, snapshot)
    with psycopg.connect(owner) as connection:
        before = connection.execute("SELECT id, body, log_index FROM clearwell.ledger_entry ORDER BY id").fetchall()

    app.bring_forward(owner)

    assert before
    assert _tables(owner) == _tables(server.url(OWNER, server.template))
    assert _policies(owner) == _policies(server.url(OWNER, server.template))
    with psycopg.connect(owner) as connection:
        assert connection.execute("SELECT id, body, log_index FROM clearwell.ledger_entry ORDER BY id").fetchall() == before


def test_signatures_that_lay_row_by_row_are_packed_with_all_that_they_said(server, empty: str, tmp_path: Path) -> None:
    owner = server.url(OWNER, empty)
    with resources.as_file(resources.files("clearwell.ground.storage").joinpath("migrations")) as folder:
        for file in folder.glob("*.sql"):
            if file.name < "0019":
                shutil.copy(file, tmp_path)
    _migrate_without_grants(owner, tmp_path)
    one, other, sub, case = (spell(kind, UUID(int=number)) for kind, number in (("finding", 1), ("finding", 2), ("sub", 3), ("case", 4)))
    rows = [  # key, kind, version, rung, finding, submission, product's version, proven, case, is a head, is refused
        (b"p" * 32, "proof", 1, "L0", one, sub, None, False, case, True, False),
        (b"l" * 16, "location", 3, "L1", one, sub, "1,2;3", False, case, True, False),
        (b"c" * 16, "crash", 1, "L1", one, sub, "1.2", True, case, True, False),
        (b"l" * 16, "location", 3, "L1", other, sub, None, False, case, False, True),
        (b"p" * 32, "proof", 1, "L0", other, sub, None, False, case, True, True),
    ]
    with psycopg.connect(owner) as connection:
        connection.cursor().executemany(f"INSERT INTO clearwell.signature {_OLD} VALUES ({', '.join(['%s'] * 11)})", rows)
        connection.execute("INSERT INTO clearwell.answer VALUES (%s, 'org', 1, 'refused', '', now(), 'system:proving')", (other,))

    app.bring_forward(owner)

    numbers = {"proof": 1, "location": 9, "crash": 8}
    with psycopg.connect(owner) as connection:
        sets = connection.execute(
            """
            SELECT k.key, k.kind, k.rule_version, clearwell.id_of('finding', s.finding), clearwell.id_of('sub', s.submission),
                   CASE WHEN k.is_bound THEN s.product_version END, s.is_proven, clearwell.id_of('case', s.in_case), s.refused
            FROM clearwell.signature_set s CROSS JOIN LATERAL clearwell.stated_signatures(s.stated) k
            """
        ).fetchall()
        heads = connection.execute(
            "SELECT key, kind, clearwell.id_of('finding', finding), is_proven, refused FROM clearwell.signature_head"
        ).fetchall()
    assert sorted(sets, key=repr) == sorted(((r[0], numbers[r[1]], r[2], *r[4:9], 2 if r[10] else 0) for r in rows), key=repr)
    assert sorted(heads) == sorted((r[0], numbers[r[1]], r[4], r[7], 2 if r[10] else 0) for r in rows if r[9])


def test_two_processes_at_once_migrate_once(server, empty: str) -> None:
    url = server.url(OWNER, empty)
    both = [subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE, text=True) for _ in range(2)]

    counts = sorted(int(process.communicate(timeout=60)[0]) for process in both)

    assert [process.returncode for process in both] == [0, 0]
    assert counts[0] == 0 and counts[1] > 0
    assert _tables(url) == _tables(server.url(OWNER, server.template))


def test_a_kill_during_a_migration_blocks_nothing(server, empty: str, tmp_path: Path) -> None:
    url = server.url(OWNER, empty)
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE clearwell.one (a int)")
    slow = tmp_path / "0002_two.sql"
    slow.write_text("CREATE TABLE clearwell.two (a int); SELECT pg_sleep(60)")
    with subprocess.Popen([sys.executable, "-c", MIGRATE_FOLDER, url, str(tmp_path)]) as process:
        _wait_until_asleep(url)
        process.kill()
    slow.write_text("CREATE TABLE clearwell.two (a int)")

    started = time.monotonic()
    applied = _migrate_without_grants(url, tmp_path)

    assert applied == ("0002_two",)
    assert time.monotonic() - started < 15
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT (SELECT count(*) FROM clearwell.one) + (SELECT count(*) FROM clearwell.two)").fetchone() == (0,)


def _wait_until_asleep(url: str) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            if connection.execute(query).fetchone():
                return
            connection.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("the migration never began")


def _migrate_without_grants(url: str, folder: Path) -> tuple[str, ...]:
    """Apply a folder of trial files; what the application may do with the real tables does not fit them."""
    try:
        return migrate(url, folder=folder)
    except psycopg.errors.UndefinedTable:
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT migration_id FROM clearwell_migrations._yoyo_migration ORDER BY 1").fetchall()
        return tuple(row[0] for row in rows)[1:]
