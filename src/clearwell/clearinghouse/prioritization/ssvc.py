# SPDX-License-Identifier: Apache-2.0
"""SSVC's deployer decision: with what priority an operator applies a fix, or the set of answers that what is known leaves.

Source: CERT/CC, Stakeholder-Specific Vulnerability Categorization; tables ssvc:DT_DP:1.0.0 and ssvc:DT_HI:1.0.0 (tables/).
"""

from enum import StrEnum

import msgspec

from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, Exposure, FlawFacts, Mission, Safety
from clearwell.clearinghouse.prioritization.table import either, packaged

DEPLOYER = packaged("ssvc_deployer")
HUMAN_IMPACT = packaged("ssvc_human_impact")


class Urgency(StrEnum):
    """SSVC's outcomes for a deployer (ssvc:DSOI:1.0.0)."""

    DEFER = "defer"
    SCHEDULED = "scheduled"
    OUT_OF_CYCLE = "out_of_cycle"
    IMMEDIATE = "immediate"


_MEANING = {
    Urgency.DEFER: "do nothing for now",
    Urgency.SCHEDULED: "fix it in regular maintenance",
    Urgency.OUT_OF_CYCLE: "fix it at the next opportunity, sooner than regular maintenance",
    Urgency.IMMEDIATE: "fix it now and pause regular work if need be",
}
_QUESTIONS = {
    "exploitation": "whether it is attacked",
    "exposure": "how exposed the system is",
    "automatable": "whether attackers can automate it",
    "human_impact": "what it does to safety and mission",
}


class DeployerDecision(msgspec.Struct, frozen=True, kw_only=True):
    """SSVC's answer. `possible` is most urgent first; `urgency` is the first of them, `unknown` names the open decision points."""

    possible: tuple[Urgency, ...]
    unknown: tuple[str, ...]
    reasons: tuple[str, ...]
    table: str

    @property
    def urgency(self) -> Urgency:
        """The most urgent answer left: what to plan for (an operator of any size is attacked by the capable)."""
        return self.possible[0]

    @property
    def at_least(self) -> Urgency:
        """The least urgent answer left."""
        return self.possible[-1]

    @property
    def is_certain(self) -> bool:
        """True when only one answer is left, whatever is still unknown."""
        return len(self.possible) == 1


def possible_exposure(asset: AssetFacts, automatable: Answer) -> tuple[str, ...]:
    """The values of system exposure that are left. Not reachable from a public network rules out `open` and no more.

    SSVC's heuristic for the rest: where attackers can automate it, it is `controlled` rather than `small`.
    """
    if asset.exposure is not None:
        return (asset.exposure.value,)
    if asset.exposed is Answer.YES:
        return (Exposure.OPEN.value,)
    if asset.exposed is Answer.UNKNOWN:
        return tuple(exposure.value for exposure in Exposure)
    return (Exposure.CONTROLLED.value,) if automatable is Answer.YES else (Exposure.SMALL.value, Exposure.CONTROLLED.value)


def possible_human_impact(safety: Safety | None, mission: Mission | None) -> tuple[str, ...]:
    """The values of human impact that are left, highest first; None stands for not known."""
    return HUMAN_IMPACT.possible(
        tuple(Safety) if safety is None else (safety,),
        tuple(Mission) if mission is None else (mission,),
    )


def decide(flaw: FlawFacts, asset: AssetFacts) -> DeployerDecision:
    """Decide for one flaw on one asset, from every combination that is still possible."""
    values = {
        "exploitation": flaw.possible_exploitation,
        "exposure": possible_exposure(asset, flaw.automatable),
        "automatable": flaw.automatable.possible,
        "human_impact": possible_human_impact(asset.safety, asset.mission),
    }
    possible = tuple(Urgency(outcome) for outcome in DEPLOYER.possible(*values.values()))
    unknown = tuple(name for name, left in values.items() if len(left) > 1)
    return DeployerDecision(possible=possible, unknown=unknown, reasons=_reasons(possible, unknown), table=DEPLOYER.version)


def _reasons(possible: tuple[Urgency, ...], unknown: tuple[str, ...]) -> tuple[str, ...]:
    questions = ", nor ".join(_QUESTIONS[name] for name in unknown)
    if len(possible) == 1:
        settled = (f"It is not known {questions}, which changes nothing here.",) if unknown else ()
        return (f"SSVC: {_MEANING[possible[0]]}.", *settled)
    others = either([_MEANING[urgency] for urgency in possible[1:]])
    return (
        f"SSVC: {_MEANING[possible[0]]}, to be on the safe side.",
        f"It is not known {questions}.",
        f"With that known it could also be: {others}.",
    )
