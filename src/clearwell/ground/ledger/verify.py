# SPDX-License-Identifier: Apache-2.0
"""Verify a ledger's files offline: signature, every entry, every tile, the root, and that an older checkpoint is a prefix."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from clearwell.ground.ledger import merkle
from clearwell.ground.ledger.merkle import HASH_SIZE, WIDTH, RightEdge, leaf_hash
from clearwell.ground.ledger.note import MAX_NOTE, Checkpoint, Note, VerificationKey, parse_checkpoint, parse_note, signers
from clearwell.ground.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    MAX_BUNDLE,
    decode_bundle,
    parse_path,
    read_bounded,
    tile_path,
    tile_width,
)
from clearwell.vocabulary.errors import Invalid, NotFound

MAX_PROBLEMS = 50
"""Problems that are told; verification stops there."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and in which file (relative to the ledger's folder)."""

    where: str
    what: str


class Report(msgspec.Struct, frozen=True):
    """The result. `status`: "verified" (consistent and signed by a given key), "consistent" (no key was given), "inconsistent".

    `signers` are the names of the given keys that signed; `unknown_signatures` counts lines by other keys, which nothing here
    checks. `ahead` are files beyond the checkpoint (a writer at work, or stopped): no signature covers them yet.
    """

    status: Literal["verified", "consistent", "inconsistent"]
    origin: str | None
    size: int | None
    root: str | None
    signers: tuple[str, ...]
    unknown_signatures: int
    since: int | None
    files: int
    problems: tuple[Problem, ...]
    ahead: tuple[str, ...]


class _EnoughError(Exception):
    """So many problems that the rest is not worth reading."""


