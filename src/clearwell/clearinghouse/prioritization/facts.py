# SPDX-License-Identifier: Apache-2.0
"""What is known of a flaw and of an asset, in the decision points' own words; UNKNOWN is a legal answer to each."""

from datetime import date
from enum import StrEnum

import msgspec

from clearwell.clearinghouse.case.state import CaseEvent, CaseState
from clearwell.vocabulary.errors import Invalid


class Answer(StrEnum):
    """Yes, no, or not known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @property
    def possible(self) -> tuple[str, ...]:
        """The values this leaves open in a table."""
        return ("no", "yes") if self is Answer.UNKNOWN else (self.value,)


def answer(value: bool | str | None) -> Answer:
    """Read `true`, `false` or `"unknown"` as an operator's file has it (None: not said); raise Invalid for other words."""
    if value is None:
        return Answer.UNKNOWN
    if isinstance(value, bool):
        return Answer.YES if value else Answer.NO
    if value in set(Answer):
        return Answer(value)
    raise Invalid('this is a question with three answers: true, false or "unknown"')


class Exploitation(StrEnum):
    """SSVC's exploitation (ssvc:E:1.1.0): no evidence, a public proof of concept, or active attacks."""

    NONE = "none"
    POC = "poc"
    ACTIVE = "active"
    UNKNOWN = "unknown"


class TechnicalImpact(StrEnum):
    """SSVC's technical impact (ssvc:TI:1.0.0): partial or total control."""

    PARTIAL = "partial"
    TOTAL = "total"
    UNKNOWN = "unknown"

    @property
    def possible(self) -> tuple[str, ...]:
        """The values this leaves open in a table."""
        return ("partial", "total") if self is TechnicalImpact.UNKNOWN else (self.value,)


class Exposure(StrEnum):
    """SSVC's system exposure (ssvc:EXP:1.0.1)."""

    SMALL = "small"
    CONTROLLED = "controlled"
    OPEN = "open"


class Safety(StrEnum):
    """SSVC's safety impact (ssvc:SI:2.0.1)."""

    NEGLIGIBLE = "negligible"
    MARGINAL = "marginal"
    CRITICAL = "critical"
    CATASTROPHIC = "catastrophic"


class Mission(StrEnum):
    """SSVC's mission impact (ssvc:MI:2.0.0); MEF: mission essential function."""

    DEGRADED = "degraded"
    SUPPORT_CRIPPLED = "mef_support_crippled"
    MEF_FAILURE = "mef_failure"
    MISSION_FAILURE = "mission_failure"


class FlawFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a flaw, wherever it runs.

    `kev` is UNKNOWN without a feed. `kev_added` and `kev_due` are the catalog's own dates: assigned facts, stored, never recomputed.
    """

    kev: Answer = Answer.UNKNOWN
    kev_added: date | None = None
    kev_due: date | None = None
    exploitation: Exploitation = Exploitation.UNKNOWN
    automatable: Answer = Answer.UNKNOWN
    technical_impact: TechnicalImpact = TechnicalImpact.UNKNOWN

    @property
    def possible_exploitation(self) -> tuple[str, ...]:
        """SSVC's exploitation values that are left. KEV means active; not in KEV says nothing about a public proof of concept."""
        if self.kev is Answer.YES or self.exploitation is Exploitation.ACTIVE:
            return ("active",)
        return ("none", "poc", "active") if self.exploitation is Exploitation.UNKNOWN else (self.exploitation.value,)


class AssetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of one asset. `system_class` is fceb, nss, dow, slt, ci_operator, oss...; `exposed`: to a public network.

    `exposure`, `safety` and `mission` are SSVC's finer answers, None where the operator gave none.
    """

    system_class: str
    exposed: Answer = Answer.UNKNOWN
    exposure: Exposure | None = None
    safety: Safety | None = None
    mission: Mission | None = None
    critical_national_function: bool = False


def exploitation_seen(state: CaseState, kev: Answer) -> Exploitation:
    """SSVC's exploitation as the case state and KEV show it. SSVC's `none` is "no evidence of attacks and no public proof of concept".

    Without a KEV feed the absence of evidence was not looked for: UNKNOWN, unless the case itself saw attacks.
    """
    if kev is Answer.YES or state.has(CaseEvent.ATTACKS_OBSERVED):
        return Exploitation.ACTIVE
    if kev is Answer.UNKNOWN:
        return Exploitation.UNKNOWN
    return Exploitation.POC if state.has(CaseEvent.EXPLOIT_PUBLIC) else Exploitation.NONE
