# SPDX-License-Identifier: Apache-2.0
"""`make bench`: speed and size, each beside the limit or the peer that the issue names, in one run; results go to RESULTS.md.

Sections: help, start, intake, fairness, parse, hard-set, mutants, adversarial, dedupe-scale, exercise, proving, proof-queue.
`python bench intake parse` runs just those.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import dedupe_scale  # noqa: E402
import fairness  # noqa: E402
import hard_set  # noqa: E402
import hub  # noqa: E402
import mutants  # noqa: E402
import proof_queue  # noqa: E402
import proving  # noqa: E402
import sections  # noqa: E402
import suggestions  # noqa: E402
import volume  # noqa: E402

SECTIONS: dict[str, Callable[[Path], list[hub.Figure]]] = {
    "help": sections.measure_help,
    "start": sections.measure_start_and_memory,
    "intake": volume.measure_intake,
    "fairness": fairness.measure_fairness,
    "parse": sections.measure_parse,
    "hard-set": hard_set.measure_hard_set,
    "suggestions": suggestions.measure_suggestions,
    "mutants": mutants.measure_mutants,
    "adversarial": mutants.measure_adversarial,
    "dedupe-scale": dedupe_scale.measure_scale,
    "exercise": sections.measure_exercise,
    "proving": proving.measure_proving,
    "proof-queue": proof_queue.measure_proof_queue,
}


def main(wanted: list[str]) -> int:
    """Run the sections, print each figure, and replace their rows in RESULTS.md."""
    unknown = set(wanted) - set(SECTIONS)
    if unknown:
        print(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    figures: list[hub.Figure] = []
    for name in wanted or list(SECTIONS):
        with tempfile.TemporaryDirectory(prefix="cw-bench-") as folder:
            for figure in SECTIONS[name](Path(folder)):
                print(figure.line(), flush=True)
                figures.append(figure)
    write_results(figures)
    return 0 if all(figure.holds for figure in figures) else 1


def write_results(figures: list[hub.Figure]) -> None:
    """Keep one row for each figure; the newest run replaces its older row."""
    path = HERE / "RESULTS.md"
    rows = {}
    if path.exists():
        rows = {line.split("|")[1].strip(): line for line in path.read_text().splitlines() if line.startswith("| ") and "---" not in line}
        rows.pop("what", None)
    for figure in figures:
        rows[figure.what] = figure.row(f"{datetime.now(UTC):%Y-%m-%d}")
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()
    head = (
        "# Results\n\n`make bench` writes this file. Each figure stands beside its limit or peer, measured in the same run.\n\n"
        f"Last run: {datetime.now(UTC):%Y-%m-%d}, revision {revision or 'unknown'}, {os.cpu_count()} cores, "
        f"{hub.memory_gib():.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}.\n\n"
        "| what | measured | limit or peer | ratio | date |\n|---|---|---|---|---|\n"
    )
    path.write_text(head + "\n".join(rows.values()) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
