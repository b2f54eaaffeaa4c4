# SPDX-License-Identifier: Apache-2.0
"""Reproduction: run a proof k of n on the target, none of n on the control, with a feature that works; verify a fix by the same proof."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Attempt, Reproduction, Settings
from clearwell.proving.environments import Control
from clearwell.proving.folder import Proof, Side, read_proof
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.verdict import FixLabel, FixVerdict, Outcome, Verdict

__all__ = ["RUNGS", "Reproduction", "Settings", "attempting", "default_harnesses", "prove", "reproduce", "reproduce_proof", "verify_fix"]

RUNGS = ("applies", "builds", "proof", "features", "variants")
"""What a fix must pass, in this order; passing all of them refutes nothing, it proves nothing either."""


def prove(folder: Path, harnesses: Path | None, settings: Settings = Settings()) -> Verdict:
    """Run a proof folder in isolation and say what that showed.

    `harnesses` is the hub's registry of harnesses. Raises Invalid and NotFound only for a folder that cannot be used; whatever
    happens afterwards is a verdict, `unavailable` included.
    """
    return reproduce(folder, harnesses, settings).verdict


def reproduce(
    folder: Path,
    harnesses: Path | None,
    settings: Settings = Settings(),
    *,
    control: Control | None = None,
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> Reproduction:
    """Like `prove`, with the exhibits.

    `control` replaces the proof's own: a side (a purl, or a patch in the folder), or a patch's bytes. `sandbox` and `registry` may be
    shared by many calls.
    """
    return reproduce_proof(read_proof(folder, harnesses), settings, control=control, sandbox=sandbox, registry=registry)


def reproduce_proof(
    proof: Proof,
    settings: Settings = Settings(),
    *,
    control: Control | None = None,
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> Reproduction:
    """Like `reproduce`, for a proof that is read already."""
    return _attempted(proof, settings, control, sandbox, registry)[1]


def verify_fix(
    proof: Proof,
    fix: Control,
    settings: Settings = Settings(),
    *,
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> FixVerdict:
    """Try to refute a fix: the bytes of a patch to the target's source, or a side naming a fixed version.

    The proof must fire on the target first. Then the fix must apply, build, stop the proof in all n runs, keep every feature that
    passes on the target, and stop every variant that fires there. The best that can be said of it is "not refuted".
    """
    attempt, reproduction = _attempted(proof, settings, fix, sandbox, registry)
    verdict = reproduction.verdict
    is_patch = isinstance(fix, bytes)
    reached = [rung for rung in RUNGS if rung in attempt.passed]
    rung = reached[-1] if reached else None
    if attempt.refuted_by is not None:
        return FixVerdict(FixLabel.REFUTED, rung, attempt.refuted_by, verdict.reason, verdict)
    if verdict.verdict == Outcome.REPRODUCED and "variants" in attempt.passed:
        what = "the patch" if is_patch else "the version"
        said = f"{what} is not refuted: the proof, {len(verdict.variants)} variants and {verdict.features.passed} features agree"
        return FixVerdict(FixLabel.NOT_REFUTED, rung, None, said, verdict)
    label = FixLabel.UNAVAILABLE if verdict.verdict == Outcome.UNAVAILABLE else FixLabel.INCONCLUSIVE
    return FixVerdict(label, rung, None, verdict.reason, verdict)


def _attempted(
    proof: Proof, settings: Settings, control: Control | None, sandbox: Sandbox | None, registry: Registry | None
) -> tuple[Attempt, Reproduction]:
    with attempting(proof, settings, control, sandbox, registry) as attempt:
        return attempt, attempt.run()


@contextlib.contextmanager
def attempting(
    proof: Proof, settings: Settings, control: Control | None, sandbox: Sandbox | None, registry: Registry | None
) -> Iterator[Attempt]:
    """Open an attempt with a private folder of its own, which is gone afterwards, as are a sandbox and a registry that were not given."""
    started = time.monotonic()
    own_sandbox, own_registry = sandbox or Sandbox(settings.backend), registry or Registry(offline=settings.offline)
    private = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=_scratch(own_registry)))
    chosen = control if control is not None else proof.file.control
    if isinstance(chosen, Side) and chosen.patch is not None:
        chosen = proof.folder.read(chosen.patch)
    try:
        yield Attempt(proof, settings, chosen, own_sandbox, own_registry, private, started)
    finally:
        shutil.rmtree(private, ignore_errors=True)
        if sandbox is None:
            own_sandbox.close()
        if registry is None:
            own_registry.close()


def _scratch(registry: Registry) -> Path:
    place = registry.cache.parent / "scratch"
    place.mkdir(parents=True, exist_ok=True)
    for left in place.iterdir():  # proofs that a killed process left behind do not stay
        owner = left.name.partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)
    return place


def default_harnesses(folder: Path) -> Path | None:
    """Where the hub's harnesses are when nobody says: CLEARWELL_HARNESSES, `harnesses` beside the proofs, or the examples."""
    named = os.environ.get("CLEARWELL_HARNESSES")
    candidates = [Path(named)] if named else []
    candidates += [folder.resolve().parent.parent / "harnesses", Path("examples/harnesses")]
    return next((place for place in candidates if place.is_dir()), None)
