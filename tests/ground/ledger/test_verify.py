# SPDX-License-Identifier: Apache-2.0
"""Verification: nothing changes unseen, and a healthy ledger is never accused."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearwell.ground.ledger.note import Checkpoint, SigningKey, generate_key
from clearwell.ground.ledger.tiles import TileLog
from clearwell.ground.ledger.verify import MAX_PROBLEMS, Report, verify
from clearwell.vocabulary.errors import Invalid, NotFound

from .conftest import KEY, Build

WHERE = [
    "checkpoint",
    "tile/0/000",
    "tile/0/001.p/44",
    "tile/1/000.p/1",
    "tile/entries/000",
    "tile/entries/001.p/40",
    "tile/entries/001.p/44",
]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ledger")
    log = TileLog(directory)
    for batch in (200, 96, 4):
        log.append([f"entry {log.size + i}".encode() for i in range(batch)])
        log.publish(Checkpoint("example.org/ledger", log.size, log.root()).signed(KEY))
    return directory


def told(report: Report) -> str:
    return "; ".join(f"{problem.where} {problem.what}" for problem in report.problems)


def test_a_healthy_ledger_is_verified(healthy: Path) -> None:
    report = verify(healthy, [KEY.vkey])

    assert (report.status, report.size, report.signers) == ("verified", 300, ("example.org/ledger",))


def test_without_a_key_it_is_only_consistent(healthy: Path) -> None:
    assert verify(healthy).status == "consistent"


def test_another_key_is_not_enough(healthy: Path) -> None:
    report = verify(healthy, [generate_key("example.org/ledger").vkey])

    assert report.status == "inconsistent"
    assert "not signed by" in told(report)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(WHERE), place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_is_found_and_placed(healthy: Path, path: str, place: float, flip: int) -> None:
    file = healthy / path
    original = file.read_bytes()
    data = bytearray(original)
    data[int(place * len(data))] ^= flip
    try:
        file.write_bytes(data)
        report = verify(healthy, [KEY.vkey])
    finally:
        file.write_bytes(original)

    assert report.status == "inconsistent"
    assert path in told(report)


@pytest.mark.parametrize("path", WHERE)
@pytest.mark.parametrize("change", ["grown", "cut", "emptied", "linked"])
def test_a_file_of_another_length_or_kind_is_found(healthy: Path, tmp_path: Path, path: str, change: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(healthy, copy)
    data = (copy / path).read_bytes()
    if change == "linked":
        (copy / path).rename(tmp_path / "elsewhere")
        (copy / path).symlink_to(tmp_path / "elsewhere")
    else:
        (copy / path).write_bytes({"grown": data + b"\x00", "cut": data[:-1], "emptied": b""}[change])

    report = verify(copy, [KEY.vkey])

    assert path in told(report)


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"]
)
def test_a_missing_file_is_named(healthy: Path, tmp_path: Path, path: str) -> None:
    shutil.copytree(healthy, tmp_path / "copy")
    (tmp_path / "copy" / path).unlink()

    assert f"{path} is missing" in told(verify(tmp_path / "copy", [KEY.vkey]))


@pytest.mark.parametrize("path", ["tile/0/002.tmp", "tile/notes", "tile/0/000.p/300", "tile/entries/1"])
def test_a_file_that_belongs_to_no_tree_is_found(healthy: Path, tmp_path: Path, path: str) -> None:
    shutil.copytree(healthy, tmp_path / "copy")
    (tmp_path / "copy" / path).parent.mkdir(exist_ok=True)
    (tmp_path / "copy" / path).write_bytes(b"x")

    assert f"{path} is not a file of this ledger" in told(verify(tmp_path / "copy", [KEY.vkey]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_place_of_a_tile_does_not_hang(healthy: Path, tmp_path: Path) -> None:
    shutil.copytree(healthy, tmp_path / "copy")
    (tmp_path / "copy/tile/0/000").unlink()
    os.mkfifo(tmp_path / "copy/tile/0/000")

    assert "not a regular file" in told(verify(tmp_path / "copy", [KEY.vkey]))


def test_a_checkpoint_that_claims_the_universe_ends_soon(tmp_path: Path, build: Build, key: SigningKey) -> None:
    build(tmp_path, 3)
    (tmp_path / "checkpoint").write_bytes(Checkpoint("example.org/ledger", (1 << 63) - 1, b"\x01" * 32).signed(key))

    report = verify(tmp_path, [key.vkey])

    assert report.status == "inconsistent"
    assert len(report.problems) <= MAX_PROBLEMS + 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=4), data=st.data())
def test_every_older_checkpoint_is_a_prefix(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("grown")
    log, heads = TileLog(directory), []
    for size in sizes:
        log.append([f"{log.size + i}".encode() for i in range(size)])
        log.publish(Checkpoint("example.org/ledger", log.size, log.root()).signed(KEY))
        heads.append((directory / "checkpoint").read_bytes())

    since = data.draw(st.sampled_from(heads))

    assert verify(directory, [KEY.vkey], since).status == "verified"


def test_a_rewritten_history_does_not_contain_the_older_checkpoint(tmp_path: Path, build: Build, key: SigningKey) -> None:
    build(tmp_path / "old", 300)
    since = (tmp_path / "old/checkpoint").read_bytes()
    log = TileLog(tmp_path / "new")
    log.append([b"other"] * 400)
    log.publish(Checkpoint("example.org/ledger", 400, log.root()).signed(key))

    assert "history was rewritten" in told(verify(tmp_path / "new", [key.vkey], since))


def test_a_shortened_ledger_is_not_a_later_one(tmp_path: Path, build: Build, key: SigningKey) -> None:
    build(tmp_path / "old", 300)
    build(tmp_path / "new", 200)

    assert "entries were removed" in told(verify(tmp_path / "new", [key.vkey], (tmp_path / "old/checkpoint").read_bytes()))


def test_an_older_checkpoint_by_another_key_or_log_is_told(tmp_path: Path, build: Build, key: SigningKey) -> None:
    log = build(tmp_path, 3)
    stranger = generate_key("example.net/other")

    report = verify(tmp_path, [key.vkey], Checkpoint("example.net/other", 3, log.root()).signed(stranger))

    assert "--since is not signed by" in told(report)
    assert "is of another log" in told(report)


def test_the_empty_ledger_is_a_ledger(tmp_path: Path, key: SigningKey) -> None:
    log = TileLog(tmp_path)
    log.publish(Checkpoint("example.org/ledger", 0, log.root()).signed(key))

    assert verify(tmp_path, [key.vkey], (tmp_path / "checkpoint").read_bytes()).status == "verified"


def test_a_writer_at_work_is_no_problem_and_is_told(tmp_path: Path, build: Build, key: SigningKey) -> None:
    log = build(tmp_path, 300)
    log.append([b"not yet covered"] * 700)

    report = verify(tmp_path, [key.vkey])

    assert report.status == "verified"
    assert "tile/entries/001" in report.ahead


def test_what_lies_beyond_the_checkpoint_must_still_fit(tmp_path: Path, build: Build, key: SigningKey) -> None:
    log = build(tmp_path, 300)
    log.append([b"not yet covered"] * 700)
    data = (tmp_path / "tile/entries/001").read_bytes()
    (tmp_path / "tile/entries/001").write_bytes(data[:-1] + b"X")

    assert "tile/entries/001" in told(verify(tmp_path, [key.vkey]))


def test_no_folder_and_no_checkpoint_are_errors_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify(tmp_path / "nowhere")
    with pytest.raises(Invalid):
        verify(tmp_path, (), b"not a note")
