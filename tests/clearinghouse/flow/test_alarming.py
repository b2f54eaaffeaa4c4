# SPDX-License-Identifier: Apache-2.0
"""A run that gets out of its box stops the proving queue; results are signed; a share is run again before anybody is told."""

from datetime import UTC, datetime

import msgspec
import pytest
from securesystemslib.signer._crypto_signer import CryptoSigner

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.flow import alarming, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.flow.stating import about, accepted, known_workers, worker_signer
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.assertion import Sanity
from clearwell.ground.identity.actor import IDENTITY, PROVING, SANITY, Member, OrganizationKind
from clearwell.ground.identity.members import Organization, add_organization, add_person
from clearwell.proving.attempt import Reproduction
from clearwell.proving.attempt import Settings as ProvingSettings
from clearwell.proving.folder import from_files
from clearwell.proving.order import Handed, Order, hand_in
from clearwell.proving.statement import make_signer, verify
from clearwell.proving.verdict import Evidence, FixLabel, FixVerdict, Kill, Outcome
from clearwell.vocabulary.errors import Conflict, Invalid, Refused
from clearwell.vocabulary.ids import OrganizationId, PersonId, SubmissionId
from hub import Hub
from pretend import Shown, ground, seen, verdict
from story import plain, report


def _done(outcome: Outcome = Outcome.REPRODUCED, escaped: str | None = None) -> Reproduction:
    return Reproduction(verdict(outcome), {}, escaped=escaped)


@pytest.fixture
def runs(monkeypatch) -> list[Shown]:
    """What the next runs show; the sandbox itself is tried elsewhere."""
    shown: list[Shown] = []
    ground(monkeypatch, lambda order: shown.pop(0))
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
        _done(),
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
    key = worker_signer(hub.house.settings, hub.house.keys).public_key
    statement = verify(row["statement"].encode(), key)
    assert statement.predicate.verdict.verdict is Outcome.REPRODUCED
    assert statement.digest("proof") == from_files({"proof.toml": b"no proof"}).sha256
    assert row["worker"] == key.keyid


def test_a_result_of_a_stranger_a_changed_one_or_another_proof_s_is_not_believed(hub):
    settings, keys = hub.house.settings, hub.house.keys
    order = Order("order_x", "judge", {"proof.toml": b"no proof"}, ProvingSettings(), patch=b"a patch")
    judged = FixVerdict(FixLabel.NOT_REFUTED, None, None, "as told", verdict())
    own, stranger = worker_signer(settings, keys), make_signer(b"\x07" * 32)

    def handed(by: CryptoSigner = own, shown: Shown = judged, **changed: object) -> Handed:
        other = msgspec.structs.replace(order, **changed)
        return hand_in(other, seen(other, shown), by)

    statement, worker = accepted(settings, keys, handed(), about(order))
    assert (statement.predicate.order, worker) == ("order_x", own.public_key.keyid)
    with pytest.raises(Conflict, match="no worker"):
        accepted(settings, keys, handed(stranger), about(order))
    with pytest.raises(Conflict, match="no worker"):
        accepted(settings, keys, Handed(handed().statement.replace(b'"payload":"ey', b'"payload":"eY'), {}), about(order))
    with pytest.raises(Conflict, match="another proof"):
        accepted(settings, keys, handed(proof={"proof.toml": b"other"}), about(order))
    for fix in ({"patch": b"another"}, {"patch": None}, {"patch": None, "version": "pkg:npm/x@2"}):
        with pytest.raises(Conflict, match="another fix"):
            accepted(settings, keys, handed(**fix), about(order))
    with pytest.raises(Conflict, match="another question"):
        accepted(settings, keys, handed(shown=Kill("killed", "x")), about(order))
    with pytest.raises(Conflict, match="another order"):
        accepted(settings, keys, handed(id="order_y"), about(order))
    with pytest.raises(Conflict, match="exhibits"):
        accepted(settings, keys, Handed(handed().statement, {"target stdout": b"forged"}), about(order))
    # and a worker of the setting is known, whoever else is not
    known = stranger.public_key.to_dict()["keyval"]["public"]
    chosen = msgspec.structs.replace(settings, proving_worker_keys=(known,))
    assert accepted(chosen, keys, handed(stranger), about(order))[1] == stranger.public_key.keyid
    with pytest.raises(Conflict):
        accepted(chosen, keys, handed(), about(order))
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


@pytest.mark.parametrize(
    ("archive", "tree", "answer", "said"),
    [
        ("a" * 64, "b" * 64, "reproduced", ""),
        ("a" * 64, "c" * 64, "needs_proof", "another tree was built"),
        ("c" * 64, "b" * 64, "needs_proof", "another archive was built"),
    ],
)
def test_a_verdict_about_another_tree_than_sanity_looked_at_is_not_believed(hub, monkeypatch, archive, tree, answer, said):
    # given a report of which sanity looked at a tree of this archive, and a proof that reproduces on what was built
    looked = Sanity((), "acme-1.tar.gz", "a" * 64, "b" * 64)
    evidence = (
        Evidence("archive acme-1.tar.gz", archive),
        Evidence("tree of acme-1.tar.gz", tree),
        Evidence("tree of other.tgz", "d" * 64),
    )

    def show(_: Order) -> Shown:
        with hub.house.transaction(SANITY) as tx:
            ids = [row["id"] for row in tx.rows("SELECT id FROM clearwell.finding")]
            validation_store.insert_sanity(tx, [(report_store.load_finding(tx, one), looked) for one in ids], hub.clock.now())
        return Reproduction(msgspec.structs.replace(verdict(), evidence=evidence), {})

    ground(monkeypatch, show)
    # when it is validated
    lab, sent = _send(hub)
    # then the verdict counts only for the same archive and the same tree, and the reason names which differs
    (answered,) = reporting.read_answers(hub.house, lab, sent)
    assert answered.finding.answer.value == answer
    assert said in answered.history[-1].reason


def test_whoever_may_resume_is_mailed_once_and_nobody_else(hub, runs):
    # given people with addresses: a coordinator, a colleague with the same one, a lab
    with hub.house.transaction(IDENTITY) as tx:
        for kind, address in ((OrganizationKind.COORDINATOR, "duty@hub.example"), (OrganizationKind.LAB, "lab@lab.example")):
            organization = Organization(OrganizationId(hub.house.new_id("org")), "staff", kind)
            add_organization(tx, organization, hub.clock.now())
            for _ in range(2):
                add_person(tx, PersonId(hub.house.new_id("person")), organization.id, "somebody", address, hub.clock.now())
    # when two alarms are raised before anybody looked
    for way in ("tcp 127.0.0.1", "udp 127.0.0.1"):
        alarming.raise_alarm(hub.house, None, f"the run is void: {way}")
    hub.work()
    # then one mail says so, with the way out and where to answer
    (mail,) = hub.mails()
    assert "To: duty@hub.example" in mail
    assert "tcp 127.0.0.1" in mail
    assert hub.house.settings.public_url in mail
    # and after an answer, the next alarm is told anew
    alarming.resume_proving(hub.house, IDENTITY, "looked at")
    alarming.raise_alarm(hub.house, None, "the run is void: unix x")
    hub.work()
    assert len(hub.mails()) == 2
