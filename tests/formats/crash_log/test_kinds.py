# SPDX-License-Identifier: Apache-2.0
"""Each kind of crash log and its usual variants: type, address, state, security, and the frames that matter."""

import pytest

from clearwell.formats.crash_log import read, why_not
from clearwell.vocabulary.finding import Crash

AT = "0x602000000010"
STACK = (
    "\n    #0 0x4f1000 in fold /src/paper/fold.c:9:3\n    #1 0x4f2000 in crease::Leaf::turn(int) /src/paper/crease.cc:4:1\n"
    "    #2 0x4f2100 in sheet /src/paper/sheet.c:7\n    #3 0x4f3000 in LLVMFuzzerTestOneInput /src/paper/fuzz_fold.c:3:1\n"
)
STATE = "fold\ncrease::Leaf::turn\nsheet\n"
KERNEL_STATE = "leaf_close\nsheet_release\n__fput\n"
TRACE = "Call Trace:\n <TASK>\n sheet_release+0x3a/0x50\n ? never+0x1/0x2\n __fput+0x10a/0x3b0\n </TASK>\n"
WHOLE_TRACE = TRACE.replace("<TASK>\n", "<TASK>\n dump_stack+0x71/0xa0\n kasan_report+0x1/0x2\n leaf_close+0x1a2/0x2b0 [paper]\n", 1)
GO = (
    "\ngoroutine 1 [running]:\nexample.com/fold.(*Leaf).Turn(0xc000012345, {0x1, 0x2})\n\t/src/fold/leaf.go:12 +0x1d\n"
    "example.com/fold.Crease(...)\n\t/src/fold/crease.go:4\nmain.main()\n\t/src/main.go:3 +0x2\n"
)
WINDOWS = (
    "STACK_TEXT:  \n0020f4a8 00fd1423 00000001 00000002 00000003 fold!turn+0x12\n"
    "0020f4b8 00fd1523 00000001 00000002 00000003 fold!crease+0x9\n"
)


def crash(log: str) -> Crash:
    assert why_not(log.encode(), "x.log") is None
    findings = read(log.encode(), "x.log", None).findings
    assert len(findings) == 1 and findings[0].crash is not None
    return findings[0].crash


def asan(what: str, tool: str = "AddressSanitizer") -> str:
    return f"=================================================================\n==7==ERROR: {tool}: {what}{STACK}"


OVERFLOW = asan(f"heap-buffer-overflow on address {AT} at pc 0x1 bp 0x2 sp 0x3\nREAD of size 4 at {AT} thread T0")


@pytest.mark.parametrize(
    ("message", "kind", "security"),
    [
        ("division by zero", "Divide-by-zero", False),
        ("division of -2147483648 by -1 cannot be represented in type 'int'", "Integer-overflow", False),
        ("negation of -2147483648 cannot be represented in type 'int'", "Integer-overflow", False),
        ("unsigned integer overflow: 0 - 1 cannot be represented in type 'unsigned int'", "Unsigned-integer-overflow", False),
        ("shift exponent 33 is too large for 32-bit type 'int'", "Undefined-shift", False),
        ("load of null pointer of type 'int'", "Null-dereference READ", False),
        ("store to null pointer of type 'int'", "Null-dereference WRITE", False),
        ("member access within null pointer of type 'struct leaf'", "Potential-null-reference", False),
        ("member call on null pointer of type 'Leaf'", "Potential-null-reference", False),
        ("reference binding to null pointer of type 'Leaf'", "Potential-null-reference", False),
        ("null pointer passed as argument 2, which is declared to never be null", "Invalid-null-argument", False),
        ("null pointer returned from function declared to never return null", "Invalid-null-return", False),
        ("index 4 out of bounds for type 'int [4]'", "Index-out-of-bounds", True),
        ("load of address 0x7ffe0000 with insufficient space for an object of type 'int'", "Object-size", True),
        ("load of misaligned address 0x602000000011 for type 'int', which requires 4 byte alignment", "Misaligned-address", False),
        ("load of value 190, which is not a valid value for type 'bool'", "Invalid-bool-value", False),
        ("load of value 190, which is not a valid value for type 'enum leaf'", "Invalid-enum-value", False),
        ("1e+300 is outside the range of representable values of type 'float'", "Float-cast-overflow", False),
        ("call to function f(void*) through pointer to incorrect function type 'int'", "Incorrect-function-pointer-type", True),
        ("variable length array bound evaluates to non-positive value 0", "Non-positive-vla-bound-value", True),
        ("applying non-zero offset 8 to null pointer", "Pointer-overflow", False),
        ("execution reached an unreachable program point", "Unreachable code", False),
        ("execution reached the end of a value-returning function without returning a value", "No-return-value", False),
        ("passing zero to ctz(), which is not a valid argument", "Invalid-builtin-use", False),
    ],
)
def test_undefined_behavior_by_its_words(message: str, kind: str, security: bool) -> None:
    found = crash(f"/src/paper/fold.c:9:3: runtime error: {message}{STACK}SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior \n")

    assert (found.type, found.address, found.state, found.security) == (kind, None, STATE, security)


