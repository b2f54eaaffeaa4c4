# SPDX-License-Identifier: Apache-2.0
"""A Debian source package's parts, joined and patched into one tree as dpkg-source does: in the box, like every reading of archives.

Standard library and our own readers only: the box's interpreter runs this file (unboxing.py).
"""

import gzip
import io
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from clearwell.proving import patches, unpack
from clearwell.vocabulary.errors import Invalid

END = ".dsc.tar"
"""How the name of an archive ends that holds a source package's parts as they were fetched."""


def members(archive: Path, kind: str, bounds: unpack.Bounds = unpack.Bounds()) -> Iterator[unpack.Member]:
    """Yield each regular file of an archive; of a source package's parts, of the tree that they make, beneath one top folder."""
    found = unpack.members(archive, kind, bounds)
    if not kind.endswith(END):
        yield from found
        return
    tree = join({member.name: member.content for member in found})
    if sum(len(member.content) for member in tree.values()) > bounds.total_bytes:
        raise Invalid(f"the source package unpacks to more than {bounds.total_bytes >> 20} MB; it looks like a bomb")
    for name, member in sorted(tree.items()):
        yield unpack.Member(f"source/{name}", member.content, member.is_executable)


def join(contents: dict[str, bytes]) -> dict[str, unpack.Member]:
    """Unpack the original, lay debian/ over it and apply the package's own patches, as dpkg-source does."""
    # A native package has one archive and no .orig in its name.
    archives = sorted((n for n in contents if ".tar." in n and ".debian.tar." not in n), key=lambda n: ".orig.tar." not in n)
    original = archives[0] if archives else None
    if original is None:
        raise Invalid("the source package has no original archive")
    tree = {member.name.partition("/")[2]: member for member in _members(contents[original], original)}
    tree.pop("", None)
    for name, content in contents.items():
        if ".debian.tar." in name:
            tree = {n: m for n, m in tree.items() if not n.startswith("debian/")} | {m.name: m for m in _members(content, name)}
    series = tree.get("debian/patches/series")
    for line in series.content.decode("utf-8", "replace").splitlines() if series else ():
        words = line.partition(" #")[0].split()
        if words and not words[0].startswith("#"):
            patch = tree.get(f"debian/patches/{words[0]}")
            if patch is None:
                raise Invalid(f"the source package lists the patch {words[0][:80]!r}, which it does not have")
            tree = _patched(tree, patch.content)
    for name, content in contents.items():
        if name.endswith(".diff.gz"):
            tree = _patched(tree, _gunzip(content))
    return tree


def _patched(tree: dict[str, unpack.Member], diff: bytes) -> dict[str, unpack.Member]:
    changed = patches.apply(diff, {name: member.content for name, member in tree.items()})
    for name, content in changed.items():
        if content is None:
            tree.pop(name)
        else:
            tree[name] = unpack.Member(name, content, tree[name].is_executable if name in tree else False)
    return tree


def _members(content: bytes, name: str) -> tuple[unpack.Member, ...]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return tuple(unpack.members(Path(file.name), name))


def _gunzip(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return stream.read(patches.PATCH_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(f"the source package's diff cannot be read: {error}") from error
