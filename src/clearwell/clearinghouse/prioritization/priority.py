# SPDX-License-Identifier: Apache-2.0
"""Priority: one sortable number for an indexed column, greater is sooner, with the reasons for it in plain sentences."""

from datetime import date, datetime, tzinfo

import msgspec

from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.prioritization import bod_26_04, ssvc
from clearwell.clearinghouse.prioritization.bod_26_04 import Decision, Outcome
from clearwell.clearinghouse.prioritization.facts import Answer, AssetFacts, FlawFacts, TechnicalImpact, exploitation_seen
from clearwell.clearinghouse.prioritization.ssvc import DeployerDecision, Urgency

BANDS: dict[Outcome | Urgency, int] = {
    Outcome.THREE_DAYS_FORENSIC: 4,
    Outcome.THREE_DAYS: 4,
    Urgency.IMMEDIATE: 4,
    Outcome.FOURTEEN_DAYS: 3,
    Urgency.OUT_OF_CYCLE: 3,
    Outcome.SIXTY_DAYS: 2,
    Urgency.SCHEDULED: 2,
    Outcome.ON_UPGRADE: 1,
    Urgency.DEFER: 1,
}
"""One ladder for both methods: 4 now, 3 ahead of maintenance, 2 in maintenance, 1 when it is touched anyway."""

_THREE = {"no": 0, "partial": 0, "unknown": 1, "yes": 2, "total": 2}


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """`value` has nine decimal digits (docs/reference/priority.md), fits a 32-bit integer, and compares as it should be worked on.

    `directive` is None for a case without an asset. It depends on facts and never on the hour, so a stored one stays right.
    """

    value: int
    reasons: tuple[str, ...]
    deployer: DeployerDecision
    directive: Decision | None = None

    @property
    def band(self) -> int:
        """4 now, 3 ahead of maintenance, 2 in maintenance, 1 when it is touched anyway."""
        return self.value // 10**8


def prioritize_asset(
    flaw: FlawFacts, asset: AssetFacts, zone: tzinfo, on: date, identified_at: datetime | None = None, proven: bool = False
) -> Priority:
    """Rank one flaw on one asset by the directive where it binds and by SSVC everywhere, whichever asks for more.

    Arguments as in `bod_26_04.decide`; `proven`: the hub reproduced the flaw.
    """
    directive = bod_26_04.decide(flaw, asset, zone, on, identified_at)
    deployer = ssvc.decide(flaw, asset)
    rest = (*deployer.reasons, *_circumstances(asset, proven))
    reasons = (*directive.reasons, *rest) if directive.is_binding else (*_flaw(flaw), *rest)
    return Priority(value=_value(flaw, asset, directive, deployer, proven), reasons=reasons, deployer=deployer, directive=directive)


def prioritize_case(flaw: FlawFacts, proven: bool = False) -> Priority:
    """Rank a case, for coordinators' and maintainers' queues: SSVC for an asset of which nothing is known."""
    asset = AssetFacts(system_class="")
    deployer = ssvc.decide(flaw, asset)
    general = "This ranks the case; each operator's assets are ranked on their own."
    reasons = (*_flaw(flaw), *deployer.reasons, general, *_circumstances(asset, proven))
    return Priority(value=_value(flaw, asset, None, deployer, proven), reasons=reasons, deployer=deployer)


def rank_case(kept: KeptCase) -> KeptCase:
    """Return the case with the priority that what is recorded of it gives. One that was never proven stays unranked, as it was."""
    if kept.case.proven_at is None:
        return kept
    flaw = FlawFacts(
        exploitation=exploitation_seen(kept.case.state, Answer.UNKNOWN),
        automatable=Answer(kept.automatable.value),
        technical_impact=TechnicalImpact(kept.technical_impact.value),
    )
    priority = prioritize_case(flaw, proven=True)
    return msgspec.structs.replace(kept, priority=priority.value, priority_reasons=priority.reasons)


def _value(flaw: FlawFacts, asset: AssetFacts, directive: Decision | None, deployer: DeployerDecision, proven: bool) -> int:
    asked = () if directive is None else directive.possible
    most = max(BANDS[deployer.urgency], *(BANDS[outcome] for outcome in asked), 0)
    least = max(BANDS[deployer.at_least], min((BANDS[outcome] for outcome in asked), default=0))
    digits = (
        most,
        _exploited(flaw),
        int(directive is not None and Outcome.THREE_DAYS_FORENSIC in asked),
        int(directive is not None and directive.is_binding),
        int(asset.critical_national_function),
        least,
        _THREE[flaw.automatable],
        _THREE[flaw.technical_impact],
        int(proven),
    )
    return int("".join(str(digit) for digit in digits))


def _exploited(flaw: FlawFacts) -> int:
    """2 attacked, 1 a public proof of concept or not known, 0 neither."""
    possible = set(flaw.possible_exploitation)
    return 2 if possible == {"active"} else 0 if possible == {"none"} else 1


def _flaw(flaw: FlawFacts) -> tuple[str, ...]:
    """What is bad about the flaw itself, where no directive's reasons say it."""
    return _true(
        {
            "It is attacked already.": _exploited(flaw) == 2,
            "Attackers can automate it.": flaw.automatable is Answer.YES,
            "It gives total control.": flaw.technical_impact is TechnicalImpact.TOTAL,
        }
    )


def _circumstances(asset: AssetFacts, proven: bool) -> tuple[str, ...]:
    return _true(
        {
            "The asset supports a critical national function.": asset.critical_national_function,
            "The clearinghouse reproduced it.": proven,
        }
    )


def _true(sentences: dict[str, bool]) -> tuple[str, ...]:
    return tuple(sentence for sentence, holds in sentences.items() if holds)
