# SPDX-License-Identifier: Apache-2.0
"""Reading archives that strangers made: every name is checked before a byte is written, and no link is ever made.

Refused: absolute and parent paths, links, devices, duplicate names, names that differ only by case or by how their letters are composed,
bombs. Nothing is executed.
Standard library and the error tree only: the box's own interpreter runs this file (unboxing.py).
"""

import contextlib
import io
import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from clearwell.vocabulary.errors import Invalid, NotFound

_HEADER_MAX = 1 << 20


@dataclass(frozen=True)
class Bounds:
    """How much an archive may hold, in files and in bytes after unpacking."""

    files: int = 60_000
    total_bytes: int = 768 << 20
    file_bytes: int = 256 << 20
    name_length: int = 400


@dataclass(frozen=True)
class Member:
    """A regular file of an archive: its name with forward slashes, beneath the top, and whether it may be executed."""

    name: str
    content: bytes
    is_executable: bool


def members(archive: Path, kind: str, bounds: Bounds = Bounds()) -> Iterator[Member]:
    """Yield each regular file; raise Invalid, naming the entry, for anything that this module refuses.

    `kind` is the file's name or its end (`.whl`, `.zip`, `.tar.gz`, `.tgz`, `.tar.bz2`, `.tar.xz`, `.tar`).
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    total = 0
    reader = _zip_members(archive, bounds) if kind.endswith((".whl", ".zip")) else _tar_members(archive, bounds)
    try:
        for member in reader:
            _check_unique(member.name, seen, folders)
            total += len(member.content)
            if total > bounds.total_bytes:
                raise Invalid(f"the archive unpacks to more than {bounds.total_bytes >> 20} MB; it looks like a bomb")
            if len(seen) > bounds.files:
                raise Invalid(f"the archive holds more than {bounds.files:,} files; it looks like a bomb")
            yield member
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,  # numbers of an extended header that are none
    ) as error:
        raise Invalid(f"the archive cannot be read: {error}") from error


def unpack(archive: Path, kind: str, into: Path, *, strip: bool, bounds: Bounds = Bounds()) -> None:
    """Write every file beneath `into`, which must be new and empty; with `strip`, without the one folder at the top.

    Modes are 0644 or 0755, whatever the archive says. Raises Invalid; what was written by then must be thrown away.
    """
    write(members(archive, kind, bounds), into, strip=strip)


def write(found: Iterable[Member], into: Path, *, strip: bool) -> None:
    """Write files beneath `into`, as `unpack` does."""
    into.mkdir(parents=True, exist_ok=True)
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for member in found:
        name = member.name
        if strip:
            _, _, name = name.partition("/")
            if not name:
                continue  # a file beside the top folder, such as a package's stray metadata
            _check_unique(name, seen, folders)  # two top folders become one
        place = into / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(member.content)
        except OSError as error:
            raise Invalid(f"the archive's entry {name!r} cannot be written: {error.strerror}") from error
        place.chmod(0o755 if member.is_executable else 0o644)
    for folder in [into, *into.rglob("*")]:
        if folder.is_dir():
            folder.chmod(0o755)


def names(archive: Path, kind: str) -> tuple[str, ...]:
    """Return the names of the archive's files, in its order."""
    return tuple(member.name for member in members(archive, kind))


def read(archive: Path, kind: str, name: str) -> bytes:
    """Return one file's bytes; raise NotFound when the archive has none of that name."""
    for member in members(archive, kind):
        if member.name == name:
            return member.content
    raise NotFound(f"the archive has no file {name!r}")


def checked_name(name: str, length: int = 400) -> str:
    """Return a relative name in one spelling; raise Invalid for absolute, parent, over-long or control-character names."""
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        raise Invalid(f"the archive holds an absolute path: {name[:120]!r}")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise Invalid(f"the archive holds a path that climbs out: {name[:120]!r}")
    if not parts or len(name) > length or any(len(part.encode("utf-8", "replace")) > 250 for part in parts):
        raise Invalid(f"the archive holds a name that is empty or too long: {name[:120]!r}")
    if any(ord(c) < 32 or ord(c) == 127 for c in name) or "\\" in name:
        raise Invalid(f"the archive holds a name with control characters or backslashes: {name[:120]!r}")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid(f"the archive holds a name that is not text: {name[:120]!r}") from error
    return "/".join(parts)


