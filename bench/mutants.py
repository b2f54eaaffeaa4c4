# SPDX-License-Identifier: Apache-2.0
"""`clearwell parse` on real reports and crash logs, on 300 mutants of them, and on lines of 100 MB: the slowest and the largest of each."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hub import Figure
from sections import SHARED

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from formats.mutants import MB, huge, mutants

COUNT = int(os.environ.get("BENCH_MUTANTS", "300"))
MOST_SECONDS, MOST_MB = 10, 1_024


def measure_mutants(folder: Path) -> list[Figure]:
    """Each document is read in a process of its own, which is measured from outside."""
    from clearwell.faces.cli.parse import rows

    if not SHARED.exists():
        print("     mutants: skipped, there is no shared data (CLEARWELL_SHARED)")
        return []
    places = sorted(path for part in ("reports", "crashes/logs") for path in (SHARED / part).iterdir() if path.is_file())
    documents = [(path.name, path.read_bytes()) for path in places]
    kinds: dict[str, Iterator[tuple[str, bytes]]] = {
        "documents as they are": iter(documents),
        f"{COUNT} mutants": mutants(documents, COUNT),
        "lines of 100 MB": huge(documents[:3] + documents[4:12]),
    }
    figures = []
    for kind, made in kinds.items():
        slowest, largest, silent, count = (0.0, ""), (0.0, ""), [], 0
        for name, data in made:
            place = folder / "document"
            place.write_bytes(data)
            seconds, megabytes, answered = _measured(lambda at=str(place): sum(1 for _ in rows(at, None)))
            slowest, largest, count = max(slowest, (seconds, name)), max(largest, (megabytes, name)), count + 1
            if not answered:
                silent.append(name)
        if silent:
            raise SystemExit(f"no answer to: {', '.join(silent[:10])}")
        figures += [
            Figure(f"parse, {kind}: the slowest of {count}", slowest[0], "s", MOST_SECONDS, peer=slowest[1]),
            Figure(f"parse, {kind}: the largest of {count}", largest[0], "MB", MOST_MB, peer=largest[1]),
        ]
    return figures


def _measured(read: Callable[[], object]) -> tuple[float, float, bool]:
    """Run in a fork; return its seconds, its peak resident memory in MB, and whether it gave at least one row or none in order."""
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            read()
            code = 0
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    return time.monotonic() - begin, used.ru_maxrss * 1024 / MB, status == 0


def measure_adversarial(folder: Path) -> list[Figure]:
    """Crash logs made to be slow, at one, two and four times a size: linear time means twice and four times as long."""
    from clearwell.formats import read

    figures = []
    for name, make in SHAPES.items():
        times = [_best(lambda data=make(size): read(data, "log.txt")) for size in (20_000, 40_000, 80_000)]
        figures.append(
            Figure(
                f"crash log, {name}: 4x the size takes",
                times[2] / times[0],
                "times as long",
                6,
                peer=f"2x {times[1] / times[0]:.1f}; {times[2]:.2f} s",
            )
        )
    return figures


_HEAD = (
    b"==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000010 at pc 0x1 bp 0x2 sp 0x3\n"
    b"READ of size 1 at 0x602000000010 thread T0\n"
)
SHAPES = {
    "one long line": lambda n: _HEAD + b"    #0 0x1 in f(" + b"(" * n * 10 + b") /src/a.c:1:1\n",
    "many frames": lambda n: _HEAD + b"".join(b"    #%d 0x1 in f%d /src/a.c:%d:1\n" % (k, k, k) for k in range(n)),
    "nested templates": lambda n: _HEAD + b"    #0 0x1 in " + b"std::vector<" * n + b"int" + b">" * n + b" /src/a.c:1:1\n",
    "many headlines": lambda n: _HEAD * (n // 10),
    "unclosed brackets": lambda n: _HEAD + (b"    #0 0x1 in a<b<c((([[[{{{ /src/a.c\n" * (n // 10)),
    "blanks": lambda n: _HEAD + b" " * n * 20 + b"\n" + b"\t \t " * n,
    "almost python": lambda n: b"Traceback (most recent call last):\n" + b'  File "a.py", line 1, in f\n' * n,
    "almost go": lambda n: (
        b"panic: " + b"runtime error: " * n + b"\ngoroutine 1 [running]:\n" + b"main.f(0x1)\n\t/a.go:1 +0x1\n" * (n // 10)
    ),
    "blanks within rust": lambda n: (
        b"thread 'm' panicked at 'x', a.rs:1:1\nstack backtrace:\n" + (b"  1: f" + b" \t" * 1_990 + b"x\n") * (n // 400)
    ),
    "wide blanks within windbg": lambda n: (
        b"ExceptionCode: c0000094\nSTACK_TEXT:\n" + (b"0020f4a8 00fd1423 00000001 a!f" + b"\xe2\x80\x83" * 3_900 + b"x\n") * (n // 400)
    ),
    "almost lldb": lambda n: (
        b"stop reason = signal SIGSEGV\n" + (b"  frame #0: 0x0000000000401136 a`" + b" at a:1" * 560 + b"x\n") * (n // 400)
    ),
    "almost kernel": lambda n: b"BUG: KASAN: x in f\n" + (b" " + b"_" * 3_990 + b"\n") * (n // 400),
    "almost valgrind": lambda n: (
        b"==1== Invalid read of size 4\n"
        + (b"==1==    by 0x1: f" + b" (in (a:1" * 440 + b"\n") * (n // 400)
        + b"==1== Invalid read of\n" * n
    ),
    "almost .NET": lambda n: b"Unhandled exception. System.X: y\n" + (b"   at A.B(" + b") in x:line 1" * 300 + b"\n") * (n // 400),
    "almost PHP": lambda n: b"PHP Fatal error:  Uncaught X: y in /a.php:1\n" + b"#0 /a.php(1): f(\n" * n + b"Next X\n" * n,
    "almost HotSpot": lambda n: (
        b"# A fatal error has been detected by the Java Runtime Environment:\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=1\n"
        + (b"C  [a.so+0x1]  f" + b"+0x1 " * 780 + b"\n") * (n // 400)
        + b"siginfo: si_addr\n" * n
    ),
    "almost assertions": lambda n: (
        (b"Assertion failed: " + b" (a: b" * 560 + b"\n") * (n // 400)
        + (b"Assertion failure: " + b", at a:" * 560 + b"\n") * (n // 400)
        + (b"a:1" * 1_300 + b": Assertion failed: \n") * (n // 400)
    ),
    "almost logcat": lambda n: b"11-28 11:00:00.000 1-2 DEBUG pid-1 " * n + b"\n" + b"11-28 11:00:00.000 1-2/a A/DEBUG\n" * n,
    "almost warnings": lambda n: b"WARNING: CPU: 0 PID: 1 at a\nINFO: task a blocked\nWARNING: " * n,
    "almost java": lambda n: b"Exception in thread " + b'"main" ' * n + b"java.lang.X\n" + b"\tat a.b.c(D.java:1)\n" * (n // 10),
}


def _best(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        begin = time.process_time()
        try:
            run()
        except Exception as reason:  # a refusal is an answer too
            if type(reason).__module__.split(".")[0] != "clearwell":
                raise
        taken.append(time.process_time() - begin)
    return max(min(taken), 1e-4)
