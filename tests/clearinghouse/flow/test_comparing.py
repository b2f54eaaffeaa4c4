# SPDX-License-Identifier: Apache-2.0
"""Complete scans: what is gone is *not seen since*, never fixed; it comes back, and nothing closes."""

from datetime import date

import pytest

from clearinghouse.flow.test_reporting import TARGET, answers, scan, send
from clearwell.clearinghouse.flow import checking, comparing, coordinating, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import SANITY, Member, OrganizationKind
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import CaseId, SubmissionId
from clearwell.vocabulary.product import parse_target
from hub import Hub

PUMP, VALVE, TANK = ("a.c", "pump", 3), ("b.c", "valve", 9), ("c.c", "tank", 27)


def since(hub: Hub, lab: Member, submission: str) -> list[date | None]:
    found = answers(hub, lab, submission)
    return [one.finding.not_seen_since.date() if one.finding.not_seen_since else None for one in found]


def test_what_a_later_complete_scan_lacks_is_not_seen_since_and_nothing_closes(hub: Hub) -> None:
    lab, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)
    before = answers(hub, lab, first)
    case = CaseId(before[1].finding.case)
    kept = coordinating.read_case(hub.house, coordinator, case).kept
    hub.clock.move(days=7)

    send(hub, lab, scan(("a.c", "pump", 5), TANK), complete=True)

    assert since(hub, lab, first) == [None, before[1].finding.received_at.date()]
    after = answers(hub, lab, first)
    assert [one.finding.answer for one in after] == [one.finding.answer for one in before]
    view = coordinating.read_case(hub.house, coordinator, case)
    assert view.kept == kept
    assert [finding.not_seen_since for finding in view.findings] == [before[1].finding.received_at]


def test_seen_again_it_is_no_longer_missed(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)
    second = send(hub, lab, scan(PUMP, message="other words"), complete=True)
    assert since(hub, lab, first)[1] is not None

    send(hub, lab, scan(VALVE, message="seen by a scan of one file"))

    assert since(hub, lab, first) == [None, None] and since(hub, lab, second) == [None]


def test_what_a_scan_names_and_is_refused_in_it_is_not_missed(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)
    with hub.house.transaction(SANITY) as tx:
        checking.refuse(hub.house, tx, answers(hub, lab, first)[1].finding.id, "there is no such function", SANITY)
    second = send(hub, lab, scan(PUMP, VALVE, message="other words"), complete=True)
    with hub.house.transaction(SANITY) as tx:
        checking.refuse(hub.house, tx, answers(hub, lab, second)[1].finding.id, "there is no such function", SANITY)

    comparing.compare_scan(hub.house, SubmissionId(second))
    assert since(hub, lab, first) == [None, None]

    third = send(hub, lab, scan(PUMP, message="no valve"), complete=True)
    assert [missed is None for missed in since(hub, lab, first)] == [True, False]
    assert [missed is None for missed in since(hub, lab, second)] == [True, False]
    assert since(hub, lab, third) == [None]


def test_a_scan_that_is_not_declared_complete_misses_nothing(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)

    send(hub, lab, scan(PUMP, message="other words"))

    assert since(hub, lab, first) == [None, None]


@pytest.mark.parametrize("other", ["tool", "target", "organization", "broken"])
def test_only_a_whole_scan_by_the_same_tool_of_the_same_target_for_the_same_organization_counts(hub: Hub, other: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)
    sender = hub.member(OrganizationKind.LAB) if other == "organization" else lab
    raw = scan(PUMP, message="again", tool="other" if other == "tool" else "scout")
    if other == "broken":
        raw = raw.replace(b'"results": [', b'"results": [7, ')
    target = parse_target("forge.example/water/other@0123456789abcdef") if other == "target" else TARGET

    send(hub, sender, raw, complete=True, target=target)

    assert since(hub, lab, first) == [None, None]


def test_another_commit_of_the_same_target_is_the_same_target(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, scan(PUMP, VALVE), complete=True)

    send(hub, lab, scan(PUMP, message="again"), complete=True, target=parse_target("forge.example/water/pump@fedcba9876543210"))

    assert since(hub, lab, first)[0] is None and since(hub, lab, first)[1] is not None


def test_the_identical_scan_again_changes_nothing_but_may_be_declared_complete(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first, raw = send(hub, lab, scan(PUMP, VALVE), complete=True), scan(PUMP, message="again")
    later = send(hub, lab, raw)
    assert since(hub, lab, first) == [None, None]

    assert send(hub, lab, raw, complete=True) == later
    assert since(hub, lab, first)[1] is not None
    assert send(hub, lab, scan(PUMP, VALVE), complete=True) == first
    assert since(hub, lab, first)[1] is not None
    assert len(reporting.list_submissions(hub.house, lab)) == 2


def test_a_scan_that_is_compared_late_or_twice_gives_the_same(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    sent = [
        reporting.submit_report(hub.house, lab, [raw], Envelope(name="s", target=TARGET, complete=True)).id
        for raw in (scan(PUMP, VALVE), scan(PUMP, message="again"), scan(PUMP, VALVE, message="thrice"), scan(PUMP, message="four"))
    ]
    hub.work()
    for submission in (3, 1, 0, 2, 1, 3):
        comparing.compare_scan(hub.house, SubmissionId(sent[submission]))

    assert [since(hub, lab, one)[1:] for one in sent if len(since(hub, lab, one)) == 2] == [
        [answers(hub, lab, sent[2])[0].finding.received_at.date()]
    ] * 2
    assert hub.failed_jobs() == []


def test_a_complete_scan_names_its_target() -> None:
    with pytest.raises(Invalid, match="target"):
        Envelope(name="x", complete=True)
