# SPDX-License-Identifier: Apache-2.0
"""Sanity: does what a report cites exist in that version's real source? What does not exist is refused before a human sees it.

The package, the version, the file, the symbol and the line are looked up in the archive that the package's one index serves,
fetched without executing anything. What cannot be looked up is said as unknown, and goes on (never 7).
"""

import re
from enum import StrEnum

import msgspec
from packageurl import PackageURL

from clearwell.proving.archives import Archive, Registry
from clearwell.proving.unpack import members
from clearwell.vocabulary.errors import ClearwellError, Invalid, NotFound, Unavailable
from clearwell.vocabulary.finding import Finding, Location

_REGISTRIES = {"pypi": ("sdist", "wheel"), "npm": ("npm",)}
_SYMBOL = re.compile(r"[A-Za-z_$][\w$]{2,120}")
_WORD = re.compile(r"[\w$]+")
_LONGEST_WORD = 121
_WORDS = 3_000_000
_NOT_NAMES = {"anonymous", "lambda", "module", "global", "main", "init", "constructor"}
_LARGEST = 8 * 1024 * 1024
_PLACES = 20


class Result(StrEnum):
    """What a look at the real source showed."""

    EXISTS = "exists"
    DOES_NOT_EXIST = "does_not_exist"
    COULD_NOT_BE_CHECKED = "could_not_be_checked"


class Check(msgspec.Struct, frozen=True):
    """The result and its reason, in a sentence for the sender (`ujson 5.1.0 has no file lib/parse.c`)."""

    result: Result
    reason: str


