# SPDX-License-Identifier: Apache-2.0
"""Checking: the sanity job of a batch, and refusing with what hangs on it. Fetching happens outside any transaction."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from packageurl import PackageURL

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.entries import BatchChecked, CaseRefused
from clearwell.clearinghouse.case.report import Answer, KeptFinding
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.flow.alarming import put_off, raise_alarm
from clearwell.clearinghouse.flow.jobs import CHECK
from clearwell.clearinghouse.flow.joining import reconsider, regroup, settle, stated_version
from clearwell.clearinghouse.flow.sourcing import tree_of
from clearwell.clearinghouse.flow.standing import in_words_of, let_first_speak, move_answer
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.assertion import Sanity
from clearwell.clearinghouse.validation.sanity import CHECKABLE, check_all, is_checkable
from clearwell.clearinghouse.validation.store import SourceArchive
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, PROVING, SANITY, System
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.proving.archives import Registry
from clearwell.proving.contract import Escaped
from clearwell.proving.probe import probe
from clearwell.proving.sandbox import Sandbox
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId
from clearwell.vocabulary.marking import strictest
from clearwell.vocabulary.outside import visible
from clearwell.vocabulary.product import Product

_VERSIONS = 100
"""Versions of packages that are fetched for one batch of up to 1,000 findings."""


def check_batch(house: House, submission: SubmissionId, batch: int) -> None:
    """Check what each finding of a batch cites; refuse what does not exist; queue the proofs of the rest."""
    with house.transaction(SANITY) as tx:
        house.policy.require(SANITY, Act.CHECK, Subject(submission))
        sent = validation_store.source_of_submission(tx, submission)
        components = CHECKABLE if sent is None else "^"
        waiting = [f for f in report_store.findings_to_check(tx, submission, batch, components) if f.answer is not Answer.REFUSED]
    if put_off(house, CHECK.job(submission=submission, batch=batch)):
        return
    try:
        checks = _check_all(house, waiting, sent)
    except Escaped as reason:
        raise_alarm(house, None, str(reason))
        put_off(house, CHECK.job(submission=submission, batch=batch))
        return
    with house.transaction(SANITY) as tx:
        tx.take_turns("component", [finding.component for finding in waiting])
        validation_store.insert_sanity(tx, [(f, checks[f.id]) for f in waiting if f.id in checks], house.clock.now())
        wrong = {f.id: checks[f.id].refusal for f in waiting if f.id in checks and checks[f.id].is_refused}
        refused = refuse_all(house, tx, wrong, SANITY)
        queued = [finding for finding in waiting if finding.has_proof and finding.answer is Answer.NEW]
        proofs = [report_store.proof_of_finding(tx, f.id) for f in queued if report_store.load_finding(tx, f.id).answer is Answer.NEW]
        queue_proofs(tx, [proof for proof in proofs if proof is not None])
        house.write(tx, BatchChecked(submission, batch, refused, len(checks)), by=SANITY)


def refuse(house: House, tx: Transaction, finding_id: FindingId, reason: str, by: System) -> bool:
    """Refuse a finding. When its proof ran and spoke against it, those that sent the very same proof are refused too.

    False if it was answered for good before. What was joined with it is looked at anew: when nothing that stands by itself is left,
    the first of the rest speaks for the case; its own proof is run, or it needs one again. When no finding of the case stands any
    longer, the case is refused.
    """
    return refuse_all(house, tx, {finding_id: reason}, by) > 0


def refuse_all(house: House, tx: Transaction, reasons: Mapping[FindingId, str], by: System) -> int:
    """Refuse findings, each for its reason; what is left of each of their cases is looked at once. Returns how many were open."""
    told: dict[CaseId, list[KeptFinding]] = {}
    for finding_id in reasons:
        finding = report_store.load_finding(tx, finding_id)
        if finding.answer not in {Answer.REFUSED, Answer.REPRODUCED}:
            told.setdefault(finding.case, []).append(finding)
    for case, findings in told.items():
        _refuse_in(house, tx, case, findings, reasons, by)
    return sum(map(len, told.values()))


def _refuse_in(
    house: House, tx: Transaction, case: CaseId, findings: Sequence[KeptFinding], reasons: Mapping[FindingId, str], by: System
) -> None:
    rest = [other for other in report_store.findings_of_case(tx, case, limit=None) if other.answer is not Answer.REFUSED]
    gone: set[FindingId] = set()
    for finding in findings:
        for refused in (finding, *(_same_proof(tx, finding, rest) if by == PROVING else [])):
            if refused.id not in gone:
                move_answer(house, tx, refused, Answer.REFUSED, reasons[finding.id], by)
            gone.add(refused.id)
    rest = [other for other in rest if other.id not in gone]
    kept, reason = store.load_case(tx, case, lock=True), visible(reasons[findings[-1].id])[:500]
    if not rest and kept.case.standing is Standing.UNPROVEN:
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.refuse(house.clock.now(), reason)))
        house.write(tx, CaseRefused(kept.id), by=by)
    elif rest and all(other.answer is Answer.DUPLICATE for other in rest):
        _stand_alone(house, tx, kept, rest, by)
    if rest and kept.case.standing is Standing.UNPROVEN and not _rests_on(kept, rest):
        with tx.acting_as(DEDUPE.scope):
            settle(tx, kept.id, house.clock.now())  # a date, version or label that only a refused report gave is none
    reconsider(house, tx, findings)


def _rests_on(kept: KeptCase, rest: Sequence[KeptFinding]) -> bool:
    """True when a case's date, version and label are those of reports that stand: of thousands alike the first says so."""
    return (
        any(other.received_at <= kept.case.first_received for other in rest)
        and (kept.version is None or any(stated_version([other]) == kept.version for other in rest))
        and any(other.marking is kept.marking for other in rest)
    )


