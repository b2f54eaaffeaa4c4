# SPDX-License-Identifier: Apache-2.0
"""Similarity (rung L2): how much two findings of one component look like one flaw, with each signal shown. It orders a person's queue.

The score adds up what speaks for and against, weighted by how rare what is shared is within the component: a commit that introduced
half of a project's reports says little, a function that stands in two stacks says much. It merges nothing.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from rapidfuzz import fuzz

from clearwell.clearinghouse.dedupe.sketch import Sketch

LEAST = 0.005
"""Pairs that score less are not suggested: of those that score this, about one in ten was one flaw (measured, docs/adr/0019)."""
_DEPTHS = (0.5, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05)
_MOST_POSTINGS = 100
_MOST_CANDIDATES = 25
_NEAR = 60

# Weights of the signals, as logarithms of odds; fitted on one half of the hard set's projects, rounded, tried on the other (docs/adr/0019).
_COMMIT, _OTHER_COMMIT = 0.7, -3.2
_FUNCTION, _STACK, _NAMES = 0.25, 0.6, 0.5
_CLASS, _FAMILY = 0.9, 0.5
_FILE, _FILE_NAME, _LINE, _RULE = 0.35, 0.3, 0.8, 0.8
_OTHER_FILE = -1.0
_MARK = 2.0
_TEXT, _CODE = 1.4, 1.6
_CROWD = 0.85
"""Against every pair: of n findings of a component few are the same as this one (a share of the logarithm of n)."""


_RELATED = (
    frozenset({"memory", "lifetime", "uninitialized", "integer", "null", "divide", "format-string", "type"}),
    frozenset({"cipher", "hash", "random"}),
    frozenset({"code", "command", "deserialization", "pollution", "markup"}),
    frozenset({"complexity", "exhaustion", "recursion"}),
    frozenset({"authorization", "authentication", "trust-boundary", "disclosure", "protection"}),
)
"""Weakness families that tools use for one flaw: they speak neither for it nor against it."""
_ONE_RUN = -2.5


class Signal(msgspec.Struct, frozen=True):
    """One thing that speaks for (or, below zero, against) two findings being one flaw, and how much."""

    signal: str
    value: str
    weight: float


class Suggestion(msgspec.Struct, frozen=True):
    """Two findings (numbers in what was given, the smaller first) that may be one flaw. `score` is between 0 and 1: a rough chance."""

    one: int
    other: int
    score: float
    signals: tuple[Signal, ...]


class Rare(Protocol):
    """Where `compare` learns how rare things are within a component, and how many findings it has."""

    @property
    def sizes(self) -> Mapping[str | None, int]:
        """The number of findings of each component."""

    def of(self, component: str | None, token: str) -> float:
        """The rarity of a token in a component."""

    def sum_of(self, component: str | None, kind: str, values: Iterable[str]) -> float:
        """The rarities of several tokens of one kind, together."""


class Rarity:
    """How rare each token is within its component: 0 for what every finding has, the logarithm of their number for what one alone has."""

    def __init__(self, sketches: Sequence[Sketch]) -> None:
        self.sizes = Counter(sketch.component for sketch in sketches)
        self._seen = Counter((sketch.component, token) for sketch in sketches for token in sketch.tokens())
        self._known: dict[tuple[str | None, str], float] = {}

    def of(self, component: str | None, token: str) -> float:
        """The rarity of a token in a component."""
        place = (component, token)
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = rarity(self._seen[place], self.sizes[component])
        return found

    def sum_of(self, component: str | None, kind: str, values: Iterable[str]) -> float:
        """The rarities of several tokens of one kind, together."""
        return sum([self.of(component, f"{kind}:{value}") for value in values])


def rarity(seen: int, size: int) -> float:
    """The rarity of what `seen` of `size` findings have: how many times likelier a pair of one flaw shares it, as a logarithm."""
    return max(0.0, math.log((size + 1) / (seen + 0.5))) if size > 0 else 0.0


def suggest(sketches: Sequence[Sketch], most: int = 5, least: float = LEAST) -> tuple[Suggestion, ...]:
    """Return for each finding its `most` likeliest others, best first; each pair once. Only findings of one component are compared."""
    rare = Rarity(sketches)
    postings: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(sketches):
        if one.component is not None:
            for token in one.tokens():
                postings.setdefault((one.component, token), []).append(number)
    found: dict[tuple[int, int], Suggestion] = {}
    for number, one in enumerate(sketches):
        scored = [_suggested(sketches, number, other, rare) for other in _candidates(number, one, postings, rare)]
        for suggestion in sorted(scored, key=lambda s: (-s.score, s.one, s.other))[:most]:
            if suggestion.score >= least:
                found[suggestion.one, suggestion.other] = suggestion
    return tuple(sorted(found.values(), key=lambda s: (-s.score, s.one, s.other)))


def _candidates(number: int, one: Sketch, postings: Mapping[tuple[str, str], list[int]], rare: Rare) -> list[int]:
    """The findings that share the rarest tokens with this one, by how rare what they share is; the commonest tokens find nobody."""
    if one.component is None:
        return []
    weights: Counter[int] = Counter()
    for token in one.tokens():
        holders = postings[one.component, token]
        if 1 < len(holders) <= _MOST_POSTINGS:
            weight = rare.of(one.component, token)
            for other in holders:
                weights[other] += weight  # type: ignore[assignment]  # a Counter adds up whatever is added
    weights.pop(number, None)
    return [other for other, _ in weights.most_common(_MOST_CANDIDATES)]


def _suggested(sketches: Sequence[Sketch], one: int, other: int, rare: Rare) -> Suggestion:
    first, second = min(one, other), max(one, other)
    signals = compare(sketches[first], sketches[second], rare)
    return Suggestion(first, second, score_of(signals), signals)


def score_of(signals: Sequence[Signal]) -> float:
    """Bring the sum of the signals between 0 and 1."""
    total = sum([signal.weight for signal in signals])
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))), 4)


def compare(one: Sketch, other: Sketch, rare: Rare) -> tuple[Signal, ...]:
    """Return what speaks for and against these two being one flaw; nothing for findings of two components."""
    if one.component is None or one.component != other.component:
        return ()
    found = [*_run(one, other), *_commits(one, other, rare), *_stacks(one, other, rare), *_places(one, other, rare)]
    found += [*_kinds(one, other), *_words(one, other)]
    size = rare.sizes[one.component]
    crowd = Signal("crowd", f"{size} findings of this component", -_CROWD * math.log(max(1, size)))
    return tuple(signal for signal in (*found, crowd) if abs(signal.weight) >= 0.01)


def _run(one: Sketch, other: Sketch) -> list[Signal]:
    """A scanner that names two things in one run means two; a fuzzer's crashes of one night may well be one."""
    is_one = one.run is not None and one.run == other.run and one.crash is None and other.crash is None
    return [Signal("one run", "the tool told them apart", _ONE_RUN)] if is_one else []


