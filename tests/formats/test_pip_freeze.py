# SPDX-License-Identifier: Apache-2.0
"""`pip freeze`: every kind of line that pip writes, and versions only where they are stated."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import pip_freeze
from clearwell.vocabulary.errors import Invalid

LINES = [
    ("ujson==5.1.0", "pkg:pypi/ujson", "5.1.0"),
    ("Zope_Interface == 5.0", "pkg:pypi/zope-interface", "5.0"),
    ("ruamel.yaml===0.15-odd", "pkg:pypi/ruamel-yaml", "0.15-odd"),
    ("epoch==1!2.0", "pkg:pypi/epoch", "1!2.0"),
    ("torch==1.13.0+cu117", "pkg:pypi/torch", "1.13.0+cu117"),
    ("requests[socks, security]==2.31.0", "pkg:pypi/requests", "2.31.0"),
    ("colorama==0.4.6 ; sys_platform == 'win32'", "pkg:pypi/colorama", "0.4.6"),
    ("colorama==0.4.6;python_version<'3.12'", "pkg:pypi/colorama", "0.4.6"),
    ("pinned==1.0 --hash=sha256:abc --hash=sha256:def", "pkg:pypi/pinned", "1.0"),
    ("pinned==1.0  # via other==2.0", "pkg:pypi/pinned", "1.0"),
    ("old (==1.0)", "pkg:pypi/old", "1.0"),
    ("both>=1.0,==1.2", "pkg:pypi/both", "1.2"),
    ("loose>=1.0", "pkg:pypi/loose", None),
    ("any==1.*", "pkg:pypi/any", None),
    ("bare", "pkg:pypi/bare", None),
    ("pkg @ https://example.org/files/pkg-1.2.3-py3-none-any.whl#sha256=00", "pkg:pypi/pkg", "1.2.3"),
    ("torch @ https://example.org/torch-2.0.1%2Bcpu-cp311-cp311-linux_x86_64.whl", "pkg:pypi/torch", "2.0.1+cpu"),
    ("pkg @ file:///tmp/pkg-1.2.3.tar.gz ; python_version > '3'", "pkg:pypi/pkg", "1.2.3"),
    ("pkg @ https://example.org/archive/1.2.3.zip", "pkg:pypi/pkg", None),
    ("pkg @ git+https://example.org/pkg.git@0123abc", "pkg:pypi/pkg", None),
    ("pkg @ https://example.org/other-1.2.3-py3-none-any.whl", "pkg:pypi/pkg", None),
    ("-e git+https://example.org/p.git@0123abc#egg=My_Package&subdirectory=x", "pkg:pypi/my-package", None),
    ("git+https://example.org/p.git@0123abc#egg=named", "pkg:pypi/named", None),
    ("https://example.org/pkg-1.2.3-py3-none-any.whl", "pkg:pypi/pkg", "1.2.3"),
]


@pytest.mark.parametrize(("line", "purl", "version"), LINES)
def test_each_kind_of_line_gives_its_package_and_the_version_that_it_states(line: str, purl: str, version: str | None) -> None:
    (component,) = pip_freeze.read(line.encode())

    assert (component.purl, component.version) == (purl, version)
    assert component.found == ("line 1",)
    assert (component.doubt is None) == (version is not None)


def test_the_note_above_an_editable_install_states_its_version() -> None:
    text = "# Editable Git install with no remote (My.App==0.3.dev1)\n-e /srv/my_app\n-e /srv/other\nlast==1\n"

    found = pip_freeze.read(text.encode())

    assert [(component.purl, component.version) for component in found] == [
        ("pkg:pypi/my-app", "0.3.dev1"), (None, None), ("pkg:pypi/last", "1"),
    ]  # fmt: skip
    assert "line 3" in (found[1].doubt or "")


def test_options_comments_and_empty_lines_are_passed_over_and_backslashes_join() -> None:
    text = "-i https://index.example.org/simple\n--no-binary :all:\n\n# a==1\n-r other.txt\n"
    text += "b==2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nc==3\n"

    found = pip_freeze.read(text.encode())

    assert [(component.name, component.version, component.found) for component in found] == [
        ("b", "2", ("line 6",)), ("c", "3", ("line 9",)),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_what_a_windows_shell_wrote_is_read(encoding: str) -> None:
    (first, second) = pip_freeze.read("a==1\r\nb==2\r\n".encode(encoding))

    assert (first.version, second.version) == ("1", "2")


def test_a_line_that_is_no_requirement_is_kept_in_doubt() -> None:
    found = pip_freeze.read(b"a==1\nWARNING: something happened\nb==2\n")

    assert found[1].purl is None
    assert "line 2" in (found[1].doubt or "")


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"this is prose\nand so is this\n", b"a==1\0", b"a" * 30_000, b"a==1\n" * 200_001], ids=lambda data: data[:9]
)
def test_what_pip_did_not_write_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        pip_freeze.read(data)


@given(st.text(alphabet="ab=1.;#@ -e[]\\/:\n()<~!", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        pip_freeze.read(text.encode())
