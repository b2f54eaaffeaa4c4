# SPDX-License-Identifier: Apache-2.0
"""OSV: records read in all their shapes, advisories written valid by the schema, and both ways round."""

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import osv
from clearwell.vocabulary.advisory import Advisory, Remediation
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.vulnerability import Affected, Turn, VersionRange, Vulnerability

SCHEMA = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parents[3] / "shared")) / "data/schemas/osv-1.7.5.json"
WHEN = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)

POINTS = (("automatable", "no"), ("technical_impact", "total"))


def advisory(**rest: Any) -> Advisory:
    flaw = Vulnerability(
        id="CLEARWELL-2026-0001",
        aliases=("CVE-2026-12345", "GHSA-aaaa-bbbb-cccc"),
        summary="An overflow in the decoder",
        details="A crafted document writes past a buffer.",
        weaknesses=("CWE-787",),
        affected=(
            Affected("pkg:pypi/sample", ("5.1.0",), (VersionRange(None, "5.2.0"), VersionRange("6.0", None, "6.3"))),
            Affected("pkg:npm/%40scope/sample", (), (VersionRange("1.0.0", "1.4.2"),)),
            Affected("pkg:maven/org.example/lib", (), (VersionRange(),)),
            Affected("pkg:golang/example.com/mod", (), (VersionRange(None, "v1.2.3"),)),
            Affected("pkg:deb/debian/sample", (), (VersionRange(None, "1:2.0-1"),), release="12"),
            Affected("pkg:generic/firmware", ("1.0",)),
        ),
        severity=(("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"),),
        references=("https://example.org/advisory",),
    )
    return Advisory(
        id=flaw.id, revision=2, title="sample: overflow in the decoder", vulnerability=flaw, marking=Marking.CLEAR,
        initial_release=WHEN, current_release=WHEN, remediations=(Remediation("vendor_fix", "Update to 5.2.0."),),
        credits=("A. Finder",), **rest,
    )  # fmt: skip


def test_a_written_record_is_valid_by_the_schema() -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    if not SCHEMA.exists():
        pytest.skip("OSV's schema is not at hand: set CLEARWELL_SHARED to the folder that holds data/schemas")
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_bytes()), validate_formats=True)

    for sample in (advisory(), advisory(is_minimal=True), advisory(decision_points=POINTS)):
        assert [str(error) for error in validator.iter_errors(json.loads(osv.write(sample)))] == []


def test_a_written_record_reads_back_as_the_same_ranges() -> None:
    record = osv.read(osv.write(advisory()))

    assert record.id == "x_CLEARWELL-2026-0001"
    assert record.aliases == ("CVE-2026-12345", "GHSA-aaaa-bbbb-cccc")
    assert record.weaknesses == ("CWE-787",)
    assert [entry.component for entry in record.affected] == [
        "pkg:pypi/sample", "pkg:npm/%40scope/sample", "pkg:maven/org.example/lib", "pkg:golang/example.com/mod", "pkg:deb/debian/sample",
    ]  # fmt: skip
    assert [timeline.turns for timeline in record.affected[0].timelines] == [
        (Turn("introduced", "0"), Turn("fixed", "5.2.0")),
        (Turn("introduced", "6.0"), Turn("last_affected", "6.3")),
    ]
    assert record.affected[3].timelines[0].turns == (Turn("introduced", "0"), Turn("fixed", "1.2.3"))
    assert record.affected[4].release == "12"


def test_decision_points_are_written_beside_the_record_and_read_by_nobody() -> None:
    assert json.loads(osv.write(advisory(decision_points=POINTS)))["database_specific"]["ssvc"] == dict(POINTS)
    assert "ssvc" not in json.loads(osv.write(advisory()))["database_specific"]
    assert osv.read(osv.write(advisory(decision_points=POINTS))) == osv.read(osv.write(advisory()))


def test_writing_twice_gives_the_same_bytes() -> None:
    assert osv.write(advisory()) == osv.write(advisory())


@pytest.mark.parametrize(
    ("tracking_id", "written"),
    [
        ("CLEARWELL-2026-0001", "x_CLEARWELL-2026-0001"), ("x_CLEARWELL-1", "x_CLEARWELL-1"), ("CVE-2026-1", "CVE-2026-1"),
        ("GHSA-aaaa-bbbb-cccc", "GHSA-aaaa-bbbb-cccc"), ("CVEX-1", "x_CVEX-1"),
    ],
)  # fmt: skip
def test_an_id_without_a_registered_prefix_gets_the_prefix_for_the_unregistered(tracking_id: str, written: str) -> None:
    assert osv.osv_id(tracking_id) == written


def read(**fields: Any) -> Vulnerability:
    return osv.read(json.dumps({"id": "X-1", "modified": "2026-01-01T00:00:00Z", **fields}).encode())


def test_nulls_and_missing_fields_are_empty() -> None:
    record = read(aliases=None, affected=None, references=None, severity=None)

    assert (record.aliases, record.affected, record.references, record.severity) == ((), (), (), ())


def test_ecosystem_and_name_decide_and_the_purl_where_the_ecosystem_is_not_known() -> None:
    record = read(
        affected=[
            {"package": {"ecosystem": "PyPI", "name": "Some.Name", "purl": "pkg:pypi/other"}},
            {"package": {"ecosystem": "Bitnami", "name": "x", "purl": "pkg:bitnami/x"}},
            {"package": {"ecosystem": "Unheard", "name": "x"}},
            {"ranges": [{"type": "GIT", "repo": "https://example.org/r", "events": [{"introduced": "0"}]}]},
        ]
    )

    assert [entry.component for entry in record.affected] == ["pkg:pypi/some-name", "pkg:bitnami/x"]


def test_weaknesses_are_read_where_github_keeps_them_and_any_other_content_is_passed_over() -> None:
    assert read(database_specific={"cwe_ids": ["CWE-79", 5], "severity": "HIGH"}).weaknesses == ("CWE-79",)
    stated = ({"CWE": {"id": "CWE-79", "desc": "x"}}, {"cwes": [{"cweId": "CWE-79"}]}, {"cwe": "CWE-79"})
    assert [read(database_specific=one).weaknesses for one in stated] == [("CWE-79",)] * 3
    assert [read(database_specific=odd).weaknesses for odd in (None, [], "x", {"cwe_ids": {"of": 1}})] == [(), (), (), ()]


def test_an_old_event_with_two_kinds_reads_as_two() -> None:
    package = {"ecosystem": "PyPI", "name": "a"}
    record = read(affected=[{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1", "fixed": "2"}]}]}])

    assert record.affected[0].timelines[0].turns == (Turn("introduced", "1"), Turn("fixed", "2"))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"id": 1, "modified": ""}', b'{"id": "", "modified": ""}', b"\xff", b"[" * 100_000])
def test_what_is_no_record_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(Invalid, match="OSV record"):
        osv.read(data)


@given(st.binary(max_size=200) | st.recursive(st.text() | st.integers() | st.none(), st.lists).map(lambda x: json.dumps(x).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Invalid):
        osv.read(data)


def test_what_is_of_another_registry_is_not_published_as_the_public_package_of_its_name() -> None:
    component = "pkg:npm/pump?repository_url=npm.corp.example"
    flaw = Vulnerability(id="X-1", affected=(Affected(component, ("1.0.0",)),))
    (affected,) = json.loads(osv.write(msgspec.structs.replace(advisory(), vulnerability=flaw)))["affected"]

    assert "package" not in affected
    assert affected["database_specific"] == {"purl": component}
