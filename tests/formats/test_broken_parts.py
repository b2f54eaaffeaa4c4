# SPDX-License-Identifier: Apache-2.0
"""Every format: of a known document with broken parts, good findings are kept and each broken part is named with its position."""

import json
from collections.abc import Callable

import pytest

from clearwell.formats import read, report_formats
from clearwell.vocabulary.errors import Invalid

GOOD = "good"


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def cve(identity: object) -> dict[str, object]:
    container = {"title": GOOD, "descriptions": [{"lang": "en", "value": GOOD}]}
    return {"dataVersion": "5.2", "cveMetadata": {"cveId": identity, "state": "PUBLISHED"}, "containers": {"cna": container}}


def osv(identity: object) -> dict[str, object]:
    return {"id": identity, "modified": "2026-01-01T00:00:00Z", "summary": GOOD}


def csaf(*flaws: object) -> bytes:
    return js({"document": {"csaf_version": "2.0", "title": "t"}, "vulnerabilities": flaws})


def bom(*flaws: object) -> bytes:
    return js({"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": flaws})


def sarif(*results: object) -> bytes:
    return js({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": results}]})


def own(*findings: object) -> bytes:
    return js({"format": "clearwell-report", "version": 1, "tool": {"name": "x"}, "findings": findings})


def mail(*attached: bytes) -> bytes:
    parts = b"".join(b"--b\nContent-Type: application/json; name=a.json\n\n" + part + b"\n" for part in attached)
    return b"From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n"


CASES: dict[str, tuple[bytes, list[str]]] = {
    # format -> a document with one good finding (or more) and broken parts, the positions that are named
    "sarif": (sarif({"message": {"text": GOOD}}, {"message": 7}), ["runs[0].results[1]"]),
    "clearwell-report": (own({"title": GOOD}, {"title": GOOD, "lien": 1}), ["findings[1]"]),
    "osv": (js([osv("A-1"), osv(7), osv("A-3")]), ["[1]"]),
    "cve": (js([cve("CVE-2026-1"), cve(None)]), ["[1]"]),
    "csaf": (csaf({"title": GOOD}, {"title": 7}), ["vulnerabilities[1]"]),
    "cyclonedx": (bom({"id": "x", "description": GOOD}, {"id": []}), ["vulnerabilities[1]"]),
    "github-advisory": (js([{"ghsa_id": "GHSA-1", "summary": GOOD}, {"ghsa_id": 2}]), ["[1]"]),
    "vince": (js({"get_case": {"title": GOOD}, "get_vuls": [{"name": "1", "description": GOOD}, {"name": 2}]}), ["get_vuls[1]"]),
    "csv": (b"title,purl\ngood,\nbad,pkg:\n", ["line 3"]),
    "mail": (
        mail(sarif({"message": {"text": GOOD}}, 1), b'{"runs": [{"tool": 1, "results": "x"}]}'),
        ["part 1: runs[0].results[1]", "part 2: runs[0]"],
    ),
}
ONE_PIECE = {
    "casrep": "one JSON object: broken, there is no finding in it",
    "crash-log": "lines that are no report are what every log is full of",
}
"""Formats whose document is one assertion: there is nothing beside a broken part."""

CUT: dict[str, Callable[[], bytes]] = {
    "sarif": lambda: sarif(*({"message": {"text": GOOD}} for _ in range(9))),
    "osv": lambda: js({"vulns": [osv(f"A-{n}") for n in range(9)]}),
    "cve": lambda: js([cve(f"CVE-2026-{n}") for n in range(9)]),
    "csaf": lambda: csaf(*({"title": GOOD} for _ in range(9))),
    "cyclonedx": lambda: bom(*({"id": str(n), "description": GOOD} for n in range(9))),
    "github-advisory": lambda: js([{"ghsa_id": f"GHSA-{n}", "summary": GOOD} for n in range(9)]),
}


def test_every_format_is_tried() -> None:
    assert {report.name for report in report_formats()} == CASES.keys() | ONE_PIECE.keys()


@pytest.mark.parametrize("name", CASES)
def test_good_findings_are_kept_and_broken_parts_are_named(name: str) -> None:
    data, positions = CASES[name]

    document = read(data, "x")

    assert document.format == name
    assert document.findings
    assert [problem.position for problem in document.problems] == positions
    assert all(problem.reason for problem in document.problems)


@pytest.mark.parametrize("name", CUT)
def test_a_document_cut_off_keeps_what_stands_whole(name: str) -> None:
    whole = CUT[name]()

    document = read(whole[: len(whole) * 3 // 4], "x")

    assert document.format == name
    assert 4 <= len(document.findings) < 9
    assert "breaks off" in document.problems[-1].reason or "broken" in document.problems[0].reason


@pytest.mark.parametrize("name", ["osv", "cve", "csaf", "cyclonedx", "github-advisory", "vince"])
def test_a_document_of_nothing_but_broken_parts_is_refused_with_the_first(name: str) -> None:
    broken = {
        "osv": js([osv(7)]),
        "cve": js(cve(7)),
        "csaf": csaf({"title": 7}),
        "cyclonedx": bom({"id": []}),
        "github-advisory": js({"ghsa_id": 7}),
        "vince": js({"vuid": 7, "title": "x"}),
    }[name]

    with pytest.raises(Invalid, match="Expected"):
        read(broken, "x")


def test_an_unknown_document_is_told_every_format_and_its_reason() -> None:
    for data in (b"dear maintainer", b"{}", b"[]", b'{"a": 1}', b"\x7fELF\x00", b"a,b\n1,2\n", b"---\ntitle: x\n---\n", b"<html>"):
        with pytest.raises(Invalid) as refusal:
            read(data, "x")
        assert all(f"{report.name} (" in str(refusal.value) for report in report_formats())
