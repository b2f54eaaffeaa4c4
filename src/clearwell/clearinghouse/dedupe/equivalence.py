# SPDX-License-Identifier: Apache-2.0
"""Rung L3, fix-equivalence: two cases are one root cause when a single patch of each silences the proofs of the other. Pure.

A wrong merge hides a bug, so every doubt goes to a person:
- a patch speaks when it passed its own case's functional tests; a later version contains earlier fixes, so a version that silences
  another case's proof says nothing, and one that does not silence it says that the fixes differ;
- of several patches of a case, one that leaves the other's proof firing shows that the flaws can be fixed apart;
- one patch claimed for both cases counts for both only where it changes one place: else it may fix two flaws at once;
- versions on which one proof fires and the other does not (the ladder) separate what no stack tells apart.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from clearwell.vocabulary.ids import CaseId, ProofId, RemediationId

Cell = Literal["killed", "fires", "unknown"]
Matrix = Mapping[tuple[RemediationId, ProofId], Cell]
"""The kill matrix: what each fix does to each proof that fires without it."""


class Relation(StrEnum):
    """How two cases stand to each other by their fixes."""

    SAME = "same_root_cause"
    SUBSUMES = "subsumes"
    SUBSUMED = "is_subsumed"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class KnownFix(msgspec.Struct, frozen=True):
    """A verified fix of a case. `patch_sha256` is None for a version; `places` counts the patch's hunks."""

    id: RemediationId
    patch_sha256: str | None = None
    places: int = 0


class Fixed(msgspec.Struct, frozen=True):
    """A case as this rung sees it: its proofs, its verified fixes, and its ladder."""

    case: CaseId
    proofs: tuple[ProofId, ...]
    fixes: tuple[KnownFix, ...] = ()
    fires: frozenset[str] = frozenset()
    clean: frozenset[str] = frozenset()


class Decision(msgspec.Struct, frozen=True):
    """The relation of the first case to the second, and why."""

    relation: Relation
    evidence: tuple[tuple[str, str], ...]


def compare(one: Fixed, other: Fixed, matrix: Matrix) -> Decision:
    """Decide from the kill matrix and the ladders. `compare(b, a)` is `compare(a, b)` mirrored."""
    there, back = _silences(one, other, matrix), _silences(other, one, matrix)
    apart = sorted((one.fires & other.clean) | (other.fires & one.clean))
    evidence = [
        (f"fixes of {one.case} on the proofs of {other.case}", _said(there)),
        (f"fixes of {other.case} on the proofs of {one.case}", _said(back)),
    ]
    if apart:
        evidence.append(("only one of them fires on", ", ".join(apart[:20])))
    if there and back:
        shared = _shared(one, other)
        if shared:
            evidence.append(("one patch for both", "it changes more than one place, so it may fix two flaws"))
        relation = Relation.UNKNOWN if apart or shared else Relation.SAME
    elif there is False and back is False:
        relation = Relation.DIFFERENT
    elif there and back is False:
        relation = Relation.SUBSUMES
    elif back and there is False:
        relation = Relation.SUBSUMED
    else:
        relation = Relation.DIFFERENT if apart and not there and not back else Relation.UNKNOWN
    return Decision(relation, tuple(evidence))


def _silences(one: Fixed, other: Fixed, matrix: Matrix) -> bool | None:
    """True when every single patch of `one` silences every proof of `other`; False when some fix leaves one firing; else None."""
    cells = {fix: [matrix.get((fix.id, proof), "unknown") for proof in other.proofs] for fix in one.fixes}
    if any(cell == "fires" for row in cells.values() for cell in row):
        return False
    patches = [row for fix, row in cells.items() if fix.patch_sha256 is not None]
    if patches and other.proofs and all(cell == "killed" for row in patches for cell in row):
        return True
    return None


def _shared(one: Fixed, other: Fixed) -> bool:
    """True when nothing but the very same patches, each in several places, speaks for both cases."""
    mine, theirs = ({fix.patch_sha256 for fix in side.fixes if fix.patch_sha256} for side in (one, other))
    small = {fix.patch_sha256 for side in (one, other) for fix in side.fixes if fix.places == 1}
    return bool(mine & theirs) and not (mine & theirs & small) and not (mine - theirs and theirs - mine)


def _said(silences: bool | None) -> str:
    return {True: "silence every one", False: "leave one firing", None: "not known"}[silences]
