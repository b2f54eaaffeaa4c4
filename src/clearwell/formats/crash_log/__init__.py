# SPDX-License-Identifier: Apache-2.0
"""Crash logs: what sanitizers, fuzzers, kernels, debuggers and languages' runtimes print when something crashes."""

import re
from collections.abc import Iterator

from clearwell.formats.crash_log.frames import NUMBERED
from clearwell.formats.crash_log.headlines import SANITIZER, TSAN
from clearwell.formats.crash_log.memcheck import HEADLINE as MEMCHECK_ERROR
from clearwell.formats.crash_log.memcheck import KEYS as MEMCHECK_KEYS
from clearwell.formats.crash_log.reading import Budget, read_report
from clearwell.vocabulary.document import Document, Problem, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin
from clearwell.vocabulary.inference import weakness_from_crash
from clearwell.vocabulary.product import Product

MAX_LOG = 32 * 1024 * 1024
MAX_LINES = 1_000_000
MAX_LINE = 4_000
MAX_REPORTS = 10_000
_SNIFFED = 4 * 1024 * 1024

_TIME = re.compile(r"(?:<\d{1,3}>)?\[ *\d{1,8}\.\d{1,9}\](?:\[[^\]]{1,20}\])? ?")
_TIME_ANYWHERE = re.compile(r"\[ *\d{1,8}\.\d{1,9}\]")
_CLOCK = r"(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,6} +"
_LOGCAT = re.compile(
    rf"(?:{_CLOCK}(?:[\w+:]{{1,20}} +)?\d+ +\d+ [VDIWEFA] [^:]{{1,60}}: |[VDIWEF] AndroidRuntime: "
    rf"|(?:{_CLOCK})?[VDIWEFA]/[^(]{{1,60}}\( *\d+\): |{_CLOCK}\d+-\d+(?:/\S{{1,100}} [VDIWEFA]/[^:]{{1,60}}: ?"
    r"| +\S{1,60} +\S{1,100} +[VDIWEFA]  ))"
)
"""logcat's layouts: threadtime, brief, time, and those of Android Studio, old and new."""
_LOGGED = re.compile(
    r"(?:<\d{1,3}>)?(?:\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] "
    r"|(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,]{8,24}(?:Z|[+-]\d\d:?\d\d))"
    r" [\w.-]{1,64} (?:kernel|[\w./-]{1,40}\[\d+\]): "
    r"|\d{4}-\d\d-\d\d[T ][\d:.,]{8,24}(?:Z|[+-]\d\d:?\d\d) )"
)
"""What dmesg -T, syslog, journald and build services put before each line."""
_QUOTED = re.compile(r"(?:> ?){1,5}|[\w.-]{1,40} +\| ?|\|")
"""What a mail's answer and a composer of containers put before each line."""
_SAMPLED = 100
_ANSI = re.compile(rb"\x1b\[[0-9;]{0,20}m")
_LONG_GAP = re.compile(r" {64,}")
_BLANKS = "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_TABS = bytes.maketrans(b"\t", b" ")
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])
_GLUED = re.compile(r"(?:HWAddress|Address|Leak|Memory|UndefinedBehavior|Thread)Sanitizer:DEADLYSIGNAL$")
_END = re.compile(r"(?:SUMMARY: \w+Sanitizer|==\d+==ABORTING)")

