# SPDX-License-Identifier: Apache-2.0
"""The decision: which case a finding belongs to, from exact signatures only. Pure; a wrong merge hides a bug, so doubt opens a case.

Rules (the issue's and the house's words):
- the same proof, sent again for the same component, belongs where the first went;
- a finding that brings another proof always opens its own case: its words may lie, its run will tell;
- a finding without proof joins an unproven or proven case of the same signature, when their versions can be the same;
- a refused case absorbs nothing; a fixed or published one only what names a version on which it was seen to fire;
- two findings of one run (one tool's in one submission) never join by location, nor do two versions, not through a third report either;
- a report goes by one kind of L1, whatever has arrived (`usable`), so it bridges no two cases; where it points at several, it joins none;
- what a person found to be different is never joined, nor is anything joined with one of two such cases where it could be either;
- a signature of a fixed case on a version that no proof was seen to fire on: a regression candidate, a case of its own, linked.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache

import msgspec

from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe.difference import Apart
from clearwell.clearinghouse.dedupe.signature import PLACES, VERSIONS, Signature, tool_of
from clearwell.clearinghouse.dedupe.spelling import version_of
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell_number
from clearwell.vocabulary.outside import visible

_NOTHING_APART = Apart()
_STRENGTH = {kind: place for place, kind in enumerate(VERSIONS)}
_SPEAKING: tuple[frozenset[str], ...] = (
    frozenset({"crash-lines", "crash"}),
    frozenset({"call-sites"}),
    frozenset({"location"}),
    frozenset({"fingerprint"}),
    frozenset({"order"}),
)
"""The kinds of L1, from what speaks first for a report. Equal lines of a stack are equal functions, so those two go together."""


class Known(msgspec.Struct, frozen=True):
    """A signature that is stored: whose it is and where its finding is now. `version` is the normalized version it was stated for.

    `run` is `run_of` its submission and tool; of what an older hub stored, the submission itself.
    """

    key: bytes
    finding: FindingId
    run: SubmissionId
    case: CaseId
    version: str | None
    proven: bool


class Joined(msgspec.Struct, frozen=True):
    """A finding belongs to a known case: by which rung, on what evidence."""

    case: CaseId
    rung: str
    evidence: tuple[tuple[str, str], ...]


class Fit(Enum):
    """How a case takes a finding by one signature: for its very version, for a version that is open, or so that nobody should decide."""

    EXACT = 1
    OPEN = 2
    DOUBT = 3


def decide(
    signatures: Sequence[Signature],
    run: SubmissionId,
    version: str | None,
    has_proof: bool,
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    component: str | None = None,
    apart: Apart = _NOTHING_APART,
) -> Joined | None:
    """Return the case that a finding joins, or None when it opens its own. Strongest signatures first: L0, then L1.

    `component` is the finding's own; a proof sent before under another component's name belongs there, and says nothing here.
    What points at several cases joins none of them by L1, unless just one was reported for the very version: a report never bridges.
    """
    for signature in _strongest_first(signatures, known):
        fits = _fits(signature, run, version, has_proof, known, cases, component)
        if signature.rung == "L0":
            joinable = [case_id for case_id, fit in fits.items() if fit is not Fit.DOUBT]
            if joinable and (len(fits) == 1 or not apart.divides(fits)):
                return Joined(joinable[0], signature.rung, (signature.evidence,))
            continue
        exact = [case_id for case_id, fit in fits.items() if fit is Fit.EXACT]
        best = exact or list(fits)
        if len(best) == 1 and Fit.DOUBT not in fits.values():
            return Joined(best[0], signature.rung, (signature.evidence,))
    return None


def run_of(submission: SubmissionId, finding: Finding) -> SubmissionId:
    """The run that a finding is from, in the form of an id: two tools in one document are two runs."""
    return _run(submission, tool_of(finding))


@lru_cache(maxsize=1_024)
def _run(submission: SubmissionId, tool: str) -> SubmissionId:
    told = hashlib.blake2b(f"{submission}\0{tool}".encode(errors="replace"), digest_size=16).digest()
    return SubmissionId(spell_number("sub", int.from_bytes(told)))


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


def usable(signatures: Iterable[Signature]) -> tuple[Signature, ...]:
    """The signatures that decide as findings arrive: those of L0, and of L1 what speaks first for the report (ADR 32).

    A stack goes before a place, a place before a tool's own mark, a mark before a rule's order in its file; of several marks the first by
    name. What a report goes by depends on nothing that arrived before or will arrive: so none is in two minds, and none bridges.
    `file` asks whether a tool has exactly one finding there, which no single finding shows.
    """
    told = tuple(signatures)
    kinds = {signature.kind for signature in told}
    speaking = next((group for group in _SPEAKING if kinds & group), frozenset())
    mark = min((signature.evidence for signature in told if signature.kind == "fingerprint"), default=None)
    return tuple(
        signature
        for signature in told
        if signature.rung == "L0" or (signature.kind in speaking and (signature.kind != "fingerprint" or signature.evidence == mark))
    )


def speaks_for_case(signature: Signature, joined: Joined | None) -> bool:
    """True when a signature of a report that joined a case brings later reports in, though the case did not bear it before.

    Of what joined only L0 does: whoever joins by L1 shares a signature with the report that opened the case, never only with one that
    came in by another. So no report brings two together that share nothing (ADR 26).
    """
    return joined is None or signature.rung == "L0"


def absorbed(
    proven: KeptCase,
    signatures: Sequence[Signature],
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    apart: Apart = _NOTHING_APART,
) -> tuple[tuple[CaseId, Joined], ...]:
    """Which unproven cases a case that was just proven takes in: same signature, a version on which the proof fired or none.

    Both the report that bears the signature and its case count: another report of the case may name what this one leaves open.
    """
    fires = fires_on(proven)
    taken: dict[CaseId, Joined] = {}
    for signature in sorted(signatures, key=lambda s: s.rung):
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if case is None or case.id == proven.id or case.merged_into is not None or case.case.standing is not Standing.UNPROVEN:
                continue
            if apart.keeps(case.id, proven.id):
                continue
            if all(version is None or version in fires for version in (other.version, case.version)):
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

    They contradict when one fires on a version on which the other was seen not to fire (the ladder), and they agree only where both
    fire on one: the stack of an incomplete fix is that of the flaw before it. What ran against no version (a repository) is not held
    against it, for its lines are part of its signature.
    """
    mine = fires_on(proven)
    for signature in signatures:
        for other in known.get(signature.key, ()):
            case = cases.get(other.case)
            if case is None or case.id == proven.id or case.merged_into is not None or not other.proven or not case.case.is_proven:
                continue
            if apart.keeps(case.id, proven.id):
                continue
            theirs = fires_on(case)
            if mine and theirs and not mine & theirs:
                continue
            if not (set(case.fires) & set(proven.clean) or set(case.clean) & set(proven.fires)):
                return Joined(case.id, signature.rung, (signature.evidence,))
    return None


