# SPDX-License-Identifier: Apache-2.0
"""CERT/CC's case states."""

from itertools import permutations

import pytest

from clearwell.clearinghouse.case.state import STATES, TRANSITIONS, CaseEvent, CaseState
from clearwell.vocabulary.errors import Conflict, Invalid


def history_ends(letters: str) -> str | None:
    state = CaseState()
    for letter in letters:
        try:
            state = state.apply(CaseEvent(letter))
        except Conflict:
            return None
    return state.letters


def test_the_states_transitions_and_histories_are_exactly_the_published_ones(shared):
    published = shared("cvd_vectors.json")

    histories = {"".join(order) for order in permutations("VFDPXA") if history_ends("".join(order))}

    assert sorted(STATES) == sorted(published["cs_states"])
    assert sorted((a, str(b), c) for a, b, c in TRANSITIONS) == sorted(map(tuple, published["cs_transitions"]))
    assert histories == set(published["cs_histories"])


def test_every_pair_that_is_not_a_published_transition_is_refused_and_leaves_a_rule(shared):
    published = {(a, b) for a, b, _ in shared("cvd_vectors.json")["cs_transitions"]}

    for letters in STATES:
        for event in CaseEvent:
            if (letters, event.value) not in published:
                with pytest.raises(Conflict, match=letters):
                    CaseState(letters).apply(event)


def test_there_are_32_states_58_transitions_and_70_histories():
    assert (len(STATES), len(set(STATES)), len(TRANSITIONS)) == (32, 32, 58)
    assert sum(history_ends("".join(order)) == "VFDPXA" for order in permutations("VFDPXA")) == 70


@pytest.mark.parametrize(
    ("letters", "event", "rule"),
    [
        ("vfdpxa", "F", "must know"),
        ("Vfdpxa", "D", "must be ready"),
        ("Vfdpxa", "V", "knows already"),
        ("VfdpXa", "A", "so P comes first"),
        ("vfdPxa", "X", "so V comes first"),
    ],
)
def test_a_refused_event_names_the_rule(letters, event, rule):
    with pytest.raises(Conflict, match=rule):
        CaseState(letters).apply(CaseEvent(event))


def test_observing_a_public_exploit_also_makes_it_public_and_known_to_the_vendor():
    assert CaseState().observe(CaseEvent.EXPLOIT_PUBLIC).letters == "VfdPXa"


@pytest.mark.parametrize("letters", ["", "vfdpx", "vFdpxa", "VfDpxa", "VFDPXAA", "fvdpxa"])
def test_letters_that_are_no_state_are_invalid(letters):
    with pytest.raises(Invalid, match="32 case states"):
        CaseState(letters)
