# SPDX-License-Identifier: Apache-2.0
"""The oracle `exhaustion`: what fires, what does not, what is forged."""

import pytest

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles import Asked, judge
from clearwell.proving.oracles.exhaustion import is_bare_fault, overflows
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Result
from proving.oracles.observed import TOKEN, judged

TRACE = b'Traceback (most recent call last):\n  File "/box/harness/h.py", line 3, in <module>\n    run()\n'
PYTHON = TRACE + b'  File "/box/src/sample.py", line 9, in f\nsample.errors.TooDeep: it went\nRecursionError: forged\n'
LIBRARY = TRACE + b'  File "<frozen codecs>", line 322, in decode\nUnicodeDecodeError: invalid start byte\n'
HARNESS = TRACE + b"OverflowError: too deep\n"
NODE = b"""/box/src/x.js:1
f()
^

RangeError: Maximum call stack size exceeded
    at f (/box/src/x.js:1:1)

Node.js v20.1.0
"""
NODE_HARNESS = NODE.replace(b"at f (/box/src/x.js:1:1)", b"at JSON.parse (<anonymous>)\n    at Object.<anonymous> (/box/harness/h.js:1:9)")
CPP = b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"


@pytest.mark.parametrize(
    ("stderr", "code", "exception", "fires"),
    [
        (PYTHON, 1, "TooDeep", True),
        (PYTHON, 1, "sample.errors.TooDeep", True),
        (PYTHON, 1, "RecursionError", False),  # a line of the message
        (PYTHON, 0, "TooDeep", False),  # it was caught and printed
        (NODE, 1, "RangeError", True),
        (NODE, 1, "TypeError", False),
        (NODE_HARNESS, 1, "RangeError", False),  # the harness's own call
        (LIBRARY, 1, "UnicodeDecodeError", False),
        (HARNESS, 1, "OverflowError", False),
        (CPP, 134, "std::bad_alloc", True),
        (CPP, 1, "std::bad_alloc", False),  # it printed the words and left by itself
        (b"RecursionError\n", 1, "RecursionError", False),
    ],
)
def test_an_uncaught_exception_is_the_one_that_the_runtime_names(stderr, code, exception, fires):
    assert judged(Oracle("exhaustion", exception=exception), stderr=stderr, exit=code).fired == fires


def test_compiled_code_leaves_no_frame_so_the_harness_s_call_is_the_innermost():
    oracle = Oracle("exhaustion", exception="OverflowError")
    died = Result(1, None, b"", HARNESS, b"", 0.1, 0.1, None, False, {}, (), {})
    assert judge(Asked(oracle), Observation(died, TOKEN, None, (), is_compiled=True)).fired
    oracle = Oracle("exhaustion", exception="UnicodeDecodeError")
    died = Result(1, None, b"", LIBRARY, b"", 0.1, 0.1, None, False, {}, (), {})
    assert not judge(Asked(oracle), Observation(died, TOKEN, None, (), is_compiled=True)).fired


def test_limits_that_are_hit_are_exhaustion_of_that_resource_only():
    assert judged(Oracle("exhaustion", resource="memory"), killed="memory", exit=137).fired
    assert judged(Oracle("exhaustion", resource="cpu", cpu_seconds=2.0), killed="cpu", exit=137).fired
    assert judged(Oracle("exhaustion", resource="cpu", cpu_seconds=2.0), cpu_seconds=2.1).fired
    assert judged(Oracle("exhaustion", resource="stack"), exit=139).fired
    assert not judged(Oracle("exhaustion", resource="memory"), killed="cpu", exit=137).fired
    assert judged(Oracle("exhaustion", resource="memory"), killed="wall_clock", exit=137).void is not None


def test_leaving_with_the_number_of_the_cpu_limit_s_signal_is_no_exhaustion():
    oracle = Oracle("exhaustion", resource="cpu", cpu_seconds=5)
    assert not judged(oracle, exit=152, cpu_seconds=0.1).fired
    assert judged(oracle, exit=152, cpu_seconds=4.6).fired


