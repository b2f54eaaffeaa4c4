# SPDX-License-Identifier: Apache-2.0
"""Archives that strangers made: what is unpacked, what is refused and by which words."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearwell.proving.unpack import Bounds, checked_name, members, names, read, unpack
from clearwell.vocabulary.errors import Invalid, NotFound
from proving.lab import sdist, tar


def _file(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "archive"
    file.write_bytes(content)
    return file


def _special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _zip(entries: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def test_an_sdist_is_unpacked_without_its_top_folder(tmp_path):
    archive = _file(tmp_path, sdist({"a/b.py": "x", "run": "y"}))
    unpack(archive, "x.tar.gz", tmp_path / "out", strip=True)
    assert (tmp_path / "out/a/b.py").read_text() == "x"
    assert (tmp_path / "out/a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/run").stat().st_mode & 0o777 == 0o644


def test_files_are_listed_and_read_without_unpacking(tmp_path):
    archive = _file(tmp_path, sdist({"a.py": "x"}))
    assert names(archive, "x.tgz") == ("sample-1.0/a.py",)
    assert read(archive, "x.tgz", "sample-1.0/a.py") == b"x"
    with pytest.raises(NotFound):
        read(archive, "x.tgz", "b.py")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tar({"/etc/passwd": "x"}), "absolute"),
        (tar({"a/../../x": "x"}), "climbs out"),
        (tar({"C:/x": "x"}), "absolute"),
        (tar({"a\\..\\x": "x"}), "backslash"),
        (tar({"a\nb": "x"}), "control"),
        (tar({"x": "1"}, (_special("l", tarfile.SYMTYPE, "/etc"),)), "link"),
        (tar({"x": "1"}, (_special("l", tarfile.LNKTYPE, "x"),)), "link"),
        (tar({"x": "1"}, (_special("d", tarfile.CHRTYPE),)), "device"),
        (tar({"x": "1"}, (_special("d", tarfile.FIFOTYPE),)), "device"),
        (tar({"x": "1", "./x": "2"}), "twice"),
        (tar({"Read": "1", "READ": "2"}), "differs only by case"),
        (tar({"Lib/a": "1", "lib/b": "2"}), "differs only by case"),
        (tar({"caf\u00e9": "1", "cafe\u0301": "2"}), "composition"),
        (tar({"caf\u00e9/a": "1", "cafe\u0301/b": "2"}), "composition"),
        (tar({"a": "1", "a/b": "2"}), "file and as a folder"),
        (tar({"a/b": "1", "a": "2"}), "file and as a folder"),
        (tar({"x" * 401: "1"}), "too long"),
        (b"this is no archive", "cannot be read"),
        (sdist({"a": "x" * 5000})[:60], "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "tar",
)
def test_a_hostile_tar_is_refused_with_the_reason(tmp_path, content, said):
    with pytest.raises(Invalid, match=said):
        unpack(_file(tmp_path, content), "x.tar.gz", tmp_path / "out", strip=False)
    assert not (tmp_path.parent / "x").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_zip([("/x", b"1", 0o644)]), "absolute"),
        (_zip([("../x", b"1", 0o644)]), "climbs out"),
        (_zip([("l", b"/etc/passwd", 0o120777)]), "link"),
        (_zip([("d", b"", 0o020666)]), "device"),
        (_zip([("a", b"1", 0o644), ("A", b"2", 0o644)]), "differs only by case"),
        (b"PK\x03\x04 nothing", "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "zip",
)
def test_a_hostile_zip_is_refused_with_the_reason(tmp_path, content, said):
    with pytest.raises(Invalid, match=said):
        unpack(_file(tmp_path, content), "x.whl", tmp_path / "out", strip=False)


def test_a_bomb_is_refused_before_it_is_large(tmp_path):
    small = Bounds(files=10, total_bytes=1 << 20, file_bytes=1 << 20)
    for content, kind in ((tar({"a": b"\0" * (2 << 20)}), "x.tgz"), (_zip([("a", b"\0" * (2 << 20), 0)]), "x.zip")):
        with pytest.raises(Invalid, match=r"larger|bomb"):
            list(members(_file(tmp_path, content), kind, small))
    with pytest.raises(Invalid, match="more than 10"):
        list(members(_file(tmp_path, tar({str(n): "" for n in range(12)})), "x.tgz", small))


def test_an_extended_header_of_any_size_is_not_read_into_memory(tmp_path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 64 << 20
    content = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + b"0" * (1 << 20))
    with pytest.raises(Invalid, match="header"):
        list(members(_file(tmp_path, content), "x.tgz"))


def test_an_extended_header_whose_numbers_are_none_is_refused(tmp_path):
    header = tarfile.TarInfo("x")
    header.pax_headers = {"GNU.sparse.map": "no,number"}
    content = gzip.compress(header.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
    with pytest.raises(Invalid, match="cannot be read"):
        list(members(_file(tmp_path, content), "x.tgz"))


def _sized(told: dict[str, str], size: int = 5) -> bytes:
    info = tarfile.TarInfo("a/x")
    info.size, info.pax_headers = size, told
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT if size < 0 else tarfile.PAX_FORMAT) + b"hello" + bytes(507 + 1024))


@pytest.mark.parametrize(
    "content",
    [
        _sized({"size": "-1"}),
        _sized({"size": "1e3"}),
        _sized({"size": "abc"}),
        _sized({"GNU.sparse.size": "-5", "GNU.sparse.map": "0,5"}),
        _sized({}, size=-2),
    ],
    ids=["negative", "exponent", "letters", "negative and sparse", "negative in the plain header"],
)
def test_a_size_that_is_none_is_refused_and_no_empty_file(tmp_path, content):
    with pytest.raises(Invalid, match="a size that is none"):
        list(members(_file(tmp_path, content), "x.tgz"))


@pytest.mark.parametrize(("other", "said"), [("b-1/x", "twice"), ("b-1/X", "differs only by case"), ("b-1/x/y", "file and as a folder")])
def test_two_top_folders_do_not_write_over_each_other(tmp_path, other, said):
    with pytest.raises(Invalid, match=said):
        unpack(_file(tmp_path, tar({"a-1/x": "good", other: "evil"})), "x.tgz", tmp_path / "out", strip=True)


def test_modes_of_the_archive_are_not_taken_over(tmp_path):
    info = tarfile.TarInfo("tool")
    info.mode, info.size = 0o7777, 3
    unpack(_file(tmp_path, tar({}, (info,))), "x.tgz", tmp_path / "out", strip=False)
    assert (tmp_path / "out/tool").stat().st_mode & 0o7777 == 0o755


@given(st.text(max_size=40))
def test_a_checked_name_stays_beneath_its_folder(name):
    try:
        checked = checked_name(name)
    except Invalid:
        return
    assert not checked.startswith("/")
    assert ".." not in checked.split("/")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([".tar.gz", ".zip", ".tar"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, kind):
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(content)
    try:
        list(members(file, kind))
    except Invalid:
        return
