# SPDX-License-Identifier: Apache-2.0
"""Oracles: what decides, from effects alone, that a proof fired (PROOF.md's table). Pure: an observation in, an effect out."""

import binascii
import re
import signal

import msgspec

from clearwell.proving.folder import Oracle
from clearwell.proving.markup import leaves_script, risky_parts
from clearwell.proving.running import Observation
from clearwell.proving.sanitizer_report import UNDEFINED_SANITIZER, Report, is_undefined, names_function, parse_reports

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{42,65536}")  # 32 digits are 43 letters, or 42 and a part
_PYTHON_FRAME = re.compile(r'  File "([^"]{1,500})", line \d')
_NODE_FRAME = re.compile(r"    at (?:[^()]{0,300} \()?(?:file://)?(/[^:()]{1,500}):\d")
_NODE_HEAP = re.compile(rb"^FATAL ERROR: .{0,200}JavaScript heap out of memory$", re.MULTILINE)
_PACKAGES = ("/box/src/", "/box/build/", "/box/with/", "/box/node_modules/")
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}


class Effect(msgspec.Struct, frozen=True):
    """What an oracle saw in one run.

    `signature` describes the effect, the same on every run; `elsewhere` a crash that is not the one asserted; `void` why the run
    decides nothing (it hit a limit before any effect); `markup` what was new in HTML output.
    """

    fired: bool
    signature: str | None = None
    elsewhere: str | None = None
    void: str | None = None
    markup: frozenset[str] = frozenset()


def judge(oracle: Oracle, seen: Observation, functions: tuple[str, ...], ordinary: frozenset[str]) -> Effect:
    """Decide one run. `functions` are those of the proof or its variant; `ordinary` the markup that features print on this side."""
    signature = _JUDGES[oracle.kind](oracle, seen, functions, ordinary)
    if signature is not None:
        is_html = oracle.kind == "output" and oracle.context == "html"
        return Effect(True, signature, markup=risky_parts(seen.stdout) - ordinary if is_html else frozenset())
    elsewhere = crash(seen) if oracle.kind != "sanitizer" or not _is_beside(oracle, seen) else None
    if elsewhere is None and oracle.kind != "exhaustion" and seen.result.killed is not None:
        return Effect(False, void=f"it ran into the limit {seen.result.killed} before any effect")
    if elsewhere is None and oracle.kind == "exhaustion" and seen.result.killed in {"wall_clock", "output_bytes", "processes"}:
        return Effect(False, void=f"it ran into the limit {seen.result.killed}, which is not the resource asserted")
    return Effect(False, elsewhere=elsewhere)


def _is_beside(oracle: Oracle, seen: Observation) -> bool:
    """True when all that was reported is undefined behavior, an error of memory is asserted, and the program lived on."""
    reports = all_reports(seen)
    only = all(report.sanitizer == UNDEFINED_SANITIZER for report in reports)
    return bool(reports) and only and seen.result.signal is None and not is_undefined(oracle.report_class or "")


def crash(seen: Observation) -> str | None:
    """Describe how the target died: a sanitizer's report, or a fatal signal that no limit of ours sent; else None.

    After undefined behavior the program goes on: an error of memory counts before it.
    """
    reports = all_reports(seen)
    fatal = [report for report in reports if report.sanitizer != UNDEFINED_SANITIZER]
    if fatal:
        return fatal[0].signature
    number = seen.result.signal
    if number in CRASHES and seen.result.killed is None:
        return signal.Signals(number).name
    return reports[0].signature if reports else None


def all_reports(seen: Observation) -> tuple[Report, ...]:
    """The sanitizer reports of a run, from the places that only the sanitizer's runtime knows."""
    return tuple(report for text in seen.reports for report in parse_reports(text, seen.sources))


def holds_token(data: bytes, token: str) -> bool:
    """True when the token is in the bytes, plain in either case or in base64 (as Authorization headers carry it)."""
    if token.encode() in data or token.upper().encode() in data:
        return True
    for run in _BASE64.findall(data):
        plain = run.translate(bytes.maketrans(b"-_", b"+/"))
        for offset in range(4):  # what stands before may belong to the alphabet too
            piece = plain[offset:]
            if token.encode() in binascii.a2b_base64(piece[: len(piece) & ~3] + _padded(piece[len(piece) & ~3 :])):
                return True
    return False


def _padded(rest: bytes) -> bytes:
    return b"" if len(rest) < 2 else rest + b"=" * (4 - len(rest))


