# SPDX-License-Identifier: Apache-2.0
"""Components: one spelling for each package, whatever an inventory or an advisory calls it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.vocabulary.component import canonical_purl, distribution_release, identify
from clearwell.vocabulary.errors import Invalid


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "purl"),
    [
        ("pypi", None, "Zope__Interface.x", "pkg:pypi/zope-interface-x"), ("npm", "@Scope", "Name", "pkg:npm/%40scope/name"),
        ("golang", None, "Example.com/Mod/v2", "pkg:golang/example.com/mod/v2"), ("nuget", None, "A.B", "pkg:nuget/a.b"),
        ("maven", "org.Example", "Lib", "pkg:maven/org.Example/Lib"),
    ],
)  # fmt: skip
def test_each_type_has_one_spelling(kind: str, namespace: str | None, name: str, purl: str) -> None:
    assert canonical_purl(kind, namespace, name) == purl


@pytest.mark.parametrize(("kind", "name"), [("npm", ""), ("npm", "\r"), ("", "a"), ("pypi", " ")])
def test_a_name_of_nothing_is_refused(kind: str, name: str) -> None:
    with pytest.raises(Invalid):
        canonical_purl(kind, None, name)


@pytest.mark.parametrize(
    ("distribution", "text", "release"),
    [
        ("deb/debian", "bookworm", "12"), ("deb/debian", "debian-12.5", "12"), ("deb/debian", "12", "12"), ("deb/debian", "sid", "sid"),
        ("deb/ubuntu", "ubuntu-22.04", "22.04"), ("deb/ubuntu", "jammy", "22.04"), ("deb/ubuntu", "Pro:18.04:LTS", "18.04"),
        ("apk/alpine", "alpine-3.18.4", "3.18"), ("apk/alpine", "v3.18", "3.18"), ("rpm/redhat", "rhel-8.6", "8"),
        ("deb/debian", "", None), ("deb/debian", "unheard-of", None),
    ],
)  # fmt: skip
def test_releases_are_read_in_every_spelling(distribution: str, text: str, release: str | None) -> None:
    assert distribution_release(distribution, text) == release


@given(st.text(max_size=80))
def test_any_text_is_identified_or_refused(text: str) -> None:
    for purl in (text, f"pkg:{text}", f"pkg:pypi/{text}"):
        with contextlib.suppress(Invalid):
            assert (identify(purl).purl or "").startswith("pkg:")
