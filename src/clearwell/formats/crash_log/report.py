# SPDX-License-Identifier: Apache-2.0
"""One crash report inside a log: its lines are read once, from the first sign of a crash to the stacks that belong to it."""

import re

import msgspec

from clearwell.formats.crash_log import frames as forms
from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.kernel import fault_text
from clearwell.formats.crash_log.notation import (
    STATE_LINES,
    access_lines,
    address_text,
    check_message,
    fill_state,
    from_recursion,
    is_security,
    segv_type,
    steady,
    with_source,
)
from clearwell.formats.crash_log.signs import END, FAULT, SIGNS, STATEMENT, UBSAN, Sign
from clearwell.vocabulary.finding import Crash, Frame
from clearwell.vocabulary.stack import frames_that_matter, normalize_function

_MAX_SIGN_TRIES = 50_000
_MAX_FRAMES = 2_000
_MAX_STACKS = 50
_READ_STACKS = 8
_READ_FRAMES = 64
_TESTED = 1_500

SANITIZER = re.compile(r"==(?P<pid>\d+)== ?(?:ERROR|WARNING): (?P<name>[A-Za-z]+Sanitizer): (?P<what>[^\n]*)")
TSAN = re.compile(r"WARNING: (?P<name>ThreadSanitizer): (?P<what>[^\n]*)")
_ON_ADDRESS = re.compile(r"(?P<kind>[A-Za-z][\w-]*)(?: \([^)]{0,80}\))? on (?:unknown )?address (?P<address>0x[0-9a-fA-F]+)?")
_FREE = re.compile(r"attempting (?P<what>double-free|free|to call malloc_usable_size)[^\n]*?(?P<address>0x[0-9a-fA-F]+)")
_OTHER = re.compile(r"(?P<kind>[a-z][a-z]+(?:-[a-z]+)+)(?P<rest>[^\n]*)")
_ACCESS = re.compile(
    r"\s*(?:Atomic )?(?P<access>READ|WRITE|Read|Write|ACCESS)(?: of size (?P<size>\d{1,18}|\(?[a-z]\w*\)?))? at (?:addr )?"
    r"(?P<address>0x[0-9a-fA-F]+|[0-9a-f]{8,16})"
)
_ACCESS_KERNEL = re.compile(r"\s*(?P<access>Read|Write) of size (?P<size>\d{1,18})")
_SIGNAL_ACCESS = re.compile(r"(?:==\d+==)?\s*The signal is caused by a (?P<access>READ|WRITE) memory access")
_KASAN = re.compile(
    r"BUG: K(?P<tool>ASAN|MSAN|CSAN|FENCE): (?P<kind>[\w-]+)(?: (?:read|write))? (?:in|on) ?[^\n]*?(?:address |addr )?"
    r"(?P<address>\b[0-9a-f]{16}\b|$)"
)
_OOPS_ADDRESS = re.compile(
    r"[^\n]{0,200}?(?:virtual address|dereference at|paging request at|address:) ?(?P<address>(?:0x)?[0-9a-f]{4,16})"
)
_OOPS_CODE = re.compile(r"Internal error: Oops(?: - [\w ]+)?: (?P<code>[0-9a-f]{1,16})")
_PC = re.compile(r"pc : \[<(?P<address>[0-9a-f]{8,16})>\]")
_RECEIVED = re.compile(r"Received signal (?P<number>\d+) (?P<name>\S+)(?: (?P<address>[0-9a-f]{4,16}))?")
_TOMBSTONE = re.compile(
    r"(?:Fatal )?signal (?P<number>\d+) \((?P<name>SIG[A-Z]+)\)[^\n]{0,80}?(?:fault addr (?P<address>0x[0-9a-f]+|[0-9a-f]{8,16}))?"
)
_GDB = re.compile(r"(?:Program|Thread \d+ [^\n]{0,80}?) ?(?:received|terminated with) signal (?P<name>SIG[A-Z]+)")
_ATTEMPT = re.compile(r"Attempt to (?P<access>read|write|execute)[^\n]{0,40}? address (?P<address>[0-9a-f`]{8,17})")
_EXCEPTION_CODE = re.compile(r"\s*ExceptionCode: (?P<code>[0-9a-f]{8})")
_V8_FATAL = re.compile(r"# Fatal error in (?P<source>[^\n,]{0,300})(?:, line \d+)?")
_V8_CORRECTNESS = re.compile(r"# V8 correctness (?P<part>(?:configs|sources|suppression): [^\n]{0,300})")
_SECOND_STACK = re.compile(
    r"\s*(?:freed by|(?:previously )?allocated by|Thread \S{1,40} (?:\(.{0,80}\) )?created|Uninitialized value was|Memory was"
    r" marked|[Pp]revious (?:atomic )?(?:read|write)"
    r"|Freed by|Allocated by|Location is|Mutex \S+|As if|Address 0x[0-9a-f]+ is located|0x[0-9a-f]+ is located|The buggy"
    r" address|Last potentially related|Freed in|Allocated in)"
)
_SECOND_KEYS = (
    " by ",
    " located",
    "Uninitialized",
    "revious",
    "Location is",
    "Mutex",
    "Memory was",
    "buggy address",
    "potentially related",
)

