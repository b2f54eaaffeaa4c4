# SPDX-License-Identifier: Apache-2.0
"""A hub of real processes that can be killed: database, server and worker, each started again when it is dead."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg

from clearwell import app
from clearwell.faces.cli.demo.acts import Played
from clearwell.faces.cli.demo.exercise import Exercise
from clearwell.faces.cli.demo.outcome import Outcome, observe
from clearwell.faces.cli.demo.personas import Personas, enroll
from clearwell.faces.cli.demo.surroundings import Surroundings
from clearwell.ground.identity.actor import INTAKE
from clearwell.ground.settings import Settings
from clearwell.ground.storage.embedded import OWNER, EmbeddedServer
from clearwell.vocabulary.errors import ClearwellError

VICTIMS = ("server", "worker", "database")
REPEATED = re.compile(r"@\S+: (codes|mails in all)")
COMMAND = "import sys; from clearwell.faces.cli import main; main(sys.argv[1:])"
_AWAKE = "case_id IN (SELECT id FROM clearwell.vulnerability_case WHERE merged_into IS NULL)"
SAME = {
    **dict.fromkeys(("submission", "finding", "proof", "run", "advisory", "asset", "inventory", "action"), "true"),
    "vulnerability_case": "merged_into IS NULL",
    "attachment": "(finding_id, case_id) IN (SELECT id, case_id FROM clearwell.finding) AND detached_at IS NULL",
    "participant": _AWAKE,
}
"""Tables, and which of their rows are as many after a run with kills as after one without.

A kill may change which of two reports is read first: one that comes before the proof of its flaw opens a case that the proof then takes in
(docs/explanation/dedupe.md). That leaves rows of history; what stands in the end is the same.
"""


LEFT = "SELECT array_agg(task_name || ' ' || status::text) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"
PASSED_ON = (
    "data_dir", "port", "public_url", "harnesses", "kev_feed", "worker_poll_seconds", "stalled_worker_seconds", "sequencer_seconds",
    "log_level", "proving_recheck_share",
)  # fmt: skip
"""The rig's settings that its processes get by their environment."""


class Kill(msgspec.Struct, frozen=True):
    """Kill `victim` once the ledger has so many entries and so many seconds more have passed."""

    entries: int
    seconds: float
    victim: str


