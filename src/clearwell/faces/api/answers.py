# SPDX-License-Identifier: Apache-2.0
"""An answer as its sender sees it in the API."""

from datetime import date, datetime

import msgspec

from clearwell.clearinghouse.flow.reporting import AnsweredFinding
from clearwell.vocabulary.finding import Origin


class Answered(msgspec.Struct, frozen=True):
    """One line of a finding's history."""

    answer: str
    reason: str
    at: datetime


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one finding. `participation` is the sender's own id for the case, `advisory` the public id once published.

    `first_reported` is the day of the first report of it by anybody; `ends_at` the day on which it is published at the latest. Of what is
    only said again, `standing` is null and `ends_at` is computed from that day by the hub's public policy: no more than `known` says
    (`GET /participations` shows the case's own to who takes part in it).
    `ai` is true where a model wrote the finding; `origin` names tool, model and who reviewed it. `not_seen_since` is the day on
    which your own scans last had it, where a later complete one lacks it: it says nothing about a fix.
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
    origin: Origin
    not_seen_since: date | None


def answer_view(answered: AnsweredFinding) -> AnswerView:
    """Show an answer; never the case's own id, which is not the sender's."""
    finding, last = answered.finding, answered.history[-1]
    standing, ends_at = answered.told
    return AnswerView(
        finding=finding.id,
        position=finding.position,
        title=finding.title,
        answer=last.answer.value,
        reason=last.reason,
        history=tuple(Answered(row.answer.value, row.reason, row.at) for row in answered.history),
        participation=answered.participation,
        first_reported=answered.first_reported.date() if answered.first_reported else None,
        standing=standing,
        ends_at=ends_at,
        advisory=answered.advisory,
        ai=finding.is_ai,
        origin=finding.body.origin,
        not_seen_since=finding.not_seen_since.date() if finding.not_seen_since else None,
    )
