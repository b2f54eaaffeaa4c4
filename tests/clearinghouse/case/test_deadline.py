# SPDX-License-Identifier: Apache-2.0
"""The dated table of end dates."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clearwell.clearinghouse.case.deadline import POLICIES, extended, policy_for, policy_named, read_policies
from clearwell.vocabulary.errors import Invalid, Refused, TooLate
from clearwell.vocabulary.ids import PersonId

RECEIVED = datetime(2026, 11, 1, 8, tzinfo=UTC)
TWO = frozenset({PersonId("person_a"), PersonId("person_b")})
SUCCESSOR = """
[[policy]]
version = "1"
effective_from = 2026-01-01
default_days = 90
maximum_days = 120
reminder_days = [14, 3]
source = "ours"
[[policy]]
version = "2"
effective_from = 2027-01-01
default_days = 45
maximum_days = 60
reminder_days = [7]
source = "ours"
"""


def test_the_packaged_policy_is_ninety_days_with_a_source_and_two_reminders():
    policy = policy_for(RECEIVED)

    assert policy.ends_at(RECEIVED) - RECEIVED == timedelta(days=90)
    assert policy.reminder_days == (14, 3)
    assert all(row.source and row.effective_from >= date(2026, 6, 2) for row in POLICIES)


def test_a_successor_stands_beside_its_predecessor_and_applies_from_its_date():
    policies = read_policies(SUCCESSOR)

    assert policy_for(datetime(2026, 12, 31, 23, 59, tzinfo=UTC), policies).version == "1"
    assert policy_for(datetime(2027, 1, 1, tzinfo=UTC), policies).version == "2"
    assert policy_for(datetime(2020, 1, 1, tzinfo=UTC), policies).version == "1"
    assert policy_named("1", policies).default_days == 90


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("default_days = 90", "default_days = 121"),
        ("default_days = 90", "default_days = 0"),
        ("reminder_days = [14, 3]", "reminder_days = []"),
        ("reminder_days = [14, 3]", "reminder_days = [3, 14]"),
        ("reminder_days = [14, 3]", "reminder_days = [90]"),
        ("2027-01-01", "2025-01-01"),
        ('source = "ours"\n[[policy]]', "[[policy]]"),
        ("default_days = 90", "default_days = 90\nhold = true"),
        ("[[policy]]", "[[policy"),
    ],
)
def test_a_table_that_contradicts_itself_is_invalid(before, after):
    with pytest.raises(Invalid):
        read_policies(SUCCESSOR.replace(before, after, 1))


def test_a_policy_may_have_no_room_for_extensions():
    assert read_policies(SUCCESSOR.replace("maximum_days = 120", "maximum_days = 90"))[0].maximum_days == 90


def test_an_unknown_version_is_named():
    with pytest.raises(Invalid, match="'9'"):
        policy_named("9")


def extend(until_day, people=TWO, now_day=10):
    policy, day = policy_for(RECEIVED), timedelta(days=1)
    return extended(policy.ends_at(RECEIVED), RECEIVED + until_day * day, RECEIVED, policy, people, RECEIVED + now_day * day)


def test_two_people_extend_up_to_the_maximum_and_not_a_moment_longer():
    assert extend(120) == RECEIVED + timedelta(days=120)
    with pytest.raises(Refused, match="121 days from first receipt; policy 1 allows 120"):
        extend(121)


def test_one_person_extends_nothing():
    with pytest.raises(Refused, match="two different people"):
        extend(100, people=frozenset({PersonId("person_a")}))


def test_an_extension_is_later_and_in_time():
    with pytest.raises(Refused, match="later than"):
        extend(80)
    with pytest.raises(TooLate, match="published"):
        extend(100, now_day=90)
