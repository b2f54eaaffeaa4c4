# SPDX-License-Identifier: Apache-2.0
"""Inventories are told apart by content, and each component in each version counts once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.inventory.components import read_inventory
from clearwell.vocabulary.errors import Invalid

BOM = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"name": "a", "purl": "pkg:npm/a@1.0.0"}]}
LOCK = {"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"}}}


@pytest.mark.parametrize(
    ("data", "form"), [(json.dumps(BOM), "cyclonedx"), ("\ufeff" + json.dumps(LOCK), "package-lock"), ("a==1.0.0\n", "pip-freeze")]
)
def test_content_decides_whatever_the_name_says(data: str, form: str) -> None:
    inventory = read_inventory(data.encode(), "misnamed.xml")

    assert inventory.format == form
    assert [component.version for component in inventory.components] == ["1.0.0"]


def test_one_component_in_one_version_counts_once_with_all_its_places() -> None:
    packages = {
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/b/node_modules/a": {"version": "1.0.0", "dev": True},
        "node_modules/c/node_modules/a": {"version": "2.0.0"},
    }

    inventory = read_inventory(json.dumps({"lockfileVersion": 3, "packages": packages}).encode(), "x")

    assert [(component.version, len(component.found), component.scope) for component in inventory.components] == [
        ("1.0.0", 2, None), ("2.0.0", 1, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"{}", b"[1]", b'{"a": ', b"prose without any requirement in it", b"\x00\x01\x02"], ids=range(7)
)
def test_what_is_no_inventory_is_refused_saying_why(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"\w{3,}"):
        read_inventory(data, "x")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_inventory(data, "x")
    except Invalid as error:
        assert str(error)