_MARKS = (
    b"Sanitizer: ", b"runtime error: ", b"ERROR: libFuzzer", b"KASAN", b"BUG: KASan", b"KMSAN", b"BUG: KFENCE", b"BUG: KCSAN", b"UBSAN: ",
    b"Sanitizer failed", b"overflowed its stack", b"Fatal Python error: ",
    b"nable to handle kernel", b"kernel NULL pointer", b"to handle page fault", b"WARNING: DATA RACE", b"terminated with signal ",
    b"stop reason = ", b"FAULT ADDRESS: ", b"Signal: ", b"Exception Type: ", b"xception code: 0x", b"xception code 0x", b"- code c0000",
    b"Access violation", b"Node.js v", b"Runtime error in ",
    b"panic: ", b"fatal error: ", b"panicked at ", b"Java Exception", b"Exception in thread", b"Traceback (most recent",
    b"Uncaught ", b"heck failed: ",
    b"CHECK failed: ", b"NOTREACHED", b"Fatal error in", b"ssertion", b"assert failure", b"ASSERT", b"Received signal ",
    b"fault addr", b"signal SIG",
    b"ExceptionCode: ", b"Attempt to ", b"CANNOT LINK", b"V8 correctness", b"V8 error", b"BUG DETECTED", b"leak of ", b"CFI: ",
    b"timeout exceeded",
    b"limit exceeded", b"stack smashing", b"free(): ", b"double free", b"abort: CSA", b"FATAL:", b"Stack limit",
    b"heap out of memory", b"Sanitizer:DEADLYSIGNAL",
    b"OOM in ", b"FATAL EXCEPTION", b"kernel BUG at ", b"general protection fault", b"Kernel panic", b"Uncaught Python",
    b"memory allocation of", b"Trusted App crash", b"error while loading shared", b"cannot locate symbol", b"GPU process exited",
    b"Fatal signal ", b"GWP-ASan", b"Scudo ERROR: ", b"nhandled exception", b"nhandled Exception", b"UNHANDLED EXCEPTION",
    b"PHP Fatal error", b"PHP Parse error", b"Fatal error: ", b"Java Runtime Environment", b"SIGSEGV: segmentation", b"MOZ_CRASH",
    b"Invalid read of size", b"Invalid write of size", b"uninitialised", b"Invalid free()", b"Mismatched free()", b" lost in loss record",
    b"Process terminating with default", b"has a fishy", b"Jump to the invalid address", b"Source and destination overlap",
    b"data race during",
    b"divide error: 0000", b"invalid opcode: 0000", b"WARNING: CPU: ", b" lockup", b"INFO: rcu", b"INFO: task ", b"circular locking",
    b"corrupted size vs", b"corrupted top size", b"corrupted double-linked", b"malloc(): ", b"munmap_chunk(): ", b"realloc(): invalid",
    b"Fortran runtime error", b"due to StackOverflowException", b"code should not be reached",
    b"BUG: sleeping", b"Stack overflow.", b"Fatal error. ",
    b"wycheproof", b"Check failure stack trace", b"SHOULD NEVER BE REACHED", b"Abort message: ", b"DEFAULT_BUCKET_ID", b"ut of memory",
)  # fmt: skip


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no crash log, or None when they may be one."""
    head = data[:_SNIFFED]
    if head.lstrip(b" \t\r\n")[:1] == b"{" and head.lstrip(b" \t\r\n{")[:1] in (b'"', b"}"):
        return "a JSON object"
    if len(data) > MAX_LOG:
        return f"{len(data):,} bytes; a log of at most {MAX_LOG:,} is read"
    return None if any(mark in data for mark in _MARKS) else "no line of a known sanitizer, fuzzer, kernel, debugger or runtime"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a log: one finding for each report that clearly stands by itself. Raises Invalid when no crash is in it."""
    lines, problems = _lines(data)
    findings = []
    budget = Budget()
    parts = _split(lines)
    if len(parts) > MAX_REPORTS:
        problems += (Problem("", f"only the first {MAX_REPORTS:,} reports are read"),)
    for part in parts[:MAX_REPORTS]:
        report = read_report(part, budget)
        crash = report.crash()
        if crash is not None:
            findings.append(_finding(crash, report.headline, target))
    if not findings:
        raise Invalid("no crash in this log: no line says that a sanitizer, runtime or check failed")
    return Document("crash-log", findings[0].origin.tool, tuple(findings), problems)


def _lines(data: bytes) -> tuple[list[str], tuple[Problem, ...]]:
    """Return the log's lines without prefixes that loggers add, bounded in number and length."""
    if b"\x1b[" in data:
        data = _ANSI.sub(b"", data)
    text = data.translate(_TABS, _CONTROL).decode("utf-8", errors="replace")
    if not text.isascii():
        for blank in _BLANKS:
            if blank in text:
                text = text.replace(blank, " ")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if " " * 64 in text:
        lines = [_LONG_GAP.sub("        ", line) if " " * 64 in line else line for line in lines]
    lines = [line[:MAX_LINE] for line in lines if line]
    problems: tuple[Problem, ...] = ()
    if len(lines) > MAX_LINES:
        problems = (Problem(f"line {MAX_LINES:,}", f"only the first {MAX_LINES:,} lines are read"),)
        del lines[MAX_LINES:]
    lines = _bare(lines, text)
    if "Unsymbolized Stacktrace" in text:
        lines = list(_without_repeats(lines))
    if "Sanitizer:DEADLYSIGNAL" in text:
        lines = [bare for line in lines if (bare := _GLUED.sub("", line) if line.endswith("Sanitizer:DEADLYSIGNAL") else line)]
    if "CRASH LOG: " in text:
        lines = [line.removeprefix("CRASH LOG: ") for line in lines]
    return [line for line in lines if line], problems


