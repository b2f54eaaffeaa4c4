# SPDX-License-Identifier: Apache-2.0
"""Looking into a source tree: where files, symbols, lines and quotes of reports stand in it, asked for once for many findings."""

import re
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

import msgspec

from clearwell.clearinghouse.validation.citing import cited_files, is_root
from clearwell.clearinghouse.validation.quotation import Quoted, Squeezed, squeeze
from clearwell.proving.contract import Escaped
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.source import SourceTree
from clearwell.proving.symbols import BYTES, FILES, Definition, definitions, languages_of
from clearwell.vocabulary.errors import Unavailable

_WORD = re.compile(rb"[A-Za-z_$][\w$]*")
_PASTED = re.compile(rb"(\w{2,60})\s*##|##\s*(\w{2,60})")
_LIKELY = 5
"""Files of one base name that may be meant; with more of them a name says nothing."""
_QUOTED_BYTES = 64 << 20
_TEXT_BYTES = 2 << 20
_NOTED = 50
_SCRIPTS = frozenset({".ts", ".tsx", ".mts", ".cts"})
_TRANSLATED = {
    **dict.fromkeys(_SCRIPTS, _SCRIPTS),
    **{suffix: frozenset({suffix}) for suffix in (".jsx", ".coffee", ".vue", ".svelte", ".pyx", ".pxd", ".rs", ".go", ".f90")},
}
"""Endings of languages that packages are built from and often published without, and their like."""


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]


def _stem(archive: str) -> str:
    """The package's name in the name of its archive (`pump_1.2.orig.tar.gz` -> pump)."""
    return re.split(r"[-_]v?\d|\.(?:tar|tgz|zip|whl|bundle|git)\b", archive, maxsplit=1)[0]


class Word(msgspec.Struct, frozen=True):
    """What is known of a name: where it is defined, in which files the word stands, and whether it may be made by token pasting."""

    defined: tuple[Definition, ...]
    files: tuple[str, ...]
    is_pasted: bool
    unread: tuple[str, ...]


