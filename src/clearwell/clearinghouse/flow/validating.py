# SPDX-License-Identifier: Apache-2.0
"""Validating: a proof is run in isolation. What reproduced is proven and takes in what is the same; what did not is refused."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import AnswerMoved, ProofRechecked, ProofValidated, RegressionSuspected
from clearwell.clearinghouse.case.report import Answer, KeptFinding, Proof, Run
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import Known, absorbed, regression_of, run_of, same_proven, usable
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.dedupe.shown import borne_out, is_of_the_effect
from clearwell.clearinghouse.dedupe.signature import Signature, signatures
from clearwell.clearinghouse.dedupe.spelling import component_of as dedupe_component
from clearwell.clearinghouse.dedupe.store import Stored
from clearwell.clearinghouse.flow.alarming import put_off
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.jobs import COMPARE_CASE, INVITE, RECHECK, VALIDATE
from clearwell.clearinghouse.flow.joining import attach_case
from clearwell.clearinghouse.flow.joining import settle as settle_case
from clearwell.clearinghouse.flow.ordering import ANOTHER_LOOKS, Asked, Shown, ask, is_drawn, proving_settings, settle, waits_for_another
from clearwell.clearinghouse.flow.standing import proven_by
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.formats import read
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.proving.attempt import REPORT, Reproduction
from clearwell.proving.order import Order
from clearwell.proving.verdict import Outcome, Verdict
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import CaseId, ProofId, RunId
from clearwell.vocabulary.outside import visible
from clearwell.vocabulary.product import Product

_REFUSED = {Outcome.NOT_REPRODUCED, Outcome.FIX_NOT_VERIFIED}
"""Verdicts that speak against a report. The others decide nothing (never 7): a crash elsewhere may be a flaw that was told wrongly."""


def validate_proof(house: House, proof: ProofId) -> None:
    """Run a proof and apply what it showed. Raises Unavailable (the job is tried again) when the sandbox or registry is not there.

    What reproduces is run again, for a random share of the proofs, before anybody is told.
    """
    house.policy.require(PROVING, Act.VALIDATE, Subject(proof))
    _validate(house, proof, again=False)


def recheck_proof(house: House, proof: ProofId) -> None:
    """Run a proof that reproduced once more, on another worker where there is one; only when both agree is it applied (a job)."""
    house.policy.require(PROVING, Act.VALIDATE, Subject(proof))
    _validate(house, proof, again=True)


def _validate(house: House, proof: ProofId, *, again: bool) -> None:
    job = (RECHECK if again else VALIDATE).job(proof=proof)
    if put_off(house, job):
        return
    with house.transaction(PROVING) as tx:
        kept = report_store.load_proof(tx, proof)
        finding = report_store.load_finding(tx, kept.finding)
        if finding.answer is not Answer.NEW:
            return
        if not again and _waits_for_second(tx, finding):
            return
        runs = report_store.runs_of_finding(tx, finding.id)
        if again and runs and waits_for_another(house, runs[-1].worker, runs[-1].finished_at):
            defer(tx, [msgspec.structs.replace(job, not_before=house.clock.now() + ANOTHER_LOOKS)])
            return
    asked = Asked(f"{job.name}:{proof}", job, proof, not_for=runs[-1].worker if again and runs else None)

    def prepare(order: str) -> Order:
        _, files = read_proof(house, PROVING, proof, "second run" if again else "validation")
        return Order(order, "reproduce", files, proving_settings(house))

    shown = ask(house, asked, prepare)
    if shown is None:
        return
    done = shown.done
    is_sound = done.verdict.verdict is Outcome.REPRODUCED and done.verdict.assurance == "hub"
    with house.transaction(PROVING) as tx:
        tx.take_turns("component", [finding.component])
        finding = report_store.load_finding(tx, kept.finding)
        if finding.answer is not Answer.NEW or (not again and _waits_for_second(tx, finding)):
            return
        settle(house, tx, asked)
        run = _record(house, tx, kept, finding, shown)
        elsewhere = _about_another(finding, done.verdict) or _another_tree(tx, finding, done.verdict)
        if again:
            house.write(tx, ProofRechecked(kept.id, finding.case, run, is_sound), by=PROVING)
        if again and not is_sound:
            said = "it reproduced once and not the second time: the two runs disagree, a person must look"
            report_store.move_answer(tx, finding, Answer.NEEDS_PROOF, said, PROVING.system, house.clock.now())
        elif elsewhere is not None:
            report_store.move_answer(tx, finding, Answer.NEEDS_PROOF, elsewhere, PROVING.system, house.clock.now())
        elif is_sound and not again and is_drawn(house):
            defer(tx, [RECHECK.job(proof=kept.id)])
        elif is_sound:
            _prove(house, tx, finding, kept, done)
        elif done.verdict.verdict in _REFUSED:
            refuse(house, tx, finding.id, f"{done.verdict.verdict.value}: {done.verdict.reason}", PROVING)
        else:
            report_store.move_answer(tx, finding, Answer.NEEDS_PROOF, _undecided(done.verdict), PROVING.system, house.clock.now())


def _waits_for_second(tx: Transaction, finding: KeptFinding) -> bool:
    """True when a run reproduced since the finding's last answer: it was drawn, and its second run decides (this job runs twice)."""
    runs = report_store.runs_of_finding(tx, finding.id)
    since = report_store.history(tx, [finding])[finding.id][-1].at
    return any(run.verdict == Outcome.REPRODUCED.value and run.finished_at >= since for run in runs)


