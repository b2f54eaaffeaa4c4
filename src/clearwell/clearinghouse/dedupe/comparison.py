# SPDX-License-Identifier: Apache-2.0
"""Two findings side by side, line by line, with what they share marked: what a person looks at before joining or keeping them apart."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import msgspec

from clearwell.vocabulary.finding import Finding

_WORD = re.compile(r"\d+(?:\.\d+)+\w*|[A-Za-z]+-\d+|\w+|\s+|[^\w\s]")
"""A word, a space or a sign; a version or a number such as CWE-80 is one word, since half of it tells nothing."""
_MOST_WORDS = 1_200
"""Words of one text that are compared; what follows is shown unmarked. Keeps the quadratic comparison to some milliseconds."""


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text that both sides have at this place, or that only this side has."""

    text: str
    is_common: bool


class Side(msgspec.Struct, frozen=True):
    """One side of a line: its pieces in order; empty when this finding does not say."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(piece.text for piece in self.pieces)


class ComparedLine(msgspec.Struct, frozen=True):
    """One thing that findings say (title, version, frame 1 ...), on both sides."""

    name: str
    left: Side
    right: Side

    @property
    def is_equal(self) -> bool:
        """True when both sides say the same."""
        return self.left.text == self.right.text


def compare(left: Finding, right: Finding) -> tuple[ComparedLine, ...]:
    """Return everything that either finding says, in the order in which a person would check it. Nothing is decided here."""
    both = (_said(left), _said(right))
    names = list(dict.fromkeys(name for said in both for name in said))
    return tuple(ComparedLine(name, *_marked(both[0].get(name, ""), both[1].get(name, ""))) for name in sorted(names, key=_place))


_ORDER = ("component", "version", "weakness", "title", "message", "place", "crash", "frame", "rule", "tool", "fingerprint", "precondition")


def _place(name: str) -> tuple[int, int]:
    kind, _, number = name.partition(" ")
    return _ORDER.index(kind), int(number or 0)


def _said(finding: Finding) -> dict[str, str]:
    product, crash, origin = finding.product, finding.crash, finding.origin
    said = {
        "component": product.component if product else "",
        "version": (product.version or "") if product else "",
        "weakness": ", ".join(weakness.id for weakness in finding.weaknesses),
        "title": finding.title,
        "message": finding.message,
        "rule": finding.rule or "",
        "tool": " ".join(part for part in (origin.tool, origin.tool_version, origin.model, origin.model_version) if part),
    }
    if crash is not None:
        said["crash"] = " ".join(part for part in (crash.sanitizer, (crash.type or "").replace("\n", " "), crash.access) if part)
        said |= _numbered("frame", [_at(frame.function, frame.file, frame.line) for frame in crash.frames[:8]])
    said |= _numbered("place", [_at(place.function, place.file, place.line) for place in finding.locations[:5]])
    said |= _numbered("fingerprint", [f"{name}: {value}" for name, value in finding.fingerprints[:5]])
    said |= _numbered("precondition", list(finding.preconditions[:5]))
    return {name: text for name, text in said.items() if text}


def _at(function: str | None, file: str | None, line: int | None) -> str:
    where = f"{file or ''}{f':{line}' if line is not None else ''}"
    return " in ".join(part for part in (function, where) if part)


def _numbered(name: str, texts: Sequence[str]) -> dict[str, str]:
    return {f"{name} {number}": text for number, text in enumerate(texts, 1)}


def _marked(left: str, right: str) -> tuple[Side, Side]:
    if left == right:
        same = Side((Piece(left, True),)) if left else Side(())
        return same, same
    a, b = _WORD.findall(left), _WORD.findall(right)
    sides: tuple[list[Piece], list[Piece]] = ([], [])
    matcher = SequenceMatcher(None, a[:_MOST_WORDS], b[:_MOST_WORDS], autojunk=False)
    at = [0, 0]
    for block in matcher.get_matching_blocks():
        for side, words, start in ((0, a, block.a), (1, b, block.b)):
            if start > at[side]:
                sides[side].append(Piece("".join(words[at[side] : start]), False))
            if block.size:
                shared = "".join(words[start : start + block.size])
                sides[side].append(Piece(shared, any(map(str.isalnum, shared))))  # that both have a comma says nothing
            at[side] = start + block.size
    for side, words in ((0, a), (1, b)):
        if at[side] < len(words):
            sides[side].append(Piece("".join(words[at[side] :]), False))
    return Side(tuple(sides[0])), Side(tuple(sides[1]))
