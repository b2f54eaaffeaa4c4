# SPDX-License-Identifier: Apache-2.0
"""Debian source packages: joined and patched from checked parts."""

import gzip
import hashlib
from pathlib import Path

import pytest

from clearwell.proving import parts as joining
from clearwell.proving.debian import mirror, parse_dsc, source_parts
from clearwell.proving.parts import members
from clearwell.proving.unboxing import unpack_inside
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable
from proving.lab import tar

FIX = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n"
QUILT = {
    "sample_1.0.orig.tar.gz": tar({"sample-1.0/x.c": "old\n", "sample-1.0/y.c": "y\n"}),
    "sample_1.0-2.debian.tar.gz": tar({"debian/patches/series": "# comment\nfix.patch -p1\n", "debian/patches/fix.patch": FIX}),
}
OLDER = {"sample_1.0.orig.tar.gz": QUILT["sample_1.0.orig.tar.gz"], "sample_1.0-2.diff.gz": gzip.compress(FIX.encode(), mtime=0)}
NATIVE = {"sample_1.0.tar.gz": tar({"sample-1.0/x.c": "new\n"})}


def _dsc(parts: dict[str, bytes]) -> bytes:
    lines = ["-----BEGIN PGP SIGNED MESSAGE-----", "Format: 3.0 (quilt)", "Checksums-Sha256:"]
    lines += [f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}" for name, content in parts.items()]
    return "\n".join([*lines, "Files:", " 0 0 ignored"]).encode()


def _get(parts: dict[str, bytes], version: str = "1.0-2", changed: str = ""):
    files = {f"http://mirror.test/pool/main/s/sample/{name}": content for name, content in parts.items()}
    files[f"http://mirror.test/pool/main/s/sample/sample_{version}.dsc"] = _dsc(parts)

    def get(address: str, what: str) -> bytes:
        if address not in files:
            raise NotFound(what)
        return files[address] + (b"x" if changed and address.endswith(changed) else b"")

    return get


@pytest.mark.parametrize(("parts", "version"), [(QUILT, "1.0-2"), (OLDER, "1.0-2"), (NATIVE, "1.0"), (QUILT, "3:1.0-2")])
def test_every_format_ends_in_one_patched_tree(parts, version, tmp_path: Path):
    plain = version.partition(":")[2] or version
    packed, dsc = source_parts("sample", version, "http://mirror.test/", _get(parts, plain))
    archive = tmp_path / f"sample_{plain}.dsc.tar"
    archive.write_bytes(packed)
    assert {member.name: member.content for member in members(archive, archive.name)}["source/x.c"] == b"new\n"
    assert dsc == hashlib.sha256(_dsc(parts)).hexdigest()
    assert source_parts("sample", version, "http://mirror.test/", _get(parts, plain))[0] == packed


def test_a_changed_part_is_refused():
    with pytest.raises(Conflict, match="orig"):
        source_parts("sample", "1.0-2", "http://mirror.test/", _get(QUILT, changed=".orig.tar.gz"))


@pytest.mark.parametrize(("name", "version", "error"), [("sample", "9", NotFound), ("../x", "1", Invalid), ("sample", "../1", Invalid)])
def test_what_is_not_there_or_no_name_is_told(name, version, error):
    with pytest.raises(error):
        source_parts(name, version, "http://mirror.test/", _get(QUILT))


@pytest.mark.parametrize("dsc", [b"", b"Checksums-Sha256:\n ../../x 1 y\n", b"Checksums-Sha256:\n " + b"0" * 64 + b" 1 ../x\n"])
def test_a_hostile_list_of_parts_is_refused(dsc):
    with pytest.raises(Invalid):
        parse_dsc(dsc)


def test_the_mirror_is_our_setting_or_the_first_of_apt_s(tmp_path: Path):
    with pytest.raises(Unavailable):
        mirror({}, tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://security.test/x-security\n\nURIs: http://own.test/debian\n"
    )
    assert mirror({}, tmp_path) == "http://own.test/debian/"
    (tmp_path / "sources.list").write_text("# deb http://no.test\ndeb [signed-by=/x] http://first.test/debian bookworm main\n")
    assert mirror({}, tmp_path) == "http://first.test/debian/"
    assert mirror({"CLEARWELL_DEBIAN_MIRROR": "http://set.test"}, tmp_path) == "http://set.test/"


@pytest.mark.sandbox
def test_the_parts_are_joined_in_the_box_alone(sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packed, _ = source_parts("sample", "1.0-2", "http://mirror.test/", _get(QUILT))
    archive = tmp_path / "sample_1.0-2.dsc.tar"
    archive.write_bytes(packed)
    monkeypatch.setattr(joining, "join", lambda _: pytest.fail("the parts were opened outside the box"))
    unpack_inside(sandbox, archive, archive.name, tmp_path / "tree", strip=True)
    assert (tmp_path / "tree" / "x.c").read_text() == "new\n"
    assert (tmp_path / "tree" / "y.c").read_text() == "y\n"
