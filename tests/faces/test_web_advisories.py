# SPDX-License-Identifier: Apache-2.0
"""Advisories as pages: public, and the same for everybody."""

import re

from browser.client import Client
from browser.scene import Scene
from hub import Hub


def test_an_advisory_says_what_is_affected_and_where_its_documents_are(hub: Hub) -> None:
    scene = Scene(hub).prove("a title that stays within the case").fix().publish()

    with Client(scene) as client:
        listed = client.get("/advisories").text
        public_id = re.search(r"/advisories/(CLEARWELL-\d{4}-\w+)", listed)
        assert public_id is not None
        page = client.get(f"/advisories/{public_id[1]}").text
        documents = [client.get(path).status_code for path in re.findall(r'href="(/api/[^"]+)"', page)]

    assert "pkg:pypi/made-up-reader" in page and "repaired in <strong>1.4.1</strong>" in page
    assert documents == [200, 200]
    assert "a title that stays within the case" not in listed + page and "case_" not in listed + page


def test_nothing_is_listed_before_anything_is_published(hub: Hub) -> None:
    scene = Scene(hub).prove()

    with Client(scene) as client:
        listed, missing = client.get("/advisories"), client.get("/advisories/CLEARWELL-2026-aaaaaaaa")

    assert "Nothing has been published yet" in listed.text and missing.status_code == 404
