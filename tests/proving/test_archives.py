# SPDX-License-Identifier: Apache-2.0
"""Archives: one index, checked hashes, kept by content, nothing executed."""

import base64
import hashlib
from pathlib import Path

import pytest

from clearwell.proving.addresses import npm_constant, npm_registry, pypi_index
from clearwell.proving.archives import Registry, cache_folder
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable
from proving.lab import Index, sdist, tar, wheel


@pytest.fixture
def registry(tmp_path: Path, index: Index):
    name, content = wheel("notes", "1.0", {"notes.py": "x = 1\n"})
    index.files[name] = content
    index.files["notes-1.0.tar.gz"] = sdist({"setup.py": "raise SystemExit('executed')"}, "notes-1.0")
    index.files["notes-1.1.tar.gz"] = sdist({"setup.py": ""}, "notes-1.1")
    index.files["tool-2.0.0.tgz"] = tar({"package/index.js": "1"})
    opened = Registry(tmp_path / "cache", environment=index.environment)
    yield opened
    opened.close()


def test_a_wheel_an_sdist_and_a_package_are_fetched_and_listed(registry: Registry):
    assert registry.fetch("pkg:pypi/notes@1.0").names() == ("notes.py", "notes-1.0.dist-info/METADATA")
    assert registry.fetch("pkg:pypi/notes@1.0", "sdist").read("notes-1.0/setup.py") == b"raise SystemExit('executed')"
    package = registry.fetch("pkg:npm/tool@2.0.0")
    assert (package.kind, package.read("package/index.js")) == ("npm", b"1")
    assert (package.published or "").startswith("sha512-")


def test_what_exists_is_known_and_what_does_not_is_told(registry: Registry):
    assert registry.versions("pkg:pypi/notes") == ("1.0", "1.1")
    assert registry.has("pkg:pypi/Notes@1.0.0")
    assert not registry.has("pkg:pypi/notes@2")
    assert not registry.has("pkg:pypi/nothing@1")
    assert not registry.has("pkg:npm/tool@1.0.0")
    for purl, said in (("pkg:pypi/notes@2", "no version 2"), ("pkg:pypi/nothing@1", "does not exist"), ("pkg:pypi/notes@1.1", "no wheel")):
        with pytest.raises(NotFound, match=said):
            registry.fetch(purl)


def test_bytes_that_are_not_the_published_ones_are_refused(registry: Registry, index: Index):
    original = index.answer
    index.answer = lambda path: ("x", b"other bytes") if path.startswith("/files/") else original(path)  # type: ignore[method-assign]
    for purl in ("pkg:pypi/notes@1.0", "pkg:npm/tool@2.0.0"):
        with pytest.raises(Conflict, match="the bytes"):
            registry.fetch(purl)


def test_pins_are_checked_also_from_the_cache(registry: Registry, index: Index):
    digest = hashlib.sha256(index.files["notes-1.0.tar.gz"]).hexdigest()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(index.files["tool-2.0.0.tgz"]).digest()).decode()
    for _ in range(2):
        assert registry.fetch("pkg:pypi/notes@1.0", "sdist", sha256=digest).sha256 == digest
        registry.fetch("pkg:npm/tool@2.0.0", integrity=integrity)
        with pytest.raises(Conflict, match="pinned"):
            registry.fetch("pkg:pypi/notes@1.0", "sdist", sha256="0" * 64)
        with pytest.raises(Conflict, match="integrity"):
            registry.fetch("pkg:npm/tool@2.0.0", integrity="sha512-" + base64.b64encode(b"x" * 64).decode())


def test_a_second_fetch_asks_nobody_and_a_damaged_cache_is_noticed(registry: Registry, index: Index):
    first = registry.fetch("pkg:pypi/notes@1.0")
    index.asked.clear()
    assert registry.fetch("pkg:pypi/notes@1.0") == first
    assert not index.asked
    first.path.write_bytes(b"damaged")
    assert registry.fetch("pkg:pypi/notes@1.0").path.read_bytes() != b"damaged"
    assert index.asked


def test_offline_uses_only_what_is_kept(registry: Registry, index: Index, tmp_path: Path):
    registry.fetch("pkg:pypi/notes@1.0")
    offline = Registry(tmp_path / "cache", offline=True, environment=index.environment)
    assert offline.fetch("pkg:pypi/notes@1.0").size > 0
    with pytest.raises(Unavailable):
        offline.fetch("pkg:pypi/notes@1.0", "sdist")
    offline.close()


def test_an_index_that_does_not_answer_is_unavailable(tmp_path: Path):
    registry = Registry(tmp_path, environment={"CLEARWELL_PYPI_INDEX": "http://127.0.0.1:9/simple"})
    with pytest.raises(Unavailable, match="could not be fetched"):
        registry.fetch("pkg:pypi/notes@1.0")
    registry.close()


@pytest.mark.parametrize(
    "purl", ["notes", "pkg:pypi/notes", "pkg:maven/a/b@1", "pkg:npm/x@1#", "pkg:pypi/notes@1.0?repository_url=npm.corp.example"]
)
def test_what_cannot_be_fetched_is_refused(registry: Registry, purl):
    with pytest.raises((Invalid, NotFound)):
        registry.fetch(purl, "sdist")


def test_addresses_come_from_our_setting_then_the_clients_then_the_libraries(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clearwell.proving.addresses._from_npm", lambda: None)
    home = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert npm_registry(None, home) == npm_constant()
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://pip.test/simple\nextra-index-url = http://extra.test/simple\n")
    (tmp_path / ".npmrc").write_text("registry=http://npm.test/\n@own:registry=http://own.test/\n")
    assert pypi_index(home) == "http://pip.test/simple/"
    assert npm_registry(None, home) == "http://npm.test/"
    assert npm_registry("@own", home) == "http://own.test/"
    assert pypi_index({**home, "PIP_INDEX_URL": "http://env.test/"}) == "http://env.test/"
    assert npm_registry(None, {**home, "npm_config_registry": "http://env.test"}) == "http://env.test/"
    assert pypi_index({**home, "PIP_INDEX_URL": "http://env.test/", "CLEARWELL_PYPI_INDEX": "http://ours.test"}) == "http://ours.test/"
    with pytest.raises(Invalid, match="CLEARWELL_PYPI_INDEX"):
        pypi_index({"CLEARWELL_PYPI_INDEX": "file:///somewhere"})


def test_the_cache_is_where_the_settings_say(tmp_path: Path):
    assert cache_folder({"CLEARWELL_CACHE": str(tmp_path)}) == tmp_path.resolve()
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/clearwell")
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/clearwell")


@pytest.mark.registry
def test_the_real_registries_answer(tmp_path: Path):
    registry = Registry()
    try:
        found = [registry.fetch(purl) for purl in ("pkg:npm/minimist@1.2.5", "pkg:pypi/rsa@3.2.3")]
    except Unavailable as error:
        pytest.skip(f"no registry here: {error}")
    finally:
        registry.close()
    assert all(archive.names() for archive in found)
