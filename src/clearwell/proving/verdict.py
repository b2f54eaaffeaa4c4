# SPDX-License-Identifier: Apache-2.0
"""Verdicts: what running a proof showed, with the keys and exit codes of PROOF.md."""

from enum import StrEnum
from typing import Literal

import msgspec

from clearwell.proving.contract import Strength
from clearwell.proving.touched import Flag


class Outcome(StrEnum):
    """PROOF.md's eight verdicts."""

    REPRODUCED = "reproduced"
    FLAKY = "flaky"
    DIFFERENT = "different"
    NOT_REPRODUCED = "not_reproduced"
    FIX_NOT_VERIFIED = "fix_not_verified"
    HARNESS_ERROR = "harness_error"
    INCONCLUSIVE = "inconclusive"
    UNAVAILABLE = "unavailable"


EXIT_CODES = {
    Outcome.REPRODUCED: 0,
    Outcome.NOT_REPRODUCED: 10,
    Outcome.DIFFERENT: 11,
    Outcome.FLAKY: 12,
    Outcome.INCONCLUSIVE: 13,
    Outcome.HARNESS_ERROR: 14,
    Outcome.UNAVAILABLE: 15,
    Outcome.FIX_NOT_VERIFIED: 16,
}
"""Exit codes of `clearwell prove`; 2 is bad usage or a bad folder."""


class FixLabel(StrEnum):
    """What can be said of a fix; never that it is correct. `flagged`: not refuted, but what it touches needs a person's eyes."""

    NOT_REFUTED = "not_refuted"
    FLAGGED = "flagged"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    UNAVAILABLE = "unavailable"


class Runs(msgspec.Struct, frozen=True):
    """One side's runs. `signature` describes the effect of the first run that fired; `kind` says what a control is.

    `rate` and its 95% interval (Clopper and Pearson) are told where the proof fires only sometimes.
    """

    purl: str | None
    n: int = 0
    fired: int = 0
    signature: str | None = None
    archive_sha256: str | None = None
    kind: str | None = None
    rate: float | None = None
    interval: tuple[float, float] | None = None


class SeenVariant(msgspec.Struct, frozen=True):
    """A variant (counted from 0) on both sides; None where it was not run or decided nothing."""

    index: int
    target_fired: bool | None
    control_fired: bool | None
    signature: str | None


class Rung(msgspec.Struct, frozen=True):
    """A version of the finder's ladder: what they stated, and what was seen (None: it could not be run, `reason` says why)."""

    version: str
    stated: str
    fired: bool | None
    reason: str | None = None


class Features(msgspec.Struct, frozen=True):
    """How many features passed on the target, those set aside because they fail there, and those that fail on the control alone."""

    passed: int = 0
    set_aside: tuple[str, ...] = ()
    control_failed: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """Something that the verdict rests on, by its hash."""

    name: str
    sha256: str


class Verdict(msgspec.Struct, frozen=True):
    """What `clearwell prove --json` prints. `control` is "none" when the proof gives none (an unfixed flaw)."""

    verdict: Outcome
    reason: str
    target: Runs
    control: Runs | str
    assurance: str | None
    preconditions: tuple[str, ...]
    variants: tuple[SeenVariant, ...]
    ladder: tuple[Rung, ...]
    isolation: dict[str, Strength]
    evidence: tuple[Evidence, ...]
    seconds: float
    features: Features = Features()

    @property
    def exit_code(self) -> int:
        """The exit code of `clearwell prove`."""
        return EXIT_CODES[self.verdict]


RUNGS = ("applies", "builds", "proof", "features", "variants", "touched")
"""What a fix must pass, in this order, before a person reads it; passing all of them refutes nothing, it proves nothing either."""

FIX_EXIT_CODES = {
    FixLabel.NOT_REFUTED: 0,
    FixLabel.INCONCLUSIVE: 13,
    FixLabel.UNAVAILABLE: 15,
    FixLabel.REFUTED: 16,
    FixLabel.FLAGGED: 17,
}
"""Exit codes of `clearwell prove --patch` and `--fixed`; 2 is bad usage or a bad folder."""

Caught = Literal[
    "does_not_apply",
    "does_not_build",
    "no_op",
    "does_not_stop_the_proof",
    "crashes_elsewhere",
    "does_not_stop_another_proof",
    "deletes_the_feature",
    "breaks_the_tests",
    "edits_the_tests",
    "special_cases_the_proof",
    "stops_not_every_variant",
]
"""The name of what is wrong with a fix."""


class FunctionalTests(msgspec.Struct, frozen=True):
    """Features and the package's own tests: how many pass unpatched, which fail there already, which fail with the fix alone."""

    passed: int = 0
    set_aside: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Mutated(msgspec.Struct, frozen=True):
    """Mutations of the proof's input: tried, firing on the unpatched tree (only these judge), firing with the fix still, and how made."""

    tried: int = 0
    judging: int = 0
    fired: int = 0
    how: tuple[str, ...] = ()


class OtherProof(msgspec.Struct, frozen=True):
    """Another proof of the case or of the same weakness, with the fix: `killed` (fires without, not with it), `fires`, or `unknown`."""

    proof: str
    outcome: Literal["killed", "fires", "unknown"]
    reason: str


class Kill(msgspec.Struct, frozen=True):
    """What a fix does to a proof: `killed` (it fires without the fix, not with it), `fires`, or `unknown`; and why.

    `is_available` is false where nothing could run; `escaped` says how a run's word got out of its box, where one did.
    """

    outcome: Literal["killed", "fires", "unknown"]
    reason: str
    is_available: bool = True
    escaped: str | None = None


class FixRung(msgspec.Struct, frozen=True):
    """One rung of the ladder: passed, refuted, flagged, open (it decides nothing), or not reached; and what was seen."""

    name: str
    state: Literal["passed", "refuted", "flagged", "open", "not_reached"]
    said: str = ""


class FixVerdict(msgspec.Struct, frozen=True):
    """What trying to refute a fix showed: the last rung passed, which rung refuted it, and the name of what is wrong with it.

    `rungs` ends with `person`, which no machine passes. `escaped` says how a run's word got out of its box, where one did.
    `verdict` is that of the proof with the fix as its control.
    """

    label: FixLabel
    rung: str | None
    refuted_by: str | None
    reason: str
    verdict: Verdict
    caught: Caught | None = None
    flags: tuple[Flag, ...] = ()
    rungs: tuple[FixRung, ...] = ()
    tests: FunctionalTests = FunctionalTests()
    mutated: Mutated = Mutated()
    others: tuple[OtherProof, ...] = ()
    escaped: str | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of `clearwell prove --patch` and `--fixed`."""
        return FIX_EXIT_CODES[self.label]