def _commits(one: Sketch, other: Sketch, rare: Rare) -> list[Signal]:
    shared = sorted(set(one.introduced) & set(other.introduced))
    if shared:
        weight = max(rare.of(one.component, f"commit:{commit}") for commit in shared)
        return [Signal("introduced", shared[0], 0.8 + _COMMIT * weight)]
    if one.introduced and other.introduced:
        return [Signal("introduced elsewhere", f"{one.introduced[0][:12]} and {other.introduced[0][:12]}", _OTHER_COMMIT)]
    return []


def _stacks(one: Sketch, other: Sketch, rare: Rare) -> list[Signal]:
    """Shared functions: the rarest of them, and how far up both stacks they all stand (position-weighted, gaps allowed)."""
    shared = [function for function in dict.fromkeys(one.functions) if function in other.functions]
    signals = []
    if shared:
        best = max(shared, key=lambda function: rare.of(one.component, f"function:{function}"))
        signals.append(Signal("function", best, _FUNCTION * rare.of(one.component, f"function:{best}")))
        high = sum(_depth(one, function) + _depth(other, function) for function in shared) / 2
        whole = (sum(_DEPTHS[: len(one.functions)]) + sum(_DEPTHS[: len(other.functions)])) / 2 or 1.0
        signals.append(Signal("stack", f"{len(shared)} frames of {len(one.functions)} and {len(other.functions)}", _STACK * high / whole))
    both = one.words & other.words
    if both:
        shared_weight = rare.sum_of(one.component, "word", both)
        whole = shared_weight + rare.sum_of(one.component, "word", one.words ^ other.words)
        signals.append(Signal("names", " ".join(sorted(both)[:6]), _NAMES * shared_weight / (whole or 1.0)))
    return signals


