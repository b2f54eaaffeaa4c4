# SPDX-License-Identifier: Apache-2.0
"""What people found different stays apart; what bears a fixed flaw's signature is a case of its own; a refusal lets go of what it held."""

import json
from datetime import datetime
from itertools import permutations

import msgspec
import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.dedupe.decide import Joined
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.flow import answering, coordinating, reporting
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.joining import attach_case
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, DEDUPE, PROVING, SANITY, Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, FindingId
from hub import Hub


def send(
    hub: Hub, lab: Member, component: str, text: str, weaknesses: tuple[str, ...] = ("CWE-787",), version: str = "1", **more: str
) -> FindingId:
    finding = {
        "title": text, "text": text, "weakness": list(weaknesses), "product": {"purl": f"{component}@{version}".rstrip("@")},
        "locations": [{"file": "a.c", "line": 3, "function": "pump"}], **more,
    }  # fmt: skip
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    return reporting.read_answers(hub.house, lab, sent.id)[0].finding.id


def case_of(hub: Hub, finding: FindingId) -> CaseId:
    with hub.house.transaction(PROVING) as tx:
        return report_store.load_finding(tx, finding).case


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


@pytest.fixture
def component(coordinator: Member) -> str:
    return f"pkg:generic/{coordinator.organization}"


def test_different_cases_are_joined_by_no_rule_and_by_nobody_nor_is_what_took_one_in(hub: Hub, coordinator: Member, component: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    one, other, third = (
        case_of(hub, send(hub, lab, component, f"flaw {n}", (weakness,))) for n, weakness in enumerate(("CWE-787", "CWE-89", "CWE-79"))
    )

    coordinating.find_different(hub.house, coordinator, one, other, "one reads, the other writes")
    coordinating.find_different(hub.house, coordinator, other, one, "said again: nothing changes")
    coordinating.merge_cases(hub.house, coordinator, one, third, "alike")

    for case, into in ((other, third), (third, other)):
        with pytest.raises(Conflict, match="different"):
            coordinating.merge_cases(hub.house, coordinator, case, into, "alike after all")
        with pytest.raises(Conflict, match="different"), hub.house.transaction(DEDUPE) as tx:
            attach_case(hub.house, tx, case, Joined(into, "L1", (("location", "pump"),)), DEDUPE)
    (said,) = coordinating.read_case(hub.house, coordinator, other).differences
    assert (said.kind, said.reason, said.decided_by) == ("different", "one reads, the other writes", coordinator.person)


def test_cases_that_are_one_are_split_before_they_are_different(hub: Hub, coordinator: Member, component: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    one, other = (case_of(hub, send(hub, lab, component, weakness, (weakness,))) for weakness in ("CWE-787", "CWE-89"))
    coordinating.merge_cases(hub.house, coordinator, one, other, "alike")

    for case, second in ((one, other), (other, one), (other, other)):
        with pytest.raises(Conflict, match="one case now"):
            coordinating.find_different(hub.house, coordinator, case, second, "not alike")


def test_what_was_taken_out_is_not_joined_again_by_a_machine_but_a_person_may(hub: Hub, coordinator: Member, component: str) -> None:
    first = send(hub, hub.member(OrganizationKind.LAB), component, "an overflow")
    second = send(hub, hub.member(OrganizationKind.LAB), component, "another overflow")
    home = case_of(hub, first)
    assert case_of(hub, second) == home
    (own,) = coordinating.split_case(hub.house, coordinator, home, (second,), "not alike").cases

    with hub.house.transaction(DEDUPE) as tx:
        assert apart_among(tx, (home, own)).keeps(own, home)
        assert not apart_among(tx, (home, own), ("different",)).keeps(own, home)
        with pytest.raises(Conflict):
            attach_case(hub.house, tx, own, Joined(home, "L1", (("location", "pump"),)), DEDUPE)
    coordinating.merge_cases(hub.house, coordinator, own, home, "alike after all")

    assert case_of(hub, second) == home


@pytest.mark.parametrize("as_it_woke", [False, True], ids=["joined at intake", "a case before"])
def test_what_leaves_a_case_that_a_person_told_from_another_is_not_joined_with_that_one_by_a_machine(
    hub: Hub, coordinator: Member, component: str, as_it_woke: bool
) -> None:
    first = send(hub, hub.member(OrganizationKind.LAB), component, "an overflow")
    home = case_of(hub, first)
    if as_it_woke:
        second = send(hub, hub.member(OrganizationKind.LAB), component, "an injection", ("CWE-89",))
        coordinating.merge_cases(hub.house, coordinator, case_of(hub, second), home, "alike")
    else:
        second = send(hub, hub.member(OrganizationKind.LAB), component, "another overflow")
    strange = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "another", ("CWE-79",)))
    before = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "a third", ("CWE-22",)))
    coordinating.find_different(hub.house, coordinator, home, strange, "I looked at all three reports")

    (own,) = coordinating.split_case(hub.house, coordinator, home, (second,), "not alike").cases

    with hub.house.transaction(DEDUPE) as tx:
        assert apart_among(tx, (own, strange, before)).keeps(own, strange)
        assert not apart_among(tx, (own, strange), ("different",)).keeps(own, strange)  # a person may, in so many words
        assert not apart_among(tx, (own, strange, before)).keeps(own, before)
        with pytest.raises(Conflict):
            attach_case(hub.house, tx, own, Joined(strange, "L1", (("location", "pump"),)), DEDUPE)


