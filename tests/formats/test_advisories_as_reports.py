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
from clearwell.vocabulary.errors import ClearwellError, Invalid
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


def graphql(ghsa: str, name: str, span: str, **more: object) -> dict[str, Any]:
    advisory = {
        "ghsaId": ghsa, "identifiers": [{"type": "GHSA", "value": ghsa}, {"type": "CVE", "value": "CVE-2026-7"}], "summary": "XSS in pages",
        "severity": "HIGH", "references": [{"url": "https://x.example/1"}], "cvss": {"vectorString": None, "score": 0.0},
        "cwes": {"nodes": [{"cweId": "CWE-79"}]}, **more,
    }  # fmt: skip
    return {
        "advisory": advisory,
        "package": {"ecosystem": "PIP", "name": name},
        "vulnerableVersionRange": span,
        "firstPatchedVersion": {"identifier": "2.1"},
    }


def test_graphql_gives_an_advisory_for_each_package_and_it_is_one_finding() -> None:
    nodes = [graphql("GHSA-aaaa-bbbb-cccc", "grain", "< 2.1"), graphql("GHSA-aaaa-bbbb-cccc", "grain-core", "= 2.0")]
    gone = graphql("GHSA-dddd-eeee-ffff", "grain", "< 1", withdrawnAt="2026-01-01")
    answer = {"data": {"securityVulnerabilities": {"edges": [{"node": node} for node in [*nodes, gone]], "pageInfo": {}}}}

    document = read(js(answer), "x")

    (one,) = document.findings
    assert (one.external_id, one.aliases, [w.id for w in one.weaknesses]) == ("GHSA-aaaa-bbbb-cccc", ("CVE-2026-7",), ["CWE-79"])
    assert one.product == parse_target("pkg:pypi/grain") and one.severity == Severity("HIGH")
    assert one.affected == ("pkg:pypi/grain: < 2.1; fixed in 2.1", "pkg:pypi/grain-core@2.0: = 2.0; fixed in 2.1")
    assert [part.position for part in document.left_out] == ["data.securityVulnerabilities.edges[2].node"]


def test_graphql_s_alerts_and_advisories_are_read() -> None:
    node = graphql("GHSA-aaaa-bbbb-cccc", "grain", "< 2.1")
    alert = {"securityVulnerability": {k: v for k, v in node.items() if k != "advisory"}, "securityAdvisory": node["advisory"]}
    advisory = {**node["advisory"], "vulnerabilities": {"nodes": [alert["securityVulnerability"]]}}
    answers = [
        {"data": {"repository": {"vulnerabilityAlerts": {"nodes": [alert]}}}},
        {"data": {"securityAdvisories": {"nodes": [advisory]}}},
        {"data": {"securityAdvisory": advisory}},
    ]

    assert {only(answer) for answer in answers} == {only(answers[0])}
    assert only(answers[0]).affected == ("pkg:pypi/grain: < 2.1; fixed in 2.1",)


def test_graphql_s_answer_of_more_objects_than_memory_holds_is_refused_before_it_is_read() -> None:
    lists = b'{"data": {"securityAdvisories": {"nodes": [' + b"[]," * 1_000_001 + b"0]}}}"

    with pytest.raises(Invalid, match="ask GitHub for fewer advisories"):
        read(lists, "x")


def test_what_stands_beside_graphql_s_answer_is_named_and_costs_itself() -> None:
    answer = js({"data": {"securityVulnerabilities": {"nodes": [graphql("GHSA-aaaa-bbbb-cccc", "grain", "< 2.1")]}}})

    document = read(answer + b"\n5\n", "x")

    assert len(document.findings) == 1 and len(document.problems) == 1


def vex(status: dict[str, list[str]], **flaw: Any) -> dict[str, Any]:
    helper = {"product_identification_helper": {"purl": "pkg:rpm/mill/sieve@2.3-1?arch=src"}}
    return {
        "document": {"csaf_version": "2.0", "title": "update of sieve", "tracking": {"id": "MILL-1"}},
        "product_tree": {"full_product_names": [{"product_id": "S", "name": "sieve-2.3-1", **helper}]},
        "vulnerabilities": [{"cve": "CVE-2026-9", "product_status": status, **flaw}],
    }


@pytest.mark.parametrize("standing", ["fixed", "first_fixed", "recommended"])
def test_a_csaf_advisory_that_names_only_the_fix_tells_of_a_flaw(standing: str) -> None:
    """Distributions' updates (Red Hat's `fixed`, SUSE's `recommended`) list no product that is affected."""
    found = only(vex({standing: ["S"], "known_not_affected": ["T"]}))

    assert found.external_id == "CVE-2026-9" and found.product == parse_target("pkg:rpm/mill/sieve")
    assert found.affected == ("fixed in pkg:rpm/mill/sieve@2.3-1",)
    assert found.remarks == ("named only where it is fixed",)


def test_a_csaf_flaw_that_affects_nothing_is_left_out() -> None:
    document = read(js(vex({"known_not_affected": ["S"]})), "x")

    assert document.findings == () and [part.position for part in document.left_out] == ["vulnerabilities[0]"]


def test_a_broken_part_of_a_record_costs_itself() -> None:
    csaf = read(js(vex({"known_affected": ["S"]}, notes="none", cwe="CWE-79: XSS")), "x")
    osv = read(js({"id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "a flaw", "references": 5, "affected": []}), "x")
    github = read(js({"ghsa_id": "GHSA-aaaa-bbbb-cccc", "summary": "a flaw", "cvss": [1]}), "x")

    assert [w.id for w in csaf.findings[0].weaknesses] == ["CWE-79"]
    assert [d.findings[0].title for d in (osv, github)] == ["a flaw"] * 2
    assert [[problem.position for problem in d.problems] for d in (csaf, osv, github)] == [
        ["vulnerabilities[0].notes"],
        ["references"],
        ["cvss"],
    ]


def test_words_of_an_update_for_several_flaws_tell_no_weakness() -> None:
    record = {"id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "sieve update", "details": "Fixes an SQL injection and more."}

    assert [w.id for w in only({**record, "aliases": ["CVE-2026-1"]}).weaknesses] == ["CWE-89"]
    assert only({**record, "related": ["CVE-2026-1", "CVE-2026-2"]}).weaknesses == ()


def test_what_a_cna_writes_for_a_cwe_tells_the_weakness() -> None:
    kinds = [{"descriptions": [{"lang": "en", "description": "Use after free"}]}]

    found = only({**cve(problemTypes=kinds, descriptions=[{"lang": "en", "value": "Allows code execution"}]), "dataVersion": 5.1})

    assert [(w.id, w.source) for w in found.weaknesses] == [("CWE-416", "inferred")]
