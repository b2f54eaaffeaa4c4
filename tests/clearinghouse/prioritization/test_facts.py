# SPDX-License-Identifier: Apache-2.0
"""What is known, and what is not."""

import pytest

from clearwell.clearinghouse.case.state import CaseState
from clearwell.clearinghouse.prioritization.facts import Answer, Exploitation, FlawFacts, answer, exploitation_seen
from clearwell.vocabulary.errors import Invalid


def test_an_operators_file_answers_true_false_unknown_or_nothing():
    assert [answer(value) for value in (True, False, "unknown", "yes", None)] == [
        Answer.YES,
        Answer.NO,
        Answer.UNKNOWN,
        Answer.YES,
        Answer.UNKNOWN,
    ]
    with pytest.raises(Invalid, match="three answers"):
        answer("perhaps")


@pytest.mark.parametrize(
    ("letters", "kev", "seen"),
    [
        ("vfdpxa", Answer.NO, Exploitation.NONE),
        ("VfdPXa", Answer.NO, Exploitation.POC),
        ("VfdPXA", Answer.NO, Exploitation.ACTIVE),
        ("vfdpxa", Answer.YES, Exploitation.ACTIVE),
        ("vfdpxa", Answer.UNKNOWN, Exploitation.UNKNOWN),
        ("vfdpxA", Answer.UNKNOWN, Exploitation.ACTIVE),
    ],
)
def test_exploitation_follows_from_the_case_state_and_kev(letters, kev, seen):
    assert exploitation_seen(CaseState(letters), kev) is seen


def test_kev_means_active_and_its_absence_proves_nothing():
    assert FlawFacts(kev=Answer.YES, exploitation=Exploitation.NONE).possible_exploitation == ("active",)
    assert FlawFacts(kev=Answer.NO).possible_exploitation == ("none", "poc", "active")
