# SPDX-License-Identifier: Apache-2.0
"""BOD 26-04: every row, every default, every date."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.prioritization.bod_26_04 import DIRECTIVES, TABLES, Outcome, decide
from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, Exploitation, FlawFacts, TechnicalImpact

CHICAGO = timezone(timedelta(hours=-6))
ON = date(2026, 11, 20)
ADDED = date(2026, 11, 10)
ANSWERS = {"N": Answer.NO, "Y": Answer.YES, "?": Answer.UNKNOWN}
IMPACTS = {"P": TechnicalImpact.PARTIAL, "T": TechnicalImpact.TOTAL, "?": TechnicalImpact.UNKNOWN}


def rule(key, system_class="fceb", on=ON, identified_at=None, exploitation=Exploitation.UNKNOWN, zone=CHICAGO, **facts):
    """Decide for a key like YNY?: in KEV, exposed, automatable, technical impact."""
    kev, exposed, automatable, impact = key
    flaw = FlawFacts(
        kev=ANSWERS[kev],
        kev_added=ADDED if kev == "Y" else None,
        automatable=ANSWERS[automatable],
        technical_impact=IMPACTS[impact],
        exploitation=exploitation,
        **facts,
    )
    return decide(flaw, AssetFacts(system_class=system_class, exposed=ANSWERS[exposed]), zone, on, identified_at)


ROWS = {
    "NNNP": "FSU", "NNNT": "FSU", "NNYP": "60D", "NNYT": "60D", "NYNP": "60D", "NYNT": "14D", "NYYP": "14D", "NYYT": "3D",
    "YNNP": "14D", "YNNT": "14D", "YNYP": "14D", "YNYT": "3DF", "YYNP": "14D", "YYNT": "3DF", "YYYP": "3D", "YYYT": "3DF",
}  # fmt: skip


@pytest.mark.parametrize("key", ROWS)
def test_every_row_decides_as_the_directive_does(key):
    decision = rule(key)

    assert decision.outcome == ROWS[key]
    assert decision.days == {"FSU": None, "60D": 60, "14D": 14, "3D": 3, "3DF": 3}[ROWS[key]]
    assert decision.forensic == (ROWS[key] == "3DF")
    assert decision.table == "cisa:DT_BOD2604:1.0.0"


def test_rows_days_and_forensic_outcomes_equal_both_published_transcriptions(shared):
    published, ssvc = shared("bod_26_04.json"), shared("ssvc/cisa_bod_26_04_1_0_0.json")
    points = ("cisa:KEV:1.0.0", "cisa:PE:1.0.0", "ssvc:A:2.0.0", "ssvc:TI:1.0.0")
    from_ssvc = {"".join(row[point] for point in points): row["cisa:BOD2604:1.0.0"] for row in ssvc["mapping"]}

    ours = {"".join(key): rule("".join(key)).outcome.value for key in product("NY", "NY", "NY", "PT")}

    directive = DIRECTIVES[TABLES[-1].version]
    assert ours == published["table"] == from_ssvc == ROWS
    assert dict(directive.days) == {key: days for key, days in published["days"].items() if days is not None}
    assert list(directive.forensic) == published["forensic"] and list(directive.applies_to) == published["applies_to"]
    assert dict(directive.triage_hours) == published["triage_clock_hours"]
    assert {name.replace(" ", "-") for name in directive.revokes} == set(published["revokes"])
    assert TABLES[-1].effective_from.isoformat() == published["issued"]
    assert directive.fully_used_by.isoformat() == published["milestones"][1]["computed"]
    assert directive.not_in_kev_without_metadata == published["defaults"]["non_kev_without_vulnrichment"]


@pytest.mark.parametrize("key", [key for key in ROWS if key[1] == "Y"])
def test_unknown_exposure_counts_as_exposed_and_says_so(key):
    unknown = rule(key[0] + "?" + key[2:])

    assert unknown.outcome == ROWS[key]
    assert any("counts as reachable" in reason for reason in unknown.reasons)


@pytest.mark.parametrize("key", ["Y" + exposed + rest for exposed in "NY?" for rest in ("??", "Y?", "N?", "?P", "?T")])
def test_a_kev_flaw_that_lacks_metadata_is_undetermined_never_guessed(key):
    decision = rule(key)

    assert decision.outcome is Outcome.UNDETERMINED
    assert (
        decision.due is None
        and decision.due_at is None
        and decision.days is None
        and not decision.is_overdue(datetime.max.replace(tzinfo=UTC))
    )
    assert decision.possible and decision.plan_by is not None
    assert any("not for anyone to guess" in reason for reason in decision.reasons)


@pytest.mark.parametrize("key", ["NN??", "NY??", "N???", "NNY?", "NN?T", "NN?P", "NYN?", "NY?P", "NNN?"])
def test_a_flaw_outside_kev_that_lacks_metadata_gets_sixty_days(key):
    assert rule(key).outcome is Outcome.SIXTY_DAYS


@pytest.mark.parametrize("key", ["NYY?", "NY?T"])
def test_the_default_is_never_later_than_what_is_known_allows(key):
    decision = rule(key)

    assert decision.outcome is Outcome.FOURTEEN_DAYS
    assert any("leaves at most 14 days" in reason for reason in decision.reasons)


@pytest.mark.parametrize("key", ["?YYT", "?NNP", "??Y?"])
def test_without_a_kev_feed_it_is_undetermined(key):
    assert rule(key).outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize("kev", ["N", "?"])
@pytest.mark.parametrize("rest", ["NNP", "NYT", "YNP", "YYT"])
def test_an_attacked_flaw_outside_kev_is_handled_as_if_it_were_in_it(kev, rest):
    assert rule(kev + rest, exploitation=Exploitation.ACTIVE).outcome == ROWS["Y" + rest]


@pytest.mark.parametrize("system_class", ["nss", "dow", "ic", "slt", "ci_operator", "oss", ""])
def test_it_binds_federal_civilian_systems_only(system_class):
    decision = rule("YYYT", system_class=system_class)

    assert (decision.outcome, decision.is_binding, decision.due, decision.possible) == (Outcome.NOT_APPLICABLE, False, None, ())
    assert system_class in decision.reasons[0]


def test_it_does_not_apply_before_it_was_issued():
    assert rule("YYYT", on=date(2026, 6, 9)).outcome is Outcome.NOT_APPLICABLE
    assert rule("YYYT", on=date(2026, 6, 10)).outcome is Outcome.THREE_DAYS_FORENSIC


def test_the_clock_starts_at_the_earlier_of_kev_and_identification():
    listed_first = rule("YYYT", identified_at=datetime(2026, 11, 12, 12, tzinfo=UTC))
    found_first = rule("YYYT", identified_at=datetime(2026, 11, 8, 12, tzinfo=UTC))

    assert (listed_first.clock_start, listed_first.due) == (ADDED, date(2026, 11, 13))
    assert (found_first.clock_start, found_first.due) == (date(2026, 11, 8), date(2026, 11, 11))


def test_dates_are_the_operators_own_and_the_due_day_lasts_until_their_midnight():
    late_evening = datetime(2026, 11, 9, 3, tzinfo=UTC)

    chicago, utc = (rule("NYYT", identified_at=late_evening, zone=zone) for zone in (CHICAGO, UTC))

    assert (chicago.clock_start, utc.clock_start) == (date(2026, 11, 8), date(2026, 11, 9))
    assert chicago.due == date(2026, 11, 11) and chicago.due_at == datetime(2026, 11, 12, 6, tzinfo=UTC)
    assert not chicago.is_overdue(datetime(2026, 11, 12, 5, 59, tzinfo=UTC)) and chicago.is_overdue(datetime(2026, 11, 12, 6, tzinfo=UTC))


def test_an_undetermined_decision_says_what_to_plan_for():
    assert rule("YY??").plan_by == date(2026, 11, 13)
    assert rule("YNN?").plan_by == date(2026, 11, 24) and rule("YNN?").possible == (Outcome.FOURTEEN_DAYS,)
    assert rule("?NNP").plan_by is None


def test_without_any_date_there_is_no_due_date_and_the_reason_says_so():
    decision = rule("NYYT")

    assert (decision.outcome, decision.days, decision.due) == (Outcome.THREE_DAYS, 3, None)
    assert any("no due date yet" in reason for reason in decision.reasons)


def test_fix_on_upgrade_has_no_date():
    decision = rule("NNNP", identified_at=datetime(2026, 11, 9, tzinfo=UTC))

    assert decision.due is None and any("next scheduled major upgrade" in reason for reason in decision.reasons)


def test_kevs_own_due_date_is_told_and_never_recomputed():
    decision = rule("YYYT", kev_due=date(2020, 1, 1))

    assert decision.kev_due == date(2020, 1, 1) and decision.due == date(2026, 11, 13)
    assert "KEV itself states 1 January 2020." in decision.reasons


def test_a_forensic_triage_has_three_steps_by_the_hour():
    started = datetime(2026, 11, 10, 12, tzinfo=UTC)

    steps = DIRECTIVES[TABLES[-1].version].triage_deadlines(started)

    assert [(name, (due - started) / timedelta(hours=1)) for name, due in steps] == [
        ("scoping", 2),
        ("volatile_collection", 24),
        ("analysis_and_escalation", 72),
    ]


@given(st.tuples(*(st.sampled_from("NY?"),) * 3, st.sampled_from("PT?")).map("".join))
def test_less_knowledge_never_gives_more_time_than_the_facts_could(key):
    known = rule(key)
    completions = [
        rule("".join(full), identified_at=None).outcome
        for full in product(*("NY" if c == "?" else c for c in key[:3]), "PT" if key[3] == "?" else key[3])
    ]
    order = ["FSU", "60D", "14D", "3D", "3DF"]

    if known.outcome is Outcome.UNDETERMINED:
        assert max(map(order.index, known.possible)) == max(map(order.index, completions))
    else:
        assert order.index(known.outcome) >= min(map(order.index, completions))
