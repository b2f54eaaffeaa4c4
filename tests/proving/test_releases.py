# SPDX-License-Identifier: Apache-2.0
"""Releases in the order of their ecosystem."""

import pytest

from clearwell.proving.releases import in_order, is_later, is_preview, is_same_package, series
from clearwell.vocabulary.errors import Invalid


def test_npm_orders_by_semantic_versioning():
    given = ("1.10.0", "1.2.0", "1.2.0-beta.11", "1.2.0-beta.2", "1.2.0-rc", "latest", "2.0.0+build")
    assert in_order("pkg:npm/x", given) == ("1.2.0-beta.2", "1.2.0-beta.11", "1.2.0-rc", "1.2.0", "1.10.0", "2.0.0+build")


def test_pypi_orders_by_pep_440():
    given = ("1.0", "1.0.post1", "1.0rc1", "1.0.dev1", "0.9", "2004d-final", "1!0.1")
    assert in_order("pkg:pypi/x", given) == ("0.9", "1.0.dev1", "1.0rc1", "1.0", "1.0.post1", "1!0.1")


def test_previews_and_lines_are_told():
    assert is_preview("pkg:npm/x", "1.0.0-rc.1")
    assert is_preview("pkg:pypi/x", "1.0b2")
    assert not is_preview("pkg:pypi/x", "1.0.post1")
    assert series("pkg:npm/x", "1.2.9") == series("pkg:npm/x", "1.2.10") != series("pkg:npm/x", "1.3.0")


def test_a_later_version_is_told_by_the_ecosystem_s_order():
    assert is_later("pkg:npm/x", "1.10.0", "1.9.0")
    assert not is_later("pkg:npm/x", "1.9.0-rc.1", "1.9.0")
    assert not is_later("pkg:pypi/x", "1.0", "1.0.0")
    assert is_later("pkg:deb/debian/x", "1", "2")  # an order that is not ours to tell
    assert is_same_package("pkg:pypi/A_b@1", "pkg:pypi/a-b@2")
    assert not is_same_package("pkg:npm/%40a/b@1", "pkg:npm/b@1")
    with pytest.raises(Invalid, match="package URL"):
        is_same_package("nonsense", "pkg:npm/b@1")


def test_a_package_without_a_listing_registry_is_refused():
    with pytest.raises(Invalid, match="PyPI and npm"):
        in_order("pkg:deb/debian/x", ("1",))