def seeded_kills(seed: int, count: int, entries: int) -> tuple[Kill, ...]:
    """So many kills spread over a run that writes so many entries; the same seed gives the same ones.

    None stands in the last tenth: equal jobs that wait are done once, so a run with kills may write a few entries less.
    """
    chance = random.Random(seed)
    places = sorted(chance.randrange(1, entries * 9 // 10) for _ in range(count))
    return tuple(Kill(place, round(chance.random() * 0.3, 3), chance.choice(VICTIMS)) for place in places)


class Rig:
    """The processes of one hub in one folder, and the personas who play the exercise on it."""

    def __init__(self, folder: Path, exercise: Exercise) -> None:
        self._exercise = exercise
        self._clients: list[httpx.Client] = []
        self._database = EmbeddedServer(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.settings = Settings(
            data_dir=folder,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            harnesses=exercise.harnesses.resolve(),
            kev_feed=exercise.kev_feed.resolve(),
            worker_poll_seconds=0.2,
            stalled_worker_seconds=3.0,
            sequencer_seconds=0.2,
            log_level="critical",
            proving_recheck_share=0.0,
        )
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._threads: list[threading.Thread] = []
        self.killed: list[Kill] = []
        self.personas: Personas = {}

    # -- processes ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the database, make everybody known, start server and worker, and whoever starts them again."""
        self._database.start()
        with app.open_house(self.settings) as house:
            self.personas = enroll(house, self._exercise)
        self._spawn("server")
        self._spawn("worker")
        self._thread(self._watch)

    def stop(self) -> None:
        """End everything."""
        for http in self._clients:
            http.close()
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=30)
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._database.stop("immediate")
        shutil.rmtree(self._database.cluster.parent, ignore_errors=True)
        shutil.rmtree(self._database.socket, ignore_errors=True)

    def _spawn(self, name: str) -> None:
        stated = msgspec.structs.asdict(self.settings)
        own = {f"CLEARWELL_{key.upper()}": str(stated[key]) for key in PASSED_ON}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CLEARWELL_") or key == "CLEARWELL_CACHE"}
        verb = {"server": "serve", "worker": "worker"}[name]
        log = (self.settings.data_dir / f"{name}.log").open("ab")
        with log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-c", COMMAND, verb], env={**inherited, **own}, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        """Start again what is dead, as an init system would."""
        while not self._stopping.wait(0.05):
            with self._lock:
                if self._postmaster() is None:
                    with suppress(ClearwellError):
                        self._database.start()
                for name, process in list(self._processes.items()):
                    if process.poll() is not None:
                        self._spawn(name)

    def _postmaster(self) -> int | None:
        try:
            pid = int((self._database.cluster / "postmaster.pid").read_text().split()[0])
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError, IndexError):
            return None
        return None if state == "Z" else pid

    def _thread(self, target: Any, *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    # -- killing -----------------------------------------------------------------------------------------------

    def kill_along(self, kills: tuple[Kill, ...]) -> threading.Thread:
        """Kill as stated, while the exercise goes on."""
        return self._thread(self._kill_along, kills)

    def _kill_along(self, kills: tuple[Kill, ...]) -> None:
        for kill in kills:
            while self.entries() < kill.entries:
                if self._stopping.wait(0.01):
                    return
            self._stopping.wait(kill.seconds)
            self._kill(kill.victim)
            self.killed.append(kill)

    def _kill(self, victim: str) -> None:
        while not self._stopping.is_set():  # a victim that is dead already is killed once it is back
            with self._lock:
                pid = self._postmaster() if victim == "database" else self._alive(victim)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    return
            self._stopping.wait(0.02)

    def _alive(self, victim: str) -> int | None:
        process = self._processes[victim]
        return process.pid if process.poll() is None else None

    # -- looking -----------------------------------------------------------------------------------------------

    def entries(self) -> int:
        """How many entries the ledger has; 0 while the database does not answer."""
        return int(self._ask("SELECT count(*) FROM clearwell.ledger_entry") or 0)

    def settle(self) -> None:
        """Wait until no job is left to be done."""
        deadline = time.monotonic() + 240
        query = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"
        while self._ask(query) != 0:
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"jobs are left: {self._ask('SELECT array_agg(task_name || status) FROM procrastinate.procrastinate_jobs')}"
                )
            time.sleep(0.05)

    def _ask(self, query: str) -> Any:
        try:
            with psycopg.connect(self._database.url(OWNER), connect_timeout=2) as connection:
                row = connection.execute(query.encode()).fetchone()
                return row[0] if row else None
        except psycopg.Error:
            return None

    def counts(self) -> dict[str, int]:
        """How many rows each table has that a kill must not change, and what was said and claimed, each once."""
        counts = {table: int(self._ask(f"SELECT count(*) FROM clearwell.{table} WHERE {which}")) for table, which in SAME.items()}
        counts["said"] = int(self._ask("SELECT count(DISTINCT (case_id, kind, detail)) FROM clearwell.statement"))
        counts["claimed"] = int(self._ask("SELECT count(DISTINCT (case_id, version, patch_address)) FROM clearwell.fix"))
        return counts

    def failed_jobs(self) -> Any:
        """Names of jobs that ended on the dead-letter list."""
        return self._ask("SELECT array_agg(task_name) FROM procrastinate.procrastinate_jobs WHERE status = 'failed'")

    def unreadable(self) -> list[str]:
        """Held evidence that does not open."""
        bad = []
        with app.open_house(self.settings) as house:
            with house.database.transaction(msgspec.structs.replace(INTAKE.scope, system="system:blobs")) as tx:
                held = tx.rows("SELECT holder, address FROM clearwell.blob_hold")
            for row in held:
                try:
                    with house.transaction(INTAKE) as tx:
                        for _ in house.blobs.open(tx, row["holder"], row["address"]):
                            pass
                except ClearwellError as reason:
                    bad.append(f"{row['holder']}: {reason}")
        return bad

    # -- playing -----------------------------------------------------------------------------------------------

    def play(self) -> tuple[Played, Surroundings]:
        """Play the exercise to its end; when something breaks in the middle, everybody looks again and goes on."""
        http = httpx.Client(base_url=self.settings.public_url, timeout=20.0)
        self._clients.append(http)
        surroundings = Surroundings(http, self.settings.outbox_dir, self.personas, self.settle)
        for _ in range(40):
            played = Played(self._exercise, surroundings, lambda step: None)
            try:
                played.play()
            except ClearwellError:
                self.settle()
                continue
            return played, surroundings
        raise AssertionError("the exercise never came to its end")

    def outcome(self, played: Played, surroundings: Surroundings) -> Outcome:
        """What came out; a code that was asked for again after a kill is no difference."""
        self.settle()
        seen = observe(self._exercise, surroundings, played)
        return msgspec.structs.replace(seen, differences=tuple(line for line in seen.differences if not REPEATED.search(line)))


@contextmanager
def rig(folder: Path, exercise: Exercise) -> Iterator[Rig]:
    """A rig that is stopped at the end."""
    made = Rig(folder, exercise)
    try:
        made.start()
        yield made
    finally:
        made.stop()
