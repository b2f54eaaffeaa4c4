# SPDX-License-Identifier: Apache-2.0
"""Versions: keys order as each ecosystem says, and what has no place in that order has no key."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from clearwell.inventory.versions import MAX_VERSION, SCHEMES, key

_NUMBERS = st.integers(min_value=0, max_value=10**12).map(str) | st.sampled_from(["0", "00", "1", "01", "9", "10"])
_LOCALS = st.lists(st.sampled_from(["0", "1", "01", "10", "a", "b1", "ubuntu"]), min_size=1, max_size=3).map(".".join)


@st.composite
def pypi_versions(draw: st.DrawFn) -> str:
    """PEP 440 in all its spellings."""
    version = draw(st.sampled_from(["", "v"])) + draw(st.sampled_from(["", "0!", "1!", "12!"]))
    version += ".".join(draw(st.lists(_NUMBERS, min_size=1, max_size=4)))
    if draw(st.booleans()):
        version += draw(st.sampled_from(["a", ".b", "-rc", "_alpha", "c", "preview"])) + draw(st.sampled_from(["", "0", "1", "12"]))
    if draw(st.booleans()):
        version += draw(st.sampled_from([".post", "-", "rev", "_r"])) + draw(st.sampled_from(["0", "1", "3"]))
    if draw(st.booleans()):
        version += draw(st.sampled_from([".dev", "-dev", "dev"])) + draw(st.sampled_from(["", "1", "10"]))
    return version + ("+" + draw(_LOCALS) if draw(st.booleans()) else "")


@given(pypi_versions(), pypi_versions())
def test_pypi_keys_order_as_the_packaging_library_does(one: str, other: str) -> None:
    a, b = key("pypi", one), key("pypi", other)

    assert a is not None and b is not None
    assert (a < b) == (Version(one) < Version(other))
    assert (a == b) == (Version(one) == Version(other))


@given(st.sampled_from(sorted(SCHEMES)), st.text(max_size=300))
def test_any_text_gets_a_key_or_none_and_never_an_error(ecosystem: str, text: str) -> None:
    assert isinstance(key(ecosystem, text), bytes | None)


@given(st.sampled_from(sorted(SCHEMES)), st.text(alphabet="0123456789.-+~:abrvcdp^!", max_size=40))
def test_text_that_looks_like_versions_gets_a_key_or_none(ecosystem: str, text: str) -> None:
    assert isinstance(key(ecosystem, text), bytes | None)


# Each chain rises strictly. Written from the ecosystems' own rules.
CHAINS = {
    "pypi": "1.0.dev1 1.0a1.dev1 1.0a1 1.0a2 1.0b1 1.0rc1 1.0 1.0+local 1.0+local.1 1.0+2 1.0.post1.dev1 1.0.post1 1.0.1 1.9 1.10 1!0.1",
    "npm": "1.0.0-0 1.0.0-9 1.0.0-10 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0 1.0.1 1.2.0 1.10.0",
    "golang": "v0.0.0-20190101000000-abcdefabcdef v0.0.0-20200101000000-0 v1.2.4-0.20200101000000-aaaaaaaaaaaa v1.2.4 v2.0.0+incompatible",
    "cargo": "0.9.9 1.0.0-alpha 1.0.0-beta 1.0.0",
    "nuget": "1.0.0-ALPHA 1.0.0-beta 1.0 1.0.0.1 1.0.1",
    "deb": "1.0~~ 1.0~~a 1.0~ 1.0 1.0-0.1 1.0-1~deb11u1 1.0-1 1.0-1+b1 1.0-1.1 1.0a 1.0+dfsg 1.0.1 1.9 1.10 0:2 1:0.1",
    "apk": "1.0_alpha1 1.0_alpha2 1.0_beta 1.0_rc1-r5 1.0 1.0-r0 1.0-r1 1.0-r10 1.0_git20200101 1.0_p1 1.0_p2-r1 1.0a 1.0.1 1.9 1.10",
    "rpm": "1.0~rc1-1 1.0-1 1.0-1.el8 1.0-2 1.0^git1-1 1.0a-1 1.0.1-1 1.10-1 1:0.1-1",
    "maven": "1-alpha 1-alpha-2 1-beta 1-milestone-1 1-rc1 1-rc2 1-SNAPSHOT 1 1-sp 1-android 1-jre 1-1 1.1-alpha 1.1 1.9 1.10 1.10.0.1",
    "gem": "1.0.a 1.0.b1 1.0.rc1 1.0 1.0.1.pre 1.0.1 1.9 1.10.a 1.10",
    "composer": "1.0.0-dev 1.0.0-alpha1 1.0.0-beta1 1.0.0-beta2 1.0.0-RC1 1.0.0 1.0.0-patch1 1.0.1 v1.10.0",
}


@pytest.mark.parametrize(("ecosystem", "chain"), CHAINS.items(), ids=list(CHAINS))
def test_each_ecosystem_orders_its_chain(ecosystem: str, chain: str) -> None:
    versions = chain.split()

    for older, newer in pairwise(versions):
        a, b = key(ecosystem, older), key(ecosystem, newer)
        assert a is not None and b is not None, (older, newer)
        assert a < b, f"{older} should be older than {newer}"


SAME = {
    "pypi": "1.0 1 1.0.0 v1.0 0!1.0",
    "npm": "1.2.0 v1.2.0 V1.2.0 =1.2.0 1.2 1.2.0+build.7",
    "golang": "1.21.3 v1.21.3 go1.21.3",
    "nuget": "1.0 1.0.0 1.0.0.0",
    "deb": "1.0 1.0-0 0:1.0 1.00",
    "maven": "1 1.0 1.0.0 1.ga 1.0.0.Final 1-release 1.0-0",
    "gem": "1 1.0 1.0.0 1.0-java 1.0.0-x86_64-linux",
    "composer": "1.0 1.0.0 v1.0.0.0 1.0.0-stable",
}


@pytest.mark.parametrize(("ecosystem", "spellings"), SAME.items(), ids=list(SAME))
def test_spellings_of_one_version_have_one_key(ecosystem: str, spellings: str) -> None:
    assert len({key(ecosystem, spelling) for spelling in spellings.split()}) == 1


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [
        ("pypi", "2004d"), ("pypi", "1.0-beta-final"), ("pypi", ""), ("npm", "1.2.3.4"), ("npm", "01.2.3"), ("npm", "latest"),
        ("npm", "1.0.0-01"), ("npm", "git+https://x/y"), ("deb", "1.0 2"), ("deb", "<unfixed>"), ("maven", "${project.version}"),
        ("maven", "[1.0,2.0)"), ("gem", "1..0"), ("composer", "dev-main"), ("apk", "1.01"), ("apk", "1.0-1"),
        ("unheard-of", "1.0"), ("pypi", "1" * (MAX_VERSION + 1)),
    ],
)  # fmt: skip
def test_what_does_not_follow_the_grammar_has_no_key(ecosystem: str, version: str) -> None:
    assert key(ecosystem, version) is None


def test_numbers_of_any_size_keep_their_order() -> None:
    nines, power = "9" * 100, "1" + "0" * 100

    assert key("npm", f"{nines}.0.0") < key("npm", f"{power}.0.0")  # type: ignore[operator]


def test_zeros_inside_a_gem_version_count_by_what_follows() -> None:
    chain = ["1.a.b", "1.a.0.b", "1.a.0.0.b", "1.a", "1.a.0.0.1", "1.a.0.1", "1.a.1"]

    keys = [key("gem", version) for version in chain]

    assert keys == sorted(keys, key=lambda found: found or b"") and len(set(keys)) == len(chain)
