# SPDX-License-Identifier: Apache-2.0
"""Blobs: sealed on disk, found when changed, destroyed with their last holder's key; what a crash leaves is unreadable and swept."""

import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearwell.ground.identity.actor import INTAKE, POST
from clearwell.ground.storage.blobs import CHUNK, BlobStore
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable
from hub import Hub

WORDS = b"strcpy(name, getenv(HOME)) reached from the network, no check. "
LIMIT = 8 * CHUNK


def _put(hub: Hub, holder: str, data: bytes) -> str:
    sealed = hub.house.blobs.put([data], LIMIT)
    with hub.house.transaction(INTAKE) as tx:
        hub.house.blobs.hold(tx, holder, sealed)
    return sealed.address


def _open(hub: Hub, holder: str, address: str) -> bytes:
    with hub.house.transaction(INTAKE) as tx:
        return b"".join(hub.house.blobs.open(tx, holder, address))


def _destroy(hub: Hub, holder: str) -> int:
    with hub.house.transaction(INTAKE) as tx:
        return hub.house.blobs.destroy(tx, holder)


def _files(hub: Hub) -> list[Path]:
    return sorted(path for path in hub.house.settings.blobs_dir.rglob("*") if path.is_file())


def _sweep(hub: Hub, before: datetime) -> int:
    with hub.house.transaction(INTAKE) as tx:
        return hub.house.blobs.sweep(tx, before)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=300_000), max_size=6), st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]))
def test_what_was_sealed_comes_back_whatever_its_pieces(hub: Hub, pieces: list[bytes], more: int) -> None:
    whole = b"".join(pieces) + b"\0" * more
    sealed = hub.house.blobs.put([*pieces, b"\0" * more], LIMIT)
    with hub.house.transaction(INTAKE) as tx:
        hub.house.blobs.hold(tx, "case_a", sealed)

    assert sealed.size == len(whole)
    assert _open(hub, "case_a", sealed.address) == whole


def test_neither_files_nor_names_tell_what_is_in_them(hub: Hub) -> None:
    data = WORDS * 50_000
    address = _put(hub, "case_a", data)

    (file,) = _files(hub)
    plain = hashlib.sha256(data).hexdigest()
    assert WORDS[:16] not in file.read_bytes()
    assert address != plain and file.name not in {address, plain}
    assert file.stat().st_mode & 0o077 == 0
    assert hub.house.settings.blobs_dir.stat().st_mode & 0o077 == 0


def test_another_hub_gives_the_same_bytes_another_address(hub: Hub, tmp_path: Path) -> None:
    ours = hub.house.blobs.put([WORDS], LIMIT).address
    theirs = BlobStore(tmp_path / "theirs", b"k" * 32).put([WORDS], LIMIT).address

    assert ours != theirs


@pytest.mark.parametrize("harm", ["flip", "cut", "cut to 5 bytes", "cut a piece", "grow", "swap pieces", "empty", "missing"])
def test_a_changed_file_is_found(hub: Hub, harm: str) -> None:
    address = _put(hub, "case_a", os.urandom(3 * CHUNK))
    (file,) = _files(hub)
    raw, step = bytearray(file.read_bytes()), CHUNK + 28
    harmed = {
        "flip": lambda: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
        "cut": lambda: raw[:-1],
        "cut to 5 bytes": lambda: raw[:5],
        "cut a piece": lambda: raw[: 2 * step],
        "grow": lambda: raw + b"x",
        "swap pieces": lambda: raw[step : 2 * step] + raw[:step] + raw[2 * step :],
        "empty": lambda: b"",
        "missing": lambda: None,
    }[harm]()
    file.unlink()
    if harmed is not None:
        file.write_bytes(harmed)

    with pytest.raises(Unavailable, match="restore it from a backup"):
        _open(hub, "case_a", address)


def test_one_file_in_the_place_of_another_is_found(hub: Hub) -> None:
    first = _put(hub, "case_a", b"first" * 100)
    (one,) = _files(hub)
    _put(hub, "case_a", b"other" * 100)
    (two,) = set(_files(hub)) - {one}
    one.write_bytes(two.read_bytes())

    with pytest.raises(Unavailable, match="changed or cut"):
        _open(hub, "case_a", first)


def test_who_does_not_hold_it_does_not_read_it(hub: Hub) -> None:
    address = _put(hub, "case_a", WORDS)

    with pytest.raises(NotFound):
        _open(hub, "case_b", address)


