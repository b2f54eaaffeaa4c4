# SPDX-License-Identifier: Apache-2.0
"""An order: everything that one run needs, so that who carries it out needs nothing else of the hub; what comes back is signed."""

from pathlib import Path
from typing import Literal

import msgspec
from securesystemslib.signer._crypto_signer import CryptoSigner

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.environments import Control
from clearwell.proving.folder import Proof, Side, from_files, proof_of
from clearwell.proving.reproduction import judge_fix, reproduce_proof, try_kill
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.statement import sign, state
from clearwell.proving.verdict import FixLabel, FixVerdict, Kill, Outcome, Runs, Verdict
from clearwell.vocabulary.errors import Invalid, NotFound

_NAME_BYTES = 255
LONGEST_SECONDS = {"reproduce": 3600, "judge": 3 * 3600, "kill": 3600}
"""For how long one worker may hold an order, by what it asks; a worker that needs longer hangs, and another takes it up.

An honest one takes far less: runs and builds have limits of their own. A ladder has both sides, the package's tests, and other proofs.
"""


class Order(msgspec.Struct, frozen=True):
    """What to do with which bytes: run a proof, take a fix up its ladder, or see what a fix does to a proof. Its result bears its id.

    The fix is a patch or the purl of a version. `others` are further proofs of the case, by name. Secret, as the proofs are.
    """

    id: str
    what: Literal["reproduce", "judge", "kill"]
    proof: dict[str, bytes]
    settings: Settings
    patch: bytes | None = None
    version: str | None = None
    others: tuple[tuple[str, dict[str, bytes]], ...] = ()

    @property
    def most_seconds(self) -> int:
        """For how long one worker may hold it."""
        return LONGEST_SECONDS[self.what]

    @property
    def fix(self) -> Control | None:
        """What takes the place of the proof's own control."""
        return self.patch if self.patch is not None else Side(purl=self.version) if self.version is not None else None

    def __repr__(self) -> str:
        return f"Order({self.id}, {self.what})"


class Handed(msgspec.Struct, frozen=True):
    """What a worker hands in: its signed statement, and the exhibits that stand in it by hash. Secret, as the proofs are."""

    statement: bytes
    exhibits: dict[str, bytes]

    def __repr__(self) -> str:
        return "Handed(…)"


class Seen(msgspec.Struct, frozen=True):
    """What carrying an order out showed, before it is signed."""

    done: Reproduction
    judged: FixVerdict | None = None
    kill: Kill | None = None


def carry_out(
    order: Order, harnesses: Path | None, signer: CryptoSigner, *, sandbox: Sandbox | None = None, registry: Registry | None = None
) -> Handed:
    """Do what an order says and sign what it showed; a folder that is no proof is harness_error, and of a fix tells nothing."""
    seen = look(order, harnesses, sandbox, registry)
    return hand_in(order, seen, signer)


def hand_in(order: Order, seen: Seen, signer: CryptoSigner) -> Handed:
    """Sign what carrying out an order showed; what the proof printed stands there by its hash, for statements are not sealed."""
    stated = state(seen.done, order.settings, order.fix, judged=seen.judged, kill=seen.kill, order=order.id, with_output=False)
    return Handed(sign(stated, signer), seen.done.exhibits)


def look(order: Order, harnesses: Path | None, sandbox: Sandbox | None = None, registry: Registry | None = None) -> Seen:
    """Do what an order says."""
    try:
        proof = opened(order.proof, harnesses)
        if order.what == "judge":
            others = [(name, opened(files, harnesses)) for name, files in order.others]
            judged, done = judge_fix(proof, _fix(order), order.settings, others=others, sandbox=sandbox, registry=registry)
            return Seen(done, judged=judged)
        if order.what == "kill":
            kill, done = try_kill(proof, _fix(order), order.settings, sandbox=sandbox, registry=registry)
            return Seen(done, kill=kill)
        return Seen(reproduce_proof(proof, order.settings, sandbox=sandbox, registry=registry))
    except (Invalid, NotFound) as reason:
        return _unusable(order, str(reason))


def opened(files: dict[str, bytes], harnesses: Path | None) -> Proof:
    """Read a proof as it is stored; it never lies in a folder outside the run's own. Raises Invalid and NotFound."""
    for name in files:  # a report says 200 characters, a file system counts 255 bytes
        if any(len(part.encode("utf-8", errors="replace")) > _NAME_BYTES for part in name.split("/")):
            raise Invalid(f"the proof holds a file name of more than {_NAME_BYTES} bytes: {name[:60]!r}")
    return proof_of(from_files(files), harnesses)


def _fix(order: Order) -> Control:
    if order.fix is None:
        raise Invalid(f"the order names no fix to {order.what}")
    return order.fix


def _unusable(order: Order, reason: str) -> Seen:
    """A folder that cannot be run shows nothing about the flaw: the harness's error, in its own words."""
    done = Reproduction(
        Verdict(
            verdict=Outcome.HARNESS_ERROR, reason=reason, target=Runs(None), control="none", assurance=None, preconditions=(), variants=(),
            ladder=(), isolation={}, evidence=(), seconds=0.0,
        ),
        {},
    )  # fmt: skip
    if order.what == "judge":
        return Seen(done, judged=FixVerdict(FixLabel.INCONCLUSIVE, None, None, reason, done.verdict))
    return Seen(done, kill=Kill("unknown", reason)) if order.what == "kill" else Seen(done)
