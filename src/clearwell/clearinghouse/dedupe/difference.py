# SPDX-License-Identifier: Apache-2.0
"""Differences: pairs of cases that a person found not to be one. Remembered for ever; a case that took others in inherits theirs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from clearwell.ground.storage.bulk import array_of
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import CaseId

Kind = Literal["different", "split"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that two cases are not one. "different" binds everybody, "split" (taken out again) every machine."""

    one: CaseId
    other: CaseId
    kind: Kind
    reason: str
    decided_by: str
    decided_at: datetime


class Apart:
    """The pairs, among some cases, that must not be joined."""

    def __init__(self, pairs: Iterable[tuple[CaseId, CaseId]] = ()) -> None:
        self._pairs = {frozenset(pair) for pair in pairs}

    def keeps(self, one: CaseId, other: CaseId) -> bool:
        """True when these two must stay apart."""
        return one != other and frozenset((one, other)) in self._pairs

    def divides(self, cases: Iterable[CaseId]) -> bool:
        """True when two of these cases must stay apart."""
        found = set(cases)
        return any(pair <= found for pair in self._pairs if len(pair) > 1)


def apart_among(tx: Transaction, cases: Iterable[CaseId], kinds: tuple[Kind, ...] = ("different", "split")) -> Apart:
    """Which of these cases must stay apart, one look-up for all; what holds for a case holds for the one that took it in."""
    rows = tx.rows(
        """
        WITH RECURSIVE inside AS (
            SELECT top, top AS id FROM unnest(%(cases)s::text[]) AS given(top) WHERE EXISTS (SELECT FROM clearwell.difference)
            UNION ALL SELECT i.top, c.id FROM inside i CROSS JOIN LATERAL (
                SELECT m.id FROM clearwell.vulnerability_case m WHERE m.merged_into IS NOT NULL AND m.merged_into = i.id OFFSET 0) c)
        SELECT DISTINCT a.top AS one, b.top AS other
        FROM inside a JOIN clearwell.difference d ON d.one_case = a.id AND d.kind = ANY(%(kinds)s) JOIN inside b ON b.id = d.other_case
        """,
        cases=array_of(sorted(set(cases))),
        kinds=list(kinds),
    )
    return Apart((row["one"], row["other"]) for row in rows)


def remember(tx: Transaction, difference: Difference) -> None:
    """Store a difference. One that is stored stays as it was, but "different" is stronger than "split"."""
    one, other = sorted((difference.one, difference.other))
    tx.execute(
        """
        INSERT INTO clearwell.difference (one_case, other_case, kind, reason, decided_by, decided_at)
        VALUES (%(one)s, %(other)s, %(kind)s, %(reason)s, %(by)s, %(at)s)
        ON CONFLICT (one_case, other_case) DO UPDATE
        SET kind = excluded.kind, reason = excluded.reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at
        WHERE difference.kind = 'split'
        """,
        one=one,
        other=other,
        kind=difference.kind,
        reason=difference.reason,
        by=difference.decided_by,
        at=difference.decided_at,
    )


def inherit(tx: Transaction, left: CaseId, target: CaseId, since: datetime) -> None:
    """What a person said of a case while a report was in it holds for the report that leaves it: it binds machines (kind "split").

    A person saw that report too when they said it; but it may be the one that was in the wrong case, so a person may join it after all.
    """
    tx.execute(
        """
        INSERT INTO clearwell.difference (one_case, other_case, kind, reason, decided_by, decided_at)
        SELECT least(%(target)s, o.other), greatest(%(target)s, o.other), 'split', o.reason, o.decided_by, o.decided_at
        FROM (SELECT CASE d.one_case WHEN %(left)s THEN d.other_case ELSE d.one_case END AS other, d.reason, d.decided_by, d.decided_at
              FROM clearwell.difference d
              WHERE (d.one_case = %(left)s OR d.other_case = %(left)s) AND d.decided_at >= %(since)s) o
        WHERE o.other <> %(target)s
        ON CONFLICT (one_case, other_case) DO NOTHING
        """,
        left=left,
        target=target,
        since=since,
    )


def differences_of(tx: Transaction, case: CaseId) -> tuple[Difference, ...]:
    """What people found a case not to be, the newest first."""
    rows = tx.rows(
        """
        SELECT one_case AS one, other_case AS other, kind, reason, decided_by, decided_at FROM clearwell.difference
        WHERE one_case = %(case)s OR other_case = %(case)s ORDER BY decided_at DESC LIMIT 500
        """,
        case=case,
    )
    return tuple(msgspec.convert(row, Difference) for row in rows)
