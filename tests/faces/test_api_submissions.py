# SPDX-License-Identifier: Apache-2.0
"""Reports through the API: taken once, streamed within bounds, answered under the sender's own ids."""

from collections.abc import Callable, Iterator

import pytest

from api import Api, finding, inventory, report
from clearwell.ground.identity.actor import OrganizationKind


def test_a_report_is_taken_and_each_finding_answered(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)

    sent = lab.submit(report(finding(), finding("Another place", locations=[{"file": "src/other.c", "line": 7, "function": "g"}])))
    assert sent["state"] == "received" and sent["id"].startswith("sub_")
    api.hub.work()

    read = lab.get(f"/submissions/{sent['id']}")
    assert (read["state"], read["findings"], read["format"], read["tool"]) == ("parsed", 2, "clearwell-report", "scout")
    page = lab.get(f"/submissions/{sent['id']}/answers")
    assert [answer["position"] for answer in page["answers"]] == [0, 1] and page["next"] is None
    first = page["answers"][0]
    assert first["answer"] == "needs_proof" and first["ai"] is True and first["history"][-1]["reason"] == first["reason"]
    assert first["participation"].startswith("part_") and first["first_reported"] == "2026-11-02" and first["standing"] == "unproven"


def test_answers_name_no_case_and_nobody_else(api: Api) -> None:
    first, second = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    theirs = first.submit(report(finding()))
    api.hub.work()
    mine = second.submit(report(finding("Said in other words", text="differently")))
    api.hub.work()

    page = second.get(f"/submissions/{mine['id']}/answers")
    assert page["answers"][0]["answer"] == "duplicate"
    seen = str(page) + str(second.get(f"/findings/{page['answers'][0]['finding']}")) + str(second.get("/participations"))
    assert first.member is not None
    for hidden in ("case_", first.member.organization, first.member.person, theirs["id"]):
        assert hidden not in seen
    second.get(f"/submissions/{theirs['id']}", 404)
    second.get(f"/submissions/{theirs['id']}/answers", 404)


def test_the_same_report_or_the_same_key_is_the_same_submission(api: Api) -> None:
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(finding()))

    assert lab.submit(report(finding()))["id"] == sent["id"]
    assert other.submit(report(finding()))["id"] != sent["id"]
    key = {"Idempotency-Key": "run 7"}
    keyed = lab.call("POST", "/submissions?name=a", 202, content=b"one", headers=key)
    assert lab.call("POST", "/submissions?name=a", 202, content=b"one", headers=key)["id"] == keyed["id"]
    lab.call("POST", "/submissions?name=a", 409, content=b"two", headers=key)


def test_who_sees_all_reports_still_sends_its_own(api: Api) -> None:
    lab, coordinator = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.COORDINATOR)
    key, raw = {"Idempotency-Key": "k"}, report(finding())
    source = lab.call("POST", "/sources?name=a.tgz", 201, content=b"x")["id"]
    sent = lab.call("POST", "/submissions?name=r", 202, content=raw, headers=key)["id"]
    words = {"name": "r", "target": "pkg:cargo/framer@1.2.0"}
    scan = lab.submit(raw, **words)["id"]

    assert coordinator.call("POST", "/submissions?name=r", 202, content=raw)["id"] != sent
    assert coordinator.call("POST", "/submissions?name=other", 202, content=raw + b" ", headers=key)["id"] != sent
    assert coordinator.submit(raw, **words, complete="true")["id"] != scan
    assert lab.get(f"/submissions/{scan}")["complete"] is False
    coordinator.call("POST", f"/submissions?name=r&source={source}", 404, content=raw)


def test_a_body_that_is_wrapped_is_refused_with_what_to_do(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)

    form = lab.call("POST", "/submissions?name=r", 400, files={"file": ("r.json", report(finding()))})
    packed = lab.call("POST", "/sources?name=r", 400, content=b"x", headers={"Content-Encoding": "gzip"})

    assert "--data-binary" in form["detail"] and "without Content-Encoding" in packed["detail"]


