# SPDX-License-Identifier: Apache-2.0
"""The queue of suggestions as a page, without scripts: every signal, side by side, joined, undone, kept apart."""

import re

import pytest

from browser.client import Client
from browser.scene import HOSTILE, Scene, report
from clearwell.clearinghouse.flow import coordinating, sketching, suggesting
from clearwell.clearinghouse.flow.suggesting import SuggestedPair
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """Two labs that report one flaw, one of them with a title that would act."""
    scene = Scene(hub)
    scene.suggest(HOSTILE)
    return scene


def test_a_pair_is_shown_with_its_signals_joined_and_undone(scene: Scene) -> None:
    with Client(scene, scene.coordinator) as client:
        page = client.get("/suggestions").text
        accept = re.search(r'action="(/suggestions/case_\w+/case_\w+)/accept"', page)
        beside = re.search(r'href="(/cases/case_\w+/compare/finding_\w+/finding_\w+)"', page)
        assert accept is not None and beside is not None
        compared = client.get(beside[1])
        done = client.post(f"{accept[1]}/accept", "/suggestions")
        after = client.get(done.headers["location"]).text
        undone = client.post(f"{accept[1]}/undo", "/suggestions")
        again = client.get(undone.headers["location"]).text

    assert "<script>alert" not in page and "reader/files.py" in page and "line <span" in page
    assert compared.status_code == 200 and "<mark>" in compared.text
    assert done.status_code == 303 and "are one now" in after and f"{accept[1]}/undo" in after and f"{accept[1]}/accept" not in after
    assert undone.status_code == 303 and f"{accept[1]}/accept" in again and "taken back" in again


def test_the_key_that_undoes_the_last_undoes_nobody_elses(scene: Scene) -> None:
    (pair,) = suggesting.list_suggestions(scene.house, scene.coordinator).pairs
    suggesting.accept_suggestion(scene.house, scene.coordinator, pair.one.id, pair.other.id)

    with Client(scene, scene.coordinator) as mine, Client(scene, scene.second) as theirs:
        pages = [client.get("/suggestions").text for client in (mine, theirs)]

    assert ['data-key="u"' in page for page in pages] == [True, False]
    assert all("Undo: two cases again" in page for page in pages)


def test_different_asks_why_and_is_kept_for_ever(scene: Scene) -> None:
    (pair,) = suggesting.list_suggestions(scene.house, scene.coordinator).pairs
    path = f"/suggestions/{pair.one.id}/{pair.other.id}"

    with Client(scene, scene.coordinator) as client:
        silent = client.post(f"{path}/different", "/suggestions", reason=" ")
        done = client.post(f"{path}/different", "/suggestions", reason="another root cause")
        page = client.get(done.headers["location"]).text
        undone = client.post(f"{path}/undo", "/suggestions")

    assert silent.status_code == 400 and done.status_code == 303
    assert "Nothing waits" in page and "for ever" in page
    assert undone.status_code == 409


def test_nobody_but_coordinators_sees_the_queue(scene: Scene) -> None:
    for member in (scene.lab, scene.hospital, scene.auditor):
        with Client(scene, member) as client:
            assert client.get("/suggestions").status_code == 403
            assert 'href="/suggestions"' not in client.get("/").text


def test_a_pair_whose_proof_would_reach_the_maintainer_is_proposed_and_confirmed_by_a_colleague(scene: Scene) -> None:
    scene.prove()
    sketching.sketch_batch(scene.house, scene.submission, 0)
    raw = report("It leaves its folder, seen elsewhere", "two dots leave the folder", line=47, function=None)
    sketching.sketch_batch(scene.house, scene.submit(scene.other_lab, raw, "again.json"), 0)
    pair = next(
        p for p in suggesting.list_suggestions(scene.house, scene.coordinator).pairs if is_of(p, scene.case) and has_proof(scene, p)
    )
    path = f"/suggestions/{pair.one.id}/{pair.other.id}"

    with Client(scene, scene.coordinator) as client:
        done = client.post(f"{path}/accept", "/suggestions")
        mine = client.get(done.headers["location"]).text
        client.become(scene.second)
        theirs = client.get("/suggestions").text
        confirm = re.search(r'action="(/cases/case_\w+/judgment/proposal_\w+)"', theirs)
        assert confirm is not None
        confirmed = client.post(confirm[1], "/suggestions")

    assert (
        done.headers["location"] == "/suggestions?done=proposed" and "nothing has changed" in mine and "You proposed to join them" in mine
    )
    assert confirmed.status_code == 303
    assert suggesting.list_decided(scene.house, scene.coordinator)[0].suggestion.pair == pair.suggestion.pair


def is_of(pair: SuggestedPair, case: str) -> bool:
    return case in pair.suggestion.pair


def has_proof(scene: Scene, pair: SuggestedPair) -> bool:
    other = next(case for case in pair.suggestion.pair if case != scene.case)
    return any(finding.has_proof for finding in coordinating.read_case(scene.house, scene.coordinator, other).findings)