JAVA = b"""Exception in thread "main" java.lang.StackOverflowError
\tat java.base/java.util.HashMap.hash(HashMap.java:338)
\tat org.sample.Parser.value(Parser.java:12)
\tat Run.main(Run.java:5)
"""
GO = b"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n"
RUST = b"\nthread 'main' has overflowed its stack\nfatal runtime error: stack overflow\n"


@pytest.mark.parametrize(
    ("resource", "stderr", "code", "fires"),
    [
        ("stack", JAVA, 1, True),
        ("stack", JAVA.replace(b"\tat org.sample.Parser.value(Parser.java:12)\n", b""), 1, False),  # the harness's own depth
        ("stack", JAVA, 0, False),
        ("memory", JAVA, 1, False),
        ("memory", JAVA.replace(b"StackOverflow", b"OutOfMemory"), 1, True),
        ("stack", GO, 2, True),
        ("stack", GO, 1, False),  # it printed the words and left by itself
        ("stack", RUST, 134, True),
        ("stack", RUST, 1, False),
        ("memory", b"memory allocation of 99 bytes failed\n", 134, True),
        ("memory", b"fatal error: runtime: out of memory\n", 2, True),
        ("stack", NODE, 1, True),
        ("stack", NODE.replace(b"Maximum call stack size exceeded", b"Invalid array length"), 1, False),
        ("stack", PYTHON, 1, False),
        ("stack", PYTHON.replace(b"sample.errors.TooDeep: it went", b"RecursionError: maximum recursion depth exceeded"), 1, True),
    ],
)
def test_each_runtime_says_in_its_own_way_that_it_gave_up(resource, stderr, code, fires):
    died = Result(code, None, b"", stderr, b"", 0.1, 0.1, None, False, {}, (), {})
    seen = Observation(died, TOKEN, None, (), harness_files=frozenset({"Run.java"}))
    assert judge(Asked(Oracle("exhaustion", resource=resource)), seen).fired == fires


@pytest.mark.parametrize(
    ("resource", "stderr", "code", "runtime"),
    [
        ("stack", JAVA, 1, "java"),
        ("stack", GO, 2, ""),
        ("stack", RUST, 134, ""),
        ("memory", b"fatal error: out of memory\n", 2, ""),
        ("memory", b"memory allocation of 99 bytes failed\n", 134, ""),
        ("memory", b"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n", 134, "node"),
        ("memory", CPP, 134, ""),
        ("stack", NODE, 1, "node"),
        ("stack", PYTHON.replace(b"sample.errors.TooDeep: it went", b"RecursionError: x"), 1, "python"),
    ],
)
def test_last_words_that_the_input_holds_or_another_runtime_says_are_no_evidence(resource, stderr, code, runtime):
    died = Result(code, None, b"", b"cannot parse: \n" + stderr, b"", 0.1, 0.1, None, False, {}, (), {})
    files = frozenset({"Run.java"})

    def fires(runtime: str, given: bytes) -> bool:
        seen = Observation(died, TOKEN, None, (), harness_files=files, runtime=runtime, given=given)
        return judge(Asked(Oracle("exhaustion", resource=resource)), seen).fired

    assert fires(runtime, b"[[[[")
    assert not fires(runtime, b"x " + stderr)
    assert not any(fires(other, b"[[[[") for other in {"python", "node", "java"} - {runtime})


@pytest.mark.parametrize(
    ("code", "killed", "peak", "told"),
    [
        (0, None, 20 << 20, True),  # with a larger stack it got to its end
        (139, None, 70 << 20, True),  # and so did this one fill the larger stack too
        (139, None, 13 << 20, False),  # a null pointer is no deeper for it
        (139, None, None, None),
        (137, "memory", 90 << 20, True),
    ],
)
def test_a_fault_is_a_stack_s_overflow_only_where_a_larger_stack_makes_a_difference(code, killed, peak, told):
    def run(code: int, peak: int | None, killed: str | None = None) -> Observation:
        return Observation(Result(code, killed, b"", b"", b"", 0.1, 0.1, peak, False, {}, (), {}), TOKEN, None, ())

    first = run(139, 12 << 20)
    assert is_bare_fault(Oracle("exhaustion", resource="stack"), first)
    assert not is_bare_fault(Oracle("exhaustion", resource="memory"), first)
    assert overflows(first, run(code, peak, killed)) is told