class Look:
    """A tree and what was asked of it. `called` names it in sentences; `without` says why no symbol was parsed, or is None."""

    def __init__(self, tree: SourceTree, called: str | None = None) -> None:
        self.tree, self.called = tree, called or tree.archive
        self.without: str | None = "no symbol was asked for"
        self._by_name: dict[str, list[str]] = {}
        for name in tree.files:
            self._by_name.setdefault(name.rpartition("/")[2], []).append(name)
        stated = tree.stated.name if tree.stated is not None else ""
        self._names = tuple(name for name in (_stem(tree.archive), stated, *self.called.split()[:1]) if name)
        self._words: dict[str, Word] = {}
        self._squeezed: dict[tuple[str, bool], Squeezed] = {}
        self._quoted = 0

    # Files and lines

    def files(self, cited: str) -> tuple[str, ...]:
        """Files whose path ends with the cited one, or (as built, or beneath the package's own folder) that the cited one ends with."""
        return next((found for meant in cited_files(cited) if (found := self._ending(_parts(meant)))), ())

    def _ending(self, parts: list[str]) -> tuple[str, ...]:
        found = []
        for name in self._by_name.get(parts[-1], ()) if parts else ():
            own = name.split("/")
            if own[-len(parts) :] == parts or (parts[-len(own) :] == own and (len(own) > 1 or is_root(parts[-2], self._names))):
                found.append(name)
        return tuple(sorted(found, key=len)[:20])

    def moved(self, cited: str) -> tuple[str, ...]:
        """Files of the same base name elsewhere, those that share most folders first; none when too many bear it."""
        parts = next((parts for meant in cited_files(cited) if (parts := _parts(meant)) and parts[-1] in self._by_name), _parts(cited))
        found = self._by_name.get(parts[-1], []) if parts else []
        return tuple(sorted(found, key=lambda name: (-len(set(name.split("/")) & set(parts)), len(name)))) if len(found) <= _LIKELY else ()

    def is_built(self, cited: str) -> bool:
        """True for a file in a language that is translated before it is published, of which the archive holds none (TypeScript, Cython)."""
        suffix = next((s for one in cited_files(cited) if (s := PurePosixPath(one).suffix.lower()) in _TRANSLATED), None)
        kin = _TRANSLATED.get(suffix or "", frozenset())
        return suffix is not None and not any(
            PurePosixPath(name).suffix.lower() in kin and not name.endswith((".d.ts", ".d.mts", ".d.cts")) for name in self.tree.files
        )

    def lines(self, file: str) -> int:
        """How many lines a file has; an empty last one counts, as tools cite it."""
        return self.tree.files[file].count(b"\n") + 1

    # Symbols

    def ask_symbols(self, sandbox: Sandbox | None, wanted: Collection[str], cited: Collection[str]) -> None:
        """Find out about names, once for all findings: words by reading, definitions in the sandbox."""
        self.without = None
        files: dict[str, list[str]] = {name: [] for name in wanted}
        pasted: set[str] = set()
        for file, content in self.tree.files.items():
            for word in files.keys() & {found.decode("utf-8", "replace") for found in set(_WORD.findall(content[:_TEXT_BYTES]))}:
                files[word].append(file)
            if b"##" in content and languages_of(file)[:1] in {("c",), ("cpp",)}:
                pasted |= {(one or other).decode("utf-8", "replace") for one, other in _PASTED.findall(content[:_TEXT_BYTES])}
        chosen, left_out = self._chosen(files, cited)
        defined: tuple[Definition, ...] = ()
        if sandbox is None:
            self.without = "there is no sandbox here in which foreign source may be parsed"
        elif chosen:
            try:
                defined = definitions(sandbox, {file: self.tree.files[file] for file in chosen}, wanted)
            except Escaped:
                raise
            except Unavailable as reason:
                self.without = str(reason)
        for name in wanted:
            self._words[name] = Word(
                tuple(one for one in defined if one.name == name),
                tuple(files[name]),
                any(name != part and (name.startswith(part) or name.endswith(part)) for part in pasted),
                tuple(file for file in files[name] if file in left_out or not languages_of(file)),
            )

    def _chosen(self, files: dict[str, list[str]], cited: Collection[str]) -> tuple[list[str], set[str]]:
        """The files to parse, cited ones first, within the bounds of one look; and those that did not fit."""
        wanted = dict.fromkeys(file for file in cited if file in self.tree.files)
        wanted.update(dict.fromkeys(file for found in files.values() for file in sorted(found, key=len)[:_NOTED]))
        bearing = {file for found in files.values() for file in found}
        chosen: list[str] = []
        left = BYTES
        for file in wanted:
            size = len(self.tree.files[file])
            if file in bearing and languages_of(file) and len(chosen) < FILES and size <= min(left, _TEXT_BYTES):
                chosen.append(file)
                left -= size
        return chosen, bearing - set(chosen)

    def word(self, name: str) -> Word:
        """What was found out about a name that was asked for."""
        return self._words[name]

    def line_of(self, name: str, file: str) -> int | None:
        """The first line of a file on which a word stands."""
        match = re.search(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])", self.tree.files[file])
        return self.tree.files[file].count(b"\n", 0, match.start()) + 1 if match is not None else None

    # Quotes

    def quoted(self, quote: Quoted, first: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
        """Where a quote stands: (file, first line, last line), in the files named first, else in all that are text."""
        for files in (first, [file for file in self.tree.files if file not in first]):
            found = [(file, *place) for file in files for place in self._quoted_in(quote, file)]
            if found:
                return tuple(found)
        return ()

    def _quoted_in(self, quote: Quoted, file: str) -> tuple[tuple[int, int], ...]:
        suffix = PurePosixPath(file).suffix.lower()
        for of_file, of_quote in ((True, True), (False, False), (True, False)):  # the last: a remark set into what is a comment itself
            squeezed = self._squeeze(file, suffix, of_file)
            found = quote.lines_in(squeezed, suffix, with_comments=of_quote) if squeezed is not None else ()
            if found:
                return found
        return ()

    def _squeeze(self, file: str, suffix: str, with_comments: bool) -> Squeezed | None:
        key = (file, with_comments)
        if key not in self._squeezed:
            content = self.tree.files[file]
            if len(content) > _TEXT_BYTES or b"\0" in content[:8000]:
                return None
            self._quoted += len(content)
            if self._quoted > _QUOTED_BYTES:
                raise Unavailable(f"more than {_QUOTED_BYTES >> 20} MB of source would have to be compared with the quotes")
            self._squeezed[key] = squeeze(content.decode("utf-8", "replace"), suffix, with_comments=with_comments)
        return self._squeezed[key]
