# SPDX-License-Identifier: Apache-2.0
"""Assertions of many libraries, allocators that check themselves, kernels' complaints, and what several reports in one log become."""

import pytest

from clearwell.formats.crash_log import read, why_not
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash

STACK = (
    "\n    #0 0x4f1000 in pick /src/loom/shed.c:9:3\n    #1 0x4f2000 in weave /src/loom/weave.c:4:1\n    #2 0x4f3000 in main /src/m.c:1\n"
)
ABORT = "\n==7==ERROR: AddressSanitizer: ABRT on unknown address 0x000000000007 (pc 0x1 T0)" + STACK
TRACE = "RIP: 0010:loom_pick+0x1a2/0x2b0 drivers/loom.c:9\nCall Trace:\n <TASK>\n loom_write+0x3a/0x50\n </TASK>\n"
LOGCAT = (
    "signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0xdeadbe18\nbacktrace:\n"
    "      #00 pc 00012340  /system/lib/libloom.so (loom::pick(int)+12)\n      #01 pc 00012350  /system/lib/libloom.so (loom::weave()+8)\n"
)


def crash(log: str) -> Crash:
    assert why_not(log.encode(), "x.log") is None
    found = read(log.encode(), "x.log", None).findings[0].crash
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("../../src/loom/shed.cc:229: Assertion failed: warp.len() > weft.len()", "ASSERT", "warp.len() > weft.len()"),
        ("Assertion failed: warp > 0 (shed.c: pick: 9)", "ASSERT", "warp > 0"),
        ('assertion "warp > 0" failed: file "shed.c", line 9, function: pick', "ASSERT", "warp > 0"),
        ('ASSERT: "warp > 0" in file shed.cpp, line 9', "ASSERT", "warp > 0"),
        ('ASSERT failure in Shed::at: "no such warp", file shed.h, line 9', "ASSERT", "no such warp"),
        ("Assertion failure: warp > 0 (no warp), at /src/shed.cpp:9", "ASSERT", "warp > 0 (no warp)"),
        ("Hit MOZ_CRASH(no warp) at /src/shed.cpp:9", "ASSERT_NOT_REACHED", "no warp"),
        ("ERROR:shed.c:9:pick: assertion failed (warp == 2): (3 == 2)", "ASSERT", "(warp == 2)"),
        ("malloc(): corrupted top size", "Heap-corruption", None),
        ("corrupted double-linked list", "Heap-corruption", None),
        ("munmap_chunk(): invalid pointer", "Invalid-free", None),
        ("Scudo ERROR: corrupted chunk header at address 0x7f00deadbe10", "Heap-corruption", None),
    ],
)
def test_a_librarys_own_words_name_the_crash_that_an_abort_ends(line: str, kind: str, message: str | None) -> None:
    found = crash(line + ABORT)

    assert found.type == kind
    assert found.state == (f"{message}\n" if message is not None else "") + "pick\nweave\n"


def test_mozillas_assertions_stop_by_a_fault_that_is_none() -> None:
    fault = "\n==7==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x1 T0)" + STACK

    assert crash("Assertion failure: warp > 0, at /src/shed.cpp:9" + fault).type == "ASSERT"
    assert crash("x" + fault).type == "Null-dereference"


def test_a_scripts_failed_assertion_is_no_crash() -> None:
    with pytest.raises(Invalid):
        read(b"Caught: Error: Assertion failed: 1 is not 2\n", "x", None)


def test_a_failed_allocation_outranks_the_check_that_it_fails() -> None:
    found = crash(
        "==7==ERROR: AddressSanitizer failed to allocate 0x6003a000 (1610850304) bytes of LargeMmapAllocator (error code: 12)\n"
        '==7==AddressSanitizer CHECK failed: /src/sanitizer_common.cc:120 "((0 && "unable to mmap")) != (0)" (0x0, 0x0)' + STACK
    )

    assert (found.type, found.state, found.security) == ("Out-of-memory", "pick\nweave\n", False)


