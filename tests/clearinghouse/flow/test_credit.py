# SPDX-License-Identifier: Apache-2.0
"""Credit and end dates count from the first report that could be checked: a bare place that came earlier has no claim on them."""

import json
from datetime import datetime, timedelta

import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.flow import answering, coordinating, reporting, validating
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, PROVING, SANITY, Member, OrganizationKind
from clearwell.proving.attempt import REPORT, Reproduction
from clearwell.vocabulary.ids import CaseId, FindingId, OrganizationId
from clearwell.vocabulary.product import Product
from hub import Hub
from pretend import ground, verdict

PUMP = "pkg:generic/pump@1.2.5"
FRAMES = (("fill", "a.c", 3), ("run", "a.c", 30), ("main", "m.c", 9))
CRASH = """==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x4 bp 0x7 sp 0x7
WRITE of size 1 at 0x602000000011 thread T0
""" + "".join(f"    #{n} 0x4f{n}2a1 in {name} /src/pump/{file}:{line}:5\n" for n, (name, file, line) in enumerate(FRAMES))


@pytest.fixture
def early(hub: Hub) -> Member:
    return hub.member(OrganizationKind.LAB, "the early lab")


@pytest.fixture
def late(hub: Hub) -> Member:
    return hub.member(OrganizationKind.LAB, "the lab that proves it")


def send(hub: Hub, lab: Member, text: str, proof: str | None = None, function: str = "fill", version: str = "1.2.5") -> FindingId:
    """A report of a place, with a proof or without."""
    finding: dict[str, object] = {
        "title": text, "text": text, "weakness": "CWE-787", "product": {"purl": f"pkg:generic/pump@{version}".rstrip("@")},
        "locations": [{"file": "a.c", "line": 3, "function": function}],
    }  # fmt: skip
    if proof is not None:
        finding["proof"] = {"files": {"proof.toml": proof}}
    document = {"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}
    return _sent(hub, lab, json.dumps(document).encode(), "report.json")


def _sent(hub: Hub, lab: Member, raw: bytes, name: str) -> FindingId:
    envelope = Envelope(name=name, target=Product(purl=PUMP)) if name.endswith(".txt") else Envelope(name=name)
    sent = reporting.submit_report(hub.house, lab, [raw], envelope)
    answering.parse_submission(hub.house, sent.id)
    return reporting.read_answers(hub.house, lab, sent.id)[0].finding.id


def prove(hub: Hub, monkeypatch: pytest.MonkeyPatch, finding: FindingId, target: str = PUMP) -> None:
    """The finding's proof fires, and the hub's own run prints a stack."""
    effect = "heap-buffer-overflow WRITE 1 | fill < run < main"
    ground(monkeypatch, lambda _: Reproduction(verdict(purl=target, effect=effect), {REPORT: CRASH.encode()}))
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, finding)
    assert proof is not None
    validating.validate_proof(hub.house, proof.id)


def home(hub: Hub, finding: FindingId) -> KeptCase:
    with hub.house.transaction(CASE) as tx:
        return store.load_case(tx, report_store.load_finding(tx, finding).case)


def credits(hub: Hub, case: CaseId) -> dict[OrganizationId | None, datetime]:
    with hub.house.transaction(CASE) as tx:
        return {one.organization: one.first_reported for one in store.participants_of(tx, case) if one.role == "finder"}


