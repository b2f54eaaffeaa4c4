# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0: advisories written valid by schema and mandatory tests, and documents of others read for matching."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearwell.formats import csaf
from clearwell.inventory.matching import match
from clearwell.vocabulary.advisory import Advisory, Remediation
from clearwell.vocabulary.component import identify
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.vulnerability import Affected, VersionRange, Vulnerability

SCHEMAS = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parents[3] / "shared")) / "data/schemas"
WHEN = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
PUBLISHER = csaf.Publisher("Example Hub", "https://hub.example.org", contact_details="desk@hub.example.org")
HISTORY = tuple(csaf.Revision(n, WHEN + timedelta(days=n - 1), f"Revision {n}.") for n in (1, 2, 3))


def advisory(**changes: Any) -> Advisory:
    flaw = Vulnerability(
        id="CLEARWELL-2026-0001",
        aliases=("CVE-2026-12345", "CVE-2026-99999", "GHSA-aaaa-bbbb-cccc"),
        summary="An overflow in the decoder",
        details="A crafted document writes past a buffer.",
        weaknesses=("CWE-787", "CWE-190"),
        affected=(
            Affected("pkg:pypi/sample", ("5.1.0", "5.0.0"), (VersionRange(None, "5.2.0"), VersionRange("6.0", None, "6.3"))),
            Affected(
                "pkg:npm/%40scope/sample", (), (VersionRange("1.0.0", "1.4.2"), VersionRange("2.0.0", "2.0.1+x")), not_affected=("3.0.0",)
            ),
        ),
        severity=(("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"),),
        references=("https://example.org/advisory",),
    )
    made = Advisory(
        id=flaw.id, revision=1, title="sample: overflow in the decoder", vulnerability=flaw, marking=Marking.CLEAR,
        initial_release=WHEN, current_release=WHEN, credits=("A. Finder",),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def minimal() -> Advisory:
    flaw = Vulnerability("CLEARWELL-2026-0002", weaknesses=("CWE-99999",), affected=(Affected("pkg:pypi/sample"),))
    return advisory(id=flaw.id, vulnerability=flaw, is_minimal=True, credits=())


SAMPLES = {
    "first": lambda: csaf.write(advisory(), PUBLISHER),
    "revised": lambda: csaf.write(advisory(revision=3, current_release=HISTORY[-1].date), PUBLISHER, HISTORY),
    "remedied": lambda: csaf.write(advisory(remediations=(Remediation("workaround", "Switch it off."),)), PUBLISHER),
    "strict": lambda: csaf.write(advisory(marking=Marking.AMBER_STRICT), PUBLISHER),
    "minimal": lambda: csaf.write(minimal(), PUBLISHER),
    "described": lambda: csaf.write(advisory(decision_points=(("automatable", "no"), ("technical_impact", "total"))), PUBLISHER),
    "revised twice": lambda: csaf.write(
        advisory(revision=3, current_release=HISTORY[2].date, revised=(HISTORY[1].date, HISTORY[2].date)), PUBLISHER
    ),
}


@pytest.fixture(params=list(SAMPLES))
def document(request: pytest.FixtureRequest) -> Any:
    return json.loads(SAMPLES[request.param]())


def test_a_written_advisory_is_valid_by_the_schema(document: Any) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    if not (SCHEMAS / "csaf-2.0.json").exists():
        pytest.skip("CSAF's schema is not at hand: set CLEARWELL_SHARED to the folder that holds data/schemas")
    first = SCHEMAS / "csaf-2.0-referenced/first"
    known = {
        f"https://www.first.org/cvss/{name}.json": json.loads((first / f"{name}.json").read_bytes())
        for name in ("cvss-v2.0", "cvss-v3.0", "cvss-v3.1")
    }

    validator = jsonschema_rs.validator_for(
        json.loads((SCHEMAS / "csaf-2.0.json").read_bytes()), retriever=known.__getitem__, validate_formats=True
    )

    assert [str(error) for error in validator.iter_errors(document)] == []


def products(branches: list[Any]) -> Iterator[tuple[Any, Any]]:
    for branch in branches:
        if "product" in branch:
            yield branch, branch["product"]
        yield from products(branch.get("branches", []))


def test_a_written_advisory_passes_the_mandatory_tests_that_apply(document: Any) -> None:
    defined = [product["product_id"] for _, product in products(document["product_tree"]["branches"])]
    flaw = document["vulnerabilities"][0]
    status = flaw["product_status"]
    used = [product_id for listed in status.values() for product_id in listed]
    stepped = [product_id for step in flaw.get("remediations", []) for product_id in step["product_ids"]]
    tracking = document["document"]["tracking"]
    history = tracking["revision_history"]

    assert set(used) | set(stepped) <= set(defined), "6.1.1"
    assert max(Counter(defined).values()) == 1, "6.1.2"
    assert max(Counter(used).values()) == 1, "6.1.6"
    assert all(
        PackageURL.from_string(p["product_identification_helper"]["purl"]) for _, p in products(document["product_tree"]["branches"])
    )
    assert [line["date"] for line in history] == sorted(line["date"] for line in history), "6.1.14"
    assert tracking["version"] == history[-1]["number"], "6.1.16"
    assert (tracking["status"], "0" in {line["number"] for line in history}) == ("final", False), "6.1.17, 6.1.18"
    assert [line["number"] for line in history] == [str(n) for n in range(1, len(history) + 1)], "6.1.21, 6.1.22"
    assert tracking["current_release_date"] == history[-1]["date"]
    assert flaw["notes"] and document["document"]["category"] == "csaf_security_advisory", "6.1.26, 6.1.27"
    assert all(step["product_ids"] for step in flaw.get("remediations", [])), "6.1.29"
    single = [branch["name"] for branch, _ in products(document["product_tree"]["branches"]) if branch["category"] == "product_version"]
    assert not any(re.search(r"[<>=]|\b(after|all|before|earlier|later|prior|versions)\b", name) for name in single), "6.1.31"


def test_score_and_weakness_are_written_with_their_names() -> None:
    flaw = json.loads(SAMPLES["first"]())["vulnerabilities"][0]

    assert flaw["cve"] == "CVE-2026-12345"
    assert flaw["cwe"] == {"id": "CWE-787", "name": "Out-of-bounds Write"}
    assert flaw["scores"][0]["cvss_v3"]["baseScore"] == 8.8
    assert flaw["scores"][0]["cvss_v3"]["baseSeverity"] == "HIGH"
    assert {"system_name": "CVE", "text": "CVE-2026-99999"} in flaw["ids"]
    assert flaw["remediations"][0]["details"] == "Update to sample 5.2.0 or @scope/sample 1.4.2 or @scope/sample 2.0.1+x, or later."


def test_decision_points_are_a_note_and_kept_dates_the_history() -> None:
    notes = json.loads(SAMPLES["described"]())["vulnerabilities"][0]["notes"]
    tracking = json.loads(SAMPLES["revised twice"]())["document"]["tracking"]

    assert notes[-1] == {"category": "other", "title": "SSVC decision points", "text": "automatable: no; technical impact: total"}
    assert [line["date"][:10] for line in tracking["revision_history"]] == [f"{revision.date:%Y-%m-%d}" for revision in HISTORY]
    assert csaf.read(SAMPLES["described"]()) == csaf.read(SAMPLES["first"]())


def test_a_marking_is_never_lowered() -> None:
    written = json.loads(SAMPLES["strict"]())["document"]["distribution"]

    assert written["tlp"]["label"] == "RED"
    assert "TLP:AMBER+STRICT" in written["text"]


@pytest.mark.parametrize("history", [(), HISTORY[:2], HISTORY[1:], (HISTORY[2], HISTORY[1], HISTORY[0])])
def test_a_history_with_gaps_is_refused(history: tuple[csaf.Revision, ...]) -> None:
    with pytest.raises(Invalid, match="revision"):
        csaf.write(advisory(revision=3), PUBLISHER, history)


@pytest.mark.parametrize(
    ("purl", "status", "fixed"),
    [
        ("pkg:pypi/sample@5.1.0", "affected", "5.2.0"), ("pkg:pypi/sample@4.9", "affected", "5.2.0"),
        ("pkg:pypi/sample@5.2.0", "not_affected", None), ("pkg:pypi/sample@5.3", "not_affected", None),
        ("pkg:pypi/sample@6.3", "affected", None), ("pkg:npm/%40scope/sample@1.4.1", "affected", "1.4.2"),
        ("pkg:npm/%40scope/sample@2.0.0", "affected", "2.0.1+x"), ("pkg:npm/%40scope/sample@3.0.0", "not_affected", None),
    ],
)  # fmt: skip
def test_what_is_written_matches_when_read_back(purl: str, status: str, fixed: str | None) -> None:
    (flaw,) = csaf.read(SAMPLES["first"]())

    found = match(identify(purl), flaw)

    assert found is not None
    assert (found.status, found.fixed) == (status, fixed), found.why


def test_a_minimal_advisory_reads_back_as_unknown() -> None:
    (flaw,) = csaf.read(SAMPLES["minimal"]())

    assert match(identify("pkg:pypi/sample@1.0"), flaw).status == "unknown"  # type: ignore[union-attr]


def foreign(status: dict[str, list[str]], **tree: Any) -> bytes:
    tracking = {"id": "ESA-1", "current_release_date": "2026-01-02T00:00:00Z"}
    flaw = {"cve": "CVE-2026-1", "product_status": status}
    return json.dumps({"document": {"tracking": tracking, "title": "t"}, "product_tree": tree, "vulnerabilities": [flaw]}).encode()


def full_name(product_id: str, purl: str | None) -> dict[str, Any]:
    return {"product_id": product_id, "name": product_id} | ({"product_identification_helper": {"purl": purl}} if purl else {})


def test_versions_come_from_the_purl_or_from_the_branch_above() -> None:
    tree = [
        {"category": "vendor", "name": "v", "branches": [
            {"category": "product_version", "name": "1.0", "product": full_name("A", "pkg:pypi/sample")},
            {"category": "product_version", "name": "sample-1.1", "product": full_name("B", "pkg:pypi/sample@1.1")},
            {"category": "product_version_range", "name": "vers:pypi/>=2.0|<2.2", "product": full_name("C", "pkg:pypi/sample")},
            {"category": "product_version", "name": "9", "product": full_name("D", None)},
        ]},
    ]  # fmt: skip

    (flaw,) = csaf.read(foreign({"known_affected": ["A", "C", "D", "missing"], "fixed": ["B"]}, branches=tree))

    (entry,) = flaw.affected
    assert (entry.versions, entry.fixed, entry.ranges) == (("1.0",), ("1.1",), (VersionRange("2.0", "2.2"),))
    assert flaw.id == "ESA-1"
    assert flaw.aliases == ("CVE-2026-1",)


def test_a_part_installed_on_a_platform_counts_as_the_part() -> None:
    names = [full_name("part", "pkg:rpm/redhat/sample@1.0-1?epoch=2"), full_name("platform", None)]
    related = [{"category": "default_component_of", "full_product_name": full_name("both", None),
                "product_reference": "part", "relates_to_product_reference": "platform"}]  # fmt: skip

    (flaw,) = csaf.read(foreign({"known_affected": ["both"]}, full_product_names=names, relationships=related))

    assert flaw.affected[0].component == "pkg:rpm/redhat/sample"
    assert flaw.affected[0].versions == ("2:1.0-1",)


@pytest.mark.parametrize(
    ("text", "single", "ranges", "excluded"),
    [
        ("vers:pypi/>=1.0|<1.5", (), (VersionRange("1.0", "1.5"),), ()),
        ("vers:pypi/<1.5", (), (VersionRange(None, "1.5"),), ()),
        ("vers:npm/1.0.0|1.1.0", ("1.0.0", "1.1.0"), (), ()),
        ("vers:npm/>1.0.0|<=2.0.0|!=1.5.0", (), (VersionRange("1.0.0", None, "2.0.0"),), ("1.0.0", "1.5.0")),
        ("vers:deb/>=1%3A2.0-1", (), (VersionRange("1:2.0-1"),), ()),
        ("vers:pypi/*", (), (VersionRange(),), ()),
        (">=1.0, <1.5", (), (VersionRange("1.0", "1.5"),), ()),
        ("< 4.4", (), (VersionRange(None, "4.4"),), ()),
        ("all versions before 4.4", (), (VersionRange("all versions before 4.4"),), ()),
    ],
)
def test_ranges_are_read_in_vers_and_in_plain_comparisons(text: str, single: Any, ranges: Any, excluded: Any) -> None:
    assert csaf.parse_range(text) == (single, ranges, excluded)


def test_a_range_in_prose_leaves_the_answer_unknown() -> None:
    tree = [{"category": "product_version_range", "name": "all before 4.4", "product": full_name("A", "pkg:pypi/sample")}]
    (flaw,) = csaf.read(foreign({"known_affected": ["A"]}, branches=tree))

    assert match(identify("pkg:pypi/sample@1.0"), flaw).status == "unknown"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "expected"), [("known_not_affected", "not_affected"), ("under_investigation", "unknown"), ("known_affected", "affected")]
)
def test_a_product_without_a_version_is_meant_as_a_whole(status: str, expected: str) -> None:
    (flaw,) = csaf.read(foreign({status: ["A"]}, full_product_names=[full_name("A", "pkg:pypi/sample")]))

    assert match(identify("pkg:pypi/sample@1.0"), flaw).status == expected  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"document": {}}', b"\xff\xfe", b'{"document":' * 50_000])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        csaf.read(data)


@given(st.text(alphabet="vers:pi/<>=!|*, 1.0%", max_size=60))
def test_any_text_of_a_range_is_read(text: str) -> None:
    csaf.parse_range(text)


def test_a_product_keeps_the_registry_that_its_package_url_names() -> None:
    flaw = Vulnerability(
        id="X-1", affected=(Affected("pkg:npm/pump?repository_url=npm.corp.example", ("1.0.0",)), Affected("pkg:npm/other"))
    )
    written = csaf.write(msgspec.structs.replace(advisory(), vulnerability=flaw), PUBLISHER).decode()

    assert '"pkg:npm/pump@1.0.0?repository_url=npm.corp.example"' in written
    assert '"pkg:npm/other"' in written
