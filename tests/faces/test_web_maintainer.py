# SPDX-License-Identifier: Apache-2.0
"""The maintainer's page: looking changes nothing, acts need the mailed code, and the proof is read on the record."""

import io
import zipfile

import pytest

from browser.client import Client
from browser.scene import Scene
from clearwell.clearinghouse.flow import reporting
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """A proven case whose maintainer has a link."""
    return Scene(hub).prove()


def entries(scene: Scene) -> int:
    """How many lines the ledger has."""
    with scene.house.transaction(scene.auditor) as tx:
        return int(tx.value("SELECT count(*) FROM clearwell.ledger_entry"))


def test_looking_shows_one_root_cause_and_changes_nothing(scene: Scene) -> None:
    before = entries(scene)

    with Client(scene) as client:
        page = client.get(f"/maintainer/{scene.link}")
        client.get(f"/maintainer/{scene.link}")

    assert page.status_code == 200 and entries(scene) == before
    assert "reproduced by this hub" in page.text and "2 reports of it, joined into this one" in page.text
    assert "2027-01-31" in page.text and "fired 3 of 3" in page.text
    assert "Northlake" not in page.text and "org_" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer" and page.headers["cache-control"] == "no-store"
    assert "clearwell_session" not in page.headers.get("set-cookie", "")


def test_acts_need_the_newest_mailed_code(scene: Scene) -> None:
    path = f"/maintainer/{scene.link}"
    said = {"kind": "accepted", "text": "I am on it <b>now</b>"}

    with Client(scene) as client:
        without = client.post(f"{path}/statement", path, code="00000000", **said)
        asked = client.post(f"{path}/code", path)
        wrong = client.post(f"{path}/statement", path, code="not it", **said)
        done = client.post(f"{path}/statement", path, code=scene.code(), **said)
        page = client.get(path).text

    assert without.status_code == 403 and "this needs a code" in without.text
    assert "I am on it &lt;b&gt;now&lt;/b&gt;</textarea>" in wrong.text and wrong.status_code == 403
    assert (asked.status_code, done.status_code) == (303, 303)
    assert "I accept it and work on it" in page and "I am on it &lt;b&gt;now&lt;/b&gt;" in page


def test_asking_for_a_code_keeps_what_was_typed(scene: Scene) -> None:
    path = f"/maintainer/{scene.link}"

    with Client(scene) as client:
        page = client.post(f"{path}/code", path, kind="fixed_in", version="1.4.1", text="released today")

    assert page.status_code == 200 and "A code is on its way" in page.text
    assert 'value="1.4.1"' in page.text and "released today</textarea>" in page.text and 'value="fixed_in" required checked' in page.text
    assert scene.code().isdecimal()


def test_mail_with_links_and_codes_is_readable_by_the_hub_alone(scene: Scene) -> None:
    scene.deliver()

    modes = {mail.stat().st_mode & 0o777 for mail in scene.house.settings.outbox_dir.iterdir()}

    assert modes == {0o600}


def test_the_invitation_says_what_happens_without_an_answer(scene: Scene) -> None:
    invitation = " ".join(next(mail for mail in scene.deliver() if "/maintainer/" in mail).replace("=\n", "").split())

    assert "no account needed" in invitation and "You are on record here as its maintainer" in invitation
    assert "Without a verified fix, a minimal advisory is published on 2027-01-31" in invitation


def test_a_fixed_version_and_a_patch_are_claimed_and_verified_later(scene: Scene) -> None:
    path = f"/maintainer/{scene.link}"

    with Client(scene) as client:
        client.post(f"{path}/code", path)
        code = scene.code()
        flawed = client.post(f"{path}/statement", path, code=code, kind="fixed_in", version="1.4.0", text="")
        fixed = client.post(f"{path}/statement", path, code=code, kind="fixed_in", version="1.4.1", text="")
        patch = client.post(f"{path}/patch", path, code=code, files={"patch": ("fix.patch", b"--- a\n+++ b\n")})
        page = client.get(path).text

    assert flawed.status_code == 400 and "the proof fires on 1.4.0" in flawed.text
    assert (fixed.status_code, patch.status_code) == (303, 303)
    assert page.count("being verified") == 2


def test_the_proof_is_shown_and_saved_only_after_the_read_is_on_record(scene: Scene) -> None:
    path = f"/maintainer/{scene.link}"

    with Client(scene) as client:
        looked = client.get(f"{path}/proof")
        shown = client.post(f"{path}/proof", path, **{"as": "page"})
        saved = client.post(f"{path}/proof", path, **{"as": "zip"})

    assert looked.status_code == 405
    assert "../../secret&lt;U+202E&gt;41" in shown.text and "\u202e" not in shown.text
    assert saved.headers["content-disposition"].startswith("attachment") and "application/zip" in saved.headers["content-type"]
    assert "../../secret\u202e41" in zipfile.ZipFile(io.BytesIO(saved.content)).read("input.txt").decode()
    reads = reporting.proof_reads(scene.house, scene.lab, scene.finding)
    assert [read["purpose"] for read in reads] == ["the maintainer looked at it"] * 2


def test_a_guessed_or_ended_link_opens_nothing(scene: Scene) -> None:
    with Client(scene) as client:
        guessed = client.get("/maintainer/" + "A" * 43)
        scene.hub.clock.move(days=400)
        ended = client.get(f"/maintainer/{scene.link}")

    assert (guessed.status_code, ended.status_code) == (404, 410)
    assert "made-up-reader" not in guessed.text + ended.text


def test_the_token_of_one_link_does_not_fit_another(make_hub: object, scene: Scene) -> None:
    with Client(scene, scene.coordinator) as client:
        session_token = client.post(f"/maintainer/{scene.link}/code", "/cases")

    assert session_token.status_code == 403