@pytest.mark.parametrize(
    ("log", "kind", "address", "security"),
    [
        (asan("SEGV on unknown address 0x7f00 (pc 0x1 T0)\n==7==The signal is caused by a UNKNOWN memory access."), "Null-dereference",
         "0x7f00", False),
        (asan(f"stack-buffer-underflow on address {AT} at pc 0x1\nWRITE of size 32 at {AT} thread T0"), "Stack-buffer-underflow\nWRITE {*}",
         AT, True),
        (asan("tag-mismatch on address 0x0042f0a1 at pc 0x5\nREAD of size 4 at 0x0042f0a1 tags: 4f/2a (ptr/mem)", "HWAddressSanitizer"),
         "Tag-mismatch\nREAD 4", "0x0042f0a1", True),
        (asan("SEGV on unknown address 0x7f00deadbeef (pc 0x1)\n==7==The signal is caused by a READ memory access.", "MemorySanitizer"),
         "UNKNOWN READ", "0x7f00deadbeef", True),
        ("WARNING: ThreadSanitizer: data race (pid=1)\n  Atomic write of size 4 at 0x7b04 by thread T1:\n" + STACK,
         "Data race\nATOMIC WRITE 4", "0x7b04", False),
        ("==7==ERROR: AddressSanitizer failed to allocate 0x10000 (65536) bytes of stack" + STACK, "Out-of-memory", None, False),
        ("thread 'main' has overflowed its stack\nfatal runtime error: stack overflow\n" + asan("ABRT on unknown address 0x5 (pc 0x5 T0)"),
         "Stack-overflow", None, False),
    ],
)  # fmt: skip
def test_sanitizers(log: str, kind: str, address: str | None, security: bool) -> None:
    found = crash(log)

    assert (found.type, found.address, found.state, found.security) == (kind, address, STATE, security)


def test_a_state_takes_nothing_from_where_a_value_was_stored() -> None:
    log = "==7==WARNING: MemorySanitizer: use-of-uninitialized-value\n    #0 0x4f1000 in fold /src/fold.c:9:3\n\n"

    assert crash(log + "  Uninitialized value was stored to memory at\n    #0 0x1 in never /x.c:1\n").state == "fold\n"


def test_a_direct_leak_outranks_an_indirect_one() -> None:
    log = (
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n"
        "Indirect leak of 8 byte(s) in 1 object(s) allocated from:\n    #0 0x1 in never\n"
    )

    found = crash(f"{log}\nDirect leak of 40 byte(s) in 1 object(s) allocated from:\n    #0 0x4 in calloc{STACK}")

    assert (found.type, found.state) == ("Direct-leak", STATE)


