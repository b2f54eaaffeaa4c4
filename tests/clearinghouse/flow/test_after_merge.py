# SPDX-License-Identifier: Apache-2.0
"""After a merge: what bears a signature, or names a version, of either case comes to the one that goes on; after a split, no longer."""

import msgspec
import pytest

from clearinghouse.flow.test_credit import home, prove, send
from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.dedupe.question import AskedSignature, KnownStanding
from clearwell.clearinghouse.flow import asking, coordinating, remediating
from clearwell.ground.identity.actor import PROVING, Member, OrganizationKind
from clearwell.vocabulary.ids import FindingId
from hub import Hub


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


def told(hub: Hub, text: str, function: str, version: str = "1.2.5", proof: str | None = None) -> FindingId:
    return send(hub, hub.member(OrganizationKind.LAB), text, proof=proof, function=function, version=version)


def test_a_report_with_a_signature_of_either_case_comes_to_the_merged_one_and_after_a_split_to_its_own(
    hub: Hub, coordinator: Member
) -> None:
    one, other = told(hub, "fill writes behind its buffer", "fill"), told(hub, "drain reads behind it", "drain")
    gone, into = home(hub, one), home(hub, other)
    coordinating.merge_cases(hub.house, coordinator, gone.id, into.id, "one length, used twice")

    later = [told(hub, "the length goes unchecked", "fill"), told(hub, "again the length", "drain")]
    assert {home(hub, finding).id for finding in later} == {into.id}

    assert coordinating.split_case(hub.house, coordinator, into.id, (one,), "two after all").cases == (gone.id,)
    assert home(hub, one) == msgspec.structs.replace(gone, merged_into=None)
    assert home(hub, told(hub, "drain, a third time", "drain")).id == into.id
    # What came while the two were one stays where it came until a person takes it out: so a place is doubtful now, and joins neither.
    assert home(hub, told(hub, "fill, a third time", "fill")).id not in {gone.id, into.id}


def test_a_report_on_a_version_on_which_either_proof_fired_comes_to_the_merged_case_and_after_a_split_to_its_own(
    hub: Hub, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = told(hub, "fill writes behind its buffer", "fill", proof="x = 1")
    other = told(hub, "run does, two releases on", "run", "1.4.0", proof="y = 1")
    prove(hub, monkeypatch, one)
    prove(hub, monkeypatch, other, "pkg:generic/pump@1.4.0")
    gone, into = home(hub, one), home(hub, other)
    assert gone.id != into.id and (gone.fires, into.fires) == (("1.2.5",), ("1.4.0",))
    coordinating.merge_cases(hub.house, coordinator, gone.id, into.id, "one flaw, in both releases")

    later = told(hub, "a length goes unchecked", "fill", "1.2.5")

    assert home(hub, later).id == into.id
    lab = hub.member(OrganizationKind.LAB)
    (known,) = asking.ask_known(
        hub.house, lab, [AskedSignature(target="pkg:generic/pump@1.2.5", file="a.c", function="fill", weakness="CWE-787")]
    )
    assert known.standing is KnownStanding.KNOWN
    assert home(hub, told(hub, "a length goes unchecked there", "fill", "1.3.0")).id != into.id
    coordinating.split_case(hub.house, coordinator, into.id, (one,), "two after all")
    assert home(hub, one).fires == ("1.2.5",) and home(hub, other) == into
    assert home(hub, told(hub, "fill once more", "fill", "1.2.5")).id == gone.id
    assert home(hub, told(hub, "run once more", "run", "1.4.0")).id == into.id


def test_a_fix_is_tried_on_every_proof_of_its_case_also_one_that_ran_before_it_came(
    hub: Hub, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = told(hub, "fill writes behind its buffer", "fill", proof="x = 1")
    second = told(hub, "the length goes unchecked", "fill", proof="x = 2")
    for finding in (first, second):
        prove(hub, monkeypatch, finding)
    case = home(hub, first)
    assert home(hub, second).id == case.id

    tried = [files for _, files in remediating._others(hub.house, case)]

    assert tried == [{"proof.toml": b"x = 2"}]
    coordinating.split_case(hub.house, coordinator, case.id, (second,), "two after all")
    assert not remediating._others(hub.house, home(hub, first))
    with hub.house.transaction(PROVING) as tx:
        assert [len(report_store.runs_of_case(tx, home(hub, one).id)) for one in (first, second)] == [1, 1]
