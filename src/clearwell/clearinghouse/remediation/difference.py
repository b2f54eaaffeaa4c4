# SPDX-License-Identifier: Apache-2.0
"""The difference between the flawed and the fixed source, as a unified diff that two people read before it is distributed."""

import difflib

from clearwell.proving.archives import Registry
from clearwell.vocabulary.errors import NotFound

_LIMIT = 4 * 1024 * 1024
_FILE = 512 * 1024


def between(registry: Registry, flawed: str, fixed: str) -> bytes:
    """Unified diff from one package URL's source to the other's: text whole, other files by name and size. At most 4 MB."""
    before, after = _files(registry, flawed), _files(registry, fixed)
    parts: list[str] = []
    size = 0
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        part = _one(name, old, new)
        size += len(part)
        if size > _LIMIT:
            parts.append("# the rest of the difference is longer than 4 MB and was cut\n")
            break
        parts.append(part)
    return "".join(parts).encode("utf-8", errors="replace")


def _one(name: str, old: bytes | None, new: bytes | None) -> str:
    if any(side is not None and (b"\0" in side[:8000] or len(side) > _FILE) for side in (old, new)):
        return f"# {name}: {_size(old)} before, {_size(new)} after (not text, or large)\n"
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _lines(content: bytes | None) -> list[str]:
    return content.decode("utf-8", errors="replace").splitlines(keepends=True) if content else []


def _size(content: bytes | None) -> str:
    return f"{len(content)} bytes" if content is not None else "absent"


def _files(registry: Registry, purl: str) -> dict[str, bytes]:
    """The source files of a package, without the top folder that names the version."""
    if purl.startswith("pkg:npm/"):
        archive = registry.fetch(purl, "npm")
    else:
        try:
            archive = registry.fetch(purl, "sdist")
        except NotFound:
            archive = registry.fetch(purl, "wheel")
    strips = archive.kind != "wheel"
    return {(name.partition("/")[2] or name) if strips else name: archive.read(name) for name in archive.names()}
