# SPDX-License-Identifier: Apache-2.0
"""Coordination through the API: lists, why a case is one, splits and merges, and acts that two people do."""

from datetime import timedelta

import pytest

from api import Api, Caller, finding, report
from clearwell.ground.identity.actor import OrganizationKind


@pytest.fixture
def coordinator(api: Api) -> Caller:
    return api.caller(OrganizationKind.COORDINATOR)


def send(api: Api, *findings: dict[str, object], lab: Caller | None = None) -> list[str]:
    """Send a report; return its findings' ids."""
    lab = lab or api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(*findings))
    api.hub.work()
    return [answer["finding"] for answer in lab.get(f"/submissions/{sent['id']}/answers")["answers"]]


def place(number: int) -> dict[str, object]:
    return finding(f"Place {number}", locations=[{"file": f"src/part{number}.c", "line": 10 * number, "function": f"part{number}"}])


def test_cases_are_listed_in_pages(api: Api, coordinator: Caller) -> None:
    send(api, *map(place, range(1, 6)))

    first = coordinator.get("/cases", limit=3)
    rest = coordinator.get("/cases", limit=3, after=first["next"])

    ids = [row["id"] for row in first["cases"] + rest["cases"]]
    assert len(set(ids)) == 5 and rest["next"] is None
    assert coordinator.get("/cases", standing="proven")["cases"] == []
    coordinator.get("/cases", 400, standing="hidden")
    for wrong in ("x", "1.case_x", "9" * 25 + ".case_x", "-.x", "²." + ids[0]):
        coordinator.get("/cases", 400, after=wrong)


def test_a_case_tells_why_it_is_one_and_a_split_undoes_it(api: Api, coordinator: Caller) -> None:
    (first,) = send(api, place(1))
    (second,) = send(api, place(1))
    (row,) = coordinator.get("/cases")["cases"]

    page = coordinator.get(f"/cases/{row['id']}")
    assert {one["finding"]: one["rung"] for one in page["joined"]}[second] in {"L0", "L1"}
    assert [duty["kind"] for duty in page["duties"]][-1] == "publish_minimal" and len(page["participants"]) == 2
    coordinator.post(f"/cases/{row['id']}/split", {"findings": [first], "reason": "no"}, expect=409)
    back = coordinator.post(f"/cases/{row['id']}/split", {"findings": [second], "reason": "another root cause"})["cases"]

    assert len(back) == 1 and [f["id"] for f in coordinator.get(f"/cases/{back[0]}")["findings"]] == [second]


def test_a_persons_merge_is_undone_by_a_split(api: Api, coordinator: Caller) -> None:
    (first,) = send(api, place(1))
    send(api, place(2))
    home = {row["title"]: row["id"] for row in coordinator.get("/cases")["cases"]}

    coordinator.post(f"/cases/{home['Place 1']}/merge", {"into": home["Place 2"], "reason": "one missing check"})
    merged = coordinator.get(f"/cases/{home['Place 2']}")
    assert len(merged["findings"]) == 2 and coordinator.get(f"/cases/{home['Place 1']}")["merged_into"] == home["Place 2"]
    coordinator.post(f"/cases/{home['Place 2']}/split", {"findings": [first], "reason": "I was wrong"})

    assert coordinator.get(f"/cases/{home['Place 1']}")["merged_into"] is None


def test_what_a_person_found_different_is_shown_on_both_sides_and_joined_by_nobody(api: Api, coordinator: Caller) -> None:
    send(api, place(1), place(2))
    one, other = (row["id"] for row in coordinator.get("/cases")["cases"])

    coordinator.post(f"/cases/{one}/different", {"other": other, "reason": "one reads, the other writes"})

    for case, second in ((one, other), (other, one)):
        (said,) = coordinator.get(f"/cases/{case}")["different_from"]
        assert (said["case"], said["kind"], said["reason"]) == (second, "different", "one reads, the other writes")
        coordinator.post(f"/cases/{case}/merge", {"into": second, "reason": "alike"}, expect=409)
    coordinator.post(f"/cases/{one}/different", {"other": one, "reason": "no"}, expect=409)
    coordinator.post(f"/cases/{one}/different", {"other": other, "reason": ""}, expect=400)
    coordinator.post(f"/cases/{one}/different", {"other": api.hub.house.new_id("case"), "reason": "no such"}, expect=404)
    api.caller(OrganizationKind.LAB).post(f"/cases/{one}/different", {"other": other, "reason": "not mine to say"}, expect=403)


