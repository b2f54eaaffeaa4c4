# SPDX-License-Identifier: Apache-2.0
"""Workers apart: the hub hands sealed orders out, believes what a known worker signed, and decides each thing once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from securesystemslib.signer._crypto_signer import CryptoSigner

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.case.state import CaseEvent
from clearwell.clearinghouse.dedupe import kill_store
from clearwell.clearinghouse.flow import alarming, coordinating, equating, ordering, remediating, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import IDENTITY, PROVING, Member, OrganizationKind
from clearwell.ground.jobs.orders import Line
from clearwell.ground.storage.embedded import PROVER
from clearwell.ground.storage.sealing import Reader, seal_back
from clearwell.proving import prover as apart
from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.order import Handed, Order, Seen, hand_in
from clearwell.proving.prover import Prover
from clearwell.proving.statement import make_signer, read_unverified
from clearwell.proving.verdict import Evidence, FixLabel, FixRung, FixVerdict, Kill, Outcome
from clearwell.vocabulary.ids import CaseId, RemediationId
from house.rows import database_of
from hub import Hub
from pretend import Shown, ground, seen, verdict
from story import plain, report

SEEDS = (b"\x01" * 32, b"\x02" * 32)
PROOF = "the words of a proof"


class Workers:
    """Two workers apart, one hub, and what runs show from now on."""

    def __init__(self, hub: Hub, provers: tuple[Prover, ...], url: str, show: list[Shown]) -> None:
        self.hub, self.show, self.given = hub, show, list[Order]()
        self._provers, self.url = provers, url

    def work(self, which: int = 0) -> bool:
        """One worker looks once for an order; then the hub does what that made necessary. False when there was none."""
        with Line(self.url) as line:
            has_worked = self._provers[which].work_once(line)
        self.hub.work()
        return has_worked


@pytest.fixture
def workers(make_hub: Callable[..., Hub], server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Workers]]:
    """A hub that runs nothing itself, and its workers."""

    def make(**settings: object) -> Workers:
        keys = tuple(Prover("", seed, None).public for seed in SEEDS)
        hub = make_hub(proving_apart=True, proving_worker_keys=keys, **settings)
        hub.clock.move(seconds=(datetime.now(UTC) - hub.clock.now()).total_seconds())  # leases go by the database's clock
        url = server.url(PROVER, database_of(hub))
        made = Workers(hub, tuple(Prover(url, seed, None) for seed in SEEDS), url, [])

        def carried(order: Order, _: object, signer: CryptoSigner) -> Handed:
            made.given.append(order)
            return hand_in(order, seen(order, made.show.pop(0)), signer)

        monkeypatch.setattr(apart, "carry_out", carried)
        return made

    yield make


def _send(hub: Hub, name: str = "pump", text: str = PROOF) -> tuple[Member, str]:
    lab = hub.member(OrganizationKind.LAB)
    finding = plain(
        f"a flaw of {name}", f"words of {name}", proof={"files": {"proof.toml": text}}, product={"purl": f"pkg:generic/{name}@1"}
    )
    sent = reporting.submit_report(hub.house, lab, [report(finding)], Envelope(name="report.json")).id
    hub.work()
    return lab, sent


def _finding(hub: Hub, lab: Member, sent: str) -> KeptFinding:
    (answered,) = reporting.read_answers(hub.house, lab, sent)
    return answered.finding


def _reproduced(name: str = "pump", **more: Any) -> Reproduction:
    return Reproduction(verdict(purl=f"pkg:generic/{name}@1"), more.pop("exhibits", {}), **more)


def _rows(hub: Hub, query: str, **values: Any) -> list[dict[str, Any]]:
    with hub.house.transaction(PROVING) as tx:
        return list(tx.rows(query, **values))


def _orders(hub: Hub) -> int:
    return len(_rows(hub, "SELECT id FROM clearwell.work_order"))


def test_a_worker_apart_proves_a_report_of_which_it_sees_one_sealed_order(workers):
    made = workers()
    hub: Hub = made.hub
    lab, sent = _send(hub)
    # the proof's read is in the ledger before anything was handed out; what lies in the row is sealed
    (row,) = _rows(hub, "SELECT sealed, wrapped_key, placed_at FROM clearwell.work_order")
    assert PROOF.encode() not in bytes(row["sealed"]) + bytes(row["wrapped_key"])
    (read,) = _rows(hub, "SELECT written_at FROM clearwell.ledger_entry WHERE type = 'proof.read'")
    assert read["written_at"] <= row["placed_at"].replace(microsecond=999999)
    assert _finding(hub, lab, sent).answer is Answer.NEW
    # when a worker does it
    exhibits = {"target stdout": b"words that the proof printed"}
    told = msgspec.structs.replace(verdict(purl="pkg:generic/pump@1"), evidence=(Evidence("target stdout", "0" * 64),))
    made.show += [Reproduction(told, exhibits)]
    assert made.work()
    # then it was given the proof and no more, its result is kept with its name, and nothing of the order is left
    (order,) = made.given
    assert (order.what, order.proof, order.fix, order.others) == ("reproduce", {"proof.toml": PROOF.encode()}, None, ())
    assert _finding(hub, lab, sent).answer is Answer.REPRODUCED
    (run,) = _rows(hub, "SELECT worker, statement FROM clearwell.run")
    assert run["worker"] == make_signer(SEEDS[0]).public_key.keyid
    assert read_unverified(run["statement"].encode()).predicate.exhibits[0].head == b""
    assert _orders(hub) == 0
    assert not made.work()
    assert hub.failed_jobs() == []


def test_the_hub_itself_runs_nothing_when_its_workers_are_apart(workers, monkeypatch):
    monkeypatch.setattr(ordering, "carry_out", lambda *_: pytest.fail("the hub ran a proof"))
    made = workers()
    _send(made.hub)
    assert _orders(made.hub) == 1


def test_a_second_run_goes_to_another_worker(workers):
    made = workers(proving_recheck_share=1.0)
    hub = made.hub
    lab, sent = _send(hub)
    made.show += [_reproduced(), _reproduced()]
    assert made.work(0)
    assert _finding(hub, lab, sent).answer is Answer.NEW
    assert not made.work(0)
    assert made.work(1)
    assert _finding(hub, lab, sent).answer is Answer.REPRODUCED
    assert len({row["worker"] for row in _rows(hub, "SELECT worker FROM clearwell.run")}) == 2


def test_a_worker_whose_run_got_out_stops_everything_and_the_proof_is_done_again_afterwards(workers):
    made = workers()
    hub = made.hub
    lab, sent = _send(hub)
    _send(hub, "valve", "another proof")
    made.show += [_reproduced(escaped="the run is void: tcp 127.0.0.1")]
    assert made.work()
    (alarm,) = alarming.read_alarms(hub.house, IDENTITY)
    assert "127.0.0.1" in alarm.reason
    assert not made.work()
    assert _finding(hub, lab, sent).answer is Answer.NEW
    alarming.resume_proving(hub.house, IDENTITY, "looked at")
    hub.work()
    made.show += [_reproduced("valve"), _reproduced()]
    assert made.work()
    assert made.work()
    assert _finding(hub, lab, sent).answer is Answer.REPRODUCED


def test_what_cannot_be_believed_is_dropped_and_ordered_again(workers, monkeypatch):
    made = workers()
    hub = made.hub
    lab, sent = _send(hub)
    # given a worker that hands in another's statement: the right seal, no known key
    forged = hand_in(Order("order_x", "reproduce", {}, Settings()), Seen(_reproduced()), make_signer(b"\x09" * 32))
    monkeypatch.setattr(apart, "carry_out", lambda *_: forged)
    made.work()
    assert _finding(hub, lab, sent).answer is Answer.NEW
    assert _rows(hub, "SELECT id FROM clearwell.run") == []
    assert [error.split(" ")[0] for error in hub.failed_jobs()] == ["Conflict"]
    assert _orders(hub) == 0


def test_a_worker_that_takes_its_own_second_run_under_another_name_does_not_agree_with_itself(workers):
    # given a hub that has everything run twice, and a stolen worker that made the first run
    made = workers(proving_recheck_share=1.0)
    hub = made.hub
    lab, sent = _send(hub)
    made.show += [_reproduced()]
    assert made.work(0)
    # when it takes the second run under another name, and signs it with the one key that it has
    with Line(made.url) as line:
        taken = line.take("another")
        assert taken is not None
        content, key = Reader(SEEDS[0]).open(taken.sealed)
        order = msgspec.msgpack.decode(content, type=Order)
        handed = hand_in(order, seen(order, _reproduced()), make_signer(SEEDS[0]))
        line.hand_in(taken, seal_back(key, msgspec.msgpack.encode(handed)), None)
    hub.work()
    # then that is not believed
    assert _finding(hub, lab, sent).answer is Answer.NEW
    assert [error.split(" ")[0] for error in hub.failed_jobs()] == ["Conflict"]
    assert len(_rows(hub, "SELECT id FROM clearwell.run")) == 1


DEEP = b'{"payload":' + b"[" * 200_000


@pytest.mark.parametrize("result", [b"no seal of ours", DEEP, None])
def test_a_worker_s_word_that_a_run_got_out_is_an_alarm_whatever_it_hands_in_with_it(workers, result):
    # given a worker that says so beside what nobody can read
    made = workers()
    hub = made.hub
    lab, sent = _send(hub)
    with Line(made.url) as line:
        taken = line.take("one")
        assert taken is not None
        _, key = Reader(SEEDS[0]).open(taken.sealed)
        sealed = seal_back(key, msgspec.msgpack.encode(Handed(DEEP, {}))) if result is DEEP else result
        line.hand_in(taken, sealed, "tcp 127.0.0.1")
        hub.work()
        # then a person hears of it, and may let the queue go on
        (alarm,) = alarming.read_alarms(hub.house, IDENTITY)
        assert "127.0.0.1" in alarm.reason
        alarming.resume_proving(hub.house, IDENTITY, "looked at")
        hub.work()
    made.show += [_reproduced()]
    assert made.work()
    assert _finding(hub, lab, sent).answer is Answer.REPRODUCED


def test_a_run_that_got_out_is_told_even_where_its_result_is_wanted_no_more(workers):
    made = workers()
    hub = made.hub
    lab, sent = _send(hub)
    with hub.house.transaction(PROVING) as tx:
        report_store.move_answer(tx, _finding(hub, lab, sent), Answer.NEEDS_PROOF, "so", "coordinator", hub.clock.now())
    made.show += [_reproduced(escaped="the run is void: tcp 127.0.0.1")]
    assert made.work()
    assert len(alarming.read_alarms(hub.house, IDENTITY)) == 1
    alarming.resume_proving(hub.house, IDENTITY, "looked at")
    _send(hub, "valve", "another proof")
    made.show += [_reproduced("valve")]
    assert made.work()


def test_a_result_nested_without_end_is_one_that_cannot_be_believed(workers):
    made = workers()
    _send(made.hub)
    with Line(made.url) as line:
        taken = line.take("one")
        assert taken is not None
        _, key = Reader(SEEDS[0]).open(taken.sealed)
        line.hand_in(taken, seal_back(key, msgspec.msgpack.encode(Handed(DEEP, {}))), None)
    made.hub.work()
    assert [error.split(" ")[0] for error in made.hub.failed_jobs()] == ["Conflict"]
    assert _orders(made.hub) == 0


def test_where_nothing_can_run_the_job_is_tried_again(workers):
    made = workers()
    lab, sent = _send(made.hub)
    made.show += [Reproduction(verdict(Outcome.UNAVAILABLE), {})]
    assert made.work()
    assert _finding(made.hub, lab, sent).answer is Answer.NEW
    assert [error.split(" ")[0] for error in made.hub.failed_jobs()] == ["Unavailable"]
    assert _orders(made.hub) == 0


def test_destroyed_proofs_are_in_no_order_either(workers):
    made = workers()
    hub = made.hub
    lab, sent = _send(hub)
    case = CaseId(_finding(hub, lab, sent).case)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    assert _orders(hub) == 1
    proposal = coordinating.propose_destruction(hub.house, coordinator, case)
    coordinating.destroy_proofs(hub.house, hub.colleague(coordinator), proposal.id)
    assert _orders(hub) == 0


# -- fixes --------------------------------------------------------------------------------------------------------------


def _proven(made: Workers, name: str = "pump") -> CaseId:
    lab, sent = _send(made.hub, name, f"proof of {name}")
    made.show += [_reproduced(name)]
    assert made.work()
    return CaseId(_finding(made.hub, lab, sent).case)


def _claim(hub: Hub, case: CaseId, state: str = "claimed") -> RemediationId:
    sealed = hub.house.blobs.put([b"--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n"], 1 << 20)
    fix = RemediationId(hub.house.new_id("fix"))
    kept = store.Fix(
        id=fix, case=case, kind="patch", version=None, patch_address=sealed.address, claimed_by="part", claimed_at=hub.house.clock.now(),
        state="claimed",
    )  # fmt: skip
    with hub.house.transaction(PROVING) as tx:
        hub.house.blobs.hold(tx, case, sealed)
        known = store.load_case(tx, case, lock=True)
        if not known.case.state.has(CaseEvent.VENDOR_AWARE):
            store.save_case(tx, msgspec.structs.replace(known, case=known.case.learn(CaseEvent.VENDOR_AWARE)))
        store.insert_fix(tx, kept)
        if state != "claimed":
            store.save_fix(tx, msgspec.structs.replace(kept, state=state))
    return fix


def _fix(hub: Hub, fix: RemediationId) -> store.Fix:
    with hub.house.transaction(PROVING) as tx:
        return store.load_fix(tx, fix)


def _judged(label: FixLabel) -> FixVerdict:
    refuted = "proof" if label is FixLabel.REFUTED else None
    return FixVerdict(label, "builds", refuted, "as told", verdict(purl="pkg:generic/pump@1"), rungs=(FixRung("proof", "passed", "so"),))


def test_a_fix_is_tried_by_a_worker_apart_and_its_run_is_signed(workers):
    made = workers()
    hub = made.hub
    case = _proven(made)
    fix = _claim(hub, case)
    remediating.verify_fix(hub.house, fix)
    made.show += [_judged(FixLabel.REFUTED)]
    assert made.work()
    assert made.given[-1].what == "judge"
    assert made.given[-1].patch is not None
    assert _fix(hub, fix).state == "not_verified"
    (run,) = _rows(hub, "SELECT worker, statement FROM clearwell.run WHERE fix_id = %(fix)s", fix=fix)
    assert run["worker"] and run["statement"]
    assert _orders(hub) == 0


@pytest.mark.parametrize(
    ("first", "second", "state", "agrees"),
    [
        (FixLabel.NOT_REFUTED, FixLabel.FLAGGED, "verified", True),
        (FixLabel.NOT_REFUTED, FixLabel.REFUTED, "not_verified", False),
        (FixLabel.REFUTED, FixLabel.NOT_REFUTED, "not_verified", False),
        (FixLabel.REFUTED, FixLabel.REFUTED, "not_verified", True),
        (FixLabel.NOT_REFUTED, FixLabel.INCONCLUSIVE, "not_verified", False),
    ],
)
def test_a_drawn_fix_is_tried_by_another_worker_before_its_maintainer_is_told(workers, first, second, state, agrees):
    # given a hub that has everything run twice
    made = workers(proving_recheck_share=1.0)
    hub = made.hub
    lab, sent = _send(hub)
    made.show += [_reproduced(), _reproduced()]
    assert made.work(0) and made.work(1)
    fix = _claim(hub, CaseId(_finding(hub, lab, sent).case))
    remediating.verify_fix(hub.house, fix)
    made.show += [_judged(first), _judged(second), Kill("killed", "x"), Kill("killed", "x")]
    # when the first run is in
    assert made.work(0)
    # then nobody is told, the same worker is not asked again, and what another says decides
    assert (_fix(hub, fix).state, _fix(hub, fix).ladder) == ("claimed", None)
    remediating.verify_fix(hub.house, fix)
    assert not made.work(0)
    assert made.work(1)
    assert _fix(hub, fix).state == state
    assert ("disagree" in (_fix(hub, fix).reason or "")) is not agrees
    told = [row["type"] for row in _rows(hub, "SELECT type FROM clearwell.ledger_entry WHERE type LIKE 'fix.%%' ORDER BY id")]
    assert told == ["fix.drawn", "fix.rechecked", "fix.verified"]


def test_a_drawn_fix_that_reproduces_once_more_here_needs_no_other_worker_where_there_is_none(make_hub, monkeypatch):

    hub = make_hub(proving_recheck_share=1.0)
    shown: list[Shown] = [_reproduced(), _reproduced()]
    ground(monkeypatch, lambda order: shown.pop(0))
    lab, sent = _send(hub)
    fix = _claim(hub, CaseId(_finding(hub, lab, sent).case))
    shown += [_judged(FixLabel.REFUTED), _judged(FixLabel.REFUTED)]
    remediating.verify_fix(hub.house, fix)
    assert _fix(hub, fix).state == "claimed"
    hub.work()
    assert (_fix(hub, fix).state, shown) == ("not_verified", [])


@pytest.mark.parametrize(("second", "outcome"), [("killed", "killed"), ("fires", "unknown")])
def test_a_drawn_cell_of_the_matrix_decides_nothing_until_another_worker_said_the_same(workers, second, outcome):
    made = workers(proving_recheck_share=1.0)
    hub = made.hub
    lab, sent = _send(hub)
    made.show += [_reproduced(), _reproduced()]
    assert made.work(0) and made.work(1)
    case = CaseId(_finding(hub, lab, sent).case)
    fix = _claim(hub, case, "verified")
    equating.compare_fix(hub.house, fix)
    made.show += [Kill("killed", "first"), Kill(second, "second")]
    assert made.work(0)
    with hub.house.transaction(PROVING) as tx:
        (cell,) = kill_store.cells(tx, [fix], [])
    assert (cell.outcome, cell.is_settled) == ("killed", False)
    assert not made.work(0)
    assert made.work(1)
    with hub.house.transaction(PROVING) as tx:
        (cell,) = kill_store.cells(tx, [fix], [])
    assert (cell.outcome, cell.is_settled) == (outcome, True)
    assert cell.statement and cell.worker
    assert _orders(hub) == 0
