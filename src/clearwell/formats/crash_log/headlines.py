# SPDX-License-Identifier: Apache-2.0
"""Headlines that a table cannot hold: each handler reads one kind of line, and its neighbors, into the report."""

import re

from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.notation import ASSERT_ADDRESSES, STATE_LINES, address_text, check_message, steadier, with_source
from clearwell.formats.crash_log.report import Report, Stack
from clearwell.formats.crash_log.signs import END, FAULT, STATEMENT, UBSAN

TESTED = 1_500
"""So much of a line is looked at, in characters."""

SANITIZER = re.compile(r"==(?P<pid>\d+)== ?(?:ERROR|WARNING): (?P<name>[A-Za-z]+Sanitizer): (?P<what>[^\n]*)")
TSAN = re.compile(r"WARNING: (?P<name>ThreadSanitizer): (?P<what>[^\n]*)")
_ON_ADDRESS = re.compile(
    r"(?P<kind>[A-Za-z][\w-]*(?: \([^)]{0,80}\))?) on (?:(?:unknown )?address (?P<address>0x[0-9a-fA-F]+)?|(?P<at>0x[0-9a-fA-F]+))"
)
_FREE = re.compile(r"attempting (?P<what>double-free|free|to call malloc_usable_size)[^\n]*?(?P<address>0x[0-9a-fA-F]+)")
_OTHER = re.compile(r"(?P<kind>[A-Za-z][^(:;\n]{0,200})")
_OVERLAP = re.compile(r"memcpy-param-overlap[^\[]{0,80}(?P<address>\[0x[^\n]{1,200}\))")
_TAIL = re.compile(r"allocation-tail-overwritten; heap object \[(?P<address>0x[0-9a-fA-F]+),")
_NO_FAULT = (
    "out-of-memory", "out of memory", "requested allocation", "allocator is out", "CHECK failed", "calloc-overflow",
    "calloc parameters overflow", "allocation-size-too-big", "hard rss", "failed to ", "detected memory leaks", "reported ",
    "unexpected format specifier", "rss-limit-exceeded",
)  # fmt: skip
"""What a sanitizer says of memory limits, of leaks or of itself: signs read it."""
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
_KASAN_RANGE = re.compile(r"KASAN: (?P<kind>[\w -]{1,60}) (?:in|on) range \[(?P<address>0x[0-9a-f]{1,16})-")
_OOPS_ADDRESS = re.compile(
    r"[^\n]{0,200}?(?:virtual address|dereference at|paging request at|address:) ?(?P<address>(?:0x)?[0-9a-f]{4,16})"
)
_OOPS_CODE = re.compile(r"Internal error: Oops(?: - [\w ]+)?: (?P<code>[0-9a-f]{1,16})")
_PC = re.compile(r"pc : \[<(?P<address>[0-9a-f]{8,16})>\]")
_RIP = re.compile(r"\bR?IP: (?:[0-9a-f]{4}:|\[<[0-9a-f]{8,16}>\] )(?P<function>[A-Za-z_][\w.]{0,200})\+0x")
_RECEIVED = re.compile(r"Received signal (?P<number>\d+) (?P<name>\S+)(?: (?P<address>[0-9a-f]{4,16}))?")
_TOMBSTONE = re.compile(r"(?:Fatal )?signal \d+ \((?P<name>SIG[A-Z]+)\)(?:[^\n]{0,80} fault addr (?P<address>0x[0-9a-f]+|[0-9a-f]{8,16}))?")
_GDB = re.compile(r"(?:Program|Thread \d+ [^\n]{0,80}?) ?(?:received|terminated with) signal (?P<name>SIG[A-Z]+)")
_ATTEMPT = re.compile(r"Attempt to (?P<access>read|write|execute)[^\n]{0,40}? address (?P<address>[0-9a-f`]{8,17})")
_EXCEPTION_CODE = re.compile(r"\s*ExceptionCode: (?P<code>[0-9a-f]{8})")
_V8_FATAL = re.compile(r"# Fatal error in (?P<source>[^\n,]{0,300})(?:, line \d+)?")
_V8_CORRECTNESS = re.compile(r"# V8 correctness (?P<part>(?:configs|sources|suppression): [^\n]{0,300})")