def _bare(lines: list[str], text: str) -> list[str]:
    """Take off what loggers put before each line; which of them wrote a log is told from its first lines."""
    head = lines[:_SAMPLED]
    marked = sum(line[0] in ">|" or "  | " in line[:50] or " | " in line[:30] for line in head)
    if marked * 2 > len(head):
        lines = [line[quote.end() :] if (quote := _QUOTED.match(line)) is not None else line for line in lines]
        head = lines[:_SAMPLED]
    if any(map(_LOGGED.match, head)):
        lines = [line[time.end() :] if (time := _LOGGED.match(line)) is not None else line for line in lines]
    if _TIME_ANYWHERE.search(text) is not None:
        lines = [line[time.end() :] if line[:1] in ("[", "<") and (time := _TIME.match(line)) is not None else line for line in lines]
    if "DEBUG" in text or "AndroidRuntime" in text or "/libc" in text or any(map(_LOGCAT.match, head)):
        lines = [line[prefix.end() :] if (prefix := _LOGCAT.match(line)) is not None else line for line in lines]
    return lines


def _without_repeats(lines: list[str]) -> Iterator[str]:
    """Leave out ClusterFuzz's second, unsymbolized copy of a report, but for its frames: a state that is not full goes on into them.
    It ends at the next section or at another process's report."""
    inside, pid = False, None
    for line in lines:
        if line.startswith("+--") and "Stacktrace" in line:
            inside = "Unsymbolized" in line
        elif "Sanitizer: " in line:
            header = SANITIZER.match(line)
            if header is not None:
                inside = inside and header["pid"] == pid
                pid = header["pid"]
        if not inside or NUMBERED(line) is not None:
            yield line


def _split(lines: list[str]) -> list[list[str]]:
    """Part a log into reports: a sanitizer's header after an earlier report's end begins a new one, and each race of Go's detector."""
    parts: list[list[str]] = []
    start, ended, pid, raced, checked = 0, False, None, False, False
    for number, line in enumerate(lines):
        if line == "WARNING: DATA RACE":
            if raced and len(parts) <= MAX_REPORTS:
                parts.append(lines[start:number])
                start = number
            raced = True
        if line[:2] == "==" and any(key in line for key in MEMCHECK_KEYS) and MEMCHECK_ERROR.match(line) is not None:
            if checked and len(parts) <= MAX_REPORTS:
                parts.append(lines[start:number])
                start = number
            checked = True
        if "Sanitizer" in line:
            header = SANITIZER.search(line[:MAX_LINE]) or TSAN.match(line)
            if header is not None:
                new = header.groupdict().get("pid")
                if ended and (new is None or new != pid or line.startswith("WARNING")) and len(parts) <= MAX_REPORTS:
                    parts.append(lines[start:number])
                    start = number
                    ended = False
                pid = new
        if "runtime error: " in line and ended and pid is None and ": runtime error: " in line and len(parts) <= MAX_REPORTS:
            parts.append(lines[start:number])
            start, ended = number, False
        if ("SUMMARY: " in line or "ABORTING" in line) and _END.match(line) is not None:
            ended = True
    parts.append(lines[start:])
    return parts


def _finding(crash: Crash, headline: str, target: Product | None) -> Finding:
    weakness = weakness_from_crash(crash.type, crash.access)
    locations = tuple(_location(frame) for frame in crash.frames[:5] if frame.file or frame.function)
    return Finding(
        format="crash-log",
        title=_title(crash),
        message=headline,
        product=target,
        weaknesses=(weakness,) if weakness is not None else (),
        locations=locations,
        crash=crash,
        origin=Origin(tool=crash.sanitizer),
    )


def _location(frame: Frame) -> Location:
    """A place is a relative name: of a build machine's path, all but the root."""
    return Location(frame.file.lstrip("/") or None if frame.file else None, frame.line, frame.function)


def _title(crash: Crash) -> str:
    kind = (crash.type or "Crash").replace("\n", " ")
    place = crash.frames[0].function if crash.frames else (crash.state or "").split("\n", 1)[0]
    return f"{kind} in {place}" if place and place != "NULL" else kind


REPORT = ReportFormat(name="crash-log", title="crash log", why_not=why_not, read=read, general=True)
