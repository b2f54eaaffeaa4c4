# SPDX-License-Identifier: Apache-2.0
"""The stream of answers: server-sent events (HTML, 9.2), one for each finding as it is answered; it ends with the submission."""

import asyncio
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable

import msgspec
from litestar.concurrency import sync_to_thread
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from clearwell.clearinghouse.case.report import SubmissionState
from clearwell.clearinghouse.flow import reporting
from clearwell.faces.api.answers import answer_view
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.ids import SubmissionId

PAGE = 200
"""Answers that are read at once."""
PAUSE = 0.25
"""Seconds between two looks while nothing new is there."""
LONGEST = 300.0
"""Seconds after which a stream ends whatever is left; who goes on sends `Last-Event-ID`, as browsers do by themselves."""
STREAMS = 32
"""Streams that one server keeps open, a quarter of them for one organization; more are told to come back."""
_QUIET = 15.0


class End(msgspec.Struct, frozen=True):
    """The last line of a stream. `state` is the submission's; `received` means that the time was over, not the answers."""

    state: str
    findings: int
    last: int


class Streams:
    """How many streams are open, and whose. Counted, so that many patient readers use up neither the server nor others' places."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()

    def take(self, organization: str) -> None:
        """Count one more; raise Unavailable when there are as many as may be."""
        if self.open.total() >= STREAMS or self.open[organization] >= STREAMS // 4:
            whose = "of your organization's " if self.open.total() < STREAMS else ""
            raise Unavailable(f"too many {whose}streams of answers are open here; ask for pages, or come back")
        self.open[organization] += 1

    def give_back(self, organization: str) -> None:
        """Count one less."""
        self.open[organization] -= 1
        if not self.open[organization]:
            del self.open[organization]


def stream(house: House, member: Member, submission: SubmissionId, after: int, streams: Streams) -> ServerSentEvent:
    """Answers behind the position `after` as they come; raises Unavailable when too many streams are open.

    The place is given back when the lines end, or when nobody holds them any longer: who hung up before the first never asks for one.
    """
    streams.take(member.organization)
    lines = _lines(house, member, submission, after)
    return ServerSentEvent(_counted(lines, weakref.finalize(lines, streams.give_back, member.organization)))


async def _counted(lines: AsyncIterator[ServerSentEventMessage], leave: Callable[[], object]) -> AsyncIterator[ServerSentEventMessage]:
    try:
        async for line in lines:
            yield line
    finally:
        leave()


async def _lines(house: House, member: Member, submission: SubmissionId, after: int) -> AsyncIterator[ServerSentEventMessage]:
    loop = asyncio.get_running_loop()
    end, said = loop.time() + LONGEST, loop.time()
    while True:
        sent = await sync_to_thread(reporting.read_submission, house, member, submission)
        found = await sync_to_thread(reporting.read_answers, house, member, submission, after, PAGE)
        for answered in found:
            after, said = answered.finding.position, loop.time()
            data = msgspec.json.encode(answer_view(answered)).decode()
            yield ServerSentEventMessage(data=data, event="answer", id=str(after))
        is_over = loop.time() >= end
        if is_over or (len(found) < PAGE and sent.state is not SubmissionState.RECEIVED):
            last = End(sent.state.value, sent.findings, after)
            yield ServerSentEventMessage(data=msgspec.json.encode(last).decode(), event="cut" if is_over else "end", id=str(after))
            return
        if len(found) < PAGE:
            await asyncio.sleep(PAUSE)
        if loop.time() - said >= _QUIET:
            said = loop.time()
            yield ServerSentEventMessage(comment="still here")
