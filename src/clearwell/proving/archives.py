# SPDX-License-Identifier: Apache-2.0
"""Archives of exact package versions, fetched from exactly one index without executing anything, kept by content."""

import base64
import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from packageurl import PackageURL
from packaging import tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from clearwell.proving import unpack
from clearwell.proving.addresses import npm_constant, npm_registry, pypi_index
from clearwell.proving.debian import mirror, source_parts
from clearwell.proving.fetching import Fetched, Fetcher, says_private
from clearwell.proving.parts import END as PARTS
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable
from clearwell.vocabulary.product import REGISTRY

if TYPE_CHECKING:  # these take 11 MB that a server and a worker of intake never need: they are loaded where an index is read
    import requests
    from pypi_simple import DistributionPackage, ProjectPage

Kind = Literal["wheel", "sdist", "npm", "deb-source", "file"]

_KINDS: dict[str, tuple[Kind, ...]] = {"pypi": ("wheel", "sdist"), "npm": ("npm",), "deb": ("deb-source",)}
"""Type of a purl -> the kinds of archive that its packages have, the default first."""

_NPM_SPELLED = re.compile(r"\s*[=v]*([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\s*")
"""A version as npm's own tools read it: `v1.2.3` and `=1.2.3+build` are 1.2.3."""

_PAGE_MAX = 64 << 20
_ARCHIVE_MAX = 256 << 20
_SECONDS_MAX = 300
_SDIST_ORDER = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_NPM_ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"


class Archive(msgspec.Struct, frozen=True):
    """A fetched archive: `sha256` is of its bytes; `published` is the digest that the index gave, checked."""

    purl: str
    kind: Kind
    filename: str
    sha256: str
    size: int
    published: str | None
    path: Path

    def names(self) -> tuple[str, ...]:
        """Names of the files, as the archive spells them (an sdist's and an npm package's begin with one folder)."""
        return unpack.names(self.path, self.filename)

    def read(self, name: str) -> bytes:
        """Bytes of one file; raise NotFound."""
        return unpack.read(self.path, self.filename, name)


class _Record(msgspec.Struct, frozen=True):
    filename: str
    sha256: str
    size: int
    published: str | None


class _NpmDist(msgspec.Struct):
    tarball: str
    integrity: str | None = None
    shasum: str | None = None


class _NpmVersion(msgspec.Struct):
    dist: _NpmDist


