# SPDX-License-Identifier: Apache-2.0
"""Headlines of debuggers and operating systems: signals and exceptions as gdb, lldb, core collectors, Android, macOS and Windows name
them."""

import re

from clearwell.formats.crash_log.notation import address_text
from clearwell.formats.crash_log.report import TESTED, Report, Stack
from clearwell.formats.crash_log.signs import END, FAULT, STATEMENT

_RECEIVED = re.compile(r"Received signal (?P<number>\d+) (?P<name>\S+)(?: (?P<address>[0-9a-f]{4,16}))?")
_TOMBSTONE = re.compile(
    r"(?:Fatal )?signal \d+ \((?P<name>SIG[A-Z]+)\)(?:[^\n]{0,80} fault addr (?P<address>0x[0-9a-f]+|[0-9a-f]{8,16})"
    r"| at (?P<at>0x[0-9a-f]{1,16}))?"
)
_GDB = re.compile(r"(?:Program|Thread \d+ [^\n]{0,80}?) ?(?:received|terminated with) signal (?P<name>SIG[A-Z]+|\d{1,2}\b)")
_GDB_PLACE = re.compile(r"(?P<address>0x[0-9a-f]{4,16}) in |rip +(?P<register>0x[0-9a-f]{4,16})\b")
_LLDB = re.compile(r"stop reason = (?:signal (?P<name>SIG[A-Z]+)|(?P<mach>EXC_[A-Z_]+))(?P<rest>[^\n]{0,200})")
_FAULT_ADDRESS = re.compile(r"(?:fault address: |address=)(?P<address>0x[0-9a-f]{1,16})")
_CORE_SIGNAL = re.compile(r"\s*Signal: (?P<number>\d{1,2}) \((?P<name>[A-Z]{2,8})\)")
_HONGGFUZZ = re.compile(r"SIGNAL: (?P<name>SIG[A-Z]+) \(\d+\)")
_MAC = re.compile(r"Exception Type: +(?P<mach>EXC_[A-Z_]+)(?: \((?P<name>SIG[A-Z]+)\))?")
_MAC_ADDRESS = re.compile(r"Exception (?:Codes|Subtype): +[^\n]{0,80}? at (?P<address>0x[0-9a-f]{1,16})")
_NTSTATUS = re.compile(r"(?:- code |xception code:? 0x|: 0x)(?P<code>[0-9A-Fa-f]{8})\b")
_VIOLATION = re.compile(r"Access violation (?P<access>reading|writing|executing) location (?P<address>0x[0-9A-Fa-f]{8,16})")
_ATTEMPT = re.compile(r"Attempt to (?P<access>read|write|execute)[^\n]{0,40}? address (?P<address>[0-9a-f`]{8,17})")
_EXCEPTION_CODE = re.compile(r"\s*ExceptionCode: (?P<code>[0-9a-f]{8})")
_PROCESS = re.compile(r"fault addr \S{1,20} [^\n]{0,200}\((?P<process>[^()\n]{1,100})\)\s*$")
_BUCKET = re.compile(r"\s*DEFAULT_BUCKET_ID: {1,4}(?P<kind>[A-Za-z_]{1,100})")
_MTE = re.compile(r"SEGV_MTESERR[^\n]{0,80}fault addr \S{1,20}(?P<rest>[^\n]{0,80})")
_SAMPLED = re.compile(r"Cause: \[GWP-ASan\]: (?P<kind>Use After Free|Buffer Overflow|Buffer Underflow|Double Free|Invalid \(Wild\) Free)")
_GUARDED = re.compile(
    r"\s*(?P<kind>Use After Free|Buffer Overflow|Buffer Underflow|Double Free|Invalid \(Wild\) Free) at (?P<address>0x[0-9a-f]{1,16})"
)
_SAMPLED_KINDS = {
    "Use After Free": "Heap-use-after-free", "Buffer Overflow": "Heap-buffer-overflow", "Buffer Underflow": "Heap-buffer-overflow",
    "Double Free": "Heap-double-free", "Invalid (Wild) Free": "Invalid-free",
}  # fmt: skip
_GO_ADDRESS = re.compile(r"PC=0x[0-9a-f]{1,16} m=\d{1,6} sigcode=\d{1,6} addr=(?P<address>0x[0-9a-f]{1,16})")
SIGNALS = {
    "ABRT": ("Abrt", END), "SIGABRT": ("Abrt", END), "ILL": ("Ill", END), "SIGILL": ("Ill", END), "illegal-instruction": ("Ill", END),
    "TRAP": ("Trap", END), "SIGTRAP": ("Trap", END), "breakpoint": ("Breakpoint", END), "BUS": ("Bus", FAULT), "SIGBUS": ("Bus", FAULT),
    "FPE": ("Floating-point-exception", FAULT), "SIGFPE": ("Floating-point-exception", FAULT),
    "int-divide-by-zero": ("Divide-by-zero", FAULT),
    "SYS": ("Bad-system-call", END), "SIGSYS": ("Bad-system-call", END), "priv-instruction": ("Ill", END),
}  # fmt: skip
"""A signal or Windows exception, as sanitizers and debuggers name it -> crash type and rank; an invalid access is not among them."""
_NUMBERS = {
    "4": "SIGILL", "5": "SIGTRAP", "6": "SIGABRT", "7": "SIGBUS", "8": "SIGFPE", "11": "SIGSEGV", "31": "SIGSYS",
    "EXC_BAD_ACCESS": "SIGSEGV", "EXC_CRASH": "SIGABRT", "EXC_BAD_INSTRUCTION": "SIGILL", "EXC_BREAKPOINT": "SIGTRAP",
    "EXC_ARITHMETIC": "SIGFPE",
}  # fmt: skip
"""Linux's numbers and macOS's exceptions -> signals."""
_EXCEPTIONS = {
    "c0000094": "Divide-by-zero", "c0000095": "Integer-overflow", "c00000fd": "Stack-overflow", "c000001d": "Ill", "80000003": "Breakpoint",
    "c0000409": "Security check failure", "c0000374": "Heap-corruption", "c0000096": "Ill", "e06d7363": "Uncaught exception",
}  # fmt: skip
"""NTSTATUS codes (ntstatus.h) -> crash type."""