class _Verification:
    def __init__(self, directory: Path, keys: Sequence[VerificationKey]) -> None:
        self.directory = directory
        self.keys = keys
        self.problems: list[Problem] = []
        self.ahead: list[str] = []
        self.signers: tuple[VerificationKey, ...] = ()
        self.unknown = 0
        self.files = 0

    def complain(self, where: str, what: str) -> None:
        self.problems.append(Problem(where, what))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _EnoughError

    def open(self, data: bytes, where: str) -> Checkpoint | None:
        """Read a checkpoint and check its signatures; None when it cannot be read."""
        try:
            note = parse_note(data)
            checkpoint = parse_checkpoint(note.text)
        except Invalid as reason:
            self.complain(where, str(reason))
            return None
        self._check_signatures(note, where)
        return checkpoint

    def _check_signatures(self, note: Note, where: str) -> None:
        self.signers, self.unknown = (), 0
        try:
            self.signers = signers(note, self.keys)
        except Invalid as reason:
            self.complain(where, str(reason))
            return
        self.unknown = len(note.signatures) - len(self.signers)
        if self.keys and not self.signers:
            names = ", ".join(dict.fromkeys(line.name for line in note.signatures))
            self.complain(where, f"is not signed by {' or '.join(key.name for key in self.keys)} with the key given, but by {names}")

    def read(self, level: int, index: int, width: int) -> bytes | None:
        """Return a tile that the tree needs, from the full file where that has replaced the partial one; None after complaining."""
        path, full = tile_path(level, index, width), tile_path(level, index)
        if width < WIDTH:
            if os.path.lexists(self.directory / path) and (data := self._load(path, level, width, is_needed=False)) is not None:
                return data
            if os.path.lexists(self.directory / full):
                return self._cut(full, level, width)
        return self._load(path, level, width)

    def _load(self, path: str, level: int, width: int, is_needed: bool = True) -> bytes | None:
        """Return a file's bytes when its length is right. One that is not needed may go away while a writer is at work."""
        try:
            data = _read_file(self.directory / path, MAX_BUNDLE if level == ENTRIES else WIDTH * HASH_SIZE)
        except FileNotFoundError:
            if is_needed:
                self.complain(path, "is missing")
            return None
        except Invalid as reason:
            self.complain(path, str(reason))
            return None
        self.files += 1
        if level != ENTRIES and len(data) != width * HASH_SIZE:
            self.complain(path, f"has {len(data)} bytes; {width} hashes are {width * HASH_SIZE}")
            return None
        return data

    def _cut(self, path: str, level: int, width: int) -> bytes | None:
        data = self._load(path, level, WIDTH)
        if data is None or level != ENTRIES:
            return None if data is None else data[: width * HASH_SIZE]
        entries = self._decode(path, data, WIDTH)
        return data[: sum(len(entry) + 2 for entry in entries[:width])] if entries else None

    def _decode(self, path: str, data: bytes, width: int) -> tuple[bytes, ...]:
        try:
            return decode_bundle(data, width)
        except Invalid as reason:
            self.complain(path, str(reason))
            return ()

    def tree(self, checkpoint: Checkpoint, since: Checkpoint | None) -> None:
        """Rebuild the tree from its entries, comparing every tile on the way, then both roots."""
        edge = RightEdge()
        for index in range(-(-checkpoint.size // WIDTH)):
            leaves = self._leaves(index, checkpoint.size)
            if not leaves:
                return self.complain(
                    tile_path(0, index, tile_width(0, index, checkpoint.size)), "stops the verification: no leaf can be read here"
                )
            if since is not None and index == since.size // WIDTH:
                self._check_since(edge, leaves[: since.size % WIDTH], since)
            for level, number, data in edge.extend(leaves):
                if level:
                    self._compare(level, number, WIDTH, data)
        if since is not None and since.size == checkpoint.size:
            self._check_since(edge, [], since)
        for level, hashes in enumerate(edge.levels):
            if level and hashes:
                self._compare(level, edge.size // WIDTH ** (level + 1), len(hashes), b"".join(hashes))
        if edge.root() != checkpoint.root:
            self.complain(CHECKPOINT, f"names another root than its {checkpoint.size} entries have: one of them was changed")
        return None

    def _leaves(self, index: int, size: int) -> list[bytes]:
        """Return the leaf hashes of a bundle, having compared them with its hash tile."""
        width = tile_width(ENTRIES, index, size)
        bundle, tile = self.read(ENTRIES, index, width), self.read(0, index, width)
        entries = self._decode(tile_path(ENTRIES, index, width), bundle, width) if bundle is not None else ()
        computed = [leaf_hash(entry) for entry in entries]
        stored = [tile[i : i + HASH_SIZE] for i in range(0, len(tile), HASH_SIZE)] if tile else []
        if computed and stored and computed != stored:
            wrong = [index * WIDTH + i for i in range(width) if computed[i] != stored[i]]
            told = ", ".join(map(str, wrong[:5])) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            self.complain(
                tile_path(ENTRIES, index, width),
                f"does not fit its hashes in {tile_path(0, index, width)}: one of them was changed at entry {told}",
            )
        return computed or stored

    def _compare(self, level: int, index: int, width: int, expected: bytes) -> None:
        found = self.read(level, index, width)
        if found is not None and found != expected:
            wrong = next(
                i for i in range(width) if found[i * HASH_SIZE : (i + 1) * HASH_SIZE] != expected[i * HASH_SIZE : (i + 1) * HASH_SIZE]
            )
            self.complain(tile_path(level, index, width), f"does not follow from the tiles below it: hash {wrong} differs")

    def _check_since(self, edge: RightEdge, rest: Sequence[bytes], since: Checkpoint) -> None:
        older = edge.copy()
        older.extend(rest)
        if older.root() != since.root:
            self.complain("--since", f"names another root than the first {since.size} entries have: history was rewritten")

    def others(self, size: int) -> None:
        """Look at every further file below tile/: an older partial tile must be a prefix; nothing else may be there."""
        for path, is_regular in _files(self.directory):
            parsed = parse_path(path)
            if parsed is None or not is_regular:
                self.complain(path, "is not a file of this ledger")
                continue
            level, index, width = parsed
            needed = tile_width(level, index, size)
            if needed == width:
                continue
            if width > needed:
                self.ahead.append(path)
            if (data := self._load(path, level, width, is_needed=False)) is not None:
                self._check_prefix(path, level, index, (width, needed), data)

    def _check_prefix(self, path: str, level: int, index: int, widths: tuple[int, int], data: bytes) -> None:
        width, needed = widths
        entries = self._decode(path, data, width) if level == ENTRIES else ()
        if level == ENTRIES and not entries:
            return
        shared = min(width, needed)
        length = sum(len(entry) + 2 for entry in entries[:shared]) if level == ENTRIES else shared * HASH_SIZE
        if shared:
            current = self.read(level, index, needed)
            if current is not None and current[:length] != data[:length]:
                self.complain(path, f"differs from {tile_path(level, index, needed)}, which holds the same entries")
        if level == ENTRIES and width > needed:
            hashes = self._load(tile_path(0, index, width), 0, width, is_needed=False)
            if hashes is not None and b"".join(map(leaf_hash, entries)) != hashes:
                self.complain(path, f"does not fit its hashes in {tile_path(0, index, width)}")


def verify(directory: Path, vkeys: Sequence[VerificationKey] = (), since: bytes | None = None) -> Report:
    """Verify the ledger in `directory`; `since` is an older checkpoint (a signed note) that must be its prefix.

    With several keys one must have signed, and none may have signed wrongly. Raises NotFound without the folder, and Invalid when
    `since` is no checkpoint; whatever is wrong with the ledger itself is a problem of the report.
    """
    if not directory.is_dir():
        raise NotFound(f"there is no folder {directory}")
    older = parse_checkpoint(parse_note(since).text) if since is not None else None
    run = _Verification(directory, vkeys)
    checkpoint: Checkpoint | None = None
    try:
        if since is not None:
            run.open(since, "--since")
        checkpoint = _read_checkpoint(run)
        if checkpoint is not None:
            _check_heads(run, checkpoint, older)
            run.tree(checkpoint, older if older is not None and older.size <= checkpoint.size else None)
            run.others(checkpoint.size)
    except _EnoughError:
        run.problems.append(Problem(".", f"more is wrong: only the first {MAX_PROBLEMS} problems are told"))
    return Report(
        status="inconsistent" if run.problems else "verified" if vkeys else "consistent",
        origin=checkpoint.origin if checkpoint else None,
        size=checkpoint.size if checkpoint else None,
        root=checkpoint.root.hex() if checkpoint else None,
        signers=tuple(key.name for key in run.signers),
        unknown_signatures=run.unknown,
        since=older.size if older else None,
        files=run.files,
        problems=tuple(run.problems),
        ahead=tuple(run.ahead),
    )


def _read_checkpoint(run: _Verification) -> Checkpoint | None:
    path = run.directory / CHECKPOINT
    try:
        data = _read_file(path, MAX_NOTE)
    except FileNotFoundError:
        run.complain(CHECKPOINT, "is missing: this is no ledger, or nothing was published yet")
        return None
    except Invalid as reason:
        run.complain(CHECKPOINT, str(reason))
        return None
    run.files += 1
    return run.open(data, CHECKPOINT)


def _check_heads(run: _Verification, checkpoint: Checkpoint, older: Checkpoint | None) -> None:
    if checkpoint.size == 0 and checkpoint.root != merkle.EMPTY_ROOT:
        run.complain(CHECKPOINT, "names a root for an empty tree that an empty tree does not have")
    if older is None:
        return
    if older.origin != checkpoint.origin:
        run.complain("--since", f"is of another log: {older.origin}")
    if older.size > checkpoint.size:
        run.complain("--since", f"covers {older.size} entries; the ledger has only {checkpoint.size}: entries were removed")


def _read_file(path: Path, limit: int) -> bytes:
    """Return a regular file's bytes; raise FileNotFoundError, or Invalid with what is wrong."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Invalid("is not a regular file")
        return read_bounded(path, limit)
    except FileNotFoundError:
        raise
    except OSError as reason:
        raise Invalid(f"cannot be read: {reason.strerror}") from None


def _files(directory: Path) -> Iterator[tuple[str, bool]]:
    """Yield every file, link or device below tile/ with whether it is a regular file, following no link."""
    folders = ["tile"]
    while folders:
        folder = folders.pop()
        try:
            found = sorted(os.scandir(directory / folder), key=lambda item: item.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for item in found:
            path = f"{folder}/{item.name}"
            if item.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                yield path, item.is_file(follow_symlinks=False)