class _NpmDocument(msgspec.Struct):
    versions: dict[str, _NpmVersion] = {}


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return where archives, trees and builds are kept: CLEARWELL_CACHE, else the XDG cache folder."""
    env = os.environ if environment is None else environment
    if env.get("CLEARWELL_CACHE"):
        return Path(env["CLEARWELL_CACHE"]).expanduser().resolve()
    base = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME", "/var/cache")) / ".cache")
    return Path(base) / "clearwell"


class Registry:
    """PyPI and npm through one index each. Knows versions, fetches archives, keeps both; `offline` uses only what is kept."""

    def __init__(self, cache: Path | None = None, *, offline: bool = False, environment: Mapping[str, str] | None = None) -> None:
        self.cache = (cache or cache_folder(environment)) / "archives"
        self.offline = offline
        self._environment = environment
        self._fetcher = Fetcher(environment)
        self._pages: dict[str, tuple[float, ProjectPage | _NpmDocument]] = {}

    def close(self) -> None:
        """Forget the pages that were read."""
        self._pages.clear()

    def versions(self, purl: str) -> tuple[str, ...]:
        """Return every version that the package's index lists, as the index spells them; raise NotFound for an unknown package."""
        package = _parsed(purl)
        page = self._page(package)
        if isinstance(page, _NpmDocument):
            return tuple(page.versions)
        return tuple(dict.fromkeys(p.version for p in page.packages if p.version))

    def has(self, purl: str) -> bool:
        """True when the package exists and, where `purl` names a version, that version does."""
        package = _parsed(purl)
        try:
            listed = self.versions(purl)
        except NotFound:
            return False
        if package.version is None:
            return True
        if package.type == "pypi":
            return any(same_version(package.version, version) for version in listed)
        return package.version in listed

    def fetch(self, purl: str, kind: Kind | None = None, *, sha256: str | None = None, integrity: str | None = None) -> Archive:
        """Return the archive of an exact version, from the cache or its index.

        `sha256` (hexadecimal) and `integrity` (npm's `sha512-...`) pin it. Raises NotFound (no such package, version or kind of
        archive), Conflict (the bytes are not those pinned or published), Unavailable (no answer) and Invalid.
        """
        package = _parsed(purl)
        if package.version is None:
            raise Invalid(f"{purl} names no version; an archive is of an exact version")
        chosen: Kind = kind or _KINDS[package.type][0]
        if chosen not in _KINDS[package.type]:
            raise Invalid(f"{purl} has no archive of the kind {chosen}")
        address = self._address(package)
        key = hashlib.sha256(f"{address}|{_canonical(package)}|{chosen}|{_runtime_tag() if chosen == 'wheel' else ''}".encode()).hexdigest()
        record_file = self.cache / "records" / f"{key}.json"
        record = self._recorded(record_file)
        if record is None:
            if self.offline:
                raise Unavailable(f"{purl} is not in the cache, and fetching is switched off")
            record = self._download(package, chosen, integrity)
            write_whole(record_file, msgspec.json.encode(record))
        blob = self._blob(record.sha256)
        if sha256 is not None and sha256.lower() != record.sha256:
            raise Conflict(f"{purl}: the archive's sha256 is {record.sha256}, not the pinned {sha256.lower()}")
        if integrity is not None:
            _check_integrity(blob.read_bytes(), integrity, purl)
        return Archive(purl, chosen, record.filename, record.sha256, record.size, record.published, blob)

    def _address(self, package: PackageURL) -> str:
        if package.type == "npm":
            return npm_registry(package.namespace, self._environment)
        if package.type == "deb":
            return _secured(mirror(self._environment), self._environment)
        return pypi_index(self._environment)

    def _blob(self, sha256: str) -> Path:
        return self.cache / "sha256" / sha256

    def _recorded(self, file: Path) -> _Record | None:
        try:
            record = msgspec.json.decode(file.read_bytes(), type=_Record)
            content = self._blob(record.sha256).read_bytes()
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return record if hashlib.sha256(content).hexdigest() == record.sha256 else None

    def _page(self, package: PackageURL) -> "ProjectPage | _NpmDocument":
        if self.offline:
            raise Unavailable("which versions exist is not known offline")
        if package.type == "deb":
            raise Invalid("which versions of a Debian source package exist is not known; fetch an exact one")
        key = f"{package.type}/{package.namespace}/{package.name}"
        known = self._pages.get(key)
        if known is not None and time.monotonic() - known[0] < 300:
            return known[1]
        page = self._npm_page(package) if package.type == "npm" else self._pypi_page(package)
        self._pages[key] = (time.monotonic(), page)
        return page

    def _pypi_page(self, package: PackageURL) -> "ProjectPage":
        from pypi_simple import ProjectPage, UnsupportedContentTypeError, UnsupportedRepoVersionError  # noqa: PLC0415 see above

        address = self._address(package) + canonicalize_name(package.name) + "/"
        accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
        page = self._get(address, _PAGE_MAX, {"Accept": accept}, f"the package {package.name}", (address,))
        try:
            return ProjectPage.from_response(_as_response(page), package.name)
        except (ValueError, UnsupportedContentTypeError, UnsupportedRepoVersionError) as error:
            raise Unavailable(f"the index's answer about {package.name} cannot be read: {error}") from error

    def _npm_page(self, package: PackageURL) -> _NpmDocument:
        name = _npm_name(package)
        address = self._address(package) + quote(name, safe="@")
        page = self._get(address, _PAGE_MAX, {"Accept": _NPM_ABBREVIATED}, f"the package {name}", (address,))
        try:
            return msgspec.json.decode(page.body, type=_NpmDocument)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Unavailable(f"the registry's answer about {name} cannot be read: {error}") from error

    def _download(self, package: PackageURL, kind: Kind, integrity: str | None) -> _Record:
        if kind == "npm":
            return self._download_npm(package, integrity)
        if kind == "deb-source":
            base = self._address(package)

            def get(address: str, what: str) -> bytes:
                return self._get(address, _ARCHIVE_MAX, {}, what, (base,)).body

            parts, dsc = source_parts(package.name, str(package.version), base, get)
            return self._keep(f"{package.name}_{package.version}{PARTS}", parts, f"sha256:{dsc}")
        page = self._page(package)
        assert not isinstance(page, _NpmDocument)
        found = _choose(page, str(package.version), kind)
        # The registry's own page says where its archives lie, often on another host; that host is on the list for this fetch.
        body = self._get(found.url, _ARCHIVE_MAX, {}, found.filename, (self._address(package), _public(found.url))).body
        digest = hashlib.sha256(body).hexdigest()
        published = found.digests.get("sha256")
        if published is not None and published.lower() != digest:
            raise Conflict(f"{found.filename}: the bytes are not those that the index published (sha256 {published})")
        return self._keep(found.filename, body, f"sha256:{published}" if published else None)

    def _download_npm(self, package: PackageURL, integrity: str | None) -> _Record:
        page = self._page(package)
        assert isinstance(page, _NpmDocument)
        version = page.versions.get(str(package.version))
        if version is None:
            raise NotFound(f"{_npm_name(package)} has no version {package.version} in its registry")
        address = self._rehosted(version.dist.tarball, self._address(package))
        filename = f"{package.name}-{package.version}.tgz"
        body = self._get(address, _ARCHIVE_MAX, {}, filename, (self._address(package), _public(address))).body
        published = version.dist.integrity
        if published is not None:
            _check_integrity(body, published, filename)
        elif version.dist.shasum is not None:
            published = f"sha1:{version.dist.shasum}"
            if hashlib.sha1(body, usedforsecurity=False).hexdigest() != version.dist.shasum.lower():
                raise Conflict(f"{filename}: the bytes are not those that the registry published (sha1 {version.dist.shasum})")
        if integrity is not None:
            _check_integrity(body, integrity, filename)
        return self._keep(filename, body, published)

    def _rehosted(self, tarball: str, registry: str) -> str:
        # A mirror hands on documents that still name the original host; npm's own client replaces that host, and so do we.
        parts, own = urlsplit(tarball), urlsplit(registry)
        if parts.netloc == urlsplit(npm_constant()).netloc != own.netloc:
            return urlunsplit((own.scheme, own.netloc, own.path.rstrip("/") + parts.path, parts.query, ""))
        return tarball

    def _keep(self, filename: str, body: bytes, published: str | None) -> _Record:
        digest = hashlib.sha256(body).hexdigest()
        write_whole(self._blob(digest), body)
        return _Record(filename, digest, len(body), published)

    def _get(self, address: str, limit: int, headers: dict[str, str], what: str, registries: tuple[str, ...]) -> Fetched:
        return self._fetcher.get(address, what, registries=registries, limit=limit, seconds=_SECONDS_MAX, headers=headers)


