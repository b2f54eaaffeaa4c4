# SPDX-License-Identifier: Apache-2.0
"""`clearwell match`: rows for machines, a table for people, exit codes for scripts."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clearwell.faces.cli.match import match

RECORD = {
    "id": "X-1",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Sample.Lib"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "x.json").write_text(json.dumps(RECORD))
    (tmp_path / "freeze.txt").write_text("sample_lib==1.5rc1\nother==1.0\n")
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(match, [str(argument) for argument in arguments])


def rows(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_row_names_component_version_advisory_status_fix_and_reason(folder: Path) -> None:
    result = run(folder / "freeze.txt", "--advisories", folder / "feed", "--json")

    assert result.exit_code == 0, result.output
    assert rows(result) == [
        {
            "inventory": str(folder / "freeze.txt"),
            "component": "pkg:pypi/sample-lib",
            "installed": "1.5rc1",
            "advisory": "X-1",
            "status": "affected",
            "fixed": "2.0",
            "why": "1.5rc1 is in the affected range: every version up to the fix in 2.0",
        }
    ]


def test_an_unreadable_advisory_is_told_on_stderr_and_leaves_with_2_after_the_rows(folder: Path) -> None:
    (folder / "feed" / "broken.json").write_text("{")

    result = run(folder / "freeze.txt", "--advisories", folder / "feed", "--json")

    assert result.exit_code == 2
    assert len(rows(result)) == 1
    assert "broken.json" in json.loads(result.stderr)["error"]


def test_an_unreadable_inventory_leaves_with_2_and_the_others_are_matched(folder: Path) -> None:
    (folder / "odd.json").write_text('{"some": "json"}')

    result = run(folder / "odd.json", folder / "missing.txt", folder / "freeze.txt", "--advisories", folder / "feed", "--json")

    assert result.exit_code == 2
    assert len(rows(result)) == 1
    assert "odd.json: this JSON is neither" in result.stderr
    assert "missing.txt" in result.stderr


def test_people_get_a_table_and_a_count(folder: Path) -> None:
    result = run(folder / "freeze.txt", "--advisories", folder / "feed")

    assert result.exit_code == 0
    assert "sample-lib" in result.stdout
    assert "1 affected, 0 unknown, 0 not affected, by the 1 advisories that were read" in result.stdout


def test_a_folder_without_advisories_is_a_mistake(folder: Path) -> None:
    (folder / "empty").mkdir()

    assert run(folder / "freeze.txt", "--advisories", folder / "empty").exit_code == 2


def test_thousands_of_advisories_and_components_take_seconds(folder: Path) -> None:
    def record(number: int) -> str:
        affected = [{**RECORD["affected"][0], "package": {"ecosystem": "PyPI", "name": f"p{number % 1500}"}}]  # type: ignore[index]
        return json.dumps({**RECORD, "id": f"Y-{number}", "affected": affected})

    (folder / "feed" / "big.jsonl.gz").write_bytes(gzip.compress("\n".join(map(record, range(3000))).encode()))
    (folder / "big.txt").write_text("".join(f"p{number}==1.{number}\n" for number in range(5000)))

    start = time.monotonic()
    result = run(folder / "big.txt", "--advisories", folder / "feed", "--json")

    assert time.monotonic() - start < 10
    assert len(rows(result)) == 3000
