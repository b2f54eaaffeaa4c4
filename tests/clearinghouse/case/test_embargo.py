# SPDX-License-Identifier: Apache-2.0
"""Embargoes: agreed, revised, ended by time, by notice and by the world."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.case.embargo import (
    CONSENT_EDGES,
    EMBARGO_EDGES,
    Consent,
    ConsentAct,
    Embargo,
    EmbargoAct,
    EmbargoState,
    Party,
    Terms,
    default_embargo,
)
from clearwell.clearinghouse.case.state import CaseEvent, CaseState
from clearwell.clearinghouse.case.transition import step
from clearwell.vocabulary.errors import Conflict, Refused
from clearwell.vocabulary.ids import ParticipantId, PersonId

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
FINDER, MAINTAINER, HUB = ParticipantId("part_finder"), ParticipantId("part_maintainer"), ParticipantId("part_hub")
TWO = frozenset({PersonId("person_a"), PersonId("person_b")})
QUIET = CaseState("Vfdpxa")


def day(number):
    return START + timedelta(days=number)


CASE_ENDS = day(90)


def terms(days, by=FINDER, at=0):
    return Terms(day(days), by, day(at))


def active(days=60):
    return Embargo().add(MAINTAINER).propose(terms(days), CASE_ENDS, QUIET).accept(MAINTAINER, day(1))


def test_the_embargo_edges_are_exactly_the_published_ones(shared):
    published = {tuple(edge) for edge in shared("cvd_vectors.json")["em"]}

    assert {(a.name, b.value, c.name) for (a, b), c in EMBARGO_EDGES.items()} == published


def test_the_consent_edges_are_exactly_the_published_ones(shared):
    published = {tuple(edge) for edge in shared("cvd_vectors.json")["pec"]}

    ours = {(a.name, b.value, c.name) for (a, b), c in CONSENT_EDGES.items() if b is not ConsentAct.RESET}
    assert ours | {("*", "reset", "NO_EMBARGO")} == published
    assert all(CONSENT_EDGES[consent, ConsentAct.RESET] is Consent.NO_EMBARGO for consent in Consent)


def test_every_other_act_is_a_conflict_that_says_what_is_possible():
    for state in EmbargoState:
        for act in EmbargoAct:
            if (state, act) not in EMBARGO_EDGES:
                with pytest.raises(Conflict, match="possible from there"):
                    step("embargo", EMBARGO_EDGES, state, act)
    for consent in Consent:
        for act in ConsentAct:
            if (consent, act) not in CONSENT_EDGES:
                with pytest.raises(Conflict, match=consent.value):
                    Party(FINDER, consent).act(act)


def test_the_default_embargo_is_in_force_from_opening_and_binds_whoever_submitted():
    embargo = default_embargo(terms(90, by=HUB), (HUB, FINDER)).add(MAINTAINER)

    assert embargo.state is EmbargoState.ACTIVE and embargo.holds(day(89))
    assert embargo.signatories == (HUB, FINDER)
    assert embargo.consent_of(MAINTAINER) is Consent.INVITED


def test_a_proposal_comes_into_force_when_another_participant_agrees():
    proposed = Embargo().add(MAINTAINER).propose(terms(60), CASE_ENDS, QUIET)

    assert (proposed.state, proposed.consent_of(FINDER), proposed.consent_of(MAINTAINER)) == (
        EmbargoState.PROPOSED,
        Consent.SIGNATORY,
        Consent.INVITED,
    )
    with pytest.raises(Conflict, match="proposing"):
        proposed.accept(FINDER, day(1))
    agreed = proposed.accept(MAINTAINER, day(1))
    assert agreed.terms == terms(60) and agreed.proposal is None and agreed.holds(day(1))


def test_a_third_participant_agrees_to_terms_that_are_in_force():
    assert active().add(HUB).accept(HUB, day(2)).consent_of(HUB) is Consent.SIGNATORY
    with pytest.raises(Conflict, match="no embargo terms"):
        Embargo().accept(HUB, day(2))


def test_a_revision_lapses_consent_and_its_rejection_restores_it():
    revised = active().propose(terms(30, by=MAINTAINER, at=2), CASE_ENDS, QUIET)
    assert revised.state is EmbargoState.REVISE and revised.holds(day(3))
    assert revised.consent_of(FINDER) is Consent.LAPSED

    rejected = revised.decline(FINDER)

    assert rejected.state is EmbargoState.ACTIVE and rejected.terms == terms(60)
    assert set(rejected.signatories) == {FINDER, MAINTAINER}


def test_a_longer_revision_needs_two_people_and_a_shorter_one_does_not():
    longer = active().propose(terms(80, by=MAINTAINER, at=2), CASE_ENDS, QUIET)
    with pytest.raises(Refused, match="two different people"):
        longer.accept(FINDER, day(3))
    assert longer.accept(FINDER, day(3), TWO).terms.ends_at == day(80)

    shorter = active().propose(terms(30, by=MAINTAINER, at=2), CASE_ENDS, QUIET)
    assert shorter.accept(FINDER, day(3)).terms.ends_at == day(30)
    same = active().propose(terms(60, by=MAINTAINER, at=2), CASE_ENDS, QUIET)
    assert same.accept(FINDER, day(3)).terms.ends_at == day(60)


def test_of_two_open_proposals_the_one_that_ends_first_is_kept():
    first = Embargo().add(MAINTAINER).propose(terms(60), CASE_ENDS, QUIET)

    assert first.propose(terms(80, by=MAINTAINER), CASE_ENDS, QUIET).proposal == terms(60)
    assert first.propose(terms(60, by=MAINTAINER), CASE_ENDS, QUIET).proposal == terms(60)
    assert first.propose(terms(30, by=MAINTAINER), CASE_ENDS, QUIET).proposal.ends_at == day(30)


def test_a_proposal_that_everybody_declines_is_rejected():
    declined = Embargo().add(MAINTAINER).add(HUB).propose(terms(60), CASE_ENDS, QUIET).decline(MAINTAINER)

    assert declined.state is EmbargoState.PROPOSED
    assert declined.decline(HUB).state is EmbargoState.NONE


def test_an_embargo_never_outlives_its_case_and_ends_in_the_future():
    with pytest.raises(Refused, match="never outlives"):
        Embargo().propose(terms(91), CASE_ENDS, QUIET)
    with pytest.raises(Refused, match="after it is proposed"):
        Embargo().propose(terms(1, at=1), CASE_ENDS, QUIET)


@pytest.mark.parametrize("event", [CaseEvent.PUBLIC_AWARE, CaseEvent.EXPLOIT_PUBLIC, CaseEvent.ATTACKS_OBSERVED])
def test_publication_a_public_exploit_or_attacks_end_it_and_none_is_sought_after(event):
    loud = QUIET.observe(event)

    ended = active().after(loud, day(5))

    assert ended.state is EmbargoState.EXITED and ended.ended_at == day(5) and loud.letters in ended.ended_because
    assert {party.consent for party in ended.parties} == {Consent.NO_EMBARGO}
    assert Embargo().propose(terms(60), CASE_ENDS, QUIET).after(loud, day(5)).state is EmbargoState.NONE
    with pytest.raises(Conflict, match="no embargo is sought"):
        Embargo().propose(terms(60), CASE_ENDS, loud)


def test_any_participant_ends_it_early_by_notice_and_a_stranger_does_not():
    assert active().notice(MAINTAINER, day(4)).state is EmbargoState.EXITED
    with pytest.raises(Conflict, match="participant"):
        active().notice(HUB, day(4))


def test_it_is_over_when_its_time_has_come_whether_or_not_anyone_recorded_that():
    embargo = active(60)

    assert embargo.holds(day(60) - timedelta(seconds=1)) and not embargo.is_over(day(59))
    assert embargo.is_over(day(60)) and not embargo.holds(day(60))
    assert embargo.expire(day(60)).state is EmbargoState.EXITED
    assert embargo.expire(day(59)) == embargo and embargo.expire(day(60)).expire(day(61)).ended_at == day(60)


def test_a_proposal_nobody_answered_ends_with_its_own_date():
    assert Embargo().propose(terms(10), CASE_ENDS, QUIET).expire(day(10)).state is EmbargoState.NONE
    revision = active(60).propose(terms(10, by=MAINTAINER, at=2), CASE_ENDS, QUIET)
    assert revision.expire(day(10)).state is EmbargoState.ACTIVE and revision.expire(day(10)).terms == terms(60)
    with pytest.raises(Conflict, match="ended before"):
        Embargo().add(MAINTAINER).propose(terms(10), CASE_ENDS, QUIET).accept(MAINTAINER, day(10))


def test_after_its_end_there_is_no_second_embargo():
    with pytest.raises(Conflict, match="final"):
        active().terminate(day(2), "agreed").propose(terms(60, at=3), CASE_ENDS, QUIET)


def test_a_case_whose_end_date_came_nearer_takes_its_embargo_with_it():
    capped = active(60).capped(day(20))

    rejected = capped.propose(terms(10, by=MAINTAINER, at=2), day(20), QUIET).reject()
    assert set(rejected.signatories) == {FINDER, MAINTAINER} and rejected.terms.ends_at == day(20)
    assert capped.terms.ends_at == day(20) and capped.is_over(day(20)) and set(capped.signatories) == {FINDER, MAINTAINER}


def loud_at(embargo, days):
    return embargo.after(CaseState("VfdPxa"), day(days))


ACTS = {
    "propose": lambda e, who, days: e.propose(terms(min(days, 40), by=who), CASE_ENDS, QUIET),
    "longer": lambda e, who, days: e.propose(terms(days, by=who), CASE_ENDS, QUIET),
    "accept": lambda e, who, days: e.accept(who, day(0)),
    "confirmed": lambda e, who, days: e.accept(who, day(0), TWO),
    "decline": lambda e, who, days: e.decline(who),
    "notice": lambda e, who, days: e.notice(who, day(days)),
    "loud": lambda e, who, days: loud_at(e, days),
    "expire": lambda e, who, days: e.expire(day(days)),
    "capped": lambda e, who, days: e.capped(day(days)),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from([FINDER, MAINTAINER, HUB]), st.integers(1, 100)), max_size=15))
def test_whatever_happens_no_embargo_holds_past_the_end_of_its_case(acts):
    embargo = default_embargo(terms(40, by=HUB), (HUB, FINDER))

    for act, who, days in acts:
        with contextlib.suppress(Conflict, Refused):
            embargo = ACTS[act](embargo, who, days)

    assert not embargo.holds(CASE_ENDS)
    assert embargo.state is not EmbargoState.EXITED or embargo.signatories == ()
    assert embargo.terms is None or embargo.terms.ends_at <= CASE_ENDS