_VPTR_ADDRESS = re.compile(r"(?:member access within|member call on|downcast of|vtable) address (?P<address>0x[0-9a-fA-F]{1,16})")
_PLACE = re.compile(r":\d{1,7}:\d{1,6}: $")
_PROCESS = re.compile(r"fault addr \S{1,20} [^\n]{0,200}\((?P<process>[^()\n]{1,100})\)\s*$")
_BUCKET = re.compile(r"\s*DEFAULT_BUCKET_ID: {1,4}(?P<kind>[A-Za-z_]{1,100})")
_MTE = re.compile(r"SEGV_MTESERR[^\n]{0,80}fault addr \S{1,20}(?P<rest>[^\n]{0,80})")

_GLOG = re.compile(r"F\d{4,8} +[\d:.]{8,20} +\d+ (?P<source>[^\]:\s]{1,300}):\d+\] ?(?P<message>[^\n]{1,1000})")

_SIGNALS = {
    "ABRT": ("Abrt", END), "SIGABRT": ("Abrt", END), "ILL": ("Ill", END), "SIGILL": ("Ill", END), "illegal-instruction": ("Ill", END),
    "TRAP": ("Trap", END), "SIGTRAP": ("Trap", END), "breakpoint": ("Breakpoint", END), "BUS": ("Bus", FAULT), "SIGBUS": ("Bus", FAULT),
    "FPE": ("Floating-point-exception", FAULT), "SIGFPE": ("Floating-point-exception", FAULT),
    "int-divide-by-zero": ("Divide-by-zero", FAULT),
    "SYS": ("Bad-system-call", END), "SIGSYS": ("Bad-system-call", END), "priv-instruction": ("Ill", END),
}  # fmt: skip
"""A signal or Windows exception, as sanitizers and debuggers name it -> crash type and rank; an invalid access is not among them."""
_INVALID_ACCESS = {"SEGV", "access-violation", "SIGSEGV", "in-page-error"}
_RENAMED = {"unknown-crash": "UNKNOWN"}
_EXCEPTIONS = {
    "c0000094": "Divide-by-zero", "c0000095": "Integer-overflow", "c00000fd": "Stack-overflow", "c000001d": "Ill", "80000003": "Breakpoint",
    "c0000409": "Security check failure", "c0000374": "Heap-corruption", "c0000096": "Ill", "e06d7363": "Uncaught exception",
}  # fmt: skip
"""NTSTATUS codes (ntstatus.h) -> crash type."""
_SECURE_TYPES = ("Security check failure", "Heap-corruption")


def _is_assertion(address: str | None, lines: list[str], number: int) -> bool:
    """An assertion stops by writing to an address of its own, or by a signal that ASan scores as a mere signal."""
    if address is not None and int(address, 16) in ASSERT_ADDRESSES:
        return True
    return any("SCARINESS: " in line and "(signal)" in line for line in lines[number : number + 40])


