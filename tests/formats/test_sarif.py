# SPDX-License-Identifier: Apache-2.0
"""SARIF: where tools put weaknesses, places and messages; broken parts beside good ones; documents that are hardly SARIF."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats.sarif import read, why_not
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import parse_target


def log(*results: Any, **run: Any) -> bytes:
    tool = run.pop("tool", {"driver": {"name": "grinder"}})
    return json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": list(results), **run}]}).encode()


def only(data: bytes) -> Finding:
    document = read(data, "x.sarif", None)
    assert len(document.findings) == 1, document
    return document.findings[0]


def weaknesses(finding: Finding) -> list[tuple[str, str, str | None]]:
    return [(weakness.id, weakness.source, weakness.origin) for weakness in finding.weaknesses]


def rules(*each: dict[str, Any]) -> dict[str, Any]:
    return {"driver": {"name": "grinder", "rules": list(each)}}


@pytest.mark.parametrize(
    ("result", "rule", "expected"),
    [
        ({"properties": {"cwe": "CWE-79: Cross-site scripting"}}, {}, ("CWE-79", "stated", "result.properties.cwe")),
        ({"properties": {"cweIds": [89, "90"]}}, {}, ("CWE-89", "stated", "result.properties.cweIds")),
        ({"properties": {"metadata": {"cwe": ["CWE-502"]}}}, {}, ("CWE-502", "stated", "result.properties.metadata.cwe")),
        ({}, {"properties": {"tags": ["external/cwe/cwe-0022"]}}, ("CWE-22", "stated", "rule.properties.tags")),
        ({}, {"helpUri": "https://cwe.mitre.org/data/definitions/190.html"}, ("CWE-190", "stated", "rule.helpUri")),
        ({}, {"shortDescription": {"text": "An overflow (CWE-120)."}}, ("CWE-120", "stated", "rule.shortDescription")),
        ({}, {"relationships": [{"target": {"id": "CWE-611"}}]}, ("CWE-611", "stated", "rule.relationships")),
        ({"message": {"text": "see CWE-295"}}, {}, ("CWE-295", "stated", "result.message")),
    ],
)
def test_a_weakness_is_found_wherever_tools_put_it(result: dict[str, Any], rule: dict[str, Any], expected: tuple[str, str, str]) -> None:
    data = log({"ruleId": "R1", "message": {"text": "m"}, **result}, tool=rules({"id": "R1", **rule}))

    assert weaknesses(only(data))[0] == expected


def test_a_weakness_that_nobody_states_is_inferred_and_says_from_what() -> None:
    data = log({"ruleId": "java.audit.ldap-injection", "message": {"text": "m"}})

    assert weaknesses(only(data)) == [("CWE-90", "inferred", "rule id says 'ldap injection': input reaches an LDAP filter")]


def test_code_in_quotes_is_not_read_as_the_tools_words() -> None:
    data = log({"ruleId": "unused-import", "message": {"text": "Import of 'sql_injection' is not used."}})

    assert only(data).weaknesses == ()


def test_a_name_stays_within_its_base_and_never_climbs_out() -> None:
    bases = {"ROOT": {"uri": "file:///home/jo/app/"}}
    cases = {
        "file:///home/jo/app/src/a%20b.c": "src/a b.c",
        "../../etc/passwd": "etc/passwd",
        "file:///etc/passwd": "etc/passwd",
        "C:\\work\\x.c": "C:/work/x.c",
        "src/./a/../b.c": "src/b.c",
        "javascript:alert(1)": "javascript:alert(1)",
    }
    for uri, name in cases.items():
        data = log(
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]}, originalUriBaseIds=bases
        )

        assert only(data).locations[0].file == name


def test_a_document_names_its_product_and_a_target_fills_only_the_gap() -> None:
    provenance = [{"repositoryUri": "https://example.org/mill.git", "revisionId": "ab" * 20}]
    target = parse_target("pkg:pypi/mill@1.0")

    named = read(log({"message": {"text": "m"}}, versionControlProvenance=provenance), "x", target)
    unnamed = read(log({"message": {"text": "m"}}), "x", target)

    assert named.findings[0].product == parse_target(f"example.org/mill@{'ab' * 20}")
    assert unnamed.findings[0].product == target


def test_a_broken_result_is_listed_with_its_position_and_the_good_ones_stay() -> None:
    good = {"ruleId": "R", "message": {"text": "good"}}
    document = read(log(good, {"message": 3}, good, {"message": {"text": "x"}, "locations": {}}), "x", None)

    assert [finding.message for finding in document.findings] == ["good", "good"]
    assert [problem.position for problem in document.problems] == ["runs[0].results[1]", "runs[0].results[3]"]


def test_a_broken_tool_costs_its_name_and_not_its_results() -> None:
    document = read(log({"ruleId": "R", "message": {"text": "good"}}, tool={"driver": {"name": 7}}), "x", None)

    assert len(document.findings) == 1
    assert document.problems[0].position == "runs[0].tool.driver.name"


def test_a_truncated_log_keeps_the_whole_results_before_the_break() -> None:
    data = log(*({"ruleId": f"R{n}", "message": {"text": "m" * 50}} for n in range(20)))

    document = read(data[: len(data) * 2 // 3], "x", None)

    assert 8 <= len(document.findings) < 20
    assert document.tool == "grinder"
    assert "breaks off" in document.problems[-1].reason


def test_what_asserts_no_flaw_is_left_out_and_named() -> None:
    passed = {"ruleId": "R", "kind": "pass", "message": {"text": "fine"}}
    gone = {"ruleId": "R", "baselineState": "absent", "message": {"text": "gone"}}
    document = read(log(passed, gone, {"ruleId": "R", "message": {"text": "m"}, "suppressions": [{"kind": "inSource"}]}), "x", None)

    assert [finding.remarks for finding in document.findings] == [("suppressed: inSource",)]
    assert [part.position for part in document.left_out] == ["runs[0].results[0]", "runs[0].results[1]"]


def test_results_in_external_files_are_refused_in_words() -> None:
    external = {"results": [{"location": {"uri": "https://example.org/results.sarif-external-properties"}}]}
    document = read(log(externalPropertyFileReferences=external), "x", None)

    assert "never fetched" in document.problems[0].reason


@pytest.mark.parametrize("runs", ["[]", "null", "[ ]"])
def test_a_log_of_no_run_says_that_nothing_was_scanned(runs: str) -> None:
    data = f'{{"version": "2.1.0", "runs": {runs}}}'.encode()

    assert why_not(data, "x") is None and why_not(b'{"runs": []}', "x") is not None
    assert (read(data, "x", None).findings, read(data, "x", None).problems) == ((), ())


def test_an_old_version_is_refused() -> None:
    with pytest.raises(Invalid, match="is read"):
        read(b'{"version": "1.0.0", "runs": [{"tool": {}, "results": []}]}', "x", None)


def test_bytes_that_are_no_utf8_are_shown_and_reported() -> None:
    document = read(log({"message": {"text": "caf@"}}).replace(b"@", b"\xe9"), "x", None)

    assert document.findings[0].message == "caf\ufffd"
    assert "UTF-8" in document.problems[0].reason


def test_severity_keeps_the_tools_level_and_score() -> None:
    tool = rules({"id": "R", "defaultConfiguration": {"level": "error"}, "properties": {"security-severity": "9.8"}})

    severity = only(log({"ruleId": "R", "message": {"text": "m"}}, tool=tool)).severity

    assert severity is not None
    assert (severity.level, severity.score) == ("error", 9.8)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "text", "locations", "properties", "ruleIndex", "rule", "id", "uri"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(st.lists(json_values, max_size=4), json_values)
def test_any_json_in_a_results_place_is_read_or_listed(results: list[Any], artifacts: Any) -> None:
    try:
        document: Document = read(json.dumps({"runs": [{"results": results, "artifacts": artifacts}]}).encode(), "x", None)
    except ClearwellError:
        return
    assert len(document.findings) <= len(results)


def underscored(value: Any) -> Any:
    """A log as Python's object model of SARIF prints it: keys with underscores."""
    if isinstance(value, dict):
        return {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", key): underscored(part) for key, part in value.items()}
    return [underscored(part) for part in value] if isinstance(value, list) else value


def test_keys_with_underscores_are_read_as_meant_and_said_to_be_none_of_sarif() -> None:
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "a/b.py"}, "region": {"startLine": 7, "snippet": {"text": 'x = {"rule_id": 1}'}}}
    }
    rule = {"id": "r", "shortDescription": {"text": "t"}, "properties": {"tags": ["CWE-89"]}}
    told = {"ruleId": "r", "message": {"text": "see physical_location"}, "locations": [place], "partialFingerprints": {"k": "v"}}
    plain = log(told, tool=rules(rule))

    document = read(json.dumps(underscored(json.loads(plain))).encode(), "x", None)

    assert document.findings == (only(plain),)
    assert ["underscores" in part.reason for part in document.left_out] == [True]