def forbids_merge(gone: KeptCase, into: KeptCase) -> str | None:
    """Why even a person does not join a case with another, or None: what is open is never swallowed by what is closed.

    A fixed case takes in reports of the flaw as it was: of no version, or of one on which its proof fired. Another version may show
    that the flaw came back: that is a case of its own, linked.
    """
    if into.case.standing is Standing.REFUSED:
        return "a refused case takes nothing in: an appeal opens it again"
    if gone.case.is_proven and not into.case.is_proven:
        return "a proven case is never attached to an unproven, refused or fixed one; merge them the other way round"
    if gone.case.fixed_at is not None and into.case.fixed_at is None:
        return "a fixed case is not joined with one that is open: its fix says nothing there; merge them the other way round"
    if gone.case.published_at is not None:
        return "a published case stands by itself: its advisory names it; merge them the other way round"
    if into.case.fixed_at is not None and gone.case.fixed_at is None and gone.version is not None and gone.version not in fires_on(into):
        return f"the fixed flaw was not seen to fire on {visible(gone.version)}: it may have come back, which is a case of its own"
    return None


def fires_on(case: KeptCase) -> frozenset[str | None]:
    """The versions on which a proof of the case was seen to fire, in the one spelling by which signatures compare them."""
    return frozenset(version_of(case.case.component, version) for version in case.fires)


def _strongest_first(signatures: Iterable[Signature], known: Mapping[bytes, Sequence[Known]]) -> list[Signature]:
    """Those that somebody holds: L0, then L1 by the order of the rules: a tool's own mark, a stack, a place (the order of `cluster`)."""
    held = [signature for signature in signatures if signature.key in known and signature.kind != "file"]
    return sorted(held, key=lambda signature: (signature.rung, _STRENGTH[signature.kind])) if len(held) > 1 else held


def _fits(
    signature: Signature,
    run: SubmissionId,
    version: str | None,
    has_proof: bool,
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
    component: str | None,
) -> dict[CaseId, Fit]:
    """The cases that bear a signature and are not out of the question, each by all that is known of it: one report may speak against."""
    rows: dict[CaseId, list[Known]] = {}
    for other in known.get(signature.key, ()):
        rows.setdefault(other.case, []).append(other)
    found = {}
    for case_id, others in rows.items():
        case = cases.get(case_id)
        if case is None or (component is not None and signature.kind == "proof" and case.case.component != component):
            continue
        fit = Fit.EXACT if signature.kind == "proof" else None if has_proof else _fit(signature, run, version, others, case)
        if fit is not None:
            found[case_id] = fit
    return found


def _fit(signature: Signature, run: SubmissionId, version: str | None, others: Sequence[Known], case: KeptCase) -> Fit | None:
    standing = case.case.standing
    if case.merged_into is not None or standing is Standing.REFUSED:
        return None
    if signature.kind in PLACES and any(other.run == run for other in others):
        return None
    if standing is Standing.UNPROVEN or (standing is Standing.PROVEN and not case.fires):
        return Fit.EXACT if signature.any_version else _by_version(signature.at, others, case)
    fires = version in fires_on(case)
    if not fires and (version is not None or standing is not Standing.PROVEN):
        return None
    if signature.kind in PLACES and not signature.any_version and _by_version(signature.at, others) is None:
        return Fit.DOUBT
    return Fit.EXACT if fires else Fit.OPEN


def _by_version(at: str | None, others: Sequence[Known], case: KeptCase | None = None) -> Fit | None:
    """How reports of some versions, and their case, take one more: two versions never join, not through a report that names none."""
    told = {other.version for other in others} | ({case.version} if case is not None else set())
    if at is None:
        return Fit.EXACT if told == {None} else Fit.OPEN
    return Fit.EXACT if at in told else Fit.OPEN if told == {None} else None
