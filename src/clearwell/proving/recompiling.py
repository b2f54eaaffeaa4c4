# SPDX-License-Identifier: Apache-2.0
"""The compiler of a build's box: a patched build gets back the unpatched one's objects. Standard library only; it runs inside the box.

It takes the place of gcc and g++ in the build's PATH, so any recipe comes through it: a shell's loop, make, CMake, configure. An object
is named by the hash of what it is made from: the source with all that it includes (what the preprocessor prints), the arguments and the
folder. Times of files say nothing here, and a header that a patch changes, adds, deletes or puts in front of another is seen. Whatever
is not understood goes to the compiler as it is.
"""

import hashlib
import os
import sys
from typing import NamedTuple, NoReturn

TOOLS = "/box/tool"
"""Where the compilers' names lie in the box, first in the build's PATH."""
KEPT = "/box/objects"
"""Where the unpatched build's objects lie for a patched one, read-only."""
STORED = "/box/build/.objects"
"""Where an unpatched build leaves its objects; they never become a part of the build."""
COMPILERS = ("gcc", "g++", "cc", "c++")

_SOURCES = (".c", ".cc", ".cpp", ".cxx")
_OBJECTS = (".o", ".a", ".so", ".lo")
_TAKE_A_WORD = frozenset(("-I", "-D", "-U", "-isystem", "-iquote", "-idirafter", "-include", "-imacros", "--param", "-MF", "-MT", "-MQ"))
_TAKE_A_WORD_TO_LINK = frozenset(("-L", "-l", "-T", "-u", "-z", "-Xlinker"))
_TO_LINK = ("-L", "-l", "-Wl,", "-T", "-u")
# fmt: off
_PLAIN = (
    "-I", "-D", "-U", "-f", "-O", "-g", "-W", "-m", "-std=", "-i", "-pthread", "-pipe", "-w", "-ansi", "-pedantic", "-shared", "-static",
    "-pie", "-no-pie", "-rdynamic", "-nostdinc", "-MP", "-P", "-c",
)
_ELSEWHERE = (
    "-fprofile", "-ftest-coverage", "-fplugin", "-fdump", "-flto", "-fmodules", "-g3", "-ggdb3", "-gsplit-dwarf", "-Wa,", "-Wp,",
    "-fdirectives-only", "-fpch", "-include-pch", "-fcallgraph-info", "-fstack-usage", "-fsave-optimization-record", "-fopt-info",
    "-fauto-profile", "-wrapper",
)
# fmt: on
"""What reads or writes more than source and object: left to the compiler."""
_READS_FILES = (b"incbin", b".include")
"""The assembler's own includes, which no preprocessor sees."""


class Order(NamedTuple):
    """One call of the compiler that is understood: `words` without sources and -o, in order; (position in them, source) for each source."""

    words: tuple[str, ...]
    sources: tuple[tuple[int, str], ...]
    output: str | None
    is_compiling_only: bool


def understood(words: list[str]) -> Order | None:
    """Read a compiler's arguments; None for what is not known to depend on the preprocessor's output and the words alone."""
    kept: list[str] = []
    sources: list[tuple[int, str]] = []
    output: str | None = None
    rest = iter(words)
    for word in rest:
        if word == "-o":
            output = next(rest, None)
        elif word in _TAKE_A_WORD or word in _TAKE_A_WORD_TO_LINK:
            kept += [word, next(rest, "")]
        elif word in {"-MD", "-MMD"}:
            kept.append(word)
        elif word.startswith("-"):
            if word.startswith(_ELSEWHERE) or not word.startswith((*_PLAIN, *_TO_LINK)):
                return None
            kept.append(word)
        elif word.endswith(_SOURCES):
            sources.append((len(kept), word))
        elif word.endswith(_OBJECTS):
            kept.append(word)
        else:
            return None
    compiling = "-c" in kept
    depends = not {"-MD", "-MMD"}.isdisjoint(kept)
    if depends and not (compiling and "-MF" in kept and not {"-MT", "-MQ"}.isdisjoint(kept)):
        return None  # names that come from the output's
    if not sources or output is None or (compiling and len(sources) != 1):
        return None
    return Order(tuple(kept), tuple(sources), output, compiling)


def to_compile(words: tuple[str, ...]) -> list[str]:
    """The words that matter for one object: without -c, what is for the linker, and files."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in _TAKE_A_WORD:
            kept += [word, next(rest, "")]
        elif word in _TAKE_A_WORD_TO_LINK:
            next(rest, "")
        elif word.startswith("-") and word != "-c" and not word.startswith(_TO_LINK):
            kept.append(word)
    return kept


def main(words: list[str]) -> int:
    """Be the compiler by whose name we were called."""
    real = f"/usr/bin/{os.path.basename(words[0])}"
    order = understood(words[1:])
    if order is None:
        _become(real, words[1:])
    scratch = f"/tmp/.recompiling-{os.getpid()}"  # noqa: S108 - the box's own
    os.mkdir(scratch)
    try:
        flags = to_compile(order.words)
        linked, done = [], 0
        for number, (position, source) in enumerate(order.sources):
            output = str(order.output) if order.is_compiling_only else f"{scratch}/{number}.o"
            code = _make(real, flags, source, output, scratch)
            if code is None:
                break
            if code != 0:
                return code
            linked += [*order.words[done:position], output]
            done = position
        else:
            if order.is_compiling_only:
                return 0
            return _run(real, [*linked, *order.words[done:], "-o", str(order.output)])
        return _run(real, words[1:])
    finally:
        for name in os.listdir(scratch):
            os.unlink(f"{scratch}/{name}")
        os.rmdir(scratch)


def _make(real: str, flags: list[str], source: str, output: str, scratch: str) -> int | None:
    """Make one object, or take a kept one; None when it cannot be told what it is made from."""
    text, said = f"{scratch}/text", f"{scratch}/said"
    # With comments: some of them are read by the compiler for its warnings.
    if _run(real, [*flags, "-C", "-E", source, "-o", text], said=os.devnull) != 0:
        return None
    content = _read(text)
    if any(word in content for word in _READS_FILES):
        return None
    name = hashlib.sha256("\0".join((os.getcwd(), real, *flags, source, "")).encode(errors="surrogateescape") + content).hexdigest()
    for folder in (KEPT, STORED):
        if os.path.exists(f"{folder}/{name}"):
            _write(output, _read(f"{folder}/{name}"))
            _tell(_read(f"{folder}/{name}.said") if os.path.exists(f"{folder}/{name}.said") else b"")
            return 0
    code = _run(real, [*flags, "-c", source, "-o", output], said=said)
    words = _read(said)
    _tell(words)
    if code == 0 and not os.path.isdir(KEPT):
        os.makedirs(STORED, exist_ok=True)
        if words:
            _write(f"{STORED}/{name}.said", words)
        _write(f"{STORED}/.{name}.{os.getpid()}", _read(output))
        os.rename(f"{STORED}/.{name}.{os.getpid()}", f"{STORED}/{name}")
    return code


def _become(real: str, words: list[str]) -> NoReturn:
    os.execv(real, [real, *words])  # noqa: S606 - a vector of the recipe's own


def _run(real: str, words: list[str], said: str | None = None) -> int:
    actions = [] if said is None else [(os.POSIX_SPAWN_OPEN, 2, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(real, [real, *words], os.environ, file_actions=actions), 0)[1])


def _tell(words: bytes) -> None:
    while words:
        words = words[os.write(2, words) :]


def _read(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


def _write(file: str, content: bytes) -> None:
    with open(file, "wb") as stream:
        stream.write(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
