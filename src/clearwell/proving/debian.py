# SPDX-License-Identifier: Apache-2.0
"""Debian source packages: the parts that a .dsc lists, fetched and checked; they are opened in the box alone (parts.py)."""

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

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


def source_parts(name: str, version: str, base: str, get: Get) -> tuple[bytes, str]:
    """Fetch a source package's parts and return them in one tar, as they are, with the sha256 of the .dsc that lists them.

    The same parts always give the same bytes. None of them is opened here: parts.py joins them, in the box. Raises NotFound, Conflict,
    Invalid.
    """
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise Invalid(f"pkg:deb/debian/{name}@{version} is not a source package and version")
    plain = version.partition(":")[2] or version
    folder, dsc = _find(name, plain, base, get)
    parts = parse_dsc(dsc)
    contents = {part.name: _checked(get(folder + part.name, part.name), part) for part in parts if not part.name.endswith(".asc")}
    return _pack(contents), hashlib.sha256(dsc).hexdigest()


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


def _pack(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(contents.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
