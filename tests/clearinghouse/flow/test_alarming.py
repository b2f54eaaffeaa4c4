# SPDX-License-Identifier: Apache-2.0
"""A run that gets out of its box stops the proving queue; results are signed; a share is run again before anybody is told."""

from datetime import UTC, datetime

import msgspec
import pytest

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.flow import alarming, reporting, validating
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.flow.stating import accepted, known_workers, signed_result
from clearwell.ground.identity.actor import IDENTITY, PROVING, Member, OrganizationKind
from clearwell.proving.attempt import Reproduction
from clearwell.proving.attempt import Settings as ProvingSettings
from clearwell.proving.folder import from_files
from clearwell.proving.statement import make_signer, sign, state
from clearwell.proving.verdict import Evidence, Outcome, Runs, Verdict
from clearwell.vocabulary.errors import Conflict, Invalid, Refused
from clearwell.vocabulary.ids import SubmissionId
from hub import Hub
from story import plain, report

HASH = from_files({"proof.toml": b"no proof"}).sha256


def _done(outcome: Outcome = Outcome.REPRODUCED, escaped: str | None = None, proof: str = HASH) -> Reproduction:
    verdict = Verdict(
        verdict=outcome, reason="as told", target=Runs(None, 3, 3), control="none", assurance="hub", preconditions=(), variants=(),
        ladder=(), isolation={}, evidence=(Evidence("proof", proof), Evidence("harness x", "b" * 64)), seconds=0.1,
    )  # fmt: skip
    return Reproduction(verdict, {}, escaped=escaped)


@pytest.fixture
def runs(monkeypatch) -> list[Reproduction]:
    """What the next runs show; the sandbox itself is tried elsewhere."""
    shown: list[Reproduction] = []
    monkeypatch.setattr(validating, "run_files", lambda house, files, *rest: shown.pop(0))
    return shown


def _send(hub: Hub, what: str = "a flaw", proof: str = "no proof") -> tuple[Member, SubmissionId]:
    lab = hub.member(OrganizationKind.LAB)
    finding = plain(what, f"words of {what}", proof={"files": {"proof.toml": proof}}, product={"vendor": "acme", "model": what})
    sent = reporting.submit_report(hub.house, lab, [report(finding)], Envelope(name="report.json")).id
    hub.work()
    return lab, sent


def _answer(hub: Hub, lab: Member, sent: SubmissionId) -> KeptFinding:
    (answered,) = reporting.read_answers(hub.house, lab, sent)
    return answered.finding


def _entries(hub: Hub, kind: str) -> int:
    with hub.house.transaction(PROVING) as tx:
        return int(tx.value("SELECT count(*) FROM clearwell.ledger_entry WHERE type = %(kind)s", kind=kind))


def test_a_run_that_got_out_is_no_verdict_and_stops_the_queue_until_a_person_resumes_it(hub, runs):
    # (the queue goes by the database's clock)
    hub.clock.move(seconds=(datetime.now(UTC) - hub.clock.now()).total_seconds())
    # given a run whose word was heard outside, and another that would reproduce
    runs += [
        _done(Outcome.UNAVAILABLE, escaped="the run is void: tcp 127.0.0.1"),
        _done(),
        _done(proof=from_files({"proof.toml": b"other"}).sha256),
    ]
    lab, sent = _send(hub)
    # then it left no verdict, an alarm stands in the ledger, and the proof waits
    assert _answer(hub, lab, sent).answer is Answer.NEW
    assert _entries(hub, "proof.validated") == 0
    assert _entries(hub, "proving.stopped") == 1
    (alarm,) = alarming.read_alarms(hub.house, IDENTITY)
    assert "127.0.0.1" in alarm.reason
    # and no other proof is taken either
    other, second = _send(hub, "another flaw", "other")
    assert _answer(hub, other, second).answer is Answer.NEW
    assert len(runs) == 2
    # when a coordinator has looked
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    alarming.resume_proving(hub.house, coordinator, "the host's bridge was misconfigured; it was rebuilt")
    hub.work()
    # then both proofs are run (the one that waits longest first), and the ledger names who let it go on
    assert runs == []
    assert _answer(hub, lab, sent).answer is Answer.REPRODUCED
    assert _entries(hub, "proving.resumed") == 1
    assert alarming.read_alarms(hub.house, IDENTITY) == ()


def test_only_coordinators_and_the_hub_s_own_machine_resume_and_they_say_why(hub):
    for kind in (OrganizationKind.LAB, OrganizationKind.OPERATOR, OrganizationKind.AUDITOR):
        with pytest.raises(Refused):
            alarming.resume_proving(hub.house, hub.member(kind), "because")
    with pytest.raises(Invalid):
        alarming.resume_proving(hub.house, IDENTITY, "  ")
    with pytest.raises(Conflict):
        alarming.resume_proving(hub.house, IDENTITY, "nothing was stopped")


def test_each_run_keeps_what_its_worker_signed(hub, runs):
    runs += [_done()]
    lab, sent = _send(hub)
    with hub.house.transaction(PROVING) as tx:
        row = tx.row("SELECT statement, worker FROM clearwell.run WHERE finding_id = %(id)s", id=_answer(hub, lab, sent).id)
    statement, worker = accepted(hub.house.settings, hub.house.keys, row["statement"].encode(), HASH)
    assert statement.predicate.verdict.verdict is Outcome.REPRODUCED
    assert worker == row["worker"]


def test_a_result_of_a_stranger_a_changed_one_or_another_proof_s_is_not_believed(hub):
    settings, keys = hub.house.settings, hub.house.keys
    forged = sign(state(_done(), ProvingSettings()), make_signer(b"\x07" * 32))
    with pytest.raises(Conflict, match="no worker"):
        accepted(settings, keys, forged, HASH)
    own = signed_result(settings, keys, _done(), ProvingSettings())
    with pytest.raises(Conflict, match="no worker"):
        accepted(settings, keys, own.replace(b'"payload":"ey', b'"payload":"eY'), HASH)
    with pytest.raises(Conflict, match="another proof"):
        accepted(settings, keys, own, "f" * 64)
    # and a worker of the setting is known, whoever else is not
    known = make_signer(b"\x07" * 32).public_key.to_dict()["keyval"]["public"]
    chosen = msgspec.structs.replace(settings, proving_worker_keys=(known,))
    assert accepted(chosen, keys, forged, HASH)[0].digest("proof") == HASH
    with pytest.raises(Conflict):
        accepted(chosen, keys, own, HASH)
    with pytest.raises(Invalid):
        known_workers(msgspec.structs.replace(settings, proving_worker_keys=("no key",)), keys)


@pytest.mark.parametrize(("second", "answer", "agree"), [(Outcome.REPRODUCED, "reproduced", 1), (Outcome.NOT_REPRODUCED, "needs_proof", 0)])
def test_what_reproduces_is_run_again_before_anybody_is_told(make_hub, runs, second, answer, agree):
    # given a hub that runs everything twice
    hub = make_hub(proving_recheck_share=1.0)
    runs += [_done(), _done(second)]
    lab, sent = _send(hub)
    # then both runs are kept, and only agreement makes it proven; a person looks at the rest
    found = _answer(hub, lab, sent)
    assert found.answer.value == answer
    assert runs == []
    assert _entries(hub, "proof.rechecked") == 1
    with hub.house.transaction(PROVING) as tx:
        case = store.load_case(tx, found.case)
    assert (case.case.proven_at is not None) is bool(agree)
