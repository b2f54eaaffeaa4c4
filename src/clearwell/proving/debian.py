# SPDX-License-Identifier: Apache-2.0
"""Debian source packages: the parts that a .dsc lists, checked, joined and patched into one tree, without executing anything."""

import hashlib
import io
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from clearwell.proving import patches, unpack
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable

Get = Callable[[str, str], bytes]
"""Fetch an address; the second text says what it is, for messages. Raises NotFound, Unavailable, Invalid."""

_COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,80}")
_VERSION = re.compile(r"(?:\d{1,5}:)?[A-Za-z0-9][A-Za-z0-9.+~-]{0,80}")
_PART = re.compile(r" ([0-9a-f]{64}) (\d{1,12}) ([A-Za-z0-9][A-Za-z0-9.+~_-]{1,150})")
_APT_LINE = re.compile(r"(?:deb(?:-src)?\s+(?:\[[^\]]{0,300}\]\s+)?|URIs:\s*)(?P<address>https?://\S{3,300})")


class Part(msgspec.Struct, frozen=True):
    """A file of a source package, as its .dsc lists it."""

    name: str
    sha256: str


def mirror(environment: Mapping[str, str] | None = None, apt: Path = Path("/etc/apt")) -> str:
    """Return the address of the one mirror to use: our setting, else the first that apt's own files name. Raises Unavailable."""
    env = os.environ if environment is None else environment
    if env.get("CLEARWELL_DEBIAN_MIRROR"):
        return env["CLEARWELL_DEBIAN_MIRROR"].rstrip("/") + "/"
    files = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.sources")), *sorted(apt.glob("sources.list.d/*.list"))]
    for file in files:
        if not file.is_file():
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _APT_LINE.match(line)
            if match and "security" not in match["address"]:
                return match["address"].rstrip("/") + "/"
    raise Unavailable("no Debian mirror is known: set CLEARWELL_DEBIAN_MIRROR")


def source_tree(name: str, version: str, base: str, get: Get) -> tuple[bytes, str]:
    """Fetch a source package and return it as one tar (top folder NAME-VERSION) with the sha256 of its .dsc.

    The same parts always give the same bytes. Patches of the formats 1.0 and 3.0 (quilt) are applied. Raises NotFound, Conflict, Invalid.
    """
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise Invalid(f"pkg:deb/debian/{name}@{version} is not a source package and version")
    plain = version.partition(":")[2] or version
    folder, dsc = _find(name, plain, base, get)
    parts = parse_dsc(dsc)
    contents = {part.name: _checked(get(folder + part.name, part.name), part) for part in parts if not part.name.endswith(".asc")}
    return _pack(_join(contents), f"{name}-{plain}"), hashlib.sha256(dsc).hexdigest()


def parse_dsc(dsc: bytes) -> tuple[Part, ...]:
    """Read the parts under Checksums-Sha256 (Debian policy, 5.6.24); raise Invalid."""
    found: list[Part] = []
    is_inside = False
    for line in dsc[: 1 << 20].decode("utf-8", "replace").splitlines():
        if not line.startswith(" "):
            is_inside = line.rstrip() == "Checksums-Sha256:"
        elif is_inside:
            match = _PART.fullmatch(line.rstrip())
            if match is None:
                raise Invalid("the .dsc lists a part in a way that cannot be read")
            found.append(Part(match[3], match[1]))
    if not found or len(found) > 20:
        raise Invalid("the .dsc lists no parts under Checksums-Sha256, or too many")
    return tuple(found)


def _find(name: str, version: str, base: str, get: Get) -> tuple[str, bytes]:
    prefix = name[:4] if name.startswith("lib") else name[0]
    for component in _COMPONENTS:
        folder = f"{base}pool/{component}/{prefix}/{name}/"
        try:
            return folder, get(f"{folder}{name}_{version}.dsc", f"{name} {version}")
        except NotFound:
            continue
    raise NotFound(
        f"the source package {name} {version} is not on the mirror; CLEARWELL_DEBIAN_MIRROR may name one that keeps old versions"
    )


def _checked(content: bytes, part: Part) -> bytes:
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise Conflict(f"{part.name}: the bytes are not those that the .dsc lists (sha256 {part.sha256})")
    return content


def _join(contents: dict[str, bytes]) -> dict[str, unpack.Member]:
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
    import gzip  # noqa: PLC0415 - only for the older of the two formats
    import zlib  # noqa: PLC0415

    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return stream.read(patches.PATCH_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(f"the source package's diff cannot be read: {error}") from error


def _pack(tree: dict[str, unpack.Member], top: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, member in sorted(tree.items()):
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mode = len(member.content), 0o755 if member.is_executable else 0o644
            archive.addfile(info, io.BytesIO(member.content))
    return buffer.getvalue()
