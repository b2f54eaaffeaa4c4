# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser: at a desk's and a phone's width, with landmarks, labels and headings in order, and as a picture."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.conftest import Visit, keep, overflow
from browser.scene import HOSTILE, Scene
from clearwell.faces.web import pages

pytestmark = pytest.mark.browser

_RULES = (Path(__file__).parent / "rules.js").read_text()


def check(page: Page, name: str, status: int = 200) -> None:
    """The basic rules of accessibility (WCAG 2.2: 1.3.1, 1.4.3, 1.4.10, 2.4.6, 3.3.2, 4.1.2) at both widths, and pictures."""
    assert page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == status, name
    for size, width in {"desk": 1280, "phone": 375}.items():
        page.set_viewport_size({"width": width, "height": 900})
        keep(page, f"{name}-{size}")
        assert page.evaluate(_RULES) == [], (name, size)
        assert overflow(page) <= 0, (name, size)


def everything(scene: Scene) -> dict[str, Any]:
    """A scene in which each page has something to show; who looks at which page."""
    scene.run_software(scene.hospital, "Patient portal", "made-up-reader==1.4.0\n", True)
    scene.run_software(scene.hospital, "Lab results", "made-up-reader\n", False)
    scene.prove().fix()
    scene.suggest(HOSTILE)
    refused, finding = scene.refuse(scene.lab, HOSTILE)
    scene.submit(scene.other_lab, b"this is no report", "notes.txt")
    return {
        "overview": (scene.coordinator, "/"),
        "cases": (scene.coordinator, "/cases"),
        "case": (scene.coordinator, f"/cases/{scene.case}"),
        "suggestions": (scene.coordinator, "/suggestions"),
        "reports": (scene.lab, "/reports"),
        "report": (scene.lab, f"/reports/{scene.submission}"),
        "finding": (scene.lab, f"/reports/{scene.submission}/{scene.finding}"),
        "finding-refused": (scene.lab, f"/reports/{refused}/{finding}"),
        "maintainer": (None, f"/maintainer/{scene.link}"),
        "sign-in": (None, "/sign-in"),
        "error": (scene.lab, "/cases"),
    }


def test_every_page_keeps_the_basic_rules_at_a_desk_and_on_a_phone(scene: Scene, visit: Visit) -> None:
    for name, (member, path) in everything(scene).items():
        check(visit(member, path), name, 403 if name == "error" else 200)

    scene.publish()
    scene.hub.fold()
    public_id = visit(None, "/advisories").locator("tbody a").inner_text()
    after = {
        "todo": (scene.hospital, "/todo"),
        "advisories": (None, "/advisories"),
        "advisory": (None, f"/advisories/{public_id}"),
        "ledger": (None, "/ledger"),
        "overview-operator": (scene.hospital, "/"),
        "case-published": (scene.coordinator, f"/cases/{scene.case}"),
    }
    for name, (member, path) in after.items():
        check(visit(member, path), name)


def test_two_people_distribute_a_fix_without_scripts(scene: Scene, visit: Visit) -> None:
    scene.prove().fix()

    first = visit(scene.coordinator, f"/cases/{scene.case}", scripts=False)
    first.get_by_role("button", name="Read what it changes").click()
    keep(first, "difference-desk")
    first.get_by_role("button", name="I read it: propose to distribute").click()
    second = visit(scene.second, f"/cases/{scene.case}", scripts=False)
    second.get_by_role("button", name="Read what it changes").click()
    second.get_by_role("button", name="I read it too: confirm and publish").click()

    assert "A second person of your organization must confirm" in first.get_by_role("status").inner_text()
    assert "The advisory is being published" in second.get_by_role("status").inner_text()
    assert scene.the_fix().distributed_at is not None


def test_pages_keep_the_rules_where_uswds_was_not_fetched(
    scene: Scene, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "VENDOR", tmp_path)
    scene.prove().fix()

    check(visit(scene.coordinator, f"/cases/{scene.case}"), "case-plain")
    check(visit(None, f"/maintainer/{scene.link}"), "maintainer-plain")
    check(visit(scene.hospital, "/todo"), "todo-plain")
