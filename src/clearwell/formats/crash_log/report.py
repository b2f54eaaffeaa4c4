# SPDX-License-Identifier: Apache-2.0
"""One crash report: what its lines have said so far, and the crash that this makes."""

from collections.abc import Iterator

import msgspec

from clearwell.formats.crash_log import frames as forms
from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.kernel import fault_text
from clearwell.formats.crash_log.notation import STATE_LINES, access_lines, cycle, fill_state, is_security, is_skipped, segv_type
from clearwell.formats.crash_log.signs import END, STATEMENT
from clearwell.vocabulary.finding import Crash, Frame
from clearwell.vocabulary.stack import frames_that_matter, normalize_function

TESTED = 1_500
"""So much of a line is looked at, in characters."""

_MAX_FRAMES = 2_000
_MAX_STACKS = 50
_READ_STACKS = 8
_READ_FRAMES = 64
_CALL_SITES = 3
_CYCLE_FRAMES = 120
_DEBUGGERS = ("gdb", "lldb")
_STATELESS = ("V8 correctness failure",)


class Stack(msgspec.Struct):
    """Frames printed one after the other, in one form. `is_second`: where memory was allocated or freed, a thread created...
    `is_beyond`: a state that has a frame does not go on into this one. `is_analyzed`: what a debugger's analysis took for the fault's."""

    form: str
    is_second: bool
    frames: list[RawFrame] = []
    lines: list[str] = []
    is_beyond: bool = False
    is_analyzed: bool = False

    def read(self, limit: int) -> list[RawFrame]:
        """Return the first `limit` frames; those kept as lines are read now."""
        if self.lines and not self.frames:
            read = (forms.sanitizer_frame(line) or forms.gdb_frame(line) for line in self.lines[:limit])
            self.frames = [frame for frame in read if frame is not None]
        return self.frames


