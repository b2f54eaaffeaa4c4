# SPDX-License-Identifier: Apache-2.0
"""The policy: every act is permitted to somebody and, by default, to nobody else; every act is some verb's."""

import ast
from pathlib import Path

import pytest

from clearwell.ground.identity import actor
from clearwell.ground.identity.actor import Actor, LinkHolder, Member, OrganizationKind, Permission, System, Visitor
from clearwell.ground.policy.policy import Act, Policy, Subject
from clearwell.vocabulary.errors import Refused
from clearwell.vocabulary.ids import CaseId, LinkId, OrganizationId, ParticipantId, PersonId

POLICY = Policy()
SOURCE = Path(__file__).parents[3] / "src" / "clearwell"
ORGANIZATION, CASE = OrganizationId("org_mine"), CaseId("case_mine")
SYSTEMS = tuple(value for value in vars(actor).values() if isinstance(value, System))
MEMBERS = tuple(Member(PersonId("person_me"), ORGANIZATION, kind) for kind in OrganizationKind)
HOLDER = LinkHolder(LinkId("link_mine"), CASE, ParticipantId("part_mine"), frozenset({"make_statement", "claim_fix"}))
MINE = Subject("thing", organization=ORGANIZATION, case=CASE)
PUBLIC = {Act.READ_PUBLIC}


def _may(who: Actor, subject: Subject = MINE) -> set[Act]:
    return {act for act in Act if POLICY.allows(who, act, subject)}


def test_every_act_is_permitted_to_somebody() -> None:
    everybody = (*MEMBERS, *SYSTEMS, HOLDER, Visitor())

    assert set().union(*map(_may, everybody)) == set(Act)


def test_every_act_is_asked_for_by_some_verb() -> None:
    named = {
        node.attr
        for path in (SOURCE / "clearinghouse").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Act"
    }

    assert {act.name for act in Act} - named == set()


def test_every_policy_names_its_reason() -> None:
    assert POLICY.text.count("permit (") == POLICY.text.count("@id(")


@pytest.mark.parametrize(
    "who", [Visitor(), System("system:stranger"), LinkHolder(LinkId("l"), CaseId("c"), ParticipantId("p"), frozenset())]
)
def test_who_is_not_named_may_only_read_what_is_public(who: Actor) -> None:
    assert _may(who) == PUBLIC


@pytest.mark.parametrize("kind", OrganizationKind)
def test_a_token_without_permissions_does_nothing_that_needs_one(kind: OrganizationKind) -> None:
    nothing = _may(Member(PersonId("person_me"), ORGANIZATION, kind, frozenset()))

    assert nothing <= PUBLIC | {Act.MANAGE_TOKENS}


@pytest.mark.parametrize("kind", [kind for kind in OrganizationKind if kind is not OrganizationKind.COORDINATOR])
def test_a_member_does_nothing_to_another_organizations_things(kind: OrganizationKind) -> None:
    stranger = Subject("thing", organization="org_other", case="case_other")

    assert _may(Member(PersonId("person_me"), ORGANIZATION, kind), stranger) <= PUBLIC | {Act.READ_OVERVIEW}


def test_a_coordinator_reads_no_inventory_and_no_operators_page() -> None:
    coordinator = Member(PersonId("person_me"), ORGANIZATION, OrganizationKind.COORDINATOR)

    assert _may(coordinator) & {Act.SEND_INVENTORY, Act.READ_ACTIONS, Act.SEND_RECEIPT, Act.MATCH} == set()


def test_a_coordinators_reading_token_changes_nothing() -> None:
    reader = Member(PersonId("person_me"), ORGANIZATION, OrganizationKind.COORDINATOR, frozenset({Permission.READ}))

    assert {act for act in _may(reader) if not act.value.startswith("read_")} <= {Act.MANAGE_TOKENS}


def test_a_link_is_for_its_own_case_and_its_own_acts() -> None:
    elsewhere = Subject("thing", organization=ORGANIZATION, case="case_other")
    mute = LinkHolder(HOLDER.link, HOLDER.case, HOLDER.participant, frozenset())

    assert _may(HOLDER) >= {Act.MAKE_STATEMENT, Act.CLAIM_FIX, Act.READ_LINKED_CASE}
    assert _may(HOLDER, elsewhere) == PUBLIC
    assert _may(mute) & {Act.MAKE_STATEMENT, Act.CLAIM_FIX} == set()


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.system)
def test_a_system_does_its_own_acts_and_no_members(system: System) -> None:
    own = _may(system) - PUBLIC
    others = set().union(*(_may(other) for other in (*SYSTEMS, *MEMBERS) if other != system)) - PUBLIC

    assert own & others <= {Act.MANAGE_TOKENS, Act.ADD_ORGANIZATION, Act.READ_PROOF, Act.RESUME_PROVING}


def test_a_refusal_names_the_act_and_nothing_else() -> None:
    with pytest.raises(Refused, match="you may not destroy proofs here") as refused:
        POLICY.require(Visitor(), Act.DESTROY_PROOFS, MINE)

    assert CASE not in str(refused.value)