_SIGNALS = {
    "ABRT": ("Abrt", END), "SIGABRT": ("Abrt", END), "ILL": ("Ill", END), "SIGILL": ("Ill", END), "illegal-instruction": ("Ill", END),
    "TRAP": ("Trap", END), "SIGTRAP": ("Trap", END), "breakpoint": ("Breakpoint", END), "BUS": ("Bus", FAULT), "SIGBUS": ("Bus", FAULT),
    "FPE": ("Floating-point-exception", FAULT), "SIGFPE": ("Floating-point-exception", FAULT), "int-divide-by-zero": ("Divide-by-zero", FAULT),
    "SYS": ("Bad-system-call", END), "SIGSYS": ("Bad-system-call", END), "priv-instruction": ("Ill", END),
}  # fmt: skip
"""A signal or Windows exception, as sanitizers and debuggers name it -> crash type and rank; an invalid access is not among them."""
_INVALID_ACCESS = {"SEGV", "access-violation", "SIGSEGV", "in-page-error"}
_RENAMED = {"unknown-crash": "UNKNOWN", "bad-free": "Bad-free", "use-after-poison": "Use-after-poison", "data": "Data race"}
_EXCEPTIONS = {
    "c0000094": "Divide-by-zero", "c0000095": "Integer-overflow", "c00000fd": "Stack-overflow", "c000001d": "Ill", "80000003": "Breakpoint",
    "c0000409": "Security check failure", "c0000374": "Heap-corruption", "c0000096": "Ill", "e06d7363": "Uncaught exception",
}  # fmt: skip
"""NTSTATUS codes (ntstatus.h) -> crash type."""
_SECURE_TYPES = ("Security check failure", "Heap-corruption")


class Stack(msgspec.Struct):
    """Frames printed one after the other, in one form. `is_second`: where memory was allocated or freed, a thread created..."""

    form: str
    is_second: bool
    frames: list[RawFrame] = []
    lines: list[str] = []

    def read(self, limit: int) -> list[RawFrame]:
        """Return the first `limit` frames; those kept as lines are read now."""
        if self.lines and not self.frames:
            read = (forms.sanitizer_frame(line) for line in self.lines[:limit])
            self.frames = [frame for frame in read if frame is not None]
        return self.frames