def _as_response(page: Fetched) -> "requests.Response":
    """A page as the index library takes it."""
    import requests  # noqa: PLC0415 see above

    response = requests.Response()
    response.status_code, response.url, response._content = 200, page.address, page.body
    response.headers["Content-Type"] = page.media_type
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response


def _public(address: str) -> str:
    """The address as one that a page named: its host is on the list, but it is never taken for one that somebody configured as private."""
    host = urlsplit(address).hostname or ""
    return "" if says_private(host) else address


def _secured(mirror: str, environment: Mapping[str, str] | None) -> str:
    """apt's own files say http, as apt checks signatures; the same mirror is asked by https. What our setting says is left as it is."""
    env = os.environ if environment is None else environment
    return mirror if env.get("CLEARWELL_DEBIAN_MIRROR") else mirror.replace("http://", "https://", 1)


def _choose(page: "ProjectPage", version: str, kind: Kind) -> "DistributionPackage":
    listed = [p for p in page.packages if p.version is not None and same_version(version, p.version)]
    if not listed:
        raise NotFound(f"{page.project} has no version {version} in its index")
    if kind == "sdist":
        found = [(end, p) for p in listed if p.package_type == "sdist" for end in _SDIST_ORDER if p.filename.endswith(end)]
        if not found:
            raise NotFound(f"{page.project} {version} has no sdist in its index")
        return min(found, key=lambda pair: _SDIST_ORDER.index(pair[0]))[1]
    ranks = {tag: rank for rank, tag in enumerate(_runtime_tags())}
    usable = []
    for candidate in listed:
        if candidate.package_type != "wheel":
            continue
        try:
            carried = parse_wheel_filename(candidate.filename)[3]
        except (InvalidWheelFilename, InvalidVersion):
            continue
        best = min((ranks[tag] for tag in carried if tag in ranks), default=None)
        if best is not None:
            # Pure wheels first: every machine then proves with the same bytes.
            usable.append(((not any(tag.platform == "any" for tag in carried), best, candidate.filename), candidate))
    if not usable:
        raise NotFound(f'{page.project} {version} has no wheel that fits this machine; a harness may say archive = "sdist"')
    return min(usable, key=lambda pair: pair[0])[1]


