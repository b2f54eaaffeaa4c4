# SPDX-License-Identifier: Apache-2.0
"""Quotation: where a quoted piece of code stands in a file, whatever its white space and comments. Pure, and linear in the file."""

import bisect
import html
import re
from collections.abc import Sequence

import msgspec

from clearwell.vocabulary.omission import MARKER

SHORTEST = 8
"""Characters that are no space below which a quote stands anywhere and shows nothing."""
_MOST = 50
_HASHED = frozenset({".py", ".pyi", ".pyx", ".rb", ".sh", ".pl", ".yml", ".yaml", ".toml", ".cmake", ".r"})
_SLASHED = re.compile(r"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?|`(?:\\.|[^`\\])*+`?")
_SHARPED = re.compile(r"#[^\n]*|\"\"\"[\s\S]*?(?:\"\"\"|\Z)|\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?")
_SPACE = re.compile(r"\s+")
_ELISION = re.compile(r"^[ \t]*(?:(?://|#|/\*)[ \t]*)?(?:\.{3,}|…|\[\.\.\.\]|\[…\]|<snip>)[ \t]*(?:\*/)?[ \t]*$", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*(?:(?:=>|-->|->|>>>?|[>+*→-])[ \t]*)?L?[0-9]{1,7}(?:[ \t]?[:|]|[ \t])")
# What people and tools write around code: looked for only after the quote as it stands was not found.
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_CARETS = re.compile(r"^[ \t|:]*[\^~][\^~ \t-]*(?:[ \t][^\n]*)?$", re.MULTILINE)
_ARROW = re.compile(r"[ \t]+(?://|#|/\*)?[ \t]*(?:<-{1,3}|<={2,3}|←|⟵|◄)(?![-=\w])[^\n]*$", re.MULTILINE)
_POINTED = re.compile(r"^[ \t]*(?:>>>|==>|=>|-->|->|→|►)[ \t]", re.MULTILINE)
_HUNK = re.compile(r"^@@ [^\n]{0,200}$\n?|^(?:diff --git|index|---|\+\+\+) [^\n]{0,400}$\n?", re.MULTILINE)
_LABEL = re.compile(r"^\s*(?://|#|/\*|--)[^\n]*\n")
_REMARK = re.compile(r"[ \t](?://|#|/\*)[^\n]*\s*\Z")
_TOLD = re.compile(r"^[ \t]*(?://|#|/\*|--)[^\n]*(?:\.{3}|…)[^\n]*$", re.MULTILINE)


class Squeezed(msgspec.Struct, frozen=True):
    """A text without white space (and comments), and for each piece of it the line from which it comes."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    def line_at(self, place: int) -> int:
        """The line, from 1, of a character of the squeezed text."""
        return self.lines[max(0, bisect.bisect_right(self.starts, place) - 1)]


def squeeze(text: str, suffix: str, *, with_comments: bool) -> Squeezed:
    """Take white space away, and comments by the language's own sign (`suffix`, such as `.py`)."""
    if not with_comments:
        pattern = _SHARPED if suffix in _HASHED else _SLASHED
        text = pattern.sub(_without, text)
    pieces, starts, lines, size = [], [], [], 0
    for number, line in enumerate(text.split("\n"), 1):
        piece = _SPACE.sub("", line)
        if piece:
            pieces.append(piece)
            starts.append(size)
            lines.append(number)
            size += len(piece)
    return Squeezed("".join(pieces), tuple(starts), tuple(lines))


def _without(match: re.Match[str]) -> str:
    """Comments go, strings stay; the lines of what goes are kept."""
    found = match[0]
    return "\n" * found.count("\n") if found.startswith(("//", "/*", "#", '"""')) else found


class Quoted:
    """A quote, ready to be looked for in many files: as it stands, else without what people and tools write around code."""

    def __init__(self, text: str) -> None:
        self._readings = [_ELISION.split(reading) for reading in _readings(MARKER.sub("\n...\n", _INVISIBLE.sub("", text)))]
        self._squeezed: dict[tuple[bool, bool], list[list[str]]] = {}

    def is_too_short(self) -> bool:
        """True for a quote that shows nothing, by the reading that leaves least of it."""
        return min(sum(len(_SPACE.sub("", part)) for part in reading) for reading in self._readings) < SHORTEST

    def lines_in(self, squeezed: Squeezed, suffix: str, *, with_comments: bool) -> tuple[tuple[int, int], ...]:
        """Return (first line, last line) of each place at which the parts of a reading stand in order."""
        way = suffix in _HASHED, with_comments
        if way not in self._squeezed:
            self._squeezed[way] = _squeezed(self._readings, suffix, with_comments)
        return next((found for parts in self._squeezed[way] if (found := _places_of(parts, squeezed))), ())


def _squeezed(readings: Sequence[Sequence[str]], suffix: str, with_comments: bool) -> list[list[str]]:
    """The readings' parts, each reading once, without those that are too short to show anything."""
    found: list[list[str]] = []
    for reading in readings:
        parts = [text for part in reading if (text := squeeze(part, suffix, with_comments=with_comments).text)]
        if sum(map(len, parts)) >= SHORTEST and parts not in found:
            found.append(parts)
    return found


def _places_of(parts: Sequence[str], squeezed: Squeezed) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    begin = squeezed.text.find(parts[0])
    while begin >= 0 and len(found) < _MOST:
        end = _end_of(squeezed.text, parts, begin)
        if end is None:
            break
        found.append((squeezed.line_at(begin), squeezed.line_at(end - 1)))
        begin = squeezed.text.find(parts[0], begin + 1)
    return tuple(found)


def _end_of(text: str, parts: Sequence[str], begin: int) -> int | None:
    end = begin + len(parts[0])
    for part in parts[1:]:
        place = text.find(part, end)
        if place < 0:
            return None
        end = place + len(part)
    return end


def _readings(text: str) -> tuple[str, ...]:
    """What a quote may mean: as it stands, then step by step without what people and tools write around code."""
    bare = _CARETS.sub("", _ARROW.sub("", _FENCE.sub("", text)))
    mailed = _without_signs(_without_first(bare, ">"))
    told = _TOLD.sub("...", _without_numbers(mailed, alone=True))
    pointed = _TOLD.sub("...", _without_numbers(_POINTED.sub("", bare), alone=True))
    unlabelled = _REMARK.sub("", _LABEL.sub("", told, count=1), count=1)
    return tuple(dict.fromkeys((text, _without_numbers(text), bare, mailed, told, pointed, unlabelled, html.unescape(told))))


def _without_signs(text: str) -> str:
    """Without a difference's headings and signs. What a patch would add is not said to be there."""
    hunks = _HUNK.search(text) is not None
    text = _HUNK.sub("", text)
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and all(line[0] in "+- " for line in lines) and (hunks or any(line[0] in "+-" for line in lines)):
        return "\n".join(line[1:] for line in text.split("\n") if not line.startswith("+"))
    return text


def _without_first(text: str, sign: str) -> str:
    lines = [line.lstrip() for line in text.split("\n") if line.strip()]
    return re.sub(rf"^[ \t]*{sign}[ \t]?", "", text, flags=re.MULTILINE) if lines and all(line.startswith(sign) for line in lines) else text


def _without_numbers(text: str, *, alone: bool = False) -> str:
    """Without line numbers in front, where each line that says something has one (`12: code`, `> 12 | code`); one line only if `alone`."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > (0 if alone else 1) and all(_NUMBERED.match(line) for line in lines):
        return "\n".join(_NUMBERED.sub("", line, count=1) for line in text.split("\n"))
    return text
