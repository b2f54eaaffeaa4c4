# SPDX-License-Identifier: Apache-2.0
"""Signatures in the database: looked up per batch, stored by COPY. Only dedupe reads this table.

A signature that has been seen ten thousand times is looked up as fast as one seen twice: of all rows with one key, case and version
only the first is a *head*, and only heads are indexed by key. When a finding moves or is refused, a trigger makes heads of what stays
behind (migration 0009).
"""

from collections.abc import Iterable, Sequence

import msgspec

from clearwell.clearinghouse.dedupe.decide import Known
from clearwell.clearinghouse.dedupe.signature import Signature
from clearwell.ground.identity.actor import PROVING
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId


class Stored(msgspec.Struct, frozen=True):
    """A signature to be stored. `version` is the product's; a proven one is always a head."""

    signature: Signature
    finding: FindingId
    submission: SubmissionId
    case: CaseId
    version: str | None
    proven: bool = False
    is_head: bool = True


def known(tx: Transaction, keys: Sequence[bytes], most: int = 200) -> dict[bytes, list[Known]]:
    """The stored signatures with these keys, one for each case and version, at most `most` for each key: proven ones first, then the oldest.

    What is refused is left out before that limit counts, so that no heap of refused reports hides the rest; only a proof that ran
    and did not fire stays known, so that it is not run again.
    """
    rows = tx.rows(
        """
        SELECT k.key, s.finding_id, s.submission_id, s.case_id, s.product_version, s.proven
        FROM (SELECT decode(h, 'hex') AS key FROM unnest(string_to_array(%(keys)s, ',')) AS h) k
        CROSS JOIN LATERAL (
            SELECT x.* FROM clearwell.signature x
            WHERE x.key = k.key AND x.is_head AND (NOT x.is_refused OR (x.kind = 'proof' AND EXISTS (
                SELECT FROM clearwell.answer a WHERE a.finding_id = x.finding_id AND a.answer = 'refused' AND a.by = %(proving)s)))
            ORDER BY x.proven DESC, x.finding_id LIMIT %(most)s) s
        """,
        keys=",".join({key.hex() for key in keys}),  # one text: the driver takes a third of the whole look-up to escape an array of bytes
        most=most,
        proving=PROVING.system,
    )
    found: dict[bytes, list[Known]] = {}
    for row in rows:
        one = Known(row["key"], row["finding_id"], row["submission_id"], row["case_id"], row["product_version"], row["proven"])
        found.setdefault(one.key, []).append(one)
    return found


def insert(tx: Transaction, rows: Iterable[Stored]) -> None:
    """Store signatures."""
    columns = ("key", "kind", "version", "rung", "finding_id", "submission_id", "case_id", "product_version", "proven", "is_head")
    tx.insert_many(
        "clearwell.signature",
        columns,
        (
            (s.key, s.kind, s.version, s.rung, r.finding, r.submission, r.case, r.version, r.proven, r.is_head or r.proven)
            for r in rows
            for s in (r.signature,)
        ),
    )


def let_speak(tx: Transaction, finding: FindingId) -> None:
    """All of a report's signatures bring later ones in: it speaks for its case now, since the one that did was refused."""
    tx.execute("UPDATE clearwell.signature SET is_head = true WHERE finding_id = %(id)s", id=finding)


def keys_of_case(tx: Transaction, case: str) -> tuple[bytes, ...]:
    """Every signature key of a case's findings."""
    rows = tx.rows(
        "SELECT DISTINCT s.key FROM clearwell.signature s JOIN clearwell.finding f ON f.id = s.finding_id WHERE f.case_id = %(case)s",
        case=case,
    )
    return tuple(bytes(row["key"]) for row in rows)


def keys_by_finding(tx: Transaction, findings: Sequence[FindingId]) -> dict[FindingId, list[bytes]]:
    """The signature keys of each of these findings, as they decided (all but `file`)."""
    rows = tx.rows("SELECT finding_id, key FROM clearwell.signature WHERE finding_id = ANY(%(ids)s) AND kind <> 'file'", ids=list(findings))
    found: dict[FindingId, list[bytes]] = {}
    for row in rows:
        found.setdefault(row["finding_id"], []).append(bytes(row["key"]))
    return found
