# SPDX-License-Identifier: Apache-2.0
"""Sanitizer reports that a run wrote: class, access and the first stack, read line by line with linear expressions."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

_LINE_MAX = 2000
_LINES_MAX = 4000
_ERROR = re.compile(r"==\d{1,10}==\s?ERROR: (?P<sanitizer>[A-Za-z]{4,30}): (?P<rest>.{1,600})")
_ACCESS = re.compile(r"(READ|WRITE) of size (\d{1,12}) at ")
_CAUSED = re.compile(r"==\d{1,10}==The signal is caused by a (READ|WRITE) memory access")
_FRAME = re.compile(r"\s{2,8}#(\d{1,4}) 0x[0-9a-f]{1,16}(?: in (?P<what>.{1,1200}))?")
_PLACE = re.compile(r"(?P<file>[^\s()]{1,500}?)(?::(?P<line>\d{1,9}))?(?::\d{1,9})?")
_RUNTIME_ERROR = re.compile(r"(?P<file>[^\s:]{1,500}):\d{1,9}:\d{1,9}: runtime error: ")
_SUMMARY = re.compile(r"SUMMARY: UndefinedBehaviorSanitizer: (?P<class>[a-z0-9-]{1,80})")
_SUFFIX = re.compile(r"(?:\.(?:isra|part|constprop|cold|lto_priv|llvm)(?:\.\d{1,6})?)+$")
_PROJECT = ("/box/src/", "/box/build/")


_Place = Callable[[str], str | None]

UNDEFINED_SANITIZER = "UndefinedBehaviorSanitizer"
UNDEFINED = "undefined-behavior"
"""UndefinedBehaviorSanitizer's class for what has no narrower one; a proof that asserts it accepts every class of that sanitizer."""

# fmt: off
_UNDEFINED = {
    # Words of the runtime's message -> the name that compiler-rt gives to that check (ubsan_checks.inc).
    "unsigned integer overflow": "unsigned-integer-overflow",
    "signed integer overflow": "signed-integer-overflow",
    "negation of": "signed-integer-overflow",
    "division by zero": "integer-divide-by-zero",
    "shift exponent": "invalid-shift-exponent",
    "left shift of": "invalid-shift-base",
    "out of bounds for type": "out-of-bounds-index",
    "misaligned address": "misaligned-pointer-use",
    "null pointer of type": "null-pointer-use",
    "null pointer passed": "invalid-null-argument",
    "null pointer returned": "invalid-null-return",
    "outside the range of representable values": "float-cast-overflow",
    "which is not a valid value for type": "invalid-enum-load",
    "insufficient space for an object": "insufficient-object-size",
    "variable length array bound": "non-positive-vla-index",
    "pointer index expression": "pointer-overflow",
    "reached an unreachable": "unreachable-call",
    "reached the end of a value-returning function": "missing-return",
}
# fmt: on


class Sources(msgspec.Struct, frozen=True):
    """The files of /box/src and /box/build, and those of /box/harness: they tell whose a relative name in a frame is.

    A build that compiles by relative names (`cd $SRC; $CC src/*.c`, any make) leaves such names in its debug information, and gcc's
    runtime prints them as they are; the C library's look the same (`../sysdeps/nptl/libc_start_call_main.h`).
    """

    project: frozenset[str] = frozenset()
    harness: frozenset[str] = frozenset()

    def place(self, name: str) -> str | None:
        """Return the path in the box of a project file of that relative name (from any folder of it), else None."""
        plain = posixpath.normpath(name)
        while plain.startswith("../"):
            plain = plain[3:]
        if plain in self.harness or plain.removeprefix("harness/") in self.harness:
            return None
        found = [known for known in self.project if known.endswith("/" + plain)]
        return min(found, key=lambda known: (len(known), known), default=None)


def is_undefined(wanted: str) -> bool:
    """True for a class of UndefinedBehaviorSanitizer, by whichever name."""
    plain = "-".join(wanted.lower().split())
    return plain == UNDEFINED or plain in _SPELLINGS or plain in _UNDEFINED.values()


def files_beneath(folder: Path) -> frozenset[str]:
    """Return the names of the files beneath a folder, relative to it."""
    return frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# fmt: off
_SPELLINGS = {
    # What compilers call a check (-fsanitize=...) or people call it -> compiler-rt's names of its reports.
    "shift": ("invalid-shift-exponent", "invalid-shift-base"),
    "shift-out-of-bounds": ("invalid-shift-exponent", "invalid-shift-base"),
    "shift-exponent": ("invalid-shift-exponent",),
    "shift-base": ("invalid-shift-base",),
    "bounds": ("out-of-bounds-index",),
    "array-bounds": ("out-of-bounds-index",),
    "index-out-of-bounds": ("out-of-bounds-index",),
    "null": ("null-pointer-use",),
    "null-pointer-dereference": ("null-pointer-use",),
    "alignment": ("misaligned-pointer-use",),
    "misaligned-address": ("misaligned-pointer-use",),
    "divide-by-zero": ("integer-divide-by-zero",),
    "division-by-zero": ("integer-divide-by-zero",),
    "nonnull-attribute": ("invalid-null-argument",),
    "enum": ("invalid-enum-load",),
    "object-size": ("insufficient-object-size",),
    "vla-bound": ("non-positive-vla-index",),
    "unreachable": ("unreachable-call",),
    "return": ("missing-return",),
}
# fmt: on


class StackFrame(msgspec.Struct, frozen=True):
    """One frame; `is_project` when its source lies under /box/src or /box/build."""

    function: str
    file: str | None
    line: int | None

    @property
    def is_project(self) -> bool:
        """True for source of the package under test."""
        return self.file is not None and self.file.startswith(_PROJECT)


