# SPDX-License-Identifier: Apache-2.0
"""SSVC's decision points: recorded by coordinators, published, and what due dates follow from them, asset by asset."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from browser.scene import Scene
from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.decision_point import DecisionPoint, PointSource
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.distribution.store import Action
from clearwell.clearinghouse.flow import coordinating, operating, publishing, reporting
from clearwell.clearinghouse.prioritization.facts import Answer as Known
from clearwell.clearinghouse.prioritization.facts import TechnicalImpact
from clearwell.clearinghouse.prioritization.priority import rank_case
from clearwell.ground.identity.actor import CASE, Member, OrganizationKind, Visitor
from clearwell.vocabulary.errors import Invalid, NotFound, Refused
from clearwell.vocabulary.ids import CaseId
from hub import Hub

CVE = "CVE-2026-40404"
LISTED = date(2026, 10, 29)
TOLD = date(2026, 11, 2)
"""The day of the test's clock."""

SOURCE = PointSource.JUDGMENT


def catalog(folder: Path) -> Path:
    """A made-up KEV catalog that lists one flaw."""
    entry = {
        "cveID": CVE, "vendorProject": "Nobody", "product": "made-up-reader", "vulnerabilityName": "none", "dateAdded": str(LISTED),
        "shortDescription": "none", "requiredAction": "Update.", "dueDate": "2026-12-24", "knownRansomwareCampaignUse": "Unknown",
        "notes": "",
    }  # fmt: skip
    feed = folder / "kev.json"
    feed.write_text(
        json.dumps({"title": "t", "catalogVersion": "1", "dateReleased": "2026-10-29T00:00:00Z", "count": 1, "vulnerabilities": [entry]})
    )
    return feed


@pytest.fixture
def scene(make_hub: Callable[..., Hub], tmp_path: Path) -> Scene:
    """A case with a verified fix, not yet distributed, on a hub that reads a KEV catalog."""
    return Scene(make_hub(kev_feed=catalog(tmp_path))).prove().fix()


def record(scene: Scene, automatable: str | None, impact: str | None, source: PointSource = SOURCE) -> KeptCase:
    points = Known(automatable) if automatable else None, TechnicalImpact(impact) if impact else None
    return coordinating.record_decision_points(scene.house, scene.coordinator, scene.case, *points, source)


def agency(scene: Scene) -> Member:
    """A federal agency with one asset that the public reaches, one that it does not, and one of which nobody knows."""
    member = scene.hub.member(OrganizationKind.AGENCY, system_class="fceb", time_zone="America/New_York")
    for asset, exposed in (("site", True), ("records", False), ("kiosk", "unknown")):
        scene.run_software(member, asset, "made-up-reader==1.4.0\n", exposed)
    return member


def told(scene: Scene, member: Member) -> dict[str, Action]:
    operating.match_operator(scene.house, member.organization)
    return {action.asset_name: action for action in operating.read_actions(scene.house, member)}


def dated(scene: Scene, member: Member) -> dict[str, tuple[str, date | None]]:
    return {name: (action.outcome, action.due_on) for name, action in told(scene, member).items()}


def in_kev(scene: Scene) -> None:
    coordinating.record_aliases(scene.house, scene.coordinator, scene.case, (CVE,))


def osv_and_csaf(scene: Scene) -> tuple[Any, Any]:
    (one,) = publishing.list_advisories(scene.house, Visitor())
    written = publishing.read_advisory(scene.house, Visitor(), one.advisory.id)
    return json.loads(written.osv), json.loads(written.csaf)


# -- what follows for operators -----------------------------------------------------------------------------------------


def test_what_kev_lists_is_due_asset_by_asset_counted_from_the_day_that_kev_lists_it(scene: Scene) -> None:
    office = agency(scene)
    in_kev(scene)
    record(scene, "no", "total")
    scene.publish()

    assert dated(scene, office) == {
        "site": ("3DF", date(2026, 11, 1)),
        "records": ("14D", date(2026, 11, 12)),
        "kiosk": ("3DF", date(2026, 11, 1)),
    }


