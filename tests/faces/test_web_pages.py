# SPDX-License-Identifier: Apache-2.0
"""Every page: who is let in, what every form must bring, and the headers of every answer."""

import re

import pytest
from litestar.testing import TestClient

from browser.client import Client, token_of
from browser.scene import HOSTILE, Scene
from clearwell.clearinghouse.dedupe import question_store
from clearwell.faces.asgi import build_app
from clearwell.faces.web import Demo
from clearwell.faces.web.pages import days_until, encode, moment
from clearwell.ground.identity.actor import DEDUPE, Member
from hub import Hub

PRIVATE = ("/", "/reports", "/cases", "/todo", "/reports/sub_0000000000000000000000000a", "/cases/case_0000000000000000000000000a")
PUBLIC = ("/sign-in", "/ledger", "/advisories")


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """People, and nothing that happened yet."""
    return Scene(hub)


def test_a_visitor_is_sent_to_sign_in_and_back(scene: Scene) -> None:
    with Client(scene) as client:
        answers = {path: client.get(path) for path in PRIVATE}

    assert {answer.status_code for answer in answers.values()} == {303}
    assert {path: answer.headers["location"] for path, answer in answers.items()} == {path: f"/sign-in?next={path}" for path in PRIVATE}


def test_public_pages_need_no_sign_in(scene: Scene) -> None:
    with Client(scene) as client:
        answers = [client.get(path) for path in PUBLIC]

    assert all(answer.status_code == 200 and "<h1" in answer.text for answer in answers)


def test_static_files_are_kept_by_browsers_for_a_while(scene: Scene) -> None:
    with Client(scene) as client:
        answer = client.get("/static/clearwell.css")

    assert answer.headers["cache-control"] == "max-age=3600, public"


def test_every_answer_bears_the_strict_headers(scene: Scene) -> None:
    with Client(scene, scene.hospital) as client:
        paths = (*PUBLIC, "/todo", "/nothing-here", "/advisories/CLEARWELL-0", "/maintainer/guess")
        answers = [client.get(path) for path in paths]

    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script>" not in answer.text and " style=" not in answer.text and "http://" not in answer.text


def test_every_form_without_this_sessions_token_is_refused(scene: Scene) -> None:
    app = build_app(scene.house)
    scene.prove().fix()
    ids = {"submission": scene.submission, "finding": scene.finding, "case": scene.case, "secret": scene.link, "fix": scene.the_fix().id}
    forms = [route.path for route in app.routes if "POST" in getattr(route, "methods", ()) and not route.path.startswith("/api/")]
    stranger = token_of(_page(scene, scene.lab, "/reports"))

    with Client(scene, scene.coordinator) as client:
        for path in forms:
            named = re.sub(r"\{(\w+):str\}", lambda match: ids.get(match[1], "x"), path)
            for form in ({}, {"csrf": ""}, {"csrf": stranger}):
                answer = client.http.post(named, data=form)
                assert answer.status_code == 403, (path, answer.status_code)
                assert "made for your present session" in answer.text

    assert len(forms) >= 20


def _page(scene: Scene, member: Member, path: str) -> str:
    with Client(scene, member) as client:
        return client.get(path).text


def test_a_form_sent_by_another_site_is_refused(scene: Scene) -> None:
    with Client(scene, scene.hospital) as client:
        csrf = token_of(client.get("/todo").text)
        answer = client.http.post("/sign-out", data={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


def test_another_host_is_not_answered(scene: Scene) -> None:
    with Client(scene) as client:
        answer = client.http.get("/ledger", headers={"host": "attacker.example"})

    assert answer.status_code == 400


def test_each_kind_sees_only_its_own_pages(scene: Scene) -> None:
    allowed = {"/": {"lab", "hospital", "auditor", "coordinator"}, "/cases": {"coordinator"}, "/todo": {"hospital"}}

    with Client(scene) as client:
        for kind in ("lab", "hospital", "auditor", "coordinator"):
            client.become(getattr(scene, kind))
            seen = {path: client.get(path).status_code for path in allowed}
            assert seen == {path: 200 if kind in kinds else 403 for path, kinds in allowed.items()}, kind


def test_a_page_that_is_not_there_says_what_to_do(scene: Scene) -> None:
    with Client(scene) as client:
        answer = client.get("/nothing")

    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_hostile_addresses_and_forms_get_a_clear_answer(scene: Scene) -> None:
    scene.prove()
    addresses = (
        "/cases?after=9.x",
        "/cases?after=%00",
        "/cases/%00",
        "/cases/case_%2e%2e",
        "/cases?standing=%F0%28",
        "/ledger?before=%D9%A1",
    )
    forms = (
        {"content": b"csrf=%ff%00&into=x", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"--x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}},
        {"content": b"a=" + b"x" * 9_000_000, "headers": {"content-type": "application/x-www-form-urlencoded"}},
    )

    with Client(scene, scene.coordinator) as client:
        read = [client.get(path).status_code for path in addresses]
        sent = [client.http.post(f"/cases/{scene.case}/merge", **form).status_code for form in forms]
        nul = client.post(f"/cases/{scene.case}/merge", f"/cases/{scene.case}", into=scene.case, reason="a\0b").status_code
        client.http.cookies.set("clearwell_session", "x" * 4_000)
        cookie = client.get("/cases").status_code

    assert all(400 <= status < 500 for status in (*read, *sent, nul)), (read, sent, nul)
    assert cookie == 303


def test_outside_text_is_shown_and_never_obeyed() -> None:
    shown = str(encode(HOSTILE))

    assert "<script>" not in shown
    assert "&lt;U+202E&gt;" in shown and "&lt;U+200B&gt;" in shown


def test_days_are_told_in_words(hub: Hub) -> None:
    now = hub.clock.now()

    assert days_until(now, now) == "today"
    assert days_until(now.date().replace(day=now.day + 1), now) == "in 1 day"
    assert 'datetime="2026-11-02T09:00' in moment(now)


def test_a_demo_link_signs_in_once(scene: Scene) -> None:
    demo = Demo({"one-time": scene.hospital.person})
    client = TestClient(build_app(scene.house, demo), base_url="http://127.0.0.1")
    client.follow_redirects = False

    with client:
        first = client.get("/demo/sign-in/one-time")
        overview = client.get("/")
        again = client.get("/demo/sign-in/one-time")

    assert first.status_code == 303 and overview.status_code == 200
    assert again.status_code == 404


def test_without_a_demo_there_are_no_demo_links(scene: Scene) -> None:
    with Client(scene) as client:
        assert client.get("/demo/sign-in/one-time").status_code == 404


def test_coordinators_see_who_may_be_searching_for_what_others_found(scene: Scene) -> None:
    house = scene.hub.house
    with house.transaction(DEDUPE) as tx:
        question_store.raise_alarm(tx, scene.lab.organization, 400, 120, house.clock.now())

    with Client(scene, scene.coordinator) as client:
        coordinators = client.get("/").text
    with Client(scene, scene.lab) as client:
        labs = client.get("/").text

    assert "asked about 400 signatures" in coordinators and "asked about" not in labs
