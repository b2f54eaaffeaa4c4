# SPDX-License-Identifier: Apache-2.0
"""CycloneDX in JSON: nested components, the described product, and what no package URL identifies."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import cyclonedx
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.errors import Invalid


def read(*components: dict[str, Any], spec: str = "1.6", **rest: Any) -> tuple[Component, ...]:
    document = {"bomFormat": "CycloneDX", "specVersion": spec, "version": 1, "components": list(components), **rest}
    return cyclonedx.read(json.dumps(document).encode())


@pytest.mark.parametrize("spec", ["1.2", "1.3", "1.4", "1.5", "1.6"])
def test_components_are_read_with_canonical_names_and_their_places(spec: str) -> None:
    found = read(
        {"type": "library", "name": "Sample_Lib", "version": "1.0", "purl": "pkg:pypi/Sample_Lib@1.0", "scope": "optional"},
        {"type": "library", "group": "@scope", "name": "x", "version": "2.0.0", "purl": "pkg:npm/%40scope/x@2.0.0?a=b#c",
         "components": [{"type": "library", "name": "deep", "purl": "pkg:maven/org.example/deep@3.0?type=jar"}]},
        spec=spec,
    )  # fmt: skip

    assert [(component.name, component.purl, component.version, component.found) for component in found] == [
        ("Sample_Lib", "pkg:pypi/sample-lib", "1.0", ("components[0]",)),
        ("@scope/x", "pkg:npm/%40scope/x", "2.0.0", ("components[1]",)),
        ("deep", "pkg:maven/org.example/deep", "3.0", ("components[1].components[0]",)),
    ]
    assert found[0].scope == "optional"


def test_the_described_product_counts_when_a_package_url_identifies_it() -> None:
    named = read(metadata={"component": {"type": "application", "name": "app", "version": "1", "purl": "pkg:npm/app@1.0.0"}})
    unnamed = read(metadata={"component": {"type": "application", "name": "requests", "version": "1"}})

    assert [(component.purl, component.found) for component in named] == [("pkg:npm/app", ("metadata.component",))]
    assert unnamed == ()


@pytest.mark.parametrize("purl", [None, "", "not a purl", "pkg:", "pkg:pypi/" + "a" * 2000])
def test_a_component_that_no_package_url_identifies_is_kept_in_doubt(purl: str | None) -> None:
    (component,) = read({"type": "library", "name": "thing", "version": "1.0", "purl": purl})

    assert (component.name, component.purl, component.version) == ("thing", None, "1.0")
    assert component.doubt


@pytest.mark.parametrize(
    ("purl", "field", "version"),
    [
        ("pkg:pypi/a@1.0", "1.0", "1.0"), ("pkg:pypi/a", "1.0", "1.0"), ("pkg:pypi/a@1.0", None, "1.0"), ("pkg:pypi/a", None, None),
        ("pkg:composer/a/b@7.1.0", "v7.1.0", "7.1.0"), ("pkg:pypi/a@1.0", "2.0", None), ("pkg:pypi/a@1.0%2Bcpu", "1.0+cpu", "1.0+cpu"),
        ("pkg:deb/debian/a@1%3A2.0-1", "2.0-1", "1:2.0-1"), ("pkg:deb/debian/a@2.0-1", "1:2.0-1", "1:2.0-1"),
        ("pkg:rpm/redhat/a@2.0-1?epoch=3", "2.0-1", "3:2.0-1"), ("pkg:pypi/a", "  ", None),
    ],
)  # fmt: skip
def test_the_version_is_the_one_on_which_purl_and_field_agree(purl: str, field: str | None, version: str | None) -> None:
    (component,) = read({"type": "library", "name": "a", "version": field, "purl": purl})

    assert component.version == version
    assert (component.doubt is None) == (version is not None)


def test_distribution_and_source_package_are_taken_from_the_qualifiers() -> None:
    (component,) = read({"name": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0-1?arch=amd64&distro=debian-12.5&upstream=openssl%403.0"})

    assert component.release == "12"
    assert component.sources == ("pkg:deb/debian/openssl",)


def deep(depth: int) -> bytes:
    return b'{"bomFormat":"CycloneDX","specVersion":"1.5","components":[' + b'{"name":"a","components":[' * depth + b"]}" * depth + b"]}"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"bomFormat": "SPDX", "specVersion": "1.4"}', b'{"bomFormat": "CycloneDX", "specVersion": "2.0"}', deep(300),
     deep(100_000), b'{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [{"name": 5}]}', b"\xff\xfe\xfd"],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_bill_of_materials_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        cyclonedx.read(data)


def test_a_wrong_part_is_named_by_its_place() -> None:
    with pytest.raises(Invalid, match=r"components\[\.\.\.\]|components\[1\]"):
        read({"name": "a"}, {"name": 5})


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_purl_and_version_is_read_or_refused(purl: str, version: str) -> None:
    with contextlib.suppress(Invalid):
        read({"name": "a", "purl": purl, "version": version}, {"name": "a", "purl": "pkg:" + purl, "version": version})
