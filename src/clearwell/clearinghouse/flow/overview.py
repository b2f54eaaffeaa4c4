# SPDX-License-Identifier: Apache-2.0
"""The overview: the nine stages with counts under the viewer's own rows. Counts are capped ("10,000+"), never estimated."""

import msgspec

from clearwell.clearinghouse.case import measure_store
from clearwell.clearinghouse.case.scorecard import Score
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.ids import OrganizationId

CAP = 10_000
"""A count stops here: a longer list is said to be longer."""


class Stage(msgspec.Struct, frozen=True):
    """One stage of the way and how many of the viewer's own rows are there now."""

    name: str
    what: str
    count: int

    @property
    def shown(self) -> str:
        """The count for people."""
        return f"{CAP:,}+" if self.count >= CAP else f"{self.count:,}"


class Overview(msgspec.Struct, frozen=True):
    """The stages in order, and what waits for a person (appeals, proposals) where the viewer may see it."""

    stages: tuple[Stage, ...]
    waiting_for_people: int


def read_overview(house: House, actor: Member) -> Overview:
    """Count each stage within the rows that the viewer may see."""
    house.policy.require(actor, Act.READ_OVERVIEW)
    with house.transaction(actor) as tx:
        stages = tuple(Stage(*row) for row in measure_store.stage_counts(tx, CAP))
        return Overview(stages, measure_store.waiting_for_people(tx, house.clock.now()))


def read_scorecard(house: House, actor: Member, organization: OrganizationId | None = None) -> tuple[Score, ...]:
    """What became of what an organization sent, by tool and model: one's own, or (coordinators) anybody's. The newest 100,000 findings."""
    whose = organization or actor.organization
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.READ_REPORTS, Subject(organization=whose))
        return measure_store.scores(tx, whose, submissions=1_000, findings=100_000)
