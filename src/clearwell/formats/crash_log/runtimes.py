# SPDX-License-Identifier: Apache-2.0
"""Headlines of languages' runtimes that tell more than one line: .NET, PHP, the Java virtual machine itself, Node."""

import re

from clearwell.formats.crash_log.debuggers import SIGNALS
from clearwell.formats.crash_log.frames import RawFrame, php_call
from clearwell.formats.crash_log.notation import address_text
from clearwell.formats.crash_log.report import TESTED, Report
from clearwell.formats.crash_log.signs import FAULT, STATEMENT
from clearwell.vocabulary.finding import line_of

_DOTNET = re.compile(r"(?:\[ERROR\] FATAL )?(?:Unhandled [Ee]xception|UNHANDLED EXCEPTION)[.:] ?(?P<name>[\w.`+]{0,300})")
_DOTNET_FATAL = re.compile(r"Fatal error\. (?P<message>[^\n]{1,400})")
_DOTNET_STACK = re.compile(r"(?:Stack overflow\.|Process is terminat\w{1,4} due to StackOverflowException\.)\s*$")
_PHP = re.compile(
    r"(?:PHP )?Fatal error: {1,3}(?:Uncaught (?P<name>[\w\\]{1,200})|(?P<limit>Allowed memory size of|Maximum execution time of))"
    r"|PHP (?:Parse|Fatal|Recoverable fatal) error: {1,3}(?P<message>[^\n]{1,400})"
)
_PHP_PLACE = re.compile(r" in (?P<file>/?[^\n]{1,300}):(?P<line>\d{1,7})\s*$")
_PHP_LINES = 400
_VM_SIGNAL = re.compile(r"# {1,3}(?P<name>SIG[A-Z]{2,6}|EXCEPTION_[A-Z_]{1,40}) \(0x[0-9a-f]{1,8}\) at pc=0x[0-9a-f]{1,16}")
_VM_INTERNAL = re.compile(r"# {1,3}(?:Internal Error|Out of Memory Error) \((?P<source>[^():\n]{1,200}):\d{1,7}\)")
_VM_ADDRESS = re.compile(r"siginfo: [^\n]{0,200}?(?:si_addr: |(?:reading|writing) address )(?P<address>0x[0-9a-f]{1,16})")
_VM_LINES = 6
_SOURCE_LINE = re.compile(r"\S[^\n]{0,1000}:\d{1,7}$")
_JS_ERROR = re.compile(r"(?:Uncaught )?\[?(?:[A-Za-z_$][\w$.]{0,80})?(?:Error|Exception)\b")


def _on_dotnet(report: Report, lines: list[str], number: int) -> None:
    """.NET and Mono name the exception behind the colon or on the next line. A stack used up is one of its exceptions, too."""
    found = _DOTNET.match(lines[number].lstrip()[:TESTED])
    if found is None:
        return
    name = found["name"] or (lines[number + 1].strip()[:TESTED] if number + 1 < len(lines) else "")
    kind = "Uncaught exception"
    if name.startswith("System.StackOverflowException"):
        kind = "Stack-overflow"
    elif name.startswith("System.OutOfMemoryException"):
        kind = "Out-of-memory"
    if report.begin(kind, STATEMENT, ".NET", lines[number]):
        report.mode = "dotnet"
    elif report.sanitizer == ".NET":
        report.in_second = report.is_beyond = True  # Mono says it twice


def _on_dotnet_fatal(report: Report, lines: list[str], number: int) -> None:
    found = _DOTNET_FATAL.match(lines[number][:TESTED])
    is_stack = _DOTNET_STACK.match(lines[number][:TESTED]) is not None
    if (found is not None or is_stack) and report.begin("Stack-overflow" if is_stack else "Fatal error", STATEMENT, ".NET", lines[number]):
        report.mode = "dotnet"
        report.lines = [found["message"].strip()[:80]] if found is not None else []


def _on_inner_end(report: Report, lines: list[str], number: int) -> None:
    """.NET prints an inner exception's stack first; beneath this line stands that of the one that nobody caught."""
    if report.sanitizer == ".NET" and not report.in_second:
        report.stacks.clear()


