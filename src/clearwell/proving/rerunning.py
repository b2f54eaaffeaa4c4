# SPDX-License-Identifier: Apache-2.0
"""Running a statement again: the proof and the harness by their hashes, the archives from their registries, the same settings."""

from pathlib import Path

import msgspec

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Reproduction
from clearwell.proving.folder import Side, read_folder, read_proof
from clearwell.proving.reproduction import reproduce_proof
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.statement import Statement
from clearwell.vocabulary.errors import Conflict, NotFound


def run_again(
    statement: Statement,
    proofs: Path,
    harnesses: Path | None,
    backend: str | None = None,
    *,
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> Reproduction:
    """Run the proof that a statement names, found by its hash in `proofs` or beneath, with the harness of the named hash.

    Raises NotFound where no folder has the hash, and Conflict where the harness or an archive is not the one of the statement.
    """
    proof = read_proof(find_folder(proofs, statement.digest("proof")), harnesses)
    if proof.harness.folder.sha256 != statement.digest("harness"):
        raise Conflict(f"the harness {proof.harness.name} here is not the one of the statement")
    settings = statement.predicate.settings
    if backend is not None:
        settings = msgspec.structs.replace(settings, backend=backend)
    fix = statement.predicate.fix
    control = Side(purl=fix) if fix is not None else None
    done = reproduce_proof(proof, settings, control=control, sandbox=sandbox, registry=registry)
    stated = {one.name: one.sha256 for one in statement.predicate.verdict.evidence if one.name.startswith("archive ")}
    for one in done.verdict.evidence:
        if stated.get(one.name, one.sha256) != one.sha256:
            raise Conflict(f"{one.name} is not the one of the statement: its sha256 is {one.sha256}")
    return done


def find_folder(place: Path, sha256: str) -> Path:
    """The folder with a proof.toml and this hash, at `place` or anywhere beneath; raise NotFound."""
    for found in sorted(place.rglob("proof.toml")):
        if read_folder(found.parent).sha256 == sha256:
            return found.parent
    raise NotFound(f"no proof folder in {place} has the hash {sha256}")
