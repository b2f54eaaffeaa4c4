# SPDX-License-Identifier: Apache-2.0
"""/submissions: a finder sends reports and reads the answers, under its own ids and public ones."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.params import FromPath, HeaderParameter, QueryParameter

from clearwell.clearinghouse.case.report import Submission
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import AnsweredFinding, Envelope
from clearwell.faces.api.pieces import Pieces
from clearwell.faces.api.routes import After, Housed, Limit, Signed, read, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Origin
from clearwell.vocabulary.ids import SubmissionId, parse_id
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.product import Product, parse_target

UPLOADS = 16
"""Reports that are received at the same time; more wait their turn. Their threads are their own, so that a slow sender slows
nobody but senders."""

Word = Annotated[str | None, QueryParameter(min_length=1, max_length=200)]


class Receipt(msgspec.Struct, frozen=True):
    """What a sender holds once raw bytes, row, ledger entry and job are committed."""

    id: str
    state: str
    received_at: datetime


class SubmissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as its sender sees it. `state`: received, parsed, unreadable. `size` is in bytes; `problems` name broken parts."""

    id: str
    name: str
    state: str
    received_at: datetime
    size: int
    marking: str
    target: str | None
    format: str | None
    tool: str | None
    findings: int
    problems: tuple[str, ...]
    parsed_at: datetime | None


class Submissions(msgspec.Struct, frozen=True):
    """A page of submissions, newest first; `next` is `after` of the next page, null on the last."""

    submissions: tuple[SubmissionView, ...]
    next: str | None


class Answered(msgspec.Struct, frozen=True):
    """One line of a finding's history."""

    answer: str
    reason: str
    at: datetime


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one finding. `participation` is the sender's own id for the case, `advisory` the public id once published.

    `first_reported` is the day of the first report of it by anybody; `ends_at` the day on which it is published at the latest.
    `ai` is true where a model wrote the finding.
    """

    finding: str
    position: int
    title: str
    answer: str
    reason: str
    history: tuple[Answered, ...]
    participation: str | None
    first_reported: date | None
    standing: str | None
    ends_at: datetime
    advisory: str | None
    ai: bool


class Answers(msgspec.Struct, frozen=True):
    """A page of answers in the document's order; `next` is `after` of the next page, null on the last."""

    answers: tuple[AnswerView, ...]
    next: int | None


def submission_view(sent: Submission) -> SubmissionView:
    """Show a submission."""
    return SubmissionView(
        id=sent.id, name=sent.name, state=sent.state.value, received_at=sent.received_at, size=sent.size, marking=sent.marking.value,
        target=target_text(sent.target), format=sent.format, tool=sent.tool, findings=sent.findings, problems=sent.problems,
        parsed_at=sent.parsed_at,
    )  # fmt: skip


def target_text(target: Product | None) -> str | None:
    """A product as `target` takes it."""
    if target is None:
        return None
    return target.purl or (f"{target.repository}@{target.commit}" if target.commit else target.name)


def answer_view(answered: AnsweredFinding) -> AnswerView:
    """Show an answer; never the case's own id, which is not the sender's."""
    finding, last = answered.finding, answered.history[-1]
    return AnswerView(
        finding=finding.id,
        position=finding.position,
        title=finding.title,
        answer=last.answer.value,
        reason=last.reason,
        history=tuple(Answered(row.answer.value, row.reason, row.at) for row in answered.history),
        participation=answered.participation,
        first_reported=answered.first_reported.date() if answered.first_reported else None,
        standing=answered.standing,
        ends_at=answered.ends_at,
        advisory=answered.advisory,
        ai=finding.is_ai,
    )


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
    human_reviewer: Word = None,
    idempotency_key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200)] = None,
) -> Receipt:
    """Send a report: the body is its raw bytes, in any format that `clearwell parse` reads; it is sealed as received.

    The same key, or the same bytes with the same name and target, gives the same submission.
    """
    envelope = Envelope(
        name=name,
        target=parse_target(target) if target is not None else None,
        marking=_marking(marking),
        origin=Origin(tool, tool_version, model, human_reviewer),
        idempotency_key=idempotency_key,
    )
    uploads: ThreadPoolExecutor = request.app.state.uploads
    submit = partial(reporting.submit_report, house, member, Pieces(request, house.settings.submission_bytes), envelope)
    sent = await asyncio.get_running_loop().run_in_executor(uploads, submit)
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


@read("/submissions/{submission_id:str}/answers", Act.READ_REPORTS)
def read_answers(
    house: Housed,
    member: Signed,
    submission_id: FromPath[str],
    after: Annotated[int, QueryParameter(ge=-1, le=2**31 - 1, description="`next` of the page before.")] = -1,
    limit: Limit = 100,
) -> Answers:
    """The answer to each finding with its history, in the document's order."""
    found = reporting.read_answers(house, member, SubmissionId(parse_id("sub", submission_id)), after, limit)
    return Answers(tuple(map(answer_view, found)), found[-1].finding.position if len(found) == limit else None)


def _marking(text: str) -> Marking:
    try:
        return Marking(text)
    except ValueError:
        raise Invalid(f"a marking is one of {', '.join(Marking)}; in an address + is written %2B") from None


ROUTES = (send_submission, list_submissions, read_submission, read_answers)
