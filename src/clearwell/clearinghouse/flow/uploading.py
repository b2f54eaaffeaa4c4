# SPDX-License-Identifier: Apache-2.0
"""Uploading: a big report comes in pieces. What came stays when the connection is cut, and the sender goes on behind it."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.entries import UploadAbandoned, UploadFinished, UploadJoined, UploadStarted
from clearwell.clearinghouse.case.report import Submission
from clearwell.clearinghouse.flow.reporting import Envelope, record
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.quota import midnight, require_room, usual
from clearwell.clearinghouse.intake.upload import PIECE, Upload
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, Member
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.blobs import Sealed
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import UploadId

KEPT = timedelta(days=1)
"""How long an upload may take from its first byte; then its pieces are destroyed."""
_SWEPT = 500


def start_upload(house: House, actor: Member, key: str, size: int) -> Upload:
    """Begin an upload of `size` bytes, or find how far the one of the same idempotency key is. Raises Invalid, Conflict, QuotaReached."""
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(organization=actor.organization))
    if not 1 <= size <= house.settings.submission_bytes:
        raise Invalid(f"a report has 1 to {house.settings.submission_bytes:,} bytes here; split a larger one and send the parts")
    if not 1 <= len(key) <= 200:
        raise Invalid("an idempotency key has 1 to 200 characters")
    hashed, now = house.blobs.mac("idempotency", key.encode()), house.clock.now()
    with house.transaction(actor) as tx:
        tx.take_turns("sender", [actor.organization])
        known = intake_store.find_upload(tx, actor.organization, hashed)
        if known is not None:
            if known.size != size:
                raise Conflict(f"this idempotency key began an upload of {known.size:,} bytes; use a new key for another report")
            return known
        used = intake_store.usage(tx, actor.organization, midnight(now))
        require_room(intake_store.load_quota(tx, actor.organization, usual(house.settings)), used, size, now)
        upload = Upload(id=UploadId(house.new_id("upload")), organization=actor.organization, key=hashed, size=size, started_at=now)
        intake_store.insert_upload(tx, upload)
        house.write(tx, UploadStarted(upload.id, upload.organization, size), by=actor)
    return upload


def read_upload(house: House, actor: Member, upload_id: UploadId) -> Upload:
    """How far an upload is; raise NotFound."""
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(upload_id, organization=actor.organization))
    with house.transaction(actor) as tx:
        return intake_store.load_upload(tx, upload_id)


def append_piece(house: House, actor: Member, upload_id: UploadId, offset: int, pieces: Iterable[bytes]) -> Upload:
    """Seal the bytes from `offset` on, LEAST to PIECE of them; once this returns they stay. Raises Conflict, Invalid, NotFound."""
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(upload_id, organization=actor.organization))
    with house.transaction(actor) as tx:
        upload = intake_store.load_upload(tx, upload_id)
        upload.require_next(offset)
    sealed = house.blobs.put(pieces, min(PIECE, upload.size - offset))
    with house.transaction(actor) as tx:
        try:
            return _append(house, tx, intake_store.load_upload(tx, upload_id, lock=True), offset, sealed)
        except BaseException:
            house.blobs.discard(sealed)
            raise


def _append(house: House, tx: Transaction, upload: Upload, offset: int, sealed: Sealed) -> Upload:
    upload.require_next(offset)
    upload.require_piece(sealed.size)
    house.blobs.hold(tx, upload.id, sealed)
    intake_store.insert_piece(tx, upload, sealed.address, sealed.size)
    return intake_store.load_upload(tx, upload.id)


def finish_upload(house: House, actor: Member, upload_id: UploadId, envelope: Envelope) -> Submission:
    """Make an upload that is whole a submission, as if its bytes had come at once; again: the same one.

    One act at a time does it: the row is marked under its lock, so that sealing the whole holds up no transaction. Raises Conflict,
    NotFound, Unavailable while another request does it.
    """
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(upload_id, organization=actor.organization))
    with house.transaction(actor) as tx:
        upload = intake_store.load_upload(tx, upload_id, lock=True)
        if upload.submission is not None:
            return report_store.load_submission(tx, upload.submission)
        intake_store.set_joining(tx, upload.id, upload.join(house.clock.now()))
        house.write(tx, UploadJoined(upload.id, upload.organization), by=actor)
    try:
        return _join(house, actor, upload, envelope)
    except BaseException:
        with house.transaction(actor) as tx:
            intake_store.set_joining(tx, upload.id, None)
        raise


def _join(house: House, actor: Member, upload: Upload, envelope: Envelope) -> Submission:
    with house.transaction(actor) as tx:
        parts = [house.blobs.open(tx, upload.id, address) for address in intake_store.pieces(tx, upload.id)]
    sealed = house.blobs.put(chain.from_iterable(parts), house.settings.submission_bytes)
    with house.transaction(actor) as tx:
        try:
            return _finish(house, tx, actor, upload.id, sealed, envelope)
        except BaseException:
            house.blobs.discard(sealed)
            raise


def _finish(house: House, tx: Transaction, actor: Member, upload_id: UploadId, sealed: Sealed, envelope: Envelope) -> Submission:
    """Record the whole, once: an act that took longer than it may finds what the next one made meanwhile."""
    upload = intake_store.load_upload(tx, upload_id, lock=True)
    if upload.submission is not None:
        house.blobs.discard(sealed)
        return report_store.load_submission(tx, upload.submission)
    submission = record(house, tx, actor, sealed, envelope, upload.id)
    intake_store.finish_upload(tx, upload.id, submission.id)
    house.blobs.destroy(tx, upload.id)
    house.write(tx, UploadFinished(upload.id, submission.id), by=actor)
    return submission


def sweep_uploads(house: House) -> None:
    """Forget uploads that began more than a day ago; pieces of those that never became a submission are destroyed."""
    house.policy.require(INTAKE, Act.PARSE)
    while True:
        with house.transaction(INTAKE) as tx:
            gone = intake_store.delete_uploads(tx, house.clock.now() - KEPT, _SWEPT)
            for upload in gone:
                house.blobs.destroy(tx, upload.id)
                if upload.submission is None:
                    house.write(tx, UploadAbandoned(upload.id, upload.received), by=INTAKE)
        if len(gone) < _SWEPT:
            return