@pytest.mark.parametrize(
    ("line", "kind", "security"),
    [
        ("divide error: 0000 [#1] PREEMPT SMP KASAN", "Divide-error", True),
        ("Oops: divide error: 0000 [#1] SMP", "Divide-error", True),
        ("WARNING: CPU: 0 PID: 5091 at drivers/loom.c:9 loom_pick+0x1a2/0x2b0", "Warning", False),
        ("watchdog: BUG: soft lockup - CPU#0 stuck for 143s! [weaver:1]", "Lockup", False),
        ("INFO: task weaver:5091 blocked for more than 143 seconds.", "Hung-task", False),
        ("rcu: INFO: rcu_preempt self-detected stall on CPU", "Rcu-stall", False),
        ("WARNING: possible circular locking dependency detected", "Lock-order", False),
        ("BUG: sleeping function called from invalid context at kernel/loom.c:9", "Sleep-in-atomic", False),
    ],
)
def test_what_a_kernel_complains_of(line: str, kind: str, security: bool) -> None:
    found = crash(f"{line}\n{TRACE}")

    assert (found.type, found.state, found.security) == (f"Kernel failure\n{kind}", "loom_pick\nloom_write\n", security)


def test_a_kernels_error_outranks_its_complaint() -> None:
    warned = f"WARNING: CPU: 0 PID: 5091 at drivers/loom.c:9 never+0x1/0x2\n{TRACE.replace('loom', 'never')}"

    assert crash(f"{warned}BUG: KASAN: use-after-free in loom_pick+0x1/0x2\n{TRACE}").state == "loom_pick\nloom_write\n"
    assert crash(f"{warned}Kernel panic - not syncing: kernel: panic_on_warn set ...\n").type == "Kernel failure\nWarning"


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-28 11:00:00.000 14368-14368/? A/DEBUG: ",
        "11-28 11:00:00.000 14368-14399/org.example.loom A/DEBUG: ",
        "2026-11-28 11:00:00.000 14368-14368 DEBUG                   pid-14368                            A  ",
        "11-28 11:00:00.000 F/DEBUG   (14368): ",
    ],
)
def test_android_studios_layouts_are_taken_off(prefix: str) -> None:
    found = crash("".join(f"{prefix}{line}\n" for line in LOGCAT.splitlines()))

    assert (found.type, found.address, found.state) == ("UNKNOWN", "0xdeadbe18", "loom::pick\nloom::weave\n")


def test_an_old_androids_signal_line_has_its_address_elsewhere() -> None:
    found = crash("F/libc    ( 7): Fatal signal 11 (SIGSEGV) at 0x00000018 (code=1), thread 7 (loom)\n")

    assert (found.type, found.address) == ("Null-dereference", "0x00000018")


@pytest.mark.parametrize(
    ("error", "address", "kind", "security"),
    [
        ("Invalid write of size 4", "Address 0x4d6ec90 is 0 bytes after a block of size 16 alloc'd", "Heap-buffer-overflow\nWRITE 4", True),
        ("Invalid read of size 4", "Address 0x4d6ec90 is 8 bytes inside a block of size 16 free'd", "Heap-use-after-free\nREAD 4", True),
        ("Invalid read of size 4", "Address 0x1ffe80 is on thread 1's stack", "Stack-buffer-overflow\nREAD 4", True),
        ("Invalid read of size 4", "Address 0x10 is not stack'd, malloc'd or (recently) free'd", "Null-dereference READ", False),
        ("Invalid free() / delete / delete[] / realloc()", "Address 0x4d6ec90 is 0 bytes inside a block of size 16 free'd",
         "Heap-double-free", True),
        ("Invalid free() / delete / delete[] / realloc()", "Address 0x4d6ec90 is 4 bytes inside a block of size 16 alloc'd",
         "Invalid-free", True),
        ("Mismatched free() / delete / delete []", "Address 0x4d6ec90 is 0 bytes inside a block of size 16 alloc'd",
         "Alloc-dealloc-mismatch", True),
        ("Use of uninitialised value of size 8", " Uninitialised value was created by a heap allocation",
         "Use-of-uninitialized-value", True),
        ("Syscall param write(buf) points to uninitialised byte(s)", "Address 0x4d6ec90 is 0 bytes inside a block of size 16 alloc'd",
         "Use-of-uninitialized-value", True),
        ("Source and destination overlap in memcpy(0x41bb2b0, 0x41bb070, 123)", "", "Memcpy-param-overlap", True),
        ("Argument 'size' of function malloc has a fishy (possibly negative) value: -1", "", "Allocation-size-too-big", False),
        ("16 bytes in 1 blocks are definitely lost in loss record 1 of 1", "", "Direct-leak", False),
        ("Process terminating with default action of signal 6 (SIGABRT)", "", "Abrt", False),
    ],
)  # fmt: skip
def test_valgrind(error: str, address: str, kind: str, security: bool) -> None:
    found = crash(
        f"==7== {error}\n==7==    at 0x48417B4: malloc (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)\n"
        f"==7==    by 0x10BB96: loom::Shed::pick(int) const (shed.cc:15)\n==7==    by 0x10BB97: ???\n"
        f"==7==    by 0x10B8E8: main (m.cc:9)\n==7==  {address}\n==7==    at 0x10A85A: never (n.cc:4)\n"
    )

    assert (found.type, found.security) == (kind, security)
    assert [frame.function for frame in found.frames] == ["loom::Shed::pick"]


