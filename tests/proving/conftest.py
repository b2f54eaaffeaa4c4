# SPDX-License-Identifier: Apache-2.0
"""What the proving tests share: one sandbox, and a laboratory of planted flaws."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clearwell.proving.probe import probe
from clearwell.proving.sandbox import Limits, Result, Sandbox, Spec
from proving.lab import Index, Lab

QUICK = Limits(wall_seconds=8, cpu_seconds=8, memory_bytes=256 << 20)

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    probed = probe()
    if not probed.is_usable:
        pytest.skip(f"no sandbox here: {probed.reason}")
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """Run Python source (or an argument vector) in the box."""

    def run_one(code: str | tuple[str, ...], limits: Limits = QUICK, **spec: object) -> Result:
        argv = code if isinstance(code, tuple) else ("/usr/bin/python3", "-S", "-c", code)
        return sandbox.run(Spec(argv=argv, env={"PATH": "/usr/bin:/bin"}, limits=limits, **spec))  # type: ignore[arg-type]

    return run_one


@pytest.fixture
def index() -> Iterator[Index]:
    opened = Index()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trees and builds are kept by content: tests may share them."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lab(tmp_path: Path, index: Index, sandbox: Sandbox, shared_cache: Path) -> Lab:
    return Lab(tmp_path, index, sandbox, shared_cache)
