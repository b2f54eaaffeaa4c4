# SPDX-License-Identifier: Apache-2.0
"""Headlines of Valgrind's tools: what Memcheck found, and the block or stack that the address lies in, which names the flaw."""

import re

from clearwell.formats.crash_log.debuggers import SIGNALS
from clearwell.formats.crash_log.notation import address_text
from clearwell.formats.crash_log.report import TESTED, Report
from clearwell.formats.crash_log.signs import FAULT, STATEMENT

_PID = r"(?:==\d{1,10}==)?\s*"
_ACCESS = re.compile(_PID + r"Invalid (?P<access>read|write) of size (?P<size>\d{1,18})")
_RACE = re.compile(
    _PID + r"Possible data race during (?P<access>read|write) of size (?P<size>\d{1,18}) at (?P<address>0x[0-9A-Fa-f]{1,16})"
)
_PLAIN = tuple(
    (re.compile(_PID + words), kind, rank)
    for words, kind, rank in (
        (r"Conditional jump or move depends on uninitialised value", "Use-of-uninitialized-value", FAULT),
        (r"Use of uninitialised value of size", "Use-of-uninitialized-value", FAULT),
        (r"Syscall param [^\n]{1,120} (?:points to|contains) uninitialised byte", "Use-of-uninitialized-value", FAULT),
        (r"Syscall param [^\n]{1,120} points to unaddressable byte", "UNKNOWN", FAULT),
        (r"Invalid free\(\)", "Invalid-free", FAULT),
        (r"Mismatched (?:free\(\)|new/delete)", "Alloc-dealloc-mismatch", FAULT),
        (r"Jump to the invalid address", "UNKNOWN", FAULT),
        (r"Source and destination overlap in mem(?:p?cpy|move)", "Memcpy-param-overlap", FAULT),
        (r"Source and destination overlap in ", "Strcpy-param-overlap", FAULT),
        (r"Argument '[^'\n]{1,60}' of function [^\n]{1,120} has a fishy", "Allocation-size-too-big", FAULT),
        (r"Stack overflow in thread", "Stack-overflow", FAULT),
        (r"[\d,]{1,20} (?:\([^()\n]{1,80}\) )?bytes in [\d,]{1,20} blocks are (?:definitely|possibly) lost", "Direct-leak", STATEMENT),
        (r"[\d,]{1,20} (?:\([^()\n]{1,80}\) )?bytes in [\d,]{1,20} blocks are indirectly lost", "Indirect-leak", STATEMENT),
    )
)
_ENDED = re.compile(_PID + r"Process terminating with default action of signal \d{1,3} \((?P<name>SIG[A-Z]{2,8})\)")
_ADDRESS = re.compile(
    _PID
    + r"Address (?P<address>0x[0-9A-Fa-f]{1,16}) is (?:(?P<heap>[\d,]{1,18} bytes (?P<where>inside|after|before|BEFORE|AFTER) (?:a|an) "
    r"[^\n]{0,60}?block of size [\d,]{1,18}(?P<freed> free'd)?)|(?P<stack>on thread)|(?P<nowhere>not stack'd)"
    r"|(?P<inside>[\d,]{1,18} bytes inside data symbol))"
)
_NOT_MAPPED = re.compile(
    _PID + r"(?:Access not within mapped region|Bad permissions for mapped region) at address (?P<address>0x[0-9A-Fa-f]{1,16})"
)
_TOOL = "Valgrind"
HEADLINE = re.compile(
    _PID
    + r"(?:Invalid (?:read|write) of size \d|Invalid free\(\)|Mismatched (?:free\(\)|new/delete)|Conditional jump or move depends on uninit"
    r"|Use of uninitialised value of|Syscall param [^\n]{1,120} (?:uninit|unaddr)|Jump to the invalid address"
    r"|Source and destination overlap in |Possible data race during |[\d,]{1,20} (?:\([^()\n]{1,80}\) )?bytes in [\d,]{1,20} blocks are "
    r"(?:definitely|possibly|indirectly) lost)"
)
"""Each begins a report of its own: the tool goes on after one."""
KEYS = ("Invalid ", "Mismatched ", "uninitialised", "Jump to the", "Source and dest", "Syscall param", "data race during", " lost in loss")


