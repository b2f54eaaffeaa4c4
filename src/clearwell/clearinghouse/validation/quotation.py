# SPDX-License-Identifier: Apache-2.0
"""Quotation: where a quoted piece of code stands in a file, whatever its white space and comments. Pure, and linear in the file."""

import bisect
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
_NUMBERED = re.compile(r"^[ \t]*(?:[>+*-][ \t]*)?L?[0-9]{1,7}[ \t]*[:|\t ]")


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
    """A quote, ready to be looked for in many files."""

    def __init__(self, text: str) -> None:
        self._parts = _ELISION.split(MARKER.sub("\n...\n", _without_numbers(text)))
        self._squeezed: dict[tuple[bool, bool], list[str]] = {}

    def is_too_short(self) -> bool:
        """True for a quote that shows nothing."""
        return sum(len(_SPACE.sub("", part)) for part in self._parts) < SHORTEST

    def lines_in(self, squeezed: Squeezed, suffix: str, *, with_comments: bool) -> tuple[tuple[int, int], ...]:
        """Return (first line, last line) of each place at which the parts stand in order."""
        way = suffix in _HASHED, with_comments
        if way not in self._squeezed:
            squeezed_parts = [squeeze(part, suffix, with_comments=with_comments).text for part in self._parts]
            self._squeezed[way] = [part for part in squeezed_parts if part]
        parts = self._squeezed[way]
        if not parts or sum(map(len, parts)) < SHORTEST:
            return ()
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


def _without_numbers(text: str) -> str:
    """Without line numbers in front, where each line that says something has one (`12: code`, `> 12 | code`)."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and all(_NUMBERED.match(line) for line in lines):
        return "\n".join(_NUMBERED.sub("", line, count=1).lstrip("|: ") for line in text.split("\n"))
    return text
