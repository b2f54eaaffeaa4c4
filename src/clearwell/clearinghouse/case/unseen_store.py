# SPDX-License-Identifier: Apache-2.0
"""What later complete scans lack: set by whole scans, within one organization, one scope and one tool. It never closes anything."""

from clearwell.clearinghouse.case.report import Submission
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import SubmissionId

_SEEN = """
EXISTS (SELECT FROM clearwell.finding g WHERE g.submission_id = {scan} AND g.case_id = {case})
OR EXISTS (SELECT FROM clearwell.signature_set x CROSS JOIN LATERAL clearwell.stated_signatures(x.stated) k
           JOIN clearwell.signature_head h ON h.key = k.key
           JOIN clearwell.signature_set y ON y.finding = h.finding AND y.is_proven = h.is_proven
           JOIN clearwell.finding z ON z.id = clearwell.id_of('finding', h.finding)
           WHERE x.finding = clearwell.uuid_of({finding}) AND z.submission_id = {scan} AND z.first_answer <> 'duplicate')
"""
"""A scan has a finding of the same case, or one of the same signature in a case that it opened (where the earlier takes none in)."""

_REFUSED = """
WITH refused AS MATERIALIZED (
    SELECT DISTINCT k.key FROM clearwell.submission r JOIN clearwell.finding z ON z.submission_id = r.id
    JOIN clearwell.signature_set y ON y.finding = clearwell.uuid_of(z.id) CROSS JOIN LATERAL clearwell.stated_signatures(y.stated) k
    WHERE ({scans}) AND z.answer = 'refused' AND z.first_answer <> 'duplicate')
"""
"""The keys of what was refused since in these scans: named it they have, and what is refused has no heads by which to find it."""

_NAMED = """
EXISTS (SELECT FROM clearwell.signature_set x CROSS JOIN LATERAL clearwell.stated_signatures(x.stated) k
        WHERE x.finding = clearwell.uuid_of({finding}) AND k.key IN (SELECT key FROM refused))
"""


def mark_unseen(tx: Transaction, scan: Submission) -> int:
    """Mark the findings of earlier complete scans that this complete one lacks and no later one of its kind has; return how many."""
    later = """
        r.organization_id = %(organization)s AND r.scope = %(scope)s AND r.tool = %(tool)s AND r.state = 'parsed' AND r.received_at > %(at)s
    """
    return tx.execute(
        f"""
        {_REFUSED.format(scans=f"r.id = %(scan)s OR ({later})")}
        INSERT INTO clearwell.unseen (finding_id, organization_id, last_seen_at, missed_by, missed_at)
        SELECT f.id, f.organization_id,
               (SELECT max(seen.received_at) FROM clearwell.finding h JOIN clearwell.submission seen ON seen.id = h.submission_id
                WHERE h.case_id = f.case_id AND seen.organization_id = %(organization)s AND seen.scope = %(scope)s
                AND seen.tool = %(tool)s AND seen.received_at < %(at)s),
               %(scan)s, %(at)s
        FROM clearwell.submission s JOIN clearwell.finding f ON f.submission_id = s.id
        WHERE s.organization_id = %(organization)s AND s.scope = %(scope)s AND s.tool = %(tool)s AND s.complete
        AND s.state = 'parsed' AND s.received_at < %(at)s
        AND NOT ({_SEEN.format(scan="%(scan)s", case="f.case_id", finding="f.id")}) AND NOT {_NAMED.format(finding="f.id")}
        AND NOT EXISTS (
            SELECT FROM clearwell.submission t
            WHERE t.organization_id = %(organization)s AND t.scope = %(scope)s AND t.tool = %(tool)s AND t.state = 'parsed'
            AND t.received_at > %(at)s AND ({_SEEN.format(scan="t.id", case="f.case_id", finding="f.id")}))
        ON CONFLICT (finding_id) DO NOTHING
        """,
        **_named(scan),
    )


def mark_seen_again(tx: Transaction, scan: Submission) -> int:
    """Take the mark away from what this scan has and an earlier one lacked; return how many."""
    return tx.execute(
        f"""
        {_REFUSED.format(scans="r.id = %(scan)s")}
        DELETE FROM clearwell.unseen u USING clearwell.finding f, clearwell.submission s
        WHERE f.id = u.finding_id AND s.id = f.submission_id AND u.organization_id = %(organization)s
        AND s.scope = %(scope)s AND s.tool = %(tool)s AND u.missed_at <= %(at)s
        AND ({_SEEN.format(scan="%(scan)s", case="f.case_id", finding="f.id")} OR {_NAMED.format(finding="f.id")})
        """,
        **_named(scan),
    )


def next_complete(tx: Transaction, scan: Submission) -> SubmissionId | None:
    """The first complete scan of the same kind behind this one that is read already (jobs may overtake one another)."""
    found = tx.value(
        """
        SELECT id FROM clearwell.submission
        WHERE organization_id = %(organization)s AND scope = %(scope)s AND tool = %(tool)s AND complete AND state = 'parsed'
        AND problems = '[]' AND received_at > %(at)s ORDER BY received_at LIMIT 1
        """,
        **_named(scan),
    )
    return SubmissionId(found) if found else None


def _named(scan: Submission) -> dict[str, object]:
    return {
        "organization": scan.organization, "scope": scan.scope, "tool": scan.tool, "scan": scan.id, "at": scan.received_at,
    }  # fmt: skip
