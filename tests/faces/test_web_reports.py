# SPDX-License-Identifier: Apache-2.0
"""A finder's pages: its reports and answers, nobody else's, and the appeal."""

import time

import pytest

from browser.client import Client
from browser.scene import HOSTILE, Scene, report
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """People, and nothing that happened yet."""
    return Scene(hub)


def test_a_report_is_sent_and_found_again(scene: Scene) -> None:
    with Client(scene, scene.lab) as client:
        sent = client.post("/reports", "/reports", files={"report": ("scan.json", report("a flaw"))}, marking="TLP:RED")
        page = client.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "scan.json" in page.text and "TLP:RED" in page.text and "being read" in page.text


def test_a_report_without_a_file_or_with_an_unknown_marking_is_told_so(scene: Scene) -> None:
    with Client(scene, scene.lab) as client:
        nothing = client.post("/reports", "/reports", marking="TLP:RED")
        unknown = client.post("/reports", "/reports", files={"report": ("scan.json", b"{}")}, marking="SECRET")

    assert (nothing.status_code, unknown.status_code) == (400, 400)
    assert "no file was chosen" in nothing.text and "a marking is one of" in unknown.text


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"garbage", 400),
        ("multipart/form-data; boundary=", b"garbage", 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="report"\r\n\r\ncut', 400),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 50_000, 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\nv\r\n' * 5_000, 400),
        ("application/x-www-form-urlencoded", b"&".join(b"n%d=1" % n for n in range(100_000)), 400),
        ("application/x-www-form-urlencoded", b"csrf=%ED%A0%80&a=%ff%00", 403),
        ("application/json", b"[" * 50_000, 403),
    ],
)  # fmt: skip
def test_forms_that_are_none_are_turned_away_at_once(scene: Scene, kind: str, body: bytes, status: int) -> None:
    with Client(scene, scene.lab) as client:
        began = time.process_time()
        answer = client.http.post("/reports", content=body, headers={"Content-Type": kind}, follow_redirects=False)

    assert answer.status_code == status
    assert time.process_time() - began < 3


def test_another_organization_sees_nothing_of_a_report(scene: Scene) -> None:
    scene.prove("a title of the lab")
    paths = (f"/reports/{scene.submission}", f"/reports/{scene.submission}/{scene.finding}")

    with Client(scene, scene.city) as client:
        answers = [client.get(path) for path in paths]
        listed = client.get("/reports").text

    assert [answer.status_code for answer in answers] == [404, 404]
    assert not any("a title of the lab" in answer.text for answer in answers)
    assert scene.submission not in listed


def test_a_joined_finder_sees_its_own_part_and_not_the_other_report(scene: Scene) -> None:
    scene.prove("a title of the lab")

    with Client(scene, scene.other_lab) as client:
        listed = client.get("/reports").text

    assert "second.json" in listed and "scan-41.json" not in listed


def test_a_finding_shows_answers_runs_reads_and_who_wrote_it(scene: Scene) -> None:
    scene.prove()
    with Client(scene, scene.coordinator) as client:
        (proof,) = {run.proof for run in scene.view().runs}
        client.post(f"/cases/{scene.case}/proofs/{proof}", f"/cases/{scene.case}")
        client.become(scene.lab)
        page = client.get(f"/reports/{scene.submission}/{scene.finding}").text

    assert "Written by AI: some-model-1" in page
    assert "fired 3 of 3" in page and "fired 0 of 3" in page and "memory <strong>watched</strong>" in page
    assert "a coordinator looked at it" in page and scene.coordinator.person in page
    assert "part_" in page and scene.case not in page


def test_outside_text_on_a_page_is_shown_and_not_obeyed(scene: Scene) -> None:
    sent, finding = scene.refuse(scene.lab, HOSTILE)

    with Client(scene, scene.lab) as client:
        pages = [client.get(f"/reports/{sent}").text, client.get(f"/reports/{sent}/{finding}").text]

    for page in pages:
        assert "<script>alert" not in page and "\u202e" not in page
        assert "&lt;script&gt;" in page and "&lt;U+202E&gt;" in page


def test_a_refusal_is_appealed_once_and_decided_by_a_coordinator(scene: Scene) -> None:
    sent, finding = scene.refuse(scene.lab)
    path = f"/reports/{sent}/{finding}"

    with Client(scene, scene.lab) as client:
        first = client.post(f"{path}/appeal", path, reason="the line is in the generated file")
        again = client.post(f"{path}/appeal", path, reason="again")
        client.become(scene.coordinator)
        decided = client.post(f"{path}/decision", path, reason="it is there indeed", decision="uphold")
        client.become(scene.lab)
        page = client.get(path).text

    assert (first.status_code, again.status_code, decided.status_code) == (303, 409, 303)
    assert "appeal upheld: it is there indeed" in page


def test_a_strange_page_number_is_told_and_not_guessed(scene: Scene) -> None:
    scene.prove()

    with Client(scene, scene.lab) as client:
        answers = [client.get(f"/reports/{scene.submission}?after={after}") for after in ("-1", "x", "9" * 30, "²")]

    assert [answer.status_code for answer in answers] == [400] * 4