def _on_php(report: Report, lines: list[str], number: int) -> None:
    """PHP prints for each call where it was made: a frame's place is that of the call beneath it, the first one's is the headline's."""
    found = _PHP.match(lines[number].lstrip()[:TESTED])
    if found is None:
        return
    kind = "Uncaught exception" if found["name"] else "Fatal error"
    if found["limit"] is not None:
        kind = "Out-of-memory" if found["limit"].startswith("Allowed") else "Timeout"
    if not report.begin(kind, STATEMENT, "PHP", lines[number]):
        return
    report.mode = "php"
    report.lines = [found["message"].partition(" in ")[0].strip()[:80]] if found["message"] else []
    frames: list[RawFrame] = []
    place = _place(lines[number])
    for line in lines[number + 1 : number + _PHP_LINES]:
        call = php_call(line[:TESTED])
        if call is not None:
            frames.append(RawFrame(call.function, *place))
            place = call.file, call.line
        elif line.startswith("Next "):  # of a chain the last one is the one that nobody caught
            frames, place = [], _place(line)
        elif line.lstrip().startswith("thrown in "):
            break
    for frame in frames:
        report.add_frame("php", frame)


def _place(line: str) -> tuple[str | None, int | None]:
    found = _PHP_PLACE.search(line[-400:])
    return (found["file"], line_of(found["line"])) if found is not None else (None, None)


def _on_virtual_machine(report: Report, lines: list[str], number: int) -> None:
    """The Java virtual machine's own crash: the signal stands on one of the next lines, the address further down."""
    for line in lines[number + 1 : number + _VM_LINES]:
        signal, internal = _VM_SIGNAL.match(line[:TESTED]), _VM_INTERNAL.match(line[:TESTED])
        if signal is not None:
            name = "SIGSEGV" if signal["name"] == "EXCEPTION_ACCESS_VIOLATION" else signal["name"]
            kind, rank = SIGNALS.get(name, ("UNKNOWN", FAULT))
            if report.begin(kind, rank, "HotSpot", line):
                report.mode, report.is_invalid_access = "hotspot", name == "SIGSEGV"
            return
        if internal is not None:
            if report.begin("Out-of-memory" if "Out of Memory" in line else "Fatal error", STATEMENT, "HotSpot", line):
                report.mode = "hotspot"
            return


def _on_signal_info(report: Report, lines: list[str], number: int) -> None:
    found = _VM_ADDRESS.match(lines[number][:TESTED])
    if found is not None and report.sanitizer == "HotSpot" and report.is_invalid_access and report.address is None:
        report.address = address_text(found["address"])


def _on_java_frames(report: Report, lines: list[str], number: int) -> None:
    if report.sanitizer == "HotSpot":
        report.in_second = True


def _on_caret(report: Report, lines: list[str], number: int) -> None:
    """Node prints the place, the source's line, a caret, then what was thrown, which may be anything, and its stack."""
    if not lines[number].isspace() and lines[number].strip() != "^" * len(lines[number].strip()):
        return
    is_placed = number >= 2 and _SOURCE_LINE.match(lines[number - 2][:TESTED]) is not None
    for at in range(number + 1, min(number + 4, len(lines))):
        if _JS_ERROR.match(lines[at].lstrip()[:TESTED]) is not None or is_placed:
            report.begin("Uncaught exception", STATEMENT, "JavaScript", lines[at])
            return


def _on_second_exception(report: Report, lines: list[str], number: int) -> None:
    """What caused an exception, or the others that one stands for: theirs are second stacks."""
    if report.sanitizer in ("JavaScript", "Jazzer.js") and report.stacks:
        report.in_second = True


RUNTIMES = (
    ("nhandled exception", _on_dotnet),
    ("nhandled Exception:", _on_dotnet),
    ("UNHANDLED EXCEPTION", _on_dotnet),
    ("\nFatal error. ", _on_dotnet_fatal),
    ("\nStack overflow.", _on_dotnet_fatal),
    ("due to StackOverflowException", _on_dotnet_fatal),
    ("--- End of inner exception stack", _on_inner_end),
    ("Fatal error: ", _on_php),
    ("PHP Parse error: ", _on_php),
    ("PHP Recoverable fatal", _on_php),
    ("detected by the Java Runtime", _on_virtual_machine),
    ("siginfo: ", _on_signal_info),
    ("\nJava frames: ", _on_java_frames),
    ("  ^", _on_caret),
    ("[cause]: ", _on_second_exception),
)
"""Key and handler of each kind of line."""
