# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces: what came stays, a cut costs one piece, the whole is the submission that its bytes at once would be."""

import tracemalloc
from collections.abc import Iterator

import pytest

from clearwell.clearinghouse.flow import reporting, uploading
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import INTAKE, OrganizationKind
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound
from hub import Hub
from story import plain, report

RAW = report(plain("one"))


def _blobs(hub: Hub) -> int:
    return sum(path.is_file() for path in hub.house.settings.blobs_dir.rglob("*"))


def test_pieces_become_the_same_submission_as_the_bytes_at_once(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    for start in (0, 100, 200):
        upload = uploading.append_piece(hub.house, lab, upload.id, start, [RAW[start : start + 100 if start < 200 else None]])

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
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:50]])

    def cut() -> Iterator[bytes]:
        yield RAW[50:60]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        uploading.append_piece(hub.house, lab, upload.id, 50, cut())

    again = uploading.start_upload(hub.house, lab, "k", len(RAW))
    assert (again.id, again.received, _blobs(hub)) == (upload.id, 50, 1)


def test_a_piece_goes_behind_what_is_there_and_nowhere_else(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:50]])

    for offset in (0, 49, 51):
        with pytest.raises(Conflict, match="begins at 50"):
            uploading.append_piece(hub.house, lab, upload.id, offset, [b"x"])
    with pytest.raises(Invalid, match="limit"):
        uploading.append_piece(hub.house, lab, upload.id, 50, [RAW[50:], b"x"])
    with pytest.raises(Conflict, match="send the rest"):
        uploading.finish_upload(hub.house, lab, upload.id, Envelope(name="r.json"))
    with pytest.raises(Conflict, match="new key"):
        uploading.start_upload(hub.house, lab, "k", 7)
    assert uploading.read_upload(hub.house, lab, upload.id).received == 50


def test_an_upload_is_its_organizations_alone(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", 10)

    assert uploading.start_upload(hub.house, other, "k", 10).id != upload.id
    with pytest.raises(NotFound):
        uploading.append_piece(hub.house, other, upload.id, 0, [b"x"])


def test_pieces_of_an_upload_that_never_became_whole_are_destroyed_after_a_day(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    upload = uploading.start_upload(hub.house, lab, "k", len(RAW))
    uploading.append_piece(hub.house, lab, upload.id, 0, [RAW[:50]])
    uploading.sweep_uploads(hub.house)
    assert _blobs(hub) == 1

    hub.clock.move(days=1, seconds=1)
    uploading.sweep_uploads(hub.house)

    assert _blobs(hub) == 0
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
