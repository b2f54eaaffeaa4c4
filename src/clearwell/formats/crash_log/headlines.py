# SPDX-License-Identifier: Apache-2.0
"""Headlines that a table cannot hold: each handler reads one kind of line, and its neighbors, into the report."""

import re

from clearwell.formats.crash_log.debuggers import DEBUGGERS, SIGNALS
from clearwell.formats.crash_log.memcheck import MEMCHECK
from clearwell.formats.crash_log.notation import ASSERT_ADDRESSES, STATE_LINES, address_text, check_message, steadier, with_source
from clearwell.formats.crash_log.oopses import KERNEL
from clearwell.formats.crash_log.report import TESTED, Report, Stack
from clearwell.formats.crash_log.runtimes import RUNTIMES
from clearwell.formats.crash_log.signs import FAULT, STATEMENT, UBSAN

SANITIZER = re.compile(r"==(?P<pid>\d+)== ?(?:ERROR|WARNING): (?P<name>[A-Za-z]+Sanitizer): (?P<what>[^\n]*)")
TSAN = re.compile(r"WARNING: (?P<name>ThreadSanitizer): (?P<what>[^\n]*)")
_ON_ADDRESS = re.compile(
    r"(?P<kind>[A-Za-z][\w-]*(?: \([^)]{0,80}\))?) on (?:(?:unknown )?address (?P<address>0x[0-9a-fA-F]+)?|(?P<at>0x[0-9a-fA-F]+))"
)
_FREE = re.compile(r"attempting (?P<what>double-free|free|to call malloc_usable_size)[^\n]*?(?P<address>0x[0-9a-fA-F]+)")
_OTHER = re.compile(r"(?P<kind>[A-Za-z][^(:;\n]{0,200})")
_OVERLAP = re.compile(r"\w{2,12}-param-overlap[^\[]{0,80}(?P<address>\[0x[^\n]{1,200}\))")
_TAIL = re.compile(r"allocation-tail-overwritten; heap object \[(?P<address>0x[0-9a-fA-F]+),")
_NO_FAULT = (
    "out-of-memory", "out of memory", "requested allocation", "allocator is out", "CHECK failed", "calloc-overflow",
    "calloc parameters overflow", "allocation-size-too-big", "hard rss", "failed to ", "detected memory leaks", "reported ",
    "unexpected format specifier", "rss-limit-exceeded",
)  # fmt: skip
"""What a sanitizer says of memory limits, of leaks or of itself: signs read it."""
_ACCESS = re.compile(
    r"\s*(?P<atomic>Atomic )?(?P<access>READ|WRITE|Read|Write|read|write|ACCESS)"
    r"(?: of size (?P<size>\d{1,18}|\(?[a-z]\w*\)?))? at (?:addr )?"
    r"(?P<address>0x[0-9a-fA-F]+|[0-9a-f]{8,16})"
)
_ACCESS_KERNEL = re.compile(r"\s*(?P<access>Read|Write) of size (?P<size>\d{1,18})")
_SIGNAL_ACCESS = re.compile(r"(?:==\d+==)?\s*The signal is caused by a (?P<access>READ|WRITE) memory access")
_GO_RACE = re.compile(r"\s*(?P<access>Read|Write|Atomic read|Atomic write) at (?P<address>0x[0-9a-f]{4,16}) by ")
_V8_FATAL = re.compile(r"# Fatal error in (?P<source>[^\n,]{0,300})(?:, line \d+)?")
_V8_RUNTIME = re.compile(r"# Runtime error in (?P<source>[^\n,]{0,300})(?:, line \d+)?")
_V8_CORRECTNESS = re.compile(r"# V8 correctness (?P<part>(?:configs|sources|suppression): [^\n]{0,300})")
_VPTR_ADDRESS = re.compile(r"(?:member access within|member call on|downcast of|vtable) address (?P<address>0x[0-9a-fA-F]{1,16})")
_PLACE = re.compile(r":\d{1,7}:\d{1,6}: $")
_GLOG = re.compile(r"F\d{4,8} +[\d:.]{8,20} +\d+ (?P<source>[^\]:\s]{1,300}):\d+\] ?(?P<message>[^\n]{1,1000})")
_INVALID_ACCESS = {"SEGV", "access-violation", "SIGSEGV", "in-page-error"}
_RENAMED = {"unknown-crash": "UNKNOWN"}


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
    named, rank = SIGNALS.get(kind, (_RENAMED.get(kind, worded), FAULT))
    if (
        is_invalid
        and report.type in ("ASSERT", "ASSERT_NOT_REACHED")
        and (report.sanitizer == "Mozilla" or _is_assertion(address, lines, number))
    ):
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
    report.is_atomic = found.groupdict().get("atomic") is not None
    if (found["size"] or "").isdigit():
        report.size = int(found["size"])
    address = found.groupdict().get("address")
    if address is not None and report.address is None:
        report.address = address_text(address)


def _on_signal_access(report: Report, lines: list[str], number: int) -> None:
    found = _SIGNAL_ACCESS.match(lines[number])
    if found is not None and report.is_invalid_access:
        report.access = found["access"]


