# SPDX-License-Identifier: Apache-2.0
"""Advisories from files: OSV and CSAF in every packing, one per id, found by component, broken ones named."""

import gzip
import json
from typing import Any

import pytest

from clearwell.inventory.advisories import Advisories, AdvisoryDocument, read_advisories
from clearwell.vocabulary.component import Component, identify
from clearwell.vocabulary.errors import Invalid


def osv(name: str = "X-1", modified: str = "2026-01-01T00:00:00Z", package: str = "sample", **rest: Any) -> dict[str, Any]:
    return {
        "id": name,
        "modified": modified,
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "versions": ["1.0"]}],
        **rest,
    }


def csaf(name: str, modified: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    product = {"product_id": "A", "name": "A", "product_identification_helper": {"purl": "pkg:pypi/sample@1.0"}}
    return {
        "document": {"tracking": {"id": name, "current_release_date": modified}, "title": "t"},
        "product_tree": {"full_product_names": [product]},
        "vulnerabilities": [{"product_status": {"known_affected": ["A"]}}],
    }


def read(content: Any, name: str = "x.json") -> list[AdvisoryDocument | Invalid]:
    return list(read_advisories(content if isinstance(content, bytes) else json.dumps(content).encode(), name))


LINES = "\n".join(json.dumps(osv(f"X-{n}")) for n in (1, 2)).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ([osv("X-1"), osv("X-2")], "x.json"), ({"vulns": [osv("X-1"), osv("X-2")]}, "x.json"), (LINES, "x.jsonl"),
        (gzip.compress(LINES), "x.jsonl.gz"), ([osv("X-1"), csaf("X-2")], "x.json"),
        (gzip.compress(json.dumps([osv("X-1"), osv("X-2")]).encode()), "x.json.gz"),
    ],
)  # fmt: skip
def test_advisories_are_read_in_every_packing(content: Any, name: str) -> None:
    assert [found.id for found in read(content, name) if isinstance(found, AdvisoryDocument)] == ["X-1", "X-2"]


def test_a_broken_line_is_named_and_the_others_are_read() -> None:
    found = read(b'{"id": "X-1"}\n' + LINES, "feed.jsonl")

    assert isinstance(found[0], Invalid)
    assert str(found[0]).startswith("feed.jsonl:1: ")
    assert len(found) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"\x1f\x8bbroken", {"some": "json"}, gzip.compress(b"{}")[:-4]], ids=range(6))
def test_what_is_no_advisory_is_an_error_with_its_place(content: Any) -> None:
    (found,) = read(content, "odd.json")

    assert str(found).startswith("odd.json: ")


@pytest.mark.parametrize(
    "content",
    [{"canonical_url": "", "metadata_version": "2.0"}, {"feed": {}}, {"catalogVersion": "1", "vulnerabilities": []},
     {"payload": "", "payloadType": "", "signatures": []}],
)  # fmt: skip
def test_the_files_that_stand_beside_advisories_in_a_feed_are_passed_over(content: Any) -> None:
    assert read(content) == []


def advisories(*documents: dict[str, Any]) -> Advisories:
    kept = Advisories()
    for found in read(list(documents)):
        assert isinstance(found, AdvisoryDocument)
        kept.add(found)
    return kept


def test_of_one_id_the_document_modified_last_counts_in_either_order() -> None:
    old, new = osv(modified="2026-01-01T00:00:00Z", package="old"), osv(modified="2026-01-01T00:00:00.5Z", package="new")

    for kept in (advisories(old, new), advisories(new, old)):
        assert len(kept) == 1
        assert kept.naming(identify("pkg:pypi/old@1")) == ()
        assert [found.id for found in kept.naming(identify("pkg:pypi/new@1"))] == ["X-1"]


def test_one_advisory_published_as_osv_and_as_csaf_counts_once() -> None:
    for kept in (advisories(osv("x_HUB-1"), csaf("HUB-1")), advisories(csaf("HUB-1"), osv("x_HUB-1"))):
        assert [found.format for found in kept.naming(identify("pkg:pypi/sample@1.0"))] == ["osv"]


def test_components_are_found_by_name_when_they_have_no_package_url() -> None:
    kept = advisories(osv("X-1"), osv("X-2", package="other"))

    assert [found.id for found in kept.naming(Component("Sample"))] == ["X-1"]
    assert kept.naming(Component("unheard-of")) == ()
