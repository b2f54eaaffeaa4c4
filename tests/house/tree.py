# SPDX-License-Identifier: Apache-2.0
"""The repository's own files, as the house's tests read them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MADE = {"vendor", "__pycache__", "screenshots", "build", "dist"}


def files(*suffixes: str, under: str = "") -> tuple[Path, ...]:
    """Every committed file (outside a git tree: every file that is not made by make), with one of the endings if any are given."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", under or "."], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in (ROOT / under).rglob("*") if not _is_made(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file() and (not suffixes or path.name.endswith(suffixes))))


def _is_made(parts: tuple[str, ...]) -> bool:
    return any(part in _MADE or (part.startswith(".") and part not in {".ci", ".gitignore"}) for part in parts)


def named(path: Path) -> str:
    """The path as the repository names it."""
    return path.relative_to(ROOT).as_posix()
