# SPDX-License-Identifier: Apache-2.0
"""The operator's page and feed: at most five items, in plain words, its own alone; receipts and inventories."""

import json
import re

import msgspec
import pytest

from browser.client import Client
from browser.scene import Scene
from clearwell.clearinghouse.flow import operating
from clearwell.faces.web.consequences import consequence
from clearwell.faces.web.todo import highest
from clearwell.ground.identity.actor import Permission
from clearwell.ground.identity.members import issue_token
from clearwell.vocabulary.ids import ActionId, AssetId, TokenId
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """A published fix, and a hospital that runs the flawed version on six systems."""
    scene = Scene(hub)
    for number in range(1, 7):
        scene.run_software(scene.hospital, f"System {number}", "made-up-reader==1.4.0\n")
    scene.run_software(scene.city, "Permits", "flask==3.0.0\n")
    return scene.prove().fix().publish()


def test_the_page_shows_at_most_five_items_and_all_when_asked(scene: Scene) -> None:
    with Client(scene, scene.hospital) as client:
        five, every = client.get("/todo").text, client.get("/todo?all=1").text

    assert len(re.findall(r'class="cw-item"', five)) == 5 and "Show all 6" in five
    assert len(re.findall(r'class="cw-item"', every)) == 6


def test_an_item_says_what_why_until_when_how_long_and_where(scene: Scene) -> None:
    with Client(scene, scene.hospital) as client:
        page = client.get("/todo").text

    for question in ("What to do", "Why", "Until when", "How long", "Where"):
        assert f"<dt>{question}</dt>" in page
    assert "Install version <strong>1.4.1</strong> or newer of made-up-reader. You have 1.4.0." in page
    assert "Unknown. Nobody measured it" in page
    assert "Flaws of this kind can let strangers read or overwrite files that are none of theirs." in page


def test_the_version_to_install_repairs_every_item_about_that_software_on_that_system(scene: Scene) -> None:
    one = operating.read_actions(scene.house, scene.hospital)[0]
    fixed = {"action_1": "1.9.0", "action_2": "1.10.0", "action_3": None}
    told = [msgspec.structs.replace(one, id=ActionId(name), fixed_version=version) for name, version in fixed.items()]
    elsewhere = msgspec.structs.replace(one, id=ActionId("action_4"), asset=AssetId("another"))

    assert highest([*told, elsewhere]) == {"action_1": "1.10.0", "action_2": "1.10.0", "action_4": "1.4.1"}


def test_what_a_weakness_can_lead_to_is_told_in_general_and_never_guessed() -> None:
    assert consequence("CWE-502 in pkg:pypi/pyyaml") == "run programs of their own on that system"
    assert consequence("CWE-99999 in pkg:pypi/x") == consequence("A flaw in pkg:pypi/x") == "misuse it"


def test_until_when_follows_the_rank_where_no_directive_sets_a_date(scene: Scene) -> None:
    scene.run_software(scene.city, "Web server", "made-up-reader==1.4.0\n", True)
    scene.run_software(scene.city, "Archive", "made-up-reader==1.4.0\n", False)
    ranks = {action.asset_name: action.priority // 10**8 for action in operating.read_actions(scene.house, scene.city)}

    with Client(scene, scene.city) as client:
        page = client.get("/todo").text

    assert ranks == {"Web server": 4, "Archive": 3}
    first, second = page.split('class="cw-item"')[1:]
    assert "No directive sets a date for you." in first and "do it now, before other work" in first and "Web server" in first
    assert "Do not wait for the regular maintenance" in second


def test_an_operator_that_does_not_run_it_sees_nothing_of_it(scene: Scene) -> None:
    with Client(scene, scene.city) as client:
        page, feed = client.get("/todo").text, client.get("/todo.json").json()

    assert "Nothing to do" in page and "made-up-reader" not in page and "System" not in page.replace("Systems", "")
    assert feed["items"] == []


def test_receipts_are_received_or_planned_and_never_installed(scene: Scene) -> None:
    action = operating.read_actions(scene.house, scene.hospital)[0]
    path = f"/todo/{action.id}/receipt"

    with Client(scene, scene.hospital) as client:
        received = client.post(path, "/todo", receipt="received")
        planned = client.post(path, "/todo", receipt="planned", planned_for="2026-11-09")
        page = client.get("/todo").text
        installed = client.post(path, "/todo", receipt="installed")
        wrong = client.post(path, "/todo", receipt="planned", planned_for="soon")
        client.become(scene.city)
        others = client.post(path, "/todo", receipt="received")

    assert (received.status_code, planned.status_code) == (303, 303)
    assert "Planned for Monday, November 9, 2026." in page
    assert installed.status_code == 409 and "next inventory" in installed.text
    assert wrong.status_code == 400 and others.status_code == 404


def test_an_inventory_ends_what_it_shows_as_repaired(scene: Scene) -> None:
    files = {"inventory": ("requirements.txt", b"made-up-reader==1.4.1\n")}

    with Client(scene, scene.hospital) as client:
        sent = client.post("/todo/inventory", "/todo", files=files, asset="System 3", exposed="false")
        operating.match_operator(scene.house, scene.hospital.organization)
        page = client.get(sent.headers["location"]).text
        unreadable = client.post("/todo/inventory", "/todo", files={"inventory": ("x.json", b"{")}, asset="System 3", exposed="false")
        unsaid = client.post("/todo/inventory", "/todo", files=files, asset="System 3", exposed="maybe")

    assert sent.status_code == 303 and "stored with 1 components" in page
    assert "made-up-reader 1.4.1 on System 3" in page and "5 things to do" in page
    assert (unreadable.status_code, unsaid.status_code) == (400, 400)
    assert 'value="System 3" list' in unreadable.text and '<option value="false" selected>' in unreadable.text


def test_the_feed_is_read_by_session_or_token_and_invents_no_minutes(scene: Scene) -> None:
    with scene.house.transaction(scene.hospital) as tx:
        new = TokenId(scene.house.new_id("token"))
        secret = issue_token(tx, new, scene.hospital, "feed", [Permission.READ, Permission.OPERATE], scene.hub.clock.now(), 30)

    with Client(scene) as client:
        nobody = client.get("/todo.json")
        answer = client.http.get("/todo.json", headers={"authorization": f"Bearer {secret}"})

    assert nobody.status_code == 303
    feed = json.loads(answer.content)
    assert answer.headers["content-type"] == "application/json" and feed["operator"] == "Prairie Valley Hospital"
    assert {item["asset"] for item in feed["items"]} == {f"System {number}" for number in range(1, 7)}
    assert {item["minutes"] for item in feed["items"]} == {None} and {item["fixed"] for item in feed["items"]} == {"1.4.1"}
