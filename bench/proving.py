# SPDX-License-Identifier: Apache-2.0
"""Proving, measured: the box against the plain process, confirmations per minute, builds and caches."""

import os
import resource
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path

from hub import Figure

RUNS = 60
_C = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  char line[64]; size_t n = fread(line, 1, 63, stdin); char *copy = calloc(1, 8); memcpy(copy, line, n); puts(copy); return 0; }
"""
_BUILD = (
    'for i in 0 1 2 3 4 5 6 7; do $CC $CFLAGS -c "$SRC/f$i.c" -o "$OUT/f$i.o"; done\n$CC $CFLAGS /box/harness/h.c "$OUT"/f*.o -o "$OUT/h"\n'
)


def measure_proving(folder: Path) -> list[Figure]:
    """Everything about proving; skipped where no sandbox or compiler is."""
    from clearwell.proving.probe import probe

    if not probe().is_usable or shutil.which("gcc") is None:
        print("     proving: skipped, no sandbox or no compiler here")
        return []
    return [*_starts(folder), *_confirmations(folder), *_symbols(folder), *_builds(folder)]


def _target(folder: Path) -> Path:
    place = folder / "target"
    place.mkdir(exist_ok=True)
    place.chmod(0o755)
    (place / "a.c").write_text(_C)
    subprocess.run(["gcc", "-g", "-O1", "-fsanitize=address", "a.c", "-o", "a"], cwd=place, check=True)
    (place / "good").write_bytes(b"ann")
    (place / "bad").write_bytes(b"x" * 40)
    return place


def _spec(place: Path, word: str, *, symbolize: bool = False):  # type: ignore[no-untyped-def]
    from clearwell.proving.runtimes import light_runtimes
    from clearwell.proving.sandbox import Limits, Spec

    reports = "/box/.reports-bench"
    options = f"log_path={reports}/report:exitcode=86:detect_leaks=0:symbolize={int(symbolize)}"
    binds = ((place, "/box/build"), *light_runtimes(place.parent))
    return Spec(
        argv=("/box/build/a",), env={"ASAN_OPTIONS": options}, binds=binds, stdin=place / word,
        writable=("/box/root", "/box/out", "/tmp", "/dev/shm", reports), collect=("/box/out", reports), limits=Limits(),
    )  # fmt: skip


_UNSHARE = ("unshare", "--user", "--map-root-user", "--pid", "--net", "--ipc", "--uts", "--mount", "--cgroup", "--fork")
_BARE = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--cap-drop", "ALL")


def _floors(place: Path, environment: dict[str, str]) -> list[Figure]:
    """What the same process takes with less around it, turn by turn: the namespaces alone, and bubblewrap alone on the machine's own tree.

    Neither has a bound of memory, space or output, a filter, a canary, a tree without the machine's files, or collects anything.
    """
    named = {"in new namespaces alone (unshare)": _UNSHARE, "in bubblewrap alone, all of the machine in sight": _BARE}
    took: dict[str, list[float]] = {"": [], **{name: [] for name in named}}
    for _ in range(RUNS):
        for name, before in (("", ()), *named.items()):
            begin = time.perf_counter()
            with (place / "good").open("rb") as word:
                subprocess.run([*before, place / "a"], stdin=word, capture_output=True, env=environment, check=True)
            took[name].append(time.perf_counter() - begin)
    plain = statistics.median(took.pop(""))
    return [
        Figure(f"an ASan binary {name}, in starts of the plain process", statistics.median(times) / plain, "starts", peer="for comparison")
        for name, times in took.items()
    ]


def _starts(folder: Path) -> list[Figure]:
    """One run in the box against the same process without one; the median of both, turn by turn."""
    from clearwell.proving.sandbox import BACKENDS, Sandbox

    place = _target(folder)
    environment = {"ASAN_OPTIONS": "detect_leaks=0:symbolize=0", "PATH": "/usr/bin:/bin"}
    figures = [*_floors(place, environment)]
    for backend in BACKENDS:
        if backend == "gvisor" and shutil.which("runsc") is None:
            print("     proving: gVisor is not installed, its start is not measured")
            continue
        plain, boxed, used = [], [], []
        with Sandbox(backend) as sandbox:
            sandbox.run(_spec(place, "good"))
            for _ in range(RUNS if backend == "bubblewrap" else 8):
                begin = time.perf_counter()
                with (place / "good").open("rb") as word:
                    subprocess.run([place / "a"], stdin=word, capture_output=True, env=environment, check=True)
                plain.append(time.perf_counter() - begin)
                begin = time.perf_counter()
                used.append(sandbox.run(_spec(place, "good")).wall_seconds)
                boxed.append(time.perf_counter() - begin)
        bare, box = statistics.median(plain), statistics.median(boxed)
        peer = (
            f"{bare * 1000:.1f} ms plain, {box * 1000:.1f} ms boxed, {statistics.median(used) * 1000:.1f} ms of them from the box's start"
        )
        limit = 1.5 if backend == "bubblewrap" else None
        figures.append(Figure(f"an ASan binary in {backend}, in starts of the plain process", box / bare, "starts", limit, peer=peer))
    return figures


def _confirm(place: Path, seconds: float, workers: int) -> tuple[float, float]:
    """Confirmations per minute, and milliseconds of processor time of each, all included: our own process, stage, bubblewrap, target.

    Each is one boxed, unsymbolized run and the oracle's look at its report.
    """
    from clearwell.proving.sandbox import Sandbox
    from clearwell.proving.sanitizer_report import parse_reports

    done: list[int] = []

    def work() -> None:
        count = 0
        with Sandbox() as sandbox:
            sandbox.run(_spec(place, "bad"))
            start.wait()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                result = sandbox.run(_spec(place, "bad"))
                texts = [entry.content.decode() for entry in result.files["/box/.reports-bench"]]
                reports = [report for text in texts for report in parse_reports(text)]
                if result.exit != 86 or len(reports) != 1 or not reports[0].is_of("heap-buffer-overflow"):
                    raise SystemExit(f"a confirmation did not confirm: {result}")
                count += 1
        done.append(count)

    start = threading.Barrier(workers)
    threads = [threading.Thread(target=work) for _ in range(workers)]
    before = _processor_seconds()
    with Sandbox() as sandbox:
        sandbox.run(_spec(place, "bad"))
    opening = _processor_seconds() - before  # a worker opens its sandbox once, whatever it runs afterwards
    before = _processor_seconds()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds * 60, (_processor_seconds() - before - workers * opening) / sum(done) * 1000


def _processor_seconds() -> float:
    """Of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _plain_seconds(place: Path) -> float:
    """Processor time of the same target's failing run as a plain process: the floor under a confirmation."""
    before = _processor_seconds()
    for _ in range(RUNS):
        with (place / "bad").open("rb") as word:
            options = {"ASAN_OPTIONS": "detect_leaks=0:symbolize=0"}
            subprocess.run([place / "a"], stdin=word, capture_output=True, env=options, check=False)
    return (_processor_seconds() - before) / RUNS * 1000