def test_what_was_said_before_a_report_came_is_not_said_of_it(hub: Hub, coordinator: Member, component: str) -> None:
    home = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "an overflow"))
    strange = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "another", ("CWE-79",)))
    coordinating.find_different(hub.house, coordinator, home, strange, "one reads, the other writes")
    second = send(hub, hub.member(OrganizationKind.LAB), component, "another overflow")

    (own,) = coordinating.split_case(hub.house, coordinator, home, (second,), "not alike").cases

    with hub.house.transaction(DEDUPE) as tx:
        assert not apart_among(tx, (own, strange)).keeps(own, strange)


def test_what_a_refusal_lets_go_of_is_as_different_as_it_was(hub: Hub, coordinator: Member, component: str) -> None:
    same = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"  # the tool's own id
    lab = hub.member(OrganizationKind.LAB)
    bridge = send(hub, lab, component, "both at once", ("CWE-787",), external_id=same)
    send(hub, hub.member(OrganizationKind.LAB), component, "it writes", ("CWE-787",))
    injects = send(hub, lab, component, "it injects", ("CWE-89",), external_id=same)
    home = case_of(hub, bridge)
    strange = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "another", ("CWE-79",)))
    coordinating.find_different(hub.house, coordinator, home, strange, "I looked at all of them")

    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, bridge, "there is no such file", SANITY)

    own = case_of(hub, injects)
    assert own != home
    with hub.house.transaction(DEDUPE) as tx:
        assert apart_among(tx, (own, strange)).keeps(own, strange)


def test_what_bears_a_fixed_flaws_signature_on_another_version_is_a_case_of_its_own_and_linked(
    hub: Hub, coordinator: Member, component: str
) -> None:
    home = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "an overflow"))
    _fix(hub, home, hub.clock.now())

    after = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "overflow again", version="3"))
    before = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "the old overflow", version="1"))
    elsewhere = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "injection", ("CWE-89",), version="3"))

    assert after != home and before == home
    with hub.house.transaction(CASE) as tx:
        assert store.load_case(tx, after).regression_of == home
        assert store.load_case(tx, elsewhere).regression_of is None


def _fix(hub: Hub, case: CaseId, now: datetime) -> None:
    with hub.house.transaction(CASE) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.prove(now).fix(now), fires=("1",)))


def test_a_refusal_lets_go_of_what_only_the_refused_report_held_together(hub: Hub, component: str) -> None:
    same = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"  # the tool's own id
    lab = hub.member(OrganizationKind.LAB)
    bridge = send(hub, lab, component, "both at once", ("CWE-787",), external_id=same)
    writes = [send(hub, hub.member(OrganizationKind.LAB), component, f"it writes {n}", ("CWE-787",)) for n in range(2)]
    injects = [send(hub, lab, component, f"it injects {n}", ("CWE-89",), external_id=same) for n in range(2)]
    assert {case_of(hub, one) for one in (*writes, *injects)} == {case_of(hub, bridge)}

    with hub.house.transaction(SANITY) as tx:
        assert refuse(hub.house, tx, bridge, "there is no such file", SANITY)

    assert case_of(hub, writes[0]) == case_of(hub, writes[1]) != case_of(hub, injects[0]) == case_of(hub, injects[1])
    with hub.house.transaction(PROVING) as tx:
        answers = [report_store.load_finding(tx, one).answer for one in (bridge, *writes, *injects)]
    assert answers == [Answer.REFUSED, Answer.NEEDS_PROOF, Answer.DUPLICATE, Answer.NEEDS_PROOF, Answer.DUPLICATE]


def test_who_speaks_for_a_case_after_a_refusal_brings_in_what_bears_its_signatures(hub: Hub, component: str) -> None:
    same = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
    lab = hub.member(OrganizationKind.LAB)
    first = send(hub, lab, component, "it injects", ("CWE-89",), external_id=same)
    second = send(hub, lab, component, "it writes", ("CWE-787",), external_id=same)
    apart = send(hub, hub.member(OrganizationKind.LAB), component, "it writes too", ("CWE-787",))
    home = case_of(hub, first)
    assert case_of(hub, second) == home != case_of(hub, apart)

    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, apart, "there is no such line", SANITY)
        refuse(hub.house, tx, first, "there is no such file", SANITY)

    assert case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "it writes as well", ("CWE-787",))) == home


def test_reports_of_one_and_of_two_weaknesses_at_one_place_make_the_same_cases_in_any_order(hub: Hub, component: str) -> None:
    told = (("CWE-787",), ("CWE-89",), ("CWE-787", "CWE-89"), ("CWE-787",))
    for number, order in enumerate(list(permutations(range(len(told))))[::4]):
        cases: dict[CaseId, set[int]] = {}
        for report in order:
            finding = send(hub, hub.member(OrganizationKind.LAB), f"{component}-{number}", f"report {report}", told[report])
            cases.setdefault(case_of(hub, finding), set()).add(report)
        assert sorted(map(sorted, cases.values())) == [[0, 2, 3], [1]]


def test_a_case_of_no_version_takes_one_and_then_no_other(hub: Hub, component: str) -> None:
    home = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), component, "some version", version=""))
    one = send(hub, hub.member(OrganizationKind.LAB), component, "the first version")
    other = send(hub, hub.member(OrganizationKind.LAB), component, "the second version", version="2")

    assert case_of(hub, one) == home != case_of(hub, other)
    with hub.house.transaction(CASE) as tx:
        assert store.load_case(tx, home).version == "1"
