# SPDX-License-Identifier: Apache-2.0
"""The maintainer's link through the API: looking changes nothing, acts need the mailed code, the path stays secret."""

import re

import pytest

from api import Api, finding, report
from clearwell.clearinghouse.flow import publishing
from clearwell.ground.identity.actor import OrganizationKind

CONTACT = {"component": "pkg:cargo/framer", "name": "Ann", "contact": "a@framer.example", "origin": "registry", "open_reports_limit": 2}


@pytest.fixture
def secret(api: Api) -> str:
    """The link in the mail that tells a maintainer of a coming end date."""
    lab, coordinator = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.COORDINATOR)
    coordinator.post("/contacts", CONTACT)
    lab.submit(report(finding()))
    api.hub.work()
    api.hub.clock.move(days=80)
    publishing.look_at_clocks(api.hub.house)
    api.hub.work()
    return mailed(api, r"/maintainer/(\S+)")


def mailed(api: Api, pattern: str) -> str:
    found = re.search(pattern, api.hub.mails()[-1])
    assert found is not None
    return found[1]


def code(api: Api, secret: str) -> str:
    assert api.visitor.post(f"/maintainer/{secret}/code", expect=202) == {"minutes": 15}
    api.hub.work()
    return mailed(api, r"code is (\d+)")


def test_the_link_shows_the_report_and_not_who_sent_it(api: Api, secret: str) -> None:
    shown = api.visitor.get(f"/maintainer/{secret}")

    assert shown["component"] == "pkg:cargo/framer" and shown["participation"].startswith("part_")
    assert shown["reports"][0]["ai"] is True and shown["reports"][0]["locations"][0]["line"] == 41
    assert not re.search(r"(org|person|sub|finding|case|token)_0", str(shown))
    assert api.visitor.get(f"/maintainer/{secret}") == shown


def test_the_answer_is_not_stored_and_tells_no_referrer(api: Api, secret: str) -> None:
    answer = api.client.get(f"/api/v1/maintainer/{secret}")

    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"


def test_acts_need_the_newest_code(api: Api, secret: str) -> None:
    statement = {"kind": "accepted", "text": "we work on it"}
    path = f"/maintainer/{secret}/statements"

    api.visitor.post(path, {**statement, "code": "00000000"}, expect=403)
    first, second = code(api, secret), code(api, secret)
    if first != second:
        api.visitor.post(path, {**statement, "code": first}, expect=403)
    stated = api.visitor.post(path, {**statement, "code": second})

    assert stated["kind"] == "accepted" and "end date stands" in stated["next"]
    assert api.visitor.get(f"/maintainer/{secret}")["statements"][0]["detail"] == "we work on it"


def test_guessing_a_code_ends_after_five_tries(api: Api, secret: str) -> None:
    right = code(api, secret)
    wrong = {"kind": "accepted", "text": "", "code": "x"}

    for _ in range(5):
        api.visitor.post(f"/maintainer/{secret}/statements", wrong, expect=403)

    assert "too many" in api.visitor.post(f"/maintainer/{secret}/statements", {**wrong, "code": right}, expect=403)["detail"]


def test_a_patch_is_claimed(api: Api, secret: str) -> None:
    fix = api.visitor.post(f"/maintainer/{secret}/patches", {"code": code(api, secret), "patch": "--- a/x\n+++ b/x\n"}, expect=202)

    assert (fix["kind"], fix["state"]) == ("patch", "claimed")


def test_errors_never_repeat_the_secret(api: Api, secret: str) -> None:
    for path, body in (("statements", {"kind": "accepted"}), ("statements", {"code": "1", "kind": "nonsense"}), ("patches", {"x": 1})):
        assert secret not in str(api.visitor.post(f"/maintainer/{secret}/{path}", body, expect=400))
    assert secret not in str(api.visitor.get(f"/maintainer/{secret}", 400, unknown="1"))
    assert secret not in str(api.visitor.call("DELETE", f"/maintainer/{secret}", 405))
    assert secret not in str(api.visitor.get(f"/maintainer/{secret}/nothing", 404))


def test_a_revoked_link_is_gone(api: Api, secret: str) -> None:
    coordinator = api.caller(OrganizationKind.COORDINATOR)
    (row,) = coordinator.get("/cases")["cases"]
    (link,) = coordinator.get(f"/cases/{row['id']}")["links"]
    assert secret not in str(link)

    coordinator.post(f"/links/{link['id']}/revocation")

    api.visitor.get(f"/maintainer/{secret}", 410)
    coordinator.post(f"/links/{link['id']}/revocation", expect=404)
    api.visitor.get(f"/maintainer/{secret}x", 404)