def _confirmations(folder: Path) -> list[Figure]:
    place = _target(folder)
    one, each = _confirm(place, 8, 1)
    two, each_of_two = _confirm(place, 8, 2)
    plain = _plain_seconds(place)
    load = f"{os.getloadavg()[0]:.1f} processes wanted the {os.cpu_count()} cores meanwhile"
    return [
        Figure("processor time of one confirmation, all included", each, "ms", 24, peer=f"{plain:.1f} ms the plain process"),
        Figure("confirmations a minute, one worker", one, "runs/min", peer=f"{each:.1f} ms of CPU each"),
        Figure(
            "confirmations a minute, two workers on two cores", two, "runs/min", 5000, at_most=False,
            peer=f"{each_of_two:.1f} ms of CPU each; {load}",
        ),
    ]  # fmt: skip


def _symbols(folder: Path) -> list[Figure]:
    """A run whose report has names of functions, as every run of a proof, against one without."""
    from clearwell.proving.sandbox import Sandbox

    place, taken = _target(folder), {}
    for symbolize in (False, True):
        used = []
        for count in (1, 25):  # the stage's own start comes in both
            before = _processor_seconds()
            with Sandbox() as sandbox:
                for _ in range(count):
                    sandbox.run(_spec(place, "bad", symbolize=symbolize))
            used.append(_processor_seconds() - before)
        taken[symbolize] = (used[1] - used[0]) / 24
    return [
        Figure("a symbolized run, in unsymbolized ones", taken[True] / taken[False], "runs", 2, peer=f"{taken[True] * 1000:.0f} ms of CPU")
    ]