def test_what_kev_does_not_list_is_due_counted_from_the_day_of_telling(scene: Scene) -> None:
    office = agency(scene)
    record(scene, "no", "total")
    scene.publish()

    assert dated(scene, office) == {
        "site": ("14D", date(2026, 11, 16)),
        "records": ("FSU", None),
        "kiosk": ("14D", date(2026, 11, 16)),
    }


def test_without_them_nothing_is_guessed_about_what_kev_lists(scene: Scene) -> None:
    office = agency(scene)
    in_kev(scene)
    record(scene, "unknown", "total")
    scene.publish()

    assert set(dated(scene, office).values()) == {("undetermined", None)}
    assert (
        "ssvc" in osv_and_csaf(scene)[0]["database_specific"] and "automatable" not in osv_and_csaf(scene)[0]["database_specific"]["ssvc"]
    )


def test_who_is_not_bound_gets_ssvcs_outcome_and_no_date(scene: Scene) -> None:
    scene.run_software(scene.hospital, "portal", "made-up-reader==1.4.0\n", False)
    in_kev(scene)
    record(scene, "no", "partial")
    scene.publish()

    (action,) = told(scene, scene.hospital).values()
    assert (action.outcome, action.due_on) == ("out_of_cycle", None)
    assert action.reasons[0] == "It is attacked already."


# -- what follows when they come late ------------------------------------------------------------------------------------


def test_recorded_after_publication_they_are_published_as_a_revision_and_date_what_had_no_date(scene: Scene) -> None:
    office = agency(scene)
    in_kev(scene)
    scene.publish()
    before = told(scene, office)
    assert {action.outcome for action in before.values()} == {"undetermined"}
    assert "ssvc" not in osv_and_csaf(scene)[0]["database_specific"]

    scene.hub.clock.move(days=5)
    record(scene, "no", "total", PointSource.VULNRICHMENT)
    assert any(job.startswith("publish ") and scene.case in job for job in scene.hub.ready_jobs())
    publishing.publish_case(scene.house, scene.case)
    publishing.publish_case(scene.house, scene.case)
    after = told(scene, office)

    osv, csaf = osv_and_csaf(scene)
    assert osv["database_specific"]["ssvc"] == {"automatable": "no", "technical_impact": "total"}
    assert osv["database_specific"]["revision"] == 2 and osv["modified"] > osv["published"]
    assert csaf["vulnerabilities"][0]["notes"][1:] == [
        {"category": "other", "title": "SSVC decision points", "text": "automatable: no; technical impact: total"}
    ]
    assert {name: action.due_on for name, action in after.items()} == {
        "site": date(2026, 11, 1), "records": date(2026, 11, 12), "kiosk": date(2026, 11, 1),
    }  # fmt: skip
    assert {name: action.told_at for name, action in after.items()} == {name: action.told_at for name, action in before.items()}


def test_a_second_correction_is_published_too(scene: Scene) -> None:
    scene.publish()
    for impact in ("partial", "total"):
        scene.hub.clock.move(days=1)
        record(scene, None, impact)
        publishing.publish_case(scene.house, scene.case)

    history = osv_and_csaf(scene)[1]["document"]["tracking"]["revision_history"]
    assert [(line["number"], line["date"][:10]) for line in history] == [("1", "2026-11-02"), ("2", "2026-11-03"), ("3", "2026-11-04")]


def test_matched_again_on_another_day_a_due_date_stays_and_follows_what_becomes_known(scene: Scene) -> None:
    office = agency(scene)
    scene.publish()
    first = dated(scene, office)
    assert set(first.values()) == {("60D", date(2027, 1, 1))}

    scene.hub.clock.move(days=10)
    assert dated(scene, office) == first
    record(scene, "yes", "total")
    publishing.publish_case(scene.house, scene.case)

    assert dated(scene, office) == {
        "site": ("3D", date(2026, 11, 5)),
        "records": ("60D", date(2027, 1, 1)),
        "kiosk": ("3D", date(2026, 11, 5)),
    }