def test_a_blob_lives_until_its_last_holder_is_gone(hub: Hub) -> None:
    address = _put(hub, "case_a", WORDS)
    _put(hub, "case_b", WORDS)
    with hub.house.transaction(INTAKE) as tx:
        hub.house.blobs.share(tx, address, "case_b", "case_c")
    assert len(_files(hub)) == 1

    assert _destroy(hub, "case_a") == 1
    with pytest.raises(NotFound):
        _open(hub, "case_a", address)
    assert _open(hub, "case_b", address) == _open(hub, "case_c", address) == WORDS

    _destroy(hub, "case_b")
    _destroy(hub, "case_c")
    assert _files(hub) == []


def test_a_destroyed_key_destroys_what_copies_of_the_folder_hold(hub: Hub) -> None:
    address = _put(hub, "case_a", WORDS)
    (file,) = _files(hub)
    copy = file.read_bytes()
    _destroy(hub, "case_a")
    file.write_bytes(copy)

    with pytest.raises(NotFound):
        _open(hub, "case_a", address)
    _put(hub, "case_a", b"something else")
    with pytest.raises(NotFound):
        _open(hub, "case_a", address)


def test_a_destruction_that_is_rolled_back_destroys_nothing(hub: Hub) -> None:
    address = _put(hub, "case_a", WORDS)
    with pytest.raises(KeyError), hub.house.transaction(INTAKE) as tx:
        hub.house.blobs.destroy(tx, "case_a")
        raise KeyError

    assert _open(hub, "case_a", address) == WORDS


def test_the_same_bytes_from_many_at_once_are_readable_by_each(hub: Hub) -> None:
    addresses: dict[str, str] = {}

    def put(holder: str) -> None:
        addresses[holder] = _put(hub, holder, WORDS)

    holders = ["case_a", "case_a", "case_b", "case_c", "case_d"]
    threads = [threading.Thread(target=put, args=(holder,)) for holder in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(addresses.values())) == 1
    assert [_open(hub, holder, addresses[holder]) for holder in addresses] == [WORDS] * 4


def test_a_destruction_waits_for_who_is_about_to_hold_the_same(hub: Hub) -> None:
    address = _put(hub, "case_a", WORDS)
    again = hub.house.blobs.put([WORDS], LIMIT)
    with hub.house.transaction(INTAKE) as tx:
        hub.house.blobs.hold(tx, "case_b", again)
        thread = threading.Thread(target=_destroy, args=(hub, "case_a"))
        thread.start()
        _until_somebody_waits(hub)
    thread.join()

    assert _open(hub, "case_b", address) == WORDS


def _until_somebody_waits(hub: Hub) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(500):
        with hub.house.transaction(POST) as tx:
            if tx.value(query):
                return
            tx.value("SELECT pg_sleep(0.01)")
    raise AssertionError("the destruction did not wait")


def test_too_much_is_refused_and_leaves_nothing(hub: Hub) -> None:
    with pytest.raises(Invalid, match="1,000 bytes"):
        hub.house.blobs.put([b"x" * 600, b"x" * 600], 1000)

    assert _files(hub) == []


def test_what_a_crash_leaves_between_put_and_hold_is_unreadable_and_swept_after_a_day(hub: Hub) -> None:
    held = _put(hub, "case_a", WORDS)
    kept = {*_files(hub)}
    lost = hub.house.blobs.put([b"the sender was not told that this arrived"], LIMIT)
    (orphan,) = {*_files(hub)} - kept
    now = datetime.now(UTC)

    with pytest.raises(NotFound):
        _open(hub, "case_a", lost.address)
    assert _sweep(hub, now - timedelta(days=1)) == 0
    two_days_ago = (now - timedelta(days=2)).timestamp()
    for file in (orphan, *kept):
        os.utime(file, (two_days_ago, two_days_ago))
    assert _sweep(hub, now - timedelta(days=1)) == 1
    assert {*_files(hub)} == kept
    assert _open(hub, "case_a", held) == WORDS


def test_sweeping_leaves_files_that_are_not_ours(hub: Hub) -> None:
    strange = hub.house.settings.blobs_dir / "ab" / "notes.txt"
    strange.parent.mkdir()
    strange.write_text("an administrator's")

    assert _sweep(hub, datetime.now(UTC) + timedelta(days=1)) == 0
    assert strange.exists()


def test_another_hub_key_opens_nothing_and_says_so(hub: Hub, tmp_path: Path) -> None:
    address = _put(hub, "case_a", WORDS)
    stranger = BlobStore(hub.house.settings.blobs_dir, b"another key of thirty-two bytes!")

    with pytest.raises(Unavailable, match="restore the keys"), hub.house.transaction(INTAKE) as tx:
        b"".join(stranger.open(tx, "case_a", address))


def test_secrets_hide_in_what_is_printed(hub: Hub) -> None:
    sealed = hub.house.blobs.put([WORDS], LIMIT)

    assert sealed.key.hex() not in repr(sealed) and repr(sealed.key) not in repr(sealed)
    assert repr(hub.house.keys) == "Keys(…)"
