# SPDX-License-Identifier: Apache-2.0
"""A kernel's headlines: oopses, panics and what its sanitizers say, on x86 and ARM."""

import re

from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.notation import address_text
from clearwell.formats.crash_log.report import TESTED, Report
from clearwell.formats.crash_log.signs import END, FAULT, STATEMENT
from clearwell.vocabulary.finding import line_of

_KASAN = re.compile(
    r"BUG: K(?P<tool>ASAN|ASan|MSAN|CSAN|FENCE): (?P<kind>[\w -]{1,60}?)(?: (?:read|write|access))? (?:in|on)\b ?[^\n]*?(?:address |addr )?"
    r"(?P<address>\b[0-9a-f]{16}\b|$)"
)
_KASAN_RANGE = re.compile(r"KASAN: (?P<kind>[\w -]{1,60}) (?:in|on) range \[(?P<address>0x[0-9a-f]{1,16})-")
_OOPS_ADDRESS = re.compile(
    r"[^\n]{0,200}?(?:virtual address|dereference at|paging request at|address:) ?(?P<address>(?:0x)?[0-9a-f]{4,16})"
)
_OOPS_CODE = re.compile(r"Internal error: Oops(?: - [\w ]+)?: (?P<code>[0-9a-f]{1,16})")
_PC = re.compile(r"pc : \[<(?P<address>[0-9a-f]{8,16})>\]")
_RIP = re.compile(
    r"\b[RE]?IP(?:: (?:[0-9a-f]{4}:)?| is at )(?:\[<[0-9a-f]{8,16}>\]\s{1,4}){0,2}(?P<function>[A-Za-z_][\w.]{0,200})"
    r"\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}"
    r"(?: (?P<file>[\w./+-]{1,300}):(?P<line>\d{1,7}))?"
)
_KERNEL_ACCESS = re.compile(
    r"\s*(?:Out-of-bounds |Use-after-free |Invalid )?(?P<access>read|write)(?: \(marked\))?(?: at| to) 0x(?P<address>[0-9a-f]{8,16})"
    r"(?: of (?P<size>\d{1,6}) bytes by)?",
    re.IGNORECASE,
)
_KERNEL_UBSAN = re.compile(r"UBSAN: (?P<kind>[\w-]{1,60}) in ")
_TRAP = re.compile(
    r"(?:Oops: )?(?P<kind>divide error|invalid opcode|stack segment|double fault|int3|bounds|alignment check): [0-9a-f]{4} \[#\d"
)
_COMPLAINTS = (
    (re.compile(r"WARNING: (?:CPU: \d{1,4} PID: \d{1,7} at |[\w./-]{1,300}:\d{1,6} at )"), "Warning"),
    (re.compile(r"BUG: (?:soft|hard) lockup|hard LOCKUP on cpu"), "Lockup"),
    (re.compile(r"INFO: rcu\w* (?:self-)?detected (?:expedited )?stall"), "Rcu-stall"),
    (re.compile(r"INFO: task \S{1,64} blocked for more than"), "Hung-task"),
    (re.compile(r"WARNING: (?:possible (?:circular|recursive) locking|possible irq lock inversion|inconsistent lock state)"), "Lock-order"),
    (re.compile(r"BUG: sleeping function called from invalid context"), "Sleep-in-atomic"),
)
_KERNEL_TOOLS = {
    "ASAN": "KernelAddressSanitizer", "ASan": "KernelAddressSanitizer", "MSAN": "KernelMemorySanitizer",
    "CSAN": "KernelConcurrencySanitizer", "FENCE": "KernelElectricFence",
}  # fmt: skip


def _on_kasan(report: Report, lines: list[str], number: int) -> None:
    line = lines[number]
    found = _KASAN.match(line[:TESTED], line.find("BUG: K"))
    if found is None:
        return
    if report.begin("Kernel failure", FAULT, _KERNEL_TOOLS[found["tool"]], line):
        kind = found["kind"]
        report.kernel_kind = kind[:1].upper() + kind[1:].replace(" ", "-")
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