class Report:
    """What is known of a crash so far. `reading` feeds it the log's lines in order; then ask for the `crash`."""

    def __init__(self) -> None:
        self.type: str | None = None
        self.sanitizer: str | None = None
        self.headline = ""
        self.rank = 0
        self.access: str | None = None
        self.size: int | None = None
        self.is_atomic = False
        self.address: str | None = None
        self.is_invalid_access = False
        self.segv_name = "UNKNOWN"
        self.kernel_kind: str | None = None
        self.oops_code: str | None = None
        self.lines: list[str] = []
        self.stacks: list[Stack] = []
        self.in_second = False
        self.is_beyond = False
        self.mode = ""
        self.is_sandbox_violation = False
        self.is_protected = False
        self.is_security = False
        self.process: str | None = None

    def begin(self, kind: str, rank: int, sanitizer: str | None, line: str) -> bool:
        """Take a sign if it outranks what is known; forget the weaker one's stacks."""
        if rank <= self.rank and not (kind == "Direct-leak" and self.type == "Indirect-leak"):
            if self.rank == STATEMENT and rank == END:
                self.in_second = False
            return False
        self.type, self.sanitizer, self.rank = kind, sanitizer, rank
        self.headline = line.strip()[:300]
        self.access = self.size = self.address = self.kernel_kind = self.oops_code = None
        self.is_invalid_access = self.is_atomic = False
        self.lines, self.stacks, self.in_second, self.is_beyond = [], [], False, False
        return True

    def add_line(self, line: str) -> None:
        """Keep a sanitizer's or debugger's frame as its line: most are never looked at."""
        stack = self.stacks[-1] if self.stacks else None
        if stack is None or stack.form != "sanitizer" or stack.is_second != self.in_second or line.lstrip().startswith("#0 "):
            if len(self.stacks) >= _MAX_STACKS:
                return
            stack = Stack("sanitizer", self.in_second, [], [], self.is_beyond)
            self.stacks.append(stack)
        if len(stack.lines) < _MAX_FRAMES:
            stack.lines.append(line)

    def add_frame(self, form: str, frame: RawFrame) -> None:
        stack = self.stacks[-1] if self.stacks else None
        if stack is None or stack.form != form or stack.is_second != self.in_second or (frame.number == 0 and not frame.is_inline):
            if len(self.stacks) >= _MAX_STACKS:
                return
            stack = Stack(form, self.in_second, [], [], self.is_beyond)
            self.stacks.append(stack)
        if len(stack.frames) < _MAX_FRAMES:
            stack.frames.append(frame)

    def crash(self) -> Crash | None:
        """Return the crash, or None when no line said that there was one."""
        if self.type is None:
            return None
        stacks = self._useful_stacks()
        kind = self._full_type()
        was_raised = bool(stacks) and bool(stacks[0].read(_READ_FRAMES)) and _is_raise(stacks[0].frames[0])
        lines = [line for line in self.lines if line]
        if not (self.type == "ASSERT" and self.sanitizer == "V8") and self.type != "V8 correctness failure":
            if kind == "Stack-overflow" and stacks:
                lines += cycle(self._inner_first(stacks[0], True)[:_CYCLE_FRAMES])
            if kind != "Stack-overflow" or not lines:
                limit = STATE_LINES + (self.type in ("V8 API error", "Unreachable code") and bool(lines))
                fill_state(lines, self._in_state(stacks, lines), limit)
        if not lines and self.process is not None:
            lines = [self.process]
        return Crash(
            sanitizer=self.sanitizer,
            type=kind,
            access="READ" if self.access == "READ" else "WRITE" if self.access == "WRITE" else None,
            size=self.size,
            address=self.address,
            state="".join(f"{line}\n" for line in lines) or "NULL\n"
            if self.type not in _STATELESS
            else "".join(f"{line}\n" for line in lines),
            frames=self._frames(stacks, kind == "Stack-overflow"),
            security=self._security(kind, was_raised),
            call_sites=self._call_sites(stacks),
        )

    def _in_state(self, stacks: list[Stack], lines: list[str]) -> Iterator[list[RawFrame]]:
        """Give the stacks that a state may take its lines from, while it asks for more."""
        before = len(lines)
        for stack in stacks[:_READ_STACKS]:
            if stack.is_beyond and len(lines) > before:
                return
            if stack.form != "glibc" or self.sanitizer == "glibc":
                yield self._inner_first(stack, False)

    def _call_sites(self, stacks: list[Stack]) -> tuple[str, ...]:
        """Return the innermost addresses in the program's own modules; inlined frames share one. A frame that is printed with its
        line in place of its address ends them: what lies beyond it is not innermost."""
        first = next((stack.frames for stack in stacks if not stack.is_second and stack.frames), [])
        sites: list[str] = []
        for frame in first:
            if is_skipped(frame) or (frame.function is None and frame.module is None):
                continue
            if frame.site is None or len(sites) == _CALL_SITES:
                break
            sites += [frame.site] if frame.site not in sites else []
        return tuple(sites)

    def _security(self, kind: str, was_raised: bool) -> bool | None:
        if kind == "ASSERT" and self.sanitizer in ("Rust", "GLib check", "libc++"):
            return False  # stopped by a checked language, a checked argument or a hardened library before memory was touched
        if self.is_protected:
            return False
        if self.is_security:
            return True
        if kind == "UNKNOWN" and self.address is None:
            return None
        return is_security(kind, self.address, was_raised)

    def _full_type(self) -> str:
        if self.is_sandbox_violation:
            return "V8 sandbox violation"
        kind = self.type or ""
        if self.kernel_kind is not None:
            return "\n".join(["Kernel failure", *access_lines(self.kernel_kind, self.access, self.size).split("\n")])
        if kind == "Kernel failure":
            return f"{kind}\n{fault_text(self.oops_code)}" if self.oops_code is not None else kind
        if self.is_invalid_access:
            return segv_type(self.address, self.access, self.segv_name)
        if kind.startswith(("Null-dereference", "UNKNOWN", "READ", "WRITE", "EXECUTE")):
            return kind
        return access_lines(kind, f"ATOMIC {self.access}" if self.is_atomic and self.access else self.access, self.size)

    def _useful_stacks(self) -> list[Stack]:
        windbg = [stack for stack in self.stacks if stack.form == "windbg"]
        if windbg:
            analyzed = [stack for stack in windbg if stack.is_analyzed and stack.frames][-1:]
            is_other = analyzed and windbg[-1].frames[:1] and windbg[-1].frames[0].function != analyzed[0].frames[0].function
            return analyzed if is_other else windbg[-1:]  # the last one may be the debugger's own wait
        if self.sanitizer in _DEBUGGERS and len(self.stacks) > 1:
            return self._backtrace() or self.stacks
        return self.stacks[::-1] if all(stack.form == "python" for stack in self.stacks) else self.stacks

    def _backtrace(self) -> list[Stack]:
        """A debugger shows the innermost frame when it stops. Return the backtrace that begins with it, which may be one of many
        threads'; nothing when the first stack is a whole one."""
        stop = self.stacks[0].read(_READ_FRAMES)
        if len(stop) != 1:
            return []
        whole = (stack for stack in self.stacks[1:_MAX_STACKS] if len(stack.read(_READ_FRAMES)) > 1)
        return [stack for stack in whole if stack.frames[0].function == stop[0].function][:1]

    def _inner_first(self, stack: Stack, recursed: bool) -> list[RawFrame]:
        """Return a stack's frames, innermost first (Python prints them the other way round)."""
        frames = stack.read(_MAX_FRAMES if recursed else _READ_FRAMES)
        if stack.form == "python":
            return frames[::-1]
        return frames

    def _frames(self, stacks: list[Stack], recursed: bool) -> tuple[Frame, ...]:
        """Return the frames that matter of the first stack that has any; never of a second one."""
        for stack in [stack for stack in stacks if not stack.is_second][:_READ_STACKS]:
            raw = self._inner_first(stack, recursed)
            shown = tuple(Frame(f.function, f.file, f.line, f.module) for f in raw if not (stack.form == "kernel" and f.is_unsure))
            kept = frames_that_matter(shown)
            if kept:
                return kept
        return ()


def _is_raise(frame: RawFrame) -> bool:
    return frame.function is not None and normalize_function(frame.function) in (
        "gsignal",
        "raise",
        "abort",
        "__pthread_kill",
        "kill",
        "tgkill",
        "pthread_kill",
    )
