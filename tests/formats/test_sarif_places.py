# SPDX-License-Identifier: Apache-2.0
"""SARIF, clause by clause: nested bases, indexes, flows, stacks, taxa of every home, levels, overrides, loose spellings."""

import json
from typing import Any

import pytest

from clearwell.formats.sarif import read
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.finding import Finding


def log(*results: Any, **run: Any) -> Document:
    tool = run.pop("tool", {"driver": {"name": "grinder"}})
    return read(json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": list(results), **run}]}).encode(), "x", None)


def only(*results: Any, **run: Any) -> Finding:
    (finding,) = log(*results, **run).findings
    return finding


def at(line: int | None = None, **artifact: Any) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}


def result(**more: Any) -> dict[str, Any]:
    return {"ruleId": "R", "message": {"text": "m"}, **more}


def test_bases_nest_and_an_absolute_one_is_the_root() -> None:
    bases = {
        "ROOT": {"uri": "file:///home/jo/app/"},
        "LIB": {"uri": "lib/", "uriBaseId": "ROOT"},
        "DEEP": {"uri": "deep/", "uriBaseId": "LIB"},
    }

    finding = only(result(locations=[at(7, uri="a.c", uriBaseId="DEEP")]), originalUriBaseIds=bases)

    assert (finding.locations[0].file, finding.locations[0].line) == ("lib/deep/a.c", 7)


def test_bases_that_turn_in_a_circle_end() -> None:
    bases = {"A": {"uri": "a/", "uriBaseId": "B"}, "B": {"uri": "b/", "uriBaseId": "A"}}

    file = only(result(locations=[at(1, uri="x.c", uriBaseId="A")]), originalUriBaseIds=bases).locations[0].file

    assert file is not None and file.endswith("x.c")


def test_artifacts_and_logical_locations_are_found_by_index() -> None:
    place = {**at(3, index=1), "logicalLocations": [{"index": 0}]}
    artifacts = [{"location": {"uri": "no.c"}}, {"location": {"uri": "src/yes.c"}}]

    finding = only(
        result(locations=[place]), artifacts=artifacts, logicalLocations=[{"fullyQualifiedName": "mill::sift", "kind": "function"}]
    )

    assert (finding.locations[0].file, finding.locations[0].function) == ("src/yes.c", "mill::sift")


@pytest.mark.parametrize(
    ("result_", "run"),
    [
        ({"codeFlows": [{"threadFlows": [{"locations": [{"location": at(1, uri="in.c")}, {"location": at(9, uri="a.c")}]}]}]}, {}),
        ({"codeFlows": [{"threadFlows": [{"locations": [{"index": 1}]}]}]}, {"threadFlowLocations": [{}, {"location": at(9, uri="a.c")}]}),
        ({"stacks": [{"frames": [{"location": at(9, uri="a.c")}, {"location": at(1, uri="main.c")}]}]}, {}),
        ({"relatedLocations": [at(9, uri="a.c")]}, {}),
        ({"analysisTarget": {"uri": "a.c"}}, {}),
    ],
)
def test_a_result_without_a_place_of_its_own_gets_the_next_best(result_: dict[str, Any], run: dict[str, Any]) -> None:
    assert only(result(**result_), **run).locations[0].file == "a.c"


TAXON = {"id": "415", "toolComponent": {"name": "cwe"}}


@pytest.mark.parametrize(
    ("taxon", "run"),
    [
        (TAXON, {}),
        ({"id": "415", "toolComponent": {"guid": "FFC64C90-42B6-44CE-8BEB-F6B7DAE649E5"}}, {}),
        ({"index": 1, "toolComponent": {"index": 0}}, {"taxonomies": [{"name": "CWE", "taxa": [{"id": "1"}, {"id": "415"}]}]}),
        (
            {"guid": "g", "toolComponent": {"guid": "t"}},
            {"taxonomies": [{"name": "CWE v4.16", "guid": "t", "taxa": [{"id": "415", "guid": "g"}]}]},
        ),
        ({"index": 0}, {"tool": {"driver": {"name": "x", "taxa": [{"id": "CWE-415"}]}}}),
        (
            {"index": 0, "toolComponent": {"name": "CWE"}},
            {"tool": {"driver": {"name": "x"}, "extensions": [{"name": "CWE", "taxa": [{"id": "415"}]}]}},
        ),
    ],
)
def test_a_taxon_is_found_in_every_home(taxon: dict[str, Any], run: dict[str, Any]) -> None:
    assert [(w.id, w.source, w.origin) for w in only(result(taxa=[taxon]), **run).weaknesses] == [("CWE-415", "stated", "result.taxa")]


