# SPDX-License-Identifier: Apache-2.0
"""A fixed case: what it takes in, what stands beside it as a regression candidate, and what nobody can push into it."""

import msgspec
import pytest

from clearinghouse.flow.test_credit import home, prove, send
from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.entries import RegressionSuspected
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.flow import coordinating
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.ground.identity.actor import CASE, PROVING, SANITY, Member, OrganizationKind
from clearwell.ground.ledger.ledger import has_entry
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import FindingId
from hub import Hub


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


def fixed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> KeptCase:
    """A case whose proof fired on 1.2.5 and whose fix was verified."""
    finding = send(hub, hub.member(OrganizationKind.LAB), "fill writes behind its buffer", proof="x = 1")
    prove(hub, monkeypatch, finding)
    with hub.house.transaction(CASE) as tx:
        kept = store.load_case(tx, home(hub, finding).id, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.fix(hub.clock.now())))
    return home(hub, finding)


def another(hub: Hub, version: str = "1.2.5", proof: str | None = None) -> FindingId:
    """A report that shares no stated signature with the fixed case."""
    return send(hub, hub.member(OrganizationKind.LAB), "drain reads behind its buffer", proof=proof, function="drain", version=version)


def test_a_person_joins_a_report_of_the_flaw_as_it_was_with_the_fixed_case(
    hub: Hub, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, old = fixed(hub, monkeypatch), another(hub)

    coordinating.merge_cases(hub.house, coordinator, home(hub, old).id, done.id, "the same, told otherwise")

    assert home(hub, old).id == done.id
    assert home(hub, old).case == done.case  # still fixed, with the same dates


@pytest.mark.parametrize(
    ("version", "proof", "why"),
    [("1.3.0", None, "may have come back"), ("1.2.5", "y = 1", "never attached")],
    ids=["a version that never fired", "a proof that fired"],
)
def test_what_may_be_a_regression_is_swallowed_by_nobody(
    hub: Hub, coordinator: Member, monkeypatch: pytest.MonkeyPatch, version: str, proof: str | None, why: str
) -> None:
    done, new = fixed(hub, monkeypatch), another(hub, version, proof)
    if proof is not None:
        prove(hub, monkeypatch, new)
    before = home(hub, new)

    with pytest.raises(Conflict, match=why):
        coordinating.merge_cases(hub.house, coordinator, before.id, done.id, "alike")

    assert home(hub, new) == before


def test_a_fixed_case_goes_into_no_open_one_and_nothing_into_a_refused_one(
    hub: Hub, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, new, false = fixed(hub, monkeypatch), another(hub), send(hub, hub.member(OrganizationKind.LAB), "no such thing", function="leak")
    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, false, "there is no such file", SANITY)

    with pytest.raises(Conflict, match="other way round"):
        coordinating.merge_cases(hub.house, coordinator, done.id, home(hub, new).id, "alike")
    with pytest.raises(Conflict, match="appeal"):
        coordinating.merge_cases(hub.house, coordinator, home(hub, new).id, home(hub, false).id, "alike")

    assert (home(hub, false).case.standing, home(hub, new).case.standing) == (Standing.REFUSED, Standing.UNPROVEN)


def test_a_proof_that_shows_the_fixed_flaws_stack_on_a_later_version_is_a_regression_candidate(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, new = fixed(hub, monkeypatch), another(hub, "1.3.0", "y = 1")
    assert home(hub, new).regression_of is None

    prove(hub, monkeypatch, new, target="pkg:generic/pump@1.3.0")

    assert (home(hub, new).regression_of, home(hub, new).case.standing) == (done.id, Standing.PROVEN)
    assert home(hub, new).id != done.id
    with hub.house.transaction(CASE) as tx:
        assert has_entry(tx, home(hub, new).id, RegressionSuspected.type, PROVING.system)
