# SPDX-License-Identifier: Apache-2.0
"""The queue of suggestions through the API: paged, joined, undone, kept apart, for coordinators alone."""

from typing import Any

import pytest

from api import Api, Caller, finding, report
from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.store import KeptParticipant
from clearwell.clearinghouse.flow import answering, sketching
from clearwell.ground.identity.actor import CASE, OrganizationKind, Permission
from clearwell.vocabulary.ids import ParticipantId


@pytest.fixture
def coordinator(api: Api) -> Caller:
    return api.caller(OrganizationKind.COORDINATOR)


def place(line: int, file: str = "src/frame.c") -> dict[str, Any]:
    """A finding at a line, without a function: no exact rule joins two of them."""
    return finding(f"The length is not checked in line {line}", text=f"reads {line} too many", locations=[{"file": file, "line": line}])


def send(api: Api, *findings: dict[str, Any]) -> None:
    api.caller(OrganizationKind.LAB).submit(report(*findings))
    api.hub.work()


def address(row: dict[str, Any]) -> str:
    one, other = (case["id"] for case in row["cases"])
    return f"/suggestions/{one}/{other}"


def test_a_suggestion_is_joined_undone_and_kept_apart(api: Api, coordinator: Caller) -> None:
    send(api, place(10))
    send(api, place(30))
    (row,) = coordinator.get("/suggestions")["suggestions"]
    assert row["state"] == "open" and {"file", "line"} <= {signal["signal"] for signal in row["signals"]}

    older = min(row["cases"], key=lambda case: case["first_received"])["id"]
    assert coordinator.post(f"{address(row)}/accept", {}) == {"done": "accepted", "id": older}
    page = coordinator.get("/suggestions")
    assert page["suggestions"] == [] and page["decided"][0]["state"] == "accepted"
    coordinator.post(f"{address(row)}/accept", {}, expect=409)
    assert coordinator.post(f"{address(row)}/undo", {"reason": "the wrong key"})["done"] == "undone"
    assert coordinator.get("/suggestions")["suggestions"][0]["state"] == "undone"
    coordinator.post(f"{address(row)}/undo", {}, expect=409)
    coordinator.post(f"{address(row)}/different", {}, expect=400)
    coordinator.post(f"{address(row)}/different", {"reason": "one reads, the other writes"})

    assert coordinator.get("/suggestions")["suggestions"] == []
    assert coordinator.get("/suggestions")["decided"][0]["state"] == "different"
    coordinator.post(f"{address(row)}/accept", {}, expect=409)


def test_the_queue_goes_by_score_and_page_by_page(api: Api, coordinator: Caller) -> None:
    for line in (10, 12, 50, 90):
        send(api, place(line))
    every = coordinator.get("/suggestions")["suggestions"]
    assert len(every) > 2 and [row["score"] for row in every] == sorted((row["score"] for row in every), reverse=True)

    paged, after = [], {}
    while True:
        page = coordinator.get("/suggestions", limit=2, **after)
        paged += page["suggestions"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert paged == every
    for wrong in ("x", "0.1~case_x~case_y", "nan~" + "~".join(case["id"] for case in every[0]["cases"])):
        coordinator.get("/suggestions", expect=400, after=wrong)


def test_nobody_but_coordinators_sees_or_decides_a_suggestion(api: Api, coordinator: Caller) -> None:
    send(api, place(10))
    send(api, place(30))
    (row,) = coordinator.get("/suggestions")["suggestions"]

    others = [api.caller(kind) for kind in (OrganizationKind.LAB, OrganizationKind.MAINTAINER, OrganizationKind.AUDITOR)]
    for caller in (*others, api.caller(OrganizationKind.COORDINATOR, [Permission.READ])):
        caller.get("/suggestions", expect=403)
        for act in ("accept", "undo", "different"):
            caller.post(f"{address(row)}/{act}", {"reason": "mine"}, expect=403)
    api.visitor.get("/suggestions", expect=401)
    unknown = "case_0000000000000000000000000a"
    coordinator.post(f"/suggestions/{row['cases'][0]['id']}/{unknown}/accept", {}, expect=404)


def test_what_brings_a_proof_to_a_new_participant_is_proposed_and_confirmed_by_a_second_person(api: Api, coordinator: Caller) -> None:
    house, now = api.hub.house, api.hub.clock.now()
    for line, more in ((10, {}), (30, {"proof": {"files": {"proof.toml": "x = 1"}}})):
        lab = api.caller(OrganizationKind.LAB)
        sent = lab.submit(report({**place(line), **more}))["id"]
        answering.parse_submission(house, sent)
        sketching.sketch_batch(house, sent, 0)
    (row,) = coordinator.get("/suggestions")["suggestions"]
    older = min(row["cases"], key=lambda case: case["first_received"])["id"]
    with house.transaction(CASE) as tx:
        part = ParticipantId(house.new_id("part"))
        maintainer = KeptParticipant(id=part, case=older, role="vendor", contact="a@framer.example", joined_at=now, first_reported=now)
        store.insert_participants(tx, [maintainer])

    done = coordinator.post(f"{address(row)}/accept", {})
    (waits,) = coordinator.get("/suggestions")["suggestions"]
    assert done == {"done": "proposed", "id": waits["proposal"]} and waits["state"] == "open"
    confirmation = f"/proposals/{done['id']}/confirmation"
    coordinator.post(confirmation, {}, expect=403)
    api.caller(OrganizationKind.COORDINATOR).post(confirmation, {}, expect=404)
    assert api.colleague(coordinator).post(confirmation, {})["done"] == "merge_cases"

    assert coordinator.get("/suggestions")["suggestions"] == [] and len(coordinator.get(f"/cases/{older}")["findings"]) == 2
