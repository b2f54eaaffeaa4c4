# SPDX-License-Identifier: Apache-2.0
"""Queued proofs of many organizations, each truly run: reports through intake, the job queue, two workers, the sandbox, the verdicts.

The proofs are those of the planted library: seven kinds of memory errors, a command, a file and a leak; every eleventh has a harmless
input. One lab floods; three labs send a tenth of all each, after it. CLEARWELL_BENCH_PROOFS says how many proofs in all (10,000),
CLEARWELL_BENCH_SECONDS how long the workers run at most (300): the figures are of what ran in that time.
"""

import json
import os
import shutil
import signal
import time
import tomllib
from pathlib import Path
from typing import Any

from hub import BenchHub, Figure, bench_hub, family, resident_mb

PLANTED = Path(__file__).parent.parent / "examples" / "planted"
PROOFS = int(os.environ.get("CLEARWELL_BENCH_PROOFS", "10000"))
SECONDS = float(os.environ.get("CLEARWELL_BENCH_SECONDS", "300"))
SHARES = (7, 1, 1, 1)
"""Of every ten proofs, how many each lab sends; the first is the flood."""
WORKERS = 2
REPORT = 250
"""Findings of one report."""


def measure_proof_queue(folder: Path) -> list[Figure]:
    """Throughput, fairness and memory of the proving queue; skipped where no sandbox or compiler is."""
    from clearwell.proving.probe import probe

    if not probe().is_usable or shutil.which("gcc") is None:
        print("     proof-queue: skipped, no sandbox or no compiler here")
        return []
    with bench_hub(folder / "hub") as hub:
        hub.environment["CLEARWELL_HARNESSES"] = str(PLANTED / "harnesses")
        hub.environment["CLEARWELL_CACHE"] = str(folder / "cache")
        hub.environment["CLEARWELL_PROOFS_PER_DAY"] = str(PROOFS + 1)
        hub.start("serve")
        hub.wait_until_up()
        labs = _send(hub)
        begin = time.monotonic()
        hub.run("worker", "--queues", "intake,sanity", "--concurrency", "2", "--drain")
        taken_in = time.monotonic() - begin
        queued = _count(hub, "todo")
        begin = time.monotonic()
        workers = [hub.start("worker", "--queues", "proving", "--concurrency", "1") for _ in range(WORKERS)]
        peak, share = 0.0, 0.0
        while _count(hub, "todo") + _count(hub, "doing") and time.monotonic() - begin < SECONDS:
            time.sleep(2)
            peak = max(peak, resident_mb([worker.pid for worker in workers]))
            share = _share_of_the_small(hub, labs) or share
        taken, used = time.monotonic() - begin, _cpu([worker.pid for worker in workers])
        verdicts = _verdicts(hub)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
    ran = sum(verdicts.values())
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(verdicts.items()))
    if not ran:
        raise SystemExit("no proof ran: there is nothing to measure")
    wrong = set(verdicts) - {"reproduced", "not_reproduced"}
    if wrong:
        raise SystemExit(f"proofs of the planted library came out as they must not: {told}")
    what = f"{WORKERS} workers, proofs of the planted library through the job queue"
    return [
        Figure(f"{what}: queued", queued, "proofs", peer=f"{PROOFS:,} sent, taken in within {taken_in:.0f} s"),
        Figure(f"{what}: run", ran, f"proofs in {taken:.0f} s", peer=told),
        Figure(f"{what}", ran / taken * 60, "proofs/min", peer=f"{used / ran:.2f} s of processor time each, all included"),
        Figure(
            "three small labs' share of what ran beside a flood of seven tenths, while they had proofs waiting",
            100 * share, "%", 60, at_most=False, peer="three of four labs: 75 % is fair",
        ),
        Figure("two proving workers, their stages and boxes, resident at their highest", peak, "MB"),
    ]  # fmt: skip


