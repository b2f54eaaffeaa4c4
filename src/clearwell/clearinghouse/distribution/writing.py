# SPDX-License-Identifier: Apache-2.0
"""Writing an advisory from what was shown: which versions fire, which fix was verified, who is credited. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from clearwell.clearinghouse.case.decision_point import UNKNOWN
from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.inventory.versions import key
from clearwell.vocabulary.advisory import Advisory, Remediation
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.vulnerability import Affected, VersionRange, Vulnerability


def full_advisory(kept: KeptCase, public_id: str, fix: Fix, credited: Sequence[str], now: datetime) -> Advisory:
    """An advisory for a case with a verified fix.

    The affected range starts at the first version ever: the field's convention when nobody looked further back. The details say
    on which versions the flaw was reproduced, so that a reader can tell what was seen from what is assumed (never 7).
    """
    case = kept.case
    weakness = ", ".join(case.weaknesses) or "a weakness"
    seen = ", ".join(_ordered(case.component, kept.fires)) or "the reported version"
    remedy, end = _remedy(kept, fix)
    preconditions = ""
    details = (
        f"{weakness} in {case.component}, reproduced by this clearinghouse on {seen}. "
        f"Versions before that were not tried and are taken as affected. {remedy.details}{preconditions}"
    )
    flaw = Vulnerability(
        id=public_id,
        aliases=kept.aliases,
        summary=f"{weakness} in {case.component}",
        details=details,
        weaknesses=case.weaknesses,
        affected=(Affected(component=case.component, ranges=(VersionRange(introduced="0", fixed=end),), versions=tuple(kept.fires)),),
    )
    return Advisory(
        id=public_id,
        revision=1,
        title=flaw.summary,
        vulnerability=flaw,
        marking=Marking.CLEAR,
        initial_release=now,
        current_release=now,
        remediations=(remedy,),
        credits=tuple(credited),
        decision_points=points_of(kept),
    )


def points_of(kept: KeptCase) -> tuple[tuple[str, str], ...]:
    """SSVC's decision points of a case as far as they are known, as an advisory tells them: name and value."""
    points = (("automatable", kept.automatable.value), ("technical_impact", kept.technical_impact.value))
    return tuple((name, value) for name, value in points if value != UNKNOWN)


def _remedy(kept: KeptCase, fix: Fix) -> tuple[Remediation, str | None]:
    if fix.version is not None:
        text = f"Update to {fix.version} or later: the proof that fires on the flawed version does not fire there, and its features work."
        return Remediation("vendor_fix", text), fix.version
    return Remediation("vendor_fix", "A patch by the maintainer was verified; no released version has it yet."), None


def _ordered(component: str, versions: Iterable[str]) -> list[str]:
    kind = component.removeprefix("pkg:").partition("/")[0]
    return sorted(versions, key=lambda version: (key(kind, version) or b"", version))