class Report(msgspec.Struct, frozen=True):
    """One report: `report_class` as the sanitizer names it (heap-buffer-overflow, SEGV, signed-integer-overflow)."""

    sanitizer: str
    report_class: str
    access: str | None
    size: int | None
    frames: tuple[StackFrame, ...]

    def is_of(self, wanted: str) -> bool:
        """True for that class, in any case, by the sanitizer's name for it, the compiler's, or the words of its message."""
        plain = "-".join(wanted.lower().split())
        if plain == self.report_class.lower():
            return True
        if self.sanitizer != UNDEFINED_SANITIZER:
            return False
        return plain == UNDEFINED or self.report_class in _SPELLINGS.get(plain, ())

    @property
    def project_frames(self) -> tuple[StackFrame, ...]:
        """The first five frames of the package under test: what the sanitizer oracle looks at."""
        return tuple(frame for frame in self.frames if frame.is_project)[:5]

    @property
    def signature(self) -> str:
        """Class, access and up to three project frames: the same flaw on the same build gives the same text."""
        access = f" {self.access} {self.size}" if self.access and self.size is not None else f" {self.access}" if self.access else ""
        return f"{self.report_class}{access} | " + " < ".join(frame.function for frame in self.project_frames[:3])


def parse_reports(text: str, sources: Sources = Sources()) -> tuple[Report, ...]:
    """Return the reports of a text that a sanitizer wrote, in order; of each, only the first stack is read.

    `sources` says which relative names of source files are the project's.
    """
    lines = [line[:_LINE_MAX] for line in text.split("\n", _LINES_MAX)[:_LINES_MAX]]
    heads = [(number, match) for number, line in enumerate(lines) if (match := _ERROR.match(line) or _RUNTIME_ERROR.match(line))]
    found = []
    ends = [*(number for number, _ in heads[1:]), len(lines)]
    for (number, match), end in zip(heads, ends, strict=False):
        rest = lines[number + 1 : end]
        if match.re is _ERROR:
            found.append(_address_report(match, rest, sources.place))
        else:
            found.append(_undefined_report(lines[number][match.end() :], rest, sources.place))
    return tuple(found)


def marked_reports(text: str, mark: str) -> str:
    """Keep of a standard error those reports whose frames bear the mark, which only the sanitizer's runtime was told.

    gcc's UndefinedBehaviorSanitizer writes there, whatever log_path says, when AddressSanitizer is in the process too.
    """
    kept: list[str] = []
    head: str | None = None
    for line in text.split("\n"):
        if mark in line:
            if head is not None:
                kept.append(head)
                head = None
            kept.append(line.replace(mark, ""))
        elif _RUNTIME_ERROR.match(line[:_LINE_MAX]):
            head = line
    return "\n".join(kept)


def _address_report(head: re.Match[str], lines: list[str], place: _Place) -> Report:
    first = head["rest"].split()
    report_class = first[0].rstrip(":")
    if head["rest"].startswith("attempting "):  # "attempting double-free on ...", "attempting free on address which was not malloc()-ed"
        report_class = "bad-free" if first[1] == "free" else first[1]
    elif head["rest"].startswith("requested allocation size"):
        report_class = "allocation-size-too-big"
    access, size, frames = None, None, _first_stack(lines, place)
    for line in lines[:6]:
        match = _ACCESS.match(line)
        caused = _CAUSED.match(line)
        if match:
            access, size = match[1], int(match[2])
            break
        if caused:
            access = caused[1]
            break
    return Report(head["sanitizer"], report_class, access, size, frames)


def _undefined_report(message: str, lines: list[str], place: _Place) -> Report:
    summary = next((m["class"] for line in lines if (m := _SUMMARY.match(line))), UNDEFINED)
    if summary == UNDEFINED:  # gcc's runtime says no more than that; the message does
        summary = next((name for words, name in _UNDEFINED.items() if words in message), UNDEFINED)
    return Report(UNDEFINED_SANITIZER, summary, None, None, _first_stack(lines, place))


def _first_stack(lines: list[str], place: _Place) -> tuple[StackFrame, ...]:
    frames: list[StackFrame] = []
    for line in lines:
        match = _FRAME.match(line)
        if match is None:
            if frames:
                break  # what follows is another stack: where the memory was allocated or freed
            continue
        if frames and match[1] == "0":
            break
        frames.append(_frame(match["what"] or "", place))
    return tuple(frames)


def _frame(what: str, place_of: _Place) -> StackFrame:
    """Split `function file:line:column`; the function may hold blanks (C++), the file does not."""
    if what.endswith(")"):  # not symbolized to a file: "function (module+0x1234)"
        return StackFrame(plain_function(what.rpartition(" (")[0]), None, None)
    function, _, place = what.rpartition(" ")
    match = _PLACE.fullmatch(place)
    if not function or match is None:
        return StackFrame(plain_function(what), None, None)
    file = posixpath.normpath(match["file"])
    if not file.startswith("/"):
        file = place_of(file) or file
    return StackFrame(plain_function(function), file, int(match["line"]) if match["line"] else None)


def plain_function(name: str) -> str:
    """Drop arguments (C++) and what optimizers append (`.isra.0`, `.part.1`)."""
    name = name.strip()
    if not name.startswith("(") and "(" in name:
        name = name[: name.index("(")]
    return _SUFFIX.sub("", name)


def names_function(frame: StackFrame, wanted: str) -> bool:
    """True when the frame is of the function, by its name or the end of its qualified name."""
    plain = plain_function(wanted)
    return frame.function == plain or frame.function.endswith("::" + plain)
