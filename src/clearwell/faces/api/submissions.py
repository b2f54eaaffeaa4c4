# SPDX-License-Identifier: Apache-2.0
"""/submissions: a finder sends reports and reads the answers, under its own ids and public ones."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.concurrency import sync_to_thread
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, QueryParameter

from clearwell.clearinghouse.case.report import Submission
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.faces.api.answers import AnswerView, answer_view
from clearwell.faces.api.door import Door
from clearwell.faces.api.pieces import Pieces
from clearwell.faces.api.routes import After, Housed, Limit, Signed, read, write
from clearwell.faces.api.stream import Streams, stream
from clearwell.formats import column_mapping
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Origin
from clearwell.vocabulary.ids import SourceId, SubmissionId, parse_id
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.product import Product, parse_target

Source = Annotated[str | None, QueryParameter(max_length=40, description="A source archive sent before (`POST /sources`).")]
Word = Annotated[str | None, QueryParameter(min_length=1, max_length=200)]
Complete = Annotated[bool, QueryParameter(description="It names everything that its tool finds in `target`.")]
Columns = Annotated[
    list[str] | None,
    QueryParameter(
        name="column", max_items=100, description="FIELD=NAME, once for each: it is a table, and this column holds that field (CSV)."
    ),
]


class Receipt(msgspec.Struct, frozen=True):
    """What a sender holds once raw bytes, row, ledger entry and job are committed."""

    id: str
    state: str
    received_at: datetime


class SubmissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as its sender sees it. `state`: received, parsed, unreadable. `size` is in bytes; `problems` name broken parts.

    `organization` and `origin` say who found it and with what, as its sender stated it; a finding's own origin goes before. `columns`
    is how its sender had a table read (field -> column's name).
    """

    id: str
    name: str
    state: str
    received_at: datetime
    size: int
    organization: str
    origin: Origin
    complete: bool
    marking: str
    target: str | None
    columns: dict[str, str]
    format: str | None
    tool: str | None
    findings: int
    problems: tuple[str, ...]
    parsed_at: datetime | None


class Submissions(msgspec.Struct, frozen=True):
    """A page of submissions, newest first; `next` is `after` of the next page, null on the last."""

    submissions: tuple[SubmissionView, ...]
    next: str | None


class Answers(msgspec.Struct, frozen=True):
    """A page of answers in the document's order; `next` is `after` of the next page, null on the last."""

    answers: tuple[AnswerView, ...]
    next: int | None


def submission_view(sent: Submission) -> SubmissionView:
    """Show a submission."""
    return SubmissionView(
        id=sent.id, name=sent.name, state=sent.state.value, received_at=sent.received_at, size=sent.size, marking=sent.marking.value,
        organization=sent.organization, origin=sent.origin, complete=sent.complete,
        target=target_text(sent.target), columns=sent.columns, format=sent.format, tool=sent.tool, findings=sent.findings,
        problems=sent.problems, parsed_at=sent.parsed_at,
    )  # fmt: skip


def target_text(target: Product | None) -> str | None:
    """A product as `target` takes it."""
    if target is None:
        return None
    return target.purl or (f"{target.repository}@{target.commit}" if target.commit else target.name)


@write("/submissions", Act.SUBMIT_REPORT, status_code=202, is_async=True, request_max_body_size=None)
async def send_submission(
    request: Request[Any, Any, Any],
    house: Housed,
    member: Signed,
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
    idempotency_key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200)] = None,
) -> Receipt:
    """Send a report: the body is its raw bytes, in any format that `clearwell parse` reads; it is sealed as received.

    The same key, or the same bytes with the same name, target, source and columns, gives the same submission. A big one is better sent in
    pieces (`/uploads`). 429 says in Retry-After when your organization may send again.
    """
    envelope = envelope_of(
        name, target, marking, tool, tool_version, model, model_version, human_reviewer, complete, source, columns, idempotency_key
    )
    door: Door = request.app.state.uploads
    submit = partial(reporting.submit_report, house, member, Pieces(request, house.settings.submission_bytes), envelope)
    sent = await door.run(member.organization, submit)
    return Receipt(sent.id, sent.state.value, sent.received_at)


@read("/submissions", Act.READ_REPORTS)
def list_submissions(house: Housed, member: Signed, after: After = None, limit: Limit = 50) -> Submissions:
    """The submissions that you may see, newest first."""
    found = reporting.list_submissions(house, member, before=parse_id("sub", after) if after else None, limit=limit)
    return Submissions(tuple(map(submission_view, found)), found[-1].id if len(found) == limit else None)


@read("/submissions/{submission_id:str}", Act.READ_REPORTS)
def read_submission(house: Housed, member: Signed, submission_id: FromPath[str]) -> SubmissionView:
    """One submission and how far it is."""
    return submission_view(reporting.read_submission(house, member, SubmissionId(parse_id("sub", submission_id))))


@read("/submissions/{submission_id:str}/answers", Act.READ_REPORTS, is_async=True, ok=ResponseSpec(Answers, generate_examples=False))
async def read_answers(
    request: Request[Any, Any, Any],
    house: Housed,
    member: Signed,
    submission_id: FromPath[str],
    after: Annotated[int, QueryParameter(ge=-1, le=2**31 - 1, description="`next` of the page before.")] = -1,
    limit: Limit = 100,
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID", pattern="^[0-9]{1,9}$")] = None,
) -> Response[Any]:
    """The answer to each finding with its history, in the document's order.

    `Accept: text/event-stream` gives them as they come: `answer` for each, `end` behind the last, `cut` after five minutes.
    """
    submission = SubmissionId(parse_id("sub", submission_id))
    if "text/event-stream" in request.headers.get("accept", ""):
        await sync_to_thread(reporting.read_submission, house, member, submission)
        streams: Streams = request.app.state.streams
        return stream(house, member, submission, int(last_event_id) if last_event_id else after, streams)
    found = await sync_to_thread(reporting.read_answers, house, member, submission, after, limit)
    return Response(Answers(tuple(map(answer_view, found)), found[-1].finding.position if len(found) == limit else None))


def envelope_of(
    name: str,
    target: str | None,
    marking: str,
    tool: str | None,
    tool_version: str | None,
    model: str | None,
    model_version: str | None,
    human_reviewer: str | None,
    complete: bool,
    source: str | None,
    columns: list[str] | None,
    idempotency_key: str | None,
) -> Envelope:
    """What is said beside the bytes, from a request's parameters; raise Invalid."""
    return Envelope(
        name=name,
        target=parse_target(target) if target is not None else None,
        marking=_marking(marking),
        origin=Origin(tool, tool_version, model, human_reviewer, model_version),
        idempotency_key=idempotency_key,
        complete=complete,
        source=SourceId(parse_id("source", source)) if source is not None else None,
        columns=column_mapping(columns or ()),
    )


def _marking(text: str) -> Marking:
    try:
        return Marking(text)
    except ValueError:
        raise Invalid(f"a marking is one of {', '.join(Marking)}; in an address + is written %2B") from None


ROUTES = (send_submission, list_submissions, read_submission, read_answers)