class Source:
    """The archives of one exact version, opened once for all findings about it."""

    def __init__(self, registry: Registry, purl: str) -> None:
        self._registry = registry
        self._purl = PackageURL.from_string(purl)
        self.name = f"{self._purl.namespace}/{self._purl.name}" if self._purl.namespace else str(self._purl.name)
        self._archives: list[tuple[Archive, dict[str, str]]] | None = None
        self._texts: dict[tuple[str, str], str] = {}
        self._words: set[str] | None = None
        self._by_name: dict[str, list[tuple[Archive, str, list[str]]]] | None = None

    def check(self, finding: Finding) -> Check:
        """Compare one finding with the source; never raises for what is merely unreachable."""
        version = self._purl.version
        try:
            listed = self._registry.versions(self._purl.to_string())
            if version is None:
                return Check(Result.COULD_NOT_BE_CHECKED, f"the report names no version of {self.name}")
            if not self._registry.has(self._purl.to_string()):
                return Check(Result.DOES_NOT_EXIST, f"{self.name} has no version {version}; its index lists {len(listed)} versions")
            return self._check_places(finding, version)
        except NotFound:
            return Check(Result.DOES_NOT_EXIST, f"there is no package {self.name} in its index")
        except Unavailable as reason:
            return Check(Result.COULD_NOT_BE_CHECKED, f"the source of {self.name} could not be fetched: {reason}")
        except ClearwellError as reason:
            return Check(Result.COULD_NOT_BE_CHECKED, f"the source of {self.name} could not be read: {reason}")

    def _check_places(self, finding: Finding, version: str) -> Check:
        places = [place for place in finding.locations[:_PLACES] if place.file]
        functions = [place.function for place in finding.locations[:_PLACES] if place.function and not place.file]
        what = f"{self.name} {version}"
        if not places and not functions:
            return Check(Result.EXISTS, f"{what} exists; the report cites no file")
        found = [(place, self._find(place.file or "")) for place in places]
        if places and not any(names for _, names in found):
            if finding.crash is not None:
                return Check(Result.COULD_NOT_BE_CHECKED, f"the stack names no file of {what}")
            return Check(Result.DOES_NOT_EXIST, f"{what} has no file {places[0].file}")
        return self._check_first(next(((p, n) for p, n in found if n), None), functions, what)

    def _check_first(self, first: tuple[Location, tuple[tuple[Archive, str], ...]] | None, functions: list[str], what: str) -> Check:
        texts: list[str] = []
        if first is not None:
            place, names = first
            texts = [self._text(archive, name) for archive, name in names]
            if place.line is not None and all(place.line > text.count("\n") + 1 for text in texts):
                longest = max(text.count("\n") + 1 for text in texts)
                return Check(Result.DOES_NOT_EXIST, f"{place.file} of {what} has {longest} lines; the report cites line {place.line}")
            functions = [place.function] if place.function else functions
        for function in functions:
            symbol = _last_name(function)
            if symbol is not None and not self._names_symbol(symbol, texts):
                return Check(Result.DOES_NOT_EXIST, f"{what} has nothing named {symbol}")
        return Check(Result.EXISTS, f"what the report cites exists in {what}")

    def _find(self, cited: str) -> tuple[tuple[Archive, str], ...]:
        """Files whose path ends with the cited one, or (a path as built) that the cited one ends with."""
        parts = [part for part in cited.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
        if not parts:
            return ()
        found = []
        for archive, name, own in self._ending(parts[-1]):
            if own[-len(parts) :] == parts or (len(own) > 1 and parts[-len(own) :] == own):
                found.append((archive, name))
        return tuple(found[:_PLACES])

    def _ending(self, last: str) -> list[tuple[Archive, str, list[str]]]:
        """The files of that base name: looked up, since a report cites thousands of places and an archive has thousands of files."""
        if self._by_name is None:
            self._by_name = {}
            for archive, names in self._opened():
                for short, name in names.items():
                    own = short.split("/")
                    self._by_name.setdefault(own[-1], []).append((archive, name, own))
        return self._by_name.get(last, [])

    def _names_symbol(self, symbol: str, cited: list[str]) -> bool:
        """Look in the cited file, then among the words of all files, which are read once however many symbols are asked for."""
        word = re.compile(rf"(?<![\w$]){re.escape(symbol)}(?![\w$])")
        return any(word.search(text) for text in cited) or symbol in self._all_words()

    def _all_words(self) -> set[str]:
        if self._words is None:
            self._words = set()
            for archive, _ in self._opened():
                for member in members(archive.path, archive.filename):
                    text = member.content[:_LARGEST].decode("utf-8", errors="replace")
                    self._words.update(word for word in _WORD.findall(text) if len(word) <= _LONGEST_WORD)
                    if len(self._words) > _WORDS:
                        raise Invalid(f"it has more than {_WORDS:,} different words")
        return self._words

    def _opened(self) -> list[tuple[Archive, dict[str, str]]]:
        if self._archives is None:
            self._archives = []
            kinds = _REGISTRIES[self._purl.type]
            for kind in kinds:
                try:
                    archive = self._registry.fetch(self._purl.to_string(), kind)  # type: ignore[arg-type]  # one of Registry's kinds
                except NotFound:
                    continue
                names = {_without_root(name, kind): name for name in archive.names()}
                self._archives.append((archive, names))
                break
            if not self._archives:
                raise Unavailable(f"the index serves no source archive of {self._purl.to_string()}")
        return self._archives

    def _text(self, archive: Archive, name: str) -> str:
        key = (archive.sha256, name)
        if key not in self._texts:
            self._texts[key] = archive.read(name)[:_LARGEST].decode("utf-8", errors="replace")
        return self._texts[key]


def is_checkable(purl: str | None) -> bool:
    """True for packages whose index can be asked."""
    return purl is not None and purl.startswith(tuple(f"pkg:{kind}/" for kind in _REGISTRIES))


def _without_root(name: str, kind: str) -> str:
    """An sdist's and an npm package's files stand below one folder that no report names."""
    return name if kind == "wheel" else name.partition("/")[2] or name


def _last_name(function: str) -> str | None:
    """The last name of a qualified one (`yaml.FullLoader.find` -> find); None for what is no plain name."""
    last = re.split(r"::|\.|->|#|/", function.strip().removesuffix("()"))[-1].strip("<>()* ")
    return last if _SYMBOL.fullmatch(last) and last.lower() not in _NOT_NAMES else None
