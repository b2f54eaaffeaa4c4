# SPDX-License-Identifier: Apache-2.0
"""The log's files: names, any batching, crashes, proofs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearwell.ground.ledger import merkle
from clearwell.ground.ledger.note import Checkpoint, SigningKey
from clearwell.ground.ledger.tiles import ENTRIES, TileLog, decode_bundle, encode_bundle, parse_path, tile_path, tile_width
from clearwell.ground.ledger.verify import verify
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound

from .conftest import KEY, Build


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def publish(log: TileLog) -> None:
    log.publish(Checkpoint("example.org/ledger", log.size, log.root()).signed(KEY))


def root_of(entries: list[bytes]) -> bytes:
    return merkle.root_of([merkle.leaf_hash(entry) for entry in entries])


def test_names_are_those_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(ENTRIES, 5, 17) == "tile/entries/005.p/17"
    assert [tile_width(level, 0, 70_000) for level in range(4)] == [256, 256, 1, 0]
    assert tile_width(0, 273, 70_000) == 112
    assert tile_width(1, 1, 70_000) == 17


@given(st.integers(-1, 63), st.integers(0, 10**18), st.integers(1, 256))
def test_a_path_reads_back(level: int, index: int, width: int) -> None:
    assert parse_path(tile_path(level, index, width)) == (level, index, width)


@pytest.mark.parametrize(
    "path", ["tile/0/1", "tile/00/001", "tile/0/001.p/256", "tile/0/001.p/0", "tile/0/x000/001", "tile/64/000", "tile/x/000"]
)
def test_another_spelling_is_no_path(path: str) -> None:
    assert parse_path(path) is None


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_bundle_reads_back_and_nothing_may_be_left_over(entries: list[bytes]) -> None:
    data = encode_bundle(entries)

    assert decode_bundle(data, len(entries)) == tuple(entries)
    for wrong in (data + b"\x00", data[:-1] if data else b"\x00"):
        with pytest.raises(Invalid):
            decode_bundle(wrong, len(entries))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 520), st.booleans(), st.booleans()), max_size=5))
def test_any_batching_with_restarts_gives_the_same_files_and_the_naive_root(steps: list[tuple[int, bool, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log, entries = TileLog(Path(folder)), []
        for count, is_published, is_restarted in steps:
            batch = [f"{len(entries) + i}".encode() for i in range(count)]
            log.append(batch)
            entries += batch
            if is_published:
                publish(log)
            if is_restarted:
                log = TileLog(Path(folder))
                entries = entries[: log.size]

        assert log.size == len(entries)
        assert log.root() == root_of(entries)
        assert [entry for _, entry in log.reader().entries()] == entries


def test_files_do_not_depend_on_the_batching(tmp_path: Path, build: Build) -> None:
    build(tmp_path / "a", 700)
    build(tmp_path / "b", 700 - 511, 255, 256)

    one, many = files(tmp_path / "a"), files(tmp_path / "b")

    assert set(one) <= set(many)
    assert all(many[path] == data for path, data in one.items())


def test_partial_tiles_go_once_the_full_one_is_published(tmp_path: Path, build: Build) -> None:
    log = build(tmp_path, 5, 7)
    assert (tmp_path / "tile/0/000.p/5").is_file()

    log.append([b"x"] * 300)
    assert (tmp_path / "tile/0/000.p/5").is_file()
    publish(log)

    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()


def test_the_checkpoint_never_covers_what_is_not_there(tmp_path: Path, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, 250)
    untouched = Path.replace

    for survivors in range(7):
        left = iter(range(survivors))

        def fail_later(path: Path, target: Path, left: Iterator[int] = left) -> Path:
            if next(left, None) is None:
                raise OSError("disk full")
            return untouched(path, target)

        log = TileLog(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fail_later)
            with pytest.raises(OSError, match="disk full"):
                for _ in range(10):
                    log.append([b"lost"] * 10)
                    publish(log)
        again = TileLog(tmp_path)

        assert again.published is not None
        assert again.size == again.published.size
        assert verify(tmp_path, [KEY.vkey]).status == "verified"
        assert len(list(again.reader().entries())) == again.size


def test_after_a_crash_other_entries_may_come(tmp_path: Path, build: Build) -> None:
    build(tmp_path / "a", 250)
    TileLog(tmp_path / "a").append([b"lost"] * 600)

    again = TileLog(tmp_path / "a")
    again.append([b"kept"] * 3)
    publish(again)

    build(tmp_path / "b", 250)
    clean = TileLog(tmp_path / "b")
    clean.append([b"kept"] * 3)
    publish(clean)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_checkpoint_over_something_else_is_a_conflict(tmp_path: Path, build: Build, key: SigningKey) -> None:
    log = build(tmp_path, 3)

    with pytest.raises(Conflict):
        log.publish(Checkpoint("example.org/ledger", 4, log.root()).signed(key))
    with pytest.raises(Conflict):
        log.publish(Checkpoint("example.org/ledger", 3, b"\x00" * 32).signed(key))


def test_an_entry_that_is_too_long_writes_nothing(tmp_path: Path, build: Build) -> None:
    log = build(tmp_path, 3)
    before = files(tmp_path)

    with pytest.raises(Invalid, match="65,535"):
        log.append([b"fine", b"x" * 65_536])
    log.append([])

    assert files(tmp_path) == before


@pytest.mark.parametrize("path", ["tile/0/000.p/3", "tile/entries/000.p/3"])
def test_a_writer_does_not_go_on_from_a_damaged_edge(tmp_path: Path, build: Build, path: str) -> None:
    build(tmp_path, 3)
    data = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(Conflict, match="ledger verify"):
        TileLog(tmp_path)


def test_proofs_come_from_the_files(tmp_path: Path, build: Build) -> None:
    reader = build(tmp_path, 70, 600, 30).reader()
    leaves = [merkle.leaf_hash(entry) for _, entry in reader.entries()]

    for size in (1, 70, 256, 257, 512, 700):
        root = merkle.root_of(leaves[:size])
        for index in {0, size // 2, size - 1}:
            assert merkle.includes(leaves[index], index, size, reader.inclusion(index, size), root)
        for old in {0, 1, size // 3, size}:
            assert merkle.is_prefix(old, merkle.root_of(leaves[:old]), size, root, reader.consistency(old, size))
    with pytest.raises(NotFound):
        reader.inclusion(700)
    with pytest.raises(NotFound):
        reader.consistency(701)


def test_entries_are_read_from_any_place(tmp_path: Path, build: Build) -> None:
    reader = build(tmp_path, 600).reader()

    assert [index for index, _ in reader.entries(250, 520)] == list(range(250, 520))
    assert list(reader.entries(600)) == []
