# SPDX-License-Identifier: Apache-2.0
"""Advisories: what is published about a flaw, independent of the document it is written as (CSAF 2.0, OSV)."""

from datetime import datetime

import msgspec

from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.vulnerability import Vulnerability


class Remediation(msgspec.Struct, frozen=True):
    """CSAF's remediation. `category` is one of CSAF 2.0's (3.2.3.12.1): vendor_fix, mitigation, workaround, none_available..."""

    category: str
    details: str


class Advisory(msgspec.Struct, frozen=True):
    """A published advisory: `id` is its tracking id, `revision` counts from 1, times are UTC.

    `decision_points` are SSVC's answers about the flaw, as far as they are known: ("automatable", "yes"), ("technical_impact", "total").
    `revised` are the dates of the revisions after the first, as far as they were kept.
    `is_minimal` marks one that an embargo's expiry published without anyone acting: it names the component and weakness only.
    """

    id: str
    revision: int
    title: str
    vulnerability: Vulnerability
    marking: Marking
    initial_release: datetime
    current_release: datetime
    remediations: tuple[Remediation, ...] = ()
    credits: tuple[str, ...] = ()
    is_minimal: bool = False
    decision_points: tuple[tuple[str, str], ...] = ()
    revised: tuple[datetime, ...] = ()
