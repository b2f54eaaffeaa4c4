# SPDX-License-Identifier: Apache-2.0
"""The difference between the flawed and the fixed source, as a unified diff that two people read before it is distributed."""

import difflib
from collections import Counter

from clearwell.proving.archives import Registry
from clearwell.proving.parts import members
from clearwell.vocabulary.errors import NotFound

_LIMIT = 4 * 1024 * 1024
_FILE = 512 * 1024
_PAIRS = 2_000_000


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
    before, after = _lines(old), _lines(new)
    if _pairs(before, after) > _PAIRS:
        return _replaced(name, before, after)
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _pairs(before: list[str], after: list[str]) -> int:
    """How many pairs of equal lines there are: what difflib's time grows with, again for every block that differs."""
    counts = Counter(after)
    return sum(counts[line] for line in before)


def _replaced(name: str, before: list[str], after: list[str]) -> str:
    """The whole file taken out and put in again: long, but true, and written in linear time (a fix may come from who means harm)."""
    head = f"# {name}: too many equal lines to compare; shown whole\n--- a/{name}\n+++ b/{name}\n"
    head += f"@@ -{min(1, len(before))},{len(before)} +{min(1, len(after))},{len(after)} @@\n"
    return head + "".join(f"{mark}{line.rstrip(chr(10))}\n" for mark, lines in (("-", before), ("+", after)) for line in lines)


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
    every = members(archive.path, archive.filename)
    return {(member.name.partition("/")[2] or member.name) if strips else member.name: member.content for member in every}
