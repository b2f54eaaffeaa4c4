# SPDX-License-Identifier: Apache-2.0
"""The front-end files are exactly those that the lock pins, all or none, wherever they come from."""

import hashlib
import importlib.util
import io
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from clearwell.proving.archives import Archive
from clearwell.vocabulary.errors import Conflict, Invalid

ROOT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


assets = load("assets")


class Shelf:
    """A registry with one archive on it."""

    def __init__(self, folder: Path, files: dict[str, bytes]) -> None:
        self.path = folder / "thing-1.0.0.tgz"
        with tarfile.open(self.path, "w:gz") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    def fetch(self, purl: str, kind: str, *, integrity: str) -> Archive:
        """The archive, whatever is asked for."""
        return Archive(purl, "npm", self.path.name, "00", self.path.stat().st_size, integrity, self.path)


def lock_text(**files: bytes) -> str:
    """A lock that pins `dist/NAME` with the hashes of these contents."""
    pins = "\n".join(f'"{name}.js" = "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items())
    return f"""
format = 1
[[package]]
purl = "pkg:npm/thing@1.0.0"
integrity = "sha512-x"
license = "MIT"
root = "package/dist"
into = "thing"
[package.files]
{pins}
"""


def test_pinned_files_and_no_others_are_installed(tmp_path: Path) -> None:
    # given a package with more than the lock names
    shelf = Shelf(tmp_path, {"package/dist/a.js": b"a", "package/dist/b.js": b"b", "package/README": b"r"})
    vendor = tmp_path / "vendor"
    lock = assets.read_lock(lock_text(a=b"a"))

    count = assets.install(lock, "mark", shelf, vendor)

    assert count == 1
    assert {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()} == {"thing/a.js", ".assets"}
    assert assets.is_complete(lock, "mark", vendor)


@pytest.mark.parametrize("change", ["another lock", "a changed file", "a missing file", "a stray file"])
def test_what_is_not_as_pinned_is_not_complete(change: str, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, {"package/dist/a.js": b"a"})
    vendor = tmp_path / "vendor"
    lock = assets.read_lock(lock_text(a=b"a"))
    assets.install(lock, "mark", shelf, vendor)

    if change == "a changed file":
        (vendor / "thing/a.js").write_text("evil")
    elif change == "a missing file":
        (vendor / "thing/a.js").unlink()
    elif change == "a stray file":
        (vendor / "thing/b.js").touch()

    assert not assets.is_complete(lock, "other" if change == "another lock" else "mark", vendor)


def test_a_file_with_another_hash_changes_nothing(tmp_path: Path) -> None:
    # given files that are installed, then an archive whose file differs from its pin
    vendor = tmp_path / "vendor"
    lock = assets.read_lock(lock_text(a=b"a"))
    assets.install(lock, "mark", Shelf(tmp_path, {"package/dist/a.js": b"a"}), vendor)

    with pytest.raises(Conflict, match=r"a\.js is not the file"):
        assets.install(lock, "mark", Shelf(tmp_path, {"package/dist/a.js": b"evil"}), vendor)

    assert assets.is_complete(lock, "mark", vendor)


def test_a_pinned_file_that_the_package_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=r"no file b\.js"):
        assets.install(assets.read_lock(lock_text(b=b"b")), "m", Shelf(tmp_path, {"package/dist/a.js": b"a"}), tmp_path / "vendor")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('into = "thing"', 'into = "../thing"'),
        ('root = "package/dist"', 'root = "/package"'),
        ('"a.js"', '"../../a.js"'),
        ("format = 1", "format = 2"),
        ("purl =", "url ="),
        ("[[package]]", "[[package"),
    ],
)
def test_a_lock_that_says_what_it_may_not_is_refused(old: str, new: str) -> None:
    with pytest.raises(Invalid):
        assets.read_lock(lock_text(a=b"a").replace(old, new))


def test_pinning_writes_the_hashes_that_the_files_have(tmp_path: Path) -> None:
    text = lock_text(a=b"before")

    pinned = assets.pinned(text, assets.read_lock(text), Shelf(tmp_path, {"package/dist/a.js": b"now"}))

    assert assets.read_lock(pinned).package[0].files == {"a.js": hashlib.sha256(b"now").hexdigest()}


def test_the_repository_s_own_lock_is_readable_and_pins_every_file() -> None:
    lock = assets.read_lock((ROOT / "assets.lock").read_text())

    assert {package.into for package in lock.package} == {"htmx", "uswds"}
    assert all(len(sha256) == 64 for package in lock.package for sha256 in package.files.values())
    assert not [name for package in lock.package for name in package.files if "us_flag" in name or "dot-gov" in name]


def test_the_archives_of_every_example_proof_are_named() -> None:
    archives = load("archives")

    wanted = dict(archives.wanted(ROOT / "examples/proofs", ROOT / "examples/harnesses"))

    assert wanted["pkg:npm/minimist@1.2.5"] is None
    assert wanted["pkg:pypi/pycares@2.1.0"] == "sdist"
    assert "pkg:pypi/cmarkgfm@0.8.0" in wanted
