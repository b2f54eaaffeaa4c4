# SPDX-License-Identifier: Apache-2.0
"""The pages' style sheets, scripts, fonts and pictures: fetched as `assets.lock` pins them, without Node and without executing anything.

The lock names packages, versions and hashes, and no host: the registry is whichever this machine uses. `--pin` rewrites the
hashes after a version or a file was changed in it; read the difference before you commit it.
"""

import argparse
import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

import msgspec

from clearwell.proving import unpack
from clearwell.proving.archives import Registry
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "assets.lock"
VENDOR = ROOT / "src/clearwell/faces/web/static/vendor"
STAMP = ".assets"
"""A file beside the assets that holds the hash of the lock they came from; scripts/setup.sh looks at it too."""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package of the lock: `files` maps a path beneath `root` in the archive to its sha256; they land in the folder `into`."""

    purl: str
    integrity: str
    license: str
    root: str
    into: str
    files: dict[str, str]


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole lock, format 1."""

    format: int
    package: tuple[Package, ...]


def read_lock(text: str) -> Lock:
    """Parse and check the lock; raise Invalid for what it may not say (another format, a path that climbs out)."""
    try:
        lock = msgspec.convert(tomllib.loads(text), Lock)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"assets.lock: {error}") from error
    if lock.format != 1:
        raise Invalid(f"assets.lock has the format {lock.format}; this program reads format 1")
    for package in lock.package:
        for name in (package.root, package.into, *package.files):
            if unpack.checked_name(name) != name:
                raise Invalid(f"assets.lock: {name!r} is not a plain relative path")
    return lock


def contents(package: Package, registry: Registry) -> dict[str, bytes]:
    """Fetch one package and return the pinned files' bytes; raise NotFound or Conflict, naming the file."""
    archive = registry.fetch(package.purl, "npm", integrity=package.integrity)
    wanted = {f"{package.root}/{name}": name for name in package.files}
    found = {wanted[member.name]: member.content for member in unpack.members(archive.path, archive.filename) if member.name in wanted}
    missing = sorted(set(package.files) - set(found))
    if missing:
        raise Conflict(f"{package.purl} has no file {missing[0]} below {package.root}; correct assets.lock")
    return found


def check_hashes(package: Package, found: dict[str, bytes]) -> None:
    """Raise Conflict unless every file has its pinned hash."""
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != package.files[name]:
            raise Conflict(
                f"{package.purl}: {name} is not the file that assets.lock pins; `python scripts/assets.py --pin` shows what changed"
            )


def install(lock: Lock, mark: str, registry: Registry, vendor: Path) -> int:
    """Put every file into `vendor`, all or nothing; return how many there are."""
    fresh = vendor.with_name(vendor.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    count = 0
    for package in lock.package:
        found = contents(package, registry)
        check_hashes(package, found)
        for name, content in found.items():
            place = fresh / package.into / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            count += 1
    (fresh / STAMP).write_text(mark)
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return count


def is_complete(lock: Lock, mark: str, vendor: Path) -> bool:
    """True when `vendor` holds exactly what the lock pins."""
    stamp = vendor / STAMP
    if not stamp.is_file() or stamp.read_text() != mark:
        return False
    wanted = {vendor / package.into / name: sha256 for package in lock.package for name, sha256 in package.files.items()}
    present = {file for file in vendor.rglob("*") if file.is_file() and file != stamp}
    return present == set(wanted) and all(hashlib.sha256(file.read_bytes()).hexdigest() == wanted[file] for file in present)


def pinned(text: str, lock: Lock, registry: Registry) -> str:
    """Return the lock's text with the hashes of the files as they are; the integrity of each archive must be right already."""
    for package in lock.package:
        for name, content in contents(package, registry).items():
            before, now = package.files[name], hashlib.sha256(content).hexdigest()
            text = text.replace(f'"{name}" = "{before}"', f'"{name}" = "{now}"')
    return text


def main(arguments: list[str]) -> int:
    """Fetch what is not there; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pin", action="store_true", help="rewrite the files' hashes in assets.lock")
    options = parser.parse_args(arguments)
    text = LOCK.read_text(encoding="utf-8")
    mark = hashlib.sha256(text.encode()).hexdigest()
    registry = Registry()
    try:
        lock = read_lock(text)
        if options.pin:
            LOCK.write_text(pinned(text, lock, registry), encoding="utf-8")
        elif is_complete(lock, mark, VENDOR):
            print("assets: up to date")
        else:
            print(f"assets: {install(lock, mark, registry, VENDOR)} files of {len(lock.package)} packages")
    except ClearwellError as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    finally:
        registry.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
