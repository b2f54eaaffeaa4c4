# SPDX-License-Identifier: Apache-2.0
"""Intake at volume, as the issue "Intake" asks: 200,000 findings through the real API, half new and half known, empty and at a million."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from hub import BenchHub, Figure, bench_hub, resident_mb
from sections import SHARED, copy_rate, postmaster

SARIF = SHARED / "reports" / "semgrepowasp-benchmark-sample.sarif"
STORED = int(os.environ.get("BENCH_STORED", "1000000"))
HALF = int(os.environ.get("BENCH_HALF", "100000"))
"""Findings already stored for the second measurement, and findings of each half. Smaller ones are for trying the bench itself."""
MOST_MB, LEAST_RATE, LEAST_RATIO = 500, 10_000, 0.8


def measure_intake(folder: Path) -> list[Figure]:
    """New and known findings apart, with one worker and two, into an empty hub and into one that holds a million."""
    if not SARIF.exists():
        print(f"     intake: skipped, {SARIF.name} is not in the shared data (CLEARWELL_SHARED)")
        return []
    with bench_hub(folder / "hub") as hub:
        hub.start("serve")
        hub.wait_until_up()
        token, made = hub.member("lab", "bench lab"), Made(SARIF.read_bytes())
        hub.start("worker", "--queues", "intake")
        time.sleep(3)
        rates: dict[str, float] = {}
        with Watch(hub) as watch:
            _measure(hub, token, made, rates, "one worker")
            hub.start("worker", "--queues", "intake")
            time.sleep(3)
            _measure(hub, token, made, rates, "two workers")
        copied = copy_rate(hub)
        begin = time.monotonic()
        _send_and_wait(hub, token, made.new(max(0, STORED - made.count)))
        print(f"     filled to {made.count:,} new findings in {time.monotonic() - begin:.0f} s", flush=True)
        _measure(hub, token, made, rates, f"two workers, {STORED:,} stored")
        size = _bytes_per_finding(hub)
    figures = [Figure(f"intake through the API, {HALF:,} {name}", rate, "findings/s", *_limit(name)) for name, rate in rates.items()]
    kept = min(
        rates[f"{kind} findings, two workers, {STORED:,} stored"] / rates[f"{kind} findings, two workers"] for kind in ("new", "known")
    )
    return [
        *figures,
        Figure(f"intake at {STORED:,} stored against empty, the worse of new and known", kept, "of the rate", LEAST_RATIO, at_most=False),
        Figure("COPY of finding-sized rows into a plain table, same run", copied, "rows/s", peer="the limit"),
        Figure("intake: server, two workers and database, highest resident", watch.highest, "MB", MOST_MB),
        *size,
    ]


def _limit(name: str) -> tuple[float, bool] | tuple[()]:
    return (LEAST_RATE, False) if name.endswith("two workers") else ()


class Made:
    """Files made of one: under new run ids, and with new paths and another target where the findings are to be new."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.results = raw, sum(len(run["results"]) for run in json.loads(raw)["runs"])
        self.count, self._copies, self._runs = 0, 0, 0

    def new(self, findings: int) -> Iterator[tuple[str, bytes]]:
        """Files whose findings nobody reported yet: (target, bytes)."""
        for _ in range(-(-findings // self.results)):
            self._copies += 1
            self.count += self.results
            yield self._target(self._copies), self._run(self._copies)

    def known(self, findings: int) -> Iterator[tuple[str, bytes]]:
        """The same findings again, as other runs of the same tool: the files made last."""
        files = -(-findings // self.results)
        for copy in range(self._copies - files + 1, self._copies + 1):
            yield self._target(max(1, copy)), self._run(max(1, copy))

    def _target(self, copy: int) -> str:
        return f"forge.example/bench/copy{copy}@0123456789ab"

    def _run(self, copy: int) -> bytes:
        """One more run: an id of its own, so that no two files are the same bytes."""
        self._runs += 1
        own = b'"automationDetails":{"id":"run-%d"},"results":' % self._runs
        return self.raw.replace(b"org/owasp", b"org/copy%d" % copy).replace(b'"results":', own, 1)


class Watch:
    """Looks at memory all the time and keeps the highest."""

    def __init__(self, hub: BenchHub) -> None:
        self._hub, self._end, self.highest = hub, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(1):
            pids = [process.pid for process in self._hub.processes]
            self.highest = max(self.highest, resident_mb([postmaster(self._hub), *pids]))


def _measure(hub: BenchHub, token: str, made: Made, rates: dict[str, float], name: str) -> None:
    sent = -(-HALF // made.results) * made.results  # whole files
    rates[f"new findings, {name}"] = sent / _send_and_wait(hub, token, made.new(HALF))
    rates[f"known findings, {name}"] = sent / _send_and_wait(hub, token, made.known(HALF))


def _send_and_wait(hub: BenchHub, token: str, files: Iterator[tuple[str, bytes]]) -> float:
    """Send files and wait until each finding is answered; return the seconds from the first byte to the last answer."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=hub.url, headers=headers, timeout=120) as client:
        begin, waiting = time.monotonic(), []
        for number, (target, body) in enumerate(files):
            query = {"name": f"scan-{number}.sarif", "target": target}
            waiting.append(client.post("/api/v1/submissions", params=query, content=body).raise_for_status().json()["id"])
        for one in waiting:
            while (state := client.get(f"/api/v1/submissions/{one}").raise_for_status().json())["state"] == "received":
                time.sleep(0.05)
            if state["state"] != "parsed":
                raise SystemExit(f"the report could not be read: {state}")
        return time.monotonic() - begin


def _bytes_per_finding(hub: BenchHub) -> list[Figure]:
    """What a finding takes on disk, and what of it the signatures' table and indexes take."""
    import psycopg

    from clearwell.ground.storage.embedded import OWNER, EmbeddedServer

    with psycopg.connect(EmbeddedServer(hub.folder).url(OWNER)) as connection:
        (findings, signatures, everything) = connection.execute(
            """
            SELECT (SELECT count(*) FROM clearwell.finding),
                   pg_total_relation_size('clearwell.signature_set') + pg_total_relation_size('clearwell.signature_head'),
                   (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'clearwell' AND c.relkind = 'r')
            """
        ).fetchone() or (1, 0, 0)
    return [
        Figure("signatures with their indexes", signatures / findings, "bytes a finding", 600),
        Figure("all tables with their indexes", float(everything) / findings, "bytes a finding"),
    ]
