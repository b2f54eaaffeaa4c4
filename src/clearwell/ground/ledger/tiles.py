# SPDX-License-Identifier: Apache-2.0
"""A Merkle log as static files (C2SP tlog-tiles): hash tiles, entry bundles and a checkpoint, written so that a crash loses nothing."""

import os
import re
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from clearwell.ground.ledger import merkle
from clearwell.ground.ledger.merkle import EMPTY_ROOT, HASH_SIZE, WIDTH, RightEdge, leaf_hash
from clearwell.ground.ledger.note import MAX_NOTE, Checkpoint, parse_checkpoint, parse_note
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound

CHECKPOINT = "checkpoint"
ENTRIES = -1
"""The "level" of entry bundles in `tile_path` and `parse_path`."""

MAX_ENTRY = 0xFFFF
"""Bytes in an entry: bundles have 16-bit lengths."""

MAX_BUNDLE = WIDTH * (MAX_ENTRY + 2)
_TEMPORARY = ".tmp"
_PATH = re.compile(r"tile/(?P<level>entries|[1-5]?[0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?")


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return `tile/<L>/<N>[.p/<W>]`, for example `tile/0/x001/x234/067.p/8`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    name = "entries" if level == ENTRIES else str(level)
    return f"tile/{name}/{'/'.join(reversed(groups))}" + (f".p/{width}" if width < WIDTH else "")


def parse_path(path: str) -> tuple[int, int, int] | None:
    """Return (level, index, width) of a tile's path, None when it is not the one spelling of any."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    width = int(match["width"] or WIDTH)
    return (level, index, width) if tile_path(level, index, width) == path else None


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes (or entries) of a tree of `size` that tile holds, 0 to 256."""
    held = size if level == ENTRIES else size // WIDTH**level
    return max(0, min(WIDTH, held - index * WIDTH))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as big-endian uint16 length-prefixed records."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return exactly `width` entries; raise Invalid when bytes are missing or left over."""
    entries: list[bytes] = []
    position = 0
    while len(entries) < width:
        if position + 2 > len(data):
            raise Invalid(f"ends after {len(entries)} of {width} entries")
        length = data[position] << 8 | data[position + 1]
        entry = data[position + 2 : position + 2 + length]
        if len(entry) < length:
            raise Invalid(f"ends within entry {len(entries)} of {width}")
        entries.append(entry)
        position += 2 + length
    if position != len(data):
        raise Invalid(f"has {len(data) - position} bytes after its {width} entries")
    return tuple(entries)


