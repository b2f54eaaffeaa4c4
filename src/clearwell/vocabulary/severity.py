# SPDX-License-Identifier: Apache-2.0
"""Severity as a source stated it; Clearwell never invents a score."""

import math
import re

import msgspec


class Severity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stated severity. `level` is SARIF's or the source's own word; `cvss` a vector; `score` 0 to 10."""

    level: str | None = None
    cvss: str | None = None
    score: float | None = None


_METRICS = re.compile(
    r"CVSS:3\.[01]/AV:([NALP])/AC:([LH])/PR:([NLH])/UI:([NR])/S:([UC])/C:([HLN])/I:([HLN])/A:([HLN])(?:/[A-Z]{1,3}:[A-Z])*", re.ASCII
)
_IMPACT = {"H": 0.56, "L": 0.22, "N": 0.0}


def cvss3_base_score(vector: str) -> float | None:
    """Compute the base score of a CVSS 3.0 or 3.1 vector in the specification's order of metrics; None for any other text.

    The equations of section 7.1 of both specifications, with 3.1's Roundup (appendix A), which gives 3.0's scores too.
    """
    match = _METRICS.fullmatch(vector)
    if match is None:
        return None
    attack, complexity, privileges, interaction, scope, *impacts = match.groups()
    changed = scope == "C"
    isc = 1 - math.prod(1 - _IMPACT[letter] for letter in impacts)
    impact = 7.52 * (isc - 0.029) - 3.25 * (isc - 0.02) ** 15 if changed else 6.42 * isc
    if impact <= 0:
        return 0.0
    required = {"N": 0.85, "L": 0.68 if changed else 0.62, "H": 0.5 if changed else 0.27}[privileges]
    reach = {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2}[attack] * {"L": 0.77, "H": 0.44}[complexity]
    exploitability = 8.22 * reach * required * {"N": 0.85, "R": 0.62}[interaction]
    return _roundup(min((1.08 if changed else 1.0) * (impact + exploitability), 10))


def _roundup(score: float) -> float:
    """The smallest number with one decimal that is not below `score`, free of floating point's dust (CVSS 3.1, appendix A)."""
    hundred_thousandths = round(score * 100_000)
    if hundred_thousandths % 10_000 == 0:
        return hundred_thousandths / 100_000
    return (hundred_thousandths // 10_000 + 1) / 10


def cvss3_rating(score: float) -> str:
    """The qualitative rating of a score (CVSS 3.1, section 5): NONE, LOW, MEDIUM, HIGH or CRITICAL."""
    bounds = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"))
    return next((rating for bound, rating in bounds if score >= bound), "NONE")
