# SPDX-License-Identifier: Apache-2.0
"""Unified diffs applied strictly, without fuzz, and never outside the tree. Standard library only: `main` runs in the box."""

import os
import re
import sys
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from clearwell.vocabulary.errors import Invalid

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
PATCH_MAX = 4 << 20
_BINARY = (b"GIT binary patch", b"Binary files ")
_BEYOND_TEXT = (
    b"rename ",
    b"copy ",
    *(b"%s mode 1%s0" % (which, kind) for which in (b"new file", b"new", b"old") for kind in (b"2", b"6")),
)
"""What git's own headers say of renames, links and submodules; in the words of a commit these mean nothing."""


class _Hunk(NamedTuple):
    start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


class FilePatch(NamedTuple):
    """What a diff does to one file. `old` is None for a new file, `new` for a deleted one."""

    old: str | None
    new: str | None
    hunks: tuple[_Hunk, ...]

    @property
    def name(self) -> str:
        """The file's name in the diff, with the leading folder that `patch -p1` drops."""
        return self.new or self.old or "?"

    @property
    def removed(self) -> tuple[bytes, ...]:
        """Lines that only the old file has, in order."""
        return tuple(line for hunk in self.hunks for line in _only(hunk.old, hunk.new))

    @property
    def added(self) -> tuple[bytes, ...]:
        """Lines that only the new file has, in order."""
        return tuple(line for hunk in self.hunks for line in _only(hunk.new, hunk.old))


def _only(mine: tuple[bytes, ...], theirs: tuple[bytes, ...]) -> list[bytes]:
    """Lines of one side that the other lacks, counted: a line that moved is no change."""
    left: dict[bytes, int] = {}
    for line in theirs:
        left[line] = left.get(line, 0) + 1
    found = []
    for line in mine:
        if left.get(line, 0):
            left[line] -= 1
        else:
            found.append(line)
    return found


def parse(diff: bytes) -> tuple[FilePatch, ...]:
    """Read a unified diff (git's extensions allowed where they are text); raise Invalid with the line number."""
    if len(diff) > PATCH_MAX:
        raise Invalid(f"the patch is larger than {PATCH_MAX >> 20} MB")
    lines = diff.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    found, number, is_header = [], 0, False
    while number < len(lines):
        line = lines[number]
        is_header = is_header or line.startswith(b"diff --git ")
        if line.startswith(_BINARY) or (is_header and line.startswith(_BEYOND_TEXT)):
            said = "binary changes, renames, links and submodules are not applied; write a plain text diff"
            raise Invalid(f"the patch, line {number + 1}: {said}")
        if line.startswith(b"--- ") and number + 1 < len(lines) and lines[number + 1].startswith(b"+++ "):
            old, new = _name(line[4:]), _name(lines[number + 1][4:])
            number, hunks = _hunks(lines, number + 2)
            if not hunks:
                raise Invalid(f"the patch, line {number}: no hunk follows the file names")
            found.append(FilePatch(old, new, hunks))
            is_header = False
        else:
            number += 1
    if not found:
        raise Invalid("the patch changes nothing: it holds no `---`/`+++` pair with hunks")
    return tuple(found)


def apply(diff: bytes, files: dict[str, bytes]) -> dict[str, bytes | None]:
    """Return the changed files (None: deleted) of a tree given as name -> bytes; raise Invalid when a hunk does not fit exactly once.

    One leading folder (`a/`, `b/`) is dropped where that names a file, as `patch -p1` does; otherwise names are taken as they are.
    """
    changed: dict[str, bytes | None] = {}
    for part in parse(diff):
        source = _source(part, files, changed)
        target = source if part.new is not None and source is not None else _place(part.new, files, changed, is_new=True)
        content = _current(source, files, changed)
        if source is None and target is not None and _current(target, files, changed):
            raise Invalid(f"the patch creates {target!r}, which already exists")
        patched = _patched(content, part.hunks, source or target or "?")
        if part.new is None and source is not None:
            if patched:
                raise Invalid(f"the patch deletes {source!r}, but not all of it")
            changed[source] = None
        elif target is not None:
            changed[target] = patched
    return changed


def _source(part: FilePatch, files: dict[str, bytes], changed: dict[str, bytes | None]) -> str | None:
    """The file that is changed: by its old name or, where nothing is called that (`diff -u a.c.orig a.c`), its new one, as in `patch`."""
    if part.old is None:
        return None
    try:
        return _place(part.old, files, changed)
    except Invalid:
        place = _place(part.new, files, changed, is_new=True)
        if place is None or (place not in files and changed.get(place) is None):
            raise
        return place


def _current(name: str | None, files: dict[str, bytes], changed: dict[str, bytes | None]) -> bytes:
    if name is None:
        return b""
    return (changed[name] if name in changed else files.get(name)) or b""


def _name(field: bytes) -> str | None:
    name = field.split(b"\t")[0].rstrip(b"\r").strip()
    if name == b"/dev/null":
        return None
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("the patch names a file that is not UTF-8") from error
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not text.isprintable() or '"' in text or not text:
        raise Invalid(f"the patch names a file outside the tree: {text[:120]!r}")
    return str(path)


