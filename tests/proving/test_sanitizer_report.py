# SPDX-License-Identifier: Apache-2.0
"""Sanitizer reports as gcc 12 and clang write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.sanitizer_report import Report, Sources, marked_reports, parse_reports, plain_function


def parse_report(text: str, sources: Sources = Sources()) -> Report | None:
    return next(iter(parse_reports(text, sources)), None)


HEAD = "==2==ERROR: AddressSanitizer: "


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("SEGV on unknown address 0x000000000000 (pc 0x1 bp 0x2 sp 0x3 T0)", "SEGV"),
        ("attempting double-free on 0x602 in thread T0:", "double-free"),
        ("attempting free on address which was not malloc()-ed: 0x1 in thread T0", "bad-free"),
        ("requested allocation size 0xffffffffffffff00 exceeds maximum supported size", "allocation-size-too-big"),
        ("stack-overflow on address 0x7ffe (pc 0x1 bp 0x2 sp 0x3 T0)", "stack-overflow"),
        ("global-buffer-overflow on address 0x1 at pc 0x2", "global-buffer-overflow"),
    ],
)
def test_the_class_is_the_sanitizer_s_word(line, name):
    report = parse_report(f"{HEAD}{line}\n    #0 0x1 in f /box/src/f.c:3\n")
    assert report is not None
    assert report.report_class == name
    assert report.project_frames[0].function == "f"


def test_the_access_of_a_fault_is_read():
    report = parse_report(
        f"{HEAD}SEGV on unknown address 0x0\n==2==The signal is caused by a WRITE memory access.\n    #0 0x1 in f /box/src/f.c:3\n"
    )
    assert report is not None
    assert (report.access, report.size) == ("WRITE", None)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'", "signed-integer-overflow"),
        ("index 9 out of bounds for type 'int [4]'", "out-of-bounds-index"),
        ("shift exponent 40 is too large for 32-bit type 'int'", "invalid-shift-exponent"),
        ("something new", "undefined-behavior"),
    ],
)
def test_undefined_behavior_is_named_by_its_message(message, name):
    text = f"/box/src/f.c:3:5: runtime error: {message}\n    #0 0x1 in f /box/src/f.c:3\n\n"
    text += "SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior f.c:3\n"
    report = parse_report(text)
    assert report is not None
    assert report.report_class == name
    assert report.project_frames[0].line == 3


@pytest.mark.parametrize(
    ("message", "wanted", "is_it"),
    [
        ("shift exponent 40 is too large for 32-bit type 'int'", "shift", True),
        ("shift exponent 40 is too large for 32-bit type 'int'", "shift-base", False),
        ("signed integer overflow: 1 + 2", "signed integer overflow", True),
        ("index 9 out of bounds for type 'int [4]'", "index-out-of-bounds", True),
        ("division by zero", "division-by-zero", True),
        ("division by zero", "undefined-behavior", True),
        ("division by zero", "heap-buffer-overflow", False),
    ],
)
def test_a_class_may_be_asserted_by_the_compiler_s_name_or_the_message_s(message, wanted, is_it):
    report = parse_report(f"/box/src/f.c:3:5: runtime error: {message}\n    #0 0x1 in f /box/src/f.c:3\n")
    assert report is not None
    assert report.is_of(wanted) == is_it


def test_frames_without_source_or_outside_the_project_do_not_count():
    frames = "    #0 0x1 in g (/box/build/h+0x12)\n    #1 0x1 (/lib/x.so+0x1)\n"
    frames += "    #2 0x1 in k /box/src/../../etc/k.c:1\n    #3 0x1 in f /box/src/./a/f.c:3:9\n"
    report = parse_report(f"{HEAD}SEGV on\n{frames}")
    assert report is not None
    assert [(f.function, f.file, f.line) for f in report.project_frames] == [("f", "/box/src/a/f.c", 3)]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("extensions/table.c", True),
        ("table.c", True),
        ("../extensions/table.c", True),  # compiled in a folder beside it
        ("work/inner.c", True),  # under /box/build
        ("able.c", False),
        ("h.c", False),  # the harness's, wherever it was copied to
        ("../harness/h.c", False),
        ("../sysdeps/nptl/libc_start_call_main.h", False),
        ("./stdlib/abort.c", False),
        ("/usr/src/extensions/table.c", False),
    ],
)
def test_a_relative_name_counts_when_the_project_has_such_a_file(name, counts):
    project = {"/box/src/top/extensions/table.c", "/box/build/work/inner.c", "/box/build/h.c", "/box/src/harness/x.c"}
    sources = Sources(frozenset(project), frozenset({"h.c"}))
    report = parse_report(f"{HEAD}SEGV on\n    #0 0x1 in f {name}:3:9\n", sources)
    assert report is not None
    assert bool(report.project_frames) == counts


def test_only_the_first_five_project_frames_count():
    frames = "".join(f"    #{n} 0x1 in f{n} /box/src/f.c:{n + 1}\n" for n in range(9))
    report = parse_report(f"{HEAD}SEGV on\n{frames}")
    assert report is not None
    assert [f.function for f in report.project_frames] == ["f0", "f1", "f2", "f3", "f4"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("f.isra.0", "f"),
        ("f.part.1.cold", "f"),
        ("ns::f(int, char*)", "ns::f"),
        ("operator new(unsigned long)", "operator new"),
        ("f", "f"),
    ],
)
def test_functions_are_compared_without_what_compilers_add(name, plain):
    assert plain_function(name) == plain


def test_of_a_standard_error_only_reports_that_bear_the_mark_are_kept():
    forged = "/box/src/f.c:1:1: runtime error: division by zero\n    #0 0x1 in forged /box/src/f.c:1\n"
    genuine = "/box/src/g.c:2:2: runtime error: shift exponent 99 is too large\n[m]    #0 0x1 in g /box/src/g.c:2\n"
    genuine += "[m]    #1 0x2 in k /box/src/g.c:9\n"
    reports = parse_reports(marked_reports(forged + "note\n" + genuine + forged, "[m]"))
    assert [(r.report_class, [f.function for f in r.frames]) for r in reports] == [("invalid-shift-exponent", ["g", "k"])]


@given(st.text(max_size=200))
def test_any_text_is_a_report_or_none(text):
    parse_report(text)
    parse_report(f"{HEAD}x\n{text}")


@pytest.mark.parametrize("piece", ["(", " ", "#0 0x1 in ", "::", ":1", "a", " (a"])
def test_hostile_lines_take_time_in_proportion(piece):
    started = time.process_time()
    parse_report(f"{HEAD}x\n" + ("    #0 0x1 in " + piece * 200_000 + "\n") * 20)
    assert time.process_time() - started < 2