def _about_another(finding: KeptFinding, verdict: Verdict) -> str | None:
    """Say that a proof runs against another component than the one reported: it tells nothing about that one, whatever it shows."""
    if verdict.target.purl is None or dedupe_component(Product(purl=verdict.target.purl))[0] == dedupe_component(finding.body.product)[0]:
        return None
    reported = finding.body.product.name if finding.body.product else "no product"
    return visible(f"the report names {reported}, its proof runs against {Product(purl=verdict.target.purl).name}")[:500]


def _another_tree(tx: Transaction, finding: KeptFinding, verdict: Verdict) -> str | None:
    """Say that the tree that was built is not the tree that sanity looked at, though both came from the archive of one name."""
    kept = validation_store.sanity_of(tx, [finding.id]).get(finding.id)
    looked = kept.sanity if kept is not None else None
    if looked is None or looked.source is None:
        return None
    built = {one.name: one.sha256 for one in verdict.evidence}
    for what, seen in (("archive", looked.source_sha256), ("tree", looked.tree_sha256)):
        ours = built.get(f"{'archive' if what == 'archive' else 'tree of'} {looked.source}")
        if seen is not None and ours is not None and seen != ours:
            said = f"another {what} was built than the one that the report was compared with, though both are called {looked.source}"
            return visible(f"{said}: sha256 {ours} against {seen}; a person must look")[:500]
    return None


def _undecided(verdict: Verdict) -> str:
    if verdict.verdict is Outcome.REPRODUCED:
        return "it reproduces, but only with a harness of the sender's own: a person must look at that harness first"
    return visible(f"{verdict.verdict.value}: {verdict.reason}")[:500]


def _record(house: House, tx: Transaction, proof: Proof, finding: KeptFinding, shown: Shown) -> RunId:
    verdict = shown.done.verdict
    run = Run(
        id=RunId(house.new_id("run")), proof=proof.id, finding=finding.id, case=finding.case, organization=finding.organization,
        verdict=verdict.verdict.value, reason=visible(verdict.reason)[:2000], body=msgspec.to_builtins(verdict), started_at=shown.started,
        finished_at=house.clock.now(), worker=shown.worker, statement=shown.statement,
    )  # fmt: skip
    report_store.insert_run(tx, run)
    entry = ProofValidated(proof.id, finding.case, run.id, run.verdict, verdict.assurance or "none")
    house.write(tx, entry, by=PROVING)
    return run.id


