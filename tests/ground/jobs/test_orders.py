# SPDX-License-Identifier: Apache-2.0
"""Orders for workers apart: their role sees nothing and does three things; an order is held by a lease, and no death loses one."""

from typing import Any

import psycopg
import pytest

from clearwell.ground.identity.actor import PROVING
from clearwell.ground.jobs import orders
from clearwell.ground.jobs.orders import Line, Placed
from clearwell.ground.jobs.queue import Job
from clearwell.ground.storage.embedded import APPLICATION, PROVER
from clearwell.ground.storage.sealing import Reader, open_back, seal_back, seal_for
from clearwell.vocabulary.errors import Conflict, Invalid, Refused, Unavailable
from ground.storage.snapshot import populate
from house.rows import database_of
from hub import Hub

OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
MAY = {"prover.take", "prover.extend", "prover.hand_in"}


@pytest.fixture
def url(server: Any, hub: Hub) -> str:
    """The prover's address of the hub's database."""
    return str(server.url(PROVER, database_of(hub)))


def _place(hub: Hub, key: str = "one", **more: Any) -> str:
    order = hub.house.new_id("order")
    job = Job("proving", "validate", {"proof": hub.house.new_id("proof")})
    placed = Placed(
        id=order, key=key, proof=str(job.ids["proof"]), about={}, job=job, sealed=b"sealed", wrapped_key=b"key",
        placed_at=hub.clock.now(), **more,
    )  # fmt: skip
    with hub.house.transaction(PROVING) as tx:
        orders.place(tx, placed)
    return order


def _jobs(hub: Hub) -> list[str]:
    with hub.house.transaction(PROVING) as tx:
        return [row["task_name"] for row in tx.rows("SELECT task_name FROM procrastinate.procrastinate_jobs WHERE status = 'todo'")]


def _let_the_lease_end(hub: Hub) -> None:
    with hub.house.transaction(PROVING) as tx:
        tx.execute("UPDATE clearwell.work_order SET leased_until = now() - interval '1 second'")


