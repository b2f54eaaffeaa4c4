# SPDX-License-Identifier: Apache-2.0
"""One number that sorts as the work should be done."""

import doctest
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.prioritization.bod_26_04 import Outcome
from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, Exploitation, FlawFacts, Mission, Safety, TechnicalImpact
from clearwell.clearinghouse.prioritization.priority import BANDS, prioritize_asset, prioritize_case
from clearwell.clearinghouse.prioritization.ssvc import Urgency

ON = date(2026, 11, 20)
FLAWS = st.builds(
    FlawFacts,
    kev=st.sampled_from(Answer),
    kev_added=st.none() | st.just(ON),
    exploitation=st.sampled_from(Exploitation),
    automatable=st.sampled_from(Answer),
    technical_impact=st.sampled_from(TechnicalImpact),
)
ASSETS = st.builds(
    AssetFacts,
    system_class=st.sampled_from(["fceb", "slt", "ci_operator", "nss", ""]),
    exposed=st.sampled_from(Answer),
    safety=st.none() | st.sampled_from(Safety),
    mission=st.none() | st.sampled_from(Mission),
    critical_national_function=st.booleans(),
)


def rank(flaw, system_class="slt", proven=False, **asset):
    facts = {"exposed": Answer.YES, "safety": Safety.NEGLIGIBLE, "mission": Mission.DEGRADED, **asset}
    return prioritize_asset(flaw, AssetFacts(system_class=system_class, **facts), UTC, ON, datetime(2026, 11, 1, tzinfo=UTC), proven)


QUIET = FlawFacts(kev=Answer.NO, exploitation=Exploitation.NONE, automatable=Answer.NO, technical_impact=TechnicalImpact.PARTIAL)
WORST = FlawFacts(kev=Answer.YES, kev_added=ON, automatable=Answer.YES, technical_impact=TechnicalImpact.TOTAL)


@given(FLAWS, ASSETS, st.booleans())
def test_any_facts_give_a_number_of_nine_digits_with_reasons(flaw, asset, proven):
    priority = prioritize_asset(flaw, asset, UTC, ON, None, proven)

    assert 10**8 <= priority.value < 2**31 and priority.band in {1, 2, 3, 4}
    assert priority.reasons and all(reason.endswith(".") for reason in priority.reasons)
    assert prioritize_asset(flaw, asset, UTC, ON, None, True).value >= priority.value


@given(FLAWS, ASSETS)
def test_the_band_is_never_below_what_either_method_asks(flaw, asset):
    priority = prioritize_asset(flaw, asset, UTC, ON)

    asked = [BANDS[priority.deployer.urgency], *(BANDS[outcome] for outcome in priority.directive.possible)]
    assert priority.band == max(asked)


def test_attacked_and_exposed_comes_before_a_proof_of_concept_before_nothing():
    poc = FlawFacts(kev=Answer.NO, exploitation=Exploitation.POC, automatable=Answer.NO, technical_impact=TechnicalImpact.PARTIAL)

    assert rank(WORST).value > rank(poc).value > rank(QUIET).value


def test_a_binding_directive_raises_what_ssvc_would_leave_and_says_why():
    civilian, agency = rank(WORST), rank(WORST, "fceb")

    assert (civilian.band, civilian.directive.outcome) == (3, Outcome.NOT_APPLICABLE)
    assert (agency.band, agency.directive.outcome) == (4, Outcome.THREE_DAYS_FORENSIC)
    assert any("forensic triage" in reason for reason in agency.reasons)
    assert not any("BOD" in reason for reason in civilian.reasons)


def test_an_undetermined_decision_ranks_as_the_soonest_it_could_be():
    unclear = FlawFacts(kev=Answer.YES, kev_added=ON)

    assert rank(unclear, "fceb").directive.outcome is Outcome.UNDETERMINED
    assert rank(unclear, "fceb").band == 4


def test_among_equals_the_certain_the_critical_and_the_proven_come_first():
    unsure = rank(WORST, safety=None, mission=Mission.MEF_FAILURE)

    assert rank(WORST, safety=Safety.CATASTROPHIC).value > unsure.value
    assert rank(QUIET, critical_national_function=True).value > rank(QUIET).value
    assert rank(QUIET, proven=True).value == rank(QUIET).value + 1


def test_no_operator_is_too_small_or_in_the_wrong_sector_to_be_ranked_alike():
    assert rank(WORST, "slt").value == rank(WORST, "ci_operator").value == rank(WORST, "oss").value


def test_a_case_is_ranked_without_any_asset():
    attacked, quiet = prioritize_case(WORST, proven=True), prioritize_case(QUIET)

    assert attacked.value > quiet.value and attacked.directive is None
    assert any("ranks the case" in reason for reason in attacked.reasons)
    assert attacked.deployer.urgency is Urgency.IMMEDIATE


def test_the_example_in_the_reference_is_true():
    page = Path(__file__).parents[3] / "docs" / "reference" / "priority.md"

    results = doctest.testfile(str(page), module_relative=False)

    assert results.attempted >= 5 and results.failed == 0
