# SPDX-License-Identifier: Apache-2.0
"""Quotas: who is over one is told when to come back, and nothing is half done."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from clearwell.clearinghouse.flow import admitting, reporting
from clearwell.clearinghouse.flow.admitting import OwnQuota
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.intake.quota import Quota, QuotaReached, Usage, require_room
from clearwell.ground.identity.actor import OrganizationKind
from hub import Hub
from story import plain, report

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ROOM = Quota(findings_per_day=10, bytes_per_day=1_000, submissions_in_flight=3, proofs_per_day=5)
NOTHING = Usage(findings=0, size=0, in_flight=0, proofs=0)


@pytest.mark.parametrize(
    ("used", "seconds"),
    [
        (msgspec.structs.replace(NOTHING, findings=10), 12 * 3600),
        (msgspec.structs.replace(NOTHING, size=901), 12 * 3600),
        (msgspec.structs.replace(NOTHING, proofs=5), 12 * 3600),
        (msgspec.structs.replace(NOTHING, in_flight=3), 5),
    ],
)
def test_who_is_over_a_quota_is_told_when_to_come_back(used: Usage, seconds: int) -> None:
    with pytest.raises(QuotaReached) as told:
        require_room(ROOM, used, 100, NOON)

    assert told.value.seconds == seconds


def test_a_quota_that_is_not_reached_takes_a_report_whole() -> None:
    require_room(ROOM, Usage(findings=9, size=900, in_flight=2, proofs=4), 100, NOON)


def test_a_report_over_the_quota_leaves_nothing_and_is_taken_the_next_day(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(findings_per_day=1)
    lab = hub.member(OrganizationKind.LAB)
    first = report(plain("one"), plain("two", locations=[{"file": "other.js"}]))
    sent = reporting.submit_report(hub.house, lab, [first], Envelope(name="1.json"))
    hub.work()
    blobs = [path for path in hub.house.settings.blobs_dir.rglob("*") if path.is_file()]

    with pytest.raises(QuotaReached, match="2026-11-03T00:00Z"):
        reporting.submit_report(hub.house, lab, [report(plain("three"))], Envelope(name="2.json"))

    assert [path for path in hub.house.settings.blobs_dir.rglob("*") if path.is_file()] == blobs
    assert reporting.submit_report(hub.house, lab, [first], Envelope(name="1.json")).id == sent.id
    assert len(reporting.read_answers(hub.house, lab, sent.id)) == 2
    hub.clock.move(days=1)
    assert reporting.submit_report(hub.house, lab, [report(plain("three"))], Envelope(name="2.json")).id != sent.id


def test_an_organizations_own_quota_goes_before_the_hubs_and_touches_nobody_else(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    admitting.set_quota(hub.house, lab.organization, OwnQuota(submissions_in_flight=1))
    reporting.submit_report(hub.house, lab, [report(plain("one"))], Envelope(name="1.json"))

    with pytest.raises(QuotaReached, match="come back in"):
        reporting.submit_report(hub.house, lab, [report(plain("two"))], Envelope(name="2.json"))

    for name in ("1.json", "2.json"):
        reporting.submit_report(hub.house, other, [report(plain(name))], Envelope(name=name))
    hub.work()
    reporting.submit_report(hub.house, lab, [report(plain("two"))], Envelope(name="2.json"))
    admitting.set_quota(hub.house, lab.organization, OwnQuota())
    reporting.submit_report(hub.house, lab, [report(plain("three"))], Envelope(name="3.json"))