class Report:
    """What is known of a crash so far. Feed its lines in order, then ask for the `crash`."""

    def __init__(self) -> None:
        self.type: str | None = None
        self.sanitizer: str | None = None
        self.pid: str | None = None
        self.headline = ""
        self.is_finished = False
        self._rank = 0
        self._access: str | None = None
        self._size: int | None = None
        self._address: str | None = None
        self._is_invalid_access = False
        self._segv_name = "UNKNOWN"
        self._kernel_kind: str | None = None
        self._oops_code: str | None = None
        self._lines: list[str] = []
        self._stacks: list[Stack] = []
        self._second = False
        self._mode = ""
        self._sandbox = False
        self._statement_tool: str | None = None
        self._tries = _MAX_SIGN_TRIES
        self._skip_next = False

    # Signs -----------------------------------------------------------------------------------------------------

    def _begin(self, kind: str, rank: int, sanitizer: str | None, line: str) -> bool:
        """Take a sign if it outranks what is known; forget the weaker one's stacks."""
        if rank <= self._rank:
            if self._rank == STATEMENT and rank == END:
                self._second = False
            return False
        self.type, self.sanitizer, self._rank = kind, sanitizer, rank
        self.headline = line.strip()[:300]
        self._access = self._size = self._address = self._kernel_kind = self._oops_code = None
        self._is_invalid_access = False
        self._lines, self._stacks, self._second = [], [], False
        self._statement_tool = sanitizer
        return True

    def sanitizer_header(self, match: re.Match[str]) -> None:
        """Read `==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x...`."""
        tool, what = match["name"], match["what"]
        kind: str | None = None
        address = None
        rank = FAULT
        found = _ON_ADDRESS.match(what)
        freed = _FREE.match(what) if found is None else None
        if found is not None:
            kind, address = found["kind"], found["address"]
        elif freed is not None:
            kind = {"double-free": "Heap-double-free", "free": "Invalid-free"}.get(freed["what"], "Bad-malloc_usable_size")
            address = freed["address"]
        elif what.startswith("data race"):
            kind = "Data race"
        else:
            other = _OTHER.match(what)
            if other is not None and not what.startswith("out-of-memory"):
                kind = other["kind"]
                inside = re.search(r"0x[0-9a-fA-F]{4,16}", other["rest"][:200])
                address = inside.group() if inside is not None and tool != "MemorySanitizer" else None
        if kind is None:
            return
        is_invalid = kind in _INVALID_ACCESS
        named, rank = _SIGNALS.get(kind, (_RENAMED.get(kind, kind[:1].upper() + kind[1:]), FAULT))
        if is_invalid and tool == "UndefinedBehaviorSanitizer":
            named = "Segv on unknown address"
        if not self._begin("UNKNOWN" if is_invalid else named, rank, tool, match.group()):
            return
        self.pid = match.groupdict().get("pid")
        self._is_invalid_access = is_invalid
        self._segv_name = "Segv on unknown address" if tool == "UndefinedBehaviorSanitizer" else "UNKNOWN"
        if address is not None and named not in ("Floating-point-exception",):
            self._address = address_text(address)
        self._mode = "plain" if tool == "ThreadSanitizer" else self._mode

    def _ubsan(self, line: str, at: int) -> bool:
        message = line[at + len("runtime error: ") :][:_TESTED]
        for pattern, kind in UBSAN:
            found = pattern.match(message)
            if found is None:
                continue
            if not self._begin(kind, FAULT, "UndefinedBehaviorSanitizer", line):
                return True
            if kind == "Null-dereference":
                self._access = {"load": "READ", "store": "WRITE"}.get(message.split(" ", 1)[0])
                self.type = " ".join(part for part in (kind, self._access) if part)
            named = found.groupdict().get("message")
            if named is not None:
                self._lines = [f"Bad-cast to {named}"]
            return True
        return False

    def _try_signs(self, line: str, signs: tuple[Sign, ...]) -> None:
        tested = line[:_TESTED]
        for sign in signs:
            if sign.rank <= self._rank or sign.key not in tested:
                continue
            self._tries -= 1
            if self._tries < 0:
                return
            found = sign.pattern.match(tested, 0 if sign.whole else tested.find(sign.key))
            if found is not None:
                self._apply(sign, found, line)
                return

    def _apply(self, sign: Sign, found: re.Match[str], line: str) -> None:
        parts = found.groupdict()
        message, source = parts.get("message"), parts.get("source") or parts.get("source2")
        kind = sign.type
        if not self._begin(kind, sign.rank, sign.sanitizer, line) or not message:
            return
        if "CHECK failure" in kind:
            self._lines = [with_source(check_message(message), source)]
        elif sign.key == "CSA_":
            self._lines = [steady(message)[:80], (source or "").rpartition("/")[2]]
        else:
            self._lines = [message.strip()[:80]]

    # Lines -----------------------------------------------------------------------------------------------------

    def read(self, lines: list[str]) -> None:
        """Read a report's lines in order."""
        numbered = [forms.NUMBERED(line) for line in lines]
        text = "\n".join([line for line, is_frame in zip(lines, numbered, strict=True) if not is_frame])
        signs = tuple(sign for sign in SIGNS if sign.key in text)
        keys = tuple(dict.fromkeys(sign.key for sign in signs))
        specials = tuple((key, handle) for key, handle in _SPECIAL if key in text)
        second = tuple(key for key in _SECOND_KEYS if key in text)
        del text
        for number, line in enumerate(lines):
            if numbered[number]:
                if self._rank:
                    self._add_numbered(line)
                continue
            if self._is_stack_line(lines, number, line):
                continue
            for key in keys:
                if key in line:
                    self._try_signs(line, signs)
                    break
            for key, handle in specials:
                if key in line:
                    handle(self, lines, number)
            if (
                second
                and self._stacks
                and not self._second
                and any(key in line for key in second)
                and _SECOND_STACK.match(line) is not None
            ):
                self._second = True

    def _is_stack_line(self, lines: list[str], number: int, line: str) -> bool:
        """Take the line if it is a frame of a stack; False otherwise."""
        if self._skip_next:
            self._skip_next = False
            return True
        bare = line.lstrip()
        first = bare[:1]
        form, frame = "", None
        if first == "#":
            form, frame = self._numbered(line, bare)
        elif first == "[":
            form, frame = "kernel", forms.kernel_frame(line) if bare.startswith("[<") else None
        elif first == "a" and bare.startswith("at "):
            form, frame = "java", forms.java_frame(line)
            if frame is None or (frame.file or "").endswith((".js", ".ts")):
                form, frame = "javascript", forms.javascript_frame(line)
        elif first == "F" and bare.startswith('File "'):
            form, frame = "python", forms.python_frame(line)
        elif first.isdigit() and "0x" in line and line is bare:
            form, frame = "mac", forms.mac_frame(line)
        if frame is None and self._mode:
            form, frame = self._by_mode(lines, number, line)
        if frame is None and " [0x" in line:
            form, frame = "chrome", forms.chrome_windows_frame(line)
        if frame is None:
            return False
        if self._rank:
            self._add(form, frame)
        return True

    def _numbered(self, line: str, bare: str) -> tuple[str, RawFrame | None]:
        if " pc " in bare[:8]:
            return "tombstone", forms.tombstone_frame(line)
        if "[<" in bare[:10]:
            return "kernel", forms.kernel_frame(line)
        if self._mode == "plain":
            return "sanitizer", forms.plain_frame(line)
        return "gdb", forms.gdb_frame(line) if line is bare else None

    def _by_mode(self, lines: list[str], number: int, line: str) -> tuple[str, RawFrame | None]:
        if self._mode == "go":
            frame = forms.go_frame(line, lines[number + 1] if number + 1 < len(lines) else "")
            self._skip_next = frame is not None
            return "go", frame
        if self._mode == "kernel":
            return "kernel", forms.bare_kernel_frame(line)
        if self._mode == "windbg":
            return "windbg", forms.windbg_frame(line)
        if self._mode == "rust":
            frame = forms.rust_frame(line)
            place = forms.rust_place(lines[number + 1]) if frame is not None and number + 1 < len(lines) else None
            if frame is not None and place is not None:
                frame = msgspec.structs.replace(frame, file=place[0], line=place[1])
            return "rust", frame
        if self._mode == "glibc":
            return "glibc", forms.glibc_frame(line)
        return "", None

    def _add_numbered(self, line: str) -> None:
        """Keep a sanitizer's frame as its line: most are never looked at."""
        stack = self._stacks[-1] if self._stacks else None
        if stack is None or stack.form != "sanitizer" or stack.is_second != self._second or line.lstrip().startswith("#0 "):
            if len(self._stacks) >= _MAX_STACKS:
                return
            stack = Stack("sanitizer", self._second, [], [])
            self._stacks.append(stack)
        if len(stack.lines) < _MAX_FRAMES:
            stack.lines.append(line)

    def _add(self, form: str, frame: RawFrame) -> None:
        stack = self._stacks[-1] if self._stacks else None
        if stack is None or stack.form != form or stack.is_second != self._second or (frame.number == 0 and not frame.is_inline):
            if len(self._stacks) >= _MAX_STACKS:
                return
            stack = Stack(form, self._second, [], [])
            self._stacks.append(stack)
        if len(stack.frames) < _MAX_FRAMES:
            stack.frames.append(frame)

    # The result ------------------------------------------------------------------------------------------------

    def crash(self) -> Crash | None:
        """Return the crash, or None when no line said that there was one."""
        if self.type is None:
            return None
        stacks = self._useful_stacks()
        kind = self._full_type()
        was_raised = bool(stacks) and bool(stacks[0].read(_READ_FRAMES)) and _is_raise(stacks[0].frames[0])
        lines = [line for line in self._lines if line]
        if not (self.type == "ASSERT" and self.sanitizer == "V8") and self.type != "V8 correctness failure":
            in_state = (self._inner_first(stack, kind == "Stack-overflow") for stack in stacks[:_READ_STACKS] if stack.form != "glibc")
            fill_state(lines, in_state, STATE_LINES + (self.type == "V8 API error"))
        return Crash(
            sanitizer=self.sanitizer,
            type=kind,
            access="READ" if self._access == "READ" else "WRITE" if self._access == "WRITE" else None,
            size=self._size,
            address=self._address,
            state="".join(f"{line}\n" for line in lines) or "NULL\n"
            if self.type not in _STATELESS
            else "".join(f"{line}\n" for line in lines),
            frames=self._frames(stacks, kind == "Stack-overflow"),
            security=self._security(kind, was_raised),
        )

    def _security(self, kind: str, was_raised: bool) -> bool:
        if kind == "ASSERT" and self.sanitizer in ("Rust", "GLib check", "libc++"):
            return False
        return is_security(kind, self._address, was_raised)

    def _full_type(self) -> str:
        if self._sandbox:
            return "V8 sandbox violation"
        kind = self.type or ""
        if self._kernel_kind is not None:
            return "\n".join(["Kernel failure", *access_lines(self._kernel_kind, self._access, self._size).split("\n")])
        if kind == "Kernel failure":
            return f"{kind}\n{fault_text(self._oops_code)}" if self._oops_code is not None else kind
        if self._is_invalid_access:
            return segv_type(self._address, self._access, self._segv_name)
        if kind.startswith(("Null-dereference", "UNKNOWN", "READ", "WRITE")):
            return kind
        return access_lines(kind, self._access, self._size)

    def _useful_stacks(self) -> list[Stack]:
        windbg = [stack for stack in self._stacks if stack.form == "windbg"]
        return windbg[-1:] if windbg else self._stacks

    def _inner_first(self, stack: Stack, recursed: bool) -> list[RawFrame]:
        """Return a stack's frames, innermost first (Python prints them the other way round)."""
        frames = stack.read(_MAX_FRAMES if recursed else _READ_FRAMES)
        if stack.form == "python":
            return frames[::-1]
        return from_recursion(frames) if recursed else frames

    def _frames(self, stacks: list[Stack], recursed: bool) -> tuple[Frame, ...]:
        """Return the frames that matter of the first stack that has any; never of a second one."""
        for stack in [stack for stack in stacks if not stack.is_second][:_READ_STACKS]:
            raw = self._inner_first(stack, recursed)
            shown = tuple(Frame(f.function, f.file, f.line, f.module) for f in raw if not (stack.form == "kernel" and f.is_unsure))
            kept = frames_that_matter(shown)
            if kept:
                return kept
        return ()


