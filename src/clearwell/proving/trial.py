# SPDX-License-Identifier: Apache-2.0
"""A fix on trial: one attempt with the fix as its control, tested further by the package's tests, mutations and what the patch touches."""

import time
from pathlib import Path

from packageurl import PackageURL

from clearwell.proving import patches
from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Attempt, Settings
from clearwell.proving.environments import Control, Environment
from clearwell.proving.folder import Proof, input_bytes
from clearwell.proving.functional import run_tests, tests_of
from clearwell.proving.mutations import Mutation, mutations
from clearwell.proving.oracles import Effect, judge
from clearwell.proving.oracles.contract import Asked
from clearwell.proving.releases import is_later
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.touched import Flag, Secrets, flags_of, is_idle, is_test
from clearwell.proving.verdict import (
    RUNGS,
    Caught,
    FixLabel,
    FixRung,
    FixVerdict,
    FunctionalTests,
    Mutated,
    OtherProof,
    Outcome,
    Verdict,
)

_SLOW = {"growth", "exhaustion"}
_MAY_BE_GENUINE = {"bypass", "leak", "request", "other_user"}
"""Kinds whose effect an input may have rightly: a mutation can be a genuine signature, or name the server that is meant."""
_MOST_MUTATIONS = 32
_MOST_JUDGING, _ENOUGH = 16, 3
_MUTATION_SECONDS = 20.0
_CAUGHT: dict[str, Caught] = {"applies": "does_not_apply", "builds": "does_not_build"}


