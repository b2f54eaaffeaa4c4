# SPDX-License-Identifier: Apache-2.0
"""casrep: the crash reports that CASR (ISP RAS) writes as JSON, from gdb, sanitizers and languages' runtimes."""

import re
from typing import Literal

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin, line_of
from clearwell.vocabulary.inference import weakness_from_crash
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.stack import frames_that_matter, gdb_stack_frame, is_project_module

_Access = Literal["READ", "WRITE"] | None

MAX_SIZE = 16 * 1024 * 1024
_MAX_FRAMES = 2_000
_MAX_LINE = 4_000
_MAX_TEXT = 2_000
_MAX_MAPS = 2_000
_CALL_SITES = 3
_STATE_LINES = 3
_LINE_WIDTH = 80

_SANITIZER = re.compile(
    r"#\d{1,5}\s+0x[0-9a-fA-F]+\s+in\s+(?P<function>\S.*?)(?:\s+(?P<file>[^\s()]+?):(?P<line>\d+)(?::\d+)?"
    r"|\s+\((?P<module>[^()]+)\+0x[0-9a-f]+\).*)\s*$"
)
_PYTHON = re.compile(r'File "(?P<file>[^"]{1,500})", line (?P<line>\d+), in (?P<function>.{1,300}?)\s*$')
_JAVA = re.compile(r"at (?P<function>[\w.$/<>@-]+)\((?P<file>[^():]*)(?::(?P<line>\d+))?\)\s*$")
_JAVASCRIPT = re.compile(
    r"at (?:async )?(?:(?P<function>[^()]{1,300}?)(?: \[as [^\]]{1,200}\])? \()?(?P<file>[^\s()]{1,1000}):(?P<line>\d+):\d+\)?$"
)
_DOTNET = re.compile(
    r"at (?P<function>[\w.<>`+|\[\],]{1,500}) ?\([^()]{0,1000}\)(?: \[0x[0-9a-f]+\])?"
    r"(?: in (?P<file>[^:]{1,1000}|[A-Za-z]:[^:]{1,1000}):(?:line )?(?P<line>\d+))?$"
)
_GO = re.compile(
    r"(?P<function>[\w./~()*\[\]{}-]{1,500})\([^()]{0,1000}\)"
    r"(?: (?P<file>/\S{1,1000}|[A-Za-z]:\S{1,1000}):(?P<line>\d+)(?: \+0x[0-9a-f]+)?)?$"
)
_GO_PLACE = re.compile(r"(?P<file>(?:/|[A-Za-z]:)\S{1,1000}\.(?:go|s|c)):(?P<line>\d+)(?: \+0x[0-9a-f]+)?$")
_LUA = re.compile(
    r"(?P<file>[^\s:\[][^:]{0,300}):(?P<line>\d+): in (?:function|method|field|local|upvalue|global)? ?[<'](?P<function>[^'<>]{1,300})['>]$"
)
_LUA_CHUNK = re.compile(r"(?P<file>[^\s:\[][^:]{0,300}):(?P<line>\d+): in main chunk$")
_STACKS = (_SANITIZER, _PYTHON, _JAVA, _JAVASCRIPT, _DOTNET, _LUA, _LUA_CHUNK, _GO)
"""Frames as the runtimes print them; Go's last, which may be followed by its place in a line of its own."""
_MAP = re.compile(r"\s*0x(?P<start>[0-9a-f]{1,16})\s+0x(?P<end>[0-9a-f]{1,16})\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+(?P<path>/\S[^\n]*?)\s*$")
_ADDRESS = re.compile(r"\s*#\d{1,5}\s+0x(?P<address>[0-9a-f]{1,16}) in ")
_CRASH_LINE = re.compile(r"(?P<file>[^\s:][^:]{0,999}):(?P<line>\d{1,9})(?::\d{1,9})?$")
_WITH_ACCESS = re.compile(r"(?P<kind>[a-z][a-z-]+)\((?P<access>read|write)\)$")
_EXCEPTION = re.compile(r"(?:[\w$.]{0,200}(?:Error|Exception|Interrupt))$")
"""The class of an exception that nobody caught, as the readers for Python, Java, JavaScript and C# give it."""