def _send(hub: BenchHub) -> list[str]:
    """Admit the labs and send their reports, the flood's first; return the labs' ids."""
    from clearwell.app import open_house, settings_now
    from clearwell.clearinghouse.flow import admitting, reporting
    from clearwell.clearinghouse.flow.reporting import Envelope
    from clearwell.ground.identity.actor import Member, OrganizationKind

    unit = PROOFS // sum(SHARES)
    labs = []
    with open_house(settings_now(hub.environment)[0]) as house:
        for number, share in enumerate(SHARES):
            lab = admitting.admit_organization(house, admitting.OrganizationFacts(name=f"bench {number}", kind=OrganizationKind.LAB))
            member = Member(admitting.admit_person(house, lab.id, "somebody"), lab.id, OrganizationKind.LAB)
            labs.append(str(lab.id))
            findings = [_finding(number, one) for one in range(share * unit)]
            for start in range(0, len(findings), REPORT):
                raw = {"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": findings[start : start + REPORT]}
                reporting.submit_report(house, member, [json.dumps(raw).encode()], Envelope(name=f"{start}.json"))
    return labs


def _finding(lab: int, number: int) -> dict[str, Any]:
    """A finding of its own: no two have place or proof in common, so that each proof must run."""
    places = sorted((PLANTED / "proofs").iterdir())
    place = places[number % len(places)]
    text = (place / "proof.toml").read_text()
    proof = tomllib.loads(text)
    if number % 11 == 10:
        lines = text.partition("[[variant]]")[0].splitlines()
        text = "\n".join('input = { text = "x" }' if line.startswith("input") else line for line in lines)
    text = text.replace(f'title = "{proof["title"]}"', f'title = "lab {lab}, {number}: {proof["title"]}"')
    patch = proof["control"]["patch"]
    return {
        "title": f"lab {lab}, {number}: {proof['title']}",
        "product": {"purl": proof["target"]["purl"]},
        "weakness": proof["weakness"],
        "locations": [{"file": f"lab{lab}/f{number}.c", "line": 7, "function": f"f{lab}_{number}"}],
        "proof": {"files": {"proof.toml": text, patch: (place / patch).read_text()}},
    }


def _connect(hub: BenchHub):  # type: ignore[no-untyped-def]
    import psycopg

    from clearwell.ground.storage.embedded import OWNER, EmbeddedServer

    return psycopg.connect(EmbeddedServer(hub.folder).url(OWNER), autocommit=True)


def _count(hub: BenchHub, status: str) -> int:
    with _connect(hub) as connection:
        row = connection.execute(
            "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'validate' AND status::text = %s", [status]
        ).fetchone()
    assert row is not None
    return int(row[0])


def _verdicts(hub: BenchHub) -> dict[str, int]:
    """Verdict -> how many proofs' first run came out so."""
    with _connect(hub) as connection:
        connection.execute("SET row_security = off")
        rows = connection.execute(
            """
            SELECT verdict, count(*) FROM (SELECT DISTINCT ON (proof_id) proof_id, verdict FROM clearwell.run ORDER BY proof_id, id) first
            GROUP BY 1
            """
        ).fetchall()
    return {str(verdict): int(count) for verdict, count in rows}


def _share_of_the_small(hub: BenchHub, labs: list[str]) -> float | None:
    """The part of the proofs begun so far that is not the flood's; None once a small lab has nothing left that waits."""
    with _connect(hub) as connection:
        rows = connection.execute(
            """
            SELECT p.organization_id, count(*) FILTER (WHERE j.status <> 'todo'), count(*) FILTER (WHERE j.status = 'todo')
            FROM procrastinate.procrastinate_jobs j JOIN clearwell.proof p ON p.id = j.args->>'proof'
            WHERE j.task_name = 'validate' GROUP BY 1
            """
        ).fetchall()
    begun = {str(lab): int(done) for lab, done, _ in rows}
    if any(not waits for lab, _, waits in rows if str(lab) != labs[0]):
        return None
    small = sum(begun.get(lab, 0) for lab in labs[1:])
    return small / max(1, sum(begun.values()))


def _cpu(pids: list[int]) -> float:
    """Seconds of processor time of processes, of what they started, and of what those have waited for: workers, stages and boxes."""
    tick, total = os.sysconf("SC_CLK_TCK"), 0
    for pid in family(pids):
        try:
            # Fields 14 to 17 of proc_pid_stat(5); the name before them may hold blanks and brackets.
            total += sum(int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])
        except OSError:
            continue
    return total / tick
