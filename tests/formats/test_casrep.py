# SPDX-License-Identifier: Apache-2.0
"""casrep: the finding, its frames, and call sites that survive an inlined frame."""

import json
from pathlib import Path
from typing import Any

import pytest

from clearwell.formats.casrep import MAX_SIZE, read
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash, Location

SAMPLE = json.loads((Path(__file__).parent / "samples" / "casrep" / "gdb.casrep").read_text(encoding="utf-8"))
MAPS = [
    "0x1000 0x2000 0x1000 0x0 /opt/bin/mill",
    "0x2000 0x9000 0x7000 0x1000 /opt/bin/mill",
    "0xa000 0xb000 0x1000 0x0 /usr/lib/libc.so.6",
]


def crash(**change: Any) -> Crash:
    found = read(json.dumps({**SAMPLE, **change}).encode(), "x", None).findings[0].crash
    assert found is not None
    return found


def test_frames_of_the_c_library_are_left_out() -> None:
    assert [frame.function for frame in crash().frames] == ["mill::Stone::turn", "mill_run"]


def test_a_frame_left_out_does_not_change_the_call_sites() -> None:
    stack = [
        "#0  0xa123 in abort () at abort.c:1",
        "#1  0x3100 in copy (n=1) at x.h:9",
        "#2  turn () at a.c:1",
        "#3  0x4200 in run () at a.c:2",
    ]

    whole = crash(Stacktrace=stack, ProcMaps=MAPS)
    shorter = crash(Stacktrace=[stack[0], stack[1], stack[3]], ProcMaps=MAPS)

    assert whole.call_sites == shorter.call_sites == ("mill+0x2100", "mill+0x3200")


@pytest.mark.parametrize(("kind", "security"), [("EXPLOITABLE", True), ("NOT_EXPLOITABLE", False), ("ELSE", None)])
def test_casrs_verdict_is_kept(kind: str, security: bool | None) -> None:
    assert crash(CrashSeverity={**SAMPLE["CrashSeverity"], "Type": kind}).security is security


def test_sanitizer_reports_keep_class_and_access() -> None:
    found = crash(
        CrashSeverity={"Type": "EXPLOITABLE", "ShortDescription": "heap-buffer-overflow(write)"},
        Stacktrace=["    #0 0x4f9c20 in jar::Lid::seal(int) /src/jar/lid.cc:88:5"],
    )

    assert (found.type, found.access, found.frames[0].function) == ("Heap-buffer-overflow", "WRITE", "jar::Lid::seal")


@pytest.mark.parametrize(
    ("short", "kind", "access"),
    [
        ("SegFaultOnPc", "UNKNOWN", None),
        ("CallAvNearNull", "Null-dereference", None),
        ("SourceAvNearNull", "Null-dereference READ", "READ"),
        ("double-free", "Heap-double-free", None),
        ("heap-use-after-free", "Heap-use-after-free", None),
        ("stack-buffer-overflow(read)", "Stack-buffer-overflow", "READ"),
        ("memory-leaks", "Direct-leak", None),
        ("ValueError", "Uncaught exception", None),
        ("java.lang.IllegalStateException", "Uncaught exception", None),
        ("param-overlap", "Param-overlap", None),
        ("signed-integer-overflow", "Integer-overflow", None),
        ("shift-exponent", "Undefined-shift", None),
        ("null-pointer-use", "Potential-null-reference", None),
        ("out-of-bounds-index", "Index-out-of-bounds", None),
        ("integer-divide-by-zero", "Divide-by-zero", None),
        ("function-type-mismatch", "Incorrect-function-pointer-type", None),
        ("RustPanic", "ASSERT", None),
    ],
)
def test_casrs_classes_become_crash_types(short: str, kind: str, access: str | None) -> None:
    found = crash(CrashSeverity={**SAMPLE["CrashSeverity"], "ShortDescription": short})

    assert (found.type, found.access) == (kind, access)


def test_reading_is_bounded_in_size() -> None:
    with pytest.raises(Invalid, match="a casrep of at most"):
        read(b'{"CrashSeverity":{},"Stacktrace":[' + b'"a",' * (MAX_SIZE // 4) + b'"a"]}', "x", None)


@pytest.mark.parametrize("blank", [" ", "\t", "\u2003"])
def test_runs_of_blanks_in_a_frame_are_one(blank: str) -> None:
    found = crash(Stacktrace=[f"#0 0x1 in fold{blank * 3_000}/src/fold.c:9:1"] * 300)

    assert {(frame.function, frame.file) for frame in found.frames} == {("fold", "/src/fold.c")}


def test_a_broken_report_is_refused() -> None:
    with pytest.raises(Invalid, match="casrep"):
        read(b'{"CrashSeverity": 3, "Stacktrace": []}', "x", None)


@pytest.mark.parametrize(
    ("stack", "function", "file", "line"),
    [
        (["    at fill (/w/lib/head.js:14:22)"], "fill", "/w/lib/head.js", 14),
        (["at Bin.fill [as run] (/w/lib/head.js:14:22)"], "Bin.fill", "/w/lib/head.js", 14),
        (["at Hop.Bin.Fill(Span`1 data) in /w/Bin.cs:line 51"], "Hop.Bin.Fill", "/w/Bin.cs", 51),
        (["at Hop.Bin.Check (System.Int32 n) [0x00012] in /w/Bin.cs:61 "], "Hop.Bin.Check", "/w/Bin.cs", 61),
        (["hop.org/bin.(*Reader).next(0xc0001)\n\t/w/bin/reader.go:91 +0x1d"], "hop.org/bin.(*Reader).next", "/w/bin/reader.go", 91),
        (["hop.org/bin.Fill({0xc0, 0x3})", "\t/w/bin/fill.go:20 +0x55"], "hop.org/bin.Fill", "/w/bin/fill.go", 20),
        (["src/bin.lua:12: in function 'bin.fill'", "[C]: in ?"], "bin.fill", "src/bin.lua", 12),
    ],
)
def test_stacks_of_every_runtime_are_read(stack: list[str], function: str, file: str, line: int) -> None:
    first = crash(Stacktrace=stack).frames[0]

    assert (first.function, first.file, first.line) == (function, file, line)


def test_a_crash_line_alone_is_a_name_within_an_archive() -> None:
    report = {**SAMPLE, "Stacktrace": [], "CrashLine": "/w/lib/head.js:14:22"}

    assert read(json.dumps(report).encode(), "x", None).findings[0].locations == (Location("w/lib/head.js", 14),)
