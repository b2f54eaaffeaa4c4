# SPDX-License-Identifier: Apache-2.0
"""Rung L3 at work: fixes of one case on the proofs of another, joined where both ways agree, and undone for ever by people."""

import json

import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.entries import FixesCompared
from clearwell.clearinghouse.case.store import Fix
from clearwell.clearinghouse.dedupe import kill_store
from clearwell.clearinghouse.dedupe.equivalence import Relation
from clearwell.clearinghouse.flow import answering, coordinating, equating, reporting, validating
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import PROVING, Member, OrganizationKind
from clearwell.ground.ledger.ledger import has_entry
from clearwell.proving.attempt import Reproduction
from clearwell.proving.order import Order
from clearwell.proving.verdict import Kill
from clearwell.vocabulary.ids import CaseId, RemediationId
from hub import Hub
from pretend import ground, verdict

SMALL = b"--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+%d\n"


@pytest.fixture
def lab(hub: Hub) -> Member:
    return hub.member(OrganizationKind.LAB, "the lab")


def proven(hub: Hub, lab: Member, monkeypatch: pytest.MonkeyPatch, name: str) -> CaseId:
    """A case of its own whose proof reproduced."""
    finding = {
        "title": name, "text": f"{name} is not checked", "weakness": "CWE-787", "product": {"purl": "pkg:generic/pump@1.2.5"},
        "locations": [{"file": f"{name}.c", "line": 3, "function": name}], "proof": {"files": {"proof.toml": name}},
    }  # fmt: skip
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    (answered,) = reporting.read_answers(hub.house, lab, sent.id, limit=10)
    ground(monkeypatch, lambda _: Reproduction(verdict(purl="pkg:generic/pump@1.2.5"), {}))
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, answered.finding.id)
    assert proof is not None
    validating.validate_proof(hub.house, proof.id)
    return CaseId(answered.finding.case)


def patched(hub: Hub, case: CaseId, number: int) -> RemediationId:
    """A verified patch of a case."""
    sealed = hub.house.blobs.put([SMALL % number], 1 << 20)
    fix = RemediationId(hub.house.new_id("fix"))
    with hub.house.transaction(PROVING) as tx:
        hub.house.blobs.hold(tx, case, sealed)
        kept = Fix(
            id=fix, case=case, kind="patch", version=None, patch_address=sealed.address, claimed_by="part",
            claimed_at=hub.house.clock.now(), state="claimed",
        )  # fmt: skip
        store.insert_fix(tx, kept)
        store.save_fix(tx, Fix(**{**{n: getattr(kept, n) for n in kept.__struct_fields__}, "state": "verified"}))
    return fix


class Ground:
    """A proving ground that knows which patch silences which proof, and counts what it is asked."""

    def __init__(self, silences: set[tuple[int, str]]) -> None:
        self.silences, self.asked = silences, 0

    def __call__(self, order: Order) -> Kill:
        assert order.what == "kill" and order.patch is not None
        self.asked += 1
        number = int(order.patch.rpartition(b"+")[2])
        return Kill("killed" if (number, order.proof["proof.toml"].decode()) in self.silences else "fires", "as the test says")


def two(hub: Hub, lab: Member, monkeypatch: pytest.MonkeyPatch, silences: set[tuple[int, str]]) -> tuple[CaseId, CaseId, Ground]:
    knowing = Ground(silences)
    one, other = proven(hub, lab, monkeypatch, "valve"), proven(hub, lab, monkeypatch, "piston")
    ground(monkeypatch, knowing)
    return one, other, knowing


def test_patches_that_silence_each_other_s_proofs_join_two_cases_and_the_matrix_is_kept(hub: Hub, lab: Member, monkeypatch) -> None:
    # given
    one, other, knowing = two(hub, lab, monkeypatch, {(1, "valve"), (1, "piston"), (2, "valve"), (2, "piston")})
    first = patched(hub, one, 1)
    equating.compare_fix(hub.house, first)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    assert coordinating.read_case(hub.house, coordinator, one).relations[0].relation is Relation.UNKNOWN
    # when
    equating.compare_fix(hub.house, patched(hub, other, 2))
    # then
    view = coordinating.read_case(hub.house, coordinator, one)
    assert coordinating.read_case(hub.house, coordinator, other).kept.merged_into == one
    assert [a.rung for a in view.attachments if a.rung] == ["L3"]
    assert view.relations[0].relation is Relation.SAME
    assert {cell.outcome for cell in view.kills} == {"killed"} and len(view.kills) == 4
    with hub.house.transaction(coordinator) as tx:
        assert has_entry(tx, one, FixesCompared.type, PROVING.system) or has_entry(tx, other, FixesCompared.type, PROVING.system)
    # and nothing is run twice
    asked = knowing.asked
    equating.compare_fix(hub.house, first)
    assert knowing.asked == asked


def test_one_way_is_shown_and_joins_nothing(hub: Hub, lab: Member, monkeypatch) -> None:
    one, other, _ = two(hub, lab, monkeypatch, {(1, "valve"), (1, "piston"), (2, "piston")})
    patched(hub, one, 1)
    patched(hub, other, 2)
    equating.compare_case(hub.house, other)
    equating.compare_case(hub.house, one)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    assert coordinating.read_case(hub.house, coordinator, one).relations[0].relation is Relation.SUBSUMES
    assert coordinating.read_case(hub.house, coordinator, other).relations[0].relation is Relation.SUBSUMED
    assert coordinating.read_case(hub.house, coordinator, other).kept.merged_into is None


def test_what_people_took_apart_is_joined_by_no_fix_again(hub: Hub, lab: Member, monkeypatch) -> None:
    # given
    one, other, _ = two(hub, lab, monkeypatch, {(1, "valve"), (1, "piston"), (2, "valve"), (2, "piston")})
    patched(hub, one, 1)
    second = patched(hub, other, 2)
    equating.compare_case(hub.house, other)
    equating.compare_fix(hub.house, second)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    joined = tuple(a.finding for a in coordinating.read_case(hub.house, coordinator, one).attachments if a.rung)
    coordinating.split_case(hub.house, coordinator, one, joined, "two flaws")
    # when
    equating.compare_fix(hub.house, second)
    # then
    assert coordinating.read_case(hub.house, coordinator, other).kept.merged_into is None
    assert coordinating.read_case(hub.house, coordinator, other).kept.case.standing is Standing.PROVEN


def test_no_finder_sees_the_matrix(hub: Hub, lab: Member, monkeypatch) -> None:
    one, _, _ = two(hub, lab, monkeypatch, set())
    fix = patched(hub, one, 1)
    equating.compare_fix(hub.house, fix)
    with hub.house.transaction(PROVING) as tx:
        assert kill_store.cells(tx, [fix], []) != ()
    with hub.house.transaction(lab) as tx:
        assert kill_store.cells(tx, [fix], []) == ()
        assert kill_store.relations_of(tx, one) == ()