def test_a_taxon_of_another_taxonomy_is_no_weakness() -> None:
    assert only(result(taxa=[{"id": "79", "toolComponent": {"name": "OWASP"}}])).weaknesses == ()


def test_help_is_asked_where_nothing_else_states_a_weakness() -> None:
    rule = {"id": "R", "help": {"markdown": "See https://cwe.mitre.org/data/definitions/295.html and CWE-79"}}
    tagged = {**rule, "properties": {"tags": ["CWE-20"]}}

    assert [w.id for w in only(result(), tool={"driver": {"name": "x", "rules": [rule]}}).weaknesses] == ["CWE-79"]
    assert [w.id for w in only(result(), tool={"driver": {"name": "x", "rules": [tagged]}}).weaknesses] == ["CWE-20"]


def test_levels_come_from_the_result_the_kind_an_override_the_rule_or_the_standard() -> None:
    tool = {"driver": {"name": "x", "rules": [{"id": "R", "defaultConfiguration": {"level": "note"}}]}}
    override = {"invocations": [{"ruleConfigurationOverrides": [{"descriptor": {"index": 0}, "configuration": {"level": "error"}}]}]}

    levels = [
        only(result(level="warning"), tool=tool, **override).severity,
        only(result(kind="review"), tool=tool, **override).severity,
        only(result(), tool=tool, **override).severity,
        only(result(), tool=tool).severity,
        only(result()).severity,
    ]

    assert [severity and severity.level for severity in levels] == ["warning", "none", "error", "note", "warning"]


def test_a_vector_and_a_score_in_properties_are_kept() -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    rule = {"id": "R", "properties": {"cvssv3_vector": vector, "security-severity": 9.8}}

    severity = only(result(), tool={"driver": {"name": "x", "rules": [rule]}}).severity

    assert severity is not None and (severity.cvss, severity.score) == (vector, 9.8)


def test_numbers_and_ids_are_read_in_either_spelling() -> None:
    for line in ("12", 12.0):
        finding = only({"ruleId": 2076, "ruleIndex": "0", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.sh"}, "region": {"startLine": line}}}]})  # fmt: skip # noqa: E501
        assert (finding.rule, finding.locations[0].line) == ("2076", 12)


def test_a_broken_rule_costs_itself() -> None:
    rules = [
        {"id": "A", "shortDescription": {"text": "first"}},
        {"id": "B", "relationships": "x"},
        {"id": "C", "shortDescription": {"text": "third"}},
    ]

    document = log(*(result(ruleId=name, ruleIndex=n) for n, name in enumerate("ABC")), tool={"driver": {"name": "x", "rules": rules}})

    assert [finding.title for finding in document.findings] == ["first", "m", "third"]
    assert [problem.position for problem in document.problems] == ["runs[0].tool.driver.rules[1]"]
    assert document.tool == "x"


def test_a_tool_that_did_not_run_to_its_end_is_named() -> None:
    document = log(result(), invocations=[{"executionSuccessful": False}])

    assert "did not run to its end" in document.left_out[0].reason


def test_suppressions_count_when_they_are_accepted() -> None:
    assert only(result(suppressions=[{"kind": "external", "status": "rejected"}])).remarks == ()
    assert only(result(suppressions=[{"kind": "external", "status": "accepted"}])).remarks == ("suppressed: external",)


def test_a_rule_of_a_nested_extension_is_found_by_component_and_index() -> None:
    rules = {"name": "pack", "rules": [{"id": "other"}, {"id": "R", "shortDescription": {"text": "from the pack"}}]}
    tool = {"driver": {"name": "x", "rules": [{"id": "no"}]}, "extensions": [{"name": "empty"}, rules]}

    finding = only({"rule": {"index": 1, "toolComponent": {"index": 1}}, "message": {"text": "m"}}, tool=tool)

    assert (finding.rule, finding.title) == ("R", "from the pack")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("left-mill@4.17.15", None),
        ("@hop/mill@v2.0.1", None),
        ("mill/libmill1@1:1.2.13-1", None),
        ("registry.example.com/mill@sha256:00:/var/lib/dpkg/status", None),
        ("/var/lib/dpkg/status", None),
        ("_grind@12", "_grind@12"),
        ("memcpy@@GLIBC_2.14", "memcpy@@GLIBC_2.14"),
        ("example.org/hop/mill.(*Stone).Turn", "example.org/hop/mill.(*Stone).Turn"),
    ],
)
def test_a_package_or_a_path_is_no_function(name: str, function: str | None) -> None:
    place = {**at(1, uri="a"), "logicalLocations": [{"fullyQualifiedName": name}]}

    assert only(result(locations=[place])).locations[0].function == function
