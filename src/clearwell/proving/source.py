# SPDX-License-Identifier: Apache-2.0
"""Source trees: what an archive or a git bundle holds, read within bounds and hashed as builds know it. Nothing is executed or written."""

import hashlib
import io
import json
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from clearwell.proving import parts, unboxing
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.scratch import scratch
from clearwell.proving.unpack import Member
from clearwell.vocabulary.errors import Invalid

READ_BYTES = 256 << 20
"""Bytes of files that are kept in memory; a larger tree is not looked into."""
_FILE_BYTES = 4 << 20
_ENDS = (parts.END, ".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_KINDS = ((b"PK\x03\x04", ".zip"), (b"\x1f\x8b", ".tar.gz"), (b"BZh", ".tar.bz2"), (b"\xfd7zXZ\x00", ".tar.xz"))


class Stated(msgspec.Struct, frozen=True):
    """What a tree's own papers (PKG-INFO, package.json ...) say that it is; `paper` is the file that says so."""

    name: str
    version: str | None
    paper: str


class SourceTree(msgspec.Struct, frozen=True):
    """Files by their names beneath the top, without the one folder that many archives put everything in.

    `sha256` is of the archive's bytes, `tree_sha256` of names, executable bits and contents (as `environments.tree_hash`).
    `commit` is what a bundle was unpacked at.
    """

    archive: str
    sha256: str
    tree_sha256: str
    files: dict[str, bytes]
    commit: str | None = None

    @property
    def stated(self) -> Stated | None:
        """Which package this is by its own papers, None when it has none that can be read."""
        for paper, reader in (
            ("PKG-INFO", _from_headers),
            ("package.json", _from_json),
            ("pyproject.toml", _from_toml),
            ("Cargo.toml", _from_toml),
        ):
            content = self.files.get(paper)
            found = reader(content[: 1 << 20].decode("utf-8", "replace"), paper) if content is not None else None
            if found is not None:
                return found
        return None


def read_tree(archive: Path, name: str, *, strip: bool | None = None, commit: str | None = None) -> SourceTree:
    """Read an archive's files; `strip` None takes the top folder away when everything lies in one. Raises Invalid."""
    return _tree_of(parts.members(archive, kind_of(archive, name)), archive, name, strip, commit)


def read_inside(sandbox: Sandbox | None, archive: Path, name: str, *, strip: bool | None = None, commit: str | None = None) -> SourceTree:
    """Like `read_tree`, with the archive unpacked in the box: a stranger's archive meets no reader of archives outside it.

    Where there is no sandbox it is read here, by the same code with the same refusals, and never executed. Raises Invalid, Unavailable,
    Escaped.
    """
    if sandbox is None:
        return read_tree(archive, name, strip=strip, commit=commit)
    with scratch() as place:
        unboxing.unpack_inside(sandbox, archive, kind_of(archive, name), place / "tree", strip=False)
        return _tree_of(_members_beneath(place / "tree"), archive, name, strip, commit)


def _members_beneath(folder: Path) -> Iterable[Member]:
    """The plain files that our own unpacking wrote."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield Member(path.relative_to(folder).as_posix(), path.read_bytes(), path.stat().st_mode & 0o111 != 0)


def _tree_of(found: Iterable[Member], archive: Path, name: str, strip: bool | None, commit: str | None) -> SourceTree:
    members = list(_bounded(found))
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    tops = {member.name.partition("/")[0] if "/" in member.name else "" for member in members}
    if strip or (strip is None and len(tops) == 1 and "" not in tops):
        members = [Member(m.name.partition("/")[2], m.content, m.is_executable) for m in members if "/" in m.name]
    kept = {member.name: member.content for member in members if len(member.content) <= _FILE_BYTES}
    return SourceTree(name, digest, hash_of(members), kept, commit)


def _bounded(members: Iterable[Member]) -> Iterable[Member]:
    left = READ_BYTES
    for member in members:
        left -= len(member.content)
        if left < 0:
            raise Invalid(f"it unpacks to more than {READ_BYTES >> 20} MB")
        yield member


def hash_of(members: Iterable[Member]) -> str:
    """Hash names, executable bits and contents, in the order of names."""
    digest = hashlib.sha256()
    for member in sorted(members, key=lambda member: member.name):
        name = member.name.encode(errors="surrogateescape")
        digest.update(b"%d:%s%d:%d:" % (len(name), name, int(member.is_executable), len(member.content)))
        digest.update(member.content)
    return digest.hexdigest()


def kind_of(archive: Path, name: str) -> str:
    """Return the archive's ending, by its name, else by its first bytes."""
    for end in _ENDS:
        if name.lower().endswith(end):
            return end
    with archive.open("rb") as stream:
        head = stream.read(6)
    return next((end for magic, end in _KINDS if head.startswith(magic)), ".tar")


def is_bundle(archive: Path) -> bool:
    """True for a git bundle (gitformat-bundle: `# v2 git bundle`)."""
    with archive.open("rb") as stream:
        return stream.read(16).startswith((b"# v2 git bundle", b"# v3 git bundle"))


def write_temporary(pieces: Iterable[bytes], folder: Path) -> Path:
    """Write pieces into a file of its own beneath a temporary folder."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        for piece in pieces:
            file.write(piece)
    return Path(file.name)


def _from_headers(text: str, paper: str) -> Stated | None:
    found: dict[str, str] = {}
    for line in io.StringIO(text[:20_000]):
        key, colon, value = line.partition(":")
        if not colon and not line.strip():
            break
        found.setdefault(key.strip().lower(), value.strip())
    return Stated(found["name"], found.get("version"), paper) if found.get("name") else None


def _from_json(text: str, paper: str) -> Stated | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _stated(found, paper)


def _from_toml(text: str, paper: str) -> Stated | None:
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    return _stated(found.get("project") or found.get("package"), paper)


def _stated(found: object, paper: str) -> Stated | None:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return None
    version = found.get("version")
    return Stated(found["name"][:300], version[:100] if isinstance(version, str) else None, paper)
