# SPDX-License-Identifier: Apache-2.0
"""/uploads: a big report in pieces. A cut connection costs one piece; the sender asks how far the hub is and goes on there."""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.params import FromPath, HeaderParameter, QueryParameter

from clearwell.clearinghouse.flow import uploading
from clearwell.clearinghouse.intake.upload import PIECE, Upload
from clearwell.faces.api.door import Door
from clearwell.faces.api.pieces import Pieces
from clearwell.faces.api.routes import Housed, Signed, read, replace, write
from clearwell.faces.api.submissions import Columns, Complete, Receipt, Source, Word, envelope_of
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import UploadId, parse_id
from clearwell.vocabulary.marking import Marking


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is. The next piece begins at `received` and has at most `piece` bytes; `submission` is what it became."""

    id: str
    size: int
    received: int
    piece: int
    submission: str | None


def upload_view(upload: Upload) -> UploadView:
    """Show an upload."""
    return UploadView(id=upload.id, size=upload.size, received=upload.received, piece=PIECE, submission=upload.submission)


@write("/uploads", Act.SUBMIT_REPORT)
def start_upload(
    house: Housed,
    member: Signed,
    size: Annotated[int, QueryParameter(ge=1, le=2**53, description="The whole report's bytes.")],
    idempotency_key: Annotated[str, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200)],
) -> UploadView:
    """Begin an upload, or find again the one that the same key began, and how far it is."""
    return upload_view(uploading.start_upload(house, member, idempotency_key, size))


@read("/uploads/{upload_id:str}", Act.SUBMIT_REPORT)
def read_upload(house: Housed, member: Signed, upload_id: FromPath[str]) -> UploadView:
    """How far an upload is."""
    return upload_view(uploading.read_upload(house, member, _id(upload_id)))


@replace("/uploads/{upload_id:str}", Act.SUBMIT_REPORT, is_async=True, request_max_body_size=None)
async def append_piece(
    request: Request[Any, Any, Any],
    house: Housed,
    member: Signed,
    upload_id: FromPath[str],
    offset: Annotated[int, QueryParameter(ge=0, le=2**53, description="Where the piece begins: the upload's `received`.")],
) -> UploadView:
    """Send the bytes from `offset` on: once this is answered they stay. At another offset than `received` it is a conflict."""
    door: Door = request.app.state.uploads
    append = partial(uploading.append_piece, house, member, _id(upload_id), offset, Pieces(request, PIECE))
    return upload_view(await door.run(member.organization, append))


@write("/uploads/{upload_id:str}/submission", Act.SUBMIT_REPORT, status_code=202, is_async=True)
async def finish_upload(
    request: Request[Any, Any, Any],
    house: Housed,
    member: Signed,
    upload_id: FromPath[str],
    name: Annotated[str, QueryParameter(min_length=1, max_length=255, description="The file's name: shown, never opened.")],
    target: Annotated[str | None, QueryParameter(max_length=500, description="A package URL or REPOSITORY@COMMIT.")] = None,
    marking: Annotated[str, QueryParameter(description="A TLP 2.0 label (+ is written %2B).")] = Marking.AMBER.value,
    tool: Word = None,
    tool_version: Word = None,
    model: Word = None,
    model_version: Word = None,
    human_reviewer: Word = None,
    complete: Complete = False,
    source: Source = None,
    columns: Columns = None,
) -> Receipt:
    """Submit an upload that is whole, as `POST /submissions` would its bytes. Again: the same submission."""
    envelope = envelope_of(name, target, marking, tool, tool_version, model, model_version, human_reviewer, complete, source, columns, None)
    door: Door = request.app.state.uploads
    sent = await door.run(member.organization, partial(uploading.finish_upload, house, member, _id(upload_id), envelope))
    return Receipt(sent.id, sent.state.value, sent.received_at)


def _id(text: str) -> UploadId:
    return UploadId(parse_id("upload", text))


ROUTES = (start_upload, read_upload, append_piece, finish_upload)
