# SPDX-License-Identifier: Apache-2.0
"""Versions: an order-preserving byte key per ecosystem, so that `key(a) < key(b)` exactly when a is older than b.

A key is plain bytes: it is compared by Python, sorted by a database and indexed alike (ADR 0010). A version that does not
follow its ecosystem's grammar has no key: the answer about it is "unknown", never a guess.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from packaging.version import InvalidVersion, Version

MAX_VERSION = 250
"""Characters of the longest version that has a key; the encoding of numbers needs their length in one byte."""


def _number(digits: str) -> bytes:
    """Encode a decimal number of any size: how many digits plus one, then the digits. Never begins with a zero byte."""
    significant = digits.lstrip("0")
    return bytes((len(significant) + 1,)) + significant.encode()


def pypi(text: str) -> bytes | None:
    """PEP 440 (the PyPA's "Version specifiers"): epoch, release, pre, post, dev, local."""
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    release = list(version.release)
    while release and release[-1] == 0:
        release.pop()
    key = _number(str(version.epoch)) + b"".join(_number(str(part)) for part in release) + b"\0"
    if version.pre is not None:
        key += {"a": b"\1", "b": b"\2", "rc": b"\3"}[version.pre[0]] + _number(str(version.pre[1]))
    else:
        key += b"\0" if version.dev is not None and version.post is None else b"\4"
    key += b"\0" if version.post is None else b"\1" + _number(str(version.post))
    key += b"\1" if version.dev is None else b"\0" + _number(str(version.dev))
    for part in version.local.split(".") if version.local else ():
        key += b"\2" + _number(part) if part.isdigit() else b"\1" + part.encode() + b"\0"
    return key + b"\0"


_SEMVER = re.compile(
    r"[vV]?(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?(?:\.(0|[1-9][0-9]*))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


def semver(text: str) -> bytes | None:
    """Semantic Versioning 2.0.0, clause 11, with two liberties that change no order: a leading `v`, and `1.2` for `1.2.0`.

    Build metadata does not count (clause 10). Go's pseudo-versions and `+incompatible` follow the same rules.
    """
    match = _SEMVER.fullmatch(text)
    if match is None:
        return None
    key = b"".join(_number(part or "0") for part in match.group(1, 2, 3))
    if match[4] is None:
        return key + b"\xff"
    return _identifiers(key, match[4])


def _identifiers(key: bytes, prerelease: str) -> bytes | None:
    """Append SemVer's dotted pre-release identifiers: numbers below words, fewer below more; None on a leading zero."""
    for part in prerelease.split("."):
        if part.isdigit():
            if part != "0" and part.startswith("0"):
                return None
            key += b"\1" + _number(part)
        else:
            key += b"\2" + part.encode() + b"\0"
    return key + b"\0"


def npm(text: str) -> bytes | None:
    """SemVer as npm's clients read it: a leading `=` or `v` is dropped (node-semver, `clean`)."""
    return semver(text.lstrip("= "))


def golang(text: str) -> bytes | None:
    """Go modules (the Go reference, "Versions"): SemVer with a `v`; the toolchain's own releases are spelled `go1.21.3`."""
    return semver(text.removeprefix("go"))


_NUGET = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+.*)?", re.ASCII)


def nuget(text: str) -> bytes | None:
    """NuGet: SemVer with an optional fourth number, and pre-release words compared without case."""
    match = _NUGET.fullmatch(text)
    if match is None:
        return None
    key = b"".join(_number(part or "0") for part in match.group(1, 2, 3, 4))
    return key + b"\xff" if match[5] is None else _identifiers(key, match[5].lower())


_DEBIAN = re.compile(r"(?:([0-9]+):)?([0-9A-Za-z.+~:-]*?[0-9A-Za-z.+~:])(?:-([0-9A-Za-z.+~]+))?", re.ASCII)
_PAIR = re.compile(r"([^0-9]*)([0-9]*)", re.ASCII)


def debian(text: str) -> bytes | None:
    """Debian policy 5.6.12: `[epoch:]upstream[-revision]`; a tilde sorts before the end, letters before other characters."""
    match = _DEBIAN.fullmatch(text)
    if match is None or ":" in (match[2] if match[1] is None else ""):
        return None
    return _number(match[1] or "0") + _debian_part(match[2]) + _debian_part(match[3] or "")


def _debian_part(text: str) -> bytes:
    key = b""
    for words, digits in _PAIR.findall(text) if text else [("", "")]:
        if not words and not digits and key:
            break
        key += b"".join(b"\1" if c == "~" else c.encode() if c.isalpha() else bytes((0x80 | ord(c),)) for c in words)
        key += b"\2" + _number(digits)
    return key + b"\2"


_ALPINE = re.compile(r"([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(?:-r([0-9]+))?", re.ASCII)
_ALPINE_SUFFIX = {"alpha": 1, "beta": 2, "pre": 3, "rc": 4, "cvs": 7, "svn": 8, "git": 9, "hg": 10, "p": 11}


def alpine(text: str) -> bytes | None:
    """Alpine (apk-tools): numbers, a letter, suffixes of which `_alpha` to `_rc` sort before the end, then `-r` the revision.

    A later number with a leading zero is compared as a fraction by some releases of apk and not by others: it has no key.
    """
    match = _ALPINE.fullmatch(text)
    if match is None or any(len(part) > 1 and part.startswith("0") for part in match[1].split(".")[1:]):
        return None
    key = b"".join(b"\x0d" + _number(part) for part in match[1].split("."))
    key += b"\x0c" + match[2].encode() if match[2] else b""
    for suffix, number in re.findall(r"_([a-z]+)([0-9]*)", match[3]):
        key += bytes((_ALPINE_SUFFIX[suffix],)) + _number(number)
    return key + (b"\x06" + _number(match[4]) if match[4] else b"") + b"\x05"


_RPM = re.compile(r"(?:([0-9]+):)?([^\s:-]+)(?:-([^\s:-]+))?", re.ASCII)
_RPM_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+|~|\^", re.ASCII)


def rpm(text: str) -> bytes | None:
    """RPM (rpm-version(7)): `[epoch:]version[-release]`; tilde before the end, caret just after it, numbers above words."""
    match = _RPM.fullmatch(text)
    if match is None or not text.isascii():
        return None
    return _number(match[1] or "0") + _rpm_part(match[2]) + _rpm_part(match[3] or "")


def _rpm_part(text: str) -> bytes:
    key = b""
    for segment in _RPM_TOKEN.findall(text):
        if segment in {"~", "^"}:
            key += b"\1" if segment == "~" else b"\3"
        elif segment.isdigit():
            key += b"\5" + _number(segment)
        else:
            key += b"\4" + segment.encode() + b"\0"
    return key + b"\2"


_MAVEN_ORDER = {"alpha": 1, "beta": 2, "milestone": 3, "rc": 4, "cr": 4, "snapshot": 5, "": 7, "ga": 7, "final": 7, "release": 7, "sp": 8}
_MAVEN_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_MAVEN_NULLS = {"", "ga", "final", "release"}
_MAVEN_TOKEN = re.compile(r"([.-]?)([0-9]+|[^0-9.-]+|)", re.ASCII)


def maven(text: str) -> bytes | None:
    """Maven's "Version Order Specification" (POM reference): tokens with their separators, known qualifiers before others.

    The end of a version is a byte of its own between `snapshot` and `sp`, which makes the specification's padding needless.
    """
    if not text or not text.isascii() or any(c.isspace() or c in "[](),$" or not c.isprintable() for c in text):
        return None
    key = b""
    for separator, token in _maven_tokens(text.lower()):
        if token.isdigit():
            key += (b"\x0b" if separator == "." else b"\x0a") + _number(token)
        elif token in _MAVEN_ORDER:
            key += bytes((_MAVEN_ORDER[token],))
        else:
            key += b"\x09" + token.encode() + b"\0"
    return key + b"\x06"


def _maven_tokens(text: str) -> list[tuple[str, str]]:
    """Split into (separator, token), empty tokens read as 0, short qualifiers spelled out, trailing nulls trimmed."""
    found = [match.groups() for match in _MAVEN_TOKEN.finditer(text) if match.group()]
    tokens: list[tuple[str, str]] = []
    for index, (mark, token) in enumerate(found):
        separator = mark or ("-" if index else ".")
        if index == 0 and mark:
            tokens.append((".", "0"))
        following = found[index + 1] if index + 1 < len(found) else ("", "")
        if token in _MAVEN_SHORT and following[0] == "" and following[1].isdigit():
            token = _MAVEN_SHORT[token]
        tokens.append(("-" if token and not token.isdigit() else separator, token or "0"))
    kept: list[tuple[str, str]] = []
    for separator, token in tokens:
        if separator == "-":
            _trim(kept)
        kept.append((separator, token))
    _trim(kept)
    return kept


def _trim(tokens: list[tuple[str, str]]) -> None:
    while tokens and (tokens[-1][1] in _MAVEN_NULLS or not tokens[-1][1].strip("0")):
        tokens.pop()


_GEM = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)
_GEM_PLATFORM = re.compile(r"-(?:java|jruby|mswin\w*|(?:x86|x64|x86_64|i[3-6]86|arm|arm64|aarch64|universal|powerpc)-[\w-]+)", re.ASCII)
_GEM_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+", re.ASCII)