_STATELESS = ("V8 correctness failure",)


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


# Lines that need more than one pattern: each handler gets the report, all lines and the number of the one that holds the key. -------


def _on_sanitizer(report: Report, lines: list[str], number: int) -> None:
    found = SANITIZER.search(lines[number][:_TESTED]) or TSAN.search(lines[number][:_TESTED])
    if found is not None:
        report.sanitizer_header(found)


def _on_runtime_error(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    at = line.find("runtime error: ")
    if not line[:at].rstrip().endswith(("panic:", "panic", "panic(")) and report._ubsan(line, at):
        for following in lines[number + 1 : number + 6]:
            note = re.search(
                r"note: object (?:is of type '(?P<name>[^']{1,300})'|has (?P<invalid>invalid vptr|a possibly invalid vptr))",
                following[:_TESTED],
            )
            if note is not None and report._lines and " from " not in report._lines[0]:
                report._lines[0] += f" from {note['name'] or note['invalid']}"
                break
        report._lines = [line[:80] for line in report._lines]


def _on_access(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    if report._access is not None or report._rank != FAULT or report._second:
        return
    found = _ACCESS.match(line) or _ACCESS_KERNEL.match(line)
    if found is None:
        return
    access = found["access"].upper()
    report._access = access if access in ("READ", "WRITE") else None
    if (found["size"] or "").isdigit():
        report._size = int(found["size"])
    address = found.groupdict().get("address")
    if address is not None and report._address is None:
        report._address = address_text(address)


def _on_signal_access(report: Report, lines: list[str], number: int) -> None:
    found = _SIGNAL_ACCESS.match(lines[number])
    if found is not None and report._is_invalid_access:
        report._access = found["access"]


def _on_kasan(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    found = _KASAN.search(line[:_TESTED])
    if found is None:
        return
    if report._begin("Kernel failure", FAULT, f"Kernel{found['tool']}", line):
        kind = found["kind"]
        report._kernel_kind = kind[:1].upper() + kind[1:]
        report._address = address_text(found["address"]) if found["address"] else None
        report._mode = "kernel"


def _on_oops(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    if report._begin("Kernel failure", FAULT, "Kernel", line):
        found = _OOPS_ADDRESS.match(line[:_TESTED])
        report._address = address_text(found["address"]) if found is not None else None
        report._mode = "kernel"


def _on_oops_code(report: Report, lines: list[str], number: int) -> None:
    found = _OOPS_CODE.search(lines[number][:_TESTED])
    if found is not None and report.type == "Kernel failure" and report._kernel_kind is None:
        report._oops_code = found["code"]


def _on_pc(report: Report, lines: list[str], number: int) -> None:
    found = _PC.match(lines[number].lstrip()[:_TESTED])
    if found is not None and report.type == "Kernel failure" and report._kernel_kind is None:
        report._address = address_text(found["address"])


def _on_received_signal(report: Report, lines: list[str], number: int) -> None:
    found = _RECEIVED.search(lines[number][:_TESTED])
    if found is None:
        return
    names = {"11": "SIGSEGV", "6": "SIGABRT", "4": "SIGILL", "5": "SIGTRAP", "7": "SIGBUS", "8": "SIGFPE"}
    _signal(report, names.get(found["number"], ""), found["address"], "Chromium", lines[number])


def _on_tombstone(report: Report, lines: list[str], number: int) -> None:
    found = _TOMBSTONE.search(lines[number][:_TESTED])
    if found is not None:
        _signal(report, found["name"], found["address"], "Android", lines[number])


def _on_gdb(report: Report, lines: list[str], number: int) -> None:
    found = _GDB.search(lines[number][:_TESTED])
    if found is not None:
        _signal(report, found["name"], None, "gdb", lines[number])


def _signal(report: Report, name: str, address: str | None, tool: str, line: str) -> None:
    if name == "SIGSEGV":
        if report._begin("UNKNOWN", FAULT, tool, line):
            report._is_invalid_access, report._segv_name = True, "UNKNOWN"
            report._address = address_text(address) if address else None
    elif name in _SIGNALS:
        kind, rank = _SIGNALS[name]
        if report._begin(kind, rank, tool, line) and address:
            report._address = address_text(address)


def _on_attempt(report: Report, lines: list[str], number: int) -> None:
    found = _ATTEMPT.search(lines[number][:_TESTED])
    if found is not None:
        kind = {"read": "READ", "write": "WRITE"}.get(found["access"], "UNKNOWN")
        if report._begin(kind, FAULT, "Windows", lines[number]):
            report._address = address_text(found["address"])
            report._access = kind if kind in ("READ", "WRITE") else None
            report._mode = "windbg"


def _on_exception_code(report: Report, lines: list[str], number: int) -> None:
    found = _EXCEPTION_CODE.match(lines[number])
    kind = _EXCEPTIONS.get(found["code"]) if found is not None else None
    if kind is not None and report._begin(kind, FAULT, "Windows", lines[number]):
        report._mode = "windbg"


def _on_v8_fatal(report: Report, lines: list[str], number: int) -> None:
    found = _V8_FATAL.search(lines[number][:_TESTED])
    message = lines[number + 1].lstrip("# ").strip()[:_TESTED] if number + 1 < len(lines) else ""
    if found is None or not message or "out of memory" in message or "OOM" in lines[number]:
        return
    source = found["source"].strip() if "." in found["source"] and "(" not in found["source"] else None
    for prefix, kind in (("Check failed: ", "CHECK failure"), ("Debug check failed: ", "DCHECK failure")):
        if message.startswith(prefix):
            if report._begin(kind, STATEMENT, "V8", lines[number]):
                report._lines = [with_source(check_message(message[len(prefix) :]), source)]
            return
    kind = "Unreachable code" if message.lower().startswith("unreachable code") else "Fatal error"
    if report._begin(kind, STATEMENT, "V8", lines[number]):
        report._lines = [with_source(steady(message).rstrip("."), source)] if kind == "Fatal error" else []


def _on_v8_correctness(report: Report, lines: list[str], number: int) -> None:
    found = _V8_CORRECTNESS.search(lines[number][:_TESTED])
    if found is not None:
        report._begin("V8 correctness failure", STATEMENT, "V8", lines[number])
        if report.type == "V8 correctness failure" and len(report._lines) < STATE_LINES:
            report._lines.append(found["part"].strip()[:80])


def _on_sandbox(report: Report, lines: list[str], number: int) -> None:
    report._sandbox = True


def _on_rust_panic(report: Report, lines: list[str], number: int) -> None:
    """Since Rust 1.73 the message stands on the line beneath `thread 'x' panicked at src/lib.rs:1:2:`."""
    if re.search(r"panicked at \S{1,400}:\d+:\d+:\s*$", lines[number][:_TESTED]) and report._begin(
        "ASSERT", STATEMENT, "Rust", lines[number]
    ):
        report._lines = [lines[number + 1].strip()[:80]] if number + 1 < len(lines) else []


def _on_goroutine(report: Report, lines: list[str], number: int) -> None:
    report._mode = "go" if report._mode != "go" or not report._stacks else "done"


def _on_call_trace(report: Report, lines: list[str], number: int) -> None:
    report._mode = "kernel"


def _on_windbg(report: Report, lines: list[str], number: int) -> None:
    report._mode = "windbg"
    report._stacks.append(Stack("windbg", False, [], []))


def _on_rust_backtrace(report: Report, lines: list[str], number: int) -> None:
    report._mode = "rust"


def _on_c_stack(report: Report, lines: list[str], number: int) -> None:
    report._mode = "glibc"


_SPECIAL = (
    ("Sanitizer: ", _on_sanitizer),
    ("runtime error: ", _on_runtime_error),
    ("READ of size", _on_access),
    ("WRITE of size", _on_access),
    ("ACCESS of size", _on_access),
    ("Read of size", _on_access),
    ("Write of size", _on_access),
    ("The signal is caused by a ", _on_signal_access),
    ("BUG: K", _on_kasan),
    ("nable to handle kernel", _on_oops),
    ("BUG: kernel NULL", _on_oops),
    ("Internal error: Oops", _on_oops_code),
    ("pc : [<", _on_pc),
    ("Received signal ", _on_received_signal),
    ("signal ", _on_tombstone),
    (" signal SIG", _on_gdb),
    ("Attempt to ", _on_attempt),
    ("ExceptionCode: ", _on_exception_code),
    ("# Fatal error in", _on_v8_fatal),
    ("# V8 correctness ", _on_v8_correctness),
    ("## V8 sandbox violation detected", _on_sandbox),
    ("panicked at ", _on_rust_panic),
    ("goroutine ", _on_goroutine),
    ("Call Trace:", _on_call_trace),
    ("Call trace:", _on_call_trace),
    ("STACK_TEXT:", _on_windbg),
    ("ChildEBP", _on_windbg),
    ("Child-SP", _on_windbg),
    ("stack backtrace:", _on_rust_backtrace),
    ("==== C stack trace", _on_c_stack),
)