class TileReader:
    """A log's files as of one tree size. Reads a partial tile, or the full one that has replaced it."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory = directory
        self.size = size

    def read(self, level: int, index: int) -> bytes:
        """Return a tile's or bundle's bytes, cut to this size's width; raise NotFound or Invalid."""
        width = tile_width(level, index, self.size)
        for candidate in dict.fromkeys((width, WIDTH)):
            path = self.directory / tile_path(level, index, candidate)
            if path.is_file():
                data = read_bounded(path, MAX_BUNDLE if level == ENTRIES else WIDTH * HASH_SIZE)
                return _cut(data, level, candidate, width)
        raise NotFound(f"{tile_path(level, index, width)} is missing from the ledger")

    def hashes(self, level: int, index: int) -> list[bytes]:
        """Return a tile's hashes."""
        data = self.read(level, index)
        return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of a complete subtree (merkle.Node)."""
        level, rise = divmod(height, 8)
        tile, offset = divmod(index << rise, WIDTH)
        return merkle.root_of(self.hashes(level, tile)[offset : offset + (1 << rise)])

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) from `start` up to `stop` (default: this size), one bundle in memory at a time."""
        stop = self.size if stop is None else min(stop, self.size)
        for bundle in range(start // WIDTH, -(-stop // WIDTH)):
            entries = decode_bundle(self.read(ENTRIES, bundle), tile_width(ENTRIES, bundle, self.size))
            for index, entry in enumerate(entries, bundle * WIDTH):
                if start <= index < stop:
                    yield index, entry

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Prove that the entry at `index` is in the tree of `size` (default: this one; RFC 6962, 2.1.1); raise NotFound."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise NotFound(f"the ledger has no entry {index} of {size}: it has {self.size} entries")
        return merkle.inclusion_proof(index, size, self.node)

    def consistency(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """Prove that the tree of size `old` is a prefix of that of `new` (default: this one; RFC 6962, 2.1.2); raise NotFound."""
        new = self.size if new is None else new
        if not 0 <= old <= new <= self.size:
            raise NotFound(f"the ledger has no sizes {old} and {new}: it has {self.size} entries")
        return merkle.consistency_proof(old, new, self.node)

    def edge(self) -> RightEdge:
        """Return the tree's incomplete tiles, from which it can grow."""
        levels: list[list[bytes]] = []
        while held := self.size // WIDTH ** len(levels):
            level = len(levels)
            levels.append(self.hashes(level, held // WIDTH) if held % WIDTH else [])
        return RightEdge(levels)


def _cut(data: bytes, level: int, held: int, width: int) -> bytes:
    if level == ENTRIES:
        return data if held == width else encode_bundle(decode_bundle(data, held)[:width])
    if len(data) != held * HASH_SIZE:
        raise Invalid(f"has {len(data)} bytes instead of {held * HASH_SIZE}")
    return data[: width * HASH_SIZE]


def read_bounded(path: Path, limit: int) -> bytes:
    """Return a regular file's bytes; raise Invalid when it is longer than `limit`."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Invalid(f"{path.name} has more than {limit:,} bytes")
    return data


class TileLog:
    """The writer of a log in `directory`. One at a time: the caller sees to that (the sequencer holds a database lock).

    It starts from the published checkpoint. What a crash left beyond it is written again, with the same bytes when the same
    entries come again; nothing that a checkpoint covers is ever changed.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._clear_temporary()
        self.published = read_checkpoint(directory)
        size = self.published.size if self.published else 0
        reader = TileReader(directory, size)
        self._edge = reader.edge()
        self._bundle = reader.read(ENTRIES, size // WIDTH) if size % WIDTH else b""
        self._filled: list[tuple[int, int]] = []
        self._has_leftovers = True
        self._check_start(size)

    @property
    def size(self) -> int:
        """Entries appended, whether or not a checkpoint covers them yet."""
        return self._edge.size

    def root(self) -> bytes:
        """The Merkle tree hash at `size`."""
        return self._edge.root()

    def reader(self) -> TileReader:
        """Everything appended so far, for proofs and reading."""
        return TileReader(self.directory, self.size)

    def append(self, entries: Sequence[bytes]) -> int:
        """Write entries (at most 65,535 bytes each) durably and return the new size; raise Invalid before anything is written.

        The published checkpoint does not cover them until `publish`.
        """
        if any(len(entry) > MAX_ENTRY for entry in entries):
            raise Invalid(f"a ledger entry has at most {MAX_ENTRY:,} bytes")
        if not entries:
            return self.size
        if self._has_leftovers:
            self._remove_uncovered()
        old, edge, files = self.size, self._edge.copy(), {}
        new = old + len(entries)
        full = edge.extend([leaf_hash(entry) for entry in entries])
        for level, index, data in full:
            files[tile_path(level, index)] = data
        for level, hashes in enumerate(edge.levels):
            if hashes and old // WIDTH**level != new // WIDTH**level:
                files[tile_path(level, new // WIDTH ** (level + 1), len(hashes))] = b"".join(hashes)
        bundle, taken = self._bundle, 0
        for index in range(old // WIDTH, -(-new // WIDTH)):
            width = tile_width(ENTRIES, index, new)
            upto = index * WIDTH + width - old
            bundle += encode_bundle(entries[taken:upto])
            files[tile_path(ENTRIES, index, width)] = bundle
            if width == WIDTH:
                self._filled.append((ENTRIES, index))
                bundle = b""
            taken = upto
        self._write(files)
        self._edge, self._bundle = edge, bundle
        self._filled += [(level, index) for level, index, _ in full]
        return new

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint by a signed note over the present size and root; raise Conflict when it is over anything else.

        Partial tiles that full ones have replaced are removed afterwards (tlog-tiles allows it).
        """
        head = parse_checkpoint(parse_note(checkpoint).text)
        if (head.size, head.root) != (self.size, self.root()):
            raise Conflict(f"this checkpoint is not over the ledger's {self.size} entries and their root")
        self._write({CHECKPOINT: checkpoint})
        self.published = head
        for level, index in self._filled:
            self._remove_partials(level, index)
        self._filled = []

    def _check_start(self, size: int) -> None:
        root = self.published.root if self.published else EMPTY_ROOT
        if self._edge.root() != root:
            raise Conflict("the ledger's tiles do not give its checkpoint's root: run `clearwell ledger verify`, restore from a backup")
        leaves = [leaf_hash(entry) for entry in decode_bundle(self._bundle, size % WIDTH)]
        if leaves and leaves != self._edge.levels[0]:
            raise Conflict("the ledger's last entry bundle does not fit its hashes: run `clearwell ledger verify`, restore from a backup")

    def _write(self, files: dict[str, bytes]) -> None:
        """Write each file beside its place, flush it, move it; then flush the folders, so that the names survive too."""
        temporary = self.directory / _TEMPORARY
        temporary.mkdir(exist_ok=True)
        folders: dict[Path, None] = {}
        for path, data in files.items():
            target = self.directory / path
            _make_folder(target.parent, folders)
            with tempfile.NamedTemporaryFile(dir=temporary, delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(target)
            folders[target.parent] = None
        for folder in folders:
            _flush_folder(folder)

    def _clear_temporary(self) -> None:
        temporary = self.directory / _TEMPORARY
        if temporary.is_dir():
            for left in temporary.iterdir():
                left.unlink()

    def _remove_uncovered(self) -> None:
        """Remove what a crash left beyond the checkpoint, before the first append: other entries may come now."""
        size = self.size
        for level in range(ENTRIES, 8):
            index = size // WIDTH ** (max(level, 0) + 1)
            width = tile_width(level, index, size)
            self._remove_partials(level, index, above=width)
            while (full := self.directory / tile_path(level, index)).exists():
                full.unlink()
                index += 1
                self._remove_partials(level, index)
        self._has_leftovers = False

    def _remove_partials(self, level: int, index: int, above: int = 0) -> None:
        folder = self.directory / (tile_path(level, index) + ".p")
        if folder.is_dir():
            for partial in folder.iterdir():
                if int(partial.name) > above:
                    partial.unlink()
            if above == 0:
                folder.rmdir()


def read_checkpoint(directory: Path) -> Checkpoint | None:
    """Return the published checkpoint, its signatures unchecked; None when nothing was published; raise Invalid."""
    path = directory / CHECKPOINT
    if not path.exists():
        return None
    return parse_checkpoint(parse_note(read_bounded(path, MAX_NOTE)).text)


def _make_folder(folder: Path, flush: dict[Path, None]) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent, flush)
        folder.mkdir(exist_ok=True)
        flush[folder.parent] = None


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there; the file system's journal keeps their order
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
