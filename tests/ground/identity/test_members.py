# SPDX-License-Identifier: Apache-2.0
"""Members: tokens and sessions end when they should, are told apart by nobody, and stand nowhere but as hashes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from clearwell.ground.identity.actor import Member, OrganizationKind, Permission, Visitor
from clearwell.ground.identity.members import (
    Organization,
    close_session,
    issue_token,
    member_of_person,
    member_of_session,
    member_of_token,
    open_session,
    revoke_token,
)
from clearwell.ground.storage.embedded import OWNER
from clearwell.vocabulary.errors import Invalid, NotFound, Refused
from clearwell.vocabulary.ids import OrganizationId, PersonId, TokenId
from house.rows import database_of, rows
from hub import Hub


def _token(hub: Hub, member: Member, *permissions: Permission, days: int = 1) -> tuple[TokenId, str]:
    token = TokenId(hub.house.new_id("token"))
    with hub.house.transaction(member) as tx:
        return token, issue_token(tx, token, member, "a test", permissions, hub.clock.now(), days)


def _who(hub: Hub, secret: str) -> Member:
    with hub.house.transaction(Visitor()) as tx:
        return member_of_token(tx, secret, hub.clock.now())


def _session(hub: Hub, secret: str) -> Member | None:
    with hub.house.transaction(Visitor()) as tx:
        return member_of_session(tx, secret, hub.clock.now())


def test_a_token_names_its_holder_with_its_own_permissions_alone(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    _, secret = _token(hub, lab, Permission.READ)

    assert _who(hub, secret) == Member(lab.person, lab.organization, lab.kind, frozenset({Permission.READ}))


def test_unknown_expired_and_revoked_tokens_are_told_alike(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    _, old = _token(hub, lab, Permission.READ)
    revoked_id, revoked = _token(hub, lab, Permission.READ, days=300)
    with hub.house.transaction(lab) as tx:
        revoke_token(tx, revoked_id, lab.organization, hub.clock.now())
    hub.clock.move(days=2)

    said = set()
    for secret in (old, revoked, "cwt_" + "x" * 43, "", "\u2603"):
        with pytest.raises(Refused) as refused:
            _who(hub, secret)
        said.add(str(refused.value))
    assert len(said) == 1


def test_another_organizations_token_is_not_revoked(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    token, secret = _token(hub, lab, Permission.READ)

    with pytest.raises(NotFound), hub.house.transaction(other) as tx:
        revoke_token(tx, token, other.organization, hub.clock.now())
    assert _who(hub, secret).person == lab.person


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_token_lives_a_day_to_a_year(hub: Hub, days: int) -> None:
    with pytest.raises(Invalid, match="1 to 366 days"):
        _token(hub, hub.member(OrganizationKind.LAB), Permission.READ, days=days)


def test_a_session_ends_by_time_and_by_leaving(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    with hub.house.transaction(Visitor()) as tx:
        first, second = (open_session(tx, lab.person, hub.clock.now(), 12) for _ in range(2))
    assert _session(hub, first) == lab

    with hub.house.transaction(Visitor()) as tx:
        close_session(tx, first)
    assert _session(hub, first) is None and _session(hub, second) is not None
    hub.clock.move(hours=13)
    assert _session(hub, second) is None


def test_secrets_are_stored_as_hashes_alone(server: Any, hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    _, token = _token(hub, lab, Permission.READ)
    with hub.house.transaction(Visitor()) as tx:
        session = open_session(tx, lab.person, hub.clock.now(), 12)

    stored = "".join(line for lines in rows(server.url(OWNER, database_of(hub))).values() for line in lines)
    for secret in (token, session):
        assert secret not in stored and secret.encode().hex() not in stored


def test_nobody_is_nobody(hub: Hub) -> None:
    with pytest.raises(NotFound), hub.house.transaction(Visitor()) as tx:
        member_of_person(tx, PersonId(hub.house.new_id("person")))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Organization(OrganizationId("org_x"), "x", OrganizationKind.OPERATOR, time_zone="Mars/Olympus"),
        lambda: Organization(OrganizationId("org_x"), "x", OrganizationKind.OPERATOR, time_zone="../../etc/passwd"),
        lambda: Organization(OrganizationId("org_x"), "x", OrganizationKind.OPERATOR, size="huge"),
        lambda: Organization(OrganizationId("org_x"), "x", OrganizationKind.OPERATOR, system_class="secret"),
    ],
)
def test_an_organizations_facts_are_words_of_the_lists(wrong: Callable[[], Organization]) -> None:
    with pytest.raises(Invalid):
        wrong()


def test_one_organization_sees_neither_people_nor_tokens_of_another(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    _token(hub, lab, Permission.READ)

    with hub.house.transaction(other) as tx:
        assert tx.value("SELECT count(*) FROM clearwell.token") == 0
        assert tx.value("SELECT count(*) FROM clearwell.person WHERE organization_id = %(id)s", id=lab.organization) == 0
        assert tx.value("SELECT count(*) FROM clearwell.session") == 0


def test_a_session_is_not_prolonged_by_the_clock_going_back(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    with hub.house.transaction(Visitor()) as tx:
        secret = open_session(tx, lab.person, hub.clock.now() - timedelta(hours=13), 12)

    assert _session(hub, secret) is None
