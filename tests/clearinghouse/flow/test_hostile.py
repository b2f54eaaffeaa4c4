# SPDX-License-Identifier: Apache-2.0
"""More attacks on what is one: another's ids, and merges, refusals, appeals, proofs and splits in odd orders."""

import msgspec
import pytest

from clearinghouse.flow.test_attacks import again, kept_case, labs, one, send, validate, verdict
from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.flow import checking, coordinating, reporting
from clearwell.clearinghouse.flow.reporting import AnsweredFinding
from clearwell.ground.identity.actor import CASE, SANITY, Member, OrganizationKind
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import Conflict
from hub import Hub

__all__ = ["labs"]
STRONG = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"


def place(function: str, file: str = "a.c") -> dict[str, object]:
    """Where a report says the flaw is."""
    return {"locations": [{"file": file, "line": 3, "function": function}]}


# Ids of others -----------------------------------------------------------------------------------------------------


def test_anothers_id_on_a_proof_of_something_else_takes_nothing_in(hub: Hub, labs: tuple[Member, Member]) -> None:
    (mine,) = send(hub, labs[1], one("mine, under an id that the tool will give to another", proof="x = 1", external_id=STRONG))

    (real,) = send(hub, labs[0], one("an injection", external_id=STRONG, weakness="CWE-89", **place("query", "db.c")))

    assert real.finding.case != mine.finding.case and real.finding.answer == "needs_proof"


def test_the_first_finding_of_two_labs_is_not_one(hub: Hub, labs: tuple[Member, Member]) -> None:
    (first,) = send(hub, labs[0], one("in the pump", external_id="F-1"))
    (again,) = send(hub, labs[0], one("in the valve", external_id="F-1", **place("valve")))
    (other,) = send(hub, labs[1], one("in the tank", external_id="F-1", **place("tank")))

    assert len({first.finding.case, again.finding.case, other.finding.case}) == 3


# Odd orders --------------------------------------------------------------------------------------------------------


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


@pytest.fixture
def pair(hub: Hub, labs: tuple[Member, Member]) -> tuple[AnsweredFinding, AnsweredFinding]:
    """Two cases of one component: a report, and another of another place."""
    return send(hub, labs[0], one("in the pump"))[0], send(hub, labs[1], one("in the valve", **place("valve")))[0]


@pytest.fixture
def proof(hub: Hub, labs: tuple[Member, Member]) -> AnsweredFinding:
    """A third case, with a proof that has not run."""
    return send(hub, labs[1], one("in the tank", proof="x = 1", **place("tank")))[0]


def merge(hub: Hub, coordinator: Member, gone: AnsweredFinding, into: AnsweredFinding) -> None:
    coordinating.merge_cases(hub.house, coordinator, gone.finding.case, into.finding.case, "one root cause")


def split(hub: Hub, coordinator: Member, home: AnsweredFinding, *leaving: AnsweredFinding) -> None:
    ids = tuple(found.finding.id for found in leaving)
    coordinating.split_case(hub.house, coordinator, home.finding.case, ids, "two root causes")


def refuse(hub: Hub, found: AnsweredFinding) -> None:
    with hub.house.transaction(SANITY) as tx:
        checking.refuse(hub.house, tx, found.finding.id, "there is no such file", SANITY)


def answer(hub: Hub, found: AnsweredFinding) -> Answer:
    with hub.house.transaction(CASE) as tx:
        return report_store.load_finding(tx, found.finding.id).answer


def case(hub: Hub, found: AnsweredFinding) -> KeptCase:
    """The case that a report opened, wherever the report is now."""
    return kept_case(hub, found.finding.case)