def _prove(house: House, tx: Transaction, finding: KeptFinding, proof: Proof, done: Reproduction) -> None:
    """The finding is proven: so is its case, unless an older proven case is the same; unproven cases of its signature join it."""
    now, verdict = house.clock.now(), done.verdict
    report_store.mark_proven(tx, finding.id)
    kept = proven_by(store.load_case(tx, finding.case, lock=True), proof, verdict, now)
    store.save_case(tx, kept)
    if kept.case.first_received < finding.received_at:  # what a person had joined before may be older, and no more than a place
        settle_case(tx, kept.id, now)
        kept = store.load_case(tx, kept.id, lock=True)
    crashes = _seen_crashes(done)
    seen = _seen_signatures(finding, crashes)
    dedupe_store.insert(
        tx, [Stored(one, finding.id, run_of(finding.submission, finding.body), finding.case, one.at, proven=True) for one in seen]
    )
    words = borne_out(finding.body, usable(signatures(finding.body, unknown=finding.organization)), verdict.target.signature, crashes)
    dedupe_store.silence(tx, finding.id, [s.key for s in signatures(finding.body, unknown=finding.organization) if s not in words])
    known = dedupe_store.known(tx, [s.key for s in seen])
    cases = store.load_whole_cases(tx, list({other.case for others in known.values() for other in others}))
    older = same_proven(kept, seen, known, cases, apart_among(tx, [kept.id, *cases]))
    if older is not None:
        _answer(house, tx, finding, Answer.DUPLICATE, f"it reproduces, and is the same as one proven before ({older.rung})", now)
        attach_case(house, tx, kept.id, older, PROVING)
        return
    _link_with_fixed(house, tx, kept, seen, known, cases)
    _answer(house, tx, finding, Answer.REPRODUCED, f"fires {verdict.target.fired} of {verdict.target.n}, the control does not", now)
    _absorb(house, tx, kept, finding, seen, words)
    defer(tx, [INVITE.job(case=kept.id), COMPARE_CASE.job(case=kept.id)])


def _link_with_fixed(
    house: House,
    tx: Transaction,
    kept: KeptCase,
    seen: Sequence[Signature],
    known: Mapping[bytes, Sequence[Known]],
    cases: Mapping[CaseId, KeptCase],
) -> None:
    """The run showed the stack of a case that was fixed: its flaw may have come back. Linked, never swallowed."""
    others = {case_id: case for case_id, case in cases.items() if case_id != kept.id}
    suspected = regression_of(seen, kept.version, known, others) if kept.regression_of is None else None
    if suspected is not None:
        store.save_case(tx, msgspec.structs.replace(kept, regression_of=suspected[0]))
        said = Salted(": ".join(suspected[1]), case=kept.id)
        house.write(tx, RegressionSuspected(kept.id, Salted(suspected[0], case=kept.id), said), by=PROVING)


def _seen_crashes(done: Reproduction) -> tuple[Finding, ...]:
    """What the run itself showed, read as crash logs are: the sanitizer's own report of what was asserted, never what a program printed."""
    target, effect = Product(purl=done.verdict.target.purl), done.verdict.target.signature
    found: list[Finding] = []
    with contextlib.suppress(Invalid):
        found += read(done.exhibits.get(REPORT, b""), REPORT, target).findings
    return tuple(seen for seen in found if seen.crash is not None and is_of_the_effect(seen.crash, effect))


def _seen_signatures(finding: KeptFinding, crashes: Sequence[Finding]) -> tuple[Signature, ...]:
    found = {s.key: s for seen in crashes for s in signatures(seen, unknown=finding.organization) if s.rung == "L1"}
    return tuple(found.values())


def _absorb(
    house: House, tx: Transaction, kept: KeptCase, finding: KeptFinding, seen: tuple[Signature, ...], words: tuple[Signature, ...]
) -> None:
    """Unproven cases with the same signature, seen or stated, join the proven one."""
    every = (*seen, *(signature for signature in words if signature.kind in {"crash", "crash-lines", "call-sites", "location", "report"}))
    known = dedupe_store.known(tx, [s.key for s in every])
    cases = store.load_whole_cases(tx, list({other.case for others in known.values() for other in others}))
    for case_id, joined in absorbed(kept, every, known, cases, apart_among(tx, [kept.id, *cases])):
        if not report_store.proofs_of_case(tx, case_id):
            attach_case(house, tx, case_id, joined, PROVING)


def _answer(house: House, tx: Transaction, finding: KeptFinding, answer: Answer, reason: str, now: datetime) -> None:
    report_store.move_answer(tx, finding, answer, reason, PROVING.system, now)
    salted = Salted(reason, organization=finding.organization, case=finding.case)
    house.write(tx, AnswerMoved(finding.id, answer.value, salted), by=PROVING)
