# SPDX-License-Identifier: Apache-2.0
"""The decision: which case a finding belongs to, from exact signatures only. Pure; a wrong merge hides a bug, so doubt opens a case.

Rules (the issue's and the house's words):
- the same proof, sent again for the same component, belongs where the first went;
- a finding that brings another proof always opens its own case: its words may lie, its run will tell;
- a finding without proof joins an unproven or proven case of the same signature, when their versions can be the same;
- a refused case absorbs nothing; a fixed or published one only what names a version on which it was seen to fire;
- two findings of one submission never join by location;
- what a person found to be different is never joined, nor is anything joined with one of two such cases where it could be either;
- a signature of a fixed case on a version that no proof was seen to fire on: a regression candidate, a case of its own, linked.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe.difference import Apart
from clearwell.clearinghouse.dedupe.signature import PLACES, Signature
from clearwell.clearinghouse.dedupe.spelling import version_of
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId

_NOTHING_APART = Apart()


class Known(msgspec.Struct, frozen=True):
    """A signature that is stored: whose it is and where its finding is now. `version` is the normalized version it was stated for."""

    key: bytes
    finding: FindingId
    submission: SubmissionId
    case: CaseId
    version: str | None
    proven: bool


class Joined(msgspec.Struct, frozen=True):
    """A finding belongs to a known case: by which rung, on what evidence."""

    case: CaseId
    rung: str
    evidence: tuple[tuple[str, str], ...]


def decide(
    signatures: Sequence[Signature],
    submission: SubmissionId,
    version: str | None,
    has_proof: bool,
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    component: str | None = None,
    apart: Apart = _NOTHING_APART,
) -> Joined | None:
    """Return the case that a finding joins, or None when it opens its own. Rungs are tried in order: L0, then L1.

    `component` is the finding's own; a proof sent before under another component's name belongs there, and says nothing here.
    """
    for signature in sorted(usable(signatures), key=lambda s: s.rung):
        candidates: dict[CaseId, bool] = {}  # whether it may be joined; one that may not still makes it doubtful
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if component is not None and case is not None and signature.kind == "proof" and case.case.component != component:
                continue
            if case is not None and _is_near(signature, submission, version, has_proof, other, case):
                candidates[other.case] = candidates.get(other.case, False) or _is_of_one_version(signature, other)
        joinable = [case_id for case_id, may_join in candidates.items() if may_join]
        if joinable and (len(candidates) == 1 or (signature.rung == "L0" and not apart.divides(candidates))):
            return Joined(joinable[0], signature.rung, (signature.evidence,))
    return None


def regression_of(
    signatures: Sequence[Signature], version: str | None, known: Mapping[bytes, Sequence[Known]], cases: Mapping[CaseId, KeptCase]
) -> tuple[CaseId, tuple[str, str]] | None:
    """The fixed case whose signature a finding bears that joined nothing, and the evidence: its flaw may have come back.

    Not on a version on which a proof of that case was seen to fire: there it is the flaw as it was before the fix.
    """
    for signature in sorted(usable(signatures), key=lambda s: s.rung):
        if signature.kind == "proof":
            continue
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if case is None or case.merged_into is not None or case.case.fixed_at is None or case.case.standing is Standing.REFUSED:
                continue
            if version is None or version not in fires_on(case):
                return case.id, signature.evidence
    return None


def usable(signatures: Sequence[Signature]) -> tuple[Signature, ...]:
    """The signatures that can decide as findings arrive: all but `file`, which asks whether a tool has exactly one finding there."""
    return tuple(signature for signature in signatures if signature.kind != "file")


def absorbed(
    proven: KeptCase,
    signatures: Sequence[Signature],
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    apart: Apart = _NOTHING_APART,
) -> tuple[tuple[CaseId, Joined], ...]:
    """Which unproven cases a case that was just proven takes in: same signature, a version on which the proof fired or none."""
    taken: dict[CaseId, Joined] = {}
    for signature in sorted(signatures, key=lambda s: s.rung):
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if case is None or case.id == proven.id or case.merged_into is not None or case.case.standing is not Standing.UNPROVEN:
                continue
            if apart.keeps(case.id, proven.id):
                continue
            if other.version is None or other.version in fires_on(proven):
                taken.setdefault(case.id, Joined(proven.id, signature.rung, (signature.evidence,)))
    return tuple(taken.items())


def same_proven(
    proven: KeptCase,
    signatures: Iterable[Signature],
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    apart: Apart = _NOTHING_APART,
) -> Joined | None:
    """The older proven case that a case just proven is the same as: equal *proven* signatures and versions that do not contradict.

    They contradict when one fires on a version on which the other was seen not to fire (the ladder).
    """
    for signature in signatures:
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if case is None or case.id == proven.id or case.merged_into is not None or not other.proven or not case.case.is_proven:
                continue
            if apart.keeps(case.id, proven.id):
                continue
            if not (set(case.fires) & set(proven.clean) or set(case.clean) & set(proven.fires)):
                return Joined(case.id, signature.rung, (signature.evidence,))
    return None


def fires_on(case: KeptCase) -> frozenset[str | None]:
    """The versions on which a proof of the case was seen to fire, in the one spelling by which signatures compare them."""
    return frozenset(version_of(case.case.component, version) for version in case.fires)


def _is_of_one_version(signature: Signature, other: Known) -> bool:
    """True when the rule asks for no version, or both are stated for one, or one is unknown; a stack asks less than a place."""
    if signature.any_version or signature.kind not in PLACES:
        return True
    return signature.at is None or other.version is None or signature.at == other.version


def _is_near(signature: Signature, submission: SubmissionId, version: str | None, has_proof: bool, other: Known, case: KeptCase) -> bool:
    if signature.kind == "proof":
        return True
    if has_proof or case.merged_into is not None:
        return False
    if other.submission == submission and signature.kind in PLACES:
        return False
    standing = case.case.standing
    if standing is Standing.REFUSED:
        return False
    if standing in {Standing.FIXED, Standing.PUBLISHED}:
        return version is not None and version in fires_on(case)
    if standing is Standing.PROVEN and case.fires:
        return version is None or version in fires_on(case)
    return signature.any_version or signature.at is None or other.version is None or signature.at == other.version
