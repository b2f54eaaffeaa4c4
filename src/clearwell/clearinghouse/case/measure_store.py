# SPDX-License-Identifier: Apache-2.0
"""Measuring queries: counts of each stage under the viewer's own rows, and times from ledger entries."""

from datetime import datetime

import msgspec

from clearwell.clearinghouse.case.scorecard import Score
from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.ids import OrganizationId

_STAGES = (
    ("intake", "reports received", "SELECT 1 FROM clearwell.submission"),
    ("sanity", "findings refused", "SELECT 1 FROM clearwell.finding WHERE answer = 'refused'"),
    ("dedupe", "findings that are duplicates", "SELECT 1 FROM clearwell.finding WHERE answer = 'duplicate'"),
    ("validation", "findings reproduced", "SELECT 1 FROM clearwell.finding WHERE answer = 'reproduced'"),
    ("prioritization", "actions ranked", "SELECT 1 FROM clearwell.action WHERE receipt <> 'installed'"),
    ("case", "cases open", "SELECT 1 FROM clearwell.vulnerability_case WHERE merged_into IS NULL AND standing IN ('unproven', 'proven')"),
    ("remediation", "fixes verified", "SELECT 1 FROM clearwell.fix WHERE state = 'verified'"),
    ("distribution", "advisories published", "SELECT 1 FROM clearwell.advisory"),
    ("tempo", "fixes installed", "SELECT 1 FROM clearwell.action WHERE receipt = 'installed'"),
)


def stage_counts(tx: Transaction, cap: int) -> tuple[tuple[str, str, int], ...]:
    """(stage, what is counted, count up to `cap`) for each stage, within the rows that the transaction may see."""
    return tuple(
        (name, what, int(tx.value(f"SELECT count(*) FROM ({query} LIMIT %(cap)s) counted", cap=cap))) for name, what, query in _STAGES
    )


def waiting_for_people(tx: Transaction, now: datetime) -> int:
    """Open proposals and appeals that the transaction may see."""
    return int(
        tx.value(
            """
            SELECT (SELECT count(*) FROM clearwell.proposal WHERE confirmed_at IS NULL AND withdrawn_at IS NULL AND expires_at > %(now)s)
                 + (SELECT count(*) FROM clearwell.appeal WHERE decided_at IS NULL)
            """,
            now=now,
        )
    )


def scores(tx: Transaction, organization: OrganizationId, submissions: int, findings: int) -> tuple[Score, ...]:
    """What became of an organization's newest findings, by tool and model, the most findings first."""
    rows = tx.rows(
        """
        SELECT tool, model, count(*) AS sent, count(*) FILTER (WHERE answer = 'new') AS new,
               count(*) FILTER (WHERE answer = 'needs_proof') AS needs_proof, count(*) FILTER (WHERE answer = 'duplicate') AS duplicate,
               count(*) FILTER (WHERE answer = 'refused') AS refused, count(*) FILTER (WHERE answer = 'reproduced') AS reproduced
        FROM (SELECT f.body #>> '{origin,tool}' AS tool, f.body #>> '{origin,model}' AS model, f.answer
              FROM (SELECT id FROM clearwell.submission WHERE organization_id = %(organization)s ORDER BY id DESC LIMIT %(submissions)s) s
              JOIN clearwell.finding f ON f.submission_id = s.id
              ORDER BY f.submission_id DESC, f.position LIMIT %(findings)s) newest
        GROUP BY tool, model ORDER BY sent DESC, tool, model LIMIT 200
        """,
        organization=organization,
        submissions=submissions,
        findings=findings,
    )
    return tuple(msgspec.convert(row, Score) for row in rows)


def case_times(tx: Transaction, limit: int) -> tuple[Row, ...]:
    """For each proven case, newest first: when it was reported, proven, fixed and published, by the entries that name it."""
    return tx.rows(
        """
        SELECT c.id AS "case", min(s.written_at) AS reported,
               (SELECT min(written_at) FROM clearwell.ledger_entry e WHERE e.about = c.id AND e.type = 'proof.validated'
                  AND convert_from(e.body, 'UTF8')::jsonb #>> '{payload,verdict}' = 'reproduced') AS proven,
               (SELECT min(written_at) FROM clearwell.ledger_entry e WHERE e.about = c.id AND e.type = 'fix.verified'
                  AND (convert_from(e.body, 'UTF8')::jsonb #> '{payload,verified}')::boolean) AS fixed,
               (SELECT min(written_at) FROM clearwell.ledger_entry e WHERE e.about = c.id AND e.type = 'advisory.published') AS published
        FROM clearwell.vulnerability_case c
        JOIN clearwell.finding f ON f.case_id = c.id
        JOIN clearwell.ledger_entry s ON s.about = f.submission_id AND s.type = 'submission.received'
        WHERE c.proven_at IS NOT NULL AND c.merged_into IS NULL
        GROUP BY c.id ORDER BY c.id DESC LIMIT %(limit)s
        """,
        limit=limit,
    )


def entries_with_my_salts(tx: Transaction, kind: str) -> tuple[Row, ...]:
    """Entries of a kind to which the reader holds salts: `id`, `body`, `field`, `salt`."""
    return tx.rows(
        """
        SELECT e.id, e.body, s.field, s.salt FROM clearwell.ledger_salt s JOIN clearwell.ledger_entry e ON e.id = s.entry_id
        WHERE e.type = %(kind)s ORDER BY e.id LIMIT 20000
        """,
        kind=kind,
    )
