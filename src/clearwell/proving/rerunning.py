# SPDX-License-Identifier: Apache-2.0
"""Running a statement again: the proof and the harness by their hashes, the archives from their registries, the same settings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from clearwell.proving.archives import Registry
from clearwell.proving.environments import Control
from clearwell.proving.folder import Proof, Side, read_folder, read_proof
from clearwell.proving.order import Seen
from clearwell.proving.reproduction import judge_fix, reproduce_proof, try_kill
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.statement import PATCH, Predicate, Statement
from clearwell.vocabulary.errors import Conflict, NotFound

_HELD = ("archive ", "tree of ")


def run_again(
    statement: Statement,
    proofs: Path,
    harnesses: Path | None,
    backend: str | None = None,
    *,
    patch: bytes | None = None,
    others: Sequence[tuple[str, Proof]] = (),
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> Seen:
    """Run what a statement states: its proof, found by its hash in `proofs` or beneath, with the harness of the named hash; the same
    fix, and the same question about it.

    A patch that took the control's place is `patch`, or a file of the proof's folder with its hash. `others` are the case's other proofs,
    where a fix was tried on them too. Raises NotFound where nothing has the hash, and Conflict where the harness or an archive is not the
    one of the statement.
    """
    proof = read_proof(find_folder(proofs, statement.digest("proof")), harnesses)
    if proof.harness.folder.sha256 != statement.digest("harness"):
        raise Conflict(f"the harness {proof.harness.name} here is not the one of the statement")
    predicate = statement.predicate
    settings = predicate.settings if backend is None else msgspec.structs.replace(predicate.settings, backend=backend)
    fix = _fix(statement, proof, patch)
    if predicate.judged is not None and fix is not None:
        judged, done = judge_fix(proof, fix, settings, others=others, sandbox=sandbox, registry=registry)
        seen = Seen(done, judged=judged)
    elif predicate.kill is not None and fix is not None:
        kill, done = try_kill(proof, fix, settings, sandbox=sandbox, registry=registry)
        seen = Seen(done, kill=kill)
    else:
        seen = Seen(reproduce_proof(proof, settings, control=fix, sandbox=sandbox, registry=registry))
    stated = {one.name: one.sha256 for one in predicate.verdict.evidence if one.name.startswith(_HELD)}
    for one in seen.done.verdict.evidence:
        if stated.get(one.name, one.sha256) != one.sha256:
            raise Conflict(f"{one.name} is not the one of the statement: its sha256 is {one.sha256}")
    return seen


def said(told: Predicate | Seen) -> str:
    """What was shown, in one word: of a fix its label, of a cell of the kill matrix its outcome, else the verdict."""
    if told.judged is not None:
        return told.judged.label.value
    if told.kill is not None:
        return told.kill.outcome
    return (told.verdict if isinstance(told, Predicate) else told.done.verdict).verdict.value


def find_folder(place: Path, sha256: str) -> Path:
    """The folder with a proof.toml and this hash, at `place` or anywhere beneath; raise NotFound."""
    for found in sorted(place.rglob("proof.toml")):
        if read_folder(found.parent).sha256 == sha256:
            return found.parent
    raise NotFound(f"no proof folder in {place} has the hash {sha256}")


def _fix(statement: Statement, proof: Proof, given: bytes | None) -> Control | None:
    """What took the place of the proof's own control, found by its hash where it is a patch; None where nothing did."""
    if statement.predicate.fix is not None:
        return Side(purl=statement.predicate.fix)
    wanted = next((subject.digest["sha256"] for subject in statement.subject if subject.name == PATCH), None)
    if wanted is None:
        return None
    candidates: list[bytes] = [*([given] if given is not None else []), *proof.folder.files.values()]
    for content in candidates:
        if hashlib.sha256(content).hexdigest() == wanted:
            return content
    raise NotFound(f"the patch of the statement is not here: give the file with the sha256 {wanted} (--patch)")