def test_each_error_of_valgrind_is_a_finding() -> None:
    error = "==7== Invalid read of size {0}\n==7==    at 0x1: pick{0} (shed.c:1)\n==7==\n"

    findings = read((error.format(4) + error.format(8)).encode(), "x", None).findings

    assert [finding.title for finding in findings] == ["UNKNOWN READ in pick4", "UNKNOWN READ in pick8"]


@pytest.mark.parametrize(
    ("log", "kind", "state"),
    [
        ("Unhandled Exception: System.OutOfMemoryException: x\n   at Loom.Shed.Pick() in C:\\src\\Shed.cs:line 9\n", "Out-of-memory",
         "Loom.Shed.Pick\n"),
        ("Stack overflow.\n   at Loom.Shed.Pick()\n", "Stack-overflow", "Loom.Shed.Pick\n"),
        ("Fatal error. System.AccessViolationException: Attempted to read or write protected memory.\n   at Loom.Shed.Pick()\n",
         "Fatal error", "System.AccessViolationException: Attempted to read or write protected memory.\nLoom.Shed.Pick\n"),
        ("PHP Fatal error:  Allowed memory size of 8388608 bytes exhausted (tried to allocate 1 bytes) in /x.php on line 3\n",
         "Out-of-memory", "NULL\n"),
        ("PHP Parse error:  syntax error, unexpected token in /x.php on line 3\n", "Fatal error", "syntax error, unexpected token\n"),
        ('Exception in thread "main" java.lang.StackOverflowError\n' + "\tat org.example.Shed.pick(Shed.java:9)\n" * 8, "Stack-overflow",
         "org.example.Shed.pick\n"),
        ("Fortran runtime error: Index '7' of dimension 1 of array 'warp' above upper bound of 4\nError termination. Backtrace:\n"
         "#0  0x7f860f0218c2 in ???\n#1  0x55b5f96ff28a in __loom_MOD_pick\n\tat /src/loom.f90:5\n", "Index-out-of-bounds",
         "__loom_MOD_pick\n"),
        ("SIGSEGV: segmentation violation\nPC=0x7f04 m=0 sigcode=1 addr=0x18\nsignal arrived during cgo execution\n\n"
         "goroutine 1 [syscall]:\nexample.org/loom.Pick()\n\t/src/loom/shed.go:9 +0x1d\n", "Null-dereference", "loom.Pick\n"),
        ("*** GWP-ASan detected a memory error ***\nDouble Free at 0x7feccab26000 (a 41-byte allocation) by thread 7 here:\n"
         "  #0 0x4f1000 in pick /src/shed.c:9\n\n0x7feccab26000 was deallocated by thread 7 here:\n  #0 0x4f2000 in never /src/n.c:1\n",
         "Heap-double-free", "pick\nnever\n"),
    ],
)  # fmt: skip
def test_other_runtimes(log: str, kind: str, state: str) -> None:
    found = crash(log)

    assert (found.type, found.state) == (kind, state)
    assert all(frame.function != "never" for frame in found.frames)