def gem(text: str) -> bytes | None:
    """RubyGems (`Gem::Version`): words make a pre-release, a missing segment counts as 0, `-` reads as `.pre.`.

    A platform that inventories append (`1.13.10-x86_64-linux`) is no part of the version.
    Zeros before a word sort below the end and zeros before a number above it, so a run of zeros is encoded with what follows.
    """
    bare, _, platform = text.partition("-")
    if _GEM_PLATFORM.fullmatch(f"-{platform}"):
        text = bare
    if _GEM.fullmatch(text) is None:
        return None
    segments: list[str] = _GEM_SEGMENT.findall(text.replace("-", ".pre."))
    first_word = next((index for index, part in enumerate(segments) if part.isalpha()), len(segments))
    numbers, words = segments[:first_word], segments[first_word:]
    key, zeros = b"", 0
    for part in [*_without_zeros(numbers), *_without_zeros(words)]:
        if not part.strip("0"):
            zeros += 1
        elif part.isalpha():
            key += (b"\2" + bytes((zeros,)) if zeros else b"\1") + part.encode() + b"\0"
            zeros = 0
        else:
            key += (b"\4" + _number("0")) * zeros + b"\4" + _number(part)
            zeros = 0
    return key + b"\3"


def _without_zeros(segments: list[str]) -> list[str]:
    end = len(segments)
    while end and not segments[end - 1].strip("0"):
        end -= 1
    return segments[:end]


