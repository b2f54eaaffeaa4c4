# SPDX-License-Identifier: Apache-2.0
"""Operators through the API: what they run, what they have to do, receipts; only ever their own rows. And what becomes public."""

import pytest

from api import Api, Caller, finding, inventory, report
from clearwell.clearinghouse.flow import publishing
from clearwell.ground.identity.actor import OrganizationKind


@pytest.fixture
def hospital(api: Api) -> Caller:
    facts = {"sector": "health", "size": "small", "system_class": "ci_operator", "time_zone": "America/Chicago"}
    return api.caller(OrganizationKind.OPERATOR, **facts)


def tell(caller: Caller, asset: str, document: bytes, expect: int = 200, **query: str) -> dict[str, object]:
    answer: dict[str, object] = caller.call(
        "PUT", f"/assets/{asset}/inventory", expect, content=document, params={"file": "bom.json", **query}
    )
    return answer


def publish(api: Api) -> None:
    """A report that nobody acts on is published at its end date."""
    api.caller(OrganizationKind.LAB).submit(report(finding()))
    api.hub.work()
    api.hub.clock.move(days=91)
    publishing.look_at_clocks(api.hub.house)
    api.hub.work()


def test_an_inventory_is_taken_and_the_asset_known(api: Api, hospital: Caller) -> None:
    taken = tell(hospital, "portal", inventory("1.2.0"), exposed="true")
    tell(hospital, "archive", inventory("1.2.0"), exposed="false")
    tell(hospital, "lab", inventory("1.2.0"))

    assert (taken["components"], taken["unknown"]) == (1, 0)
    shown = hospital.get("/assets")
    assert {asset["name"]: asset["exposed"] for asset in shown["assets"]} == {"portal": "true", "archive": "false", "lab": "unknown"}
    assert shown["time_zone"] == "America/Chicago"
    tell(hospital, "portal", b"\xff\xfe{", 400)
    tell(hospital, "portal", inventory("1.2.0"), 400, exposed="maybe")


def test_the_operator_who_runs_it_is_told_and_nobody_else(api: Api, hospital: Caller) -> None:
    city = api.caller(OrganizationKind.OPERATOR, system_class="slt")
    tell(hospital, "portal", inventory("1.2.0"))
    tell(city, "permits", inventory("1.2.0").replace(b"framer", b"plower"))
    publish(api)

    (action,) = hospital.get("/actions")["actions"]
    assert action["asset"] == "portal" and action["receipt"] == "told" and action["component"] == "pkg:cargo/framer"
    assert city.get("/actions")["actions"] == []
    city.post(f"/actions/{action['id']}/receipt", {"receipt": "received"}, expect=404)
    assert hospital.member is not None and hospital.member.organization not in str(action)


def test_receipts_go_through_to_installed_by_inventory_alone(api: Api, hospital: Caller) -> None:
    tell(hospital, "portal", inventory("1.2.0"))
    publish(api)
    (action,) = hospital.get("/actions")["actions"]
    path = f"/actions/{action['id']}/receipt"

    hospital.post(path, {"receipt": "planned"}, expect=400)
    hospital.post(path, {"receipt": "installed"}, expect=409)
    assert hospital.post(path, {"receipt": "planned", "planned_for": "2027-03-01"})["planned_for"] == "2027-03-01"
    tell(hospital, "portal", inventory("1.2.0").replace(b"framer", b"plower"))
    api.hub.work()

    assert hospital.get("/actions")["actions"] == []
    (done,) = hospital.get("/actions", all="true")["actions"]
    assert done["receipt"] == "installed"
    (tempo,) = hospital.get("/tempo")["actions"]
    assert tempo["seconds"]["installed"] >= 0


def test_what_is_published_is_public(api: Api) -> None:
    assert api.visitor.get("/advisories") == {"advisories": [], "next": None}
    publish(api)

    (row,) = api.visitor.get("/advisories")["advisories"]
    assert row["minimal"] is True and row["components"] == ["pkg:cargo/framer"]
    csaf, osv = api.visitor.get(f"/advisories/{row['id']}.csaf"), api.visitor.get(f"/advisories/{row['id']}.osv")
    assert csaf["document"]["tracking"]["id"] == row["id"] and osv["id"].endswith(row["id"])
    api.visitor.get(f"/advisories/{row['id']}", 404)
    api.visitor.get("/advisories/nothing.csaf", 404)
    api.visitor.get("/advisories", 400, after="nothing")
    index = api.visitor.get("/feed/index.json")
    assert index["advisories"][0]["id"] == row["id"]
    lab = api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(finding()), name="again.json")
    api.hub.work()
    (answer,) = lab.get(f"/submissions/{sent['id']}/answers")["answers"]
    assert answer["advisory"] in {None, row["id"]}


def test_a_finder_sees_the_advisory_under_its_public_id(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(finding()))
    api.hub.work()
    api.hub.clock.move(days=91)
    publishing.look_at_clocks(api.hub.house)

    (row,) = api.visitor.get("/advisories")["advisories"]
    (answer,) = lab.get(f"/submissions/{sent['id']}/answers")["answers"]
    assert answer["advisory"] == row["id"] and answer["standing"] == "published"
    assert lab.get("/participations")["participations"][0]["advisory"] == row["id"]
