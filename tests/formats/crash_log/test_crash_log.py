# SPDX-License-Identifier: Apache-2.0
"""Crash logs: which line decides, which stack belongs to it, how OSS-Fuzz would write it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats.crash_log import MAX_LOG, read, why_not
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.finding import Crash

SAMPLES = Path(__file__).parents[1] / "samples" / "crash-log"
ASAN = (
    "==7==ERROR: AddressSanitizer: {what}\n    #0 0x4f1000 in fold /src/paper/fold.c:9:3\n    #1 0x4f2000 in crease /src/paper/crease.c:4\n"
)
ENTRY = "    #2 0x4f3000 in LLVMFuzzerTestOneInput /src/paper/fuzz_fold.c:3:1\n"


def crash(log: str) -> Crash:
    found = read(log.encode(), "x.log", None).findings[0].crash
    assert found is not None
    return found


def asan(what: str, more: str = "") -> Crash:
    return crash(ASAN.format(what=what) + ENTRY + more)


@pytest.mark.parametrize(
    ("what", "kind", "address", "security"),
    [
        ("SEGV on unknown address 0x000000000008 (pc 0x4f1000 T0)", "Null-dereference", "0x000000000008", False),
        ("SEGV on unknown address 0x7fffdeadbeef (pc 0x4f1000 T0)", "UNKNOWN", "0x7fffdeadbeef", True),
        ("attempting double-free on 0x610000022b80 in thread T0:", "Heap-double-free", "0x610000022b80", True),
        ("attempting free on address which was not malloc()-ed: 0x555f in thread T0", "Invalid-free", "0x555f", True),
        ("FPE on unknown address 0x4f1000 (pc 0x4f1000 T0)", "Floating-point-exception", None, False),
        ("stack-use-after-return on address 0x7f00aa at pc 0x1 bp 0x2 sp 0x3", "Stack-use-after-return", "0x7f00aa", True),
        ("negative-size-param: (size=-1)", "Negative-size-param", None, True),
    ],
)
def test_a_sanitizers_words_become_type_address_and_relevance(what: str, kind: str, address: str | None, security: bool) -> None:
    found = asan(what)

    assert (found.type, found.address, found.security) == (kind, address, security)


def test_a_fuzz_target_appears_in_the_state_as_its_file() -> None:
    assert asan("stack-overflow on address 0x7f (pc 0x1)").state == "fold\ncrease\nfuzz_fold.c\n"


def test_the_second_stack_never_enters_the_frames() -> None:
    more = "freed by thread T0 here:\n    #0 0x1 in free\n    #1 0x4f9000 in never_here /src/paper/bin.c:2\n"

    found = asan("heap-use-after-free on address 0x602000000010 at pc 0x1", f"READ of size 8 at 0x602000000010 thread T0\n{more}")

    assert [frame.function for frame in found.frames] == ["fold", "crease"]
    assert "never_here" not in (found.state or "")


def test_sizes_that_vary_with_the_input_are_one_type() -> None:
    def kind(size: int) -> str | None:
        return asan(f"heap-buffer-overflow on address 0x60 at pc 0x1\nWRITE of size {size} at 0x60 thread T0").type

    assert kind(16) == "Heap-buffer-overflow\nWRITE 16"
    assert kind(17) == kind(4096) == "Heap-buffer-overflow\nWRITE {*}"


def test_an_abort_is_how_an_assertion_ends() -> None:
    found = crash(
        "a.out: x.c:4: int f(): Assertion `n > 0' failed.\n" + ASAN.format(what="ABRT on unknown address 0x01 (pc 0x1 T0)") + ENTRY
    )

    assert (found.type, found.state) == ("ASSERT", "n > 0\nfold\ncrease\n")


def test_a_memory_fault_outranks_an_earlier_failed_check() -> None:
    found = crash(
        "[1:1:0102/030405:FATAL:x.cc(4)] Check failed: n > 0.\n"
        + ASAN.format(what="SEGV on unknown address 0x7fffdeadbeef (pc 0x1)")
        + ENTRY
    )

    assert found.type == "UNKNOWN"


def test_values_and_reasons_are_cut_from_a_failed_check() -> None:
    base = "[1:1:0102/030405:FATAL:base/jar.cc:12] Check failed: "

    assert crash(base + "lid == kNone (LID (red) vs. NONE)\n").state == "lid == kNone in jar.cc\n"
    assert crash(base + "open_; Jars are opened first.\n").state == "open_ in jar.cc\n"


def test_a_stack_overflow_is_named_by_its_recursion() -> None:
    frames = ["memcpy", "copy_leaf", *["walk", "visit"] * 4]
    lines = "".join(f"    #{n} 0x4f{n}000 in {name} /src/t.c:{n + 1}\n" for n, name in enumerate(frames))

    found = crash(f"==7==ERROR: AddressSanitizer: stack-overflow on address 0x7ffc (pc 0x1)\n{lines}")

    assert found.state == "walk\nvisit\n"


def test_separate_reports_in_one_file_are_separate_findings() -> None:
    one = (
        ASAN.format(what="heap-use-after-free on address 0x60 at pc 0x1")
        + "SUMMARY: AddressSanitizer: heap-use-after-free\n==7==ABORTING\n"
    )
    other = one.replace("==7==", "==8==").replace("fold", "tear")

    document = read((one + other).encode(), "x", None)

    assert [finding.title for finding in document.findings] == ["Heap-use-after-free in fold", "Heap-use-after-free in tear"]


def test_a_second_unsymbolized_copy_is_not_a_second_finding() -> None:
    one = ASAN.format(what="heap-use-after-free on address 0x60 at pc 0x1") + "SUMMARY: AddressSanitizer: x\n==7==ABORTING\n"
    copy = "+----Release Build Unsymbolized Stacktrace (diff)----+\n" + one

    assert len(read((one + copy).encode(), "x", None).findings) == 1


def test_a_log_without_a_crash_is_refused() -> None:
    with pytest.raises(Invalid, match="no crash in this log"):
        read(b"Caught: TypeError: Assertion failed: got 1, expected 2\n", "x", None)


def test_reading_is_bounded_in_size() -> None:
    assert why_not(b"Sanitizer: " + b"a" * MAX_LOG, "x") is not None


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.txt")), ids=lambda path: path.name)
@given(data=st.data())
def test_a_mutated_log_is_read_or_refused(sample: Path, data: st.DataObject) -> None:
    log = bytearray(sample.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(log) - 1))
        log[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=12))
        log = log or bytearray(b"x")
    try:
        document = read(bytes(log), sample.name, None)
    except ClearwellError:
        return
    for finding in document.findings:
        assert finding.crash is not None
        assert all(frame.function != "never_in_frames" for frame in finding.crash.frames)


@pytest.mark.parametrize(
    ("what", "kind", "address", "security"),
    [
        ("alloc-dealloc-mismatch (malloc vs operator delete) on 0x602000000010", "Alloc-dealloc-mismatch (malloc vs operator delete)",
         "0x602000000010", True),
        ("SEGV on unknown address 0x0000fbadbeef (pc 0x4f1000 T0)", "UNKNOWN", "0x0000fbadbeef", False),
        ("SEGV on unknown address 0x000000000000 (pc 0x000000000000 bp 0x1 T0)", "Null-dereference", "0x000000000000", True),
        ("heap-use-after-free on address 0x0000602000000010 at pc 0x1", "Heap-use-after-free", "0x602000000010", True),
        ("calloc-overflow: count * size overflows (4 * 9)", "Out-of-memory", None, False),
    ],
)  # fmt: skip
def test_rarer_words_of_a_sanitizer(what: str, kind: str, address: str | None, security: bool) -> None:
    found = asan(what)

    assert (found.type, found.address, found.security) == (kind, address, security)


def test_lines_that_only_repeat_or_quote_name_no_crash() -> None:
    console = '[7:7:INFO:CONSOLE(4)] "ASSERTION FAILED: in a page\'s script"\n'

    assert crash(console + ASAN.format(what="stack-buffer-overflow on address 0x7ffe0010 at pc 0x1")).type == "Stack-buffer-overflow"


@pytest.mark.parametrize(
    ("line", "kind", "first", "security"),
    [
        ("x.cc:3:1: runtime error: a thing that no list knows yet", "UNKNOWN", "fold", None),
        ("==7==AddressSanitizer CHECK failed: a/b.cc:12 (x != y) (3, 4)", "Sanitizer CHECK failure", "(x != y) (3, 4)", False),
        (
            "./loom: error while loading shared libraries: libweft.so.2: cannot open shared object file",
            "Missing-library",
            "libweft.so.2",
            False,
        ),
        ("[1:1:FATAL:loom.cc(4)] Check failed: n == 20481 (1 vs. 2)", "CHECK failure", "n == NUMBER in loom.cc", False),
        ("F0412 09:15:22.104233    81 quarry.cc:44] Check failed: pit  ", "CHECK failure", "pit in quarry.cc", False),
        ("kernel BUG at mm/weir.c:295!", "Kernel failure\nMm/weir.c:{*}!", None, True),
    ],
)
def test_other_statements_of_a_failure(line: str, kind: str, first: str | None, security: bool | None) -> None:
    found = crash(f"{line}\n    #0 0x4f1000 in fold /src/paper/fold.c:9:3\nCheck failed: \n")

    assert (found.type, found.security) == (kind, security)
    assert first is None or (found.state or "").split("\n")[0] == first


def test_a_state_goes_on_into_where_memory_was_freed_but_not_into_where_it_was_allocated() -> None:
    report = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x1\n"
    stack = "    #0 0x4f1000 in fold /src/fold.c:9\n" + ENTRY.replace("#2", "#1")
    freed = "freed by thread T0 here:\n    #0 0x1 in free\n    #1 0x4f9000 in bin_free /src/bin.c:2\n"
    allocated = "previously allocated by thread T0 here:\n    #0 0x1 in malloc\n    #1 0x4f9000 in bin_new /src/bin.c:1\n"

    assert crash(report + stack + freed + allocated).state == "fold\nfuzz_fold.c\nbin_free\n"
    assert crash(report + stack + allocated).state == "fold\nfuzz_fold.c\n"


@pytest.mark.parametrize(
    ("function", "stays"),
    [
        ("strncat", True), ("_wcsnlen", True), ("___interceptor_free", True), ("<paper::fold::Leaf>::turn::<", True), ("strchr", False),
        ("__interceptor_free", False), ("<core::fmt::Arguments>::new", False), ("memcpy", False), ("fuzzer::RunOneTest", False),
    ],
)  # fmt: skip
def test_which_functions_of_runtimes_a_state_keeps(function: str, stays: bool) -> None:
    log = f"==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x1\n    #0 0x4f1000 in {function} /src/x.c:9\n"

    assert crash(log + "    #1 0x4f2 in crease /src/c.c:3\n").state == (f"{function}\ncrease\n" if stays else "crease\n")


def test_frames_of_javas_own_library_stay_in_the_state_alone() -> None:
    found = crash(
        "== Java Exception: com.code_intelligence.jazzer.api.FuzzerSecurityIssueLow: Out of memory (use '-Xmx1589m' to reproduce)\n"
        "\tat java.base/java.util.HashMap.resize(HashMap.java:702)\n\tat com.example.Leaf.<init>(Leaf.java:9)\n"
        "Caused by: java.lang.OutOfMemoryError: Java heap space\n"
    )

    assert (found.type, found.state) == ("Security exception", "java.base/java.util.HashMap.resize\ncom.example.Leaf.<init>\n")
    assert [frame.function for frame in found.frames] == ["com.example.Leaf.<init>"]