def _sanitizer(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    return next((report.signature for report in all_reports(seen) if _is_asserted(report, oracle, functions)), None)


def _is_asserted(report: Report, oracle: Oracle, functions: tuple[str, ...]) -> bool:
    if not report.is_of(oracle.report_class or ""):
        return False
    wanted = (oracle.access or "").upper().split()
    if wanted and (report.access != wanted[0] or (len(wanted) > 1 and str(report.size) != wanted[1])):
        return False
    return any(names_function(frame, name) for frame in report.project_frames for name in functions)


def _command(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    for entry in seen.result.files.get("/box/out", ()):
        if entry.path == "pwned" and entry.kind == "file" and seen.token.encode() in entry.content:
            return "command: /box/out/pwned holds the token"
    return None


def _file_write(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    written = [entry.path for entry in seen.result.files.get("/box/out", ()) if entry.kind != "folder"]
    return f"file_write: {', '.join(sorted(written)[:5])}" if written else None


def _leak(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    if oracle.to is None:
        return "leak: the token is in stdout" if holds_token(seen.result.stdout, seen.token) else None
    for request in seen.result.requests:
        if request.port == oracle.to and holds_token(request.received, seen.token):
            return f"leak: the server on port {oracle.to} received the token"
    return None


def _request(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    port, _slash, path = str(oracle.to).partition("/")
    wanted = "/" + path
    for request in seen.result.requests:
        asked = request.path if "?" in wanted else request.path.partition("?")[0]
        if request.port == int(port) and asked == wanted:
            return f"request: the server on port {port} was asked for {wanted}"
    return None


def _output(oracle: Oracle, seen: Observation, functions: tuple[str, ...], ordinary: frozenset[str]) -> str | None:
    if oracle.context == "script":
        return "output: leaves its script element" if leaves_script(seen.stdout) else None
    new = sorted(risky_parts(seen.stdout) - ordinary)
    return f"output: {', '.join(new[:5])}" if new else None


def _word(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    wanted = {"bypass": "accepted", "pollution": "polluted"}[oracle.kind]
    return f"{oracle.kind}: fd 3 says {wanted}" if seen.word == wanted else None


def _exhaustion(oracle: Oracle, seen: Observation, functions: tuple[str, ...], _: frozenset[str]) -> str | None:
    result = seen.result
    if oracle.exception is not None and _died_of(oracle.exception, seen):
        return f"exhaustion: uncaught {oracle.exception}"
    if oracle.resource is None:
        return None
    if oracle.resource == "memory":
        return "exhaustion: the memory limit is hit" if _ran_out_of_memory(seen) else None
    if oracle.resource == "cpu":
        hit = result.killed == "cpu" or result.signal in {signal.SIGXCPU}
        hit = hit or (result.cpu_seconds is not None and result.cpu_seconds >= (oracle.cpu_seconds or float("inf")))
        return "exhaustion: the CPU limit is hit" if hit else None
    fatal = [report for report in all_reports(seen) if report.sanitizer != UNDEFINED_SANITIZER]
    if fatal:
        return "exhaustion: the stack overflows" if fatal[0].report_class == "stack-overflow" else None
    return "exhaustion: the stack overflows" if result.signal == signal.SIGSEGV and result.killed is None else None


def _ran_out_of_memory(seen: Observation) -> bool:
    """True when the limit was hit, or the runtime gave up before: an allocation that no limit would grant."""
    if seen.result.is_out_of_memory or seen.result.killed == "memory":
        return True
    if any(report.report_class in {"allocation-size-too-big", "out-of-memory", "calloc-overflow"} for report in all_reports(seen)):
        return True
    if seen.result.signal == signal.SIGABRT and _NODE_HEAP.search(seen.result.stderr):
        return True
    return _died_of("MemoryError", seen) or _died_of("std::bad_alloc", seen)


def _died_of(exception: str, seen: Observation) -> bool:
    """True when the process left with an error, its runtime named that exception as the uncaught one, and it came out of the package.

    A harness dies of its own too: of bytes that are no text, of an argument that is missing.
    """
    if seen.result.exit == 0 or seen.result.killed is not None:
        return False
    lines = seen.result.stderr[-65536:].decode("utf-8", "replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line == "Traceback (most recent call last):"]
    if starts:  # Python: the first line after the last traceback that is not indented
        trace = lines[starts[-1] + 1 :]
        end = next((number for number, line in enumerate(trace) if line and not line.startswith(" ")), len(trace))
        named = trace[end] if end < len(trace) else ""
        return _names(named, exception) and _passed_through(_PYTHON_FRAME, trace[:end], -1, seen)
    if any(line.startswith("Node.js v") for line in lines[-3:]):
        named_at = [number for number, line in enumerate(lines) if _names(line.removeprefix("Uncaught "), exception)]
        return any(_passed_through(_NODE_FRAME, lines[number + 1 :], 0, seen) for number in named_at)
    # C++: the runtime's own last words before it aborts
    thrown = "terminate called after throwing an instance of '"
    plain = exception.rsplit("::", 1)[-1]
    return any(line.startswith(thrown) and line[len(thrown) :].split("'")[0].rsplit("::", 1)[-1] == plain for line in lines)


def _passed_through(frame: re.Pattern[str], trace: list[str], innermost: int, seen: Observation) -> bool:
    """True when a frame lies in a package; compiled code leaves none, so there the harness's own call must be the innermost."""
    files = [match[1] for line in trace if (match := frame.match(line))]
    if any(file.startswith(_PACKAGES) for file in files):
        return True
    return seen.is_compiled and bool(files) and files[innermost].startswith("/box/harness/")


def _names(line: str, exception: str) -> bool:
    name = line.split(":", 1)[0].split(" [", 1)[0].strip()
    return name == exception or name.rsplit(".", 1)[-1] == exception


_JUDGES = {
    "sanitizer": _sanitizer,
    "command": _command,
    "file_write": _file_write,
    "leak": _leak,
    "request": _request,
    "output": _output,
    "bypass": _word,
    "pollution": _word,
    "exhaustion": _exhaustion,
}
