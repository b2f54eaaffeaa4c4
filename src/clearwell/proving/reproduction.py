# SPDX-License-Identifier: Apache-2.0
"""Reproduction: run a proof k of n on the target, none of n on the control, with a feature that works; verify a fix by the same proof."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Attempt, Reproduction, Settings
from clearwell.proving.environments import Control
from clearwell.proving.folder import Proof, Side, read_proof
from clearwell.proving.releases import is_same_package
from clearwell.proving.sandbox import Sandbox, standing
from clearwell.proving.scratch import scratch
from clearwell.proving.trial import FixTrial
from clearwell.proving.verdict import RUNGS, FixVerdict, Kill, OtherProof, Outcome, Verdict
from clearwell.vocabulary.errors import Invalid

__all__ = [
    "RUNGS",
    "Reproduction",
    "Settings",
    "attempting",
    "default_harnesses",
    "judge_fix",
    "kills",
    "prove",
    "reproduce",
    "reproduce_proof",
    "try_kill",
    "verify_fix",
]


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
    others: Sequence[tuple[str, Proof]] = (),
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> FixVerdict:
    """Like `judge_fix`, without what it rests on."""
    return judge_fix(proof, fix, settings, others=others, sandbox=sandbox, registry=registry)[0]


def judge_fix(
    proof: Proof,
    fix: Control,
    settings: Settings = Settings(),
    *,
    others: Sequence[tuple[str, Proof]] = (),
    sandbox: Sandbox | None = None,
    registry: Registry | None = None,
) -> tuple[FixVerdict, Reproduction]:
    """Try to refute a fix: the bytes of a patch to the target's source, or a side naming a fixed version.

    The proof must fire on the target first. Then the fix must apply, build, stop the proof and `others` (named proofs of the same case)
    in all n runs, keep every functional test that passes on the target, and stop every variant and mutation that fires there. What a
    patch touches is flagged. The best that can be said of it is "not refuted". Raises Invalid for a version of another package.
    """
    if isinstance(fix, Side) and not is_same_package(fix.purl or "", proof.file.target.purl or ""):
        raise Invalid(f"{fix.purl} is no version of {proof.file.target.purl}: another package fixes nothing")
    settings = msgspec.structs.replace(settings, with_ladder=False)
    with _workbench(settings, sandbox, registry) as (box, index, private, started):
        trial = FixTrial(proof, settings, fix, box, index, private, started)
        done = trial.run()
        seen, escaped = [], done.escaped
        if trial.refuted_by is None and "proof" in trial.passed:
            for name, other in others:
                if escaped is not None:
                    break
                kill = kills(other, fix, settings, sandbox=box, registry=index)
                seen.append(OtherProof(name, kill.outcome, kill.reason))
                escaped = escaped or kill.escaped
        judged = msgspec.structs.replace(trial.judged(done.verdict, tuple(seen)), escaped=escaped)
        return judged, msgspec.structs.replace(done, escaped=escaped)


def kills(
    proof: Proof, fix: Control, settings: Settings = Settings(), *, sandbox: Sandbox | None = None, registry: Registry | None = None
) -> Kill:
    """Like `try_kill`, without what it rests on."""
    return try_kill(proof, fix, settings, sandbox=sandbox, registry=registry)[0]


def try_kill(
    proof: Proof, fix: Control, settings: Settings = Settings(), *, sandbox: Sandbox | None = None, registry: Registry | None = None
) -> tuple[Kill, Reproduction]:
    """Say whether a fix silences a proof that fires without it: one cell of the kill matrix.

    `killed` needs a feature that works with the fix: what deletes the feature kills nothing.
    """
    settings = msgspec.structs.replace(settings, with_ladder=False)
    done = reproduce_proof(proof, settings, control=fix, sandbox=sandbox, registry=registry)
    verdict, control = done.verdict, done.verdict.control
    outcome: Literal["killed", "fires", "unknown"] = "unknown"
    has_run = 0 < verdict.target.n == verdict.target.fired
    if has_run and not isinstance(control, str) and control.n:
        if control.fired == control.n:
            outcome = "fires"
        elif not control.fired and verdict.verdict is Outcome.REPRODUCED and not verdict.features.control_failed:
            outcome = "killed"
    return Kill(outcome, verdict.reason, verdict.verdict is not Outcome.UNAVAILABLE, done.escaped), done


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
    chosen = control if control is not None else proof.file.control
    if isinstance(chosen, Side) and chosen.patch is not None:
        chosen = proof.folder.read(chosen.patch)
    with _workbench(settings, sandbox, registry) as (box, index, private, started):
        yield Attempt(proof, settings, chosen, box, index, private, started)


@contextlib.contextmanager
def _workbench(settings: Settings, sandbox: Sandbox | None, registry: Registry | None) -> Iterator[tuple[Sandbox, Registry, Path, float]]:
    """A sandbox, a registry and a private folder, given back or gone afterwards where they are not the caller's; and when it began."""
    started = time.monotonic()
    with contextlib.ExitStack() as opened:
        own_sandbox = sandbox or opened.enter_context(standing(settings.backend))
        own_registry = registry or opened.enter_context(contextlib.closing(Registry(offline=settings.offline)))
        private = opened.enter_context(scratch(own_registry.cache.parent))
        yield own_sandbox, own_registry, private, started


def default_harnesses(folder: Path) -> Path | None:
    """Where the hub's harnesses are when nobody says: CLEARWELL_HARNESSES, `harnesses` beside the proofs, or the examples."""
    named = os.environ.get("CLEARWELL_HARNESSES")
    candidates = [Path(named)] if named else []
    candidates += [folder.resolve().parent.parent / "harnesses", Path("examples/harnesses")]
    return next((place for place in candidates if place.is_dir()), None)