@pytest.mark.parametrize(
    ("log", "kind", "address"),
    [
        ("BUG: KASAN: use-after-free in leaf_close+0x1a2/0x2b0 [paper]\nRead of size 8 at addr ffff8881f2a3c010 by task fold/812\n"
         + WHOLE_TRACE + "\nAllocated by task 812:\n never+0x1/0x2\n", "Kernel failure\nUse-after-free\nREAD 8", "0xffff8881f2a3c010"),
        ("BUG: KASan: out of bounds access in leaf_close+0x1a2/0x2b0 at addr ffff8881f2a3c010\nWrite of size 1 by task fold/8\n"
         + WHOLE_TRACE, "Kernel failure\nOut-of-bounds\nWRITE 1", "0xffff8881f2a3c010"),
        ("BUG: KMSAN: uninit-value in leaf_close+0x1a2/0x2b0\n" + WHOLE_TRACE + "\nUninit was created at:\n never+0x1/0x2\n",
         "Kernel failure\nUninit-value", None),
        ("BUG: KFENCE: use-after-free write in leaf_close+0x1a2/0x2b0\n\nUse-after-free write at 0xffff8881f2a3c010 (in kfence-#3):\n"
         " leaf_close+0x1a2/0x2b0\n sheet_release+0x3a/0x50\n __fput+0x1/0x2\n\nallocated by task 1 on cpu 0 at 1s:\n never+0x1/0x2\n",
         "Kernel failure\nUse-after-free", "0xffff8881f2a3c010"),
        ("BUG: KCSAN: data-race in leaf_close / sheet_release\n\nwrite to 0xffff8881f2a3c010 of 8 bytes by task 1 on cpu 0:\n"
         " leaf_close+0x1a2/0x2b0\n sheet_release+0x3a/0x50\n __fput+0x1/0x2\n\n"
         "read to 0xffff8881f2a3c010 of 8 bytes by task 2 on cpu 1:\n never+0x1/0x2\n",
         "Kernel failure\nData-race\nWRITE 8", "0xffff8881f2a3c010"),
        ("UBSAN: array-index-out-of-bounds in net/paper.c:33:7\nindex 5 is out of range for type 'int [4]'\n" + WHOLE_TRACE,
         "Kernel failure\nArray-index-out-of-bounds", None),
        ("general protection fault: 0000 [#1] SMP KASAN\nRIP: 0010:leaf_close+0x1a2/0x2b0 net/paper.c:33\n" + TRACE,
         "Kernel failure\nGeneral-protection-fault", None),
        ("kernel BUG at mm/paper.c:33!\ninvalid opcode: 0000 [#1] SMP\nRIP: 0010:[<ffffffff8112fff4>]  [<ffffffff8112fff4>] "
         "leaf_close+0x1a2/0x2b0\n" + TRACE, "Kernel failure\nMm/paper.c:{*}!", None),
        ("BUG: unable to handle page fault for address: ffff888123456789\nRIP: 0010:leaf_close+0x1a2/0x2b0\n" + TRACE,
         "Kernel failure", "0xffff888123456789"),
        ("BUG: unable to handle kernel NULL pointer dereference at 00000018\nEIP is at leaf_close+0x1a2/0x2b0\n" + TRACE,
         "Kernel failure", "0x00000018"),
    ],
)  # fmt: skip
def test_kernels_and_their_sanitizers(log: str, kind: str, address: str | None) -> None:
    found = crash(log)

    assert (found.type, found.address, found.state, found.security) == (kind, address, KERNEL_STATE, True)
    assert [frame.function for frame in found.frames] == ["leaf_close", "sheet_release", "__fput"]


