# SPDX-License-Identifier: Apache-2.0
"""The kill matrix and the relations by fixes in the database."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.dedupe.equivalence import Cell, Decision, Matrix, Relation
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.ids import CaseId, ProofId, RemediationId


class KeptCell(msgspec.Struct, frozen=True):
    """One cell of the kill matrix, as stored, with what its worker signed. One that is not settled waits for its second run."""

    fix: RemediationId
    proof: ProofId
    outcome: Cell
    reason: str
    ran_at: datetime
    worker: str | None = None
    statement: str | None = None
    is_settled: bool = True


class KeptRelation(msgspec.Struct, frozen=True):
    """How a case stands to another by their fixes, as seen from `case`."""

    case: CaseId
    other: CaseId
    relation: Relation
    evidence: tuple[tuple[str, str], ...]
    decided_at: datetime


_MIRRORED = {Relation.SUBSUMES: Relation.SUBSUMED, Relation.SUBSUMED: Relation.SUBSUMES}


def save_cell(tx: Transaction, cell: KeptCell) -> None:
    """Store what a fix did to a proof; a later run takes the place of an earlier one."""
    told = msgspec.structs.asdict(cell)
    told["signed"] = told.pop("statement")
    tx.execute(
        """
        INSERT INTO clearwell.kill (fix_id, proof_id, outcome, reason, ran_at, worker, statement, is_settled)
        VALUES (%(fix)s, %(proof)s, %(outcome)s, %(reason)s, %(ran_at)s, %(worker)s, %(signed)s, %(is_settled)s)
        ON CONFLICT (fix_id, proof_id) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, ran_at = excluded.ran_at,
            worker = excluded.worker, statement = excluded.statement, is_settled = excluded.is_settled
        """,
        **told,
    )


def cells(tx: Transaction, fixes: Sequence[RemediationId], proofs: Sequence[ProofId]) -> tuple[KeptCell, ...]:
    """The stored cells of any of these fixes or any of these proofs."""
    rows = tx.rows(
        """
        SELECT fix_id AS fix, proof_id AS proof, outcome, reason, ran_at, worker, statement, is_settled FROM clearwell.kill
        WHERE fix_id = ANY(%(fixes)s) OR proof_id = ANY(%(proofs)s) ORDER BY fix_id, proof_id LIMIT 500
        """,
        fixes=list(fixes),
        proofs=list(proofs),
    )
    return tuple(msgspec.convert(row, KeptCell) for row in rows)


def matrix_of(kept: Sequence[KeptCell]) -> Matrix:
    """Stored cells as the decision reads them."""
    return {(cell.fix, cell.proof): cell.outcome for cell in kept}


def save_relation(tx: Transaction, one: CaseId, other: CaseId, decision: Decision, now: datetime) -> None:
    """Store how two cases stand to each other, once for the pair."""
    first, second = sorted((one, other))
    relation = decision.relation if first == one else _MIRRORED.get(decision.relation, decision.relation)
    tx.execute(
        """
        INSERT INTO clearwell.fix_relation (case_id, other_id, relation, evidence, decided_at)
        VALUES (%(one)s, %(other)s, %(relation)s, %(evidence)s, %(now)s)
        ON CONFLICT (case_id, other_id) DO UPDATE
        SET relation = excluded.relation, evidence = excluded.evidence, decided_at = excluded.decided_at
        """,
        one=first,
        other=second,
        relation=relation.value,
        evidence=as_json(decision.evidence),
        now=now,
    )


def relations_of(tx: Transaction, case: CaseId) -> tuple[KeptRelation, ...]:
    """How a case stands to others, told from its own side."""
    rows = tx.rows(
        """
        SELECT case_id AS "case", other_id AS other, relation, evidence, decided_at FROM clearwell.fix_relation
        WHERE case_id = %(case)s OR other_id = %(case)s ORDER BY decided_at DESC LIMIT 100
        """,
        case=case,
    )
    kept = [msgspec.convert(row, KeptRelation) for row in rows]
    return tuple(row if row.case == case else _from_the_other_side(row) for row in kept)


def _from_the_other_side(row: KeptRelation) -> KeptRelation:
    return msgspec.structs.replace(row, case=row.other, other=row.case, relation=_MIRRORED.get(row.relation, row.relation))
