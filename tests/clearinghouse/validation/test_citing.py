# SPDX-License-Identifier: Apache-2.0
"""Citing: the file and the name that a report means are found however people, tools and AI write them; prose names nothing."""

import pytest

from clearwell.clearinghouse.validation.citing import cited_files, last_name
from clearwell.clearinghouse.validation.looking import Look
from clearwell.proving.source import SourceTree

TREE = SourceTree(
    "water-pump-1.2.0.tgz",
    "0" * 64,
    "0" * 64,
    {
        "package.json": b'{"name": "@water/pump", "version": "1.2.0"}',
        "index.js": b"x\n",
        "lib/valve open.js": b"x\n",
        "src/pump.c": b"x\n",
        **{f"part{n}/index.js": b"x\n" for n in range(6)},
    },
)


@pytest.mark.parametrize(
    "cited",
    [
        "src/pump.c",
        " ./src/pump.c ",
        "`src/pump.c`",
        "src\\pump.c",
        "C:\\work\\water\\src\\pump.c",
        "src/pump.c:12",
        "src/pump.c:12:4",
        "src/pump.c:12-20",
        "src/pump.c#L12-L20",
        "src/pump.c@L12",
        "src/pump.c (lines 3-9)",
        "src/pump.c, line 12",
        "src/pump.c lines 3 to 9",
        "src/pump.c::read_header",
        "src/pump.c (read_header), lines 3-9",
        "src/pump.c and others",
        "water-pump:src/pump.c",
        "https://forge.example/water/pump/blob/v1.2.0/src/pump.c?plain=1#L12-L14",
        "https://forge.example/water/pump/-/blob/main/src/pump.c#L12",
        "file:///build/src/pump.c",
        "webpack:///./src/pump.c",
        "$ROOT/src/pump.c",
    ],
)
def test_a_file_is_found_however_it_is_cited(cited: str) -> None:
    assert Look(TREE).files(cited) == ("src/pump.c",)


@pytest.mark.parametrize(
    "cited",
    [
        "node_modules/@water/pump/index.js",
        "water-pump-1.2.0/index.js",
        "pump/index.js",
        "a/index.js",
        "%SRCROOT%/index.js",
        "https://forge.example/water/pump/blob/main/index.js#L3",
    ],
)
def test_a_file_at_the_top_is_found_beneath_the_package_s_own_folder(cited: str) -> None:
    assert "index.js" in Look(TREE).files(cited)


def test_a_name_with_spaces_or_escapes_is_one_name() -> None:
    assert Look(TREE).files("lib/valve open.js") == Look(TREE).files("lib/valve%20open.js") == ("lib/valve open.js",)


@pytest.mark.parametrize("cited", ["lib/other/index.js", "src/parser.c:12", "src/pump.cc", "the parser", "", ":12", "http://", "#L3"])
def test_a_file_that_is_not_there_stays_so(cited: str) -> None:
    assert Look(TREE).files(cited) == ()


def test_source_in_a_language_that_the_package_ships_none_of_may_be_what_it_was_built_from() -> None:
    assert Look(TREE).is_built("src/parser.ts:3") and Look(TREE).is_built("pump/fast.pyx")
    assert not Look(TREE).is_built("src/parser.c") and not Look(TREE).is_built("src/parser.js")


@pytest.mark.parametrize(
    "function",
    [
        "walk", "walk()", "`walk`", "'walk'", "walk(self, data)", "pump.valve.Valve.walk", "pump.valve:Valve.walk", "Valve::walk",
        "Valve#walk", "Valve.prototype.walk", "exports.walk", "module.exports.walk", "walk function", "the walk() function",
        "walk method", "class walk", "def walk", "async def walk(self, x: int = 3, **kw) -> dict[str, list[int]]:", "@cached walk",
        "Valve.walk.<locals>.<lambda>", "static int walk(const char *p, size_t n)", "water::Valve::walk(int) const",
        "water::Valve<int>::walk<std::vector<int>>(int) const", "walk(int (*call)(void *), const std::map<int, std::vector<char>> &m)",
        "(anonymous namespace)::walk", "walk.constprop.0", "walk.cold", "walk.isra.0.cold", "walk@plt", "walk@@WATER_2.34",
        "walk[abi:cxx11](int)", "walk(int) [clone .cold]", "walk + 0x10", "walk+0x1a/0x30", "walk.llvm.1234567",
        "func (v *Valve) walk(a int) error", "(*Valve).walk", "water.org/pump.(*Valve).walk", "water.org/pump.walk.func1.2",
        "<water::Valve as water::Pump>::walk", "water::walk::{{closure}}", "water::walk::{closure#0}", "const walk = (a, b) =>",
        "walk<T extends Valve<Pump>>(x: T): void", "get walk", "walk(): Promise<void>", "this.walk.bind(this)", "Object.walk [as run]",
        "walk arrow function", "walk, and others", "walk (line 30)", "walk#L10", "walk -> drain", "walk handler", "&walk", "int *walk",
    ],
)  # fmt: skip
def test_a_name_is_read_however_it_is_written(function: str) -> None:
    assert last_name(function) == "walk"


@pytest.mark.parametrize(
    "function",
    ["the processing of the header", "reading valve data", "async method", "operator()", "Object.<anonymous>", "<module>", "",
     "water::walk(int)::{lambda(int)#1}::operator()", "-[Valve walk:fast:]", "n/a", "()", "::", "()()()"],
)  # fmt: skip
def test_prose_and_what_has_no_name_are_not_looked_up(function: str) -> None:
    assert last_name(function) is None


@pytest.mark.parametrize("piece", ["@a.cold", "::{closure", "(a)", "<a", "a.b::", " -> ", "[a", ":1", "#L1", " (1)", "%41", "ab, line 1 "])
def test_reading_a_citation_ends(piece: str) -> None:
    """A regular expression that branches would take for ever."""
    assert last_name(piece * 5_000 + "!") != "" and cited_files(piece * 5_000 + "!")
