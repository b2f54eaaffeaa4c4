# SPDX-License-Identifier: Apache-2.0
"""Verdicts: what running a proof showed, with the keys and exit codes of PROOF.md."""

from enum import StrEnum

import msgspec

from clearwell.proving.contract import Strength


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
    """What can be said of a fix; never that it is correct."""

    NOT_REFUTED = "not_refuted"
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


class FixVerdict(msgspec.Struct, frozen=True):
    """What trying to refute a fix showed: the last rung passed (applies, builds, proof, features, variants) and what refuted it."""

    label: FixLabel
    rung: str | None
    refuted_by: str | None
    reason: str
    verdict: Verdict
