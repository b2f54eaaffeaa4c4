# SPDX-License-Identifier: Apache-2.0
"""Minimizing: the originator says that an omission hides nothing private; the projection is computed anew from the sealed bytes."""

from collections.abc import Sequence

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import FalseHitMarked, ProjectionRenewed, SubmissionRead
from clearwell.clearinghouse.case.report import KeptFinding, Submission, SubmissionState
from clearwell.clearinghouse.flow.answering import read_sent, with_origin
from clearwell.clearinghouse.flow.jobs import MINIMIZE
from clearwell.clearinghouse.intake import false_hit_store
from clearwell.clearinghouse.intake.batch import title_of
from clearwell.clearinghouse.intake.minimization import minimize, words_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, Member
from clearwell.ground.jobs.queue import defer
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import FindingId, SubmissionId

_PAGE = 1_000


def mark_false_hit(house: House, actor: Member, finding_id: FindingId, number: int) -> None:
    """Say that omission `number` of a finding hides nothing private: the same words are shown in the whole report from then on.

    Only the report's originator may. Raises NotFound when there is no such omission, Conflict when it was said before.
    """
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.MARK_FALSE_HIT, Subject(finding.id, organization=finding.organization))
        omission = next((one for one in finding.body.left_out if one.number == number), None)
        if omission is None:
            raise NotFound(f"this finding has no omission {number}; `left_out` lists them")
        if omission.is_false or not false_hit_store.insert_false_hit(tx, finding, number, actor.person, house.clock.now()):
            raise Conflict(f"omission {number} of this finding is shown already, or will be at once")
        house.write(tx, FalseHitMarked(finding.id, number, omission.kind), by=actor)
        defer(tx, [MINIMIZE.job(submission=finding.submission)])


def minimize_again(house: House, submission: SubmissionId) -> None:
    """Compute the projections of a submission anew from its sealed bytes, with what its originator said. Signatures stay as they were."""
    with house.transaction(INTAKE) as tx:
        house.policy.require(INTAKE, Act.PARSE, Subject(submission))
        sent = report_store.load_submission(tx, submission)
        said = false_hit_store.false_hits(tx, submission)
        if sent.state is not SubmissionState.PARSED or not said:
            return
        house.write(tx, SubmissionRead(sent.id, "to be minimized anew"), by=INTAKE)
    with house.transaction(INTAKE) as tx:
        raw = b"".join(house.blobs.open(tx, sent.id, sent.address))
    findings = [with_origin(finding, sent.origin) for finding in read_sent(sent, raw).findings]
    words = frozenset(
        word for position, numbers in said.items() if position < len(findings) for word in words_of(findings[position], numbers)
    )
    after, renewed = -1, 0
    while True:
        after, count = _renew_page(house, sent, findings, words, after)
        renewed += count
        if after < 0:
            break
    with house.transaction(INTAKE) as tx:
        house.write(tx, ProjectionRenewed(sent.id, renewed), by=INTAKE)


def _renew_page(house: House, sent: Submission, findings: Sequence[Finding], words: frozenset[str], after: int) -> tuple[int, int]:
    """Renew a page of findings; return the last position (-1 at the end) and how many changed."""
    renewed = 0
    with house.transaction(INTAKE) as tx:
        page = report_store.findings_page(tx, sent.id, after, _PAGE)
        for kept in page:
            if kept.body.left_out and kept.position < len(findings):
                changed = _renewed(kept, findings[kept.position], words)
                if changed != kept:
                    false_hit_store.save_projection(tx, changed)
                    _retitle(house, tx, kept, changed)
                    renewed += 1
    return (page[-1].position if len(page) == _PAGE else -1), renewed


def _renewed(kept: KeptFinding, finding: Finding, words: frozenset[str]) -> KeptFinding:
    shown = msgspec.structs.replace(minimize(finding, words), proof=None)
    return msgspec.structs.replace(kept, title=title_of(shown), body=shown)


def _retitle(house: House, tx: Transaction, before: KeptFinding, after: KeptFinding) -> None:
    """A case that bears the finding's title bears the new one."""
    if before.title != after.title:
        kept = store.load_case(tx, before.case, lock=True)
        if kept.case.title == before.title:
            store.save_case(tx, msgspec.structs.replace(kept, case=msgspec.structs.replace(kept.case, title=after.title)))