def _place(name: str | None, files: dict[str, bytes], changed: dict[str, bytes | None], *, is_new: bool = False) -> str | None:
    if name is None:
        return None
    stripped = name.partition("/")[2]
    for candidate in (stripped, name):
        if candidate and (candidate in files or changed.get(candidate) is not None):
            return candidate
    if is_new:
        return stripped or name
    raise Invalid(f"the patch changes {name!r}, which the source does not have")


def _hunks(lines: list[bytes], number: int) -> tuple[int, tuple[_Hunk, ...]]:
    hunks = []
    while number < len(lines) and lines[number].startswith(b"@@ "):
        head = _HUNK.match(lines[number].decode("latin-1"))
        if head is None:
            raise Invalid(f"the patch, line {number + 1}: this is not the head of a hunk")
        old_count, new_count = int(head[2] or 1), int(head[4] or 1)
        number += 1
        old: list[bytes] = []
        new: list[bytes] = []
        while len(old) < old_count or len(new) < new_count:
            if number >= len(lines):
                raise Invalid("the patch ends in the middle of a hunk")
            mark, text = lines[number][:1], lines[number][1:] + b"\n"
            if mark in (b" ", b""):
                old.append(text)
                new.append(text)
            elif mark == b"-":
                old.append(text)
            elif mark == b"+":
                new.append(text)
            elif mark != b"\\":
                raise Invalid(f"the patch, line {number + 1}: expected a line that begins with a blank, + or -")
            if mark == b"\\":
                _cut_newline(old, new, lines[number - 1][:1])
            number += 1
        if number < len(lines) and lines[number].startswith(b"\\"):
            _cut_newline(old, new, lines[number - 1][:1])
            number += 1
        hunks.append(_Hunk(int(head[1]), tuple(old), tuple(new)))
    return number, tuple(hunks)


def _cut_newline(old: list[bytes], new: list[bytes], mark: bytes) -> None:
    for side in [old] if mark == b"-" else [new] if mark == b"+" else [old, new]:
        if side:
            side[-1] = side[-1].rstrip(b"\n")


def _patched(content: bytes, hunks: tuple[_Hunk, ...], name: str) -> bytes:
    lines = content.splitlines(keepends=True) if b"\r" not in content else [line + b"\n" for line in content.split(b"\n")]
    if b"\r" in content:  # splitlines would also break at lone carriage returns
        lines[-1] = lines[-1][:-1]
        if lines[-1] == b"":
            lines.pop()
    shift = 0
    for hunk in hunks:
        wanted = max(0, hunk.start - 1 if hunk.old else hunk.start) + shift
        place = _find(lines, hunk.old, wanted)
        if place is None:
            raise Invalid(f"the patch does not apply to {name!r}: the lines of the hunk at {hunk.start} are not there")
        lines[place : place + len(hunk.old)] = hunk.new
        shift = place - max(0, hunk.start - 1 if hunk.old else hunk.start) + len(hunk.new) - len(hunk.old)
    return b"".join(lines)


def _find(lines: list[bytes], old: tuple[bytes, ...], wanted: int) -> int | None:
    if not old:
        return min(wanted, len(lines))
    for distance in range(min(len(lines), 2000) + 1):
        for place in {wanted - distance, wanted + distance}:
            if 0 <= place <= len(lines) - len(old) and tuple(lines[place : place + len(old)]) == old:
                return place
    return None


def main(tree: str, root: str, patch: str, into: str) -> int:
    """Apply a patch to a tree, in the box: write the changed files beneath `into`/files and the names of deleted ones to `into`/deleted.

    Names are taken beneath the tree, else beneath its folder `root`: projects diff from their top, people from where they stand. A patch
    that only adds files fits everywhere: it goes where more of its files' folders exist, and beneath `root` where that tells nothing.
    Returns 0; or 3 after printing why the patch does not apply.
    """
    diff = Path(patch).read_bytes()
    first = ""
    for base in _bases(diff, Path(tree), root):
        beneath = _files(Path(tree) / base)
        try:
            changed = apply(diff, beneath)
        except Invalid as error:
            first = first or str(error)
            continue
        deleted = []
        for name, content in changed.items():
            if content is None:
                deleted.append(base + name)
                continue
            place = Path(into) / "files" / base / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        (Path(into) / "deleted").write_bytes("\0".join(deleted).encode())
        return 0
    sys.stdout.write(first)
    return 3


def _bases(diff: bytes, tree: Path, root: str) -> list[str]:
    """Where the names of a patch may begin, the likeliest first."""
    bases = list(dict.fromkeys(("", "" if root == "." else root + "/")))
    try:
        parts = parse(diff)
    except Invalid:
        return bases  # `apply` says why
    if any(part.old is not None for part in parts):
        return bases
    folders = [PurePosixPath(part.name.partition("/")[2] or part.name).parent for part in parts]
    bases.reverse()
    return sorted(bases, key=lambda base: -sum(_standing(tree / base, folder) for folder in folders))


def _standing(base: Path, folder: PurePosixPath) -> int:
    """How many of a folder's leading parts exist beneath a base."""
    return sum((base / parent).is_dir() for parent in (folder, *folder.parents) if parent.parts)


def _files(base: Path) -> dict[str, bytes]:
    found = {}
    for place, _, names in os.walk(base):
        for name in names:
            path = Path(place) / name
            found[path.relative_to(base).as_posix()] = path.read_bytes()
    return found
