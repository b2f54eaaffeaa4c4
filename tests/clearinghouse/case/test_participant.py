# SPDX-License-Identifier: Apache-2.0
"""Participants, statements and the maintainer's limit."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.case.participant import (
    REPORT_EDGES,
    ContactOrigin,
    Participant,
    Queued,
    ReportAct,
    ReportState,
    Role,
    Statement,
    StatementKind,
    take_turns,
)
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import CaseId, ParticipantId

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def maintainer(report=ReportState.RECEIVED):
    return Participant(
        id=ParticipantId("part_1"),
        case=CaseId("case_1"),
        roles=frozenset({Role.VENDOR}),
        contact_origin=ContactOrigin.SECURITY_TXT,
        report=report,
    )


def test_the_report_edges_are_exactly_the_published_ones(shared):
    published = {tuple(edge) for edge in shared("cvd_vectors.json")["rm"]}

    assert {(a.name, b.value, c.name) for (a, b), c in REPORT_EDGES.items()} == published


def test_every_other_report_act_is_refused_and_says_what_is_possible():
    for state in ReportState:
        for act in ReportAct:
            if (state, act) not in REPORT_EDGES:
                with pytest.raises(Conflict, match="possible from there"):
                    maintainer(state).act(act)


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize("state", list(ReportState))
def test_no_statement_closes_a_report(kind, state):
    statement = Statement(kind, NOW, version="1.2" if kind is StatementKind.FIXED_IN else None)

    after = maintainer(state).state(statement)

    assert after.statements == (statement,)
    assert after.report is not ReportState.CLOSED or state is ReportState.CLOSED
    assert statement.next_step


def test_not_a_bug_is_the_maintainers_own_view_and_accepted_moves_them_on():
    assert maintainer(ReportState.START).state(Statement(StatementKind.NOT_A_BUG, NOW)).report is ReportState.INVALID
    assert maintainer().state(Statement(StatementKind.ACCEPTED, NOW)).report is ReportState.ACCEPTED


def test_fixed_in_needs_a_version_and_nothing_else_has_one():
    with pytest.raises(Invalid, match="fixed_in"):
        Statement(StatementKind.FIXED_IN, NOW)
    with pytest.raises(Invalid, match="fixed_in"):
        Statement(StatementKind.DUPLICATE, NOW, version="1.2")


def test_a_statement_is_bounded():
    Statement(StatementKind.DUPLICATE, NOW, text="x" * 20_000)
    with pytest.raises(Invalid, match="at most"):
        Statement(StatementKind.DUPLICATE, NOW, text="x" * 20_001)
    with pytest.raises(Invalid, match="at most"):
        Statement(StatementKind.FIXED_IN, NOW, version="1" * 201)


def test_a_finder_makes_no_statements():
    finder = Participant(id=ParticipantId("part_2"), case=CaseId("case_1"), roles=frozenset({Role.FINDER}), organization="org_1")

    with pytest.raises(Conflict, match="maintainer"):
        finder.state(Statement(StatementKind.ACCEPTED, NOW))


def test_a_contact_without_an_origin_is_no_participant_and_a_report_is_no_origin():
    with pytest.raises(Invalid, match="origin"):
        Participant(id=ParticipantId("part_1"), case=CaseId("case_1"), roles=frozenset({Role.VENDOR}))
    assert "report" not in {origin.value for origin in ContactOrigin}


def queued(name, priority, days_old, presented=False, near=False):
    remind_from = NOW - timedelta(days=1) if near else NOW + timedelta(days=30)
    return Queued(CaseId(name), priority, NOW - timedelta(days=days_old), remind_from, presented)


def test_the_limit_is_kept_by_priority_then_by_first_receipt():
    queue = [queued("low", 1, 50), queued("new", 5, 1), queued("old", 5, 9), queued("high", 9, 2)]

    turn = take_turns(queue, 2, NOW)

    assert turn.presented == ("high", "old")
    assert turn.waiting == ("new", "low")


def test_what_a_maintainer_has_in_hand_is_not_snatched_away_by_something_more_urgent():
    queue = [queued("in-hand", 1, 5, presented=True), queued("urgent", 9, 1), queued("next", 5, 1)]

    assert take_turns(queue, 2, NOW).presented == ("in-hand", "urgent")


def test_a_waiting_case_near_its_end_date_is_told_whatever_the_limit():
    turn = take_turns([queued("near", 1, 80, near=True), queued("far", 1, 1)], 0, NOW)

    assert turn.presented == ()
    assert turn.told == ("near",)
    assert take_turns([Queued(CaseId("case"), 1, NOW, remind_from=NOW)], 0, NOW).told == ("case",)


def test_without_a_limit_everything_is_presented_and_a_negative_one_is_invalid():
    assert take_turns([queued("a", 1, 1), queued("b", 2, 1)], None, NOW).presented == ("b", "a")
    with pytest.raises(Invalid, match="0 or more"):
        take_turns([], -1, NOW)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100), st.booleans(), st.booleans()), max_size=12),
    st.none() | st.integers(0, 6),
)
def test_nothing_is_lost_and_the_limit_holds_for_any_queue(rows, limit):
    queue = [queued(f"case{i}", priority, days, presented, near) for i, (priority, days, presented, near) in enumerate(rows)]

    turn = take_turns(queue, limit, NOW)

    assert sorted((*turn.presented, *turn.waiting)) == sorted(q.case for q in queue)
    assert limit is None or len(turn.presented) <= max(limit, sum(q.presented for q in queue))
    assert set(turn.told) <= set(turn.waiting)
