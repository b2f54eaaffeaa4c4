# SPDX-License-Identifier: Apache-2.0
"""Fairness: twenty labs flood the hub, one maintainer sends single reports; how long from accepted to answered.

The labs' reports are the shared SARIF (1,768 results each, new ones) and small ones, kept in flight without a pause. The same single
reports on an idle hub stand beside it.
"""

import json
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from hub import BenchHub, Figure, bench_hub
from sections import SARIF

LABS = 20
SINGLES = 60
"""Single reports measured under the flood."""
DEPTH = 3
"""Reports that each lab keeps waiting at the hub, one big and the others small, by turns."""


def measure_fairness(folder: Path) -> list[Figure]:
    """p99 from accepted to answered for a maintainer's single report, idle and under the flood of twenty labs."""
    if not SARIF.exists():
        print(f"     fairness: skipped, {SARIF.name} is not in the shared data (CLEARWELL_SHARED)")
        return []
    with bench_hub(folder / "hub") as hub:
        hub.start("serve")
        hub.wait_until_up()
        maintainer, *tokens = _members(hub)
        hub.start("worker")
        time.sleep(3)
        idle = [_single(hub, maintainer, f"idle-{number}") for number in range(8)]
        flood = Flood(hub, tokens)
        flood.begin()
        try:
            taken = [_single(hub, maintainer, f"flood-{number}") for number in range(SINGLES)]
        finally:
            answered = flood.end()
    answer, whole = sorted(one for one, _ in taken), sorted(two for _, two in taken)
    return [
        Figure("a single report, accepted to answered, idle hub, median", statistics.median(one for one, _ in idle), "s"),
        Figure(f"a single report, accepted to answered, {LABS} labs flooding, p99", _p99(answer), "s", 1),
        Figure(f"a single report, accepted to answered, {LABS} labs flooding, median", statistics.median(answer), "s"),
        Figure(f"a single report, sent to answered, {LABS} labs flooding, p99", _p99(whole), "s"),
        Figure("the flood meanwhile", answered, "findings/s answered"),
    ]


def _members(hub: BenchHub) -> list[str]:
    """Tokens of the maintainer and of the labs, made in this process: as many commands would take minutes."""
    from clearwell.app import open_house, settings_now
    from clearwell.clearinghouse.flow import admitting
    from clearwell.ground.identity.actor import OrganizationKind, Permission

    kinds = [OrganizationKind.MAINTAINER, *[OrganizationKind.LAB] * LABS]
    with open_house(settings_now(hub.environment)[0]) as house:
        made = [
            admitting.admit_organization(house, admitting.OrganizationFacts(name=f"bench {n}", kind=kind)) for n, kind in enumerate(kinds)
        ]
        people = [admitting.admit_person(house, one.id, "somebody") for one in made]
        return [admitting.issue_service_token(house, one, "bench", (Permission.SUBMIT, Permission.READ), 1).secret for one in people]


class Flood:
    """Labs that each keep reports waiting at the hub until they are told to end."""

    def __init__(self, hub: BenchHub, tokens: list[str]) -> None:
        self._hub, self._over = hub, threading.Event()
        self._raw = SARIF.read_bytes()
        self._threads = [threading.Thread(target=self._lab, args=(number, token)) for number, token in enumerate(tokens)]
        self._answered, self._begun = 0, 0.0
        self._deep = threading.Barrier(len(tokens) + 1)

    def begin(self) -> None:
        """Start every lab; return once each has its reports waiting."""
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        self._deep.wait(120)

    def end(self) -> float:
        """End every lab; return how many of their findings were answered in a second."""
        seconds = time.monotonic() - self._begun
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self._answered / seconds

    def _lab(self, number: int, token: str) -> None:
        with httpx.Client(base_url=f"{self._hub.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
            waiting: list[str] = []
            sent, is_deep = 0, False
            while not self._over.is_set():
                while len(waiting) < DEPTH:
                    waiting.append(self._send(client, number, sent))
                    sent += 1
                if not is_deep:
                    is_deep = True
                    self._deep.wait(120)
                state = client.get(f"/submissions/{waiting[0]}").json()
                if state["state"] == "received":
                    self._over.wait(0.5)
                else:
                    self._answered += state["findings"]
                    waiting.pop(0)

    def _send(self, client: httpx.Client, lab: int, number: int) -> str:
        if number % 2 == 0:
            body, name = self._raw.replace(b"org/owasp", f"org/lab{lab}n{number}".encode()), "flood.sarif"
        else:
            body, name = _report(f"lab {lab} says {number}", 20), "flood.json"
        query = {"name": name, "target": f"forge.example/lab{lab}/target@0123456789ab"}
        return str(client.post("/submissions", params=query, content=body).raise_for_status().json()["id"])


def _single(hub: BenchHub, token: str, name: str) -> tuple[float, float]:
    """Send one report with one finding; seconds from accepted, and from sent, to answered."""
    with httpx.Client(base_url=f"{hub.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        begun = time.monotonic()
        sent = client.post("/submissions", params={"name": f"{name}.json"}, content=_report(name, 1)).raise_for_status().json()
        accepted = time.monotonic()
        while client.get(f"/submissions/{sent['id']}").raise_for_status().json()["findings"] == 0:
            time.sleep(0.02)
        answered = time.monotonic()
    return answered - accepted, answered - begun


def _report(words: str, findings: int) -> bytes:
    """A Clearwell report of new findings."""
    made: list[dict[str, Any]] = [
        {
            "title": f"{words}: {number}",
            "product": {"purl": f"pkg:cargo/{words.replace(' ', '-')}@1.0.0"},
            "weakness": "CWE-787",
            "locations": [{"file": f"src/f{number}.c", "line": 7, "function": f"f{number}"}],
        }
        for number in range(findings)
    ]
    return json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": made}).encode()


def _p99(taken: list[float]) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * 0.99))]