def _sanitizer_header(report: Report, match: re.Match[str], lines: list[str], number: int) -> None:
    """Read `==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x...`."""
    tool, what = match["name"], match["what"]
    kind: str | None = None
    address = None
    rank = FAULT
    found = _ON_ADDRESS.match(what)
    freed = _FREE.match(what) if found is None else None
    is_asan = tool in ("AddressSanitizer", "HWAddressSanitizer")
    if is_asan and " WARNING: " in match.group()[:40]:
        return
    if found is not None and (is_asan or found["kind"] != "race"):
        kind, address = found["kind"], found["address"] or found["at"]
    elif freed is not None:
        kind = {"double-free": "Heap-double-free", "free": "Invalid-free"}.get(freed["what"], "Attempting to call malloc-usable-size")
        address = freed["address"] if freed["what"].endswith("free") else None
    elif not what.startswith(_NO_FAULT) and tool not in ("LeakSanitizer", "UndefinedBehaviorSanitizer"):
        other = _OTHER.match(what)
        kind = other["kind"].strip() if other is not None else None
        inside = _OVERLAP.match(what) or _TAIL.match(what)
        address = inside["address"] if inside is not None else None
    if kind is None:
        return
    is_invalid = kind in _INVALID_ACCESS
    worded = kind.lower().replace("_", "-").capitalize()
    named, rank = _SIGNALS.get(kind, (_RENAMED.get(kind, worded), FAULT))
    if is_invalid and report.type in ("ASSERT", "ASSERT_NOT_REACHED") and _is_assertion(address, lines, number):
        return
    if not report.begin("UNKNOWN" if is_invalid else named, rank, tool, match.group()):
        return
    report.is_invalid_access = is_invalid
    report.segv_name = "UNKNOWN"
    if is_invalid and address is None:
        report.is_invalid_access, report.type = False, "Segv on unknown address"
    if address is not None and named not in ("Floating-point-exception",):
        report.address = address if address.startswith("[") else address_text(address)
    report.mode = "plain" if tool == "ThreadSanitizer" else report.mode


def _ubsan(report: Report, line: str, at: int) -> bool:
    message = line[at + len("runtime error: ") :][:TESTED]
    for pattern, kind in UBSAN:
        found = pattern.match(message)
        if found is None:
            continue
        if not report.begin(kind, FAULT, "UndefinedBehaviorSanitizer", line):
            return True
        vptr = _VPTR_ADDRESS.search(message) if kind == "Bad-cast" else None
        if vptr is not None:
            report.address = address_text(vptr["address"])
        if kind == "Null-dereference":
            report.access = {"load": "READ", "store": "WRITE"}.get(message.split(" ", 1)[0])
            report.type = " ".join(part for part in (kind, report.access) if part)
        named = found.groupdict().get("message")
        if named is not None:
            report.lines = [f"Bad-cast to {named}"]
        return True
    if _PLACE.search(line[:at][-400:]) is not None:
        report.begin("UNKNOWN", FAULT, "UndefinedBehaviorSanitizer", line)
    return False


def _on_sanitizer(report: Report, lines: list[str], number: int) -> None:
    found = SANITIZER.search(lines[number][:TESTED]) or TSAN.search(lines[number][:TESTED])
    if found is not None:
        _sanitizer_header(report, found, lines, number)


