# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets run: each over the samples and some hundred mutants here, and under atheris where it is installed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from formats.mutants import long_line, mutants
from fuzz.targets import targets

SAMPLES = Path(__file__).parent.parent / "formats" / "samples"
DOCUMENTS = [(path.name, path.read_bytes()) for path in sorted(SAMPLES.rglob("*")) if path.is_file() and ".golden." not in path.name]


@pytest.mark.parametrize("name", sorted(targets()))
def test_a_target_takes_whatever_comes(name: str) -> None:
    target = targets()[name]

    for _, data in DOCUMENTS:
        target(data)
    for told, data in mutants(DOCUMENTS, 40, seed=sum(name.encode())):
        if long_line.__name__ not in told and len(data) < 300_000:
            target(data)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (Linux, CPython < 3.14)")
def test_a_target_runs_under_atheris(tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).parent / "run.py"), "casrep", "-runs=300", "-seed=1", "-max_len=2000"]

    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "NO_COLOR": "1"}
    )

    assert done.returncode == 0 and "Done 300 runs" in done.stderr, done.stderr[-2000:]
