# SPDX-License-Identifier: Apache-2.0
"""Decision points of a case that nobody can measure: what SSVC asks of a flaw, who answered it and when."""

from datetime import datetime
from enum import StrEnum

import msgspec

UNKNOWN = "unknown"


class PointSource(StrEnum):
    """Where an answer comes from: CISA's Vulnrichment, or a coordinator's own judgment."""

    VULNRICHMENT = "vulnrichment"
    JUDGMENT = "judgment"


class DecisionPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One recorded answer in SSVC's own words ("unknown" is one). Without a source nobody recorded any."""

    value: str = UNKNOWN
    source: PointSource | None = None
    recorded_at: datetime | None = None
    recorded_by: str = ""
