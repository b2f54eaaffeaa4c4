# SPDX-License-Identifier: Apache-2.0
"""Checking: the sanity job of a batch, and refusing with what hangs on it. Fetching happens outside any transaction."""

import msgspec
from packageurl import PackageURL

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.entries import AnswerMoved, BatchChecked, CaseRefused
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.flow.jobs import VALIDATE
from clearwell.clearinghouse.validation.sanity import Check, Result, Source, is_checkable
from clearwell.ground.house import House
from clearwell.ground.identity.actor import SANITY, System
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.proving.archives import Registry
from clearwell.vocabulary.ids import FindingId, SubmissionId


def check_batch(house: House, submission: SubmissionId, batch: int) -> None:
    """Check what each finding of a batch cites; refuse what does not exist; queue the proofs of the rest."""
    with house.transaction(SANITY) as tx:
        house.policy.require(SANITY, Act.CHECK, Subject(submission))
        waiting = [f for f in report_store.findings_of_batch(tx, submission, batch) if f.answer is not Answer.REFUSED]
    checks = _check_all([finding for finding in waiting if is_checkable(_purl(finding))])
    with house.transaction(SANITY) as tx:
        refused = 0
        for finding in waiting:
            check = checks.get(finding.id)
            if check is not None and check.result is Result.DOES_NOT_EXIST:
                refused += refuse(house, tx, finding.id, check.reason, SANITY)
        queued = [finding for finding in waiting if finding.has_proof and finding.answer is Answer.NEW]
        proofs = [report_store.proof_of_finding(tx, f.id) for f in queued if report_store.load_finding(tx, f.id).answer is Answer.NEW]
        defer(tx, [VALIDATE.job(proof=proof.id) for proof in proofs if proof is not None])
        house.write(tx, BatchChecked(submission, batch, refused, len(checks)), by=SANITY)


def refuse(house: House, tx: Transaction, finding_id: FindingId, reason: str, by: System) -> bool:
    """Refuse a finding, and those that sent the very same proof. False if it was answered for good before.

    What was joined with it only because of its words is looked at anew: when nothing that stands by itself is left, the first of
    the rest needs a proof of its own again. When no finding of the case stands any longer, the case is refused.
    """
    finding = report_store.load_finding(tx, finding_id)
    if finding.answer in {Answer.REFUSED, Answer.REPRODUCED}:
        return False
    rest = [other for other in report_store.findings_of_case(tx, finding.case, limit=None) if other.answer is not Answer.REFUSED]
    twins = _same_proof(tx, finding, rest)
    for refused in (finding, *twins):
        _move(house, tx, refused, Answer.REFUSED, reason, by)
    gone = {finding.id, *(twin.id for twin in twins)}
    rest = [other for other in rest if other.id not in gone]
    kept = store.load_case(tx, finding.case, lock=True)
    if not rest and kept.case.standing is Standing.UNPROVEN:
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.refuse(house.clock.now(), reason)))
        house.write(tx, CaseRefused(kept.id), by=by)
    elif rest and all(other.answer is Answer.DUPLICATE for other in rest):
        _move(house, tx, rest[0], Answer.NEEDS_PROOF, "the report that this one was joined with was refused", by)
    return True


def _same_proof(tx: Transaction, finding: KeptFinding, others: list[KeptFinding]) -> list[KeptFinding]:
    """Findings that sent the same proof, byte for byte: what it showed holds for them too."""
    own = report_store.proof_of_finding(tx, finding.id)
    if own is None:
        return []
    same = {proof.finding for proof in report_store.proofs_of_case(tx, finding.case) if proof.folder_sha256 == own.folder_sha256}
    return [other for other in others if other.id in same and other.id != finding.id]


def _move(house: House, tx: Transaction, finding: KeptFinding, answer: Answer, reason: str, by: System) -> None:
    report_store.move_answer(tx, finding, answer, reason[:500], by.system, house.clock.now())
    salted = Salted(reason, organization=finding.organization, case=finding.case)
    house.write(tx, AnswerMoved(finding.id, answer.value, salted), by=by)


def _check_all(findings: list[KeptFinding]) -> dict[FindingId, Check]:
    """Check findings, each version's archive opened once."""
    if not findings:
        return {}
    registry = Registry()
    sources: dict[str, Source] = {}
    checks: dict[FindingId, Check] = {}
    try:
        for finding in findings:
            purl = PackageURL.from_string(_purl(finding) or "")._replace(qualifiers={}, subpath=None).to_string()
            source = sources.setdefault(purl, Source(registry, purl))
            checks[finding.id] = source.check(finding.body)
    finally:
        registry.close()
    return checks


def _purl(finding: KeptFinding) -> str | None:
    return finding.body.product.purl if finding.body.product else None
