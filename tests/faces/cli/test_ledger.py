# SPDX-License-Identifier: Apache-2.0
"""`clearwell ledger`: what it says and how it exits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clearwell.faces.cli.ledger import ledger
from clearwell.ground.ledger.note import Checkpoint, SigningKey
from clearwell.ground.ledger.tiles import TileLog

KEY = SigningKey("example.org/ledger", bytes(32))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    log = TileLog(tmp_path / "ledger")
    log.append([b'{"kind": "first"}', b"\xff not JSON", b"[1]"])
    log.publish(Checkpoint(KEY.vkey.name, log.size, log.root()).signed(KEY))
    return tmp_path / "ledger"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(ledger, [str(argument) for argument in arguments])


def test_a_pinned_signer_exits_with_0(directory: Path) -> None:
    result = run("verify", directory, "--key", KEY.vkey)

    assert result.exit_code == 0
    assert "verified: consistent, signed by example.org/ledger" in result.output


def test_a_key_may_be_in_a_file(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(f"{KEY.vkey}\n")

    assert run("verify", directory, "--key", f"@{tmp_path / 'key.txt'}").exit_code == 0


def test_without_a_key_it_says_so_and_exits_with_3(directory: Path) -> None:
    result = run("verify", directory)

    assert result.exit_code == 3
    assert "consistent, signer not pinned" in result.output


def test_a_changed_byte_exits_with_1_and_names_the_file(directory: Path) -> None:
    path = directory / "tile/entries/000.p/3"
    path.write_bytes(path.read_bytes().replace(b"first", b"fist!"))

    text, machine = run("verify", directory, "--key", KEY.vkey), run("verify", directory, "--json")

    assert (text.exit_code, machine.exit_code) == (1, 1)
    assert "tile/entries/000.p/3" in text.output
    report = json.loads(machine.output)
    assert report["status"] == "inconsistent"
    assert report["problems"][0]["where"] == "tile/entries/000.p/3"


def test_since_is_an_older_checkpoint_file(directory: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.write_bytes((directory / "checkpoint").read_bytes())
    log = TileLog(directory)
    log.append([b"4"])
    log.publish(Checkpoint(KEY.vkey.name, log.size, log.root()).signed(KEY))

    result = run("verify", directory, "--key", KEY.vkey, "--since", older, "--json")

    assert json.loads(result.output)["since"] == 3
    assert result.exit_code == 0


def test_show_prints_entries_as_json_lines(directory: Path) -> None:
    rows = [json.loads(line) for line in run("show", directory).output.splitlines()]

    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[0]["entry"] == {"kind": "first"}
    assert rows[1]["base64"] == "/yBub3QgSlNPTg=="
    assert [json.loads(line)["index"] for line in run("show", directory, "--from", 1, "--limit", 1).output.splitlines()] == [1]