def test_a_scanner_of_packages_names_flaw_and_package() -> None:
    rule = {"id": "CVE-2026-1234-libsieve", "name": "GHSA-2222-3333-4444", "properties": {"purls": ["pkg:deb/debian/libsieve@1.2"]}}
    text = "Package: libsieve\nInstalled Version: 1.2\nVulnerability CVE-2026-1234\nSeverity: HIGH\nFixed Version: 1.3\nLink: x"
    by_rule, by_words = (
        only(log({"ruleId": rule["id"], "message": {"text": "m"}}, tool=rules(rule))),
        only(log({"message": {"text": text}})),
    )
    several = only(log({"ruleId": "r", "message": {"text": "m"}, "properties": {"purls": ["pkg:npm/a@1", "pkg:npm/b@1"]}}))

    assert by_rule.aliases == ("CVE-2026-1234", "GHSA-2222-3333-4444") and by_rule.product == parse_target("pkg:deb/debian/libsieve@1.2")
    assert by_words.affected == ("libsieve: 1.2; fixed in 1.3",)
    assert several.product is None


@pytest.mark.parametrize(
    ("tool", "rule", "cwe"),
    [
        ("Psalm", {"id": "205", "name": "TaintedHtml"}, "CWE-79"),
        ("Coverity", {"id": "FORWARD_NULL"}, "CWE-476"),
        ("Infer", {"id": "THREAD_SAFETY_VIOLATION"}, "CWE-362"),
        ("zizmor", {"id": "zizmor/template-injection"}, "CWE-94"),
        ("ruff", {"id": "S602"}, "CWE-78"),
    ],
)
def test_rules_of_tools_that_state_no_weakness_are_known(tool: str, rule: dict[str, Any], cwe: str) -> None:
    found = only(log({"ruleId": rule["id"], "message": {"text": "m"}}, tool={"driver": {"name": tool, "rules": [rule]}}))

    assert [(w.id, w.source) for w in found.weaknesses] == [(cwe, "inferred")]


