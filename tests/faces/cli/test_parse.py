# SPDX-License-Identifier: Apache-2.0
"""`clearwell parse`: one JSON object a finding, errors as rows, exit codes, a table for people."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clearwell.faces.cli import root

SAMPLES = Path(__file__).parents[2] / "formats" / "samples"
KEYS = ["file", "index", "format", "tool", "product", "weakness", "title", "message", "locations", "crash"]
CRASH_KEYS = ["sanitizer", "type", "access", "size", "address", "state", "frames", "security"]


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(root, ["parse", *arguments], input=stdin)


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_crash_log_prints_exactly_the_contracts_keys() -> None:
    result = run("--json", str(SAMPLES / "crash-log" / "asan-heap-overflow.txt"))

    row = rows(result)[0]
    assert result.exit_code == 0
    assert list(row) == KEYS
    assert list(row["crash"]) == CRASH_KEYS
    assert list(row["crash"]["frames"][0]) == ["function", "file", "line", "module"]
    assert row["crash"]["state"] == "jar::Lid::seal\njar::close_all<int>\njar_parse\n"


def test_several_files_are_read_in_order_and_counted_apart() -> None:
    ubsan, vptr = str(SAMPLES / "crash-log" / "ubsan.txt"), str(SAMPLES / "crash-log" / "vptr.txt")

    assert [(row["file"], row["index"]) for row in rows(run("--json", ubsan, vptr))] == [(ubsan, 0), (ubsan, 1), (vptr, 0)]


def test_a_target_is_canonical_and_names_the_product() -> None:
    result = run("--json", "--target", "pkg:pypi/U_JSON@5.1.0", str(SAMPLES / "crash-log" / "gdb.txt"))

    assert rows(result)[0]["product"] == "pkg:pypi/u-json@5.1.0"


def test_unreadable_files_are_rows_with_an_error_and_exit_2(tmp_path: Path) -> None:
    unknown = tmp_path / "letter.txt"
    unknown.write_text("dear maintainer")

    result = run("--json", str(unknown), str(tmp_path / "absent"), str(SAMPLES / "crash-log" / "gdb.txt"))

    first, second, third = rows(result)
    assert result.exit_code == 2
    assert "tried" in first["error"]
    assert "opened" in second["error"]
    assert list(first) == [*KEYS, "error"]
    assert "error" not in third


def test_a_broken_part_is_a_row_with_its_position() -> None:
    result = run("--json", str(SAMPLES / "sarif" / "two-runs.sarif"))

    assert result.exit_code == 2
    assert rows(result)[-1]["error"].startswith("runs[0].results[5]: ")


def test_standard_input_is_a_dash() -> None:
    assert rows(run("--json", "-", stdin=(SAMPLES / "crash-log" / "java.txt").read_bytes()))[0]["tool"] == "Jazzer"


@pytest.mark.parametrize("target", ["nonsense", "pkg:", "example.org/x@main"])
def test_a_wrong_target_is_refused(target: str) -> None:
    assert run("--json", "--target", target, str(SAMPLES / "crash-log" / "gdb.txt")).exit_code != 0


def test_people_get_a_table_without_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"thread 'main' panicked at 'oops \x1b]0;owned\x07 \xe2\x80\xae', src/a.rs:1:1\n")

    result = run(str(log))

    assert result.exit_code == 0
    assert "\x1b]" not in result.stdout
    assert "\u202e" not in result.stdout