def _check_unique(name: str, seen: dict[str, str], folders: dict[str, str]) -> None:
    key = _plain(name)
    if key in seen:
        what = "twice" if seen[key] == name else f"beside {seen[key]!r}, which differs only by case or composition"
        raise Invalid(f"the archive holds {name!r} {what}")
    if key in folders:
        raise Invalid(f"the archive holds {name!r} as a file and as a folder")
    seen[key] = name
    parts = name.split("/")[:-1]
    for count in range(len(parts), 0, -1):
        folder = "/".join(parts[:count])
        low = _plain(folder)
        if low in seen:
            raise Invalid(f"the archive holds {folder!r} as a file and as a folder")
        known = folders.setdefault(low, folder)
        if known != folder:
            raise Invalid(f"the archive holds the folder {folder!r} beside {known!r}, which differs only by case or composition")


def _plain(name: str) -> str:
    """One spelling of all names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class _Info(tarfile.TarInfo):
    """A header whose extended parts are bounded: tarfile would read a pax header of any size into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) and self.size > _HEADER_MAX:
            raise tarfile.ReadError("a header is too large")
        return cast(tarfile.TarInfo, super()._proc_member(archive))  # type: ignore[misc]  # not in the stubs


class _Bounded(io.RawIOBase):
    """A decompressed stream that ends with an error past a number of bytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__()
        self._stream, self._left = stream, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise Invalid("the archive unpacks to more than is allowed; it looks like a bomb")
        return data


def _tar_members(archive: Path, bounds: Bounds) -> Iterator[Member]:
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(archive.open("rb"))
        stream = stack.enter_context(_decompressed(raw))
        bounded = cast(IO[bytes], _Bounded(stream, bounds.total_bytes + (bounds.files << 11)))
        opened = stack.enter_context(tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Info, errors="surrogateescape"))
        for count, info in enumerate(opened):
            opened.members = []  # type: ignore[attr-defined]  # tarfile keeps every header otherwise; not in the stubs
            if count > 2 * bounds.files:
                raise Invalid(f"the archive holds more than {bounds.files:,} entries; it looks like a bomb")
            if info.isdir() and info.name.strip("./") == "":
                continue
            name = checked_name(info.name, bounds.name_length)
            if info.isdir():
                continue
            if info.issym() or info.islnk():
                raise Invalid(f"the archive holds a link: {name!r} to {info.linkname[:120]!r}")
            if not info.isreg():
                raise Invalid(f"the archive holds a device or another special file: {name!r}")
            _check_size(info, name)
            if info.size > bounds.file_bytes:
                raise Invalid(f"the archive's file {name!r} is larger than {bounds.file_bytes >> 20} MB")
            content = opened.extractfile(info)
            assert content is not None
            yield Member(name, content.read(), bool(info.mode & 0o111))


def _check_size(info: tarfile.TarInfo, name: str) -> None:
    """Refuse a size below zero, or an extended header's that is no number: tarfile reads an empty file there, other readers do not."""
    told = info.pax_headers.get("size", "0")
    if info.size < 0 or not (told.isascii() and told.isdigit()):
        raise Invalid(f"the archive's file {name!r} has a size that is none: {told[:40] if info.size >= 0 else info.size!r}")


def _decompressed(raw: IO[bytes]) -> IO[bytes]:
    import bz2  # noqa: PLC0415 - three codecs, one of which is needed
    import gzip  # noqa: PLC0415

    head = raw.read(6)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if head.startswith(b"BZh"):
        return cast(IO[bytes], bz2.BZ2File(raw))
    if head.startswith(b"\xfd7zXZ\x00"):
        return cast(IO[bytes], lzma.LZMAFile(raw))
    return raw


def _zip_members(archive: Path, bounds: Bounds) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        infos = opened.infolist()
        if len(infos) > 2 * bounds.files:
            raise Invalid(f"the archive holds more than {bounds.files:,} entries; it looks like a bomb")
        if sum(info.file_size for info in infos) > bounds.total_bytes:
            raise Invalid(f"the archive unpacks to more than {bounds.total_bytes >> 20} MB; it looks like a bomb")
        for info in infos:
            # ZipInfo cuts a name at a NUL; compare with what the directory really held.
            name = checked_name(info.orig_filename, bounds.name_length)
            mode = info.external_attr >> 16
            if info.is_dir():
                continue
            if stat.S_ISLNK(mode):
                raise Invalid(f"the archive holds a link: {name!r}")
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise Invalid(f"the archive holds a device or another special file: {name!r}")
            if info.file_size > bounds.file_bytes:
                raise Invalid(f"the archive's file {name!r} is larger than {bounds.file_bytes >> 20} MB")
            with opened.open(info) as content:
                data = content.read(info.file_size + 1)
            if len(data) > info.file_size:
                raise Invalid(f"the archive's file {name!r} is longer than its header says; it looks like a bomb")
            yield Member(name, data, bool(mode & 0o111))
