# SPDX-License-Identifier: Apache-2.0
"""Oracles judge observations: what fires, what does not, and what is forged."""

import base64

import pytest

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles import Effect, holds_token, judge
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Entry, Received, Result

TOKEN = "0123456789abcdef0123456789abcdef"
NOTHING = Result(0, None, b"", b"", b"", 0.1, 0.1, None, False, {}, (), {})
REPORT = """=================================================================
==2==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000018 at pc 0x1 bp 0x2 sp 0x3
WRITE of size 4 at 0x602000000018 thread T0
    #0 0x7f0 in __interceptor_memcpy ../../../../src/libsanitizer/x.inc:827
    #1 0x401 in copy /box/src/lib/copy.c:12
    #2 0x402 in ns::outer(int, char const*) /box/build/work/outer.cc:7:3
    #3 0x403 in main /box/harness/h.c:4

0x602000000018 is located 0 bytes to the right of 8-byte region
allocated by thread T0 here:
    #0 0x7f1 in malloc (/lib/libasan.so+0x1)
    #1 0x404 in allocate /box/src/lib/copy.c:3
"""


def judged(oracle: Oracle, functions: tuple[str, ...] = (), reports: tuple[str, ...] = (), word: str | None = None, **seen) -> Effect:
    result = Result(**({name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__} | seen))
    return judge(oracle, Observation(result, TOKEN, word, reports), functions, frozenset())


@pytest.mark.parametrize(
    ("oracle", "functions", "fires"),
    [
        (Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE"), ("other", "copy"), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE 4"), ("copy",), True),
        (Oracle("sanitizer", "Heap-Buffer-Overflow", "write"), ("copy",), True),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("outer",), True),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("ns::outer",), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "READ"), ("copy",), False),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE 8"), ("copy",), False),
        (Oracle("sanitizer", "heap-use-after-free"), ("copy",), False),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("allocate",), False),  # the second stack
        (Oracle("sanitizer", "heap-buffer-overflow"), ("main",), False),  # the harness's frame
        (Oracle("sanitizer", "heap-buffer-overflow"), ("__interceptor_memcpy",), False),
    ],
)
def test_a_report_counts_by_class_access_and_project_frame(oracle, functions, fires):
    effect = judged(oracle, functions, (REPORT,))
    assert effect.fired == fires
    assert fires or (effect.elsewhere or "").startswith("heap-buffer-overflow WRITE 4 | copy < ")


def test_a_report_on_stderr_is_no_report():
    effect = judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), stderr=REPORT.encode(), exit=1)
    assert effect == Effect(False)


def test_a_fatal_signal_is_a_crash_elsewhere():
    assert judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), exit=139).elsewhere == "SIGSEGV"
    assert judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), exit=137, killed="memory").void is not None


def test_markup_that_is_new_is_told_with_the_effect():
    effect = judged(Oracle("output", context="html"), stdout=b"<style></style><img onerror=x>")
    assert effect.markup == {"<style>", "<img>", "img@onerror"}


def test_a_command_needs_the_token_of_this_run():
    right = {"/box/out": (Entry("pwned", "file", 33, TOKEN.encode() + b"\n"),)}
    wrong = {"/box/out": (Entry("pwned", "file", 32, b"f" * 32), Entry("other", "file", 32, TOKEN.encode()))}
    assert judged(Oracle("command"), files=right).fired
    assert not judged(Oracle("command"), files=wrong).fired


def test_any_file_outside_is_an_effect_but_a_folder_is_none():
    assert judged(Oracle("file_write"), files={"/box/out": (Entry("a/b", "file", 0),)}).fired
    assert judged(Oracle("file_write"), files={"/box/out": (Entry("l", "link", 0),)}).fired
    assert not judged(Oracle("file_write"), files={"/box/out": (Entry("a", "folder", 0),)}).fired


@pytest.mark.parametrize("prefix", ["", "u", "us", "user:", "user: "])
def test_a_token_is_found_plain_and_in_base64_at_any_offset(prefix):
    encoded = base64.b64encode(f"{prefix}{TOKEN}tail".encode())
    assert holds_token(b"Authorization: Basic " + encoded, TOKEN)
    assert holds_token(f"{prefix}{TOKEN}".encode(), TOKEN)
    assert not holds_token(base64.b64encode(f"{prefix}{TOKEN[:-1]}".encode()), TOKEN)


def test_a_leak_to_a_server_counts_only_there():
    request = Received(8097, b"GET / HTTP/1.1\r\nCookie: " + TOKEN.encode() + b"\r\n\r\n")
    assert judged(Oracle("leak", to=8097), requests=(request,)).fired
    assert not judged(Oracle("leak", to=8096), requests=(request,), stdout=TOKEN.encode()).fired
    assert judged(Oracle("leak"), stdout=TOKEN.encode()).fired


def test_a_request_counts_by_port_and_path():
    request = Received(8098, b"GET /meta?x=1 HTTP/1.1\r\n\r\n")
    assert judged(Oracle("request", to="8098/meta"), requests=(request,)).fired
    assert judged(Oracle("request", to="8098/meta?x=1"), requests=(request,)).fired
    assert not judged(Oracle("request", to="8098/other"), requests=(request,)).fired
    assert not judged(Oracle("request", to="8097/meta"), requests=(request,)).fired


def test_words_count_only_from_descriptor_three():
    assert judged(Oracle("bypass"), word="accepted").fired
    assert judged(Oracle("pollution"), word="polluted").fired
    assert not judged(Oracle("bypass"), word=None, stdout=b"accepted").fired
    assert not judged(Oracle("pollution"), word="clean", stdout=b"polluted").fired


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
        (b"RecursionError\n", 1, "RecursionError", False),
    ],
)
def test_an_uncaught_exception_is_the_one_that_the_runtime_names(stderr, code, exception, fires):
    assert judged(Oracle("exhaustion", exception=exception), stderr=stderr, exit=code).fired == fires


def test_compiled_code_leaves_no_frame_so_the_harness_s_call_is_the_innermost():
    oracle = Oracle("exhaustion", exception="OverflowError")
    died = Result(1, None, b"", HARNESS, b"", 0.1, 0.1, None, False, {}, (), {})
    assert judge(oracle, Observation(died, TOKEN, None, (), is_compiled=True), (), frozenset()).fired
    oracle = Oracle("exhaustion", exception="UnicodeDecodeError")
    died = Result(1, None, b"", LIBRARY, b"", 0.1, 0.1, None, False, {}, (), {})
    assert not judge(oracle, Observation(died, TOKEN, None, (), is_compiled=True), (), frozenset()).fired


def test_limits_that_are_hit_are_exhaustion_of_that_resource_only():
    assert judged(Oracle("exhaustion", resource="memory"), killed="memory", exit=137).fired
    assert judged(Oracle("exhaustion", resource="cpu", cpu_seconds=2.0), killed="cpu", exit=137).fired
    assert judged(Oracle("exhaustion", resource="cpu", cpu_seconds=2.0), cpu_seconds=2.1).fired
    assert judged(Oracle("exhaustion", resource="stack"), exit=139).fired
    assert not judged(Oracle("exhaustion", resource="memory"), killed="cpu", exit=137).fired
    assert judged(Oracle("exhaustion", resource="memory"), killed="wall_clock", exit=137).void is not None