def test_a_proof_that_has_not_run_still_runs_after_a_person_joined_it_with_an_unproven_case(
    hub: Hub,
    labs: tuple[Member, Member],
    pair: tuple[AnsweredFinding, AnsweredFinding],
    proof: AnsweredFinding,
    coordinator: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merge(hub, coordinator, proof, pair[0])
    assert answer(hub, proof) is Answer.NEW and again(hub, labs[1], proof).told[0] is None

    validate(hub, monkeypatch, proof, verdict(Outcome.REPRODUCED))

    assert case(hub, pair[0]).case.standing is Standing.PROVEN and answer(hub, proof) is Answer.REPRODUCED


@pytest.mark.parametrize("refused_before", [True, False])
def test_what_proved_a_case_takes_its_proof_along_when_it_is_split_off(
    hub: Hub,
    pair: tuple[AnsweredFinding, AnsweredFinding],
    proof: AnsweredFinding,
    coordinator: Member,
    monkeypatch: pytest.MonkeyPatch,
    refused_before: bool,
) -> None:
    merge(hub, coordinator, proof, pair[0])
    if refused_before:
        refuse(hub, pair[0])
    validate(hub, monkeypatch, proof, verdict(Outcome.REPRODUCED))
    assert case(hub, pair[0]).case.standing is Standing.PROVEN

    split(hub, coordinator, pair[0], proof)

    home, own = case(hub, pair[0]), case(hub, proof)
    assert (home.case.standing, home.proof, home.fires) == (Standing.REFUSED if refused_before else Standing.UNPROVEN, None, ())
    assert (own.case.standing, own.fires, own.merged_into) == (Standing.PROVEN, ("1.2.5",), None) and own.proof is not None
    assert answer(hub, proof) is Answer.REPRODUCED


def test_what_a_fix_was_verified_against_is_not_taken_out_of_the_fixed_case(
    hub: Hub, pair: tuple[AnsweredFinding, AnsweredFinding], proof: AnsweredFinding, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(hub, coordinator, proof, pair[0])
    validate(hub, monkeypatch, proof, verdict(Outcome.REPRODUCED))
    with hub.house.transaction(CASE) as tx:
        kept = store.load_case(tx, pair[0].finding.case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.fix(hub.clock.now())))

    with pytest.raises(Conflict, match="rests on this report's proof"):
        split(hub, coordinator, pair[0], proof)

    assert case(hub, pair[0]).case.standing is Standing.FIXED


def test_a_refused_case_whose_report_won_its_appeal_elsewhere_is_open_when_it_comes_back(
    hub: Hub, labs: tuple[Member, Member], pair: tuple[AnsweredFinding, AnsweredFinding], coordinator: Member
) -> None:
    refuse(hub, pair[0])
    reporting.appeal_refusal(hub.house, labs[0], pair[0].finding.id, "it is there")
    merge(hub, coordinator, *pair)
    reporting.decide_appeal(hub.house, coordinator, pair[0].finding.id, True, "right")

    split(hub, coordinator, pair[1], pair[0])

    assert case(hub, pair[0]).case.standing is Standing.UNPROVEN and answer(hub, pair[0]) is Answer.NEEDS_PROOF


@pytest.mark.parametrize("number", [0, 1])
def test_a_case_of_which_nothing_stands_after_a_split_is_refused_in_its_own_words(
    hub: Hub, pair: tuple[AnsweredFinding, AnsweredFinding], coordinator: Member, number: int
) -> None:
    merge(hub, coordinator, pair[1], pair[0])
    refuse(hub, pair[number])

    split(hub, coordinator, pair[0], pair[1])

    lost, left = case(hub, pair[number]), case(hub, pair[1 - number])
    assert (lost.case.standing, lost.case.title) == (Standing.REFUSED, pair[number].finding.title)
    assert (left.case.standing, left.case.title) == (Standing.UNPROVEN, pair[1 - number].finding.title)
    assert answer(hub, pair[1 - number]) is Answer.NEEDS_PROOF


def test_who_is_left_alone_by_a_split_is_no_duplicate_of_nothing(
    hub: Hub, labs: tuple[Member, Member], pair: tuple[AnsweredFinding, AnsweredFinding], coordinator: Member
) -> None:
    (third,) = send(hub, labs[1], one("in the drain", **place("drain")))
    merge(hub, coordinator, pair[1], pair[0])
    merge(hub, coordinator, third, pair[0])
    refuse(hub, pair[0])
    assert [answer(hub, found) for found in (pair[1], third)] == [Answer.NEEDS_PROOF, Answer.DUPLICATE]

    split(hub, coordinator, pair[0], pair[1])

    assert answer(hub, third) is Answer.NEEDS_PROOF and case(hub, pair[0]).case.title == third.finding.title


def test_what_a_run_left_open_is_as_open_after_a_merge_and_a_split(
    hub: Hub, pair: tuple[AnsweredFinding, AnsweredFinding], proof: AnsweredFinding, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(hub, monkeypatch, proof, verdict(Outcome.INCONCLUSIVE, reason="the clock was slow"))
    merge(hub, coordinator, proof, pair[0])

    split(hub, coordinator, pair[0], proof)

    assert answer(hub, proof) is Answer.NEEDS_PROOF


def test_two_that_are_one_by_way_of_a_third_are_not_found_different(
    hub: Hub, pair: tuple[AnsweredFinding, AnsweredFinding], proof: AnsweredFinding, coordinator: Member
) -> None:
    merge(hub, coordinator, *pair)
    merge(hub, coordinator, pair[1], proof)

    for other in (pair[1], proof):
        with pytest.raises(Conflict, match="one case now"):
            coordinating.find_different(hub.house, coordinator, pair[0].finding.case, other.finding.case, "not alike")


def test_a_report_that_went_on_with_its_case_is_not_taken_out_of_the_one_that_sleeps(
    hub: Hub, pair: tuple[AnsweredFinding, AnsweredFinding], proof: AnsweredFinding, coordinator: Member
) -> None:
    """A page from before the second merge lies in another browser."""
    merge(hub, coordinator, *pair)
    merge(hub, coordinator, pair[1], proof)

    with pytest.raises(Conflict, match="is in another"):
        split(hub, coordinator, pair[1], pair[0])
    split(hub, coordinator, proof, pair[0], pair[1])
    split(hub, coordinator, pair[1], pair[0])

    with hub.house.transaction(CASE) as tx:
        homes = [report_store.load_finding(tx, found.finding.id).case for found in (*pair, proof)]
    assert homes == [found.finding.case for found in (*pair, proof)]
    assert all(case(hub, found).merged_into is None for found in (*pair, proof))


# Heaps -------------------------------------------------------------------------------------------------------------


def test_a_heap_of_ones_reports_hides_anothers_on_no_page(hub: Hub, labs: tuple[Member, Member], coordinator: Member) -> None:
    heap = send(hub, labs[1], one("the same", proof="x = 1"), *(one("the same", proof="x = 1", external_id=f"F-{n}") for n in range(600)))
    (last,) = send(hub, labs[0], one("another story", proof="x = 1"))
    assert last.finding.case == heap[0].finding.case

    view = coordinating.read_case(hub.house, coordinator, last.finding.case)

    assert last.finding.id in {finding.id for finding in view.findings} and (len(view.findings), view.held) == (200, 602)
    assert {finding.id for finding in view.findings} == {attachment.finding for attachment in view.attachments}


def _counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """What one of the store's look-ups is asked for from now on."""
    asked: list[object] = []
    look = getattr(report_store, name)

    def counting(tx: object, what: object, *rest: object, **more: object) -> object:
        asked.append(what)
        return look(tx, what, *rest, **more)

    monkeypatch.setattr(report_store, name, counting)
    return asked


def test_a_refusal_looks_at_few_reports_however_many_bear_its_signature(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One batch refuses a thousand, and nobody else decides about the component meanwhile."""
    versions = [{"purl": f"pkg:generic/pump@{number}"} for number in range(60)]
    found = send(hub, labs[1], *(one(f"at {number}", product=product) for number, product in enumerate(versions)))
    asked = _counted(monkeypatch, "load_finding")

    refuse(hub, found[-1])

    assert len(asked) <= 21


def test_a_batch_of_wrong_reports_of_one_case_is_refused_in_one_look_at_it(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (real,) = send(hub, labs[0], one("the same", proof="x = 1"))
    heap = send(hub, labs[1], *(one("the same", proof="x = 1", external_id=f"F-{number}") for number in range(100)))
    assert {found.finding.case for found in heap} == {real.finding.case}
    asked = _counted(monkeypatch, "findings_of_case")

    with hub.house.transaction(SANITY) as tx:
        refused = checking.refuse_all(hub.house, tx, {found.finding.id: "there is no such line" for found in heap}, SANITY)

    assert refused == 100 and asked.count(real.finding.case) <= 3
    assert answer(hub, real) is Answer.NEW and case(hub, real).case.standing is Standing.UNPROVEN
    assert {answer(hub, found) for found in heap[::20]} == {Answer.REFUSED}