def test_what_a_linter_explains_at_length_is_no_weakness_of_its_rule() -> None:
    about = (
        "Checks for zip() without strict=. "
        + "This is about style and nothing else. " * 9
        + "Otherwise lists are truncated to the length of the shortest."
    )
    linter = {"driver": {"name": "ruff", "rules": [{"id": "B602", "fullDescription": {"text": about}}]}}

    assert only(log({"ruleId": "B602", "message": {"text": "m"}}, tool=linter)).weaknesses == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"id": "RUSTSEC-2021-0078"}, ("RUSTSEC-2021-0078",)),
        ({"id": "GO-2021-0265", "properties": {"tags": ["CVE-2021-42248", "security"]}}, ("GO-2021-0265", "CVE-2021-42248")),
        ({"id": "CVE-2022-24713", "deprecatedIds": ["CVE-2022-24713", "GHSA-m5pq-gvj9-9vr8"]}, ("CVE-2022-24713", "GHSA-m5pq-gvj9-9vr8")),
        ({"id": "SNYK-JS-HOPPER-1", "fullDescription": {"text": "(CVE-2020-8203) hopper@4.17.15"}}, ("CVE-2020-8203",)),
        ({"id": "r", "fullDescription": {"text": "An incomplete fix of CVE-2020-8203."}}, ()),
        ({"id": "r", "properties": {"tags": ["like CVE-2021-42248 of old"]}}, ()),
    ],
)
def test_a_flaws_other_ids_are_aliases_wherever_scanners_of_packages_keep_them(rule: dict[str, Any], expected: tuple[str, ...]) -> None:
    finding = only(log({"ruleId": rule["id"], "message": {"text": "m"}}, tool=rules(rule)))

    assert finding.aliases == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Package 'sieve@1.3.1' is vulnerable to 'CVE-2022-24713'.", ("sieve: 1.3.1",)),
        ("Package '@hop/sieve@1.3.1' is vulnerable to 'CVE-2022-24713'.", ("@hop/sieve: 1.3.1",)),
        ("sieve 0.13.5 is vulnerable to RUSTSEC-2021-0078 (slow)", ("sieve: 0.13.5",)),
        ("the parser is vulnerable to long input", ()),
    ],
)
def test_what_a_scanner_of_packages_says_is_vulnerable_is_affected(message: str, expected: tuple[str, ...]) -> None:
    assert only(log({"ruleId": "r", "message": {"text": message}})).affected == expected


