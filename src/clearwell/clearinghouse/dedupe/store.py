# SPDX-License-Identifier: Apache-2.0
"""Signatures in the database: looked up per batch, stored by COPY. Only dedupe reads this table."""

from collections.abc import Iterable, Sequence

from clearwell.clearinghouse.dedupe.decide import Known
from clearwell.clearinghouse.dedupe.signature import Signature
from clearwell.ground.identity.actor import PROVING
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import FindingId, SubmissionId


def known(tx: Transaction, keys: Sequence[bytes], most: int = 20) -> dict[bytes, list[Known]]:
    """The stored signatures with these keys, at most `most` for each key: proven ones first, then the oldest.

    What is refused is left out before that limit counts, so that no heap of refused reports hides the rest; only a proof that ran
    and did not fire stays known, so that it is not run again.
    """
    rows = tx.rows(
        """
        SELECT k.key, s.finding_id, s.submission_id, s.product_version, s.proven, f.case_id
        FROM unnest(%(keys)s::bytea[]) AS k(key)
        CROSS JOIN LATERAL (
            SELECT x.* FROM clearwell.signature x JOIN clearwell.finding y ON y.id = x.finding_id
            WHERE x.key = k.key AND (y.answer <> 'refused' OR (x.kind = 'proof' AND EXISTS (
                SELECT FROM clearwell.answer a WHERE a.finding_id = y.id AND a.answer = 'refused' AND a.by = %(proving)s)))
            ORDER BY x.proven DESC, x.finding_id LIMIT %(most)s) s
        JOIN clearwell.finding f ON f.id = s.finding_id
        ORDER BY k.key, s.proven DESC, s.finding_id
        """,
        keys=list(set(keys)),
        most=most,
        proving=PROVING.system,
    )
    found: dict[bytes, list[Known]] = {}
    for row in rows:
        one = Known(bytes(row["key"]), row["finding_id"], row["submission_id"], row["case_id"], row["product_version"], row["proven"])
        found.setdefault(one.key, []).append(one)
    return found


def insert(tx: Transaction, rows: Iterable[tuple[Signature, FindingId, SubmissionId, str | None, bool]]) -> None:
    """Store signatures: (signature, finding, submission, product version, proven)."""
    columns = ("key", "kind", "version", "rung", "finding_id", "submission_id", "product_version", "proven")
    tx.insert_many(
        "clearwell.signature",
        columns,
        ((s.key, s.kind, s.version, s.rung, finding, sub, version, proven) for s, finding, sub, version, proven in rows),
    )


def keys_of_case(tx: Transaction, case: str) -> tuple[bytes, ...]:
    """Every signature key of a case's findings."""
    rows = tx.rows(
        "SELECT DISTINCT s.key FROM clearwell.signature s JOIN clearwell.finding f ON f.id = s.finding_id WHERE f.case_id = %(case)s",
        case=case,
    )
    return tuple(bytes(row["key"]) for row in rows)