def _refused(connection: psycopg.Connection[Any], statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


# -- the role -----------------------------------------------------------------------------------------------------------


def test_the_prover_s_role_can_neither_read_nor_change_any_table_of_the_catalogue(hub: Hub, url: str):
    # given a hub with cases, findings, organizations, proposals, a ledger and jobs
    populate(hub)
    with psycopg.connect(url, autocommit=True) as connection:
        query = f"""
            SELECT n.nspname || '.' || c.relname, c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE {OURS}
        """
        found = connection.execute(query.encode()).fetchall()
        tables = {name: oid for name, oid, kind in found if kind in "rvmpf"}
        assert {"clearwell.finding", "clearwell.vulnerability_case", "clearwell.organization", "clearwell.ledger_entry"} <= set(tables)
        assert {"clearwell.work_order", "clearwell.proof", "procrastinate.procrastinate_jobs"} <= set(tables)
        # then each by its name refuses every kind of statement
        let_in = []
        for name in tables:
            for statement in (
                f"SELECT FROM {name}",
                f"INSERT INTO {name} DEFAULT VALUES",
                f"DELETE FROM {name}",
                f"TRUNCATE {name}",
                f"COPY {name} TO STDOUT",
            ):
                if not _refused(connection, statement):
                    let_in.append(statement)
        assert let_in == []
        # and no right stands in the catalogue, on a table, a column or a sequence
        rights = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
        for oid in tables.values():
            assert connection.execute("SELECT has_table_privilege(%s, %s)", (oid, rights)).fetchone() == (False,)
            some = connection.execute("SELECT has_any_column_privilege(%s, 'SELECT, INSERT, UPDATE, REFERENCES')", (oid,)).fetchone()
            assert some == (False,)
        for name, oid, kind in found:
            if kind == "S":
                assert connection.execute("SELECT has_sequence_privilege(%s, 'USAGE, SELECT, UPDATE')", (oid,)).fetchone() == (False,), name


def test_the_prover_s_role_may_call_three_functions_and_is_nobody_else(hub: Hub, url: str):
    with psycopg.connect(url, autocommit=True) as connection:
        query = f"""
            SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE {OURS} AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
        """
        assert {row[0] for row in connection.execute(query.encode()).fetchall()} == MAY
        role = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(role).fetchone() == (False,) * 5
        assert (
            connection.execute("SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE rolname = current_user").fetchall()
            == []
        )
        schemas = f"SELECT n.nspname FROM pg_namespace n WHERE {OURS} AND has_schema_privilege(n.oid, 'CREATE')"
        assert connection.execute(schemas.encode()).fetchall() == []
        for statement in (f"SET ROLE {APPLICATION}", "CREATE SCHEMA mine", "CREATE ROLE another", "COPY (SELECT 1) TO PROGRAM 'true'"):
            assert _refused(connection, statement), statement


def test_the_prover_s_role_cannot_hold_the_locks_by_which_the_hub_takes_turns(hub: Hub, url: str):
    with psycopg.connect(url, autocommit=True) as connection:
        query = """
            SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.proname ~ '^pg_(try_)?advisory_|^lo_|^lo(creat|open|read|write)$' AND has_function_privilege(p.oid, 'EXECUTE')
        """
        assert connection.execute(query).fetchall() == []
        assert _refused(connection, "SELECT pg_advisory_lock(hashtextextended('component pkg:generic/pump', 0))")
        assert _refused(connection, "SELECT lo_from_bytea(0, 'rows of its own')")
        assert _refused(connection, "CREATE TEMPORARY TABLE mine (words text)")
    with hub.house.transaction(PROVING) as tx:
        tx.take_turns("component", ["pkg:generic/pump"])


def test_a_worker_apart_takes_no_job_of_the_hub_s_queues(hub: Hub, url: str):
    populate(hub)
    with hub.house.transaction(PROVING) as tx:
        tx.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'todo', scheduled_at = NULL")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "SELECT procrastinate.procrastinate_fetch_job_v2(ARRAY['intake'], 1)",
            "SELECT procrastinate.procrastinate_fetch_job_v2(ARRAY['proving'], 1)",
            "SELECT procrastinate.procrastinate_finish_job_v1(1, 'succeeded', false)",
            "UPDATE procrastinate.procrastinate_jobs SET status = 'succeeded'",
        ):
            assert _refused(connection, statement), statement
    with Line(url) as line:
        assert line.take("worker") is None


def test_a_line_is_opened_as_the_prover_s_role_and_as_nobody_else(server: Any, hub: Hub):
    with Line(hub.house.database.url) as line, pytest.raises(Unavailable, match=PROVER):
        line.take("worker")


# -- leases -------------------------------------------------------------------------------------------------------------


def test_an_order_is_held_by_its_lease_alone(hub: Hub, url: str):
    order = _place(hub)
    with Line(url) as one, Line(url) as other:
        taken = one.take("one")
        assert taken is not None
        assert (taken.id, taken.sealed) == (order, b"sealed")
        # nobody else has it, or says anything about it without its lease
        assert other.take("other") is None
        for lease in ("", "x" * 72):
            forged = orders.Taken(order, lease, b"")
            with pytest.raises(Conflict):
                other.extend(forged)
            with pytest.raises(Conflict):
                other.hand_in(forged, b"forged", None)
        one.extend(taken)
        assert _jobs(hub) == []
        one.hand_in(taken, b"result", None)
        # handed in once, and the job that placed it is deferred again in the same statement
        with pytest.raises(Conflict):
            one.hand_in(taken, b"another", None)
        assert _jobs(hub) == ["validate"]
    with hub.house.transaction(PROVING) as tx:
        waiting = orders.find(tx, "one")
        assert waiting is not None
        assert (waiting.is_handed_in, waiting.result) == (True, b"result")
        orders.settle(tx, "one")
        assert orders.find(tx, "one") is None


def test_a_dead_worker_s_order_goes_to_another_and_after_three_deaths_back_to_the_hub(hub: Hub, url: str):
    _place(hub)
    with Line(url) as line:
        first = line.take("one")
        assert first is not None
        for _ in range(2):
            _let_the_lease_end(hub)
            again = line.take("other")
            assert again is not None
        with pytest.raises(Conflict):
            line.hand_in(first, b"too late", None)
        _let_the_lease_end(hub)
        assert line.take("third") is None
    with hub.house.transaction(PROVING) as tx:
        waiting = orders.find(tx, "one")
    assert waiting is not None
    assert (waiting.is_handed_in, waiting.result) == (True, None)
    assert _jobs(hub) == ["validate"]


