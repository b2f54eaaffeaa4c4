# SPDX-License-Identifier: Apache-2.0
"""Advisories sent as reports: the shapes that the samples do not show, and that addresses stay data."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearwell.formats import read
from clearwell.formats.csaf import REPORT as CSAF
from clearwell.formats.cve_record import REPORT as CVE
from clearwell.formats.cyclonedx import REPORT as CYCLONEDX
from clearwell.formats.github_advisory import REPORT as GITHUB
from clearwell.formats.osv import REPORT as OSV
from clearwell.formats.vince import REPORT as VINCE
from clearwell.vocabulary.document import Document, ReportFormat
from clearwell.vocabulary.errors import ClearwellError
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.severity import Severity

FORMATS = (OSV, CVE, CSAF, CYCLONEDX, GITHUB, VINCE)


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def only(value: object) -> Finding:
    document = read(js(value), "x")
    assert len(document.findings) == 1, document
    return document.findings[0]


def cve(**cna: Any) -> dict[str, Any]:
    return {"dataVersion": "5.2.0", "cveMetadata": {"cveId": "CVE-2026-1", "state": "PUBLISHED"}, "containers": {"cna": cna}}


def test_a_cve_without_purl_is_named_by_collection_repository_or_vendor() -> None:
    cases: list[tuple[dict[str, Any], Product]] = [
        (
            {"collectionURL": "https://maven.mirror.example/maven2", "packageName": "org.mill:sieve"},
            parse_target("pkg:maven/org.mill/sieve"),
        ),
        ({"collectionURL": "https://pypi.mirror.example/simple", "packageName": "Grain_Sack"}, parse_target("pkg:pypi/grain-sack")),
        (
            {"vendor": "x", "product": "y", "repo": "https://x.example/y", "versions": [{"version": "ab" * 20, "status": "affected"}]},
            parse_target(f"x.example/y@{'ab' * 20}"),
        ),
        ({"vendor": "Acme", "product": "Gate"}, Product(vendor="Acme", model="Gate")),
    ]
    for affected, product in cases:
        assert only(cve(affected=[affected])).product == product
    assert only(cve(affected=[{"vendor": "n/a", "product": "n/a"}], title="x")).product is None


def test_what_the_cna_leaves_open_is_filled_by_another_container() -> None:
    record = cve(title="x", descriptions=[{"lang": "en", "value": "y"}])
    metric = {"cvssV3_1": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
    record["containers"]["adp"] = [{"problemTypes": [{"descriptions": [{"cweId": "CWE-787"}]}], "metrics": [metric]}]

    finding = only(record)

    assert [(w.id, w.origin) for w in finding.weaknesses] == [("CWE-787", "adp[0].problemTypes")]
    assert finding.severity is not None and finding.severity.score == 9.8


def test_a_broken_part_of_a_cve_costs_itself() -> None:
    document = read(js(cve(title="x", affected="none", credits=[{"value": 7}])), "x")

    assert [finding.title for finding in document.findings] == ["x"]
    assert {problem.position for problem in document.problems} == {"containers.cna.affected", "containers.cna.credits"}


def test_dependabot_alerts_and_webhooks_hold_an_advisory() -> None:
    advisory = {"ghsa_id": "GHSA-1", "summary": "s", "references": [{"url": "https://x.example"}], "severity": "high"}
    package = {"package": {"ecosystem": "pip", "name": "mill"}, "vulnerable_version_range": "= 1.0"}
    alert = {"number": 1, "state": "open", "security_advisory": advisory, "security_vulnerability": package}

    assert only([alert]).product == parse_target("pkg:pypi/mill@1.0")
    assert only({"action": "reported", "repository_advisory": advisory}).references == ("https://x.example",)
    assert read(js([{**alert, "state": "fixed"}]), "x").left_out[0].reason.endswith("fixed")


def test_vince_answers_alone_and_in_lists_are_read() -> None:
    assert only({"get_cases": [{"vuid": "1", "title": "t", "summary": "s"}]}).external_id == "VU#1"
    assert only([{"vuid": "VU#2", "title": "t", "content": "Double free."}]).weaknesses[0].id == "CWE-415"
    report = {"product_name": "p", "vul_description": "d", "contact_name": "Jo", "contact_email": "jo@x.example", "credit_release": False}
    assert only(report).credits == ()
    assert "jo@x.example" not in repr(only({**report, "credit_release": True}))


def test_a_csaf_report_of_vince_names_its_product_by_its_branches() -> None:
    version = {"category": "product_version", "name": "1.2"}
    tree = [{"category": "vendor", "name": "A", "branches": [{"category": "product_name", "name": "P", "branches": [version]}]}]
    document = {"publisher": {"name": "Jo"}}

    finding = only({"document": document, "product_tree": {"branches": tree}, "vulnerabilities": [{"title": "t"}]})

    assert finding.product == Product(vendor="A", model="P")
    assert finding.affected == ("A P: 1.2",)


def test_severities_are_copied_the_newest_version_first() -> None:
    record = {"id": "x", "modified": "2026-01-01T00:00:00Z", "summary": "s", "severity": []}
    v2, v3 = "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    for vectors, expected in (([v2, v3], Severity(None, v3, 9.8)), ([v3, v4], Severity(None, v4)), ([v2], Severity(None, v2))):
        assert only({**record, "severity": [{"type": "CVSS", "score": vector} for vector in vectors]}).severity == expected


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "file:///etc/passwd", "https://x.example/a", "\\\\host\\share"])
def test_addresses_stay_text_and_are_never_opened(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing that a report names is opened")

    advisory = {"ghsa_id": "GHSA-1", "summary": "s", "references": [uri]}
    record = {"id": "x", "modified": "2026-01-01T00:00:00Z", "summary": "s", "references": [{"type": "WEB", "url": uri}]}
    read(js(advisory), "x")
    monkeypatch.setattr("socket.socket", refuse)
    monkeypatch.setattr("builtins.open", refuse)

    for value in (advisory, record, cve(title="s", references=[{"url": uri}])):
        assert only(value).references == (uri,)


def leaves() -> st.SearchStrategy[Any]:
    keys = [
        "id", "modified", "cveMetadata", "cveId", "containers", "cna", "affected", "versions", "document", "vulnerabilities",
        "product_tree",
        "branches", "product_status", "known_affected", "bomFormat", "specVersion", "affects", "ref", "ghsa_id", "references", "get_case",
        "get_vuls", "vuid", "title", "name", "description", "severity", "score", "package", "purl", "cwes", "metrics", "credits",
    ]  # fmt: skip
    values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
    values = values | st.sampled_from(["pkg:pypi/x@1", "CycloneDX", "1.6", "CVE-2026-1", "CVSS:3.1/AV:N", "\x00", "=1"])
    return st.recursive(
        values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=5), max_leaves=12
    )


@pytest.mark.parametrize("report", FORMATS, ids=lambda report: report.name)
@settings(max_examples=20)
@given(data=st.data())
def test_any_json_is_read_or_refused_in_words(report: ReportFormat, data: st.DataObject) -> None:
    value = data.draw(leaves())
    sent = js(value)
    recognize: Callable[[bytes, str], str | None] = report.why_not

    assert recognize(sent, "x") is None or recognize(sent, "x")
    try:
        document: Document = report.read(sent, "x", None)
    except ClearwellError as reason:
        assert str(reason)
    else:
        assert document.format == report.name