@pytest.mark.parametrize(
    ("message", "cwe"),
    [
        ("Attempt to free released memory", "CWE-415"),
        ("Use of memory after it is freed", "CWE-416"),
        ("Potential leak of memory pointed to by 'q'", "CWE-401"),
        ("Something else about 'q'", "CWE-401"),
    ],
)
def test_a_rule_that_stands_for_several_weaknesses_leaves_it_to_its_message(message: str, cwe: str) -> None:
    rule = {"id": "unix.Malloc", "fullDescription": {"text": "Check for memory leaks, double free, and use-after-free problems."}}
    data = log({"ruleId": "unix.Malloc", "message": {"text": message}}, tool={"driver": {"name": "clang", "rules": [rule]}})

    assert [(weakness.id, weakness.source) for weakness in only(data).weaknesses] == [(cwe, "inferred")]


@pytest.mark.parametrize(
    ("tool", "rule", "message", "cwe"),
    [
        ("Trivy", {"id": "aws-access-key-id", "name": "Secret"}, "Secret AWS Access Key ID", "CWE-798"),
        ("Checkov", {"id": "CKV_SECRET_2", "name": "AWS Access Key"}, "AWS Access Key", "CWE-798"),
        ("gitleaks", {"id": "aws-access-token"}, "aws-access-token has detected secret for file x.py.", "CWE-798"),
        ("Trivy", {"id": "DS002", "shortDescription": {"text": "Image user should not be root"}}, "m", "CWE-250"),
        ("Hadolint", {"id": "DL3002"}, "Last USER should not be root", "CWE-250"),
        ("clippy", {"id": "clippy::cast_possible_truncation"}, "casting `u64` to `u32`", "CWE-197"),
        ("clang-tidy", {"id": "bugprone-sizeof-expression"}, "suspicious usage", "CWE-467"),
        ("RuboCop", {"id": "Security/Eval"}, "The use of `eval` is a serious security risk.", "CWE-95"),
        (
            "Klocwork",
            {"id": "N", "shortDescription": {"text": "Result of function that may return NULL will be dereferenced"}},
            "m",
            "CWE-476",
        ),
        ("Klocwork", {"id": "U", "shortDescription": {"text": "Use of free memory (access) - possible"}}, "m", "CWE-416"),
        ("staticcheck", {"id": "SA5011"}, "possible nil pointer dereference", "CWE-476"),
        ("golangci-lint", {"id": "errcheck"}, "Error return value of `f.Close` is not checked", "CWE-252"),
        ("CodeChecker", {"id": "init-variables"}, "variable 'x' is not initialized", "CWE-457"),
        ("Coverity", {"id": "TAINTED_SCALAR"}, "Passing tainted expression", "CWE-20"),
        (
            "govulncheck",
            {"id": "r", "fullDescription": {"text": "A path can cause Get to consume excessive amounts of CPU."}},
            "m",
            "CWE-400",
        ),
    ],
)
def test_rules_of_more_tools_tell_their_weakness(tool: str, rule: dict[str, Any], message: str, cwe: str) -> None:
    data = log({"ruleId": rule["id"], "message": {"text": message}}, tool={"driver": {"name": tool, "rules": [rule]}})

    assert [(weakness.id, weakness.source) for weakness in only(data).weaknesses] == [(cwe, "inferred")]


def test_a_package_url_where_a_function_could_stand_is_the_product() -> None:
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "lib/mill-2.1.jar"}},
        "logicalLocations": [{"fullyQualifiedName": "pkg:maven/hop.org/mill@2.1"}],
    }

    finding = only(log({"ruleId": "r", "message": {"text": "m"}, "locations": [place]}))

    assert finding.product is not None and finding.product.purl == "pkg:maven/hop.org/mill@2.1"
    assert (finding.locations[0].file, finding.locations[0].function) == ("lib/mill-2.1.jar", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://cwe.mitre.org/data/definitions/611.html", ["CWE-611"]),
        ("CWE-89, CWE-90", ["CWE-89", "CWE-90"]),
        ("79", ["CWE-79"]),
        ("CWE-22: Path Traversal (OWASP 10)", ["CWE-22"]),
    ],
)
def test_a_key_that_names_cwe_is_read_in_every_spelling(value: str, expected: list[str]) -> None:
    finding = only(log({"ruleId": "r", "message": {"text": "m"}}, tool=rules({"id": "r", "properties": {"cwe": value}})))

    assert [weakness.id for weakness in finding.weaknesses] == expected
