# SPDX-License-Identifier: Apache-2.0
"""The coordinators' pages: the list, why reports are one, splitting and merging, two people."""

import re

import pytest

from browser.client import Client
from browser.scene import Scene, report
from clearwell.clearinghouse.flow import coordinating, reporting, sketching
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """A proven case."""
    return Scene(hub).prove()


def test_the_list_goes_by_priority_and_by_standing(scene: Scene) -> None:
    scene.submit(scene.other_lab, report("an unproven one", line=7), "late.json")

    with Client(scene, scene.coordinator) as client:
        every, proven = client.get("/cases").text, client.get("/cases?standing=proven").text
        wrong = client.get("/cases?standing=withheld")

    assert every.index(scene.case) < every.index("an unproven one")
    assert scene.case in proven and "an unproven one" not in proven
    assert wrong.status_code == 400 and "a standing is one of" in wrong.text


def test_the_page_says_why_reports_are_one_and_splits_them_again(scene: Scene) -> None:
    path = f"/cases/{scene.case}"
    joined = next(a for a in scene.view().attachments if a.rung)

    with Client(scene, scene.coordinator) as client:
        page = client.get(path).text
        nothing = client.post(f"{path}/split", path, reason="no report chosen")
        done = client.post(f"{path}/split", path, finding=[joined.finding], reason="another function")
        after = client.get(path).text

    assert ">L0</abbr>" in page
    assert nothing.status_code == 400
    assert done.status_code == 303 and "taken out" in after and "another function" in after
    assert len(scene.view().findings) == 1


def test_two_cases_found_different_say_so_on_both_pages_and_cannot_be_merged(scene: Scene) -> None:
    sent = scene.submit(
        scene.other_lab, report("quite another", "other words", line=99, proof=False, function="open_below"), "elsewhere.json"
    )
    other = reporting.read_answers(scene.house, scene.other_lab, sent)[0].finding.case
    path = f"/cases/{scene.case}"

    with Client(scene, scene.coordinator) as client:
        done = client.post(f"{path}/different", path, other=other, reason="one reads, the other writes")
        pages = [client.get(done.headers["location"]).text, client.get(f"/cases/{other}").text]
        merged = client.post(f"/cases/{other}/merge", f"/cases/{other}", into=scene.case, reason="alike after all")

    assert done.status_code == 303 and "no rule joins these two" in pages[0]
    assert all("found different" in page and "one reads, the other writes" in page for page in pages)
    assert merged.status_code == 409


def test_a_merge_says_why_and_goes_into_the_other_case(scene: Scene) -> None:
    sent = scene.submit(
        scene.other_lab, report("the same, seen elsewhere", "other words", line=99, proof=False, function="open_below"), "elsewhere.json"
    )
    other = reporting.read_answers(scene.house, scene.other_lab, sent)[0].finding.case

    with Client(scene, scene.coordinator) as client:
        done = client.post(f"/cases/{other}/merge", f"/cases/{other}", into=scene.case, reason="the same function")
        page = client.get(done.headers["location"]).text

    assert done.headers["location"].startswith(f"/cases/{scene.case}")
    assert "the same function" in page and "a person&#x27;s judgment" in page


def test_a_merge_that_brings_a_proof_to_the_maintainer_is_confirmed_by_a_colleague(scene: Scene) -> None:
    raw = report("the same, with a proof", "other words", line=99, function="open_below")
    other = reporting.read_answers(scene.house, scene.other_lab, scene.submit(scene.other_lab, raw, "elsewhere.json"))[0].finding.case
    path = f"/cases/{other}"

    with Client(scene, scene.coordinator) as client:
        done = client.post(f"{path}/merge", path, into=scene.case, reason="the same function")
        mine = client.get(path).text
        (proposal,) = scene.view().proposals
        own = client.post(f"{path}/judgment/{proposal.id}", path)
        client.become(scene.second)
        theirs = client.get(path).text
        confirmed = client.post(f"{path}/judgment/{proposal.id}", path)
        page = client.get(path).text

    assert done.headers["location"] == f"{path}?done=proposed" and own.status_code == 403
    assert "I looked at both" not in mine and "A second person must confirm" in mine and "I looked at both" in theirs
    assert confirmed.status_code == 303 and "joined to another and sleeps" in page


def test_copies_in_other_components_and_the_dates_of_credit_are_shown(scene: Scene) -> None:
    raw = report("A folder is left, says a program that carries the reader", "its words", proof=False).replace(
        b"pkg:pypi/made-up-reader@1.4.0", b"pkg:pypi/carrier@3"
    )
    sent = scene.submit(scene.other_lab, raw, "carrier.json")
    for submission in (scene.submission, sent):
        sketching.sketch_batch(scene.house, submission, 0)

    with Client(scene, scene.coordinator) as client:
        page = client.get(f"/cases/{scene.case}").text

    assert "says a program that carries the reader" in page and "pkg:pypi/carrier" in page
    assert page.count("Northlake Scanning Lab") == page.count("Second Lab") == 2  # as who reported, and as who takes part
    assert page.count("nothing of theirs was proven") == 1 and 'data-label="Credit from"><time' in page


