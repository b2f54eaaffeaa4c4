# SPDX-License-Identifier: Apache-2.0
"""Suggestions in a hub: pairs of cases that may be one flaw, how likely, why, and what a person made of them. They join nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from clearwell.clearinghouse.dedupe.similarity import LEAST, Signal, compare, rarity, score_of
from clearwell.clearinghouse.dedupe.sketch import Sketch, number_of
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import CaseId, FindingId, parse_id

MOST_POSTINGS = 100
"""What more reports of a component have finds nobody: it is counted on, but no longer says which reports have it."""
MOST_CANDIDATES = 25
MOST = 5
"""Suggestions for one new case at most."""
_FLAT = "word:"
"""Words of names are too many to be counted in a hub; they weigh alike (docs/adr/0024 has what that costs: nothing measurable)."""


class SuggestionState(StrEnum):
    """`open` and `undone` wait for a person; `undone` was accepted and taken back. `different` is for ever. `withdrawn` no longer holds."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DIFFERENT = "different"
    UNDONE = "undone"
    WITHDRAWN = "withdrawn"


class KeptSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """Two cases, the smaller id first, with the report of each that was compared; `score` is a rough chance, `version` the rule's."""

    one: CaseId
    other: CaseId
    one_finding: FindingId
    other_finding: FindingId
    score: float
    signals: tuple[Signal, ...]
    version: int
    state: SuggestionState
    suggested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def pair(self) -> tuple[CaseId, CaseId]:
        """The two cases."""
        return self.one, self.other

    @property
    def place(self) -> "Place":
        """Where it stands in the queue."""
        return Place(self.score, self.one, self.other)


class Place(msgspec.Struct, frozen=True):
    """A place in the queue, which goes by score, then by cases."""

    score: float
    one: CaseId
    other: CaseId

    def __str__(self) -> str:
        return f"{self.score}~{self.one}~{self.other}"


_SCORE = re.compile(r"[01]\.[0-9]{1,4}")


def place_of(text: str) -> Place:
    """Read a place as `str` writes it; raise Invalid."""
    score, *cases = text[:100].split("~")
    if len(cases) != 2 or _SCORE.fullmatch(score) is None:
        raise Invalid("`after` is what the page before gave as `next`")
    one, other = (CaseId(parse_id("case", case)) for case in cases)
    return Place(float(score), one, other)


class Speaker(msgspec.Struct, frozen=True):
    """A report that speaks for its case: what of it is compared. `number` is its place in the index."""

    number: int
    finding: FindingId
    case: CaseId
    sketch: Sketch


class Posting(msgspec.Struct, frozen=True):
    """One stored token: how many reports have it, and which, unless they are too many."""

    seen: int = 0
    numbers: tuple[int, ...] = ()

    def add(self, numbers: Sequence[int]) -> "Posting":
        """The posting with further reports."""
        seen = self.seen + len(numbers)
        return Posting(seen, (*self.numbers, *numbers) if seen <= MOST_POSTINGS else ())


class StoredRarity:
    """How rare things are, as the index counts them."""

    def __init__(self, postings: Mapping[int, Posting]) -> None:
        self._postings = postings
        self._rarities: dict[int, float] = {}
        self.sizes = _Sizes(postings)

    def of(self, component: str | None, token: str) -> float:
        """The rarity of a token in a component."""
        if token.startswith(_FLAT):
            return 1.0
        number = number_of(token, component or "")
        found = self._rarities.get(number)
        if found is None:
            seen = self._postings[number].seen if number in self._postings else 1
            found = self._rarities[number] = rarity(seen, self.sizes[component])
        return found

    def sum_of(self, component: str | None, kind: str, values: Iterable[str]) -> float:
        """The rarities of several tokens of one kind, together."""
        return sum([self.of(component, f"{kind}:{value}") for value in values])


class _Sizes(dict[str | None, int]):
    """The number of reports of a component: that of an empty token, which each of them has."""

    def __init__(self, postings: Mapping[int, Posting]) -> None:
        super().__init__()
        self._postings = postings

    def __missing__(self, component: str | None) -> int:
        found = self._postings.get(number_of("", component or ""), Posting()).seen
        self[component] = found
        return found


class Indexed(msgspec.Struct, frozen=True):
    """A sketch with its tokens' numbers, for the index; the first stands for the component itself. `copies` are those of no component."""

    sketch: Sketch
    numbers: tuple[int, ...]
    copies: tuple[int, ...]


def indexed(sketch: Sketch) -> Indexed:
    """Return what the index keeps of a sketch, a bounded number of tokens."""
    component = sketch.component or ""
    return Indexed(sketch, tuple(dict.fromkeys(number_of(token, component) for token in ("", *sketch.stored()))), copies_of(sketch))


def copies_of(sketch: Sketch) -> tuple[int, ...]:
    """The numbers by which copies of the same source in other components are found."""
    return tuple(map(number_of, sketch.copies()))


def candidates(own: int, one: Indexed, postings: Mapping[int, Posting]) -> tuple[int, ...]:
    """The numbers of reports that share the rarest tokens with this one, by how rare what they share is."""
    weights: Counter[int] = Counter()
    size = postings[one.numbers[0]].seen
    for number in one.numbers:
        posting = postings[number]
        weight = rarity(posting.seen, size)
        if weight:
            for other in posting.numbers:
                weights[other] += weight  # type: ignore[assignment]  # a Counter adds up whatever is added
    weights.pop(own, None)
    return tuple(other for other, _ in weights.most_common(MOST_CANDIDATES))


def likeliest(one: Speaker, others: Iterable[Speaker], rare: StoredRarity, version: int, now: datetime) -> tuple[KeptSuggestion, ...]:
    """The likeliest of some candidates to be one flaw with this report, best first; each case once, its own never."""
    best: dict[CaseId, KeptSuggestion] = {}
    for other in others:
        if other.case == one.case:
            continue
        first, second = sorted((one, other), key=lambda speaker: speaker.case)
        found = compare(first.sketch, second.sketch, rare)
        score = score_of(found) if found else 0.0
        signals = tuple(Signal(signal.signal, signal.value, round(signal.weight, 3)) for signal in found)
        if score >= LEAST and (other.case not in best or score > best[other.case].score):
            best[other.case] = KeptSuggestion(
                one=first.case, other=second.case, one_finding=first.finding, other_finding=second.finding, score=score, signals=signals,
                version=version, state=SuggestionState.OPEN, suggested_at=now,
            )  # fmt: skip
    return tuple(sorted(best.values(), key=lambda made: (-made.score, made.pair)))[:MOST]