def test_aliases_and_contacts_are_recorded(api: Api, coordinator: Caller) -> None:
    send(api, place(1))
    (row,) = coordinator.get("/cases")["cases"]

    assert coordinator.post(f"/cases/{row['id']}/aliases", {"aliases": ["cve-2026-12345"]})["aliases"] == ["CVE-2026-12345"]
    coordinator.post(f"/cases/{row['id']}/aliases", {"aliases": ["rm -rf"]}, expect=400)
    contact = {
        "component": "pkg:cargo/framer@1.2.0",
        "name": "Ann",
        "contact": "a@framer.example",
        "origin": "registry",
        "open_reports_limit": 2,
    }
    assert coordinator.post("/contacts", contact)["id"] == "pkg:cargo/framer"
    coordinator.post("/contacts", {**contact, "origin": "report"}, expect=400)
    coordinator.post("/contacts", {**contact, "open_reports_limit": 0}, expect=400)


def test_decision_points_are_recorded_with_their_source_and_shown_in_the_list(api: Api, coordinator: Caller) -> None:
    send(api, place(1))
    (row,) = coordinator.get("/cases")["cases"]
    path = f"/cases/{row['id']}/decision-points"
    assert row["automatable"] == {"value": "unknown", "source": None, "recorded_at": None, "recorded_by": None}

    recorded = coordinator.post(path, {"automatable": "yes", "technical_impact": "partial", "source": "vulnrichment"})
    coordinator.post(path, {"technical_impact": "total", "source": "judgment"})

    (row,) = coordinator.get("/cases")["cases"]
    assert row["automatable"] == recorded["automatable"] and row["automatable"]["value"] == "yes"
    assert (row["technical_impact"]["value"], row["technical_impact"]["source"]) == ("total", "judgment")
    assert row["technical_impact"]["recorded_by"] == coordinator.member.person if coordinator.member else False
    assert coordinator.get(f"/cases/{row['id']}")["case"] == row
    for wrong in (
        {"automatable": "maybe", "source": "judgment"},
        {"automatable": "yes"},
        {"automatable": "yes", "source": "a friend"},
        {"source": "judgment"},
        {"automatable": "yes", "source": "judgment", "note": "x"},
    ):
        coordinator.post(path, wrong, expect=400)
    api.caller(OrganizationKind.LAB).post(path, {"automatable": "yes", "source": "judgment"}, expect=403)


def test_an_extension_needs_a_second_person(api: Api, coordinator: Caller) -> None:
    send(api, place(1))
    (row,) = coordinator.get("/cases")["cases"]
    second, stranger = api.colleague(coordinator), api.caller(OrganizationKind.COORDINATOR)
    until = (api.hub.clock.now() + timedelta(days=110)).isoformat()

    proposal = coordinator.post(f"/cases/{row['id']}/extension", {"until": until})
    assert [one["id"] for one in second.get("/proposals")["proposals"]] == [proposal["id"]]
    assert coordinator.get(f"/cases/{row['id']}")["proposals"][0]["act"] == "extend_embargo"
    confirmation = f"/proposals/{proposal['id']}/confirmation"
    coordinator.post(confirmation, {}, expect=403)
    stranger.post(confirmation, {}, expect=404)
    assert second.post(confirmation, {})["done"] == "extend_embargo"

    assert coordinator.get(f"/cases/{row['id']}")["case"]["ends_at"] > row["ends_at"]
    second.post(confirmation, {}, expect=404)
    coordinator.post(f"/cases/{row['id']}/extension", {"until": "2026-12-01T00:00:00"}, expect=400)
    coordinator.post(f"/cases/{row['id']}/extension", {"until": "2030-12-01T00:00:00Z"}, expect=403)


def test_destruction_needs_a_second_person(api: Api, coordinator: Caller) -> None:
    send(api, place(1))
    (row,) = coordinator.get("/cases")["cases"]

    proposal = coordinator.post(f"/cases/{row['id']}/destruction")

    coordinator.post(f"/proposals/{proposal['id']}/confirmation", {}, expect=403)
    assert api.colleague(coordinator).post(f"/proposals/{proposal['id']}/confirmation", {})["id"] == row["id"]


def test_coordinators_alone_see_tempo_of_cases_and_everybody_an_overview(api: Api, coordinator: Caller) -> None:
    lab = api.caller(OrganizationKind.LAB)
    send(api, place(1), lab=lab)

    assert coordinator.get("/tempo") == {"cases": [], "actions": []}
    lab.get("/tempo", 403)
    counts = {stage["name"]: stage["count"] for stage in lab.get("/overview")["stages"]}
    assert counts["intake"] == 1 and counts["case"] == 0
    assert {s["name"]: s["count"] for s in coordinator.get("/overview")["stages"]}["case"] == 1


def test_fixes_that_are_not_there_are_not_found(api: Api, coordinator: Caller) -> None:
    nothing = api.hub.house.new_id("fix")

    coordinator.get(f"/fixes/{nothing}/difference", 404)
    coordinator.post(f"/fixes/{nothing}/distribution", {"diff_sha256": "a" * 64}, expect=404)
    coordinator.post(f"/fixes/{nothing}/distribution", {"diff_sha256": "a"}, expect=400)