def _stand_alone(house: House, tx: Transaction, kept: KeptCase, rest: list[KeptFinding], by: System) -> None:
    """The first of what is left, one with a proof before others, gives the case its words: those of a refused report say nothing."""
    first = let_first_speak(house, tx, rest, "the report that this one was joined with was refused", by)
    if kept.case.standing is Standing.UNPROVEN:
        marking = strictest(other.marking for other in rest)
        store.save_case(tx, msgspec.structs.replace(in_words_of(kept, first), marking=marking))
    if kept.case.standing is Standing.UNPROVEN and len(rest) > 1:
        regroup(house, tx, kept.id, rest, first)


def _same_proof(tx: Transaction, finding: KeptFinding, others: list[KeptFinding]) -> list[KeptFinding]:
    """Findings that sent the same proof, byte for byte: what it showed holds for them too."""
    own = report_store.proof_of_finding(tx, finding.id)
    if own is None:
        return []
    same = {proof.finding for proof in report_store.proofs_of_case(tx, finding.case) if proof.folder_sha256 == own.folder_sha256}
    return [other for other in others if other.id in same and other.id != finding.id]


@contextlib.contextmanager
def _sandbox(house: House) -> Iterator[Sandbox | None]:
    """A sandbox where there is one: without it symbols and bundles could not be checked, the rest can."""
    if not probe(house.settings.proving_backend).is_usable:
        yield None
        return
    with Sandbox(house.settings.proving_backend) as sandbox:
        yield sandbox


def _check_all(house: House, findings: list[KeptFinding], sent: SourceArchive | None) -> dict[FindingId, Sanity]:
    """Check findings version by version: each archive is opened once, and let go before the next.

    A batch has so many versions fetched at most; what is past that goes on unchecked (never 7).
    """
    versions: dict[Product | None, list[KeptFinding]] = {}
    for finding in findings:
        product = _bare(finding.body.product)
        if sent is not None or (product is not None and is_checkable(product.purl)):
            versions.setdefault(product, []).append(finding)
    checks: dict[FindingId, Sanity] = {}
    if not versions:
        return checks
    registry = Registry()
    try:
        with _sandbox(house) as sandbox:
            read = tree_of(house, sent, sandbox) if sent is not None else None
            for about in list(versions.values())[:_VERSIONS]:
                bodies = [msgspec.structs.replace(finding.body, product=_bare(finding.body.product)) for finding in about]
                found = check_all(bodies, registry, sandbox, read)
                checks.update((finding.id, sanity) for finding, sanity in zip(about, found, strict=True) if sanity.assertions)
        return checks
    finally:
        registry.close()


def _bare(product: Product | None) -> Product | None:
    """A product without what a package URL says beside name and version."""
    if product is None or product.purl is None:
        return product
    purl = PackageURL.from_string(product.purl)._replace(qualifiers={}, subpath=None).to_string()
    return msgspec.structs.replace(product, purl=purl)