def _runtime_tags() -> list[tags.Tag]:
    version = runtime_python()
    return [*tags.cpython_tags(version), *tags.compatible_tags(version, f"cp{version[0]}{version[1]}")]


def _runtime_tag() -> str:
    return str(_runtime_tags()[0])


def runtime_python() -> tuple[int, int]:
    """Return the version of the Python that targets run under: the system's, told by its own name (no process is started)."""
    with contextlib.suppress(OSError, ValueError):
        real = Path("/usr/bin/python3").resolve(strict=True).name  # python3.11
        major, minor = real.removeprefix("python").split(".")[:2]
        return int(major), int(minor)
    import sys  # noqa: PLC0415 - no system Python: wheels are only looked at then

    return sys.version_info[0], sys.version_info[1]


def _parsed(purl: str) -> PackageURL:
    try:
        package = PackageURL.from_string(purl)
    except ValueError as error:
        raise Invalid(f"{purl!r} is not a package URL, such as pkg:pypi/ujson@5.1.0") from error
    if isinstance(package.qualifiers, dict) and REGISTRY in package.qualifiers:
        raise Invalid(f"{purl}: it names a registry of its own; packages come from the one index that is set up for their type")
    if package.type == "npm" and package.version and (bare := _NPM_SPELLED.fullmatch(package.version)):
        package = package._replace(version=bare[1])
    if package.type not in _KINDS:
        raise Invalid(f"{purl}: packages of the type {package.type} cannot be fetched; {', '.join(_KINDS)} can")
    return package


def _canonical(package: PackageURL) -> str:
    name = canonicalize_name(package.name) if package.type == "pypi" else _npm_name(package)
    return f"{package.type}/{name}@{package.version}"


def _npm_name(package: PackageURL) -> str:
    return f"{package.namespace}/{package.name}" if package.namespace else str(package.name)


def same_version(one: str, other: str) -> bool:
    """True for two spellings of one version (PEP 440)."""
    if one == other:
        return True
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def is_exact(kind: str, version: str) -> bool:
    """True for the spelling of one version that an index may list; a range, a tag (`latest`) or a branch names none.

    Nor does a local version (PEP 440, `1.0+debian1`): somebody's own build, which no index takes.
    """
    if kind == "npm":
        return _NPM_SPELLED.fullmatch(version) is not None
    try:
        return kind != "pypi" or Version(version).local is None
    except InvalidVersion:
        return False


def _check_integrity(body: bytes, integrity: str, what: str) -> None:
    """Check the strongest hash of an SRI string (`sha512-base64 sha1-...`)."""
    for name in ("sha512", "sha384", "sha256", "sha1"):
        stated = [word.split("?")[0].removeprefix(f"{name}-") for word in integrity.split() if word.startswith(f"{name}-")]
        if stated:
            if base64.b64encode(hashlib.new(name, body, usedforsecurity=False).digest()).decode() not in stated:
                raise Conflict(f"{what}: the bytes do not have the integrity {integrity[:120]}")
            return
    raise Invalid(f"{what}: {integrity[:60]!r} is not an integrity hash that can be checked")


def write_whole(file: Path, content: bytes) -> None:
    """Write whole or not at all: under another name, then renamed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
