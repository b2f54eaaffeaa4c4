# SPDX-License-Identifier: Apache-2.0
"""One attempt to reproduce a proof: from isolation to variants, collecting what the verdict names wherever it ends."""

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from packageurl import PackageURL

from clearwell.proving.archives import Registry
from clearwell.proving.ending import how_it_ended, wrong_in
from clearwell.proving.environments import BuildFailed, Control, Environment, PatchDoesNotApply, Workshop
from clearwell.proving.folder import TWO_WORDS, Feature, Input, Oracle, Proof, Side, Variant, input_bytes
from clearwell.proving.interval import clopper_pearson
from clearwell.proving.markup import acts, risky_parts
from clearwell.proving.oracles import Asked, Effect, judge
from clearwell.proving.oracles.exhaustion import LARGER_STACK, is_bare_fault, overflows
from clearwell.proving.oracles.growth import Measured, again, measure
from clearwell.proving.probe import Probe, probe
from clearwell.proving.releases import is_same_package
from clearwell.proving.running import Bench, Observation
from clearwell.proving.runtimes import light_runtimes
from clearwell.proving.sandbox import BACKENDS, DEFAULT, Escaped, Limits, Sandbox, Strength
from clearwell.proving.transcript import STEPS_MAX, Step, step_of
from clearwell.proving.verdict import Evidence, Features, Outcome, Rung, Runs, SeenVariant, Verdict
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid, NotFound, Unavailable

_STRONGEST: dict[Strength, int] = {"none": 0, "watched": 1, "enforced": 2}
_EXHIBIT_MAX = 256 << 10
_TOKEN = b"(the token of this run)"
REPORT = "target report"
"""The exhibit that a sanitizer wrote in the first run on the target; the other exhibits are what programs printed."""


class Settings(msgspec.Struct, frozen=True):
    """What the hub decides and no proof can: counts, caps, whether watched limits suffice.

    `least` is k; None means n. `offline` uses only archives that are in the cache. `with_ladder` runs the finder's ladder too.
    A finder may ask for less than a cap, yet not for less than a `least_...`: almost anything reaches a limit that is small enough.
    """

    runs: int = 3
    least: int | None = None
    wall_seconds: float = 30.0
    wall_seconds_cap: float = 120.0
    memory_mb: int = 1024
    memory_mb_cap: int = 2048
    cpu_seconds: float = 40.0
    least_wall_seconds: float = 1.0
    least_cpu_seconds: float = 4.0
    least_memory_mb: int = 128
    accept_watched: bool = True
    offline: bool = False
    with_ladder: bool = True
    backend: str = DEFAULT


class Reproduction(msgspec.Struct, frozen=True):
    """A verdict and the bytes behind its evidence that are not kept elsewhere: name -> content (outputs, reports).

    `escaped` says how a run's word got out of its box, where one did: then nothing here may be believed.
    """

    verdict: Verdict
    exhibits: dict[str, bytes]
    transcript: tuple[Step, ...] = ()
    backend: str = DEFAULT
    escaped: str | None = None


