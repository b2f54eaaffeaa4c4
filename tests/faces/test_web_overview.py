# SPDX-License-Identifier: Apache-2.0
"""The overview and the API when a run got out of its box: whoever may let proofs run again sees it and can; nobody else does."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from api import Api
from browser.client import Client
from browser.scene import Scene
from clearwell.clearinghouse.flow import alarming
from clearwell.faces.cli import root
from clearwell.ground.identity.actor import IDENTITY, OrganizationKind
from clearwell.vocabulary.errors import NotFound
from hub import Hub

REASON = "the run is void: its canary was heard outside the box (tcp 127.0.0.1) <script>alert(1)</script>"


def test_a_coordinator_sees_that_no_proof_runs_and_lets_them_run_again(hub: Hub) -> None:
    scene = Scene(hub)
    alarming.raise_alarm(hub.house, None, REASON)

    with Client(scene, scene.lab) as client:
        others = client.get("/").text
        refused = client.post("/overview/resume", "/", because="I want it")
    with Client(scene, scene.coordinator) as client:
        seen = client.get("/").text
        empty = client.post("/overview/resume", "/", because=" ")
        resumed = client.post("/overview/resume", "/", because="the bridge was misconfigured; rebuilt")
        after = client.get("/").text

    assert "got out of its box" not in others and refused.status_code == 403
    assert "got out of its box" in seen and "tcp 127.0.0.1" in seen and "<script>alert" not in seen
    assert empty.status_code == 400 and resumed.status_code == 303
    assert "got out of its box" not in after and alarming.read_alarms(hub.house, IDENTITY) == ()


def test_the_api_tells_coordinators_and_takes_their_answer(api: Api) -> None:
    coordinator, lab = api.caller(OrganizationKind.COORDINATOR), api.caller(OrganizationKind.LAB)
    assert coordinator.get("/alarms") == {"is_stopped": False, "alarms": []}
    coordinator.post("/alarms/resume", {"because": "nothing"}, expect=409)
    alarming.raise_alarm(api.hub.house, None, REASON)

    told = coordinator.get("/alarms")
    lab.get("/alarms", 403)
    lab.post("/alarms/resume", {"because": "I want it"}, expect=403)
    coordinator.post("/alarms/resume", {"because": ""}, expect=400)
    answered = coordinator.post("/alarms/resume", {"because": "looked at"}, expect=200)

    assert told["is_stopped"] and [alarm["reason"] for alarm in told["alarms"]] == [REASON]
    assert answered["alarms"] == told["alarms"] and not answered["is_stopped"]
    assert coordinator.get("/alarms") == {"is_stopped": False, "alarms": []}


@pytest.mark.parametrize("words", [("alarms",), ("resume", "--because", "why not")])
def test_looking_for_alarms_makes_no_hub(tmp_path: Path, words: tuple[str, ...]) -> None:
    place = tmp_path / "none"

    ran = CliRunner().invoke(root, ["sandbox", *words], env={"CLEARWELL_DATA_DIR": str(place)})

    assert isinstance(ran.exception, NotFound)
    assert not place.exists()