_TYPES: dict[str, tuple[str, _Access]] = {
    # CASR's ShortDescription (its README, "Crash severity") -> OSS-Fuzz's crash type, access
    "SegFaultOnPc": ("UNKNOWN", None), "ReturnAv": ("UNKNOWN", None), "BranchAv": ("UNKNOWN", None), "CallAv": ("UNKNOWN", None),
    "BranchAvTainted": ("UNKNOWN", None), "CallAvTainted": ("UNKNOWN", None),
    "SegFaultOnPcNearNull": ("Null-dereference", None), "BranchAvNearNull": ("Null-dereference", None),
    "CallAvNearNull": ("Null-dereference", None),
    "SourceAv": ("UNKNOWN READ", "READ"), "SourceAvNearNull": ("Null-dereference READ", "READ"), "DestAv": ("UNKNOWN WRITE", "WRITE"),
    "DestAvTainted": ("UNKNOWN WRITE", "WRITE"), "DestAvNearNull": ("Null-dereference WRITE", "WRITE"),
    "AccessViolation": ("UNKNOWN", None), "AbortSignal": ("Abrt", None), "TrapSignal": ("Trap", None),
    "FPE": ("Floating-point-exception", None), "BadInstruction": ("Ill", None), "StackOverflow": ("Stack-overflow", None),
    "SafeFunctionCheck": ("Buffer-overflow", None), "StackGuard": ("Stack-buffer-overflow", None), "HeapError": ("Heap-corruption", None),
    "double-free": ("Heap-double-free", None), "bad-free": ("Invalid-free", None), "memory-leaks": ("Direct-leak", None),
    "fpe": ("Floating-point-exception", None), "unknown-crash": ("UNKNOWN", None),
    "overwrites-const-input": ("Overwrites-const-input", None),
    "calloc-overflow": ("Out-of-memory", None), "reallocarray-overflow": ("Out-of-memory", None),
    "pvalloc-overflow": ("Out-of-memory", None),
    "allocation-size-too-big": ("Out-of-memory", None), "rss-limit-exceeded": ("Out-of-memory", None), "OOM": ("Out-of-memory", None),
    "TIMEOUT": ("Timeout", None),
    # UndefinedBehaviorSanitizer's names of its checks, which CASR takes over
    "signed-integer-overflow": ("Integer-overflow", None), "negate-overflow": ("Integer-overflow", None),
    "integer-divide-by-zero": ("Divide-by-zero", None), "float-divide-by-zero": ("Divide-by-zero", None),
    "shift-exponent": ("Undefined-shift", None), "shift-base": ("Undefined-shift", None),
    "null-pointer-use": ("Potential-null-reference", None), "nullability-arg": ("Invalid-null-argument", None),
    "nonnull-attribute": ("Invalid-null-argument", None), "returns-nonnull-attribute": ("Invalid-null-return", None),
    "invalid-null-argument": ("Invalid-null-argument", None), "invalid-null-return": ("Invalid-null-return", None),
    "out-of-bounds-index": ("Index-out-of-bounds", None), "insufficient-object-size": ("Object-size", None),
    "misaligned-pointer-use": ("Misaligned-address", None), "alignment-assumption": ("Alignment-assumption", None),
    "invalid-bool-load": ("Invalid-bool-value", None), "invalid-enum-load": ("Invalid-enum-value", None),
    "function-type-mismatch": ("Incorrect-function-pointer-type", None), "dynamic-type-mismatch": ("Bad-cast", None),
    "cfi-bad-type": ("Bad-cast", None), "non-positive-vla-index": ("Non-positive-vla-bound-value", None),
    "pointer-overflow": ("Pointer-overflow", None), "nullptr-with-offset": ("Pointer-overflow", None),
    "nullptr-with-nonzero-offset": ("Pointer-overflow", None), "nullptr-after-nonzero-offset": ("Pointer-overflow", None),
    "unreachable-call": ("Unreachable code", None), "missing-return": ("No-return-value", None),
    "invalid-builtin-use": ("Invalid-builtin-use", None),
    "RustPanic": ("ASSERT", None),
}  # fmt: skip
_SECURITY = {
    "EXPLOITABLE": True,
    "PROBABLY_EXPLOITABLE": True,
    "NOT_EXPLOITABLE": False,
    "CRITICAL": True,
    "POSSIBLE_CRITICAL": True,
    "NOT_CRITICAL": False,
}


class _Severity(msgspec.Struct, frozen=True):
    Type: str = ""
    ShortDescription: str = ""
    Description: str = ""
    Explanation: str = ""


class _Report(msgspec.Struct, frozen=True):
    """The keys that carry the finding; others (environment, registers, open files) are the reporter's machine and are not read."""

    CrashSeverity: _Severity
    Stacktrace: list[str] = []
    ProcMaps: list[str] = []
    CrashLine: str | None = None
    Package: str | None = None
    PackageVersion: str | None = None