def test_decision_points_are_recorded_by_a_form_that_leaves_alone_what_it_is_not_told(scene: Scene) -> None:
    path = f"/cases/{scene.case}"

    with Client(scene, scene.coordinator) as client:
        done = client.post(f"{path}/decision-points", path, automatable="no", technical_impact="", source="judgment")
        page = client.get(done.headers["location"]).text
        empty = client.post(f"{path}/decision-points", path, automatable="", technical_impact="", source="judgment")
        wrong = client.post(f"{path}/decision-points", path, automatable="no", source="hearsay")

    assert done.status_code == 303 and "ranked anew" in page
    assert "<strong>no</strong>" in page and "a coordinator&#x27;s judgment" in page and "<strong>not known</strong>" in page
    assert scene.view().kept.technical_impact.source is None
    assert (empty.status_code, wrong.status_code) == (400, 400) and "or both" in empty.text


def test_a_later_end_date_needs_two_people(scene: Scene) -> None:
    path = f"/cases/{scene.case}"

    with Client(scene, scene.coordinator) as client:
        proposed = client.post(f"{path}/extension", path, until="2027-02-15")
        (proposal,) = [p for p in scene.view().proposals if p.subject == scene.case]
        own = client.post(f"{path}/extension/{proposal.id}", path)
        mine = client.get(path).text
        client.become(scene.second)
        theirs = client.get(path).text
        confirmed = client.post(f"{path}/extension/{proposal.id}", path)
        wrong = client.post(f"{path}/extension", path, until="tomorrow")

    assert proposed.status_code == 303 and own.status_code == 403 and confirmed.status_code == 303
    assert "Confirm the later end date" not in mine and "Confirm the later end date" in theirs
    assert scene.view().kept.case.ends_at.date().isoformat() == "2027-02-15"
    assert wrong.status_code == 400


def test_two_people_read_the_difference_before_it_is_distributed(scene: Scene) -> None:
    fix = scene.fix().the_fix()
    path, at = f"/cases/{scene.case}", f"/cases/{scene.case}/fixes/{fix.id}"

    with Client(scene, scene.coordinator) as client:
        page = client.post(f"{at}/difference", path).text
        wrong = client.post(f"{at}/distribution", path, diff_sha256="0" * 64)
        client.post(f"{at}/distribution", path, diff_sha256=fix.diff_sha256)
        own = client.post(f"{at}/difference", path).text
        client.become(scene.second)
        second = client.post(f"{at}/difference", path).text
        action = re.search(rf'action="({at}/distribution/proposal_\w+)"', second)
        assert action is not None
        confirmed = client.post(action[1], path, diff_sha256=fix.diff_sha256)

    assert "<ins>+    return open(inside(root, name)).read()</ins>" in page and "propose to distribute" in page
    assert wrong.status_code == 409
    assert "A second person must read it" in own and "confirm and publish" not in own
    assert confirmed.status_code == 303 and scene.the_fix().distributed_at is not None


def test_reading_a_proof_or_a_difference_is_no_get(scene: Scene) -> None:
    fix, (proof,) = scene.fix().the_fix(), {run.proof for run in scene.view().runs}

    with Client(scene, scene.coordinator) as client:
        answers = [client.get(f"/cases/{scene.case}/{rest}") for rest in (f"proofs/{proof}", f"fixes/{fix.id}/difference")]

    assert [answer.status_code for answer in answers] == [405, 405]


def test_links_are_revoked_and_contacts_recorded(scene: Scene) -> None:
    path, (link,) = f"/cases/{scene.case}", scene.view().links

    with Client(scene, scene.coordinator) as client:
        revoked = client.post(f"{path}/links/{link.id}/revoke", path)
        gone = client.get(f"/maintainer/{scene.link}")
        form = {"name": "Grace", "contact": "grace@reader.example", "limit": "3"}
        recorded = client.post(f"{path}/contact", path, origin="registry", **form)
        from_a_report = client.post(f"{path}/contact", path, origin="report", **form)

    assert (revoked.status_code, gone.status_code) == (303, 410)
    assert (recorded.status_code, from_a_report.status_code) == (303, 400)


def test_nobody_but_coordinators_sees_or_changes_a_case(scene: Scene) -> None:
    path = f"/cases/{scene.case}"

    for member in (scene.lab, scene.hospital, scene.auditor):
        with Client(scene, member) as client:
            assert client.get(path).status_code == 403
            assert client.post(f"{path}/merge", "/", into=scene.case, reason="mine").status_code == 403
    assert coordinating.read_case(scene.house, scene.coordinator, scene.case).kept.merged_into is None