def _on_received_signal(report: Report, lines: list[str], number: int) -> None:
    found = _RECEIVED.search(lines[number][:TESTED])
    if found is not None:
        _signal(report, _NUMBERS.get(found["number"], ""), found["address"], "Chromium", lines[number])


def _on_tombstone(report: Report, lines: list[str], number: int) -> None:
    found = _TOMBSTONE.search(lines[number][:TESTED])
    if found is None:
        return
    line = lines[number][:TESTED]
    tagged = _MTE.search(line)
    if tagged is not None and report.begin(f"Tag-mismatch{tagged['rest'].rstrip()}", FAULT, "MemoryTagging", line):
        report.address = address_text(found["address"]) if found["address"] else None
        return
    _signal(report, found["name"], found["address"] or found["at"], "Android", line)
    process = _PROCESS.search(line)
    if process is not None and report.process is None:
        report.process = process["process"].capitalize()


def _on_gdb(report: Report, lines: list[str], number: int) -> None:
    found = _GDB.search(lines[number][:TESTED])
    if found is None:
        return
    name = _NUMBERS.get(found["name"], found["name"])
    if name != "SIGTRAP":
        _signal(report, name, None, "gdb", lines[number])
    elif report.begin("Sigtrap", END, "gdb", lines[number]):
        place = next((found for line in lines[number + 1 : number + 3] if (found := _GDB_PLACE.match(line)) is not None), None)
        report.address = address_text(place["address"] or place["register"]) if place is not None else None


def _on_signal_handler(report: Report, lines: list[str], number: int) -> None:
    """What a debugger shows above `<signal handler called>` is the handler: the fault lies beneath."""
    if report.stacks and report.stacks[-1].form == "sanitizer":
        report.stacks[-1].lines.clear()