def test_a_flaw_that_comes_back_with_an_old_version_is_told_anew_and_counted_from_then(scene: Scene) -> None:
    office = agency(scene)
    record(scene, "no", "total")
    scene.publish()
    told(scene, office)
    scene.hub.clock.move(days=10)
    scene.run_software(office, "site", "made-up-reader==1.4.1\n", True)
    scene.hub.clock.move(days=10)
    scene.run_software(office, "site", "made-up-reader==1.4.0\n", True)
    again = told(scene, office)["site"]
    scene.hub.clock.move(days=3)

    assert (again.receipt, again.due_on, again.told_at.date()) == ("told", date(2026, 12, 6), date(2026, 11, 22))
    assert told(scene, office)["site"].due_on == date(2026, 12, 6)


# -- recording ----------------------------------------------------------------------------------------------------------


def test_each_point_keeps_its_own_source_date_and_person(scene: Scene) -> None:
    first = record(scene, "yes", None, PointSource.VULNRICHMENT)
    scene.hub.clock.move(days=2)
    record(scene, None, "partial", PointSource.JUDGMENT)

    kept = scene.view().kept
    assert kept.automatable == first.automatable
    assert (kept.automatable.value, kept.automatable.source) == ("yes", PointSource.VULNRICHMENT)
    assert (kept.technical_impact.value, kept.technical_impact.source) == ("partial", PointSource.JUDGMENT)
    assert kept.technical_impact.recorded_at is not None and kept.automatable.recorded_at is not None
    assert (kept.technical_impact.recorded_at - kept.automatable.recorded_at).days == 2
    assert kept.technical_impact.recorded_by == scene.coordinator.person


def test_recording_ranks_the_case_anew_and_stands_in_the_ledger_without_its_words(scene: Scene) -> None:
    ranks = [record(scene, automatable, impact).priority for automatable, impact in (("no", "partial"), ("yes", "total"))]

    assert ranks[0] < ranks[1]
    assert "Attackers can automate it." in scene.view().kept.priority_reasons
    with scene.house.transaction(CASE) as tx:
        rows = tx.rows("SELECT convert_from(body, 'UTF8') AS body FROM clearwell.ledger_entry ORDER BY id")
    entries = [json.loads(row["body"]) for row in rows]
    mine = [entry for entry in entries if entry["type"] == "decision_points.recorded"]
    assert [entry["payload"]["source"] for entry in mine] == ["judgment", "judgment"]
    assert "total" not in json.dumps(mine)


def test_an_unproven_case_stays_unranked_until_it_is_proven(scene: Scene) -> None:
    sent = scene.submit(scene.lab, _unproven(), "unproven.json")
    case_id = reporting.read_answers(scene.house, scene.lab, sent)[0].finding.case

    kept = coordinating.record_decision_points(scene.house, scene.coordinator, case_id, Known.YES, TechnicalImpact.TOTAL, SOURCE)
    assert kept.priority == 0
    with scene.house.transaction(CASE) as tx:
        stored = store.load_case(tx, case_id)

    proven = rank_case(KeptCase(case=stored.case.prove(scene.hub.clock.now()), marking=stored.marking, automatable=stored.automatable))
    assert "Attackers can automate it." in proven.priority_reasons


def _unproven() -> bytes:
    finding = {"title": "another", "text": "words", "product": {"vendor": "acme", "model": "router"}, "weakness": "CWE-787"}
    return json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()


def test_only_coordinators_record_and_only_of_a_case_that_is_there(scene: Scene) -> None:
    for member in (scene.lab, scene.hospital, scene.auditor):
        with pytest.raises(Refused):
            coordinating.record_decision_points(scene.house, member, scene.case, Known.YES, None, SOURCE)
    with pytest.raises(NotFound):
        nowhere = CaseId(scene.house.new_id("case"))
        coordinating.record_decision_points(scene.house, scene.coordinator, nowhere, Known.YES, None, SOURCE)
    with pytest.raises(Invalid, match="or both"):
        record(scene, None, None)

    assert scene.view().kept.automatable == DecisionPoint()
