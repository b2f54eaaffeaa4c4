# SPDX-License-Identifier: Apache-2.0
"""Kills amid an upload in pieces and amid a report of many batches: nothing accepted is lost, nothing is stored twice."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.reduced import reduced
from chaos.rig import Kill, rig
from chaos.test_chaos import REDUCED
from clearwell.faces.cli.demo.exercise import read_exercise
from clearwell.faces.cli.hub import Hub
from clearwell.faces.cli.sending import Sending
from house.tree import ROOT

FINDINGS = 12_000
BATCHES = FINDINGS // 1_000


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder: a socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        yield Path(folder)


def _big_report() -> bytes:
    """A report of more than one piece, in which no two findings are one."""
    findings = [
        {
            "title": f"flaw {number}",
            "text": "w" * 1_000,
            "product": {"purl": "pkg:cargo/kept@1.0.0"},
            "weakness": "CWE-787",
            "locations": [{"file": f"src/f{number}.c", "line": 1, "function": f"f{number}"}],
        }
        for number in range(FINDINGS)
    ]
    return json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": findings}).encode()


@pytest.mark.chaos
def test_kills_amid_an_upload_and_amid_big_batches_lose_nothing_and_double_nothing(place: Path) -> None:
    exercise = reduced(read_exercise(ROOT / "examples" / "exercise"), REDUCED)
    file = place / "big.json"
    file.write_bytes(_big_report())
    with rig(place / "d", exercise) as hub:
        lab = next(persona for key, persona in hub.personas.items() if key.startswith("lab:"))
        before = hub.entries()
        killing = hub.kill_along(
            tuple(Kill(before + at, 0.05, victim) for at, victim in ((0, "server"), (2, "worker"), (4, "database"), (7, "worker")))
        )
        with Hub(hub.settings.public_url, lab.token) as client:
            patient = Sending(client, {}, lambda pause: time.sleep(4 * pause))
            sent = patient.send(file, lambda done: None)
            again = patient.send(file, lambda done: None)
        killing.join(timeout=120)
        hub.settle()

        assert again["id"] == sent["id"] and len(hub.killed) == 4
        assert hub.counts()["finding"] == hub.counts()["vulnerability_case"] == FINDINGS
        assert hub.failed_jobs() is None and hub.unreadable() == []
        with Hub(hub.settings.public_url, lab.token) as client:
            read = client.get(f"/submissions/{sent['id']}")
            answers = list(client.pages(f"/submissions/{sent['id']}/answers", "answers", limit=500))
        assert (read["state"], read["findings"]) == ("parsed", FINDINGS)
        assert [answer["position"] for answer in answers] == list(range(FINDINGS))