@pytest.mark.parametrize(
    ("log", "kind", "address", "security"),
    [
        ("Core was generated by `./a.out'.\nProgram terminated with signal 11, Segmentation fault.\n"
         "#0  fold (n=1) at fold.c:9\n#1  0x0000000000401150 in crease (x=0x0) at crease.c:4\n#2  main () at m.c:3\n",
         "UNKNOWN", None, None),
        ("Program terminated with signal SIGABRT, Aborted.\n#0  __pthread_kill_implementation (no_tid=0) at ./nptl/pthread_kill.c:44\n"
         "#1  0x00007ffff7c4527e in __GI_raise (sig=6) at raise.c:26\n#2  0x0000000000401136 in fold (n=1) at fold.c:9\n"
         "#3  0x0000000000401150 in crease (x=0x0) at crease.c:4\n#4  main () at m.c:3\n", "Abrt", None, False),
        ("Thread 1 \"a.out\" received signal SIGSEGV, Segmentation fault.\n#0  0x00007f12 in raise () from /lib/libc.so.6\n"
         "#1  0x0000000000401130 in never (sig=11) at crash.c:4\n#2  <signal handler called>\n"
         "#3  0x0000000000401136 in fold (n=1) at fold.c:9\n#4  0x0000000000401150 in crease (x=0x0) at crease.c:4\n"
         "", "UNKNOWN", None, None),
        ("Program received signal SIGTRAP, Trace/breakpoint trap.\n0x00007ffff41afaa6 in fold ()\n(gdb) bt\n"
         "#0  0x00007ffff41afaa6 in fold () at fold.c:9\n#1  0x00007ffff41b0000 in crease () at crease.c:4\n",
         "Sigtrap", "0x7ffff41afaa6", False),
        ("* thread #1, name = 'a.out', stop reason = signal SIGSEGV: invalid address (fault address: 0x10)\n"
         "  * frame #0: 0x0000000000401136 a.out`fold(n=1) at fold.c:9:10\n"
         "    frame #1: 0x0000000000401150 a.out`crease(x=0x0) at c.c:4:3\n"
         "    frame #2: 0x0000000000401160 a.out`main at m.c:3:3\n", "Null-dereference", "0x10", False),
        ("        Signal: 11 (SEGV)\n       Message: Process 41 (a.out) of user 0 dumped core.\n                Stack trace of thread 41:\n"
         "                #0  0x0000000000401136 fold (a.out + 0x1136)\n                #1  0x0000000000401150 crease (a.out + 0x1150)\n"
         "                #2  0x00007f1234567890 __libc_start_call_main (libc.so.6 + 0x2724a)\n", "UNKNOWN", None, None),
        ("SIGNAL: SIGSEGV (11)\nPC: 0x401136\nFAULT ADDRESS: 0x7f00deadbeef\nSTACK:\n"
         " <0x0000000000401136> [func:fold file:/src/fold.c line:9 module:/out/a.out]\n"
         " <0x0000000000401150> [func:crease file:/src/crease.c line:4 module:/out/a.out]\n"
         " <0x0000000000401160> [func:main file:/src/m.c line:3 module:/out/a.out]\n", "UNKNOWN", "0x7f00deadbeef", True),
        ("Exception Type:        EXC_BAD_ACCESS (SIGSEGV)\nException Codes:       KERN_INVALID_ADDRESS at 0x0000000000000010\n"
         "Thread 0 Crashed::\n0   fold     \t0x000000010a992136 fold + 22\n1   fold     \t0x000000010a992150 crease + 9\n"
         "2   libdyld.dylib     \t0x00007fff6f1 start + 1\n", "Null-dereference", "0x000000000010", False),
        ("*** Error in `./a.out': double free or corruption (fasttop): 0x0000000001f4c010 ***\n======= Backtrace: =========\n"
         "/lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f1]\n./a.out(fold+0x1f)[0x400]\n./a.out(crease+0x9)[0x401]\n",
         "Heap-double-free", None, True),
    ],
)  # fmt: skip
def test_debuggers_cores_and_fuzzers_reports(log: str, kind: str, address: str | None, security: bool | None) -> None:
    found = crash(log)

    assert (found.type, found.address, found.state, found.security) == (kind, address, "fold\ncrease\n", security)
    assert [frame.function for frame in found.frames] == ["fold", "crease"]