def _on_runtime_error(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    at = line.find("runtime error: ")
    if not line[:at].rstrip().endswith(("panic:", "panic", "panic(")) and _ubsan(report, line, at):
        for following in lines[number + 1 : number + 6]:
            note = re.search(
                r"note: (?:(?:object|vtable) (?:is of type '(?P<name>[^']{1,300})'|has (?:an? (?:possibly )?)?(?P<invalid>invalid vptr))"
                r"|(?P<vtable>invalid vtable)|object is base class subobject at offset (?P<offset>\d{1,9}) within)",
                following[:TESTED],
            )
            if note is not None and report.lines and " from " not in report.lines[0]:
                invalid = "invalid vptr" if note["invalid"] or note["vtable"] else f"base class subobject at offset {note['offset']}"
                report.lines[0] += f" from {note['name'] or invalid}"
                break


def _on_access(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    if report.access is not None or report.rank != FAULT or report.in_second:
        return
    found = _ACCESS.match(line) or _ACCESS_KERNEL.match(line)
    if found is None:
        return
    access = found["access"].upper()
    report.access = access if access in ("READ", "WRITE") else None
    if (found["size"] or "").isdigit():
        report.size = int(found["size"])
    address = found.groupdict().get("address")
    if address is not None and report.address is None:
        report.address = address_text(address)


def _on_signal_access(report: Report, lines: list[str], number: int) -> None:
    found = _SIGNAL_ACCESS.match(lines[number])
    if found is not None and report.is_invalid_access:
        report.access = found["access"]


def _on_kasan(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    found = _KASAN.match(line[:TESTED], line.find("BUG: K"))
    if found is None:
        return
    if report.begin("Kernel failure", FAULT, _KERNEL_TOOLS[found["tool"]], line):
        kind = found["kind"]
        report.kernel_kind = kind[:1].upper() + kind[1:]
        report.address = address_text(found["address"]) if found["address"] else None
        report.mode = "kernel"


def _on_oops(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    if report.begin("Kernel failure", FAULT, "Kernel", line):
        found = _OOPS_ADDRESS.match(line[:TESTED])
        report.address = address_text(found["address"]) if found is not None else None
        report.mode = "kernel"


def _on_kernel_bug(report: Report, lines: list[str], number: int) -> None:
    line = lines[number][:TESTED]
    place = line[line.find("kernel BUG at ") + len("kernel BUG at ") :].strip()
    if report.begin("Kernel failure", FAULT, "Kernel", line):
        report.mode, report.kernel_kind = "kernel", _without_number(place.replace(" ", "-").capitalize())


def _on_protection_fault(report: Report, lines: list[str], number: int) -> None:
    is_kasan = "KASAN" in lines[number]
    if report.begin("Kernel failure", FAULT, "KernelAddressSanitizer" if is_kasan else "Kernel", lines[number]):
        report.mode, report.kernel_kind = "kernel", "General-protection-fault"


def _on_kasan_range(report: Report, lines: list[str], number: int) -> None:
    """Beneath a protection fault KASAN says what the address was: `KASAN: null-ptr-deref in range [0x20-0x27]`."""
    found = _KASAN_RANGE.search(lines[number][:TESTED])
    if found is not None and report.type == "Kernel failure" and report.address is None:
        report.kernel_kind, report.address = found["kind"].replace(" ", "-").capitalize(), address_text(found["address"])
        report.sanitizer = "KernelAddressSanitizer"


def _on_kernel_panic(report: Report, lines: list[str], number: int) -> None:
    line = lines[number][:TESTED]
    why = line[line.find("not syncing") + len("not syncing") :].strip(": ")
    if report.begin("Kernel failure", STATEMENT, "Kernel", line):
        report.mode, report.kernel_kind = "kernel", _without_number(why.replace(" ", "-")) or None


def _without_number(text: str) -> str:
    """A type's first number is left out when it is over 16: a line of a source file is not a type."""
    found = re.search("[0-9]{1,30}", text)
    return text if found is None or int(found.group()) <= 16 else f"{text[: found.start()]}{{*}}{text[found.end() :]}"


def _on_instruction_pointer(report: Report, lines: list[str], number: int) -> None:
    """x86 names the faulting function apart from the call trace, which begins with its caller."""
    found = _RIP.search(lines[number][:TESTED])
    if found is not None and report.type == "Kernel failure" and not report.stacks and report.kernel_kind is None:
        report.add_frame("kernel", RawFrame(found["function"]))


def _on_oops_code(report: Report, lines: list[str], number: int) -> None:
    found = _OOPS_CODE.search(lines[number][:TESTED])
    if found is not None and report.type == "Kernel failure" and report.kernel_kind is None:
        report.oops_code = found["code"]


def _on_pc(report: Report, lines: list[str], number: int) -> None:
    found = _PC.match(lines[number].lstrip()[:TESTED])
    if found is not None and report.type == "Kernel failure" and report.kernel_kind is None:
        report.address = address_text(found["address"])


def _on_received_signal(report: Report, lines: list[str], number: int) -> None:
    found = _RECEIVED.search(lines[number][:TESTED])
    if found is None:
        return
    names = {"11": "SIGSEGV", "6": "SIGABRT", "4": "SIGILL", "5": "SIGTRAP", "7": "SIGBUS", "8": "SIGFPE"}
    _signal(report, names.get(found["number"], ""), found["address"], "Chromium", lines[number])


def _on_tombstone(report: Report, lines: list[str], number: int) -> None:
    found = _TOMBSTONE.search(lines[number][:TESTED])
    if found is None:
        return
    line = lines[number][:TESTED]
    tagged = _MTE.search(line)
    if tagged is not None and report.begin(f"Tag-mismatch{tagged['rest'].rstrip()}", FAULT, "MemoryTagging", line):
        report.address = address_text(found["address"]) if found["address"] else None
        return
    _signal(report, found["name"], found["address"], "Android", line)
    process = _PROCESS.search(line)
    if process is not None and report.process is None:
        report.process = process["process"].capitalize()


def _on_gdb(report: Report, lines: list[str], number: int) -> None:
    found = _GDB.search(lines[number][:TESTED])
    if found is not None:
        _signal(report, found["name"], None, "gdb", lines[number])


def _signal(report: Report, name: str, address: str | None, tool: str, line: str) -> None:
    if name == "SIGSEGV":
        if report.begin("UNKNOWN", FAULT, tool, line):
            report.is_invalid_access, report.segv_name = True, "UNKNOWN"
            report.address = address_text(address) if address else None
    elif name in _SIGNALS:
        kind, rank = _SIGNALS[name]
        if report.begin(kind, rank, tool, line) and address:
            report.address = address_text(address)


def _on_attempt(report: Report, lines: list[str], number: int) -> None:
    found = _ATTEMPT.search(lines[number][:TESTED])
    if found is not None:
        kind = {"read": "READ", "write": "WRITE"}.get(found["access"], "UNKNOWN")
        if report.begin(kind, FAULT, "Windows", lines[number]):
            report.address = address_text(found["address"])
            report.access = kind if kind in ("READ", "WRITE") else None
            report.mode = "windbg"


def _on_exception_code(report: Report, lines: list[str], number: int) -> None:
    found = _EXCEPTION_CODE.match(lines[number])
    kind = _EXCEPTIONS.get(found["code"]) if found is not None else None
    if kind is not None and report.begin(kind, FAULT, "Windows", lines[number]):
        report.mode = "windbg"


def _on_logged_fatally(report: Report, lines: list[str], number: int) -> None:
    """Google's logger ends the program after a line of severity F, whatever it says; signs know failed checks."""
    found = _GLOG.match(lines[number][:TESTED])
    if found is not None and report.begin("Fatal error", STATEMENT, "glog", lines[number]):
        report.lines = [with_source(check_message(found["message"]), found["source"])]


def _on_jni_error(report: Report, lines: list[str], number: int) -> None:
    """The Android runtime says that native code used a dead or wrong reference."""
    if any(word in lines[number][:TESTED] for word in ("deleted", "invalid", "unexpected", "unknown", "wrong")):
        report.is_security = True


def _on_bucket(report: Report, lines: list[str], number: int) -> None:
    """`!analyze` sorts an exception into a bucket, which names it where no access failed."""
    found = _BUCKET.match(lines[number][:TESTED])
    if found is None or report.rank == FAULT:
        return
    kind = found["kind"].removesuffix("_AVRF").replace("_", "-").lower().capitalize()
    kind = {"Status-integer-overflow": "Integer-overflow", "Status-integer-divide-by-zero": "Divide-by-zero"}.get(kind, kind)
    if report.begin(kind, FAULT, "Windows", lines[number]):
        report.mode = "windbg"


def _on_security_mark(report: Report, lines: list[str], number: int) -> None:
    """A null program counter, or an issue that the fuzzer's author declares a security one, is one whatever its type."""
    report.is_security = True


def _on_v8_fatal(report: Report, lines: list[str], number: int) -> None:
    found = _V8_FATAL.search(lines[number][:TESTED])
    message = lines[number + 1].lstrip("# ").strip()[:TESTED] if number + 1 < len(lines) else ""
    if found is None or not message or "out of memory" in message or "OOM" in lines[number]:
        return
    source = found["source"].strip() if "." in found["source"] and "(" not in found["source"] else None
    for prefix, kind in (("Check failed: ", "CHECK failure"), ("Debug check failed: ", "DCHECK failure")):
        if message.startswith(prefix):
            if report.begin(kind, STATEMENT, "V8", lines[number]):
                report.lines = [with_source(check_message(message[len(prefix) :]), source)]
            return
    kind = "Unreachable code" if message.lower().startswith(("unreachable code", "unimplemented code")) else "Fatal error"
    if report.begin(kind, STATEMENT, "V8", lines[number]):
        name = source.replace("\\", "/").rpartition("/")[2] if source is not None else ""
        report.lines = [with_source(check_message(steadier(message)), source)] if kind == "Fatal error" else [name] if name else []


def _on_v8_correctness(report: Report, lines: list[str], number: int) -> None:
    found = _V8_CORRECTNESS.search(lines[number][:TESTED])
    if found is not None:
        report.begin("V8 correctness failure", STATEMENT, "V8", lines[number])
        if report.type == "V8 correctness failure" and len(report.lines) < STATE_LINES:
            report.lines.append(found["part"].strip()[:80])


def _on_sandbox(report: Report, lines: list[str], number: int) -> None:
    report.is_sandbox_violation = True


def _on_miracle_ptr(report: Report, lines: list[str], number: int) -> None:
    """Chromium's MiraclePtr quarantined the freed object: its use does no harm."""
    report.is_protected = True


def _on_rust_panic(report: Report, lines: list[str], number: int) -> None:
    """Since Rust 1.73 the message stands on the line beneath `thread 'x' panicked at src/lib.rs:1:2:`."""
    if re.search(r"panicked at \S{1,400}:\d+:\d+:\s*$", lines[number][:TESTED]) and report.begin(
        "ASSERT", STATEMENT, "Rust", lines[number]
    ):
        report.lines = [lines[number + 1].strip()[:80]] if number + 1 < len(lines) else []


def _on_goroutine(report: Report, lines: list[str], number: int) -> None:
    report.mode = "go" if report.mode != "go" or not report.stacks else "done"


def _on_call_trace(report: Report, lines: list[str], number: int) -> None:
    report.mode = "kernel"


def _on_windbg(report: Report, lines: list[str], number: int) -> None:
    report.mode = "windbg"
    report.stacks.append(Stack("windbg", False, [], []))


def _on_rust_backtrace(report: Report, lines: list[str], number: int) -> None:
    report.mode = "rust"


def _on_c_stack(report: Report, lines: list[str], number: int) -> None:
    report.mode = "glibc"


_KERNEL_TOOLS = {
    "ASAN": "KernelAddressSanitizer", "MSAN": "KernelMemorySanitizer", "CSAN": "KernelConcurrencySanitizer", "FENCE": "KernelElectricFence",
}  # fmt: skip

HEADLINES = (
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
    ("kernel BUG at ", _on_kernel_bug),
    ("general protection fault", _on_protection_fault),
    ("KASAN: ", _on_kasan_range),
    ("Kernel panic - not syncing", _on_kernel_panic),
    ("IP: ", _on_instruction_pointer),
    ("Internal error: Oops", _on_oops_code),
    ("pc : [<", _on_pc),
    ("Received signal ", _on_received_signal),
    ("signal ", _on_tombstone),
    (" signal SIG", _on_gdb),
    ("Attempt to ", _on_attempt),
    ("ExceptionCode: ", _on_exception_code),
    ("DEFAULT_BUCKET_ID", _on_bucket),
    ("JNI DETECTED ERROR", _on_jni_error),
    ("\nF", _on_logged_fatally),
    ("pc (nil) ", _on_security_mark),
    ("pc 0x00000000 ", _on_security_mark),
    ("pc 0x000000000000 ", _on_security_mark),
    ("FuzzerSecurityIssueCritical", _on_security_mark),
    ("FuzzerSecurityIssueHigh", _on_security_mark),
    ("FuzzerSecurityIssueMedium", _on_security_mark),
    ("FuzzerSecurityIssueLow", _on_security_mark),
    ("# Fatal error in", _on_v8_fatal),
    ("# V8 correctness ", _on_v8_correctness),
    ("## V8 sandbox violation detected", _on_sandbox),
    ("MiraclePtr Status: PROTECTED", _on_miracle_ptr),
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