def _on_trap(report: Report, lines: list[str], number: int) -> None:
    """A processor's trap: `divide error: 0000 [#1] SMP`, since Linux 6.10 after `Oops: `."""
    found = _TRAP.match(lines[number][:TESTED])
    if found is not None and report.begin("Kernel failure", STATEMENT, "Kernel", lines[number]):
        report.mode, report.kernel_kind = "kernel", found["kind"].replace(" ", "-").capitalize()


def _on_complaint(report: Report, lines: list[str], number: int) -> None:
    """What a kernel complains of and lives on: warnings, lockups, stalls, hung tasks, locks taken in two orders."""
    for pattern, kind in _COMPLAINTS:
        if pattern.search(lines[number][:TESTED]) is not None:
            if report.begin("Kernel failure", END, "Kernel", lines[number]):
                report.mode, report.kernel_kind = "kernel", kind
            return


def _on_kernel_panic(report: Report, lines: list[str], number: int) -> None:
    line = lines[number][:TESTED]
    if "panic_on_warn" in line and report.kernel_kind == "Warning":
        return  # how the warning above ended
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
    if found is not None and report.type == "Kernel failure" and not report.stacks:
        report.add_frame("kernel", RawFrame(found["function"], found["file"], line_of(found["line"])))


def _on_kernel_access(report: Report, lines: list[str], number: int) -> None:
    """KFENCE and KCSAN say on a line of its own what was accessed: `write to 0xffff888008c5a2c8 of 8 bytes by task 1`."""
    found = _KERNEL_ACCESS.match(lines[number][:TESTED])
    if found is None or report.type != "Kernel failure" or report.in_second or report.address is not None:
        return
    report.access, report.address = found["access"].upper(), address_text(found["address"])
    report.size = int(found["size"]) if found["size"] is not None else None


def _on_kernel_ubsan(report: Report, lines: list[str], number: int) -> None:
    found = _KERNEL_UBSAN.search(lines[number][:TESTED])
    if found is not None and report.begin("Kernel failure", FAULT, "KernelUndefinedBehaviorSanitizer", lines[number]):
        report.mode, report.kernel_kind = "kernel", found["kind"].capitalize()


def _on_oops_code(report: Report, lines: list[str], number: int) -> None:
    found = _OOPS_CODE.search(lines[number][:TESTED])
    if found is not None and report.type == "Kernel failure" and report.kernel_kind is None:
        report.oops_code = found["code"]


def _on_pc(report: Report, lines: list[str], number: int) -> None:
    found = _PC.match(lines[number].lstrip()[:TESTED])
    if found is not None and report.type == "Kernel failure" and report.kernel_kind is None:
        report.address = address_text(found["address"])


def _on_call_trace(report: Report, lines: list[str], number: int) -> None:
    report.mode = "kernel"


KERNEL = (
    ("BUG: K", _on_kasan),
    ("nable to handle kernel", _on_oops),
    ("to handle page fault", _on_oops),
    ("UBSAN: ", _on_kernel_ubsan),
    ("ead at 0x", _on_kernel_access),
    ("rite at 0x", _on_kernel_access),
    ("rite to 0x", _on_kernel_access),
    ("ead to 0x", _on_kernel_access),
    ("BUG: kernel NULL", _on_oops),
    ("kernel BUG at ", _on_kernel_bug),
    ("general protection fault", _on_protection_fault),
    ("KASAN: ", _on_kasan_range),
    (": 0000 [#", _on_trap),
    ("WARNING: ", _on_complaint),
    (" lockup", _on_complaint),
    ("hard LOCKUP", _on_complaint),
    ("INFO: rcu", _on_complaint),
    ("INFO: task ", _on_complaint),
    ("BUG: sleeping", _on_complaint),
    ("Kernel panic - not syncing", _on_kernel_panic),
    ("IP: ", _on_instruction_pointer),
    ("IP is at ", _on_instruction_pointer),
    ("Internal error: Oops", _on_oops_code),
    ("pc : [<", _on_pc),
    ("Call Trace:", _on_call_trace),
    ("Call trace:", _on_call_trace),
)
"""Key and handler of each kind of line."""
