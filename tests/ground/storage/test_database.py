# SPDX-License-Identifier: Apache-2.0
"""The database: strong roles are refused, nobody sees nothing, and every table that could tell of somebody is guarded by its rows."""

from collections.abc import Callable

import psycopg
import pytest

from clearwell.ground.identity.actor import INTAKE, OrganizationKind
from clearwell.ground.storage.database import NOBODY, Database, Scope
from clearwell.ground.storage.embedded import APPLICATION, OWNER
from clearwell.vocabulary.errors import Conflict, Invalid, Unavailable
from ground.storage.snapshot import populate
from house.rows import database_of
from hub import Hub

OPEN_TABLES = {"clearwell.ledger_entry", "clearwell.job_failure"}
"""Tables without row policies: the ledger's lines are public by design, a failure holds kinds of errors only."""
TELLING = {"organization_id", "case_id", "marking", "participant_id", "person_id", "finding_id", "submission_id", "holder", "proof_id"}
"""A column of one of these names ties a row to somebody or something."""
PUBLIC_TABLES = {"clearwell.advisory", "clearwell.advisory_component"}


@pytest.fixture
def owner(server, hub: Hub) -> str:
    """The owner's address of the hub's database."""
    return server.url(OWNER, database_of(hub))


def _tables(url: str) -> dict[str, tuple[bool, set[str]]]:
    """Every table: whether its rows are guarded, and its columns."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """
            SELECT c.oid::regclass::text, c.relrowsecurity, array_agg(a.attname::text)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE n.nspname = 'clearwell' AND c.relkind IN ('r', 'p', 'm', 'v', 'f') GROUP BY 1, 2
            """
        ).fetchall()
    return {name: (guarded, set(columns)) for name, guarded, columns in rows}


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_could_see_past_row_policies_is_refused(server, hub: Hub, power: str) -> None:
    database = Database(hub.house.database.url)
    server.administer(f"ALTER ROLE {APPLICATION} {power}")
    try:
        with pytest.raises(Unavailable, match="print-roles"):
            database.open()
    finally:
        server.administer(f"ALTER ROLE {APPLICATION} NO{power}")
        database.close()


def test_the_owner_of_the_tables_is_refused(server, owner: str) -> None:
    database = Database(owner)

    with pytest.raises(Unavailable, match="owns the tables"):
        database.open()

    database.close()


def test_a_role_that_could_become_the_owner_is_refused(server, hub: Hub) -> None:
    database = Database(hub.house.database.url)
    server.administer(f"GRANT {OWNER} TO {APPLICATION}")
    try:
        with pytest.raises(Unavailable, match="owns the tables"):
            database.open()
    finally:
        server.administer(f"REVOKE {OWNER} FROM {APPLICATION}")
        database.close()


def test_every_table_that_could_tell_of_somebody_is_guarded_by_its_rows(owner: str) -> None:
    tables = _tables(owner)

    assert len(tables) > 20
    assert [name for name, (guarded, _) in tables.items() if not guarded and name not in OPEN_TABLES] == []
    assert [name for name in OPEN_TABLES if tables[name][1] & TELLING] == []


def test_nothing_lends_the_owners_eyes_but_what_is_listed(owner: str) -> None:
    query = """
        SELECT p.proname, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('clearwell', 'procrastinate') AND p.prosecdef
    """
    with psycopg.connect(owner) as connection:
        lending = connection.execute(query).fetchall()
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'clearwell'").fetchall()

    # `move_signatures` (a trigger) writes only `signature`, of the finding that was just moved or refused by who may do that.
    assert sorted(lending) == [("move_signatures", ["search_path=clearwell"]), ("my_participations", ["search_path=clearwell"])]
    assert views == []


def test_nobody_sees_no_row_and_changes_none(hub: Hub, owner: str) -> None:
    populate(hub)
    guarded = [name for name, (is_guarded, _) in _tables(owner).items() if is_guarded and name not in PUBLIC_TABLES]
    with psycopg.connect(owner) as connection:
        filled = [name for name in guarded if connection.execute(f"SELECT 1 FROM {name} LIMIT 1".encode()).fetchone()]

    assert {"clearwell.submission", "clearwell.finding", "clearwell.vulnerability_case", "clearwell.installed"} <= set(filled)
    for name in guarded:
        with hub.house.database.transaction(NOBODY) as tx:
            assert tx.value(f"SELECT count(*) FROM {name}") == 0, name
    for name in sorted(set(guarded) - {"clearwell.submission", "clearwell.finding", "clearwell.answer"}):
        with hub.house.database.transaction(NOBODY) as tx:
            assert tx.execute(f"DELETE FROM {name}") == 0, name


@pytest.mark.parametrize(
    "scope", [Scope(system="system:nobody-named-this"), Scope(organization="org_x"), Scope(kind="lab"), Scope(case="case_x")]
)
def test_an_unknown_somebody_sees_nothing_of_others(hub: Hub, owner: str, scope: Scope) -> None:
    populate(hub)
    guarded = [name for name, (is_guarded, _) in _tables(owner).items() if is_guarded and name not in PUBLIC_TABLES]

    seen = {}
    for name in guarded:
        with hub.house.database.transaction(scope) as tx:
            seen[name] = tx.value(f"SELECT count(*) FROM {name}")

    assert {name for name, count in seen.items() if count} == set()


def test_who_a_transaction_was_does_not_outlive_it(hub: Hub) -> None:
    database = Database(hub.house.database.url, size=1)
    database.open()
    try:
        with database.transaction(Scope(organization="org_x", kind="coordinator", person="person_x")):
            pass
        with database.transaction(NOBODY) as tx:
            assert tx.row("SELECT clearwell.my_organization() AS a, clearwell.my_kind() AS b, clearwell.my_person() AS c") == dict.fromkeys(
                "abc"
            )
    finally:
        database.close()


def test_an_error_while_acting_as_another_gives_the_first_back(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    with hub.house.transaction(lab) as tx:
        with pytest.raises(psycopg.errors.DivisionByZero), tx.savepoint(), tx.acting_as(INTAKE.scope):
            tx.execute("SELECT 1 / 0")

        assert tx.scope == lab.scope
        assert tx.value("SELECT clearwell.my_organization()") == lab.organization
        assert tx.value("SELECT clearwell.my_system()") is None


def test_what_was_written_once_stays(hub: Hub) -> None:
    populate(hub)
    for statement in (
        "DELETE FROM clearwell.ledger_entry",
        "UPDATE clearwell.ledger_entry SET body = 'x'",
        "DELETE FROM clearwell.submission",
        "DELETE FROM clearwell.finding",
        "DELETE FROM clearwell.answer",
        "TRUNCATE clearwell.submission",
        "ALTER TABLE clearwell.submission DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own ON clearwell.submission",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), hub.house.transaction(INTAKE) as tx:
            tx.execute(statement)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", Unavailable),
        ("INSERT INTO clearwell.mail (id, created_at) VALUES ('a', now()), ('a', now())", Conflict),
        ("SELECT 'x'::int", Invalid),
    ],
)
def test_the_drivers_errors_become_ours(hub: Hub, statement: str, error: type[Exception]) -> None:
    with pytest.raises(error), hub.house.database.transaction(NOBODY) as tx:
        tx.execute(statement)

    with hub.house.database.transaction(NOBODY) as tx:
        assert tx.value("SELECT 1") == 1


def test_nothing_of_a_failed_transaction_stays(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    with pytest.raises(KeyError), hub.house.database.transaction(NOBODY) as tx:
        tx.execute("INSERT INTO clearwell.mail (id, created_at) VALUES ('a', now())")
        raise KeyError

    with hub.house.database.transaction(Scope(system="system:post")) as tx:
        assert tx.value("SELECT count(*) FROM clearwell.mail") == 0
