# SPDX-License-Identifier: Apache-2.0
"""Comparing: a scan beside the earlier complete scans of its scope by its tool. What is gone is *not seen since*, never fixed."""

from clearwell.clearinghouse.case import report_store, unseen_store
from clearwell.clearinghouse.case.entries import ScanCompared
from clearwell.clearinghouse.case.report import Submission, SubmissionState
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import SubmissionId


def compare_scan(house: House, submission: SubmissionId) -> None:
    """Compare a scan that was read. Repeated, it changes nothing more.

    A complete one marks what it lacks; every one takes the mark from what it has. One with broken parts marks nothing: what it
    lacks may stand in what could not be read. No answer, no case and no end date moves.
    """
    with house.transaction(INTAKE) as tx:
        house.policy.require(INTAKE, Act.PARSE, Subject(submission))
        scan = report_store.load_submission(tx, submission)
        if scan.state is not SubmissionState.PARSED or scan.scope is None or scan.tool is None:
            return
        tx.take_turns("scope", [f"{scan.organization} {scan.scope}"])
        again = unseen_store.mark_seen_again(tx, scan)
        gone = _mark_gone(tx, scan)
        if scan.complete or again:
            house.write(tx, ScanCompared(scan.id, scan.complete, gone, again), by=INTAKE)


def _mark_gone(tx: Transaction, scan: Submission) -> int:
    """What this scan lacks of earlier ones, and what the next one, were it read sooner, lacks of this."""
    if not scan.complete:
        return 0
    gone = unseen_store.mark_unseen(tx, scan) if not scan.problems else 0
    later = unseen_store.next_complete(tx, scan)
    return gone + (unseen_store.mark_unseen(tx, report_store.load_submission(tx, later)) if later is not None else 0)