def _pass(hub: Hub, seconds: int) -> None:
    """As if so much time had passed since the order was taken."""
    with hub.house.transaction(PROVING) as tx:
        past = f"interval '{seconds} seconds'"
        tx.execute(f"UPDATE clearwell.work_order SET leased_until = leased_until - {past}, held_until = held_until - {past}")


def test_a_worker_that_holds_on_for_ever_loses_its_order_to_another(hub: Hub, url: str):
    # given an order that one worker may hold for ten minutes, and a worker that never lets go
    _place(hub, most_seconds=600)
    with Line(url) as one, Line(url) as other:
        held = one.take("one", 60)
        assert held is not None
        for _ in range(10):
            one.extend(held, 60)
            _pass(hub, 55)
        one.extend(held, 3600)  # reaches to the end of the ten minutes and no further
        assert other.take("other") is None
        # when the ten minutes are over
        _pass(hub, 55)
        # then holding on and handing in are its no more, it is not given the same order again, and another is
        with pytest.raises(Conflict):
            one.extend(held, 3600)
        assert one.take("one") is None
        taken = other.take("other")
        assert taken is not None
        with pytest.raises(Conflict):
            one.hand_in(held, b"too late", None)
        other.hand_in(taken, b"result", None)
    assert _jobs(hub) == ["validate"]


def test_where_there_is_no_other_worker_the_one_is_asked_again_after_ten_minutes(hub: Hub, url: str):
    _place(hub, most_seconds=60)
    with Line(url) as line:
        assert line.take("one", 3600) is not None  # a first lease is no longer than that either
        _pass(hub, 61)
        assert line.take("one") is None
        _pass(hub, 600)
        assert line.take("one") is not None


def test_a_worker_that_died_and_came_back_is_given_its_order_at_once(hub: Hub, url: str):
    _place(hub)
    with Line(url) as line:
        assert line.take("one", 60) is not None
        _pass(hub, 61)
        assert line.take("one", 60) is not None


def test_a_second_run_is_not_given_to_the_worker_of_the_first_while_it_may_be_another_s(hub: Hub, url: str):
    _place(hub, not_for="one", not_for_until=hub.clock.now().replace(year=2100))
    with Line(url) as line:
        assert line.take("one") is None
        assert line.take("other") is not None


def test_after_an_escape_nothing_is_handed_out_even_before_the_hub_looked(hub: Hub, url: str):
    _place(hub)
    _place(hub, "two")
    with Line(url) as line:
        taken = line.take("one")
        assert taken is not None
        line.hand_in(taken, b"result", "tcp 127.0.0.1")
        assert line.take("one") is None


@pytest.mark.parametrize("seconds", [-1, 0, 4, 3601, 10**9, None])
def test_a_lease_is_neither_endless_nor_over_at_once(hub: Hub, url: str, seconds: int | None):
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute("SELECT prover.take('one', %s)", (seconds,))


# -- seals --------------------------------------------------------------------------------------------------------------


def test_an_order_opens_for_its_readers_alone_and_its_answer_for_who_sealed_it():
    one, other, stranger = (Reader(bytes([number]) * 32) for number in (1, 2, 3))
    sealed, key = seal_for([one.public, other.public], b"a proof")
    assert one.open(sealed) == other.open(sealed) == (b"a proof", key)
    with pytest.raises(Refused):
        stranger.open(sealed)
    back = seal_back(key, b"a result")
    assert open_back(key, back) == b"a result"
    assert b"a proof" not in sealed
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"\x00" * 40):
        with pytest.raises(Invalid):
            one.open(changed)
    with pytest.raises(Invalid):
        open_back(key, back[:-1] + bytes([back[-1] ^ 1]))
    with pytest.raises(Invalid):
        open_back(key, sealed)
    with pytest.raises(Invalid, match="nobody"):
        seal_for([], b"a proof")
