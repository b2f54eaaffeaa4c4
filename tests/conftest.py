# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one PostgreSQL server for the whole run (embedded, or your own by CLEARWELL_TEST_URL), a database for each hub."""

import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from clearwell import app
from clearwell.ground.settings import Settings
from clearwell.ground.storage.database import Database
from clearwell.ground.storage.embedded import APPLICATION, DATABASE_GRANTS, OWNER, PROVER, ROLES, EmbeddedServer
from hub import Hub, TestClock

pytest_plugins = ("marks",)
_COUNT = itertools.count()


class TestServer:
    """A server on which databases are made from a migrated template. `own` is an administrator's address, or None: embedded."""

    __test__ = False

    def __init__(self, folder: Path, own: str | None) -> None:
        self._own, self._embedded = own, None if own else EmbeddedServer(folder)
        self._made: list[str] = []
        self._mark = f"cw_{os.getpid()}"
        self._password = hashlib.sha256(f"clearwell tests {own}".encode()).hexdigest()[:32]
        if self._embedded:
            self._embedded.start()
            for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off"):
                self.administer(f"ALTER SYSTEM SET {setting}")  # throw-away databases: kill -9 of processes loses nothing by it
            self.administer("SELECT pg_reload_conf()")
        else:
            self._prepare_own()
        self.template = self.create("template0")
        app.bring_forward(self.url(OWNER, self.template))

    def _prepare_own(self) -> None:
        """Make the two roles, with a password for these tests, on a server that is no hub's."""
        with psycopg.connect(self._own or "", autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(7365)")  # other test processes do the same
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'clearwell'").fetchone():
                raise pytest.UsageError(
                    "CLEARWELL_TEST_URL names a server with a database 'clearwell': tests set its roles' passwords; use another"
                )
            for statement in ROLES:
                connection.execute(statement.encode())
            for role in (OWNER, APPLICATION, PROVER):
                connection.execute(f"ALTER ROLE {role} PASSWORD '{self._password}'".encode())

    def administer(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the server's administrator."""
        if self._embedded:
            self._embedded.administer(statement, database)
            return
        with psycopg.connect(conninfo.make_conninfo(self._own or "", dbname=database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, role: str, database: str) -> str:
        """The address of a database for a role."""
        if self._embedded:
            return self._embedded.url(role, database)
        return conninfo.make_conninfo(self._own or "", user=role, password=self._password, dbname=database)

    def create(self, template: str | None = None) -> str:
        """Make a database, migrated unless another template is named."""
        name = f"{self._mark}_{next(_COUNT)}"
        self.administer(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template or self.template}")
        for statement in DATABASE_GRANTS:
            self.administer(statement.replace("DATABASE clearwell", f"DATABASE {name}"), name)
        self._made.append(name)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Remove everything."""
        for name in reversed(self._made):
            self.drop(name)
        if self._embedded:
            self._embedded.stop("immediate")
            shutil.rmtree(self._embedded.cluster.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """The server of this run."""
    with tempfile.TemporaryDirectory(prefix="cw-test-") as folder:
        server = TestServer(Path(folder), os.environ.get("CLEARWELL_TEST_URL"))
        try:
            yield server
        finally:
            server.close()


@pytest.fixture
def make_hub(server: TestServer, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Make hubs, each with a database and a folder of its own. Keyword arguments are settings."""
    opened: list[tuple[Database, str]] = []

    def make(**settings: object) -> Hub:
        name = server.create()
        database = Database(server.url(APPLICATION, name), size=6)
        database.open()
        opened.append((database, name))
        chosen = {
            "data_dir": tmp_path / name,
            "harnesses": Path(__file__).parent.parent / "examples" / "harnesses",
            "log_level": "critical",
            "proving_recheck_share": 0.0,
        }
        clock = TestClock()
        app.configure_logs("critical")
        return Hub(app.build_house(Settings(**{**chosen, **settings}), database, clock), clock)

    yield make
    for database, name in opened:
        database.close()
        server.drop(name)


@pytest.fixture
def hub(make_hub: Callable[..., Hub]) -> Hub:
    """One hub."""
    return make_hub()


def shared_data() -> Path:
    """The shared data folder; the test is skipped, with the reason, where it is not there."""
    place = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parent.parent.parent / "shared")) / "data"
    if not place.is_dir():
        pytest.skip(f"the shared data folder is not at {place} (CLEARWELL_SHARED)")
    return place