def _builds(folder: Path) -> list[Figure]:
    """A full build of eight files, the same with one of them patched, and what the cache gives back."""
    from clearwell.proving.archives import Registry
    from clearwell.proving.environments import Workshop
    from clearwell.proving.folder import read_proof
    from clearwell.proving.sandbox import Sandbox

    harness, proof = folder / "harnesses" / "bench", folder / "proof"
    for place in (harness, proof):
        place.mkdir(parents=True, exist_ok=True)
    (harness / "harness.toml").write_text(
        'format = 1\nversion = 1\nfor = ["pkg:generic/bench"]\narchive = "file"\nbuild = "build.sh"\nsanitizers = ["address"]\n'
        'command = ["{build}/h"]\nstdin = true\n[[feature]]\ninput = { text = "x" }\noutput = "x"\n'
    )
    (harness / "build.sh").write_text(_BUILD)
    (harness / "h.c").write_text('#include <stdio.h>\nint main(void) { puts("x"); return 0; }\n')
    body = "\n".join(
        f"int NAME_{n}(int x) {{ int y[64]; for (int i = 0; i < 64; i++) y[i] = x * i + {n}; return y[x & 63]; }}" for n in range(400)
    )
    sources = {f"bench-1/f{i}.c": body.replace("NAME", f"f{i}").encode() for i in range(8)}
    _write_tar(proof / "bench-1.tar.gz", sources)
    (proof / "proof.toml").write_text(
        'format = 1\ntitle = "t"\nweakness = "CWE-1"\nharness = "bench"\ninput = { text = "x" }\n[target]\n'
        'purl = "pkg:generic/bench@1"\narchive = "file"\nroot = "bench-1"\n[oracle]\nkind = "command"\n'
    )
    first = body.splitlines()[0].replace("NAME", "f0")
    patch = f"--- a/f0.c\n+++ b/f0.c\n@@ -1,1 +1,1 @@\n-{first}\n+int f0_0(int x) {{ return x; }}\n".encode()
    read = read_proof(proof, folder / "harnesses")
    private = folder / "private"
    private.mkdir()
    taken = []
    registry = Registry(folder / "cache", offline=True)
    with Sandbox() as sandbox:
        workshop = Workshop(registry, sandbox, private)
        read.harness.folder.write(private / "harness")
        for control in (read.file.target, read.file.target, patch):
            begin = time.perf_counter()
            workshop.environment(read, control, private / "harness")
            taken.append(time.perf_counter() - begin)
    registry.close()
    return [
        Figure("a full build of eight C files in the box", taken[0], "s"),
        Figure("the same again, from the cache", taken[1], "s", peer=f"{taken[0] / taken[1]:.0f} times as fast"),
        Figure(
            "a build with one file patched, in full builds",
            taken[2] / taken[0],
            "builds",
            peer=f"{taken[2]:.2f} s: one file is compiled, the other objects are the unpatched build's",
        ),
    ]


def _write_tar(path: Path, files: dict[str, bytes]) -> None:
    import io
    import tarfile

    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
