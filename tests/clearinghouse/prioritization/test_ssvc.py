# SPDX-License-Identifier: Apache-2.0
"""SSVC's deployer decision: every row, and sets of answers where something is not known."""

from itertools import product

import pytest

from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, Exploitation, Exposure, FlawFacts, Mission, Safety
from clearwell.clearinghouse.prioritization.ssvc import DEPLOYER, HUMAN_IMPACT, Urgency, decide, possible_exposure, possible_human_impact

KEYS = {
    "exploitation": {"N": "none", "P": "poc", "A": "active"},
    "exposure": {"S": "small", "C": "controlled", "O": "open"},
    "automatable": {"N": "no", "Y": "yes"},
    "human": {"L": "low", "M": "medium", "H": "high", "VH": "very_high"},
    "outcome": {"D": "defer", "S": "scheduled", "O": "out_of_cycle", "I": "immediate"},
    "safety": {"N": "negligible", "M": "marginal", "R": "critical", "C": "catastrophic"},
    "mission": {"D": "degraded", "MSC": "mef_support_crippled", "MEF": "mef_failure", "MF": "mission_failure"},
}
HUMAN = {
    "low": (Safety.NEGLIGIBLE, Mission.DEGRADED),
    "medium": (Safety.NEGLIGIBLE, Mission.MEF_FAILURE),
    "high": (Safety.CRITICAL, Mission.MEF_FAILURE),
    "very_high": (Safety.CATASTROPHIC, Mission.DEGRADED),
}


def ruling(exploitation, exposure, automatable, human):
    safety, mission = HUMAN[human]
    flaw = FlawFacts(exploitation=Exploitation(exploitation), automatable=Answer(automatable))
    return decide(flaw, AssetFacts(system_class="slt", exposure=Exposure(exposure), safety=safety, mission=mission))


def test_every_row_of_the_deployer_table_is_the_published_one(shared):
    rows = shared("ssvc/deployer_patch_application_priority_1_0_0.json")["mapping"]

    for row in rows:
        e, x, a, h, o = row.values()
        values = (KEYS["exploitation"][e], KEYS["exposure"][x], KEYS["automatable"][a], KEYS["human"][h])
        decision = ruling(*values)
        assert decision.possible == (Urgency(KEYS["outcome"][o]),) and decision.is_certain and not decision.unknown
    assert len(rows) == len(DEPLOYER.table.rows) == 72


def test_every_row_of_the_human_impact_table_is_the_published_one(shared):
    rows = shared("ssvc/human_impact_1_0_0.json")["mapping"]

    for row in rows:
        s, m, h = row.values()
        assert possible_human_impact(Safety(KEYS["safety"][s]), Mission(KEYS["mission"][m])) == (KEYS["human"][h],)
    assert len(rows) == len(HUMAN_IMPACT.table.rows) == 16


def test_more_of_anything_is_never_less_urgent():
    points, order = DEPLOYER.points, DEPLOYER.outcomes.index
    for values in product(*(point.values for point in points)):
        for i, point in enumerate(points):
            for higher in point.values[point.values.index(values[i]) + 1 :]:
                raised = (*values[:i], higher, *values[i + 1 :])
                assert order(DEPLOYER.rows[raised]) >= order(DEPLOYER.rows[values])


@pytest.mark.parametrize(
    ("exposed", "automatable", "left"),
    [
        (Answer.YES, Answer.NO, ("open",)),
        (Answer.NO, Answer.YES, ("controlled",)),
        (Answer.NO, Answer.UNKNOWN, ("small", "controlled")),
        (Answer.UNKNOWN, Answer.NO, ("small", "controlled", "open")),
    ],
)
def test_exposure_is_the_set_that_the_answer_leaves(exposed, automatable, left):
    assert possible_exposure(AssetFacts(system_class="slt", exposed=exposed), automatable) == left


def test_unknown_answers_give_the_set_of_outcomes_with_the_worst_to_plan_for_and_say_what_would_settle_it():
    flaw = FlawFacts(kev=Answer.YES, automatable=Answer.NO)

    decision = decide(flaw, AssetFacts(system_class="ci_operator", exposed=Answer.YES, safety=Safety.NEGLIGIBLE))

    assert decision.possible == (Urgency.IMMEDIATE, Urgency.OUT_OF_CYCLE, Urgency.SCHEDULED)
    assert (decision.urgency, decision.at_least, decision.is_certain) == (Urgency.IMMEDIATE, Urgency.SCHEDULED, False)
    assert decision.unknown == ("human_impact",)
    assert "safe side" in decision.reasons[0] and "safety and mission" in decision.reasons[1]


def test_what_is_not_known_but_changes_nothing_is_certain_and_says_so():
    flaw = FlawFacts(exploitation=Exploitation.ACTIVE, automatable=Answer.YES)
    asset = AssetFacts(system_class="slt", exposed=Answer.NO, safety=Safety.NEGLIGIBLE, mission=None)

    decision = decide(flaw, asset)

    assert decision.possible == (Urgency.OUT_OF_CYCLE,) and decision.unknown == ("human_impact",)
    assert "changes nothing" in decision.reasons[1]


def test_nothing_known_at_all_leaves_every_answer():
    assert decide(FlawFacts(), AssetFacts(system_class="")).possible == tuple(reversed(Urgency))