def test_columns_of_a_table_are_named_beside_it(api: Api) -> None:
    lab, raw = api.caller(OrganizationKind.LAB), b"Was=1,Wo\na write past the end,src/a.c:7\n"
    columns = {"column": ["title=Was=1", "file=Wo"]}

    sent = lab.call("POST", "/submissions", 202, content=raw, params={"name": "t.csv", **columns})
    begun = lab.call("POST", "/uploads", 201, params={"size": len(raw)}, headers={"Idempotency-Key": "k"})["id"]
    lab.call("PUT", f"/uploads/{begun}", 200, params={"offset": 0}, content=raw)
    piecewise = lab.call("POST", f"/uploads/{begun}/submission", 202, params={"name": "t.csv", **columns})
    assert lab.submit(raw, name="t.csv")["id"] != sent["id"] == piecewise["id"]
    api.hub.work()

    read = lab.get(f"/submissions/{sent['id']}")
    assert (read["columns"], read["findings"], read["format"]) == ({"title": "Was=1", "file": "Wo"}, 1, "csv")
    for wrong in (["Wo"], ["titel=Wo"], ["title=Wo", "title=Was=1"], ["title=a\0b"]):
        lab.call("POST", "/submissions", 400, content=raw, params={"name": "t.csv", "column": wrong})


def test_what_is_said_beside_the_bytes_is_kept(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)

    sent = lab.submit(b"==1==ERROR: x", name="crash.txt", target="pkg:pypi/UJSON@5.1.0", marking="TLP:AMBER+STRICT")

    read = lab.get(f"/submissions/{sent['id']}")
    assert (read["target"], read["marking"], read["name"], read["size"]) == ("pkg:pypi/ujson@5.1.0", "TLP:AMBER+STRICT", "crash.txt", 13)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"markng": "TLP:RED"}, "markng"),
        ({"marking": "SECRET"}, "TLP:CLEAR"),
        ({"target": "ujson"}, "package URL"),
        ({"name": ""}, "name"),
        ({"tool": "x" * 201}, "tool"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, query: dict[str, str], said: str) -> None:
    lab = api.caller(OrganizationKind.LAB)

    refused = lab.submit(b"{}", expect=400, **query)

    assert said in refused["detail"]


def test_a_report_is_bounded_while_it_streams(make_api: Callable[..., Api]) -> None:
    api = make_api(submission_bytes=300_000, request_bytes=1_000)
    lab = api.caller(OrganizationKind.LAB)

    def pieces(count: int) -> Iterator[bytes]:
        return iter([b"x" * 50_000] * count)

    lab.call("POST", "/submissions?name=small", 202, content=pieces(6))
    too_large = lab.call("POST", "/submissions?name=large", 413, content=pieces(8))
    assert "300,000 bytes" in too_large["detail"]
    lab.call("POST", "/submissions?name=none", 400, content=b"")
    blobs = [path for path in api.hub.house.settings.blobs_dir.rglob("*") if path.is_file()]
    assert len(blobs) == 1


def test_lists_are_paged(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)
    many = [finding(f"Place {n}", locations=[{"file": f"src/f{n}.c", "line": n, "function": f"f{n}"}]) for n in range(1, 6)]
    ids = [lab.submit(report(*many), name=f"{n}.json")["id"] for n in range(3)]
    api.hub.work()

    newest = lab.get("/submissions", limit=2)
    rest = lab.get("/submissions", limit=2, after=newest["next"])
    assert [row["id"] for row in newest["submissions"] + rest["submissions"]] == ids[::-1] and rest["next"] is None
    seen, after = [], -1
    while after is not None:
        page = lab.get(f"/submissions/{ids[0]}/answers", limit=2, after=after)
        seen, after = seen + [answer["position"] for answer in page["answers"]], page["next"]
    assert seen == [0, 1, 2, 3, 4]
    lab.get("/submissions", 400, limit=501)
    lab.get("/submissions", 400, after="sub_x")


def test_an_inventory_is_no_report_but_is_taken_and_called_unreadable(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)

    sent = lab.submit(inventory("1.2.0"), name="bom.json")
    api.hub.work()

    read = lab.get(f"/submissions/{sent['id']}")
    assert read["state"] == "unreadable" and read["problems"]
