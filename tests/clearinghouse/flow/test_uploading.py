# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces: what came stays, a cut costs one piece, the whole is the submission that its bytes at once would be."""

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from clearwell.clearinghouse.flow import reporting, uploading
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.upload import JOINING, LEAST
from clearwell.ground.identity.actor import INTAKE, OrganizationKind
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable
from clearwell.vocabulary.ids import SourceId
from hub import Hub
from story import plain, report

RAW = report(plain("one")) + b" " * 400_000
THIRD = 150_000


def _blobs(hub: Hub) -> int:
    return sum(path.is_file() for path in hub.house.settings.blobs_dir.rglob("*"))


def written(hub: Hub, kind: str) -> list[str]:
    """The types of the ledger's entries that begin so, oldest first."""
    with hub.house.transaction(INTAKE) as tx:
        rows = tx.rows("SELECT type FROM clearwell.ledger_entry ORDER BY id")
    return [row["type"] for row in rows if row["type"].startswith(kind)]


def test_pieces_become_the_same_submission_as_the_bytes_at_once(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    for start in (0, THIRD, 2 * THIRD):
        upload = uploading.append_piece(hub.house, lab, upload.id, start, [RAW[start : start + THIRD]])

    sent = uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json"))

    assert uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json")).id == sent.id
    assert reporting.submit_report(hub.house, lab, [RAW], Envelope(name="r.json")).id == sent.id
    assert uploading.start_upload(hub.house, lab, "k", len(RAW)).submission == sent.id
    assert _blobs(hub) == 1
    hub.work()
    assert len(reporting.read_answers(hub.house, lab, sent.id)) == 1
    with hub.house.transaction(INTAKE) as tx:
        assert b"".join(hub.house.blobs.open(tx, sent.id, sent.address)) == RAW


def test_a_piece_that_is_cut_leaves_what_was_there(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:THIRD]])

    def cut() -> Iterator[bytes]:
        yield RAW[THIRD : THIRD + 10]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        uploading.append_piece(hub.house, lab, upload.id, THIRD, cut())

    again = uploading.start_upload(hub.house, lab, "k", len(RAW))
    assert (again.id, again.received, _blobs(hub)) == (upload.id, THIRD, 1)


def test_a_piece_goes_behind_what_is_there_and_nowhere_else(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:THIRD]])

    for offset in (0, THIRD - 1, THIRD + 1):
        with pytest.raises(Conflict, match=f"begins at {THIRD}"):
            uploading.append_piece(hub.house, lab, upload.id, offset, [b"x"])
    with pytest.raises(Invalid, match="limit"):
        uploading.append_piece(hub.house, lab, upload.id, THIRD, [RAW[THIRD:], b"x"])
    with pytest.raises(Conflict, match="send the rest"):
        uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json"))
    with pytest.raises(Conflict, match="new key"):
        uploading.start_upload(hub.house, lab, "k", 7)
    assert uploading.read_upload(hub.house, lab, upload.id).received == THIRD


def test_a_piece_is_not_too_small_but_the_last_one_may_be(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", LEAST + 1)

    for small in (b"", b"x", b"x" * (LEAST - 1)):
        with pytest.raises(Invalid, match="empty" if not small else "send at least 65,536 at once"):
            uploading.append_piece(hub.house, lab, upload.id, 0, [small])
    assert _blobs(hub) == 0
    uploading.append_piece(hub.house, lab, upload.id, 0, [b"x" * LEAST])
    assert uploading.append_piece(hub.house, lab, upload.id, LEAST, [b"x"]).received == LEAST + 1


def test_finishes_at_the_same_time_make_one_submission(hub: Hub) -> None:
    lab, sources = hub.member(OrganizationKind.LAB), 4
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW])
    together = Barrier(sources)

    def finish(number: int) -> str | None:
        together.wait()
        try:
            return uploading.finish_upload(hub.house, lab, upload.id, Envelope(name=f"r{number}.json")).id
        except Unavailable as reason:
            assert "being made whole" in str(reason)
            return None

    with ThreadPoolExecutor(sources) as threads:
        made = {sent for sent in threads.map(finish, range(sources)) if sent is not None}

    assert len(made) == 1
    assert {uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="again")).id} == made
    assert {sent.id for sent in reporting.list_submissions(hub.house, lab)} == made
    assert _blobs(hub) == 1
    assert written(hub, "upload.") == ["upload.started", "upload.joined", "upload.finished"]


def test_who_died_while_an_upload_was_made_whole_holds_it_up_for_minutes_only(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW])
    with hub.house.transaction(lab) as tx:
        intake_store.set_joining(tx, upload.id, hub.clock.now() + JOINING)
    with pytest.raises(Unavailable, match="ask again"):
        uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json"))

    hub.clock.move(minutes=5, seconds=1)

    assert uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json")).size == len(RAW)


def test_a_finish_that_failed_may_be_tried_again_at_once(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW])
    with pytest.raises(NotFound):
        uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json", source=SourceId(hub.house.new_id("source"))))

    assert uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json")).size == len(RAW)
    assert _blobs(hub) == 1


def test_an_upload_is_its_organizations_alone(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", 10)

    assert uploading.start_upload(hub.house, other, "k", 10).id != upload.id
    with pytest.raises(NotFound):
        uploading.append_piece(hub.house, other, upload.id, 0, [b"x"])


def test_pieces_of_an_upload_that_never_became_whole_are_destroyed_after_a_day(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:THIRD]])
    uploading.sweep_uploads(hub.house)
    assert _blobs(hub) == 1

    hub.clock.move(days=1, seconds=1)
    uploading.sweep_uploads(hub.house)

    assert _blobs(hub) == 0
    assert written(hub, "upload.") == ["upload.started", "upload.abandoned"]
    with pytest.raises(NotFound):
        uploading.read_upload(hub.house, lab, upload.id)


def test_no_report_is_held_whole_while_it_comes(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", 24 << 20)
    tracemalloc.start()
    try:
        reporting.submit_report(hub.house, lab, (b"x" * (1 << 20) for _ in range(64)), Envelope(name="big"))
        for piece in range(3):
            uploading.append_piece(hub.house, lab, upload.id, piece * uploading.PIECE, (b"y" * (1 << 20) for _ in range(8)))
        uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="pieces"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 16 << 20
