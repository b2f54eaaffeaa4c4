# SPDX-License-Identifier: Apache-2.0
"""One spelling for what tools write differently, and different spellings for what differs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.spelling import component_of, crash_class, function_of, path_of, text_of
from clearwell.vocabulary.product import Product


@pytest.mark.parametrize(
    "repository",
    [
        "https://github.com/Example/Tool.git",
        "http://GitHub.com/Example/Tool/",
        "git+https://user@github.com/Example/Tool.git/",
        "ssh://git@github.com:22/example/tool",
        "git@github.com:Example/Tool.git",
        "github.com/example//tool",
    ],
)
def test_one_repository_is_one_component(repository: str) -> None:
    assert component_of(Product(repository=repository))[0] == "repository:github.com/example/tool"


def test_a_hosted_package_url_is_its_repository() -> None:
    assert component_of(Product(purl="pkg:github/Example/Tool@0123456789abcdef"))[0] == "repository:github.com/example/tool"


def test_the_path_of_a_repository_elsewhere_keeps_its_case() -> None:
    assert component_of(Product(repository="https://Git.Example.ORG:8443/Group/Tool.git"))[0] == "repository:git.example.org/Group/Tool"


@pytest.mark.parametrize("purl", ["pkg:pypi/u_json@5.1.0", "pkg:pypi/U-JSON@5.1", "pkg:pypi/u-json@5.1.0?os=linux&arch=x86_64#src"])
def test_one_package_is_one_component_at_one_version(purl: str) -> None:
    assert component_of(Product(purl=purl)) == ("pkg:pypi/u-json", "5.1")


def test_other_packages_and_versions_stay_apart() -> None:
    spellings = {
        component_of(Product(purl=purl))
        for purl in (
            "pkg:pypi/jinja2@3.1.2",
            "pkg:pypi/jinja2@3.1.3",
            "pkg:npm/jinja2@3.1.2",
            "pkg:npm/@types/jinja2@3.1.2",
            "pkg:pypi/jinja2",
        )
    }

    assert len(spellings) == 5


def test_tags_that_are_dates_are_versions_of_their_own() -> None:
    dates = {component_of(Product(purl=f"pkg:github/abseil/abseil-cpp@{tag}")) for tag in ("20230125", "20230127", "202301", "2023012")}

    assert len(dates) == 4
    assert component_of(Product(purl="pkg:github/a/b@0123456789abcdef0123456789abcdef01234567"))[1] == "0123456"
    assert component_of(Product(purl=f"pkg:github/a/b@{'1' * 40}"))[1] == "1111111"


def test_a_short_commit_is_the_long_one() -> None:
    long = Product(repository="example.org/tool", commit="0123456789abcdef0123456789abcdef01234567")
    short = Product(repository="example.org/tool", commit="01234567")

    assert component_of(long) == component_of(short)


@pytest.mark.parametrize(
    "product",
    [
        Product("pkg:generic/home/%5Bname%5D/tool@1.0"),
        Product(repository="C:/Users/[name]/tool", commit="a" * 40),
        Product(vendor="[mail address left out]", model="X"),
    ],
)
def test_what_something_private_was_left_out_of_is_unknown(product: Product) -> None:
    assert component_of(product) == (None, None)


@pytest.mark.parametrize("file", ["src/a.c", "./src/a.c", "/src//a.c", "src\\a.c", "C:\\src\\a.c", "file:///src/a.c", "src/lib/../a.c"])
def test_one_path_is_one_place(file: str) -> None:
    assert path_of(file) == "src/a.c"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("parse", "parse"),
        ("parse(char const*, int)", "parse"),
        ("ns::Parser<std::vector<int>, char>::parse(int) const", "ns::Parser::parse"),
        ("(anonymous namespace)::parse(int)", "{anonymous}::parse"),
        ("parse.isra.0.cold", "parse"),
        ("memcpy@plt", "memcpy"),
        ("core::ptr::drop_in_place::h0123456789abcdef", "core::ptr::drop_in_place"),
        ("operator<<(std::ostream&, int)", "operator<<(std::ostream&, int)"),
        ("Parser.<init>", "Parser.<init>"),
        ("facade", "facade"),
        ("parse", "parse"),
        ("??", None),
        ("<null>", None),
        ("<unknown module>", None),
        ("NULL", None),
        ("0x7f0012345678", None),
        ("00007ffff7f70bcb", None),
        ("libfoo.so+0x1234", None),
        ("", None),
        (None, None),
    ],
)
def test_a_function_has_one_name_or_none(name: str | None, function: str | None) -> None:
    assert function_of(name) == function


def test_a_crash_class_has_no_size_but_a_direction() -> None:
    assert (
        crash_class("Heap-buffer-overflow\nREAD 4", "READ")
        == crash_class("Heap-buffer-overflow READ {*}", None)
        == "heap-buffer-overflow read"
    )
    assert crash_class("Heap-buffer-overflow\nWRITE 4", None) != crash_class("Heap-buffer-overflow\nREAD 4", None)


def test_what_changes_from_run_to_run_is_evened_out() -> None:
    one = "==71==ERROR: at 0x602000000011 in pid 71,\n  thread T0 on 2026-11-20T10:00:00Z"
    two = "==9182==ERROR:  at 0x60b0000003F1 in PID 9182, thread T0 on 2026-11-21T11:30:59Z"

    assert text_of(one) == text_of(two)
    assert text_of("overflow of 4 bytes") != text_of("overflow of 8 bytes")


@given(st.text(max_size=200))
def test_evening_out_twice_changes_nothing(text: str) -> None:
    once = text_of(text)

    assert text_of(once) == once


@pytest.mark.parametrize(
    "hostile", ["<" * 100_000, "(" * 100_000, "0x" * 50_000, "=" * 100_000, "1" * 100_000, "a-" * 50_000, "a(" * 1_000]
)
def test_hostile_text_takes_linear_time(hostile: str) -> None:
    start = time.perf_counter()

    text_of(hostile)
    function_of(hostile)
    function_of(hostile[:2_000])
    path_of(hostile)

    assert time.perf_counter() - start < 1