def _on_lldb(report: Report, lines: list[str], number: int) -> None:
    found = _LLDB.search(lines[number][:TESTED])
    if found is not None:
        at = _FAULT_ADDRESS.search(found["rest"])
        name = found["name"] or _NUMBERS.get(found["mach"], "")
        _signal(report, name, at["address"] if at is not None else None, "lldb", lines[number])
        report.mode = "lldb"


def _on_core_signal(report: Report, lines: list[str], number: int) -> None:
    """systemd's coredumpctl: `Signal: 11 (SEGV)`."""
    found = _CORE_SIGNAL.match(lines[number][:TESTED])
    if found is not None:
        _signal(report, f"SIG{found['name']}", None, "systemd-coredump", lines[number])


def _on_honggfuzz(report: Report, lines: list[str], number: int) -> None:
    found = _HONGGFUZZ.match(lines[number][:TESTED])
    if found is not None:
        _signal(report, found["name"], None, "honggfuzz", lines[number])
        report.mode = "honggfuzz"


def _on_fault_address(report: Report, lines: list[str], number: int) -> None:
    address = lines[number][:TESTED].partition("FAULT ADDRESS: ")[2].strip()
    if report.mode == "honggfuzz" and re.fullmatch("0x[0-9a-f]{1,16}", address) is not None:
        report.address = address_text(address)


def _on_sampled(report: Report, lines: list[str], number: int) -> None:
    """Android's sampled heap guards name the cause beneath the signal: `Cause: [GWP-ASan]: Use After Free on a 32-byte allocation`."""
    found = _SAMPLED.search(lines[number][:TESTED])
    if found is not None and report.sanitizer == "Android" and report.rank == FAULT:
        report.type, report.sanitizer, report.is_invalid_access = _SAMPLED_KINDS[found["kind"]], "GWP-ASan", False


def _on_guarded(report: Report, lines: list[str], number: int) -> None:
    """GWP-ASan's own report: the cause and the address stand on the next line."""
    line = lines[number + 1][:TESTED] if number + 1 < len(lines) else ""
    found = _GUARDED.search(line)
    if found is not None and report.begin(_SAMPLED_KINDS[found["kind"]], FAULT, "GWP-ASan", line):
        report.address, report.mode = address_text(found["address"]), "guarded"


def _on_go_signal(report: Report, lines: list[str], number: int) -> None:
    """Go's runtime names a signal that came while C code ran: `SIGSEGV: segmentation violation`, then `PC=0x4 m=0 addr=0x18`."""
    if lines[number].startswith("SIGSEGV: segmentation violation"):
        place = _GO_ADDRESS.search(lines[number + 1][:TESTED]) if number + 1 < len(lines) else None
        _signal(report, "SIGSEGV", place["address"] if place is not None else None, "Go", lines[number])


def _on_mac_report(report: Report, lines: list[str], number: int) -> None:
    found = _MAC.match(lines[number][:TESTED])
    if found is not None:
        _signal(report, found["name"] or _NUMBERS.get(found["mach"], ""), None, "macOS", lines[number])
    at = _MAC_ADDRESS.match(lines[number][:TESTED])
    if at is not None and report.sanitizer == "macOS":
        report.address = address_text(at["address"])


def _on_status(report: Report, lines: list[str], number: int) -> None:
    """Windows' event log and debuggers name an exception by its NTSTATUS code, with or without the access."""
    found = _NTSTATUS.search(lines[number][:TESTED])
    if found is None or report.rank == FAULT:
        return
    code = found["code"].lower()
    if code == "c0000005":
        if report.begin("UNKNOWN", STATEMENT, "Windows", lines[number]):
            report.is_invalid_access, report.mode = True, "windbg"
            violation = _VIOLATION.search(lines[number][:TESTED])
            if violation is not None:
                report.access = {"reading": "READ", "writing": "WRITE"}.get(violation["access"])
                report.address = address_text(violation["address"])
    elif code in _EXCEPTIONS and report.begin(_EXCEPTIONS[code], STATEMENT, "Windows", lines[number]):
        report.mode = "windbg"


