# SPDX-License-Identifier: Apache-2.0
"""Two reports side by side, and the scorecard."""

import re

import pytest

from api import finding
from api import report as write
from browser.client import Client
from browser.scene import Scene
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from hub import Hub

HOSTILE = "<script>alert(1)</script> in read_frame"


@pytest.fixture
def scene(hub: Hub) -> Scene:
    return Scene(hub)


def test_two_reports_of_one_case_stand_side_by_side_and_one_is_taken_out(scene: Scene) -> None:
    house = scene.hub.house
    for title in ("A length is not checked", HOSTILE):
        reporting.submit_report(house, scene.lab, [write(finding(title))], Envelope(name="r.json"))
        scene.hub.work()

    with Client(scene, scene.coordinator) as client:
        cases = client.get("/cases").text
        (case,) = set(re.findall(r'href="/cases/(case_[0-9a-z]+)"', cases))
        link = re.search(rf"/cases/{case}/compare/(finding_\w+)/(finding_\w+)", client.get(f"/cases/{case}").text)
        assert link is not None
        text = client.get(link.group(0)).text
        other = client.get(f"/cases/case_0000000000000000000000000a/compare/{link.group(1)}/{link.group(2)}")
        taken = client.post(f"/cases/{case}/split", link.group(0), finding=link.group(2), reason="not the same")
    with Client(scene, scene.lab) as client:
        refused = client.get(link.group(0))

    assert "<mark>pkg:cargo/framer</mark>" in text and "<script>alert" not in text and "&lt;" in text
    assert other.status_code == 404 and taken.status_code == 303 and refused.status_code == 403


def test_a_lab_sees_what_became_of_what_it_sent_by_tool_and_model(scene: Scene) -> None:
    house = scene.hub.house
    for title in ("one", "two"):
        reporting.submit_report(house, scene.lab, [write(finding(title))], Envelope(name="r.json"))
        scene.hub.work()

    with Client(scene, scene.lab) as client:
        text = client.get("/scorecard").text
    with Client(scene, scene.coordinator) as client:
        seen = client.get(f"/scorecard?organization={scene.lab.organization}").text
    with Client(scene, scene.hospital) as client:
        refused = client.get(f"/scorecard?organization={scene.lab.organization}")

    assert "some-model-1" in text and "50.0 %" in text and "nothing settled yet" in text and "50.0 %" in seen and refused.status_code == 403
