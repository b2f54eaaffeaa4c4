# SPDX-License-Identifier: Apache-2.0
"""What a hub's worker signed leaves the hub as it is, and is checked offline with the key that the hub names."""

import json
from pathlib import Path

import msgspec
import pytest

from api import Api, finding, report
from clearwell.faces.cli import main
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.proving.attempt import Reproduction
from clearwell.proving.verdict import Evidence
from pretend import ground, verdict


def test_a_run_s_statement_is_fetched_and_checked_offline(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    told = verdict(purl="pkg:cargo/framer@1.4.0", reason="it fired")
    told = msgspec.structs.replace(told, evidence=(Evidence("target stdout", "0" * 64),))
    ground(monkeypatch, lambda _: Reproduction(told, {"target stdout": b"words that the proof printed"}))
    lab, coordinator = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.COORDINATOR)
    lab.submit(report(finding("A flaw", proof={"files": {"proof.toml": "secret words"}})))
    api.hub.work()
    (case,) = coordinator.get("/cases")["cases"]
    (run,) = coordinator.get(f"/cases/{case['id']}")["runs"]

    lab.get(f"/runs/{run['run']}/statement", 403)
    coordinator.get("/runs/run_0000000000000000000000000a/statement", 404)
    statement = coordinator.get(f"/runs/{run['run']}/statement")
    (key,) = coordinator.get("/workers")["workers"]
    (tmp_path / "s.json").write_text(json.dumps(statement))
    (tmp_path / "key.pub").write_text(json.dumps(key))
    with pytest.raises(SystemExit) as left:
        main(["prove", "verify", str(tmp_path / "s.json"), "--key", str(tmp_path / "key.pub"), "--json"])

    assert left.value.code in {0, None}
    shown = json.loads(capsys.readouterr().out)
    assert shown["predicate"]["verdict"]["verdict"] == "reproduced"
    assert [one["head"] for one in shown["predicate"]["exhibits"]] == [""]
