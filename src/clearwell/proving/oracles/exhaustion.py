# SPDX-License-Identifier: Apache-2.0
"""A resource is used up: the limit of CPU, memory or stack is hit, or the process dies of an uncaught exception of the package's."""

import re
import signal

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles.contract import Asked, all_reports
from clearwell.proving.running import Observation
from clearwell.proving.sanitizer_report import UNDEFINED_SANITIZER

_PYTHON_FRAME = re.compile(r'  File "([^"]{1,500})", line \d')
_NODE_FRAME = re.compile(r"    at (?:[^()]{0,300} \()?(?:file://)?(/[^:()]{1,500}):\d")
_NODE_HEAP = re.compile(rb"^FATAL ERROR: .{0,200}JavaScript heap out of memory$", re.MULTILINE)
_GO_STACK = re.compile(rb"^runtime: goroutine stack exceeds \d{1,20}-byte limit$", re.MULTILINE)
_GO_MEMORY = re.compile(rb"^fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory)", re.MULTILINE)
_RUST_STACK = re.compile(rb"^thread '.{1,100}' has overflowed its stack$", re.MULTILINE)
_RUST_MEMORY = re.compile(rb"^memory allocation of \d{1,20} bytes failed", re.MULTILINE)
_JAVA_THROWN = re.compile(r'Exception in thread "[^"]{1,100}" ([\w.$]{1,300})')
_JAVA_FRAME = re.compile(r"\tat (?!java\.|javax\.|jdk\.|sun\.|[\w.]{1,60}/)[\w.$<>]{1,300}\(([\w$]{1,200}\.java):\d{1,9}\)")
LARGER_STACK = 64 << 20
"""The stack of the run that tells an overflow from any other fault."""
_DEEPER = 24 << 20
_PACKAGES = ("/box/src/", "/box/build/", "/box/with/", "/box/node_modules/")


def signature(asked: Asked, seen: Observation) -> str | None:
    """Say which limit was hit, or which exception the process died of."""
    oracle, result = asked.oracle, seen.result
    if oracle.exception is not None and _died_of(oracle.exception, seen):
        return f"exhaustion: uncaught {oracle.exception}"
    if oracle.resource == "memory":
        return "exhaustion: the memory limit is hit" if _ran_out_of_memory(seen) else None
    if oracle.resource == "cpu":
        hit = result.killed == "cpu" or was_ended_for_cpu(seen, oracle.cpu_seconds or 0)
        hit = hit or (result.cpu_seconds is not None and result.cpu_seconds >= (oracle.cpu_seconds or float("inf")))
        return "exhaustion: the CPU limit is hit" if hit else None
    if oracle.resource == "stack":
        return "exhaustion: the stack overflows" if _ran_out_of_stack(seen) else None
    return None


def was_ended_for_cpu(seen: Observation, limit: float) -> bool:
    """True when the kernel ended the run at its limit of CPU seconds. A target may send itself that signal, or leave with its number."""
    result = seen.result
    return result.signal == signal.SIGXCPU and (result.cpu_seconds is None or result.cpu_seconds >= limit / 2)


def is_bare_fault(oracle: Oracle, seen: Observation) -> bool:
    """True when nothing but a fatal signal speaks for an overflow: any fault looks like that without a sanitizer."""
    if oracle.resource != "stack" or seen.result.signal != signal.SIGSEGV:
        return False
    return all(report.sanitizer == UNDEFINED_SANITIZER for report in all_reports(seen))


def overflows(seen: Observation, larger: Observation) -> bool | None:
    """Whether a fault was the stack's, by the same run with LARGER_STACK: it gets further, or fills that one too. None: cannot be told."""
    if larger.result.killed in {"memory", "cpu"} or larger.result.is_out_of_memory or larger.result.signal != signal.SIGSEGV:
        return True
    if seen.result.memory_peak is None or larger.result.memory_peak is None:
        return None
    return larger.result.memory_peak - seen.result.memory_peak >= _DEEPER


def _ran_out_of_stack(seen: Observation) -> bool:
    """True when the stack overflowed, or the runtime gave up at a depth of its own before."""
    fatal = [report for report in all_reports(seen) if report.sanitizer != UNDEFINED_SANITIZER]
    if fatal:
        return fatal[0].report_class == "stack-overflow"
    result = seen.result
    if result.signal == signal.SIGSEGV and result.killed is None:
        return True
    if result.exit == 2 and _says(_GO_STACK, b"goroutine stack exceeds", seen):
        return True
    if result.signal == signal.SIGABRT and _says(_RUST_STACK, b"has overflowed its stack", seen):
        return True
    is_deep = b"Maximum call stack size exceeded" in result.stderr and _died_of("RangeError", seen)
    return is_deep or _died_of("RecursionError", seen) or _died_of("StackOverflowError", seen)


