# SPDX-License-Identifier: Apache-2.0
"""Cases: what evidence changes, what nothing keeps back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.case.case import Case, DutyKind, Standing, open_case
from clearwell.clearinghouse.case.state import CaseEvent
from clearwell.vocabulary.errors import Conflict, Invalid, Refused
from clearwell.vocabulary.ids import AdvisoryId, CaseId, PersonId

RECEIVED = datetime(2026, 11, 1, 8, tzinfo=UTC)
TWO = frozenset({PersonId("person_a"), PersonId("person_b")})


def day(number):
    return RECEIVED + timedelta(days=number)


def case(opened=0) -> Case:
    return open_case(CaseId("case_1"), "pkg:pypi/ujson", "overflow in dconv, PoC at http://x/", ("CWE-121",), RECEIVED, day(opened))


STANDINGS = {
    Standing.UNPROVEN: case(),
    Standing.PROVEN: case().prove(day(1)),
    Standing.REFUSED: case().refuse(day(1), "no such file"),
    Standing.FIXED: case().prove(day(1)).fix(day(2)),
    Standing.PUBLISHED: case().prove(day(1)).publish(day(2)),
}


def test_the_end_date_counts_from_first_receipt_also_when_the_case_is_opened_late():
    assert case(opened=60).ends_at == day(90)


def test_a_case_is_not_received_after_it_is_opened():
    with pytest.raises(Invalid, match="clocks"):
        case(opened=-1)


@pytest.mark.parametrize("standing", list(Standing))
def test_each_standing_is_reached_and_named(standing):
    assert STANDINGS[standing].standing is standing


@pytest.mark.parametrize("standing", [Standing.UNPROVEN, Standing.REFUSED, Standing.FIXED])
def test_a_proven_finding_is_never_attached_to_an_unproven_refused_or_fixed_case(standing):
    with pytest.raises(Conflict, match=f"this one is {standing.value}"):
        STANDINGS[standing].attach(day(3), finding_is_proven=True)


def test_a_published_case_that_is_fixed_takes_no_proven_finding_and_one_that_is_unproven_takes_none_either():
    with pytest.raises(Conflict, match="fixed"):
        STANDINGS[Standing.FIXED].publish(day(3)).attach(day(4), finding_is_proven=True)
    with pytest.raises(Conflict, match="unproven"):
        case().publish(day(3)).attach(day(4), finding_is_proven=True)


def test_a_proven_finding_joins_a_proven_case_and_an_unproven_one_any():
    assert STANDINGS[Standing.PROVEN].attach(day(3), finding_is_proven=True).ends_at == day(90)
    for standing in Standing:
        STANDINGS[standing].attach(day(3), finding_is_proven=False)


def test_an_earlier_receipt_brings_the_end_date_forward():
    joined = case().attach(day(-30), finding_is_proven=False)

    assert (joined.first_received, joined.ends_at) == (day(-30), day(60))


@given(st.lists(st.integers(-200, 200), max_size=8), st.booleans())
def test_no_finding_outlives_its_own_maximum_whatever_is_attached_in_whatever_order(receipts, is_extended):
    joined = case().extend(day(120), TWO, now=day(1)) if is_extended else case()

    for receipt in receipts:
        joined = joined.attach(day(receipt), finding_is_proven=False)

    days = 120 if is_extended else 90
    assert all(joined.ends_at <= day(receipt + days) for receipt in (0, *receipts))


def test_a_refusal_needs_its_reason_and_never_touches_a_proven_or_published_case():
    with pytest.raises(Invalid, match="reason"):
        case().refuse(day(1), " ")
    with pytest.raises(Conflict, match="proven"):
        STANDINGS[Standing.PROVEN].refuse(day(2), "no such file")
    with pytest.raises(Conflict, match="published"):
        case().publish(day(2)).refuse(day(3), "no such file")


def test_only_a_proven_case_can_be_fixed_so_a_statement_closes_nothing():
    for standing in (Standing.UNPROVEN, Standing.REFUSED):
        with pytest.raises(Conflict, match="closes nothing"):
            STANDINGS[standing].fix(day(3))
    assert not any("statement" in name for name in dir(Case))


def test_an_appeal_or_a_fix_that_does_not_hold_opens_the_case_again_with_its_old_end_date():
    appealed = STANDINGS[Standing.REFUSED].reopen()
    broken = STANDINGS[Standing.FIXED].reopen()

    assert (appealed.standing, appealed.ends_at) == (Standing.UNPROVEN, day(90))
    assert (broken.standing, broken.is_proven, broken.ends_at) == (Standing.PROVEN, True, day(90))
    with pytest.raises(Conflict, match="opened again"):
        case().reopen()


@pytest.mark.parametrize("standing", [Standing.REFUSED, Standing.FIXED])
def test_a_reproduction_on_a_refused_or_fixed_case_asks_for_it_to_be_reopened(standing):
    with pytest.raises(Conflict, match="reopen"):
        STANDINGS[standing].prove(day(5))


def test_verbs_that_happen_twice_keep_the_first_date():
    assert STANDINGS[Standing.PROVEN].prove(day(9)).proven_at == day(1)
    assert STANDINGS[Standing.FIXED].fix(day(9)).fixed_at == day(2)
    assert STANDINGS[Standing.PUBLISHED].publish(day(9)).published_at == day(2)
    assert STANDINGS[Standing.REFUSED].refuse(day(9), "again").refused_at == day(1)


def test_publishing_makes_the_public_and_the_vendor_aware_also_when_others_published_first():
    assert case().publish(day(1)).state.letters == "VfdPxa"
    assert case().learn(CaseEvent.EXPLOIT_PUBLIC).publish(day(1)).state.letters == "VfdPXa"


def test_the_maintainer_is_told_before_the_end_date_then_it_is_published():
    assert [(duty.kind, duty.due) for duty in case().duties] == [
        (DutyKind.TELL_MAINTAINER, day(76)),
        (DutyKind.TELL_MAINTAINER, day(87)),
        (DutyKind.PUBLISH_MINIMAL, day(90)),
    ]


@pytest.mark.parametrize(
    ("at", "told", "expected"),
    [
        (75, (), []),
        (76, (), [("tell_maintainer", 14)]),
        (80, (14,), []),
        (88, (14,), [("tell_maintainer", 3)]),
        (88, (), [("tell_maintainer", 3)]),
        (88, (14, 3), []),
        (90, (14, 3), [("publish_minimal", 0)]),
        (200, (), [("tell_maintainer", 3), ("publish_minimal", 0)]),
    ],
)
def test_duties_that_are_due_come_in_order_and_a_late_reminder_still_comes_before_publication(at, told, expected):
    due = case().duties_due(day(at), frozenset(told))

    assert [(duty.kind.value, duty.days_before) for duty in due] == expected


def test_every_standing_but_published_has_a_last_duty_on_its_end_date():
    for standing, standing_case in STANDINGS.items():
        if standing is Standing.PUBLISHED:
            assert standing_case.duties == ()
        else:
            assert standing_case.duties[-1].due == day(90)
    assert STANDINGS[Standing.REFUSED].duties[-1].kind is DutyKind.RELEASE_REFUSED


def test_expiry_publishes_unattended_and_not_a_moment_before():
    with pytest.raises(Conflict, match="2027-01-30"):
        case().expire(day(90) - timedelta(seconds=1))
    assert case().expire(day(90)).standing is Standing.PUBLISHED


def test_the_minimal_advisory_names_component_and_weakness_and_nothing_else():
    unproven, proven = (STANDINGS[s].minimal_advisory(AdvisoryId("adv_1"), day(90)) for s in (Standing.UNPROVEN, Standing.PROVEN))

    text = msgspec.json.encode(unproven).decode()
    assert "dconv" not in text and "http://x" not in text and "case_1" not in text
    assert unproven.title == "CWE-121 in pkg:pypi/ujson" and unproven.is_minimal and unproven.credits == ()
    assert "not reproduced" in unproven.vulnerability.details and "not reproduced" not in proven.vulnerability.details
    assert unproven.vulnerability.affected[0].versions == unproven.vulnerability.affected[0].ranges == ()


def test_a_refused_case_has_no_advisory():
    with pytest.raises(Conflict, match="refused"):
        STANDINGS[Standing.REFUSED].minimal_advisory(AdvisoryId("adv_1"), day(90))
    with pytest.raises(Conflict, match="refused"):
        STANDINGS[Standing.REFUSED].expire(day(90))


def test_two_people_extend_the_end_date_and_the_reminders_move_with_it():
    longer = case().extend(day(100), TWO, now=day(1))

    assert [duty.due for duty in longer.duties] == [day(86), day(97), day(100)]
    assert longer.extended_by == TWO and longer.remind_from == day(86)
    with pytest.raises(Refused, match="two different people"):
        case().extend(day(100), frozenset({PersonId("person_a")}), now=day(1))
    with pytest.raises(Refused, match="allows 120"):
        longer.extend(day(130), TWO, now=day(99))


def test_nothing_is_extended_once_attacks_were_seen():
    with pytest.raises(Conflict, match="only comes nearer"):
        case().learn(CaseEvent.ATTACKS_OBSERVED).extend(day(100), TWO, now=day(1))


def test_there_is_no_word_for_keeping_a_flaw_back_or_for_holding_a_model():
    words = {standing.value for standing in Standing} | {kind.value for kind in DutyKind} | {f.name for f in msgspec.structs.fields(Case)}

    assert not any(
        bad in word for word in words for bad in ("hold", "held", "withh", "retain", "hoard", "reserve", "model", "gate", "approv")
    )
