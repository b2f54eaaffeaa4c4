# SPDX-License-Identifier: Apache-2.0
"""The overview: the nine stages with counts under the viewer's own rows. Counts are capped ("10,000+"), never estimated."""

import msgspec

from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.ground.policy.policy import Act
from clearwell.ground.storage.database import Transaction

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


_STAGES = (
    ("intake", "reports received", "SELECT 1 FROM clearwell.submission"),
    ("sanity", "findings refused", "SELECT 1 FROM clearwell.finding WHERE answer = 'refused'"),
    ("dedupe", "findings that are duplicates", "SELECT 1 FROM clearwell.finding WHERE answer = 'duplicate'"),
    ("validation", "findings reproduced", "SELECT 1 FROM clearwell.finding WHERE answer = 'reproduced'"),
    ("prioritization", "actions ranked", "SELECT 1 FROM clearwell.action WHERE receipt <> 'installed'"),
    ("case", "cases open", "SELECT 1 FROM clearwell.vulnerability_case WHERE merged_into IS NULL AND standing IN ('unproven', 'proven')"),
    ("remediation", "fixes verified", "SELECT 1 FROM clearwell.fix WHERE state = 'verified'"),
    ("distribution", "advisories published", "SELECT 1 FROM clearwell.advisory"),
    ("tempo", "fixes installed", "SELECT 1 FROM clearwell.action WHERE receipt = 'installed'"),
)
_WAITING = """
SELECT (SELECT count(*) FROM clearwell.proposal WHERE confirmed_at IS NULL AND withdrawn_at IS NULL AND expires_at > %(now)s)
     + (SELECT count(*) FROM clearwell.appeal WHERE decided_at IS NULL) AS n
"""


def read_overview(house: House, actor: Member) -> Overview:
    """Count each stage within the rows that the viewer may see."""
    house.policy.require(actor, Act.READ_OVERVIEW)
    with house.transaction(actor) as tx:
        stages = tuple(Stage(name, what, _count(tx, query)) for name, what, query in _STAGES)
        return Overview(stages, int(tx.value(_WAITING, now=house.clock.now())))


def _count(tx: Transaction, query: str) -> int:
    return int(tx.value(f"SELECT count(*) FROM ({query} LIMIT %(cap)s) counted", cap=CAP))