def _ran_out_of_memory(seen: Observation) -> bool:
    """True when the limit was hit, or the runtime gave up before: an allocation that no limit would grant."""
    if seen.result.is_out_of_memory or seen.result.killed == "memory":
        return True
    if any(report.report_class in {"allocation-size-too-big", "out-of-memory", "calloc-overflow"} for report in all_reports(seen)):
        return True
    if seen.result.signal == signal.SIGABRT and _says(_NODE_HEAP, b"heap out of memory", seen, "node"):
        return True
    if seen.result.exit == 2 and _says(_GO_MEMORY, b"fatal error:", seen):
        return True
    if seen.result.signal == signal.SIGABRT and _says(_RUST_MEMORY, b"memory allocation of", seen):
        return True
    return any(_died_of(name, seen) for name in ("MemoryError", "std::bad_alloc", "OutOfMemoryError"))


def _says(words: re.Pattern[bytes], mark: bytes, seen: Observation, runtime: str = "") -> bool:
    """True when a runtime's last words are on stderr, and can be its own."""
    return _can_speak(mark, seen, runtime) and words.search(seen.result.stderr) is not None


def _can_speak(mark: bytes, seen: Observation, runtime: str = "") -> bool:
    """True where such words can be a runtime's own: it is the one that runs the command, and the input does not hold them.

    A program may repeat on stderr what it was given. Compiled code (`runtime` empty) runs in a package's modules too.
    """
    is_here = not seen.runtime or seen.runtime == runtime or (not runtime and seen.is_compiled)
    return is_here and mark not in seen.given


def _died_of(exception: str, seen: Observation) -> bool:
    """True when the process left with an error, its runtime named that exception as the uncaught one, and it came out of the package.

    A harness dies of its own too: of bytes that are no text, of an argument that is missing.
    """
    if seen.result.exit == 0 or seen.result.killed is not None:
        return False
    lines = seen.result.stderr[-65536:].decode("utf-8", "replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line == "Traceback (most recent call last):"]
    if starts and _can_speak(b"Traceback (most", seen, "python"):  # Python: the first line after the last traceback that is not indented
        trace = lines[starts[-1] + 1 :]
        end = next((number for number, line in enumerate(trace) if line and not line.startswith(" ")), len(trace))
        named = trace[end] if end < len(trace) else ""
        return _names(named, exception) and _passed_through(_PYTHON_FRAME, trace[:end], -1, seen)
    if any(line.startswith("Node.js v") for line in lines[-3:]) and _can_speak(b"Node.js v", seen, "node"):
        named_at = [number for number, line in enumerate(lines) if _names(line.removeprefix("Uncaught "), exception)]
        return any(_passed_through(_NODE_FRAME, lines[number + 1 :], 0, seen) for number in named_at)
    thrown = [(number, match[1]) for number, line in enumerate(lines) if (match := _JAVA_THROWN.match(line))]
    if thrown and _can_speak(b"Exception in thread", seen, "java"):
        number, name = thrown[-1]
        trace = [match[1] for line in lines[number + 1 :] if (match := _JAVA_FRAME.match(line))]
        return name.rsplit(".", 1)[-1] == exception.rsplit(".", 1)[-1] and any(file not in seen.harness_files for file in trace)
    if seen.result.signal != signal.SIGABRT or not _can_speak(b"terminate called", seen):
        return False  # C++: the runtime's own last words, and then it aborts; a program that merely prints them leaves by itself
    opening = "terminate called after throwing an instance of '"
    plain = exception.rsplit("::", 1)[-1]
    return any(line.startswith(opening) and line[len(opening) :].split("'")[0].rsplit("::", 1)[-1] == plain for line in lines)


def _passed_through(frame: re.Pattern[str], trace: list[str], innermost: int, seen: Observation) -> bool:
    """True when a frame lies in a package; compiled code leaves none, so there the harness's own call must be the innermost."""
    files = [match[1] for line in trace if (match := frame.match(line))]
    if any(file.startswith(_PACKAGES) for file in files):
        return True
    return seen.is_compiled and bool(files) and files[innermost].startswith("/box/harness/")


def _names(line: str, exception: str) -> bool:
    name = line.split(":", 1)[0].split(" [", 1)[0].strip()
    return name == exception or name.rsplit(".", 1)[-1] == exception
