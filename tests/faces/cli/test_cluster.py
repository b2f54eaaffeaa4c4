# SPDX-License-Identifier: Apache-2.0
"""`clearwell cluster`: the contract of its JSON Lines, and what it says to a person."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clearwell.faces.cli.cluster import cluster
from clearwell.vocabulary.errors import Invalid


def sarif(tool: str, *results: tuple[str, str, int, str]) -> str:
    """Results are (rule, file, line, message)."""
    return json.dumps(
        {
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": {"name": tool}},
                    "results": [
                        {
                            "ruleId": rule,
                            "message": {"text": message},
                            "locations": [{"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}}],
                            "properties": {"tags": ["external/cwe/cwe-089"]},
                        }
                        for rule, file, line, message in results
                    ],
                }
            ],
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    first = [("sqli", "app/a.py", 10, "SQL is built from input"), ("sqli", "app/b.py", 20, "SQL is built from input")]
    (tmp_path / "first.sarif").write_text(sarif("tool-a", *first))
    (tmp_path / "later.sarif").write_text(sarif("tool-a", *[(rule, file, line + 3, "reworded") for rule, file, line, _ in first]))
    (tmp_path / "other.sarif").write_text(sarif("tool-b", ("B608", "app/a.py", 11, "possible injection")))
    return tmp_path


def test_who_names_no_product_is_told_what_would_join(folder: Path) -> None:
    files = [str(folder / name) for name in ("first.sarif", "other.sarif")]

    without = CliRunner().invoke(cluster, files)
    named = CliRunner().invoke(cluster, [*files, "--target", "pkg:pypi/app@1.0"])

    assert "3 of them name no product" in without.stderr and "--target" in without.stderr
    assert "--target" not in named.output


def run(*arguments: object) -> tuple[list[dict[str, Any]], Result]:
    result = CliRunner().invoke(cluster, [*(str(argument) for argument in arguments), "--json"])
    return [json.loads(line) for line in result.output.splitlines()], result


def test_each_finding_is_one_object_of_the_contract(folder: Path) -> None:
    rows, result = run(folder / "first.sarif", folder / "later.sarif")

    assert result.exit_code == 0
    assert [(Path(row["file"]).name, row["index"]) for row in rows] == [
        ("first.sarif", 0),
        ("first.sarif", 1),
        ("later.sarif", 0),
        ("later.sarif", 1),
    ]
    assert set(rows[0]) == {"file", "index", "cluster", "rung", "location", "evidence"}
    assert rows[0]["location"] == {"file": "app/a.py", "line": 10, "function": None}
    assert [row["cluster"] for row in rows[:2]] == [row["cluster"] for row in rows[2:]]
    assert {row["rung"] for row in rows} == {"L1"}
    assert set(rows[0]["evidence"][0]) == {"signal", "value"}


def test_another_tool_joins_only_when_both_are_about_one_component(folder: Path) -> None:
    nameless, _ = run(folder / "first.sarif", folder / "other.sarif")
    named, _ = run(folder / "first.sarif", folder / "other.sarif", "--target", "pkg:pypi/app@1.0")

    assert [row["rung"] for row in nameless] == [None, None, None]
    assert [row["rung"] for row in named] == ["L1", None, "L1"]


def test_the_same_file_twice_joins_each_finding_with_itself(folder: Path) -> None:
    rows, _ = run(folder / "first.sarif", folder / "first.sarif")

    assert [row["rung"] for row in rows] == ["L0"] * 4
    assert len({row["cluster"] for row in rows}) == 2


def test_an_unreadable_file_is_a_row_and_exit_code_2(folder: Path) -> None:
    (folder / "broken").write_bytes(b"\x00\x01 nothing")

    rows, result = run(folder / "first.sarif", folder / "broken", folder / "missing")

    assert result.exit_code == 2
    assert [row["index"] for row in rows] == [0, 1, None, None]
    assert all(row["error"] for row in rows[2:])


def test_a_person_reads_clusters_and_reasons(folder: Path) -> None:
    result = CliRunner().invoke(cluster, [str(folder / "first.sarif"), str(folder / "later.sarif")])

    assert "tool-a sqli: 1 of 1 in app/a.py" in result.output
    assert "4 findings, 2 clusters, 2 with more than one finding" in result.output


TABLE = "Was,Wo,Zeile\nSQL injection in login,app/login.py,12\n"


def test_columns_of_a_table_are_named_beside_reports_of_other_kinds(folder: Path) -> None:
    (folder / "table.csv").write_text(TABLE)
    report = next(folder.glob("*.sarif"))
    alone, _ = run(report)

    rows, result = run(folder / "table.csv", report, "--column", "title=Was", "--column", "file=Wo", "--column", "line=Zeile")

    assert result.exit_code == 0
    assert rows[0]["location"] == {"file": "app/login.py", "line": 12, "function": None}
    assert len(rows) == 1 + len(alone)


def test_columns_that_no_file_has_are_an_error(folder: Path) -> None:
    (folder / "table.csv").write_text(TABLE)

    rows, result = run(folder / "table.csv", next(folder.glob("*.sarif")), "--column", "title=What")

    assert isinstance(result.exception, Invalid) and "there is no column" in str(result.exception)
    assert rows == []
