# SPDX-License-Identifier: Apache-2.0
"""Actors: who opens a transaction. A member of an organization, a named system actor, or the holder of a maintainer's link."""

from enum import StrEnum

import msgspec

from clearwell.ground.storage.database import NOBODY, Scope
from clearwell.vocabulary.ids import CaseId, LinkId, OrganizationId, ParticipantId, PersonId


class OrganizationKind(StrEnum):
    """What an organization is to the hub."""

    LAB = "lab"
    MAINTAINER = "maintainer"
    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    AGENCY = "agency"
    AUDITOR = "auditor"
    DEVELOPER = "developer"


class Permission(StrEnum):
    """What a token's holder may use it for, in a browser too; a session that no token opened holds all of them."""

    READ = "read"
    SUBMIT = "submit"
    COORDINATE = "coordinate"
    OPERATE = "operate"


class Member(msgspec.Struct, frozen=True):
    """A person of an organization, through a session or a token with `permissions`."""

    person: PersonId
    organization: OrganizationId
    kind: OrganizationKind
    permissions: frozenset[Permission] = frozenset(Permission)

    @property
    def scope(self) -> Scope:
        """What the person's transactions see."""
        return Scope(organization=self.organization, kind=self.kind.value, person=self.person)

    @property
    def name(self) -> str:
        """The name in the ledger: the id, never a person's name."""
        return self.person


class System(msgspec.Struct, frozen=True):
    """A named background actor (`system:dedupe`), with row policies for just the tables it needs."""

    system: str

    @property
    def scope(self) -> Scope:
        """What the system actor's transactions see."""
        return Scope(system=self.system)

    @property
    def name(self) -> str:
        """The name in the ledger."""
        return self.system


class LinkHolder(msgspec.Struct, frozen=True):
    """Whoever holds a maintainer's link: one case, one participant, one set of acts."""

    link: LinkId
    case: CaseId
    participant: ParticipantId
    acts: frozenset[str]

    @property
    def scope(self) -> Scope:
        """What the link lets see: its case and its participant."""
        return Scope(case=self.case, participant=self.participant)

    @property
    def name(self) -> str:
        """The name in the ledger."""
        return self.participant


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who did not sign in: sees what is public."""

    @property
    def scope(self) -> Scope:
        """Nobody's rows."""
        return NOBODY

    @property
    def name(self) -> str:
        """The name in the ledger."""
        return "visitor"


Actor = Member | System | LinkHolder | Visitor
"""Anybody who can open a transaction."""

INTAKE = System("system:intake")
SANITY = System("system:sanity")
DEDUPE = System("system:dedupe")
PROVING = System("system:proving")
CASE = System("system:case")
DISTRIBUTION = System("system:distribution")
IDENTITY = System("system:identity")
POST = System("system:post")
"""The system actors; row policies name them (storage/migrations)."""