class FixTrial(Attempt):
    """An attempt whose control is a fix. The proof must fire on the target first; then every rung tries to refute the fix."""

    def __init__(
        self, proof: Proof, settings: Settings, fix: Control, sandbox: Sandbox, registry: Registry, private: Path, started: float
    ) -> None:
        super().__init__(proof, settings, fix, sandbox, registry, private, started)
        self.fix = fix
        self.tests = FunctionalTests()
        self.mutated = Mutated()
        self.caught: Caught | None = None
        self.flags: tuple[Flag, ...] = ()
        self.is_idle = False
        self.kept_tests: tuple[str, ...] = ()
        self.crashed_elsewhere: str | None = None
        self.doubt: str | None = None

    # -- what an attempt does, and what a fix must stand beyond it

    def _environment(self, side: Control, name: str) -> Environment:
        environment = super()._environment(side, name)
        if name == "control":
            self._look_at_what_changed()
        return environment

    def _check_features(self, environment: Environment) -> frozenset[str]:
        ordinary = super()._check_features(environment)
        ran = run_tests(self.proof, self.bench, environment, self.limits, tests_of(self.proof.harness), self.note)
        passed = self.features.passed + sum(ran.values())
        self.tests = FunctionalTests(passed, (*self.features.set_aside, *(f"test {name}" for name, ok in ran.items() if not ok)))
        return ordinary

    def _features_on_control(self, environment: Environment) -> frozenset[str]:
        ordinary = super()._features_on_control(environment)
        chosen = tuple(test for test in tests_of(self.proof.harness) if f"test {test.name}" not in self.tests.set_aside)
        ran = run_tests(self.proof, self.bench, environment, self.limits, chosen, self.note)
        broken = tuple(f"test {name}" for name, ok in ran.items() if not ok)
        self.tests = FunctionalTests(self.tests.passed, self.tests.set_aside, (*self.features.control_failed, *broken))
        return ordinary

    def _repeat(self, environment: Environment, name: str, ordinary: frozenset[str]) -> list[Effect]:
        effects = super()._repeat(environment, name, ordinary)
        if name == "control":
            self.crashed_elsewhere = next((effect.elsewhere for effect in effects if effect.elsewhere), None)
        return effects

    def _doubt_of_the_fix(self) -> str | None:
        """Everything beyond the proof itself; called once the proof is silent with the fix."""
        if self.crashed_elsewhere is not None:
            self.passed.remove("proof")
            self.refuted_by, self.caught = "proof", "crashes_elsewhere"
            self.doubt = f"with the fix it still crashes, elsewhere: {self.crashed_elsewhere}"
            return self.doubt
        if self.tests.failed:
            self.refuted_by = "features"
            self.caught = self._named_by_failures()
            self.doubt = f"with the fix {', '.join(self.tests.failed[:20])} no longer works"
            if self.wrong_on_control:
                self.doubt += f": {self.wrong_on_control}"
            return self.doubt
        self.doubt = super()._doubt_of_the_fix()
        if self.doubt is None:
            self._mutate()
            if self.mutated.fired and self.oracle.kind in _MAY_BE_GENUINE and 2 * self.mutated.fired <= self.mutated.judging:
                said = f"{self.mutated.fired} of {self.mutated.judging} mutations of the proof still fire, which may be genuine inputs"
                self.flags = (*self.flags, Flag("mutations", "", said))
            elif self.mutated.fired:
                self.passed = [rung for rung in self.passed if rung != "variants"]
                self.refuted_by = "variants"
                self.doubt = f"{self.mutated.fired} of {self.mutated.judging} mutations of the proof still fire with the fix"
        if self.refuted_by == "variants":
            if not self.mutated.tried:
                self._mutate()  # for the name of what is wrong
            is_special = 2 * self.mutated.fired > self.mutated.judging or any(flag.kind == "bytes_of_the_proof" for flag in self.flags)
            self.caught = "special_cases_the_proof" if is_special else "stops_not_every_variant"
        return self.doubt

    def _named_by_failures(self) -> Caught:
        if any(flag.kind == "tests" for flag in self.flags):
            return "edits_the_tests"
        return "deletes_the_feature" if self.features.control_failed else "breaks_the_tests"

    # -- mutations

    def _mutate(self) -> None:
        """Mutate the proof's input; run each on the unpatched tree, and what fires there also with the fix, within a span of time."""
        if self.oracle.kind in _SLOW:
            return  # one measurement takes seconds, and other sizes are in the oracle already
        target, control = self.sides["target"], self.sides["control"]
        content = input_bytes(self.proof.file.input, self.proof.folder)
        ends = time.monotonic() + _MUTATION_SECONDS
        tried, judging = 0, 0
        enough = _MOST_JUDGING if self.oracle.kind in _MAY_BE_GENUINE else _ENOUGH
        fired: list[str] = []
        for mutation in mutations(content, self.proof.folder.sha256.encode(), _MOST_MUTATIONS):
            if time.monotonic() > ends or judging >= _MOST_JUDGING or len(fired) >= enough:
                break
            tried += 1
            if self._fires(target, mutation):
                judging += 1
                if self._fires(control, mutation):
                    fired.append(mutation.how)
        self.mutated = Mutated(tried, judging, len(fired), tuple(dict.fromkeys(fired)))

    def _fires(self, environment: Environment, mutation: Mutation) -> bool:
        if (mutation.content.strip(), self.proof.file.args) in self.benign:
            return False
        seen = self._observe(environment, mutation.content, self.proof.file.args)
        ordinary = frozenset(self._ordinary(environment)) | self.harmless
        return judge(Asked(self.oracle, self.oracle.functions, ordinary), seen).fired

    # -- what the patch touches

    def _look_at_what_changed(self) -> None:
        if not isinstance(self.fix, bytes):
            self.is_idle = self.sides["control"].source_sha256 == self.sides["target"].source_sha256
            self.flags = _flags_of_version(self.proof.file.target.purl or "", self.fix.purl or "")
            return
        old, new = self.sides["target"].source, self.sides["control"].source
        parts = patches.parse(self.fix)
        names = {self._placed(part.name, old, new) for part in parts}
        before = {name: (old / name).read_bytes() for name in names if (old / name).is_file()}
        after = {name: (new / name).read_bytes() for name in names if (new / name).is_file()}
        self.flags = flags_of(parts, self._secrets(), before, after)
        self.kept_tests = tuple(sorted(name for name in before if is_test(name)))
        # A file beyond the harness's root is not seen here; nothing is called idle that may not be.
        self.is_idle = bool(names) and all(name in before or name in after or is_test(name) for name in names) and is_idle(before, after)

    def _placed(self, name: str, old: Path, new: Path) -> str:
        """The file of a diff beneath the source: without leading folders until one fits."""
        parts = name.split("/")
        for start in range(len(parts)):
            candidate = "/".join(parts[start:])
            if (old / candidate).is_file() or (new / candidate).is_file():
                return candidate
        return name

    def _secrets(self) -> Secrets:
        file, folder, harness = self.proof.file, self.proof.folder, self.proof.harness
        size = self.oracle.sizes[-1] if self.oracle.sizes else None
        inputs = [input_bytes(recipe, folder, size) for recipe in (file.input, *(v.input for v in file.variant if v.input is not None))]
        ordinary = tuple(self._feature_bytes(feature, index) for index, feature in enumerate(self.proof.features))
        names = frozenset(name.rpartition("/")[2] for name in harness.folder.files)
        return Secrets(tuple(inputs), tuple(harness.file.servers), ordinary, names)

    # -- the verdict

    def judged(self, verdict: Verdict, others: tuple[OtherProof, ...]) -> FixVerdict:
        """Put the rungs together. `others` are proofs of the same case, run with the same fix."""
        firing = [other for other in others if other.outcome == "fires"]
        if self.refuted_by is None and firing and "proof" in self.passed:
            self.refuted_by, self.caught = "proof", "does_not_stop_another_proof"
            self.doubt = f"{len(firing)} of {len(others)} other proofs still fire with the fix"
        if self.refuted_by == "proof" and self.caught is None:
            self.caught = "no_op" if self.is_idle else "does_not_stop_the_proof"
            if self.kept_tests and not self.doubt:  # a package's own code may bear such a name: whoever reads this must know
                kept = ", ".join(self.kept_tests[:5])
                self.doubt = f"{verdict.reason}; what looks like an existing test stays as it was, whatever the patch makes of it: {kept}"
        self.caught = self.caught or _CAUGHT.get(self.refuted_by or "")
        rungs = self._rungs(verdict)
        reached = [rung.name for rung in rungs if rung.state == "passed"]
        label, reason = self._label(verdict)
        return FixVerdict(
            label=label, rung=reached[-1] if reached else None, refuted_by=self.refuted_by, reason=reason, verdict=verdict,
            caught=self.caught, flags=self.flags, rungs=rungs, tests=self.tests, mutated=self.mutated, others=others,
        )  # fmt: skip

    def _label(self, verdict: Verdict) -> tuple[FixLabel, str]:
        if self.refuted_by is not None:
            return FixLabel.REFUTED, f"{(self.caught or self.refuted_by).replace('_', ' ')}: {self.doubt or verdict.reason}"
        if verdict.verdict != Outcome.REPRODUCED or "variants" not in self.passed:
            label = FixLabel.UNAVAILABLE if verdict.verdict == Outcome.UNAVAILABLE else FixLabel.INCONCLUSIVE
            return label, verdict.reason
        said = (
            f"not refuted: the proof, {len(verdict.variants)} variants, {self.mutated.judging} mutations that fire without it and "
            f"{self.tests.passed} functional tests agree"
        )
        if self.flags:
            kinds = ", ".join(dict.fromkeys(flag.kind.replace("_", " ") for flag in self.flags))
            return FixLabel.FLAGGED, f"{said}; a person must look at what it touches: {kinds}"
        return FixLabel.NOT_REFUTED, said

    def _rungs(self, verdict: Verdict) -> tuple[FixRung, ...]:
        said = {
            "proof": f"fires {verdict.target.fired} of {verdict.target.n} without the fix",
            "features": f"{self.tests.passed} pass without the fix, {len(self.tests.failed)} of them fail with it",
            "variants": f"{len(verdict.variants)} variants, {self.mutated.tried} mutations; {self.mutated.judging} fire without the fix",
        }
        if not isinstance(verdict.control, str):
            said["proof"] += f", {verdict.control.fired} of {verdict.control.n} with it"
        if self.tests.set_aside:
            said["features"] += f"; set aside, for they fail without it: {', '.join(self.tests.set_aside[:20])}"
        found: list[FixRung] = []
        is_open = True
        for name in RUNGS[:-1]:
            if name == self.refuted_by:
                found.append(FixRung(name, "refuted", self.doubt or verdict.reason))
                is_open = False
            elif is_open and name in self.passed:
                found.append(FixRung(name, "passed", said.get(name, "")))
            else:
                found.append(FixRung(name, "open" if is_open else "not_reached", verdict.reason if is_open else ""))
                is_open = False
        if self.flags:
            said_of = [f"{flag.file}: {flag.said}" if flag.file else flag.said for flag in self.flags[:20]]
            found.append(FixRung("touched", "flagged", "; ".join(said_of)))
        else:
            found.append(FixRung("touched", "passed" if is_open else "not_reached"))
        return (*found, FixRung("person", "not_reached", "nobody but a person says more than this"))


def _flags_of_version(target: str, fixed: str) -> tuple[Flag, ...]:
    """An earlier release that lacks the flaw is where to go back to, or another line's fix: a person says which."""
    one, other = PackageURL.from_string(target), PackageURL.from_string(fixed)
    if is_later(target, str(other.version), str(one.version)):
        return ()
    return (Flag("no_later_version", fixed, f"is no later version than {one.version}"),)
