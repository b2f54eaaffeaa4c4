# SPDX-License-Identifier: Apache-2.0
"""The embedded server: it starts, survives kills, opens no port and changes no folder that is not its own."""

import os
import pwd
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clearwell.ground.storage.embedded import APPLICATION, OWNER, EmbeddedServer
from clearwell.vocabulary.errors import Unavailable


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder, since a socket's path is short; the server's own folder goes with it."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        yield Path(folder)


@pytest.fixture
def own(place: Path) -> Iterator[EmbeddedServer]:
    """A server that is not yet started."""
    server = EmbeddedServer(place / "data")
    yield server
    _remove(server)


def _remove(server: EmbeddedServer) -> None:
    if server.cluster.exists():
        server.stop("immediate")
    shutil.rmtree(server.cluster.parent, ignore_errors=True)
    shutil.rmtree(server.socket, ignore_errors=True)


def _count(server: EmbeddedServer) -> int:
    with psycopg.connect(server.url(OWNER)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id serial)")
        connection.execute("INSERT INTO kept DEFAULT VALUES")
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row is not None
        return int(row[0])


def _postmaster(server: EmbeddedServer) -> int:
    return int((server.cluster / "postmaster.pid").read_text().split()[0])


def _make_room(server: EmbeddedServer) -> None:
    server.administer(f"CREATE SCHEMA public2 AUTHORIZATION {OWNER}", "clearwell")
    server.administer(f"ALTER ROLE {OWNER} SET search_path = public2")


def _listens(pid: int) -> list[str]:
    """The lines of the kernel's TCP tables that are listening sockets of this process."""
    mine = {str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()}
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in mine]


def test_it_starts_once_stops_and_starts_again(own: EmbeddedServer) -> None:
    assert own.start() is True
    assert own.start() is False
    _make_room(own)
    assert _count(own) == 1

    own.stop()
    assert not own.is_running()

    assert own.start() is True
    assert _count(own) == 2


def test_a_killed_server_restarts_with_what_was_committed(own: EmbeddedServer) -> None:
    own.start()
    _make_room(own)
    _count(own)

    os.kill(_postmaster(own), signal.SIGKILL)

    assert own.start() is True
    assert _count(own) == 2


def test_a_cluster_that_was_half_made_is_made_anew(own: EmbeddedServer) -> None:
    own.start()
    own.stop()
    shutil.rmtree(own.cluster)
    half = own.cluster.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    assert own.start() is True
    assert not half.exists()


def test_a_data_folder_of_another_version_is_left_alone_with_a_clear_error(own: EmbeddedServer) -> None:
    own.start()
    own.stop()
    (own.cluster / "PG_VERSION").write_text("16\n")

    with pytest.raises(Unavailable, match=r"made by PostgreSQL 16, this program brings 18.*clearwell restore"):
        own.start()

    (own.cluster / "PG_VERSION").write_text("18\n")
    assert own.start() is True


def test_no_port_opens_and_the_socket_is_closed_to_others(own: EmbeddedServer) -> None:
    own.start()

    assert _listens(_postmaster(own)) == []
    assert stat.S_IMODE(own.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(own.cluster.stat().st_mode) == 0o700
    rules = [line for line in (own.cluster / "pg_hba.conf").read_text().splitlines() if line and not line.startswith("#")]
    assert rules == ["local all all peer map=clearwell"]


def test_no_folder_that_we_did_not_create_changes_its_mode(place: Path) -> None:
    parents = [place / "outer", place / "outer" / "inner"]
    for parent, mode in zip(parents, (0o700, 0o750), strict=True):
        parent.mkdir()
        parent.chmod(mode)
    above = {folder: folder.stat() for folder in (*place.parents, place, *parents)}
    server = EmbeddedServer(parents[-1] / "data")

    try:
        server.start()
        server.stop()
    finally:
        _remove(server)

    for folder, before in above.items():
        after = folder.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid), folder


def test_a_socket_folder_open_to_others_is_refused(own: EmbeddedServer) -> None:
    own.start()
    own.stop()
    own.socket.chmod(0o777)

    with pytest.raises(Unavailable, match="open to others"):
        own.start()


def test_the_application_may_neither_make_tables_nor_become_the_owner(own: EmbeddedServer) -> None:
    own.start()

    for statement in (
        f"SET ROLE {OWNER}",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE other",
        "COPY (SELECT 1) TO '/tmp/x'",
    ):
        with psycopg.connect(own.url(APPLICATION)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own.url("postgres"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as another user")
def test_batches_that_name_a_thousand_components_each_leave_locks_for_others(own: EmbeddedServer) -> None:
    # three workers with six jobs each, the most that the server's connections serve
    own.start()
    with psycopg.connect(own.url(APPLICATION)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(n) FROM generate_series(1, 18000) AS n")
        with psycopg.connect(own.url(APPLICATION)) as other:
            other.execute("SELECT pg_advisory_xact_lock(0), count(*) FROM pg_class")


def test_it_runs_as_a_user_who_is_not_root(place: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = place / "theirs"
    home.mkdir(mode=0o700)
    place.chmod(0o711)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    child = os.fork()
    if child == 0:
        os._exit(_start_and_kill_as(nobody, home))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def _start_and_kill_as(user: pwd.struct_passwd, home: Path) -> int:
    """In a process of its own: become the user, start, kill, start, stop. Returns which step failed, or 0."""
    try:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.chdir("/")
        server = EmbeddedServer(home / "data")
        if server.start() is not True or server.cluster != home / "data" / "postgres":
            return 2
        os.kill(_postmaster(server), signal.SIGKILL)
        if server.start() is not True:
            return 3
        with psycopg.connect(server.url(APPLICATION)) as connection:
            connection.execute("SELECT 1")
        server.stop()
        return 4 if server.is_running() else 0
    except BaseException as error:  # noqa: BLE001 whatever it is, the parent must hear of it
        print(error)
        return 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root does the cluster lie outside the data folder")
def test_a_data_folder_that_was_removed_starts_empty_and_the_old_database_is_kept_aside(own: EmbeddedServer) -> None:
    own.start()
    own.administer("CREATE TABLE kept ()", "clearwell")
    folder = own.cluster.parent
    link = next(path for path in own._folder.iterdir() if path.is_symlink())
    link.unlink()

    own.start()

    assert own.administer("SELECT to_regclass('kept') IS NULL", "clearwell").strip() == "t"
    aside = list(folder.parent.glob(f"{folder.name}.left-*"))
    assert len(aside) == 1
    shutil.rmtree(aside[0])
