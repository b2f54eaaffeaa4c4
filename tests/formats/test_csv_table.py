# SPDX-License-Identifier: Apache-2.0
"""CSV: usual names of columns, stated mappings, delimiters, cells of every kind, rows that are broken, tables that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import column_mapping, csv_table, read
from clearwell.formats.csv_table import SYNONYMS, why_not
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.product import parse_target


def table(text: str, **columns: str) -> Document:
    return read(text.encode(), "x.csv", None, columns)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_names_are_understood_whatever_divides_them(delimiter: str) -> None:
    header = ["Test ID", "Issue Text", "File Name", "Line-Number", "Issue CWE", "issue_severity"]
    row = ["B602", "a shell, with input; always", "./src/run.py", "12", "https://cwe.mitre.org/data/definitions/78.html", "HIGH"]

    (finding,) = table("\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in (header, row))).findings

    assert (finding.rule, finding.message, finding.title) == ("B602", row[1], row[1])
    assert (finding.locations[0].file, finding.locations[0].line) == ("src/run.py", 12)
    assert [(w.id, w.source) for w in finding.weaknesses] == [("CWE-78", "stated")]
    assert finding.severity is not None and finding.severity.level == "HIGH"


def test_a_mapping_names_columns_on_the_command_line_or_in_the_file() -> None:
    text = "Nr,Was,Wo\n1,zu weit (CWE-787),src/a.c:7\n"

    told = table(text, title="Was", file="Wo").findings
    written = table(f"# columns: title=Was; file=Wo\n{text}").findings

    assert told == written
    assert (told[0].title, told[0].locations[0].line) == ("zu weit (CWE-787)", 7)


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"title": "Wie"}, "there is no column"), ({"titel": "Was"}, "is no field"), ({"line": "Nr"}, "map one")],
)
def test_a_wrong_mapping_is_refused_in_words(columns: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        table("Nr,Was,Wo\n1,x,y\n", **columns)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (("title",), "maps no column"),
        (("=Was",), "maps no column"),
        (("title=",), "maps no column"),
        (("title=a\0b",), "maps no column"),
        (("title=" + "x" * 201,), "maps no column"),
        (("titel=Was",), "no field that a column may hold; there are title, message"),
        (("title=Was", "title=Wie"), "mapped to two columns, 'Was' and 'Wie'"),
    ],
)
def test_words_that_map_no_column_are_refused(pairs: tuple[str, ...], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        column_mapping(pairs)


def test_a_column_may_have_an_equals_sign_in_its_name() -> None:
    assert column_mapping([" title = a=b ", "line=Z"]) == {"title": "a=b", "line": "Z"}


def test_products_are_named_by_purl_by_ecosystem_and_by_vendor() -> None:
    head = "title,purl,package,ecosystem,version,vendor,repository,commit\n"
    rows = {
        "a,pkg:pypi/Mill,,,1.0,,,": "pkg:pypi/mill@1.0",
        "a,,@x/mill,npm,2.0,,,": "pkg:npm/%40x/mill@2.0",
        "a,,org.mill:sieve,maven,1,,,": "pkg:maven/org.mill/sieve@1",
    }
    for row, purl in rows.items():
        assert table(head + row).findings[0].product == parse_target(purl)
    assert table(head + "a,,Gate,,3000,Acme,,").findings[0].product is not None
    assert table(head + "a,,,,,,https://x.example/mill," + "ab" * 20).findings[0].product == parse_target(f"x.example/mill@{'ab' * 20}")
    assert table(head + "a,,,,,,,").findings[0].product is None


def test_rows_that_say_nothing_or_something_impossible_are_named() -> None:
    document = table('title,score,line\ngood,7.5,1\n,7.5,2\nbad,11,3\n"multi\nline",2,x\n')

    assert [finding.title for finding in document.findings] == ["good", "multi"]
    assert [problem.position for problem in document.problems] == ["line 3", "line 4"]


def test_a_quote_that_never_closes_costs_what_it_swallows() -> None:
    document = table('title,message\ngood,x\nbad,"' + "y" * 300_000 + "\nlost,x\n")

    assert [finding.title for finding in document.findings][:1] == ["good"]
    assert "cannot be read" in document.problems[0].reason


def test_file_names_stay_relative_and_cells_are_no_formulas() -> None:
    (finding,) = table('title,file,url\n"=HYPERLINK(1)",file:///etc/../home/x/a.c,javascript:alert(1)\n').findings

    assert finding.title == "=HYPERLINK(1)"
    assert finding.locations[0].file == "home/x/a.c"
    assert finding.references == ("javascript:alert(1)",)


def test_what_is_no_table_of_findings_is_told_apart() -> None:
    for data in (b"a,b\n1,2\n", b"title\nx\n", b"title,message\n", b"prose, with a title, in one line\nand more", b"{}\n{}", b"\n\n"):
        assert why_not(data, "x") is not None


def test_a_table_of_too_many_rows_is_read_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROWS", 20)

    document = table("id,rule\n" + "1,x\n" * 21)

    assert len(document.findings) == 20
    assert "split" in document.problems[0].reason


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(list(SYNONYMS)), st.text(max_size=6), max_size=3))
def test_any_text_is_answered(text: str, columns: dict[str, str]) -> None:
    for data in (text, "title,line,score,purl,cwe,file\n" + text):
        try:
            assert isinstance(read(data.encode(errors="replace"), "x", None, columns).findings, tuple)
        except ClearwellError as reason:
            assert str(reason)


def test_beside_a_line_a_component_is_a_file_behind_its_projects_key() -> None:
    first, second = table("severity;rule;component;line;message\nMAJOR;S1;hop:src/Bin.java;12;m\nMAJOR;S1;lib/b.rb;;m\n").findings

    assert [(place.file, place.line) for place in (*first.locations, *second.locations)] == [("src/Bin.java", 12), ("lib/b.rb", None)]
    assert first.product is None


def test_a_component_with_a_version_stays_a_package() -> None:
    (finding,) = table("title,component_name,component_version,file_path,line\nt,mill,1.2,a.c,3\n").findings

    assert finding.product is not None and finding.product.model == "mill 1.2"
    assert finding.locations[0].file == "a.c"


def test_scores_and_public_ids_have_more_names() -> None:
    (finding,) = table("Plugin ID,ID,CVE,CVSS v3.0 Base Score,Name\n10,F-1,CVE-2026-1,7.5,n\n").findings

    assert (finding.external_id, finding.aliases) == ("F-1", ("CVE-2026-1",))
    assert finding.severity is not None and finding.severity.score == 7.5


def test_a_web_scanners_columns_are_known() -> None:
    (finding,) = table('"Issue name","Severity","Host","Path","Issue detail"\n"XSS","High","https://h.example","/s","is copied"\n').findings

    assert (finding.title, finding.message, finding.weaknesses[0].id) == ("XSS", "is copied", "CWE-79")
