# SPDX-License-Identifier: Apache-2.0
"""Symbols: where names are defined in foreign source. The parsing runs in the sandbox, one process for each archive."""

import importlib.util
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from clearwell.proving.sandbox import Limits, Sandbox, Spec
from clearwell.vocabulary.errors import Unavailable

LANGUAGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((".c",), ("c",)),
    **dict.fromkeys((".h", ".inc"), ("c", "cpp")),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".ipp", ".tcc", ".cu"), ("cpp",)),
    **dict.fromkeys((".py", ".pyi", ".pyx"), ("python",)),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), ("javascript",)),
    **dict.fromkeys((".ts", ".mts", ".cts"), ("typescript",)),
    **dict.fromkeys((".tsx",), ("tsx",)),
    **dict.fromkeys((".go",), ("go",)),
    **dict.fromkeys((".rs",), ("rust",)),
    **dict.fromkeys((".java",), ("java",)),
}
"""End of a file's name -> the grammars that read it; a header is C or C++."""

FILES, BYTES = 400, 24 << 20
"""Files and bytes of one look into an archive."""
_LIMITS = Limits(wall_seconds=60, cpu_seconds=60, memory_bytes=1 << 30, processes=4, space_bytes=64 << 20, file_bytes=8 << 20)
_PACKAGES = (
    "tree_sitter", "tree_sitter_c", "tree_sitter_cpp", "tree_sitter_go", "tree_sitter_java", "tree_sitter_javascript",
    "tree_sitter_python", "tree_sitter_rust", "tree_sitter_typescript",
)  # fmt: skip
_LAUNCH = "import runpy, sys; sys.path.insert(0, '/box/site'); runpy.run_path('/box/stage.py', run_name='__main__')"


class Definition(msgspec.Struct, frozen=True):
    """A name, the file that defines it, its first and last line (from 1)."""

    name: str
    file: str
    line: int
    last_line: int


def languages_of(file: str) -> tuple[str, ...]:
    """Return the grammars that read a file, by the end of its name; none for others."""
    return LANGUAGES.get(PurePosixPath(file).suffix.lower(), ())


def definitions(sandbox: Sandbox, files: Mapping[str, bytes], wanted: Collection[str]) -> tuple[Definition, ...]:
    """Return where wanted names are defined in these files (name -> content), at most FILES and BYTES of them.

    Raises Unavailable where there is no sandbox, or when the look hit a limit.
    """
    request, given = [], {}
    for number, (name, content) in enumerate(files.items()):
        place = f"/box/in/{number}"
        request.append((name, place, languages_of(name)))
        given[place] = content
    asked = json.dumps({"files": request, "wanted": sorted(wanted)}).encode()
    spec = Spec(
        argv=(str(Path(sys.executable).resolve()), "-I", "-S", "-B", "-c", _LAUNCH),
        binds=(*_interpreter(), *_grammars(), (Path(__file__).with_name("symbol_stage.py"), "/box/stage.py")),
        files={**given, "/box/in/request.json": asked},
        limits=_LIMITS,
    )
    result = sandbox.run(spec)
    written = next((entry.content for entry in result.files["/box/out"] if entry.path == "symbols.json"), None)
    if result.exit != 0 or written is None:
        ended = f"hit the limit {result.killed}" if result.killed else f"left with {result.exit}"
        raise Unavailable(f"the symbols could not be read: the parser {ended}")
    try:
        found = msgspec.json.decode(written, type=dict[str, list[tuple[str, int, int]]])
    except msgspec.DecodeError:
        raise Unavailable("the symbols could not be read: there are too many") from None
    return tuple(Definition(name, file, line, last) for file, names in found.items() for name, line, last in names if file in files)


def _interpreter() -> tuple[tuple[Path, str], ...]:
    """The interpreter's own folder, where it is none of the system's, which every box has."""
    base = Path(sys.base_prefix).resolve()
    return () if base.is_relative_to("/usr") else ((base, str(base)),)


def _grammars() -> tuple[tuple[Path, str], ...]:
    """Each grammar's folder alone: no other package of ours is in the box."""
    found = []
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise Unavailable(f"the grammar {package} is not installed")
        found.append((Path(spec.origin).parent, f"/box/site/{package}"))
    return tuple(found)