@pytest.mark.parametrize(
    ("log", "kind", "address", "security"),
    [
        ("ExceptionCode: c0000005 (Access violation)\nAttempt to execute non-executable address 05c70000\n" + WINDOWS,
         "EXECUTE", "0x05c70000", True),
        ("ExceptionCode: c00000fd (Stack overflow)\n" + WINDOWS, "Stack-overflow", None, False),
        ("(1a2c.1f3c): Security check failure or stack buffer overrun - code c0000409 (!!! second chance !!!)\n" + WINDOWS,
         "Security check failure", None, True),
        ("Unhandled exception at 0x00007FF6 in fold.exe: 0xC0000005: Access violation reading location 0x0000000000000010.\n" + WINDOWS,
         "Null-dereference READ", "0x000000000010", False),
        ("Faulting application name: fold.exe, version: 1.0\nException code: 0xc0000005\n" + WINDOWS, "UNKNOWN", None, None),
    ],
)  # fmt: skip
def test_windows(log: str, kind: str, address: str | None, security: bool | None) -> None:
    found = crash(log)

    assert (found.type, found.address, found.state, found.security) == (kind, address, "turn\ncrease\n", security)


@pytest.mark.parametrize(
    ("log", "kind", "state", "security", "frames"),
    [
        ("panic: runtime error: index out of range [5] with length 3" + GO, "Index out of range", "fold.(*Leaf).Turn\nfold.Crease\n", False,
         ["example.com/fold.(*Leaf).Turn", "example.com/fold.Crease"]),
        ("fatal error: all goroutines are asleep - deadlock!\n" + GO, "Fatal error",
         "all goroutines are asleep - deadlock!\nfold.(*Leaf).Turn\nfold.Crease\n", False,
         ["example.com/fold.(*Leaf).Turn", "example.com/fold.Crease"]),
        ("runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\n"
         "runtime.throw({0x1, 0x2})\n"
         "\t/usr/local/go/src/runtime/panic.go:992 +0x71\n" + GO, "Stack overflow", "fold.(*Leaf).Turn\nfold.Crease\n", False,
         ["example.com/fold.(*Leaf).Turn", "example.com/fold.Crease"]),
        ("WARNING: DATA RACE\nWrite at 0x00c0000b4010 by goroutine 7:\n  example.com/fold.Turn()\n      /src/fold/leaf.go:12 +0x44\n"
         "  example.com/fold.Crease()\n      /src/fold/crease.go:4 +0x44\n\nPrevious read at 0x00c0000b4010 by main goroutine:\n"
         "  main.never()\n      /src/main.go:9 +0x88\n\nGoroutine 7 (running) created at:\n  main.never()\n      /src/main.go:8 +0x7a\n",
         "Data race", None, False, ["example.com/fold.Turn", "example.com/fold.Crease"]),
        ("Traceback (most recent call last):\n  File \"/src/a.py\", line 3, in never\n    b()\nValueError: 1\n\n"
         "During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n"
         "  File \"/src/c.py\", line 3, in crease\n    d()\n  File \"/src/d.py\", line 9, in fold\n    raise KeyError(1)\nKeyError: 1\n",
         "Uncaught exception", "fold\ncrease\nnever\n", False, ["fold", "crease"]),
        ("Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n"
         "  File \"/src/b.py\", line 9 in fold\n"
         "  File \"/src/a.py\", line 3 in crease\n", "Fatal error", "Segmentation fault\nfold\ncrease\n", False, ["fold", "crease"]),
        ("/src/fold.js:9\n    throw new TypeError('leaf');\n    ^\n\nTypeError: leaf\n    at fold (/src/fold.js:9:3)\n"
         "    at crease (/src/main.js:4:1)\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)\n\nNode.js v18.0.0\n",
         "Uncaught exception", "fold\ncrease\n", False, ["fold", "crease"]),
        ("Exception in thread \"main\" java.lang.IllegalStateException: leaf\n\tat com.example.Fold.turn(Fold.java:9)\n"
         "Caused by: java.lang.NullPointerException\n\tat com.example.Never.f(Never.java:1)\n", "Uncaught exception",
         "com.example.Fold.turn\ncom.example.Never.f\n", False, ["com.example.Fold.turn"]),
        ("#\n# Runtime error in ../../src/leaf.cc, line 44\n#\n# Check failed: args[0]->IsLeaf().\n\n"
         + asan("ILL on unknown address 0x5 (pc 0x5 T0)"), "RUNTIME_ASSERT", "args[0]->IsLeaf() in leaf.cc\nfold\ncrease::Leaf::turn\n",
         False, ["fold", "crease::Leaf::turn", "sheet"]),
    ],
)  # fmt: skip
def test_languages_and_runtimes(log: str, kind: str, state: str | None, security: bool, frames: list[str]) -> None:
    found = crash(log)

    assert (found.type, found.security) == (kind, security)
    assert state is None or found.state == state
    assert [frame.function for frame in found.frames] == frames


