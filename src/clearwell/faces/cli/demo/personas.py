# SPDX-License-Identifier: Apache-2.0
"""The exercise's personas: organizations and people under stable ids, so that a second run finds them again, with a token each."""

import hashlib
import secrets
from datetime import UTC, datetime

import msgspec

from clearwell.faces.cli.demo.exercise import Exercise
from clearwell.ground.house import House
from clearwell.ground.identity.actor import IDENTITY, Member, OrganizationKind, Permission
from clearwell.ground.identity.members import Organization, add_organization, add_person, issue_token, load_organization, member_of_person
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.ids import OrganizationId, PersonId, TokenId, spell, uuid7

_BORN = int(datetime(2026, 6, 2, tzinfo=UTC).timestamp() * 1000)
_TOKEN_DAYS = 1


class Persona(msgspec.Struct, frozen=True):
    """Somebody who signs in: a key in the exercise (`lab:lantern`), a name to show, who they are, and their token."""

    key: str
    name: str
    member: Member
    token: str

    def __repr__(self) -> str:
        return f"Persona({self.key})"


Personas = dict[str, Persona]
"""Key -> persona: `lab:FOLDER`, `operator:FOLDER`, `coordinator:1`, `coordinator:2`, `auditor`."""


def enroll(house: House, exercise: Exercise) -> Personas:
    """Make the exercise's organizations and people where they are not there yet, and give each person a new token."""
    wanted: list[tuple[str, str, Organization]] = []
    for folder, name in exercise.labs.items():
        wanted.append((f"lab:{folder}", name, Organization(_organization(name), name, OrganizationKind.LAB)))
    for operator in exercise.operators:
        organization = Organization(
            _organization(operator.name), operator.name, OrganizationKind(operator.kind), operator.sector, operator.size,
            operator.system_class, operator.time_zone,
        )  # fmt: skip
        wanted.append((f"operator:{operator.folder}", operator.name, organization))
    center = Organization(_organization(exercise.coordinators.name), exercise.coordinators.name, OrganizationKind.COORDINATOR)
    wanted += [(f"coordinator:{number}", name, center) for number, name in enumerate(exercise.coordinators.people, 1)]
    auditor = "An auditor"
    wanted.append(("auditor", auditor, Organization(_organization(auditor), auditor, OrganizationKind.AUDITOR)))
    with house.transaction(IDENTITY) as tx:
        return {key: _enroll(house, tx, key, name, organization) for key, name, organization in wanted}


def sign_in_links(personas: Personas) -> dict[str, tuple[Persona, str]]:
    """A one-time secret for each persona: key -> (persona, secret). They live in memory and are told on this terminal only."""
    return {key: (persona, secrets.token_urlsafe(24)) for key, persona in personas.items()}


def _enroll(house: House, tx: Transaction, key: str, name: str, organization: Organization) -> Persona:
    now = house.clock.now()
    person = PersonId(_stable("person", f"{organization.name}/{name}"))
    try:
        load_organization(tx, organization.id)
    except NotFound:
        add_organization(tx, organization, now)
    try:
        member = member_of_person(tx, person)
    except NotFound:
        add_person(tx, person, organization.id, name, None, now)
        member = Member(person, organization.id, organization.kind)
    token = issue_token(tx, TokenId(house.new_id("token")), member, "the exercise", frozenset(Permission), now, _TOKEN_DAYS)
    return Persona(key, name if name == organization.name else f"{name}, {organization.name}", member, token)


def _organization(name: str) -> OrganizationId:
    return OrganizationId(_stable("org", name))


def _stable(kind: str, name: str) -> str:
    """An id that the same name gives again. Only the exercise has such: everywhere else ids are random."""
    digest = hashlib.sha256(f"clearwell exercise {kind} {name}".encode()).digest()
    return spell(kind, uuid7(_BORN, int.from_bytes(digest[:10], "big")))
