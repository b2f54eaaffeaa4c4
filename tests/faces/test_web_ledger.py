# SPDX-License-Identifier: Apache-2.0
"""The ledger's page: what an outsider needs to verify it."""

from browser.client import Client
from browser.scene import Scene
from clearwell.app import ledger_vkey
from hub import Hub


def test_the_page_shows_checkpoint_key_and_lines_and_names_nobody(hub: Hub) -> None:
    scene = Scene(hub)
    scene.run_software(scene.hospital, "Portal", "made-up-reader==1.4.0\n")
    scene.prove()

    with Client(scene) as client:
        before = client.get("/ledger").text
        hub.fold()
        page = client.get("/ledger").text

    assert "None yet" in before
    assert ledger_vkey(scene.house) in page and "case.opened" not in before and "maintainer.invited" in page
    assert "Prairie" not in page and "ada@reader.example" not in page and "<strong>0</strong>" not in page


def test_older_lines_are_paged_and_a_strange_number_is_told(hub: Hub) -> None:
    scene = Scene(hub)
    for number in range(16):
        scene.run_software(scene.hospital, f"System {number}", f"flask=={number}.0\n")
    hub.fold()

    with Client(scene) as client:
        newest, older, wrong = client.get("/ledger").text, client.get("/ledger?before=5").text, client.get("/ledger?before=x")

    assert "Older lines" in newest and 'data-label="Number">4<' in older and 'data-label="Number">5<' not in older
    assert wrong.status_code == 400
