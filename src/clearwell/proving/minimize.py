# SPDX-License-Identifier: Apache-2.0
"""A minimizer: the same flaw with less input. Delta debugging (Zeller and Hildebrandt, 2002) on parts, lines and bytes, boundedly.

An input is kept when the oracle fires on it with the same class of effect (for a sanitizer that is class, access and first project
frame, else the oracle's own) and is silent on the control. The whole verdict is asked once more before anything is written.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Stop
from clearwell.proving.folder import Input, Proof, Variant, input_bytes
from clearwell.proving.markup import acts
from clearwell.proving.oracles import Effect
from clearwell.proving.reproduction import Settings, attempting, reproduce_proof
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import Conflict

_Item = TypeVar("_Item")
Holds = Callable[[Input], bool]
_TEXT_MAX = 4096


class Minimized(msgspec.Struct, frozen=True):
    """A smaller input with the same effect; sizes in bytes, `runs` counts the tries."""

    input: Input
    before: int
    after: int
    runs: int


class _Spent(Exception):
    """The bound on runs is reached."""


def minimize(proof: Proof, settings: Settings, *, runs: int, sandbox: Sandbox | None = None, registry: Registry | None = None) -> Minimized:
    """Shrink the proof's input with at most `runs` tries on the target; the verdict stays `reproduced`.

    Raises Conflict when the proof is not reproduced to begin with, or the smaller one would not be.
    """
    _require(proof, settings, sandbox, registry, "the proof is")
    tries = 0
    with attempting(proof, msgspec.structs.replace(settings, runs=1, least=1), None, sandbox, registry) as attempt:
        try:
            target, ordinary = attempt.prepare()
            first = attempt.effect(target, Variant(), ordinary)[0]
            control, control_ordinary = attempt.prepare_control(ordinary, [first])
        except Stop as stop:
            raise Conflict(f"the proof cannot be run: {stop.reason}") from stop

        def holds(recipe: Input) -> bool:
            nonlocal tries
            if tries >= runs:
                raise _Spent
            tries += 1
            seen = attempt.effect(target, Variant(input=recipe), ordinary)[0]
            if not seen.fired or class_of(seen) != class_of(first):
                return False
            return control is None or not attempt.effect(control, Variant(input=recipe), control_ordinary)[0].fired

        size = proof.file.oracle.sizes[-1] if proof.file.oracle.sizes else None
        smaller = shrink(proof.file.input, input_bytes(proof.file.input, proof.folder, size), holds)
    if smaller != proof.file.input:
        _require(replaced(proof, smaller), settings, sandbox, registry, "the smaller proof would be")
    before, after = (len(input_bytes(recipe, proof.folder, size)) for recipe in (proof.file.input, smaller))
    return Minimized(smaller, before, after, tries)


def replaced(proof: Proof, recipe: Input) -> Proof:
    """Return the proof with another input."""
    return msgspec.structs.replace(proof, file=msgspec.structs.replace(proof.file, input=recipe))


def class_of(effect: Effect) -> str:
    """What must stay the same: a sanitizer's class, access and first frame (a size may change); of others, the kind of effect.

    Markup that runs or loads something stays such: a plain tag shows less.
    """
    signature = effect.signature or ""
    if " | " not in signature:
        return signature.partition(":")[0] + (" that acts" if any(map(acts, effect.markup)) else "")
    what, _, frames = signature.partition(" | ")
    return " ".join(word for word in what.split() if not word.isdigit()) + " | " + frames.split(" < ")[0]


def shrink(recipe: Input, content: bytes, holds: Holds) -> Input:
    """Return the smallest recipe found for which `holds` is true; where the bound is reached, the smallest so far."""
    best = [recipe]

    def better(candidate: Input) -> bool:
        if candidate == best[0] or not holds(candidate):
            return False
        best[0] = candidate
        return True

    try:
        if recipe.parts is not None:
            _shrink_parts(recipe.parts, better)
        else:
            lines = _fewer(content.splitlines(keepends=True), lambda kept: better(_recipe(b"".join(kept))))
            _fewer([bytes([byte]) for byte in b"".join(lines)], lambda kept: better(_recipe(b"".join(kept))))
    except _Spent:
        pass
    return best[0]


def _shrink_parts(parts: tuple[str | tuple[str, int | str], ...], better: Holds) -> None:
    kept = _fewer(list(parts), lambda some: better(Input(parts=tuple(some))))
    kept = _fewer_times(kept, better)
    for place, part in enumerate(kept):
        if isinstance(part, str):
            kept[place] = "".join(_fewer(list(part), lambda some, at=place: better(_with(kept, at, "".join(some)))))  # type: ignore[misc]
        elif isinstance(part[1], int):
            text = part[0]
            kept[place] = (text, _fewest(part[1], lambda times, at=place, of=text: better(_with(kept, at, (of, times)))))  # type: ignore[misc]


def _fewer_times(parts: list[str | tuple[str, int | str]], better: Holds) -> list[str | tuple[str, int | str]]:
    """Repeat parts less often that are repeated equally often, all at once: what opens and what closes keep together."""
    counts = [part[1] for part in parts if not isinstance(part, str) and isinstance(part[1], int)]
    for count in sorted({count for count in counts if counts.count(count) > 1}, reverse=True):
        least = _fewest(count, lambda times, of=count: better(Input(parts=_repeated(parts, of, times))))  # type: ignore[misc]
        parts[:] = _repeated(parts, count, least)
    return parts


def _repeated(parts: list[str | tuple[str, int | str]], count: int, times: int) -> tuple[str | tuple[str, int | str], ...]:
    return tuple((part[0], times) if not isinstance(part, str) and part[1] == count else part for part in parts)


def _fewest(times: int, is_enough: Callable[[int], bool]) -> int:
    """The fewest repetitions that are enough, as far as more means more."""
    low, high = 0, times
    while high - low > 1:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle
    return high


def _with(parts: list[str | tuple[str, int | str]], place: int, part: str | tuple[str, int | str]) -> Input:
    return Input(parts=tuple(part if at == place else one for at, one in enumerate(parts)))


def _fewer(items: Sequence[_Item], is_enough: Callable[[list[_Item]], bool]) -> list[_Item]:
    """ddmin: leave out chunks, ever smaller ones, as long as what is left is enough."""
    kept, chunk = list(items), max(1, len(items) // 2)
    while kept:
        place, is_less = 0, False
        while place < len(kept):
            less = kept[:place] + kept[place + chunk :]
            if less and is_enough(less):
                kept, is_less = less, True
            else:
                place += chunk
        if chunk == 1 and not is_less:
            break
        chunk = max(1, chunk // 2) if not is_less or chunk > 1 else 1
    return kept


def _recipe(content: bytes) -> Input:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Input(hex=content.hex())
    plain = all(character.isprintable() or character in "\n\t" for character in text)
    return Input(text=text) if plain else Input(hex=content.hex())


def _require(proof: Proof, settings: Settings, sandbox: Sandbox | None, registry: Registry | None, what: str) -> None:
    quick = msgspec.structs.replace(settings, with_ladder=False)
    verdict = reproduce_proof(proof, quick, sandbox=sandbox, registry=registry).verdict
    if verdict.verdict != Outcome.REPRODUCED:
        raise Conflict(f"{what} {verdict.verdict.value}, not reproduced: {verdict.reason}")