def _on_go_race(report: Report, lines: list[str], number: int) -> None:
    if report.begin("Data race", FAULT, "Go race detector", lines[number]):
        report.mode = "go"


def _on_go_access(report: Report, lines: list[str], number: int) -> None:
    found = _GO_RACE.match(lines[number][:TESTED])
    if found is not None and report.sanitizer == "Go race detector" and report.address is None:
        report.access, report.address = found["access"].rsplit(" ", 1)[-1].upper(), address_text(found["address"])


def _on_logged_fatally(report: Report, lines: list[str], number: int) -> None:
    """Google's logger ends the program after a line of severity F, whatever it says; signs know failed checks."""
    found = _GLOG.match(lines[number][:TESTED])
    if found is not None and report.begin("Fatal error", STATEMENT, "glog", lines[number]):
        report.lines = [with_source(check_message(found["message"]), found["source"])]


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


def _on_v8_runtime(report: Report, lines: list[str], number: int) -> None:
    """V8's runtime functions check their arguments: the check stands on a line beneath."""
    found = _V8_RUNTIME.search(lines[number][:TESTED])
    beneath = (line.lstrip("# ").strip()[:TESTED] for line in lines[number + 1 : number + 4])
    message = next((text for text in beneath if text), "")
    if found is not None and report.begin("RUNTIME_ASSERT", STATEMENT, "V8", lines[number]):
        message = check_message(steadier(message.removeprefix("Check failed: ")))
        report.lines = [with_source(message, found["source"].strip())] if message else []


def _on_v8_correctness(report: Report, lines: list[str], number: int) -> None:
    found = _V8_CORRECTNESS.search(lines[number][:TESTED])
    if found is not None:
        report.begin("V8 correctness failure", STATEMENT, "V8", lines[number])
        if report.type == "V8 correctness failure" and len(report.lines) < STATE_LINES:
            report.lines.append(found["part"].strip()[:80])


def _on_sandbox(report: Report, lines: list[str], number: int) -> None:
    report.is_sandbox_violation = True


def _on_beyond(report: Report, lines: list[str], number: int) -> None:
    """Of what follows, allocation, thread and the next leak, OSS-Fuzz's states take nothing once they have a frame."""
    if "deallocated by" not in lines[number]:
        report.is_beyond = report.is_beyond or bool(report.stacks)


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
    if not lines[number].lstrip().startswith("goroutine "):
        return
    report.mode = "go" if report.mode != "go" or not report.stacks else "done"


def _on_rust_backtrace(report: Report, lines: list[str], number: int) -> None:
    report.mode = "rust"


def _on_traceback(report: Report, lines: list[str], number: int) -> None:
    """Of several exceptions, each raised while the one before was handled, the last is the one that nobody caught."""
    if report.sanitizer == "Python":
        report.stacks.append(Stack("python", False, [], []))


def _on_c_stack(report: Report, lines: list[str], number: int) -> None:
    report.mode = "glibc"


HEADLINES = (
    ("Sanitizer: ", _on_sanitizer),
    ("runtime error: ", _on_runtime_error),
    ("READ of size", _on_access),
    ("WRITE of size", _on_access),
    ("ACCESS of size", _on_access),
    ("ead of size", _on_access),
    ("rite of size", _on_access),
    ("The signal is caused by a ", _on_signal_access),
    *KERNEL,
    *MEMCHECK,
    *DEBUGGERS,
    *RUNTIMES,
    ("\nF", _on_logged_fatally),
    ("pc (nil) ", _on_security_mark),
    ("pc 0x00000000 ", _on_security_mark),
    ("pc 0x000000000000 ", _on_security_mark),
    ("FuzzerSecurityIssueCritical", _on_security_mark),
    ("FuzzerSecurityIssueHigh", _on_security_mark),
    ("FuzzerSecurityIssueMedium", _on_security_mark),
    ("FuzzerSecurityIssueLow", _on_security_mark),
    ("# Fatal error in", _on_v8_fatal),
    ("# Runtime error in ", _on_v8_runtime),
    ("# V8 correctness ", _on_v8_correctness),
    ("## V8 sandbox violation detected", _on_sandbox),
    ("Direct leak of ", _on_beyond),
    ("Uninitialized value was stored to memory at", _on_beyond),
    ("allocated by thread", _on_beyond),
    ("previously allocated by", _on_beyond),
    ("created by main thread at", _on_beyond),
    ("located in stack of thread", _on_beyond),
    ("MiraclePtr Status: PROTECTED", _on_miracle_ptr),
    ("panicked at ", _on_rust_panic),
    ("WARNING: DATA RACE", _on_go_race),
    ("ead at 0x", _on_go_access),
    ("rite at 0x", _on_go_access),
    ("goroutine ", _on_goroutine),
    ("Traceback (most", _on_traceback),
    ("stack backtrace:", _on_rust_backtrace),
    ("==== C stack trace", _on_c_stack),
    ("=== Backtrace: ===", _on_c_stack),
)