_report = msgspec.json.Decoder(_Report)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no casrep, or None when they are one."""
    if data[:256].lstrip(b" \t\r\n")[:1] != b"{":
        return "not a JSON object"
    return None if b'"CrashSeverity"' in data and b'"Stacktrace"' in data else "no CrashSeverity and Stacktrace"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a casrep: one finding. Raises Invalid when it is broken."""
    if len(data) > MAX_SIZE:
        raise Invalid(f"{len(data):,} bytes; a casrep of at most {MAX_SIZE:,} is read")
    try:
        report = _report.decode(data)
    except BROKEN_JSON as reason:
        raise Invalid(f"this casrep cannot be read: {str(reason)[:300]}") from None
    severity = report.CrashSeverity
    frames = frames_that_matter(tuple(_frames(report.Stacktrace)))
    kind, access = _type(severity.ShortDescription)
    state = "".join(f"{(frame.function or frame.module or '')[:_LINE_WIDTH]}\n" for frame in frames[:_STATE_LINES]) or "NULL\n"
    crash = Crash(
        type=kind, access=access, state=state, frames=frames, security=_SECURITY.get(severity.Type), call_sites=_call_sites(report)
    )
    weakness = weakness_from_crash(kind, access)
    title = severity.Description or severity.ShortDescription or "Crash"
    finding = Finding(
        format="casrep",
        title=(f"{title} in {frames[0].function}" if frames and frames[0].function else title)[:300],
        message=severity.Explanation[:_MAX_TEXT],
        product=target,
        weaknesses=(weakness,) if weakness is not None else (),
        locations=_locations(frames, report.CrashLine),
        crash=crash,
        severity=Severity(level=severity.Type[:40]) if severity.Type else None,
        origin=Origin(tool="casr"),
    )
    return Document("casrep", "casr", (finding,))


def _type(short: str) -> tuple[str | None, _Access]:
    if short in _TYPES:
        return _TYPES[short]
    found = _WITH_ACCESS.match(short[:200])
    if found is not None:
        return found["kind"].capitalize(), "READ" if found["access"] == "read" else "WRITE"
    if _EXCEPTION.match(short[:200]) is not None:
        return "Uncaught exception", None
    return (short[:1].upper() + short[1:])[:100] or None, None


def _frames(lines: list[str]) -> list[Frame]:
    frames = []
    for line in lines[:_MAX_FRAMES]:
        text = _with_single_blanks(line)
        debugged = gdb_stack_frame(text)
        if debugged is not None:
            frames.append(msgspec.structs.replace(debugged, file=_relative(debugged.file)))
            continue
        found = next((match for pattern in _STACKS if (match := pattern.match(text)) is not None), None)
        if found is not None:
            frames.append(_frame(found))
        elif frames and frames[-1].file is None and (place := _GO_PLACE.match(text)) is not None:
            frames[-1] = msgspec.structs.replace(frames[-1], file=_relative(place["file"]), line=line_of(place["line"]))
    return frames


def _with_single_blanks(line: str) -> str:
    """Return a line without runs of blanks, which would make its reading slow."""
    return " ".join(line[:_MAX_LINE].split())


def _call_sites(report: _Report) -> tuple[str, ...]:
    """Return the innermost addresses in the program itself as `module+0x1234`: a frame inlined or left out does not change them."""
    starts: dict[str, int] = {}
    regions: list[tuple[int, int, str]] = []
    for line in report.ProcMaps[:_MAX_MAPS]:
        found = _MAP.match(_with_single_blanks(line))
        if found is not None and is_project_module(found["path"]):
            start, end = int(found["start"], 16), int(found["end"], 16)
            starts[found["path"]] = min(start, starts.get(found["path"], start))
            regions.append((start, end, found["path"]))
    sites: list[str] = []
    for line in report.Stacktrace[:_MAX_FRAMES]:
        found = _ADDRESS.match(line[:_MAX_LINE])
        address = int(found["address"], 16) if found is not None else -1
        path = next((path for start, end, path in regions if start <= address < end), None)
        if path is not None and len(sites) < _CALL_SITES:
            site = f"{path.rpartition('/')[2]}+0x{address - starts[path]:x}"
            sites += [site] if site not in sites else []
    return tuple(sites)


def _frame(found: re.Match[str]) -> Frame:
    parts = found.groupdict()
    module = (parts.get("module") or "").rpartition("/")[2] or None
    function = None if parts.get("function") in ("<anonymous>", "?") else parts.get("function")
    return Frame(function, _relative(parts.get("file")), line_of(parts.get("line")), module)


def _relative(file: str | None) -> str | None:
    while file is not None and file.startswith(("./", "../")):
        file = file.partition("/")[2]
    return file or None


def _locations(frames: tuple[Frame, ...], crash_line: str | None) -> tuple[Location, ...]:
    found = tuple(Location(frame.file.lstrip("/") or None if frame.file else None, frame.line, frame.function) for frame in frames[:5])
    if found or crash_line is None:
        return found
    match = _CRASH_LINE.match(crash_line[:1_100])
    file = _relative(match["file"]) if match is not None else None
    return (Location(file.lstrip("/"), line_of(match["line"])),) if match is not None and file and file.lstrip("/") else ()


REPORT = ReportFormat(name="casrep", title="CASR crash report (casrep)", why_not=why_not, read=read)