class Stop(Exception):
    """The attempt ends here with this verdict."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


class Attempt:
    """One proof being reproduced: collects what the verdict names, wherever it ends."""

    def __init__(
        self, proof: Proof, settings: Settings, control: Control | None, sandbox: Sandbox, registry: Registry, private: Path, started: float
    ) -> None:
        self.proof, self.settings, self.control, self.started = proof, settings, control, started
        self.workshop = Workshop(registry, sandbox, private)
        self.bench = Bench(sandbox, private / "proof", private / "harness", proof.harness, private, light_runtimes(registry.cache.parent))
        self.oracle = _floored(proof.file.oracle, settings)
        self.limits = _limits(proof, self.oracle, settings)
        self.evidence = [Evidence("proof", proof.folder.sha256), Evidence(f"harness {proof.harness.name}", proof.harness.folder.sha256)]
        self.exhibits: dict[str, bytes] = {}
        self.isolation: dict[str, Strength] = {}
        self.target = Runs(proof.file.target.purl)
        self.is_patch = isinstance(control, bytes)
        self.control_runs = None
        if control is not None:
            purl = proof.file.target.purl if isinstance(control, bytes) else control.purl
            self.control_runs = Runs(purl, kind=self._control_kind(control))
        self.sandbox = sandbox
        self.transcript: list[Step] = []
        self.escaped: str | None = None
        self.ended: dict[str, str] = {}
        self.benign: set[tuple[bytes, tuple[str, ...]]] = set()
        self.harmless: frozenset[str] = frozenset()
        self.passed: list[str] = []
        self.sides: dict[str, Environment] = {}
        self.refuted_by: str | None = None
        self.features = Features()
        self.wrong_on_control = ""
        self.variants: tuple[SeenVariant, ...] = ()
        self.ladder: tuple[Rung, ...] = ()

    def run(self) -> Reproduction:
        try:
            outcome, reason = self._decide()
        except Stop as stop:
            outcome, reason = stop.outcome, stop.reason
        except Escaped as error:
            outcome, reason, self.escaped = Outcome.UNAVAILABLE, str(error), str(error)
        except Unavailable as error:
            outcome, reason = Outcome.UNAVAILABLE, str(error)
        verdict = Verdict(
            verdict=outcome,
            reason=reason,
            target=self.target,
            control=self.control_runs or "none",
            assurance=self.proof.harness.assurance,
            preconditions=self.proof.harness.preconditions_of(self.proof.file.args),
            variants=self.variants,
            ladder=self.ladder,
            isolation=self.isolation,
            evidence=tuple(self.evidence),
            seconds=round(time.monotonic() - self.started, 3),
            features=self.features,
        )
        return Reproduction(verdict, self.exhibits, tuple(self.transcript), self.sandbox.backend, self.escaped)

    def prepare(self) -> tuple[Environment, frozenset[str]]:
        """Make the target's environment and run its features; return it and the markup that they print. Raises Stop."""
        self._check_isolation()
        self.proof.folder.write(self.bench.proof_folder)
        self.proof.harness.folder.write(self.bench.harness_folder)
        target = self._environment(self.proof.file.target, "target")
        return target, self._check_features(target)

    def _decide(self) -> tuple[Outcome, str]:
        target, ordinary = self.prepare()
        effects = self._repeat(target, "target", ordinary)
        fired = sum(effect.fired for effect in effects)
        self.target = msgspec.structs.replace(self.target, n=len(effects), fired=fired, signature=_signature(effects))
        least = min(self.settings.least or self.settings.runs, len(effects))
        if fired == 0:
            return self._nothing_fired(effects)
        voids = [effect.void for effect in effects if effect.void]
        if fired < least and voids:
            return Outcome.INCONCLUSIVE, f"it fired {fired} of {len(effects)} times, and otherwise nothing can be said: {voids[0]}"
        if fired < least:
            low, high = clopper_pearson(fired, len(effects))
            self.target = msgspec.structs.replace(self.target, rate=round(fired / len(effects), 4), interval=(low, high))
            said = f"it fired {fired} of {len(effects)} times; {least} are needed"
            return Outcome.FLAKY, f"{said} (its rate lies between {low:.0%} and {high:.0%}, with 95% confidence)"
        return self._against_control(target, ordinary, effects)

    def prepare_control(self, ordinary: frozenset[str], effects: list[Effect]) -> tuple[Environment | None, frozenset[str]]:
        """Make the control's environment, where there is one, and run its features; return it and the markup that is no effect there.

        `effects` are those on the target. Raises Stop.
        """
        self.harmless = _harmless(effects)
        if self.control is None:
            return None, frozenset()
        control = self._environment(self.control, "control")
        self.passed += ["applies", "builds"]
        return control, self._features_on_control(control) | self.harmless | ordinary

    def _against_control(self, target: Environment, ordinary: frozenset[str], seen: list[Effect]) -> tuple[Outcome, str]:
        said = f"it fired {sum(effect.fired for effect in seen)} of {len(seen)} times on the target"
        control, control_ordinary = self.prepare_control(ordinary, seen)
        if control is not None:
            effects = self._repeat(control, "control", control_ordinary)
            assert self.control_runs is not None
            count = sum(effect.fired for effect in effects)
            self.control_runs = msgspec.structs.replace(self.control_runs, n=len(effects), fired=count, signature=_signature(effects))
            if count:
                self.refuted_by = "proof"
                self._observe_variants(target, control, ordinary, control_ordinary)
                return Outcome.FIX_NOT_VERIFIED, f"{said}, and {count} of {len(effects)} on the control: what was to be fixed is not"
            voids = [effect.void for effect in effects if effect.void]
            if voids:
                return Outcome.INCONCLUSIVE, f"{said}; on the control {voids[0]}, so its silence shows nothing"
            said += f" and 0 of {len(effects)} on the control"
            self.passed.append("proof")
        else:
            said += "; there is no control (an unfixed flaw): features alone speak for the harness"
        self._observe_variants(target, control, ordinary, control_ordinary)
        doubt = self._doubt_of_the_fix() if control is not None else None
        if doubt is not None:
            said += f"; {doubt}"
            if self.is_patch:
                # Proof, variants and features judge a patch together; another version of the package may well differ in more.
                return Outcome.FIX_NOT_VERIFIED, said
            if self._control_is_dead:
                said += f"; nothing that the harness shows works there, so its silence shows no fix ({self.wrong_on_control})"
        if self.settings.with_ladder:
            self._climb_ladder()
        return Outcome.REPRODUCED, f"{said}; {self.features.passed} features pass on the target"

    @property
    def _control_is_dead(self) -> bool:
        """True when none of the harness's features that work on the target works on the control; a finder's own count where it has none."""
        names = [_feature_name(feature, index) for index, feature in enumerate(self.proof.features)]
        working = [name for name in names if name not in self.features.set_aside]
        own = [name for name in names[: len(self.proof.harness.file.feature)] if name in working]
        return all(name in self.features.control_failed for name in own or working)

    def _doubt_of_the_fix(self) -> str | None:
        if self.features.control_failed:
            self.refuted_by = "features"
            return f"on the control {', '.join(self.features.control_failed)} no longer works"
        self.passed.append("features")
        firing = [str(v.index) for v in self.variants if v.target_fired and v.control_fired]
        if firing:
            self.refuted_by = "variants"
            return f"variants still fire on the control: {', '.join(firing)}"
        if not any(v.target_fired and v.control_fired is None for v in self.variants):
            self.passed.append("variants")
        return None

    def _nothing_fired(self, effects: list[Effect]) -> tuple[Outcome, str]:
        elsewhere = [effect.elsewhere for effect in effects if effect.elsewhere]
        voids = [effect.void for effect in effects if effect.void]
        if elsewhere:
            return Outcome.DIFFERENT, f"it crashes, but not as asserted: {elsewhere[0]}"
        if voids:
            return Outcome.INCONCLUSIVE, f"nothing can be said: {voids[0]}"
        ended = self.ended.get("target") or next((effect.signature for effect in effects if effect.signature), None)
        seen = f" ({ended})" if ended else ""
        return Outcome.NOT_REPRODUCED, f"the effect did not show in {len(effects)} runs{seen}; the package works otherwise"

    def _check_isolation(self) -> None:
        probed: Probe = probe(self.sandbox.backend) if self.sandbox.backend in BACKENDS else probe()
        self.isolation = dict(probed.limits)
        if not probed.is_usable:
            raise Stop(Outcome.UNAVAILABLE, probed.reason)
        weak = [name for name, strength in probed.limits.items() if strength == "watched"]
        if weak and not self.settings.accept_watched:
            raise Stop(Outcome.UNAVAILABLE, f"the limits {', '.join(weak)} are only watched here, which the hub's settings refuse")

    def _environment(self, side: Control, name: str) -> Environment:
        try:
            environment = self.workshop.environment(self.proof, side, self.bench.harness_folder)
        except PatchDoesNotApply as error:
            self.refuted_by = "applies"
            raise Stop(Outcome.INCONCLUSIVE, f"{name}: {error}") from error
        except BuildFailed as error:
            if name == "control" and self.is_patch:
                self.passed.append("applies")
                self.refuted_by = "builds"
                raise Stop(Outcome.INCONCLUSIVE, f"{name}: with the patch {error}") from error
            raise Stop(Outcome.HARNESS_ERROR, f"{name}: {error}") from error
        except (NotFound, Conflict, Invalid) as error:
            raise Stop(Outcome.INCONCLUSIVE, f"{name}: {error}") from error
        for entry in environment.evidence:
            if Evidence(*entry) not in self.evidence:
                self.evidence.append(Evidence(*entry))
        self.sides[name] = environment
        if name == "target":
            self.target = msgspec.structs.replace(self.target, archive_sha256=environment.archive_sha256)
        elif name == "control" and self.control_runs is not None:
            self.control_runs = msgspec.structs.replace(self.control_runs, purl=environment.purl, archive_sha256=environment.archive_sha256)
        return environment

    def _control_kind(self, control: Control) -> str:
        if isinstance(control, bytes):
            return "patch"
        is_same = is_same_package(control.purl or "", self.proof.file.target.purl or "")
        return "same package" if is_same else "other package"

    # -- features

    def _check_features(self, environment: Environment) -> frozenset[str]:
        """Run every feature on the target; return the markup that they print, set aside or not. At least one must pass."""
        set_aside, failures, passed = [], [], 0
        seen_words: set[str | None] = set()
        ordinary: set[str] = set()
        for index, feature in enumerate(self.proof.features):
            content = self._feature_bytes(feature, index)
            seen = self._observe(environment, content, feature.args)
            ordinary |= risky_parts(seen.stdout)
            wrong = wrong_in(feature, seen)
            if wrong is None:
                passed += 1
                self.benign.add((content.strip(), feature.args))
                seen_words.add(feature.seen)
            else:
                set_aside.append(_feature_name(feature, index))
                failures.append((wrong, seen))
        self.features = Features(passed, tuple(set_aside))
        if passed == 0:
            wrong, seen = failures[0]
            self._exhibit("failed feature", seen)
            raise Stop(Outcome.HARNESS_ERROR, f"no feature works on the target, so nothing that happens there tells anything: {wrong}")
        if self.proof.file.oracle.kind in TWO_WORDS and not {"accepted", "refused"} <= seen_words:
            raise Stop(Outcome.HARNESS_ERROR, "the features do not show one genuine accepted and one wrong refused on the target")
        return frozenset(ordinary)

    def _features_on_control(self, environment: Environment) -> frozenset[str]:
        failed: list[str] = []
        ordinary: set[str] = set()
        for index, feature in enumerate(self.proof.features):
            name = _feature_name(feature, index)
            if name in self.features.set_aside:
                continue
            seen = self._observe(environment, self._feature_bytes(feature, index), feature.args)
            ordinary |= risky_parts(seen.stdout)
            wrong = wrong_in(feature, seen)
            if wrong is not None:
                self.wrong_on_control = self.wrong_on_control or wrong
                failed.append(name)
        self.features = msgspec.structs.replace(self.features, control_failed=tuple(failed))
        return frozenset(ordinary)

    def _feature_bytes(self, feature: Feature, index: int) -> bytes:
        is_harness = index < len(self.proof.harness.file.feature)
        return input_bytes(feature.input, self.proof.harness.folder if is_harness else self.proof.folder)

    # -- the proof itself

    def _repeat(self, environment: Environment, name: str, ordinary: frozenset[str]) -> list[Effect]:
        if self.oracle.kind == "growth":
            return self._repeat_growth(environment)
        effects = []
        for number in range(self.settings.runs):
            effect, seen = self.effect(environment, Variant(), ordinary)
            effects.append(effect)
            if number == 0 and seen is not None:
                self._exhibit(name, seen)
                self.ended[name] = how_it_ended(seen)
            if effect.void is not None:
                break  # more of the same would take as long and show as little
        return effects

    def effect(self, environment: Environment, variant: Variant, ordinary: frozenset[str]) -> tuple[Effect, Observation | None]:
        """Run the proof, or a variant of it, once; growth is measured at all of its sizes."""
        file, oracle = self.proof.file, self.oracle
        recipe: Input = variant.input or file.input
        arguments = file.args if variant.args is None else variant.args
        if oracle.kind == "growth":
            run, sizes = self._by_size(environment, variant)
            return _of_growth(measure(run, sizes, oracle.cpu_seconds or 0)), None
        size = oracle.sizes[-1] if oracle.sizes else None
        content = input_bytes(recipe, self.proof.folder, size)
        if (content.strip(), arguments) in self.benign:
            return Effect(False), None  # a genuine signature, replayed, is accepted as it should be
        seen = self._observe(environment, content, arguments)
        functions = oracle.functions if variant.functions is None else variant.functions
        effect = judge(Asked(oracle, functions, ordinary), seen)
        if effect.fired and is_bare_fault(oracle, seen):
            limits = msgspec.structs.replace(self.limits, stack_bytes=LARGER_STACK)
            effect = _of_fault(effect, overflows(seen, self._observe(environment, content, arguments, limits)))
        return effect, seen

    def _repeat_growth(self, environment: Environment) -> list[Effect]:
        """Measure every size once, then repeat the decisive one: the smaller ones cost time and add nothing."""
        run, sizes = self._by_size(environment, Variant())
        limit = self.oracle.cpu_seconds or 0
        measured = measure(run, sizes, limit)
        effects = [_of_growth(measured)] * min(measured.times, self.settings.runs)
        while len(effects) < self.settings.runs and effects[-1].void is None:
            effects.append(_of_growth(again(run, measured, limit)))
        return effects

    def _by_size(self, environment: Environment, variant: Variant) -> tuple[Callable[[int], Observation], tuple[int, ...]]:
        recipe = variant.input or self.proof.file.input
        arguments = self.proof.file.args if variant.args is None else variant.args
        limits = msgspec.structs.replace(self.limits, cpu_seconds=self.limits.cpu_seconds + 1.0)

        def run(size: int) -> Observation:
            return self._observe(environment, input_bytes(recipe, self.proof.folder, size), arguments, limits)

        return run, self.oracle.sizes if recipe.grows else self.oracle.sizes[-1:]

    def _observe(self, environment: Environment, content: bytes, arguments: Iterable[str], limits: Limits | None = None) -> Observation:
        seen = self.bench.observe(environment, content, tuple(arguments), limits or self.limits)
        self.note(environment, content, tuple(arguments), seen)
        return seen

    def note(self, environment: Environment, content: bytes, arguments: tuple[str, ...], seen: Observation) -> None:
        """Write a run into the transcript, and take its isolation into the verdict's."""
        if len(self.transcript) < STEPS_MAX:
            self.transcript.append(step_of(environment, arguments, content, seen))
        for name, strength in seen.result.isolation.items():
            known = self.isolation.get(name, strength)
            self.isolation[name] = min(known, strength, key=lambda s: _STRONGEST[s])

    def _observe_variants(
        self, target: Environment, control: Environment | None, ordinary: frozenset[str], control_ordinary: frozenset[str]
    ) -> None:
        seen = []
        for index, variant in enumerate(self.proof.file.variant):
            on_target, _ = self.effect(target, variant, ordinary)
            on_control = self.effect(control, variant, control_ordinary)[0] if control is not None else None
            seen.append(SeenVariant(index, _told(on_target), _told(on_control), on_target.signature if on_target.fired else None))
        self.variants = tuple(seen)

    def _climb_ladder(self) -> None:
        """Run the proof once on every version that the finder states; a version that cannot be had is named, not guessed."""
        rungs = []
        target = self.proof.file.target
        package = PackageURL.from_string(target.purl or "")
        for stated, versions in (("fires", self.proof.file.ladder.fires), ("clean", self.proof.file.ladder.clean)):
            for version in versions:
                purl = package._replace(version=version).to_string()
                try:
                    environment = self._environment(Side(purl=purl, archive=target.archive, root=target.root), "ladder")
                    ordinary = frozenset(self._ordinary(environment)) | self.harmless
                    effect, _ = self.effect(environment, Variant(), ordinary)
                except Escaped:
                    raise
                except (Stop, ClearwellError) as error:
                    rungs.append(Rung(version, stated, None, str(error)))
                    continue
                rungs.append(Rung(version, stated, _told(effect), effect.void or effect.elsewhere))
        self.ladder = tuple(rungs)

    def _ordinary(self, environment: Environment) -> set[str]:
        if self.proof.file.oracle.kind != "output":
            return set()
        found: set[str] = set()
        for index, feature in enumerate(self.proof.features):
            found |= risky_parts(self._observe(environment, self._feature_bytes(feature, index), feature.args).stdout)
        return found

    def _exhibit(self, name: str, seen: Observation) -> None:
        parts = [("stdout", seen.result.stdout), ("stderr", seen.result.stderr), *(("report", r.encode()) for r in seen.reports[:1])]
        for kind, content in parts:
            if content:
                kept = content.replace(seen.token.encode(), _TOKEN)[:_EXHIBIT_MAX]
                self.exhibits[f"{name} {kind}"] = kept
                self.evidence.append(Evidence(f"{name} {kind}", hashlib.sha256(kept).hexdigest()))


