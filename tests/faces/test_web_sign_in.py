# SPDX-License-Identifier: Apache-2.0
"""Signing in by a service token, and out again."""

import pytest

from browser.client import Client
from browser.scene import Scene
from clearwell.ground.identity.actor import Permission
from clearwell.ground.identity.members import issue_token, revoke_token
from clearwell.vocabulary.ids import TokenId
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """People, and nothing that happened yet."""
    return Scene(hub)


def token(scene: Scene, *permissions: Permission) -> str:
    """A service token of the hospital's person, for everything unless it is told what for."""
    with scene.house.transaction(scene.hospital) as tx:
        new = TokenId(scene.house.new_id("token"))
        return issue_token(tx, new, scene.hospital, "browser", permissions or Permission, scene.hub.clock.now(), 30)


def test_a_token_opens_a_session_that_scripts_and_other_sites_do_not_get(scene: Scene) -> None:
    with Client(scene) as client:
        answer = client.post("/sign-in", "/sign-in?next=/todo", token=token(scene), next="/todo")
        page = client.get("/todo")

    assert answer.status_code == 303 and answer.headers["location"] == "/todo"
    session = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("clearwell_session="))
    assert "HttpOnly" in session and "SameSite=lax" in session and "Path=/" in session
    assert "Prairie Valley Hospital" in page.text


def test_a_wrong_token_is_told_on_the_form(scene: Scene) -> None:
    with Client(scene) as client:
        answer = client.post("/sign-in", "/sign-in", token="cwt_guess")

    assert answer.status_code == 403
    assert "not in force" in answer.text and "cwt_guess" not in answer.text


def test_the_form_sends_nobody_to_another_site(scene: Scene) -> None:
    elsewhere = ("//attacker.example", "https://attacker.example", "/\\attacker.example", "/\tx", "javascript:alert(1)")

    for outside in elsewhere:
        with Client(scene) as client:
            assert client.post("/sign-in", "/sign-in", token=token(scene), next=outside).headers["location"] in ("/", "/todo")


def test_an_operator_lands_on_what_it_has_to_do(scene: Scene) -> None:
    with Client(scene) as client:
        hospital = client.post("/sign-in", "/sign-in", token=token(scene), next="/")
    with scene.house.transaction(scene.lab) as tx:
        secret = issue_token(tx, TokenId(scene.house.new_id("token")), scene.lab, "browser", Permission, scene.hub.clock.now(), 30)
    with Client(scene) as client:
        lab = client.post("/sign-in", "/sign-in", token=secret, next="/")

    assert (hospital.headers["location"], lab.headers["location"]) == ("/todo", "/")


def test_signing_out_ends_the_session_in_the_hub_too(scene: Scene) -> None:
    session = scene.session(scene.hospital)
    with Client(scene) as client:
        client.http.cookies.set("clearwell_session", session)
        answer = client.post("/sign-out", "/todo")
        client.http.cookies.set("clearwell_session", session)
        after = client.get("/todo")

    assert answer.status_code == 303
    assert after.status_code == 303 and after.headers["location"].startswith("/sign-in")


def test_a_session_may_do_no_more_than_the_token_that_opened_it(scene: Scene) -> None:
    with Client(scene) as client:
        client.post("/sign-in", "/sign-in", token=token(scene, Permission.READ))
        seen = [client.get(path).status_code for path in ("/", "/reports", "/todo")]

    assert seen == [200, 200, 403]


def test_a_session_ends_with_the_token_that_opened_it(scene: Scene) -> None:
    secret = token(scene)
    with Client(scene) as client:
        client.post("/sign-in", "/sign-in", token=secret)
        before = client.get("/todo").status_code
        with scene.house.transaction(scene.hospital) as tx:
            known = tx.value("SELECT id FROM clearwell.token")
            revoke_token(tx, TokenId(known), scene.hospital.organization, scene.hub.clock.now())
        after = client.get("/todo").status_code

    assert (before, after) == (200, 303)
