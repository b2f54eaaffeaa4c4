# SPDX-License-Identifier: Apache-2.0
"""What is measured: help, start and memory, parsing, the exercise. Limits are those of the issue."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hub import CLEARWELL, BenchHub, Figure, bench_hub, resident_mb

SHARED = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parent.parent.parent / "shared")) / "data"
SARIF = SHARED / "reports" / "semgrepowasp-benchmark-sample.sarif"


def measure_help(folder: Path) -> list[Figure]:
    """`clearwell --help` against starting the bare interpreter."""
    bare = _median([sys.executable, "-c", "pass"])
    helped = _median([str(CLEARWELL), "--help"])
    return [Figure("clearwell --help, in bare interpreter starts", helped / bare, "starts", 12, peer=f"{bare * 1000:.0f} ms each")]


def measure_start_and_memory(folder: Path) -> list[Figure]:
    """The second start of a server, and what server, worker and database hold when idle."""
    with bench_hub(folder / "hub") as hub:
        hub.start("serve")
        first = hub.wait_until_up()
        hub.stop()
        begin = time.monotonic()
        server = hub.start("serve")
        hub.wait_until_up()
        second = time.monotonic() - begin
        worker = hub.start("worker")
        time.sleep(8)  # idle, after the worker's imports
        database = postmaster(hub)
        return [
            Figure("first start of the server (database created and migrated)", first, "s"),
            Figure("second start of the server", second, "s", 3),
            Figure("idle server + worker + database, resident", resident_mb([server.pid, worker.pid, database]), "MB", 400),
        ]


def measure_parse(folder: Path) -> list[Figure]:
    """Reading alone, without a hub."""
    from clearwell.clearinghouse.dedupe.signature import run_signatures
    from clearwell.formats import read

    if not SARIF.exists():
        print("     parse: skipped, no shared data")
        return []
    raw = SARIF.read_bytes()
    document = read(raw, "s.sarif", None)
    taken = _processor(lambda: read(raw, "s.sarif", None))
    quoting = _with_quotes(raw)
    quoted = _processor(lambda: read(quoting, "s.sarif", None))
    signed = _processor(lambda: run_signatures(document.findings))
    logs = b"".join(path.read_bytes() + b"\n" for path in sorted((SHARED / "crashes" / "logs").iterdir()))
    peer = f"processor time; first reading {_first(lambda: read(logs, 'logs.txt', None), len(logs)):.1f}"
    logged = _processor(lambda: read(logs, "logs.txt", None))
    return [
        Figure("SARIF read", len(document.findings) / taken, "results/s", peer=f"{len(raw) / 1e6 / taken:.0f} MB/s of processor time"),
        Figure(
            "SARIF read, each result quoting code",
            len(document.findings) / quoted,
            "results/s",
            peer=f"{len(quoting) / 1e6 / quoted:.0f} MB/s of processor time",
        ),
        Figure("signatures", len(document.findings) / signed, "findings/s"),
        Figure("crash logs read, concatenated", len(logs) / 1e6 / logged, "MB/s", 10, at_most=False, peer=peer),
    ]


def _with_quotes(raw: bytes) -> bytes:
    """The same log with five lines of code quoted at each result's place."""
    log = json.loads(raw)
    for number, result in enumerate(result for run in log["runs"] for result in run["results"]):
        for place in result["locations"][:1]:
            lines = "".join(f"    row.append(order[{number}].quantity * {k}); // rounded \u00bd\n" for k in range(5))
            place["physicalLocation"]["region"]["snippet"] = {"text": lines}
    return json.dumps(log).encode()


def _processor(run: Callable[[], object], times: int = 7) -> float:
    """The least processor time that a run takes, in seconds: what else the machine does counts for little."""
    taken = []
    for _ in range(times):
        begin = time.process_time()
        run()
        taken.append(time.process_time() - begin)
    return min(taken)


def _first(run: Callable[[], object], size: int) -> float:
    """MB/s of the first run, which nothing has prepared."""
    return size / 1e6 / _processor(run, 1)


def measure_exercise(folder: Path) -> list[Figure]:
    """The whole exercise after set-up, sandbox builds included (a fresh build cache; archives fetched before)."""
    environment = {**os.environ, "CLEARWELL_DATA_DIR": str(folder / "hub")}
    cache = folder / "cache"
    subprocess.run([CLEARWELL, "demo", "--prefetch"], env={**environment, "CLEARWELL_CACHE": str(cache)}, check=True)
    begin = time.monotonic()
    done = subprocess.run([CLEARWELL, "demo", "--headless"], env={**environment, "CLEARWELL_CACHE": str(cache)}, check=False)
    first = time.monotonic() - begin
    begin = time.monotonic()
    again = subprocess.run([CLEARWELL, "demo", "--headless"], env={**environment, "CLEARWELL_CACHE": str(cache)}, check=False)
    if done.returncode or again.returncode:
        raise SystemExit("the exercise did not come out as expected: a time for it means nothing")
    return [
        Figure("exercise after set-up, sandbox builds included", first, "s", 120),
        Figure("exercise again (nothing new)", time.monotonic() - begin, "s"),
    ]


def _median(command: list[str], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def copy_rate(hub: BenchHub) -> float:
    """COPY of 200,000 rows of a finding's size into an unindexed table, in the same database."""
    import psycopg

    from clearwell.ground.storage.embedded import OWNER, EmbeddedServer

    rows, text = 200_000, "x" * 500
    with psycopg.connect(EmbeddedServer(hub.folder).url(OWNER)) as connection:
        connection.execute("CREATE TABLE clearwell_migrations.bench (id text, body text)")
        begin = time.monotonic()
        with connection.cursor().copy("COPY clearwell_migrations.bench FROM STDIN") as copy:
            for number in range(rows):
                copy.write_row((str(number), text))
        connection.commit()
        taken = time.monotonic() - begin
        connection.execute("DROP TABLE clearwell_migrations.bench")
    return rows / taken


def postmaster(hub: BenchHub) -> int:
    """The process id of a hub's embedded server."""
    from clearwell.ground.storage.embedded import EmbeddedServer

    return int((EmbeddedServer(hub.folder).cluster / "postmaster.pid").read_text().split()[0])