def test_each_race_of_gos_detector_is_a_finding() -> None:
    race = "WARNING: DATA RACE\nWrite at 0x00c0000b4010 by goroutine 7:\n  example.com/fold.{name}()\n      /src/leaf.go:12 +0x44\n\n"

    findings = read((race.format(name="Turn") + "======\n" + race.format(name="Crease")).encode(), "x", None).findings

    assert [finding.title for finding in findings] == ["Data race in example.com/fold.Turn", "Data race in example.com/fold.Crease"]


@pytest.mark.parametrize(
    "prefix",
    [
        "11-28 11:00:00.000  1234  1234 I wrap.sh : ",
        "2026-11-28 11:00:00.000 +0000  1234  1234 F DEBUG   : ",
        "F/DEBUG   ( 1234): ",
        "2026-11-28T11:00:00.0000000Z ",
        "2026-11-28T11:00:00+00:00 builder fold[41]: ",
        "Nov 28 11:00:00 builder fold[41]: ",
        "fold-1  | ",
        "> ",
        "> > ",
        "\x1b[1m\x1b[31m",
    ],
)
def test_what_loggers_put_before_a_line_is_taken_off(prefix: str) -> None:
    found = crash("".join(f"{prefix}{line}\n" for line in OVERFLOW.splitlines()))

    assert (found.type, found.address, found.state) == ("Heap-buffer-overflow\nREAD 4", AT, STATE)


@pytest.mark.parametrize(
    "prefix",
    [
        "[   52.118201] ", "[   52.118201][ T4410] ", "<4>[   52.118201] ", "[Sat Nov 28 11:00:00 2026] ",
        "Nov 28 11:00:00 host kernel: [   52.118201] ", "Nov 28 11:00:00 host kernel: ",
    ],
)  # fmt: skip
def test_what_kernels_put_before_a_line_is_taken_off(prefix: str) -> None:
    log = "BUG: kernel NULL pointer dereference, address: 0000000000000018\nRIP: 0010:leaf_close+0x1a2/0x2b0\n" + TRACE

    assert crash("".join(f"{prefix}{line}\n" for line in log.splitlines())).state == KERNEL_STATE


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_make_no_difference(ending: str) -> None:
    assert crash(OVERFLOW.replace("\n", ending)) == crash(OVERFLOW)


def test_of_many_threads_backtraces_the_one_that_stopped_counts() -> None:
    found = crash(
        "Program terminated with signal SIGSEGV, Segmentation fault.\n#0  0x00401136 in fold (n=1) at fold.c:9\n"
        "(gdb) thread apply all bt\nThread 2 (LWP 12):\n#0  0x00402000 in never () at wait.c:1\n#1  0x00402100 in idle () at wait.c:2\n"
        "Thread 1 (LWP 11):\n#0  0x00401136 in fold (n=1) at fold.c:9\n#1  0x00401150 in crease (x=0x0) at crease.c:4\n"
    )

    assert [frame.function for frame in found.frames] == ["fold", "crease"]
    assert found.state == "fold\ncrease\n"


@pytest.mark.parametrize("blank", ["\t", "\u2003", "\xa0", " \t"])
def test_runs_of_any_blank_are_short_before_a_line_is_read(blank: str) -> None:
    panic = "thread 'main' panicked at 'x', a.rs:1:1\nstack backtrace:\n"

    found = crash(f"{panic}   1: fold{blank * 1_000}crease\n             at ./src/fold.rs:9:5\n")

    assert found.state == "x\nfold        crease\n"
