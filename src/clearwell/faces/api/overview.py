# SPDX-License-Identifier: Apache-2.0
"""/overview, /tempo and /scorecard: counts under the viewer's own rows, how long each step took, what became of what was sent."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import QueryParameter

from clearwell.clearinghouse import tempo
from clearwell.clearinghouse.case.scorecard import Score
from clearwell.clearinghouse.flow import overview
from clearwell.faces.api.routes import Housed, Signed, read
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import OrganizationId, parse_id


class StageView(msgspec.Struct, frozen=True):
    """A stage and how many of your rows are there; `shown` says "10,000+" where counting stopped."""

    name: str
    what: str
    count: int
    shown: str


class OverviewView(msgspec.Struct, frozen=True):
    """The nine stages in order, and how much waits for a person."""

    stages: tuple[StageView, ...]
    waiting_for_people: int


class CaseTempoView(msgspec.Struct, frozen=True, kw_only=True):
    """A case's times; `seconds` count from the first report."""

    case: str
    reported: datetime
    proven: datetime | None
    fixed: datetime | None
    published: datetime | None
    seconds: dict[str, float | None]


class ActionTempoView(msgspec.Struct, frozen=True, kw_only=True):
    """One of your own actions; `seconds` count from publication."""

    action: str
    published: datetime
    told: datetime
    received: datetime | None
    planned: datetime | None
    installed: datetime | None
    seconds: dict[str, float | None]


class Tempo(msgspec.Struct, frozen=True):
    """For coordinators the cases', for an operator its own actions'; from raw ledger entries."""

    cases: tuple[CaseTempoView, ...]
    actions: tuple[ActionTempoView, ...]


@read("/overview", Act.READ_OVERVIEW)
def read_overview(house: Housed, member: Signed) -> OverviewView:
    """The flow with counts under your own rows."""
    seen = overview.read_overview(house, member)
    return OverviewView(tuple(StageView(s.name, s.what, s.count, s.shown) for s in seen.stages), seen.waiting_for_people)


@read("/tempo", Act.READ_OVERVIEW)
def read_tempo(house: Housed, member: Signed) -> Tempo:
    """How long each step took; refused to who has neither cases nor actions."""
    if member.kind in {OrganizationKind.OPERATOR, OrganizationKind.AGENCY}:
        return Tempo((), tuple(map(_action, tempo.operator_tempo(house, member))))
    return Tempo(tuple(map(_case, tempo.case_tempo(house, member))), ())


class ShareView(msgspec.Struct, frozen=True):
    """A share with its 95 % interval (Wilson); all null where nothing was settled."""

    count: int
    of: int
    value: float | None
    interval: tuple[float, float] | None


class ScoreView(msgspec.Struct, frozen=True):
    """What became of the findings of one tool and model."""

    tool: str | None
    model: str | None
    sent: int
    new: int
    needs_proof: int
    duplicate: int
    refused: int
    reproduced: int
    yielded: ShareView
    duplicates: ShareView
    precision: ShareView


class Scorecard(msgspec.Struct, frozen=True):
    """The newest 100,000 findings of an organization, by tool and model."""

    scores: tuple[ScoreView, ...]


@read("/scorecard", Act.READ_REPORTS)
def read_scorecard(
    house: Housed,
    member: Signed,
    organization: Annotated[str | None, QueryParameter(max_length=40, description="Whose; coordinators may ask for anybody's.")] = None,
) -> Scorecard:
    """Yield, duplicate rate and precision of what your organization sent, by tool and model."""
    whose = OrganizationId(parse_id("org", organization)) if organization is not None else None
    return Scorecard(tuple(map(_score, overview.read_scorecard(house, member, whose))))


def _score(score: Score) -> ScoreView:
    shares = (ShareView(s.count, s.of, s.value, s.interval) for s in (score.yielded, score.duplicates, score.precision))
    counts = (score.sent, score.new, score.needs_proof, score.duplicate, score.refused, score.reproduced)
    return ScoreView(score.tool, score.model, *counts, *shares)


def _case(one: tempo.CaseTempo) -> CaseTempoView:
    return CaseTempoView(
        case=one.case, reported=one.reported, proven=one.proven, fixed=one.fixed, published=one.published, seconds=one.seconds
    )


def _action(one: tempo.ActionTempo) -> ActionTempoView:
    return ActionTempoView(
        action=one.action, published=one.published, told=one.told, received=one.received, planned=one.planned,
        installed=one.installed, seconds=one.seconds,
    )  # fmt: skip


ROUTES = (read_overview, read_tempo, read_scorecard)