def _floored(oracle: Oracle, settings: Settings) -> Oracle:
    if oracle.cpu_seconds is None:
        return oracle
    return msgspec.structs.replace(oracle, cpu_seconds=min(settings.wall_seconds_cap, max(oracle.cpu_seconds, settings.least_cpu_seconds)))


def _limits(proof: Proof, oracle: Oracle, settings: Settings) -> Limits:
    wishes = proof.file.limits
    wall = settings.wall_seconds if wishes.wall_seconds is None else max(wishes.wall_seconds, settings.least_wall_seconds)
    wall = min(settings.wall_seconds_cap, wall)
    memory = settings.memory_mb if wishes.memory_mb is None else max(wishes.memory_mb, settings.least_memory_mb)
    memory = min(settings.memory_mb_cap, memory)
    cpu = settings.cpu_seconds
    if oracle.cpu_seconds is not None:
        cpu = oracle.cpu_seconds
        wall = max(wall, min(settings.wall_seconds_cap, 4 * cpu + 5))  # a busy machine is no effect
    return Limits(wall_seconds=wall, cpu_seconds=cpu, memory_bytes=memory << 20)


def _harmless(effects: list[Effect]) -> frozenset[str]:
    """Plain tags that came along with something that acts: a fix that takes away what acts and leaves them is one."""
    found = frozenset[str]().union(*(effect.markup for effect in effects))
    acting = frozenset(part for part in found if acts(part))
    return found - acting if acting else frozenset()


def _of_fault(effect: Effect, is_overflow: bool | None) -> Effect:
    """A fault without a report counts as a stack's overflow only where a larger stack makes a difference."""
    if is_overflow is None:
        return Effect(False, void="it died of SIGSEGV, and without a measure of memory a stack that overflows looks like any other fault")
    return effect if is_overflow else Effect(False, elsewhere="SIGSEGV, which a larger stack does not change")


def _of_growth(measured: Measured) -> Effect:
    return Effect(measured.fires, measured.signature, void=None if measured.fires else measured.void)


def _feature_name(feature: Feature, index: int) -> str:
    words = " ".join(feature.args)
    return f"feature {index}" + (f" ({words[:80]})" if words else "")


def _signature(effects: list[Effect]) -> str | None:
    return next((effect.signature for effect in effects if effect.fired), effects[0].signature if effects else None)


def _told(effect: Effect | None) -> bool | None:
    return None if effect is None or effect.void is not None else effect.fired