def _on_error(report: Report, lines: list[str], number: int) -> None:
    line = lines[number][:TESTED]
    found = _ACCESS.match(line) or _RACE.match(line)
    if found is not None:
        is_race = "address" in found.groupdict()
        if report.begin("Data race" if is_race else "UNKNOWN", FAULT, _TOOL, line):
            report.access, report.size, report.mode = found["access"].upper(), int(found["size"]), "memcheck"
            report.is_invalid_access = not is_race
            report.address = address_text(found["address"]) if is_race else None
        return
    for pattern, kind, rank in _PLAIN:
        if pattern.match(line) is not None:
            if report.begin(kind, rank, _TOOL, line):
                report.mode, report.is_invalid_access = "memcheck", kind == "UNKNOWN"
            else:
                _end(report)
            return


def _end(report: Report) -> None:
    """What follows belongs to another error, or repeats this one."""
    if report.sanitizer == _TOOL and report.stacks:
        report.in_second = report.is_beyond = True


def _on_ended(report: Report, lines: list[str], number: int) -> None:
    found = _ENDED.match(lines[number][:TESTED])
    if found is None:
        return
    kind, rank = SIGNALS.get(found["name"], ("UNKNOWN", FAULT))
    if report.begin(kind, rank, _TOOL, lines[number]):
        report.mode, report.is_invalid_access = "memcheck", found["name"] == "SIGSEGV"
    else:
        _end(report)


def _on_address(report: Report, lines: list[str], number: int) -> None:
    """The line beneath the first stack says what the address is; the stacks beneath it are where the block was freed or allocated."""
    found = _ADDRESS.match(lines[number][:TESTED])
    if found is None or report.sanitizer != _TOOL or report.address is not None or report.in_second:
        return
    report.address = address_text(found["address"])
    freed = found["freed"] is not None
    report.in_second, report.is_beyond = True, report.is_beyond or not freed
    if report.type == "Invalid-free" and freed and found["heap"].startswith("0 "):
        report.type = "Heap-double-free"
    elif report.is_invalid_access and (found["heap"] is not None or found["stack"] is not None or found["inside"] is not None):
        report.is_invalid_access = False
        on_heap = "Heap-use-after-free" if freed else "Heap-buffer-overflow"
        report.type = on_heap if found["heap"] is not None else "Stack-buffer-overflow" if found["stack"] is not None else "UNKNOWN"


def _on_not_mapped(report: Report, lines: list[str], number: int) -> None:
    found = _NOT_MAPPED.match(lines[number][:TESTED])
    if found is not None and report.sanitizer == _TOOL and report.address is None and report.is_invalid_access:
        report.address = address_text(found["address"])


def _on_origin(report: Report, lines: list[str], number: int) -> None:
    """Where an uninitialized value or a block came from."""
    _end(report)


MEMCHECK = (
    ("Invalid read of size", _on_error),
    ("Invalid write of size", _on_error),
    ("Invalid free()", _on_error),
    ("Mismatched ", _on_error),
    ("depends on uninitialised", _on_error),
    ("Use of uninitialised value", _on_error),
    ("Syscall param ", _on_error),
    ("Jump to the invalid address", _on_error),
    ("Source and destination overlap", _on_error),
    ("has a fishy", _on_error),
    ("Stack overflow in thread", _on_error),
    ("Possible data race during", _on_error),
    ("blocks are ", _on_error),
    ("Process terminating with default action", _on_ended),
    ("Address 0x", _on_address),
    ("apped region at address", _on_not_mapped),
    ("Uninitialised value was", _on_origin),
    ("Block was alloc'd at", _on_origin),
    ("This conflicts with a previous", _on_origin),
)
"""Key and handler of each kind of line."""
