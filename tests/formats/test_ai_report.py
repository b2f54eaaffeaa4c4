# SPDX-License-Identifier: Apache-2.0
"""Our own report: what it must say, what it may not, and that one wrong finding costs no other."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from clearwell.formats.ai_report import MAX_PROOF, read
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.product import parse_target


def report(*findings: dict[str, Any], **keys: Any) -> bytes:
    return json.dumps(
        {"format": "clearwell-report", "version": 1, "tool": {"name": "nightlight", "model": "m-2"}, "findings": list(findings), **keys}
    ).encode()


def problem(finding: dict[str, Any]) -> str:
    document = read(report(finding), "r.json", None)
    assert document.findings == ()
    return str(document.problems[0])


def test_a_report_names_the_model_that_wrote_it() -> None:
    document = read(report({"title": "t"}, human_reviewer="Jo"), "r.json", None)

    origin = document.findings[0].origin
    assert (origin.tool, origin.model, origin.human_reviewer, origin.is_ai) == ("nightlight", "m-2", "Jo", True)


def test_a_proof_comes_inline_as_text_or_base64() -> None:
    files = {"proof.toml": "format = 1\n", "in/bytes": {"base64": base64.b64encode(b"\x00\xff").decode()}}

    proof = read(report({"title": "t", "proof": {"files": files}}), "r.json", None).findings[0].proof

    assert proof is not None
    assert proof.files == {"proof.toml": b"format = 1\n", "in/bytes": b"\x00\xff"}
    assert "format" not in repr(proof)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"title": "t", "loc": []}, "unknown field `loc`"),
        ({"title": " "}, "title is empty"),
        ({"text": "x"}, "missing required field `title`"),
        ({"title": "t", "product": {"purl": "pkg:pypi/a@1", "vendor": "b"}}, "give purl, or repository and commit"),
        ({"title": "t", "product": {"purl": "ujson"}}, "package URL"),
        ({"title": "t", "weakness": "overflow"}, "CWE id"),
        ({"title": "t", "locations": [{"file": "/etc/passwd"}]}, "locations[0].file"),
        ({"title": "t", "locations": [{"file": "a/../../b"}]}, "relative name"),
        ({"title": "t", "locations": [{"line": 3}]}, "give a file or a function"),
        ({"title": "t", "locations": [{"file": "a.c", "line": 0}]}, "lines count from 1"),
        ({"title": "t", "severity": {"score": 11}}, "between 0 and 10"),
        ({"title": "t", "proof": {"files": {"x": "y"}}}, "proof.toml"),
        ({"title": "t", "proof": {"files": {"proof.toml": "", "../x": ""}}}, "relative name"),
        ({"title": "t", "proof": {"files": {"proof.toml": "", "a": "", "a/b": ""}}}, "beneath a file"),
        ({"title": "t", "proof": {"files": {"proof.toml": {"base64": "***"}}}}, "not base64"),
        ({"title": "x" * 301}, "at most 300"),
    ],
)
def test_a_wrong_finding_is_named_with_its_position(finding: dict[str, Any], words: str) -> None:
    said = problem(finding)

    assert said.startswith("findings[0]: ")
    assert words in said


def test_one_wrong_finding_costs_no_other() -> None:
    document = read(report({"title": "a"}, {"title": 3}, {"title": "c"}), "r.json", None)

    assert [finding.title for finding in document.findings] == ["a", "c"]
    assert [each.position for each in document.problems] == ["findings[1]"]


def test_an_id_used_twice_is_an_error_of_the_second() -> None:
    document = read(report({"title": "a", "external_id": "1"}, {"title": "b", "external_id": "1"}), "r.json", None)

    assert len(document.findings) == 1
    assert "used twice" in document.problems[0].reason


def test_a_proof_beyond_its_limit_is_refused() -> None:
    half = {"base64": base64.b64encode(b"a" * (MAX_PROOF // 2 + 1)).decode()}

    assert "64 MB" in problem({"title": "t", "proof": {"files": {"proof.toml": "", "a": half, "b": half}}})


@pytest.mark.parametrize("change", [{"version": 2}, {"format": "x"}, {"extra": 1}, {"findings": {}}, {"tool": {}}])
def test_a_wrong_outer_object_is_refused_whole(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read(report({"title": "t"}, **change), "r.json", None)


def test_a_target_is_for_findings_that_name_no_product() -> None:
    target = parse_target("pkg:npm/x@1.0.0")

    document = read(report({"title": "a"}, {"title": "b", "product": {"vendor": "Acme", "model": "Gate"}}), "r.json", target)

    assert document.findings[0].product == target
    assert document.findings[1].product != target


def test_the_pages_example_is_a_report_without_a_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "report-format.md").read_text(encoding="utf-8")

    document = read(page.split("```json\n")[1].split("```")[0].encode(), "r.json", None)

    assert (len(document.findings), document.problems) == (1, ())
