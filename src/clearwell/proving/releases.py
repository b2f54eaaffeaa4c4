# SPDX-License-Identifier: Apache-2.0
"""A package's releases in their registry's own order: PEP 440 for PyPI, Semantic Versioning 2.0.0 for npm."""

import re

from packageurl import PackageURL
from packaging.version import InvalidVersion, Version

from clearwell.vocabulary.errors import Invalid

_SEMVER = re.compile(r"v?(\d{1,15})\.(\d{1,15})\.(\d{1,15})(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]{1,200})?")

Key = tuple[object, ...]


def in_order(purl: str, versions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the versions that the ecosystem can order, oldest first; what it cannot (a date, a word) is left out.

    Raises Invalid for a kind of package whose releases no registry lists.
    """
    kind = PackageURL.from_string(purl).type
    if kind not in {"pypi", "npm"}:
        raise Invalid(f"releases of a {kind} package cannot be listed: a sweep works on PyPI and npm")
    read = _python if kind == "pypi" else _semver
    keyed = [(key, version) for version in versions if (key := read(version)) is not None]
    return tuple(version for _, version in sorted(keyed, key=lambda pair: pair[0]))


def is_same_package(purl: str, other: str) -> bool:
    """True for two purls of one package, whatever their versions; raise Invalid for what is no purl."""
    try:
        one, two = PackageURL.from_string(purl), PackageURL.from_string(other)
    except ValueError as error:
        raise Invalid(f"{purl[:120]!r} is not a package URL, such as pkg:pypi/ujson@5.1.0") from error
    return (one.type, one.namespace, one.name) == (two.type, two.namespace, two.name)


def is_later(purl: str, version: str, than: str) -> bool:
    """True unless the ecosystem's own order says that a version is no later one; where it has none that we know, any may be."""
    kind = PackageURL.from_string(purl).type
    if kind not in {"pypi", "npm"}:
        return True
    read = _python if kind == "pypi" else _semver
    key, other = read(version), read(than)
    return key is None or other is None or key > other


def is_preview(purl: str, version: str) -> bool:
    """True for a version that its ecosystem calls a pre-release."""
    if PackageURL.from_string(purl).type == "pypi":
        return Version(version).is_prerelease
    match = _SEMVER.fullmatch(version)
    return match is not None and match[4] is not None


def series(purl: str, version: str) -> str:
    """Name the line of releases that a version belongs to: its first two numbers."""
    if PackageURL.from_string(purl).type == "pypi":
        read = Version(version)
        return f"{read.epoch}!{read.major}.{read.minor}"
    match = _SEMVER.fullmatch(version)
    return f"{match[1]}.{match[2]}" if match else version


def _python(version: str) -> Key | None:
    try:
        return (Version(version),)
    except InvalidVersion:
        return None


def _semver(version: str) -> Key | None:
    match = _SEMVER.fullmatch(version)
    if match is None:
        return None
    numbers = tuple(int(match[place]) for place in (1, 2, 3))
    if match[4] is None:
        return (*numbers, 1, ())
    words = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in match[4].split("."))
    return (*numbers, 0, words)
