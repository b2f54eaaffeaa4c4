# SPDX-License-Identifier: Apache-2.0
"""By keyboard alone, in a real browser: cases, the operator's page and the maintainer's page, these two at a phone's width."""

import re

import pytest
from playwright.sync_api import Page

from browser.conftest import Visit, keep
from browser.scene import Scene, report
from clearwell.clearinghouse.flow import maintaining, operating, suggesting

pytestmark = pytest.mark.browser

_FOCUSED = "() => { const e = document.activeElement; return e === document.body ? '' : (e.id || e.textContent || e.name).trim() }"
_RING = "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }"


def tab_to(page: Page, wanted: str, limit: int = 80) -> None:
    """Press Tab until what is focused has this id, name or text; each stop must show where the focus is."""
    seen = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(_FOCUSED))
        assert seen[-1] == "" or page.evaluate(_RING), f"the focus on {seen[-1]!r} cannot be seen"
        if seen[-1] == wanted:
            return
    raise AssertionError(f"{wanted!r} is not reached by Tab: {seen}")


def test_cases_are_walked_by_j_k_and_enter(scene: Scene, visit: Visit) -> None:
    scene.prove()
    scene.submit(scene.other_lab, report("an unproven one", "other words", line=7, function="other"), "late.json")
    page = visit(scene.coordinator, "/cases")

    stops = []
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
        stops.append(page.evaluate(_FOCUSED))
    keep(page, "cases-keyboard-desk")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/cases/case_"))

    assert stops[1:] == ["an unproven one", "an unproven one", "A name with two dots leaves the reader's folder"]
    assert page.locator("h1").inner_text() == "A name with two dots leaves the reader's folder"


def test_a_suggestion_is_joined_undone_and_kept_apart_by_one_key_each(scene: Scene, visit: Visit) -> None:
    scene.suggest()
    page = visit(scene.coordinator, "/suggestions")

    page.keyboard.press("j")
    keep(page, "suggestions-keyboard-desk")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/compare/"))
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_url(re.compile("done=accepted"))
    keep(page, "suggestions-accepted-desk")
    page.keyboard.press("u")
    page.wait_for_url(re.compile("done=undone"))
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.type("one reads, the other writes")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("done=different"))

    assert page.get_by_text("Nothing waits").is_visible()
    assert suggesting.list_suggestions(scene.house, scene.coordinator).pairs == ()


def test_the_skip_link_comes_first_and_leads_to_the_content(scene: Scene, visit: Visit) -> None:
    page = visit(scene.coordinator, "/cases")

    page.keyboard.press("Tab")
    first = page.evaluate(_FOCUSED)
    page.keyboard.press("Enter")

    assert first == "Skip to main content"
    assert page.evaluate("document.activeElement.id") == "main"


def test_an_operator_plans_an_item_on_a_phone_by_keyboard(scene: Scene, visit: Visit) -> None:
    scene.run_software(scene.hospital, "Patient portal", "made-up-reader==1.4.0\n", True)
    scene.prove().fix().publish()
    action = operating.read_actions(scene.house, scene.hospital)[0]
    page = visit(scene.hospital, "/todo", 375)

    tab_to(page, "I received this")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("done=received"))
    tab_to(page, f"day-{action.id}")
    page.keyboard.type("11092026")
    tab_to(page, "I plan it for this day")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("done=planned"))
    keep(page, "todo-planned-phone")

    planned = operating.read_actions(scene.house, scene.hospital)[0]
    assert planned.receipt == "planned" and str(planned.planned_for) == "2026-11-09"


def test_a_maintainer_answers_on_a_phone_by_keyboard(scene: Scene, visit: Visit) -> None:
    scene.prove()
    page = visit(None, f"/maintainer/{scene.link}", 375)

    tab_to(page, "Mail me a code")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("done=code"))
    tab_to(page, "kind-accepted")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    tab_to(page, "version")
    page.keyboard.type("1.4.1")
    tab_to(page, "statement-code")
    page.keyboard.type(scene.code())
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("done=statement"))
    keep(page, "maintainer-answered-phone")

    view = maintaining.read_linked(scene.house, maintaining.open_link(scene.house, scene.link))
    assert [said["kind"] for said in view.statements] == ["fixed_in"] and view.fixes[0].version == "1.4.1"


def test_five_items_are_printed_on_one_page(scene: Scene, visit: Visit) -> None:
    for number in range(1, 8):
        scene.run_software(scene.hospital, f"Workstations in building {number}", "made-up-reader==1.4.0\n", True)
    scene.prove().fix().publish()
    page = visit(scene.hospital, "/todo")

    printed = page.pdf(format="Letter")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 740, "height": 960})
    keep(page, "todo-printed")

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert page.locator(".cw-item").count() == 5 and page.locator("button:visible").count() == 0


def test_the_overview_refreshes_itself_and_stays_when_the_session_ends(scene: Scene, visit: Visit) -> None:
    page = visit(scene.lab, "/")
    if not page.evaluate("typeof htmx !== 'undefined'"):
        pytest.skip("htmx was not fetched (make setup)")
    assert page.locator(".cw-count strong").first.inner_text() == "0"

    scene.submit(scene.lab, report("a flaw"))
    page.locator(".cw-count strong").first.filter(has_text="1").wait_for(timeout=15_000)
    page.context.clear_cookies()
    with page.expect_response(lambda answer: answer.status == 401, timeout=15_000):
        pass

    assert page.locator(".cw-stage").count() == 9