def test_a_bare_place_that_came_eighty_days_earlier_moves_no_end_date_and_is_credited_behind_the_proof(
    hub: Hub, early: Member, late: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = send(hub, early, "something may be wrong in fill")
    hub.clock.move(days=80)
    proven = send(hub, late, "fill writes behind its buffer", proof="x = 1")
    own = home(hub, proven)

    prove(hub, monkeypatch, proven)

    kept = home(hub, place)
    assert kept.id == own.id and kept.case.is_proven
    assert (kept.case.first_received, kept.case.ends_at) == (own.case.first_received, own.case.ends_at)
    assert credits(hub, kept.id) == {early.organization: own.case.first_received, late.organization: own.case.first_received}


def test_a_stack_that_the_run_bears_out_counts_from_its_own_receipt(
    hub: Hub, early: Member, late: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = _sent(hub, early, CRASH.encode(), "crash.txt")
    received = home(hub, crash).case.first_received
    hub.clock.move(days=20)
    proven = send(hub, late, "fill writes behind its buffer", proof="x = 1", function="elsewhere")

    prove(hub, monkeypatch, proven)

    kept = home(hub, crash)
    assert kept.id == home(hub, proven).id
    assert kept.case.first_received == received
    assert credits(hub, kept.id)[early.organization] == received < credits(hub, kept.id)[late.organization]


def test_a_true_proof_under_the_place_of_another_flaw_takes_no_report_of_that_one_in(
    hub: Hub, early: Member, late: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a report of one place, and a proof of another flaw that names the same place
    real = send(hub, early, "the length of drain is not checked", function="drain")
    squatter = send(hub, late, "my words name drain", proof="a proof of fill", function="drain")
    # when the run's own stack shows where that is
    prove(hub, monkeypatch, squatter)
    # then the report stays by itself, and a later one belongs there; one of what the run showed belongs with the proof
    assert home(hub, real).id != home(hub, squatter).id
    assert home(hub, real).merged_into is None
    assert home(hub, send(hub, early, "drain again, in other words", function="drain")).id == home(hub, real).id
    prove(hub, monkeypatch, (fill := send(hub, late, "another of fill", proof="another proof of fill")))
    assert home(hub, fill).id == home(hub, squatter).id


def test_taking_the_bare_place_out_again_gives_it_back_its_own_case_and_date(
    hub: Hub, early: Member, late: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = send(hub, early, "something may be wrong in fill")
    before = home(hub, place)
    hub.clock.move(days=30)
    proven = send(hub, late, "fill writes behind its buffer", proof="x = 1")
    prove(hub, monkeypatch, proven)
    joined = home(hub, proven)

    coordinating.split_case(hub.house, hub.member(OrganizationKind.COORDINATOR), joined.id, (place,), "not alike")

    assert home(hub, place) == before
    assert credits(hub, before.id) == {early.organization: before.case.first_received}
    assert home(hub, proven).case == joined.case


def test_what_a_person_joined_before_the_proof_counts_no_more_than_what_a_rule_joined_after_it(
    hub: Hub, early: Member, late: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = send(hub, early, "something may be wrong in fill")
    hub.clock.move(days=30)
    proven = send(hub, late, "fill writes behind its buffer", proof="x = 1")
    own = home(hub, proven)
    coordinating.merge_cases(hub.house, hub.member(OrganizationKind.COORDINATOR), home(hub, place).id, own.id, "alike")
    assert home(hub, proven).case.first_received < own.case.first_received

    prove(hub, monkeypatch, proven)

    assert (home(hub, proven).case.first_received, home(hub, proven).case.ends_at) == (own.case.first_received, own.case.ends_at)


def test_a_refused_report_leaves_its_date_behind(hub: Hub, early: Member, late: Member) -> None:
    junk = send(hub, early, "no such thing in fill")
    hub.clock.move(days=30)
    stands = send(hub, late, "fill writes behind its buffer")
    with hub.house.transaction(CASE) as tx:
        received = report_store.load_finding(tx, stands).received_at
    assert home(hub, junk).id == home(hub, stands).id

    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, junk, "there is no such file", SANITY)

    kept = home(hub, stands)
    assert (kept.case.first_received, kept.case.ends_at) == (received, received + timedelta(days=kept.case.policy.default_days))


def test_a_refused_report_leaves_its_version_behind(hub: Hub, early: Member, late: Member) -> None:
    stands = send(hub, early, "fill writes behind its buffer", version="")
    junk = send(hub, late, "no such thing in fill", version="9")
    assert home(hub, junk).id == home(hub, stands).id and home(hub, stands).version == "9"

    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, junk, "there is no such file", SANITY)

    assert home(hub, stands).version is None
    assert home(hub, send(hub, late, "fill writes too far", version="1.2.5")).id == home(hub, stands).id
