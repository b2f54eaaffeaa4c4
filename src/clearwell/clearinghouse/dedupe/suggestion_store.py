# SPDX-License-Identifier: Apache-2.0
"""The index of rare tokens and the suggestions in the database. The index is dedupe's alone; look-ups are per batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.dedupe.suggestion import MOST_POSTINGS, KeptSuggestion, Place, Posting, SuggestionState
from clearwell.ground.storage.database import Row, Transaction, as_json
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import CaseId, FindingId, OrganizationId, SubmissionId

_SUGGESTION = """
SELECT s.one_case AS one, s.other_case AS other, s.one_finding, s.other_finding, s.score, s.signals, s.version, s.state, s.suggested_at,
       s.decided_by, s.decided_at
FROM clearwell.suggestion s
"""
_LIVE = "c.merged_into IS NULL AND c.standing IN ('unproven', 'proven')"


_SPOKEN = """
SELECT f.id AS finding, f.case_id AS "case", f.organization_id AS organization, f.submission_id AS submission, f.body
FROM clearwell.finding f JOIN clearwell.vulnerability_case c ON c.id = f.case_id
"""
_OPENED = f"""
WITH told AS MATERIALIZED (SELECT t.id, t.case_id FROM clearwell.finding t WHERE {{told}} AND t.answer <> 'refused'),
opened AS MATERIALIZED (
    SELECT DISTINCT t.id FROM told t JOIN clearwell.attachment a ON a.finding_id = t.id AND a.case_id = t.case_id
    WHERE a.rung IS NULL AND a.detached_at IS NULL AND NOT EXISTS (SELECT FROM clearwell.sketched n WHERE n.finding_id = t.id))
{_SPOKEN} JOIN opened o ON o.id = f.id WHERE {_LIVE} ORDER BY f.id
"""
"""Step by step, from the few findings that were told: in one piece, the planner begins with every case that stands."""


class Spoken(msgspec.Struct, frozen=True):
    """A report that speaks for its case, as stored: the words that a sketch is made of."""

    finding: FindingId
    case: CaseId
    organization: OrganizationId
    submission: SubmissionId
    body: Finding
    number: int = 0


# -- the index -------------------------------------------------------------------------------------------------


def unsketched(tx: Transaction, submission: SubmissionId, batch: int) -> tuple[Spoken, ...]:
    """The reports of a batch that opened a case which stands, and are not in the index yet."""
    told = "t.submission_id = %(submission)s AND t.batch = %(batch)s"
    return _spoken(tx.rows(_OPENED.format(told=told), submission=submission, batch=batch))


def unsketched_after(tx: Transaction, after: str, limit: int) -> tuple[tuple[Spoken, ...], str | None]:
    """Such reports among the next `limit` findings behind an id, and the last id that was looked at (None: there is no more)."""
    ids = [row["id"] for row in tx.rows("SELECT id FROM clearwell.finding WHERE id > %(a)s ORDER BY id LIMIT %(n)s", a=after, n=limit)]
    found = _spoken(tx.rows(_OPENED.format(told="t.id = ANY(%(ids)s)"), ids=ids))
    return found, ids[-1] if len(ids) == limit else None


def unsketched_of_case(tx: Transaction, case: CaseId) -> tuple[Spoken, ...]:
    """The report that speaks for a case of which no report is in the index: one with a proof before others, then the first."""
    rows = tx.rows(
        f"""
        {_SPOKEN} WHERE f.case_id = %(case)s AND f.answer <> 'refused' AND {_LIVE}
          AND NOT EXISTS (SELECT FROM clearwell.finding o JOIN clearwell.sketched k ON k.finding_id = o.id
                          WHERE o.case_id = f.case_id AND o.answer <> 'refused')
        ORDER BY f.has_proof DESC, f.received_at, f.id LIMIT 1
        """,
        case=case,
    )
    return _spoken(rows)


_FORGETTING = (
    "DELETE FROM clearwell.sketch_token WHERE token = ANY(ARRAY(SELECT token FROM clearwell.sketch_token ORDER BY token LIMIT %(most)s))",
    "DELETE FROM clearwell.sketched WHERE number = ANY(ARRAY(SELECT number FROM clearwell.sketched ORDER BY number LIMIT %(most)s))",
    """
    UPDATE clearwell.suggestion s SET state = 'withdrawn'
    FROM (SELECT one_case, other_case FROM clearwell.suggestion WHERE state = 'open' LIMIT %(most)s) w
    WHERE s.one_case = w.one_case AND s.other_case = w.other_case
    """,
)
"""Tokens before the reports that have them: a report that is still numbered, but no longer found, is forgotten in its turn."""


def forget(tx: Transaction, most: int) -> bool:
    """Take up to `most` rows out of each part of the index, and of what waits undecided, in that order; True when there may be more."""
    return any(tx.execute(step, most=most) >= most for step in _FORGETTING)


def is_being_emptied(tx: Transaction, job: str) -> bool:
    """Whether a job of this kind is not done yet: what is put into the index now may be taken out again at once."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT FROM procrastinate.procrastinate_jobs WHERE task_name = %(job)s AND status IN ('todo', 'doing'))
            """,
            job=job,
        )
    )


def number_findings(tx: Transaction, findings: Sequence[FindingId], version: int) -> dict[FindingId, int]:
    """Give these reports a place in the index each."""
    rows = tx.rows(
        """
        INSERT INTO clearwell.sketched (finding_id, version) SELECT f, %(version)s FROM unnest(%(findings)s::text[]) AS f
        RETURNING finding_id, number
        """,
        findings=list(findings),
        version=version,
    )
    return {row["finding_id"]: row["number"] for row in rows}


def spoken_by(tx: Transaction, numbers: Iterable[int]) -> tuple[Spoken, ...]:
    """The reports at these places of the index, each with the case that it is in now, where that stands."""
    rows = tx.rows(
        f"""
        SELECT f.id AS finding, f.case_id AS "case", f.organization_id AS organization, f.submission_id AS submission, f.body, k.number
        FROM clearwell.sketched k JOIN clearwell.finding f ON f.id = k.finding_id JOIN clearwell.vulnerability_case c ON c.id = f.case_id
        WHERE k.number = ANY(%(numbers)s) AND f.answer <> 'refused' AND {_LIVE}
        """,
        numbers=sorted(set(numbers)),
    )
    return _spoken(rows)


def cases_at(tx: Transaction, numbers: Iterable[int]) -> tuple[CaseId, ...]:
    """The cases, however they stand, in which the reports at these places of the index are now."""
    rows = tx.rows(
        """
        SELECT DISTINCT f.case_id FROM clearwell.sketched k JOIN clearwell.finding f ON f.id = k.finding_id
        WHERE k.number = ANY(%(numbers)s) AND f.answer <> 'refused' ORDER BY f.case_id
        """,
        numbers=sorted(set(numbers)),
    )
    return tuple(row["case_id"] for row in rows)


def postings(tx: Transaction, tokens: Iterable[int]) -> dict[int, Posting]:
    """What is stored of these tokens."""
    rows = tx.rows("SELECT token, seen, numbers FROM clearwell.sketch_token WHERE token = ANY(%(tokens)s)", tokens=sorted(set(tokens)))
    return {row["token"]: Posting(row["seen"], tuple(row["numbers"])) for row in rows}


def add_postings(tx: Transaction, added: Mapping[int, Sequence[int]]) -> None:
    """Add reports to tokens; in one order, so that two batches never wait for each other in a circle."""
    rows = ((token, len(numbers), list(numbers) if len(numbers) <= MOST_POSTINGS else []) for token, numbers in sorted(added.items()))
    tx.insert_many(
        "clearwell.sketch_token",
        ("token", "seen", "numbers"),
        rows,
        f"""
        ON CONFLICT (token) DO UPDATE SET seen = sketch_token.seen + excluded.seen,
            numbers = CASE WHEN sketch_token.seen + excluded.seen > {MOST_POSTINGS} THEN ARRAY[]::integer[] ELSE sketch_token.numbers || excluded.numbers END
        """,
    )


# -- suggestions -----------------------------------------------------------------------------------------------


def save(tx: Transaction, made: Iterable[KeptSuggestion]) -> int:
    """Store suggestions. What a person decided stays; what waits takes the newer score where it is higher. Returns how many were stored."""
    columns = ("one_case", "other_case", "one_finding", "other_finding", "score", "signals", "version", "state", "suggested_at")
    rows = (
        (s.one, s.other, s.one_finding, s.other_finding, s.score, as_json(s.signals), s.version, s.state.value, s.suggested_at)
        for s in made
    )
    return tx.insert_many(
        "clearwell.suggestion",
        columns,
        rows,
        """
        ON CONFLICT (one_case, other_case) DO UPDATE
        SET one_finding = excluded.one_finding, other_finding = excluded.other_finding, score = excluded.score, signals = excluded.signals,
            version = excluded.version, state = 'open', suggested_at = excluded.suggested_at
        WHERE suggestion.state = 'withdrawn'
           OR (suggestion.state = 'open' AND (suggestion.version <> excluded.version OR excluded.score > suggestion.score))
        """,
    )


def load(tx: Transaction, one: CaseId, other: CaseId) -> KeptSuggestion:
    """One suggestion, whichever of its cases is named first; raise NotFound."""
    first, second = sorted((one, other))
    row = tx.row(f"{_SUGGESTION} WHERE s.one_case = %(one)s AND s.other_case = %(other)s", one=first, other=second)
    if row is None:
        raise NotFound("there is no such suggestion, or none that you may see")
    return _suggestion(row)


def waiting(tx: Transaction, after: Place | None, limit: int) -> tuple[KeptSuggestion, ...]:
    """What waits for a person, the likeliest first: both cases stand, by themselves."""
    rows = tx.rows(
        f"""
        {_SUGGESTION}
        WHERE s.state IN ('open', 'undone')
          AND (%(score)s::float8 IS NULL OR s.score < %(score)s OR (s.score = %(score)s AND (s.one_case, s.other_case) > (%(one)s, %(other)s)))
          AND EXISTS (SELECT FROM clearwell.vulnerability_case c WHERE c.id = s.one_case AND {_LIVE})
          AND EXISTS (SELECT FROM clearwell.vulnerability_case c WHERE c.id = s.other_case AND {_LIVE})
        ORDER BY s.score DESC, s.one_case, s.other_case LIMIT %(limit)s
        """,
        score=after.score if after else None,
        one=after.one if after else None,
        other=after.other if after else None,
        limit=limit,
    )
    return tuple(map(_suggestion, rows))


def decided(tx: Transaction, limit: int) -> tuple[KeptSuggestion, ...]:
    """What people decided last, the newest first."""
    rows = tx.rows(
        f"{_SUGGESTION} WHERE s.decided_at IS NOT NULL AND s.state IN ('accepted', 'different') ORDER BY s.decided_at DESC LIMIT %(limit)s",
        limit=limit,
    )
    return tuple(map(_suggestion, rows))


def settle(tx: Transaction, one: CaseId, other: CaseId, state: SuggestionState, by: str, now: datetime) -> None:
    """Say what became of the suggestion of two cases, where there is one. "different" stays for ever."""
    first, second = sorted((one, other))
    tx.execute(
        """
        UPDATE clearwell.suggestion SET state = %(state)s, decided_by = %(by)s, decided_at = %(now)s
        WHERE one_case = %(one)s AND other_case = %(other)s AND state <> 'different'
        """,
        one=first,
        other=second,
        state=state.value,
        by=by,
        now=now,
    )


def _spoken(rows: Iterable[Row]) -> tuple[Spoken, ...]:
    return tuple(msgspec.convert(row, Spoken) for row in rows)


def _suggestion(row: Row) -> KeptSuggestion:
    return msgspec.convert(row, KeptSuggestion)