def _signal(report: Report, name: str, address: str | None, tool: str, line: str) -> None:
    if name == "SIGSEGV":
        if report.sanitizer == "Mozilla":
            return  # its assertions stop by writing to address zero
        if report.begin("UNKNOWN", FAULT, tool, line):
            report.is_invalid_access, report.segv_name = True, "UNKNOWN"
            report.address = address_text(address) if address else None
    elif name in SIGNALS:
        kind, rank = SIGNALS[name]
        if report.begin(kind, rank, tool, line) and address:
            report.address = address_text(address)


def _on_attempt(report: Report, lines: list[str], number: int) -> None:
    found = _ATTEMPT.search(lines[number][:TESTED])
    if found is not None:
        kind = found["access"].upper()
        if report.begin(kind, FAULT, "Windows", lines[number]):
            report.address = address_text(found["address"])
            report.access = kind if kind in ("READ", "WRITE") else None
            report.mode = "windbg"


def _on_exception_code(report: Report, lines: list[str], number: int) -> None:
    found = _EXCEPTION_CODE.match(lines[number])
    kind = _EXCEPTIONS.get(found["code"]) if found is not None else None
    if kind is not None and report.begin(kind, FAULT, "Windows", lines[number]):
        report.mode = "windbg"


def _on_bucket(report: Report, lines: list[str], number: int) -> None:
    """`!analyze` sorts an exception into a bucket, which names it where no access failed."""
    found = _BUCKET.match(lines[number][:TESTED])
    if found is None or report.rank == FAULT:
        return
    kind = found["kind"].removesuffix("_AVRF").replace("_", "-").lower().capitalize()
    kind = {"Status-integer-overflow": "Integer-overflow", "Status-integer-divide-by-zero": "Divide-by-zero"}.get(kind, kind)
    if report.begin(kind, FAULT, "Windows", lines[number]):
        report.mode = "windbg"


def _on_windbg(report: Report, lines: list[str], number: int) -> None:
    report.mode = "windbg"
    report.stacks.append(Stack("windbg", False, [], [], is_analyzed="STACK_TEXT:" in lines[number][:TESTED]))


def _on_jni_error(report: Report, lines: list[str], number: int) -> None:
    """The Android runtime says that native code used a dead or wrong reference."""
    if any(word in lines[number][:TESTED] for word in ("deleted", "invalid", "unexpected", "unknown", "wrong")):
        report.is_security = True


DEBUGGERS = (
    ("Received signal ", _on_received_signal),
    ("signal ", _on_tombstone),
    (" signal SIG", _on_gdb),
    ("terminated with signal ", _on_gdb),
    ("<signal handler called>", _on_signal_handler),
    ("stop reason = ", _on_lldb),
    ("Signal: ", _on_core_signal),
    ("SIGNAL: ", _on_honggfuzz),
    ("FAULT ADDRESS: ", _on_fault_address),
    ("Cause: [GWP-ASan]", _on_sampled),
    ("GWP-ASan detected a memory error", _on_guarded),
    ("\nSIGSEGV: ", _on_go_signal),
    ("Exception Type: ", _on_mac_report),
    ("Exception Codes: ", _on_mac_report),
    ("Exception Subtype: ", _on_mac_report),
    ("xception code: 0x", _on_status),
    ("xception code 0x", _on_status),
    ("- code c0000", _on_status),
    ("Access violation", _on_status),
    ("Attempt to ", _on_attempt),
    ("ExceptionCode: ", _on_exception_code),
    ("DEFAULT_BUCKET_ID", _on_bucket),
    ("JNI DETECTED ERROR", _on_jni_error),
    ("STACK_TEXT:", _on_windbg),
    ("ChildEBP", _on_windbg),
    ("Child-SP", _on_windbg),
)
"""Key and handler of each kind of line."""
