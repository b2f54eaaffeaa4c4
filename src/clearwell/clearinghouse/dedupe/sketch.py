# SPDX-License-Identifier: Apache-2.0
"""Sketches: what of a finding may be like another's (rung L2): its tokens for an inverted index, and the parts that a score compares.

Tokens are kinds of things two reports of one flaw often share though no rule of L1 makes them equal: functions, files, the commit that
introduced it, the weakness, words of names and of the report, fingerprints of quoted code. Rare tokens find candidates.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from clearwell.clearinghouse.dedupe.signature import marks_of, tool_of
from clearwell.clearinghouse.dedupe.spelling import component_of, crash_class, function_of, path_of, text_of
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.weakness import Weakness

VERSION = 2
"""Part of every stored token: a changed rule makes new ones, the old can be recomputed."""
FRAMES = 8
"""Frames from the top that are compared: deeper ones say how the program got there, not what is wrong."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]{2,}")
_SPOKEN = re.compile(r"[a-z_][a-z0-9_]{3,40}")
_MOST_WORDS = 60
_MOST_TEXT = 4_000
_WINDOW, _GRAM = 4, 12
_NAMES, _SAID, _CODE = 2, 8, 6
"""Of words of names, words of the report and fingerprints of code so many are stored at most: those whose hashes are least, so that two
reports which share many words share some of these."""
_COMMON = re.compile(
    r"this|that|with|from|into|when|then|than|have|been|will|which|where|there|their|these|those|would|could|should|does|used|using"
    r"|values?|code|line|file|function|found|issue|finding|user|data|input|output|call(?:s|ed)?|may|might|can|cannot|not|allows?"
    r"|attackers?|vulnerabilit(?:y|ies)|vulnerable|security|potential|detected|possible|via|due"
)


class Sketch(msgspec.Struct, frozen=True):
    """The comparable parts of a finding. `component` is the unit within which anything is compared (None: unknown, compared with nothing).

    `functions` are the stack's, innermost first, or the named place's; `words` those of function names; `spoken` those of the report;
    `marks` are the tool's own fingerprints of the place; `run` names the run of one tool that it is from.
    """

    component: str | None
    functions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    line: int | None = None
    rule: str | None = None
    crash: str | None = None
    weaknesses: tuple[Weakness, ...] = ()
    introduced: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    spoken: frozenset[str] = frozenset()
    text: str = ""
    code: frozenset[int] = frozenset()
    marks: tuple[str, ...] = ()
    run: str | None = None

    def tokens(self) -> tuple[str, ...]:
        """Everything by which this finding may be found again, each with its kind; the component is not part of it."""
        return tuple(
            dict.fromkeys(
                (
                    *(f"commit:{commit}" for commit in self.introduced),
                    *(f"mark:{mark}" for mark in self.marks),
                    *(f"function:{function}" for function in self.functions[:FRAMES]),
                    *(f"file:{file}" for file in self.files),
                    *(f"name:{file.rpartition('/')[2]}" for file in self.files),
                    *(f"weak:{weakness.id}" for weakness in self.weaknesses),
                    *(f"family:{weakness.family}" for weakness in self.weaknesses),
                    *(f"word:{word}" for word in sorted(self.words)),
                    *(f"said:{word}" for word in sorted(self.spoken)),
                    *(f"code:{mark:x}" for mark in sorted(self.code)),
                    *((f"crash:{self.crash}",) if self.crash else ()),
                )
            )
        )

    def stored(self) -> tuple[str, ...]:
        """The tokens that a hub's index keeps: a bounded number. The rest is only compared, once these have found the other report."""
        few = {
            *_least("word", self.words, _NAMES),
            *_least("said", self.spoken, _SAID),
            *_least("code", map("{:x}".format, self.code), _CODE),
        }
        kinds = ("commit:", "mark:", "function:", "file:", "name:", "weak:", "crash:")
        return tuple(token for token in self.tokens() if token.startswith(kinds) or token in few)

    def copies(self) -> tuple[str, ...]:
        """What a copy of the same source inside another component would bear too: it names no component and joins nothing.

        A crash's class with its top functions, two at least; or the file's own name, the function and the weakness family.
        """
        if self.crash is not None:
            return (f"copy:{self.crash} {' '.join(self.functions[:3])}",) if len(self.functions) > 1 else ()
        if not self.files or not self.functions:
            return ()
        name = self.files[0].rpartition("/")[2]
        return tuple(f"copy:{name} {self.functions[0]} {family}" for family in dict.fromkeys(w.family for w in self.weaknesses))


def _least(kind: str, values: Iterable[str], most: int) -> list[str]:
    return sorted((f"{kind}:{value}" for value in values), key=number_of)[:most]


def number_of(token: str, component: str = "") -> int:
    """A token's 64 bits within a component, as the index stores them; other versions of the rule have others."""
    return int.from_bytes(hashlib.blake2b(f"{VERSION}\0{component}\0{token}".encode(), digest_size=8).digest(), signed=True)


def sketch(finding: Finding, quoted: Iterable[str] = (), run: str | None = None) -> Sketch:
    """Return a finding's sketch. `quoted` is code that the report quotes; `run` names the submission it is from."""
    crash = finding.crash
    frames = crash.frames[:FRAMES] if crash is not None else ()
    functions = tuple(function for place in finding.locations[:5] if (function := function_of(place.function)))
    if crash is not None:
        named = [frame.function for frame in frames if frame.function] or (crash.state or "").split("\n")
        functions = tuple(function for name in named if (function := function_of(name)))
    places = [place.file for place in finding.locations[:5] if place.file] or [frame.file for frame in frames[:3] if frame.file]
    text = text_of(f"{finding.title} {finding.message}"[:_MOST_TEXT])
    return Sketch(
        component=component_of(finding.product)[0],
        functions=functions,
        files=tuple(dict.fromkeys(path_of(file) for file in places)),
        line=finding.location.line if finding.location is not None else None,
        rule=finding.rule,
        crash=crash_class(crash.type, crash.access) if crash is not None and crash.type else None,
        weaknesses=finding.weaknesses[:3],
        introduced=finding.introduced[:4],
        words=frozenset(word for function in functions for word in words_of(function)),
        spoken=spoken_of(text) if crash is None else frozenset(),
        text=text if crash is None else "",
        code=frozenset(mark for piece in quoted for mark in winnowed(piece)),
        marks=marks_of(finding),
        run=f"{run} {tool_of(finding)}" if run is not None else None,
    )


@lru_cache(maxsize=8_192)
def words_of(name: str) -> frozenset[str]:
    """The words of an identifier (camel case, underscores, namespaces), lower case, of two letters at least."""
    return frozenset(word.lower() for word in _WORD.findall(name[:400]) if len(word) > 1)


@lru_cache(maxsize=8_192)
def spoken_of(text: str) -> frozenset[str]:
    """The first words of a report that are neither short nor said in every report."""
    return frozenset([word for word in _SPOKEN.findall(text) if _COMMON.fullmatch(word) is None][:_MOST_WORDS])


def winnowed(code: str) -> Iterator[int]:
    """Fingerprints of code, white space and case evened out: the least hash of each window of grams (Schleimer and others, 2003)."""
    even = "".join(code.lower().split())[:_MOST_TEXT]
    grams = [_hash(even[at : at + _GRAM]) for at in range(max(0, len(even) - _GRAM + 1))]
    last = None
    for at in range(max(0, len(grams) - _WINDOW + 1)):
        least = min(grams[at : at + _WINDOW])
        if least != last:
            yield least
            last = least


def _hash(gram: str) -> int:
    return int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=6).digest())