def _depth(sketch: Sketch, function: str) -> float:
    at = sketch.functions.index(function)
    return _DEPTHS[at] if at < len(_DEPTHS) else 0.0


def _places(one: Sketch, other: Sketch, rare: Rare) -> list[Signal]:
    """The same file, or one of the same name elsewhere (moved); lines count where files agree, and drift with distance."""
    signals: list[Signal] = []
    same = [file for file in one.files if file in other.files]
    moved = [] if same else [(mine, theirs) for mine in one.files for theirs in other.files if _name(mine) == _name(theirs)]
    if same:
        signals.append(Signal("file", same[0], 0.3 + _FILE * rare.of(one.component, f"file:{same[0]}")))
    elif moved:
        mine, theirs = max(moved, key=lambda pair: _common_end(*pair))
        name = _name(mine)
        share = _common_end(mine, theirs) / max(mine.count("/") + 1, theirs.count("/") + 1)
        weight = (0.3 + _FILE_NAME * rare.of(one.component, f"name:{name}")) * (0.6 + 0.4 * share)
        signals.append(Signal("moved file", f"{mine} and {theirs}", weight))
    if (same or moved) and one.line is not None and other.line is not None:
        apart = abs(one.line - other.line)
        signals.append(Signal("line", f"{one.line} and {other.line}", _LINE * max(0.0, 1 - apart / _NEAR)))
    if one.files and other.files and not (same or moved or one.crash or other.crash):
        signals.append(Signal("other file", f"{one.files[0]} and {other.files[0]}", _OTHER_FILE))
    if one.rule is not None and one.rule == other.rule and (same or moved):
        signals.append(Signal("rule", one.rule, _RULE))
    marks = [mark for mark in one.marks if mark in other.marks]
    if marks:
        signals.append(Signal("mark", marks[0], _MARK))
    return signals


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def _common_end(mine: str, theirs: str) -> int:
    """How many parts of two paths agree from their ends."""
    count = 0
    for a, b in zip(reversed(mine.split("/")), reversed(theirs.split("/")), strict=False):
        if a != b:
            break
        count += 1
    return count


def _kinds(one: Sketch, other: Sketch) -> list[Signal]:
    if one.crash is not None and other.crash is not None:
        if one.crash == other.crash:
            return [Signal("crash", one.crash, _CLASS)]
        same_word = set(one.crash.split()) & set(other.crash.split()) - {"read", "write"}
        return [Signal("crash", f"{one.crash} and {other.crash}", _CLASS * 0.3 if same_word else 0.0)]
    ids, others = {weakness.id for weakness in one.weaknesses}, {weakness.id for weakness in other.weaknesses}
    families, their = {weakness.family for weakness in one.weaknesses}, {weakness.family for weakness in other.weaknesses}
    if ids & others:
        return [Signal("weakness", min(ids & others), _FAMILY * 1.4)]
    if families & their:
        return [Signal("weakness", f"{min(families & their)}: {min(ids)} and {min(others)}", _FAMILY)]
    if any(families & group and their & group for group in _RELATED):
        return []
    if families and their:
        return [Signal("weakness", f"{min(ids)} and {min(others)}", -2 * _FAMILY)]
    return []


def _words(one: Sketch, other: Sketch) -> list[Signal]:
    signals = []
    if one.text and other.text:
        alike = fuzz.token_set_ratio(one.text, other.text, score_cutoff=40) / 100
        if alike:
            signals.append(Signal("words", f"{alike:.0%} alike", _TEXT * max(0.0, alike - 0.4) / 0.6))
    if one.code and other.code:
        share = len(one.code & other.code) / min(len(one.code), len(other.code))
        signals.append(Signal("code", f"{share:.0%} of the shorter quote", _CODE * share))
    return signals
