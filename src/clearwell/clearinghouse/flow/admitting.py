# SPDX-License-Identifier: Apache-2.0
"""Admitting: whoever administers the hub's own machine adds organizations and people, and gives them service tokens."""

from collections.abc import Iterable

import msgspec

from clearwell.clearinghouse.case.entries import OrganizationAdded, QuotaSet, TokenIssued
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.ground.house import House
from clearwell.ground.identity.actor import IDENTITY, OrganizationKind, Permission
from clearwell.ground.identity.members import Organization, add_organization, add_person, issue_token, load_organization, member_of_person
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import OrganizationId, PersonId, TokenId


class OrganizationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a new organization. Sector, size, system class and time zone matter for operators and agencies."""

    name: str
    kind: OrganizationKind
    sector: str | None = None
    size: str | None = None
    system_class: str | None = None
    time_zone: str = "UTC"


class IssuedToken(msgspec.Struct, frozen=True):
    """A service token. The secret is told once; only its hash is stored."""

    id: TokenId
    secret: str

    def __repr__(self) -> str:
        return f"IssuedToken({self.id})"


def admit_organization(house: House, facts: OrganizationFacts) -> Organization:
    """Add an organization. Raises Invalid."""
    house.policy.require(IDENTITY, Act.ADD_ORGANIZATION)
    if not 1 <= len(facts.name) <= 200:
        raise Invalid("an organization's name has 1 to 200 characters")
    if facts.kind in {OrganizationKind.OPERATOR, OrganizationKind.AGENCY} and facts.system_class is None:
        raise Invalid("an operator or agency needs its system class: due dates follow from it (write 'other' when none fits)")
    organization = Organization(
        OrganizationId(house.new_id("org")), facts.name, facts.kind, facts.sector, facts.size, facts.system_class, facts.time_zone
    )
    with house.transaction(IDENTITY) as tx:
        add_organization(tx, organization, house.clock.now())
        house.write(tx, OrganizationAdded(organization.id, facts.kind.value), by=IDENTITY)
    return organization


class OwnQuota(msgspec.Struct, frozen=True, kw_only=True):
    """What one organization may send, where it differs from the hub's settings; None is the hub's setting."""

    findings_per_day: int | None = None
    bytes_per_day: int | None = None
    submissions_in_flight: int | None = None
    proofs_per_day: int | None = None


def set_quota(house: House, organization: OrganizationId, own: OwnQuota) -> None:
    """Give an organization a quota of its own, instead of the one before. Raises NotFound, Invalid."""
    house.policy.require(IDENTITY, Act.ADD_ORGANIZATION, Subject(organization, organization=organization))
    values = msgspec.structs.asdict(own)
    if any(value is not None and not 0 <= value < 2**31 and name != "bytes_per_day" for name, value in values.items()):
        raise Invalid("a quota is a number from 0")
    with house.transaction(IDENTITY) as tx:
        load_organization(tx, organization)
        intake_store.save_quota(tx, organization, values, house.clock.now())
        house.write(tx, QuotaSet(organization, **values), by=IDENTITY)


def admit_person(house: House, organization: OrganizationId, name: str, email: str | None = None) -> PersonId:
    """Add a person to an organization. Raises NotFound, Invalid."""
    house.policy.require(IDENTITY, Act.ADD_ORGANIZATION, Subject(organization, organization=organization))
    if not 1 <= len(name) <= 200:
        raise Invalid("a person's name has 1 to 200 characters")
    person = PersonId(house.new_id("person"))
    with house.transaction(IDENTITY) as tx:
        load_organization(tx, organization)
        add_person(tx, person, organization, name, email, house.clock.now())
    return person


def issue_service_token(house: House, person: PersonId, label: str, permissions: Iterable[Permission], days: int) -> IssuedToken:
    """Give a person a service token for some permissions. Raises NotFound, Invalid."""
    chosen = frozenset(permissions)
    if not 1 <= len(label) <= 200:
        raise Invalid("a token's label has 1 to 200 characters: say what it is for")
    if not chosen:
        raise Invalid(f"a token needs at least one permission: {', '.join(Permission)}")
    token = TokenId(house.new_id("token"))
    with house.transaction(IDENTITY) as tx:
        member = member_of_person(tx, person)
        house.policy.require(IDENTITY, Act.MANAGE_TOKENS, Subject(token, organization=member.organization))
        secret = issue_token(tx, token, member, label, chosen, house.clock.now(), days)
        house.write(tx, TokenIssued(token, member.organization), by=IDENTITY)
    return IssuedToken(token, secret)
