# SPDX-License-Identifier: Apache-2.0
"""/overview and /tempo: the flow with counts under the viewer's own rows, and how long each step took."""

from datetime import datetime

import msgspec

from clearwell.clearinghouse import tempo
from clearwell.clearinghouse.flow import overview
from clearwell.faces.api.routes import Housed, Signed, read
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.policy.policy import Act


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


def _case(one: tempo.CaseTempo) -> CaseTempoView:
    return CaseTempoView(
        case=one.case, reported=one.reported, proven=one.proven, fixed=one.fixed, published=one.published, seconds=one.seconds
    )


def _action(one: tempo.ActionTempo) -> ActionTempoView:
    return ActionTempoView(
        action=one.action, published=one.published, told=one.told, received=one.received, planned=one.planned,
        installed=one.installed, seconds=one.seconds,
    )  # fmt: skip


ROUTES = (read_overview, read_tempo)
