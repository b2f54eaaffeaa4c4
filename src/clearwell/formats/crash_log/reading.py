# SPDX-License-Identifier: Apache-2.0
"""Reading a report's lines: frames go to its stacks, signs and headlines say what happened; each line is looked at once."""

import re
from collections.abc import Callable

import msgspec

from clearwell.formats.crash_log import frames as forms
from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.headlines import HEADLINES
from clearwell.formats.crash_log.notation import address_text, check_message, steadier, steady, with_source
from clearwell.formats.crash_log.report import TESTED, Report
from clearwell.formats.crash_log.signs import SIGNS, Sign

_SECOND_STACK = re.compile(
    r"\s*(?:(?P<memory>(?:0x[0-9a-f]{1,16} was )?(?:[Ff]reed|(?:previously )?[Aa]llocated|[Dd]eallocated) (?:by|in)\b"
    r"|Uninitialized value was|Uninit was|kfence-#\d+: )"
    r"|Thread \S{1,40} (?:\(.{0,80}\) )?created|Memory was marked|[Pp]revious (?:atomic )?(?:read|write)|Location is|Mutex \S+|As if"
    r"|Address 0x[0-9a-f]+ is located|0x[0-9a-f]+ is located|The buggy address|Last potentially related"
    r"|Caused by: |Goroutine \d+ \(|(?:read|write|read-write)(?: \(marked\))? to 0x)"
)
"""`memory`: what follows is never the first stack, even where that one is missing."""
_SECOND_KEYS = (
    "eed by ",
    "ated by ",
    " located",
    "Uninitialized",
    "revious",
    "Location is",
    "Mutex",
    "Memory was",
    "buggy address",
    "potentially related",
    "Uninit was",
    "kfence-#",
    "Caused by: ",
    "Goroutine ",
    " to 0x",
)


_FRAME_STARTS = frozenset("#[aF0123456789")
"""What a frame begins with, where no mode says otherwise."""

_LINE_FORMS: dict[str, Callable[[str], RawFrame | None]] = {
    "kernel": forms.bare_kernel_frame, "windbg": forms.windbg_frame, "glibc": forms.glibc_frame, "lldb": forms.lldb_frame,
    "honggfuzz": forms.honggfuzz_frame, "memcheck": forms.memcheck_frame, "hotspot": forms.hotspot_frame,
}  # fmt: skip
"""Modes in which a frame is one line of a form that means nothing elsewhere."""

_STEMS = (
    "anitizer", "ssert", "SSERT", "ailed: ", "emory", "signal ", "== ", "rror: ", "xception", "FuzzerSecurity", "Fatal ", "ernel", "pc ",
    "of size", "Call ", " not found", "CHECK", "Child", "to 0x", "at 0x", "panicked at ", "free(): ", " leak of ", "SAN: ", "oroutine ",
    "Uninit", "REACHED", "# V8 ", " DETECTED",
)  # fmt: skip
"""Parts that several keys share: a text without the part holds none of them, and one scan says so."""


def _by_stem() -> tuple[tuple[str, tuple[str, ...]], ...]:
    keys = dict.fromkeys([*(sign.key for sign in SIGNS), *(key for key, _ in HEADLINES), *_SECOND_KEYS])
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(next((stem for stem in _STEMS if stem in key), key), []).append(key)
    return tuple((stem, tuple(members)) for stem, members in groups.items())


_GROUPS = _by_stem()


def _present(lines: list[str]) -> frozenset[str]:
    """Return the keys that stand in any of these lines. A key that begins with a line feed stands at a line's start."""
    text = "\n" + "\n".join(lines)
    found: list[str] = []
    for stem, members in _GROUPS:
        if stem not in text:
            continue
        if members == (stem,):
            found.append(stem)
            continue
        near = "\n" + "\n".join([line for line in lines if stem in line])
        found += [key for key in members if key in near]
    return frozenset(found)


class Budget:
    """How much looking for signs one document may cost, whatever it holds: no input makes reading slow."""

    def __init__(self, left: int = 400_000) -> None:
        self._left = left

    def spend(self, line: str) -> bool:
        """Take a line's cost; False when nothing is left."""
        self._left -= 1 + min(len(line), TESTED) // 100
        return self._left > 0


def read_report(lines: list[str], budget: Budget) -> Report:
    """Read a report's lines in order."""
    reading = _Reading(budget)
    reading.read(lines)
    return reading.report


