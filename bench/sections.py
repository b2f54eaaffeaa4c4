# SPDX-License-Identifier: Apache-2.0
"""What is measured: help, start and memory, parsing, the exercise. Limits are those of the issue."""

import os
import statistics
import subprocess
import sys
import time
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
    begin = time.perf_counter()
    for _ in range(5):
        document = read(raw, "s.sarif", None)
    rate = 5 * len(document.findings) / (time.perf_counter() - begin)
    begin = time.perf_counter()
    run_signatures(document.findings)
    signed = len(document.findings) / (time.perf_counter() - begin)
    logs = b"".join(path.read_bytes() + b"\n" for path in sorted((SHARED / "crashes" / "logs").iterdir()))
    begin = time.perf_counter()
    read(logs, "logs.txt", None)
    return [
        Figure("SARIF read", rate, "results/s"),
        Figure("signatures", signed, "findings/s"),
        Figure("crash logs read, concatenated", len(logs) / 1e6 / (time.perf_counter() - begin), "MB/s"),
    ]


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
