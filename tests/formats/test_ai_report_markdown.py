# SPDX-License-Identifier: Apache-2.0
"""Clearwell's report as Markdown: front matter with the JSON's keys, text below, proofs in fences; YAML's dangers are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import read
from clearwell.formats.ai_report.markdown import MAX_DEPTH, MAX_FRONT
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import ClearwellError, Invalid

HEAD = "format: clearwell-report\nversion: 1\ntool: {name: nightlight, model: m-2}\n"


def report(front: str, text: str = "# A title\n\nProse.\n", head: str = HEAD) -> Document:
    return read(f"---\n{head}{front}---\n{text}".encode(), "x.md")


def test_one_finding_takes_its_title_and_text_from_below() -> None:
    (finding,) = report("weakness: 787\nlocations: [{file: a.c, line: 12}]\nseverity: {score: 8.1}\nhuman_reviewer: null\n").findings

    assert (finding.title, finding.message) == ("A title", "# A title\n\nProse.")
    assert finding.weaknesses[0].id == "CWE-787"
    assert finding.locations[0].line == 12
    assert finding.severity is not None and finding.severity.score == 8.1
    assert finding.origin.is_ai and finding.origin.human_reviewer is None


def test_several_findings_stand_in_the_front_matter_and_a_broken_one_costs_no_other() -> None:
    document = report("findings:\n  - title: one\n  - titel: two\n  - title: three\n    version: 0.4\n")

    assert [finding.title for finding in document.findings] == ["one"]
    assert [problem.position for problem in document.problems] == ["findings[1]", "findings[2]"]


def test_fences_marked_as_proof_are_its_files_and_no_text() -> None:
    text = "# t\n\n```c\nkept();\n```\n\n```toml proof=proof.toml\nformat = 1\n```\n\n~~~~base64 proof=in/x.bin\nAAEC\n/w==\n~~~~\nend\n"

    (finding,) = report("", text).findings

    assert finding.proof is not None
    assert finding.proof.files == {"proof.toml": b"format = 1\n", "in/x.bin": b"\x00\x01\x02\xff"}
    assert "kept();" in finding.message and "format = 1" not in finding.message and finding.message.endswith("end")


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("a: &x [1]\n", "anchor"),
        ("a: *x\n", "no YAML|alias"),
        ("title: !!python/object/apply:os.system [id]\n", "tag"),
        ("title: !!int 3\n", "tag"),
        ("title: x\ntitle: y\n", "twice"),
        ("? [a]\n: b\n", "no word"),
        ("title: [\n", "no YAML"),
        ("title: " + "[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5) + "\n", "deep"),
        ("title: " + "[" * 100_000 + "\n", "deep|YAML"),
        ("preconditions: [" + "a, " * 60_000 + "]\n", "more than"),
        ("title: " + "x" * MAX_FRONT + "\n", "at most"),
        ("findings: []\ntitle: x\n", "no key of a single finding"),
        ("proof: {files: {proof.toml: x}}\n", "give it once"),
    ],
)
def test_what_yaml_should_not_do_is_refused_in_words(front: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        report(front, "# t\n\n```toml proof=proof.toml\n```\n")


def test_a_doubling_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20))

    with pytest.raises(Invalid, match="anchor"):
        report(bomb)


def test_front_matter_that_does_not_end_or_names_no_format_is_told() -> None:
    with pytest.raises(Invalid, match="does not end"):
        read(f"---\n{HEAD}".encode(), "x.md")
    with pytest.raises(Invalid, match="front matter without format"):
        read(b"---\ntitle: x\n---\ntext", "x.md")
    with pytest.raises(Invalid, match="version"):
        report("", head=HEAD.replace("version: 1", "version: 2"))


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_front_matter_and_text_is_answered(front: str, text: str) -> None:
    try:
        assert report(front + "\n", text).format == "clearwell-report"
    except ClearwellError as reason:
        assert str(reason)


@pytest.mark.parametrize(
    "around",
    [
        "Here is the report:\n\n{}",
        "```markdown\n{}```\n",
        "Sure!\n\n---\n\n~~~\n{}~~~",
        "\n\n{}",
    ],
)
def test_words_or_a_fence_around_a_report_are_a_models_manners(around: str) -> None:
    whole = f"---\n{HEAD}weakness: CWE-22\n---\n# A title\n\nProse.\n"

    (finding,) = read(around.format(whole).encode(), "x.md").findings

    assert (finding.title, finding.message, finding.weaknesses[0].id) == ("A title", "# A title\n\nProse.", "CWE-22")


def test_a_report_in_a_mail_is_the_mails() -> None:
    whole = f"From: a@example.org\nSubject: s\n\nSee:\n\n---\n{HEAD}weakness: CWE-22\n---\n# A title\n"

    document = read(whole.encode(), "x.eml")

    assert (document.format, document.findings[0].format) == ("mail", "clearwell-report")


@pytest.mark.parametrize(
    "weakness", ["CWE-416", "'CWE-416: Use After Free'", "CWE-416 (Use After Free)", "cwe-416 - use after free", "416"]
)
def test_a_weakness_may_bear_its_name(weakness: str) -> None:
    assert report(f"weakness: {weakness}\n").findings[0].weaknesses[0].id == "CWE-416"


@pytest.mark.parametrize("nobody", ["none", "None", "~", "no", "N/A", "nobody"])
def test_nobody_is_no_reviewer(nobody: str) -> None:
    assert report(f"human_reviewer: {nobody}\n").findings[0].origin.human_reviewer is None


def test_a_file_may_begin_where_one_stands() -> None:
    (finding,) = report("locations: [{file: ./src/a.c, line: 3, code: x}]\n").findings

    assert (finding.locations[0].file, finding.quotes[0].file) == ("src/a.c", "src/a.c")
    assert report("locations: [{file: ./../a.c}]\n").problems


@pytest.mark.parametrize(
    ("front", "field", "expected"),
    [
        ("locations: [{file: a.c, line: 12-18}]\n", "line", 12),
        ("locations: {file: a.c, line: L12}\n", "line", 12),
        ("weakness: CWE-787, CWE-120\n", "weaknesses", ["CWE-787", "CWE-120"]),
        ("weakness: 'CWE-20, input that nobody checked'\n", "weaknesses", ["CWE-20"]),
        ("preconditions: a login\n", "preconditions", ("a login",)),
        ("severity: 8.1\n", "score", 8.1),
        ("severity: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n", "cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        ("severity: High\n", "level", "High"),
        ("product: {repository: hop.example/mill, commit: 0A1B2C3D}\n", "commit", "0a1b2c3d"),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_read_so(front: str, field: str, expected: object) -> None:
    (finding,) = report(front).findings

    told = {
        "line": finding.locations[0].line if finding.locations else None,
        "weaknesses": [weakness.id for weakness in finding.weaknesses],
        "preconditions": finding.preconditions,
        "commit": finding.product.commit if finding.product is not None else None,
        **{name: getattr(finding.severity, name, None) for name in ("score", "cvss", "level")},
    }
    assert told[field] == expected


@pytest.mark.parametrize(
    "front", ["severity: 11\n", "locations: [{file: a.c, line: many}]\n", "locations: [{file: a.c, line: 0-3}]\n", "weakness: bad input\n"]
)
def test_what_means_nothing_is_still_named(front: str) -> None:
    document = report(front)

    assert not document.findings and document.problems[0].position == "findings[0]"