class _Reading:
    """A report being read."""

    def __init__(self, budget: Budget) -> None:
        self.report = Report()
        self._budget = budget
        self._skips_next = False

    def read(self, lines: list[str]) -> None:
        """Read a report's lines in order."""
        numbered = [forms.NUMBERED(line) for line in lines]
        present = _present([line for line, is_frame in zip(lines, numbered, strict=True) if is_frame is None])
        signs = tuple(sign for sign in SIGNS if sign.key in present)
        keys = tuple(dict.fromkeys(sign.key for sign in signs))
        specials = tuple((key, handle) for key, handle in HEADLINES if key in present)
        second = tuple(key for key in _SECOND_KEYS if key in present)
        for number, line in enumerate(lines):
            if numbered[number]:
                if self.report.rank:
                    self.report.add_line(line)
                continue
            may_be_frame = self._skips_next or self.report.mode or line.lstrip()[:1] in _FRAME_STARTS or " [0x" in line
            if may_be_frame and self._is_stack_line(lines, number, line):
                continue
            for key in keys:
                if key in line:
                    self._try_signs(line, signs)
                    break
            for key, handle in specials:
                if (line.startswith(key[1:]) if key[0] == "\n" else key in line) and self._budget.spend(line):
                    handle(self.report, lines, number)
            if (
                second
                and self.report.rank
                and not self.report.in_second
                and any(key in line for key in second)
                and (beyond := _SECOND_STACK.match(line)) is not None
                and (self.report.stacks or beyond["memory"] is not None)
            ):
                self.report.in_second = True

    def _is_stack_line(self, lines: list[str], number: int, line: str) -> bool:
        """Take the line if it is a frame of a stack; False otherwise."""
        if self._skips_next:
            self._skips_next = False
            return True
        bare = line.lstrip()
        first = bare[:1]
        form, frame = "", None
        if first == "#":
            form, frame = self._numbered(line, bare)
        elif first == "[":
            form, frame = "kernel", forms.kernel_frame(line) if bare.startswith("[<") else None
        elif first == "a" and bare.startswith("at "):
            is_dotnet = self.report.mode == "dotnet"
            form, frame = ("dotnet", forms.dotnet_frame(line)) if is_dotnet else ("java", forms.java_frame(line))
            if not is_dotnet and (frame is None or (frame.file or "").endswith((".js", ".ts"))):
                form, frame = "javascript", forms.javascript_frame(line)
        elif first == "F" and bare.startswith('File "'):
            form, frame = "faulthandler" if ", in " not in line else "python", forms.python_frame(line)
        elif first.isdigit() and "0x" in line and line is bare:
            form, frame = "mac", forms.mac_frame(line)
        if frame is None and self.report.mode:
            form, frame = self._by_mode(lines, number, line)
        if frame is None and " [0x" in line:
            form, frame = "chrome", forms.chrome_windows_frame(line)
        if frame is None:
            return False
        if self.report.rank and form == "gdb":
            self.report.add_line(line)  # those of its frames that have an address are kept as lines, too
        elif self.report.rank:
            self.report.add_frame(form, frame)
        return True

    def _numbered(self, line: str, bare: str) -> tuple[str, RawFrame | None]:
        if " pc " in bare[:8]:
            return "tombstone", forms.tombstone_frame(line)
        if "[<" in bare[:10]:
            return "kernel", forms.kernel_frame(line)
        if self.report.mode == "plain":
            return "sanitizer", forms.plain_frame(line)
        if self.report.mode == "php":
            return "php", None  # read with their headline
        return "gdb", forms.gdb_frame(line) if line is bare else None

    def _by_mode(self, lines: list[str], number: int, line: str) -> tuple[str, RawFrame | None]:
        if self.report.mode == "go":
            frame = forms.go_frame(line, lines[number + 1] if number + 1 < len(lines) else "")
            self._skips_next = frame is not None
            return "go", frame
        if self.report.mode == "rust":
            frame = forms.rust_frame(line)
            place = forms.rust_place(lines[number + 1]) if frame is not None and number + 1 < len(lines) else None
            if frame is not None and place is not None:
                frame = msgspec.structs.replace(frame, file=place[0], line=place[1])
                self._skips_next = True
            return "rust", frame
        if self.report.mode in _LINE_FORMS:
            return self.report.mode, _LINE_FORMS[self.report.mode](line)
        return "", None

    def _try_signs(self, line: str, signs: tuple[Sign, ...]) -> None:
        tested = line[:TESTED]
        if ":INFO:CONSOLE" in tested or "SUMMARY:" in tested or "Please include Java exception stack" in tested:
            return  # what a page's script wrote, what repeats the headline, what a real stack follows
        for sign in signs:
            if (sign.rank <= self.report.rank and sign.type != "Direct-leak") or sign.key not in tested:
                continue
            if not self._budget.spend(line):
                return
            found = sign.pattern.match(tested, 0 if sign.whole else tested.find(sign.key))
            if found is not None:
                self._apply(sign, found, line)
                return

    def _apply(self, sign: Sign, found: re.Match[str], line: str) -> None:
        parts = found.groupdict()
        message, source = parts.get("message"), parts.get("source") or parts.get("source2")
        kind = sign.type
        if not self.report.begin(kind, sign.rank, sign.sanitizer, line):
            return
        if parts.get("address"):
            self.report.address = address_text(parts["address"])
        if not message:
            return
        if "CHECK failure" in kind:
            self.report.lines = [with_source(check_message(message), source)]
        elif sign.key == "CSA_":
            self.report.lines = [steadier(message)[:80], (source or "").rpartition("/")[2]]
        else:
            self.report.lines = [steady(message.strip())[:80]]