_COMPOSER = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)(?:[.-]?([0-9]+))?)?([.-]?dev)?(?:\+[^\s]*)?",
    re.ASCII | re.IGNORECASE,
)
_COMPOSER_ORDER = {"alpha": 2, "a": 2, "beta": 3, "b": 3, "rc": 4, "": 5, "stable": 5, "patch": 6, "pl": 6, "p": 6}


def composer(text: str) -> bytes | None:
    """Composer: up to four numbers, then dev < alpha < beta < RC < stable < patch. Branches (`dev-main`) have no order."""
    match = _COMPOSER.fullmatch(text)
    if match is None:
        return None
    key = b"".join(_number(part or "0") for part in match.group(1, 2, 3, 4))
    if match[7] and not match[5]:
        return key + b"\1"
    stability = _COMPOSER_ORDER[(match[5] or "").lower()]
    return key + bytes((stability,)) + _number(match[6] or "0") + (b"\0" if match[7] else b"\1")


SCHEMES: dict[str, Callable[[str], bytes | None]] = {
    "pypi": pypi,
    "npm": npm,
    "cargo": semver,
    "golang": golang,
    "hex": semver,
    "pub": semver,
    "swift": semver,
    "githubactions": semver,
    "nuget": nuget,
    "deb": debian,
    "apk": alpine,
    "rpm": rpm,
    "maven": maven,
    "gem": gem,
    "composer": composer,
}
"""Package URL type -> the ordering of its versions. A type that is not here has none: its versions are equal or unknown."""


@lru_cache(maxsize=200_000)
def key(ecosystem: str, version: str) -> bytes | None:
    """Return the byte key of a version in an ecosystem (a package URL type: `pypi`, `npm`, `deb`...).

    None when the version does not follow the ecosystem's grammar, is longer than 250 characters, or when the ecosystem's order
    is not known here. Keys of different ecosystems must not be compared.
    """
    text = version.strip()
    if not text or len(text) > MAX_VERSION or ecosystem not in SCHEMES:
        return None
    return SCHEMES[ecosystem](text)
