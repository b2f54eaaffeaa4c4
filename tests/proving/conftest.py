# SPDX-License-Identifier: Apache-2.0
"""What the proving tests share: one sandbox, and a way to write proofs whose archives need no network."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clearwell.proving.probe import probe
from clearwell.proving.sandbox import Limits, Result, Sandbox, Spec

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
        env = {"PATH": "/usr/bin:/bin", **spec.pop("env", {})}  # type: ignore[dict-item]
        return sandbox.run(Spec(argv=argv, env=env, limits=limits, **spec))  # type: ignore[arg-type]

    return run_one


def sdist(files: dict[str, str | bytes], top: str = "sample-1.0") -> bytes:
    """Return a .tar.gz whose files lie under one folder, as an sdist's do."""
    return tar({f"{top}/{name}": content for name, content in files.items()})


def tar(files: dict[str, str | bytes], members: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in members:
            archive.addfile(info, io.BytesIO(b"\0" * info.size))
    return buffer.getvalue()


def write_folder(place: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return place
