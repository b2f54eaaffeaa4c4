# SPDX-License-Identifier: Apache-2.0
"""Signatures in the database (ADR 25): looked up per batch, stored by one statement for each of two tables. Only dedupe reads them.

`signature_set` has a row for each finding: all that it states, its run (`submission`) and its case. `signature_head` is what is looked up by
key: of all findings with one key, case and version only the first has a row there (a *head*), so a signature that was seen ten thousand
times is looked up as fast as one seen twice. When findings move or are refused, a trigger makes heads of what stays behind.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

import msgspec

from clearwell.clearinghouse.dedupe.decide import Joined, Known, speaks_for_case
from clearwell.clearinghouse.dedupe.signature import PLACES, Kind, Signature
from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import CaseId, FindingId, OrganizationId, SubmissionId, number_of, spell, spell_number

KINDS: dict[Kind, int] = {
    "proof": 1, "external-id": 2, "report": 3, "fingerprint": 4, "order": 5, "call-sites": 6, "crash-lines": 7, "crash": 8, "location": 9,
    "file": 10,
}  # fmt: skip
"""The number that each kind is stored as. A number never changes its meaning."""
_NAMES = {number: kind for kind, number in KINDS.items()}


class Stored(msgspec.Struct, frozen=True):
    """A signature to be stored. `version` is the product's; a proven one is always a head."""

    signature: Signature
    finding: FindingId
    run: SubmissionId
    case: CaseId
    version: str | None
    proven: bool = False
    is_head: bool = True


def known(tx: Transaction, keys: Iterable[bytes], most: int = 200) -> dict[bytes, list[Known]]:
    """The heads with these keys, one for each case and version, at most `most` for each key: proven ones first, then the oldest.

    What is refused has no heads, so that no heap of refused reports hides the rest or is walked through; only a proof that ran and did
    not fire stays known, so that it is not run again.
    """
    found = _heads(tx, keys, most + 1, "")  # few keys have so many that they must be put in order
    flooded = [key for key, others in found.items() if len(others) > most]
    return {**found, **_heads(tx, flooded, most, "ORDER BY x.is_proven DESC, x.finding")} if flooded else found


def _heads(tx: Transaction, keys: Iterable[bytes], most: int, order: str) -> dict[bytes, list[Known]]:
    asked = list(dict.fromkeys(keys))
    rows = tx.rows(
        f"""
        WITH asked AS MATERIALIZED (
            SELECT decode(h, 'hex') AS key, n - 1 AS n FROM unnest(string_to_array(%(keys)s, ',')) WITH ORDINALITY AS told (h, n)
        ), found AS MATERIALIZED (
            SELECT h.finding, h.is_proven, string_agg(a.n::text, ',') AS places
            FROM asked a CROSS JOIN LATERAL (
                SELECT x.finding, x.is_proven FROM clearwell.signature_head x WHERE x.key = a.key {order} LIMIT %(most)s) h
            GROUP BY h.finding, h.is_proven
        )
        SELECT uuid_send(s.finding) || uuid_send(s.submission) || uuid_send(s.in_case) AS ids, s.product_version, s.is_proven, s.stated, places
        FROM found f CROSS JOIN LATERAL (
            SELECT * FROM clearwell.signature_set x WHERE x.finding = f.finding AND x.is_proven = f.is_proven LIMIT 1) s
        """,
        keys=",".join([key.hex() for key in asked]),  # one text: the driver takes long to escape an array of bytes
        most=most,
    )
    found: dict[bytes, list[Known]] = {}
    for row in rows:
        ids, version, proven = row["ids"], row["product_version"], row["is_proven"]
        finding = FindingId(spell_number("finding", int.from_bytes(ids[:16])))
        run = SubmissionId(_spelled("sub", ids[16:32]))
        case = CaseId(spell_number("case", int.from_bytes(ids[32:])))
        bound = {key for _, is_bound, key in _records(row["stated"]) if is_bound} if version is not None else ()
        for place in row["places"].split(","):
            key = asked[int(place)]
            found.setdefault(key, []).append(Known(key, finding, run, case, version if key in bound else None, proven))
    for others in found.values():
        if len(others) > 1:
            others.sort(key=lambda one: (not one.proven, one.finding))
    return found


def stored(
    signatures: Iterable[Signature],
    finding: FindingId,
    run: SubmissionId,
    case: CaseId,
    joined: Joined | None,
    known: dict[bytes, list[Known]],
) -> list[Stored]:
    """The rows of a finding whose case is decided; adds to `known` what the findings behind it in the batch must know.

    One that is no head adds nothing but the place of its run's finding: its key, its case and its version are there already.
    """
    rows = []
    for signature in signatures:
        key, at = signature.key, signature.at
        if at is not None and "\0" in at:
            at = at.replace("\0", "␀")  # no database column takes it
        others = known.get(key)
        told = {other.version for other in others if other.case == case} if others else set()
        speaks = bool(told) or speaks_for_case(signature, joined)
        is_head = speaks and at not in told
        rows.append(Stored(signature, finding, run, case, at, is_head=is_head))
        if is_head or (speaks and signature.kind in PLACES):
            known.setdefault(key, []).append(Known(key, finding, run, case, at, False))
    return rows


def insert(tx: Transaction, rows: Iterable[Stored]) -> None:
    """Store signatures: those of one finding, stated or seen, in one row, and the heads among them in one each."""
    signed: dict[tuple[FindingId, bool], list[Stored]] = {}
    for row in rows:
        signed.setdefault((row.finding, row.proven), []).append(row)
    if not signed:
        return
    of_findings, of_heads = [], []
    for (finding, proven), stated in signed.items():
        first, number, flag = stated[0], _hex(finding), "1" if proven else "0"
        records, version = b"".join([_record(one) for one in stated]).hex(), _version_of(stated)
        told = version.encode().hex() if version is not None else ""
        of_findings.append(f"{number},{_hex(first.run)},{_hex(first.case)},{flag},{told},{records}")
        of_heads += [f"{number},{KINDS[one.signature.kind]},{flag},{one.signature.key.hex()}" for one in stated if one.is_head or proven]
    tx.execute(
        """
        INSERT INTO clearwell.signature_set (finding, submission, in_case, is_proven, product_version, stated)
        SELECT split_part(r, ',', 1)::uuid, split_part(r, ',', 2)::uuid, split_part(r, ',', 3)::uuid, split_part(r, ',', 4)::boolean,
               convert_from(decode(nullif(split_part(r, ',', 5), ''), 'hex'), 'UTF8'), decode(split_part(r, ',', 6), 'hex')
        FROM unnest(string_to_array(%(rows)s, ';')) AS made (r)
        """,
        rows=";".join(of_findings),
    )
    if of_heads:
        tx.execute(
            """
            INSERT INTO clearwell.signature_head (finding, kind, is_proven, key)
            SELECT split_part(r, ',', 1)::uuid, split_part(r, ',', 2)::smallint, split_part(r, ',', 3)::boolean,
                   decode(split_part(r, ',', 4), 'hex')
            FROM unnest(string_to_array(%(rows)s, ';')) AS made (r)
            """,
            rows=";".join(of_heads),
        )


def let_speak(tx: Transaction, finding: FindingId) -> None:
    """All of a report's signatures bring later ones in: it speaks for its case now, since the one that did was refused."""
    tx.execute(
        """
        INSERT INTO clearwell.signature_head (finding, kind, refused, is_proven, key)
        SELECT s.finding, k.kind, s.refused, s.is_proven, k.key
        FROM clearwell.signature_set s CROSS JOIN LATERAL clearwell.stated_signatures(s.stated) k
        WHERE s.finding = %(id)s AND NOT EXISTS (
            SELECT FROM clearwell.signature_head h WHERE h.key = k.key AND h.finding = s.finding AND h.is_proven = s.is_proven)
        """,
        id=UUID(_hex(finding)),
    )


def silence(tx: Transaction, finding: FindingId, keys: Sequence[bytes]) -> None:
    """What a report states by these keys brings no later one in: its own run spoke against it. What the run showed stays."""
    if keys:
        tx.execute(
            "DELETE FROM clearwell.signature_head WHERE key = ANY(%(keys)s) AND finding = %(id)s AND NOT is_proven",
            keys=list(keys),
            id=UUID(_hex(finding)),
        )


def keys_by_finding(tx: Transaction, findings: Sequence[FindingId]) -> dict[FindingId, list[bytes]]:
    """The signature keys of each of these findings, as they decided (all but `file`)."""
    rows = tx.rows(
        "SELECT finding, stated FROM clearwell.signature_set WHERE finding = ANY(%(ids)s)",
        ids=[UUID(_hex(finding)) for finding in findings],
    )
    found: dict[FindingId, list[bytes]] = {}
    for row in rows:
        keys = [key for kind, _, key in _records(row["stated"]) if kind != KINDS["file"]]
        found.setdefault(FindingId(spell("finding", row["finding"])), []).extend(keys)
    return found


class Held(msgspec.Struct, frozen=True):
    """A finding of a submission and what is stored of what it states (nothing: an empty `stated`).

    `heads` are the keys by which it brings later reports in; `organization` scopes an unknown component.
    """

    finding: FindingId
    case: CaseId
    organization: OrganizationId
    is_refused: bool
    body: Finding
    version: str | None
    stated: bytes
    heads: frozenset[bytes]

    @property
    def keys(self) -> tuple[tuple[Kind, bytes], ...]:
        """The kind and the key of each signature."""
        return tuple((_NAMES[kind], key) for kind, _, key in _records(self.stated))

    def states(self, told: Sequence[Signature]) -> bool:
        """True when just this is stored."""
        records = sorted((KINDS[one.kind], one.at is not None, one.key) for one in told)
        return self.version == _at(told) and records == sorted(_records(self.stated))


def held_of(tx: Transaction, submission: SubmissionId) -> tuple[Held, ...]:
    """Every finding of a submission with what is stored of what it states, in the order of its document."""
    rows = tx.rows(
        """
        SELECT f.id AS finding, f.case_id AS "case", f.organization_id AS organization, f.answer = 'refused' AS is_refused, f.body,
               s.product_version AS version, coalesce(s.stated, '') AS stated,
               ARRAY(SELECT h.key FROM clearwell.stated_signatures(s.stated) k JOIN clearwell.signature_head h ON h.key = k.key
                     WHERE h.finding = s.finding AND NOT h.is_proven) AS heads
        FROM clearwell.finding f LEFT JOIN LATERAL (
            SELECT x.finding, x.product_version, x.stated FROM clearwell.signature_set x
            WHERE x.finding = clearwell.uuid_of(f.id) AND NOT x.is_proven LIMIT 1) s ON true
        WHERE f.submission_id = %(submission)s ORDER BY f.position
        """,
        submission=submission,
    )
    return tuple(msgspec.convert(row | {"heads": frozenset(row["heads"])}, Held) for row in rows)


class Resigned(msgspec.Struct, frozen=True):
    """A finding that states something else now: all of it; the keys that are gone; the keys among the new that bring later reports in."""

    finding: FindingId
    told: tuple[Signature, ...]
    gone: frozenset[bytes]
    heads: frozenset[bytes]


def sign_again(tx: Transaction, changed: Sequence[Resigned]) -> None:
    """Replace what these findings state, and the heads among it; what is refused stays refused. Three statements for all."""
    sets, gone, heads = [], [], []
    for one in changed:
        number, version = _hex(one.finding), _at(one.told)
        records = b"".join(_record_of(signature, signature.at) for signature in one.told).hex()
        sets.append(f"{number},{version.encode().hex() if version is not None else ''},{records}")
        gone += [f"{number},{key.hex()}" for key in one.gone]
        heads += [f"{number},{KINDS[signature.kind]},{signature.key.hex()}" for signature in one.told if signature.key in one.heads]
    tx.execute(
        """
        UPDATE clearwell.signature_set s SET stated = decode(split_part(r, ',', 3), 'hex'),
               product_version = convert_from(decode(nullif(split_part(r, ',', 2), ''), 'hex'), 'UTF8')
        FROM unnest(string_to_array(%(rows)s, ';')) AS made (r) WHERE s.finding = split_part(r, ',', 1)::uuid AND NOT s.is_proven
        """,
        rows=";".join(sets),
    )
    tx.execute(
        """
        DELETE FROM clearwell.signature_head h USING unnest(string_to_array(%(rows)s, ';')) AS made (r)
        WHERE h.key = decode(split_part(r, ',', 2), 'hex') AND h.finding = split_part(r, ',', 1)::uuid AND NOT h.is_proven
        """,
        rows=";".join(gone),
    )
    tx.execute(
        """
        INSERT INTO clearwell.signature_head (finding, kind, refused, is_proven, key)
        SELECT s.finding, split_part(r, ',', 2)::smallint, s.refused, false, decode(split_part(r, ',', 3), 'hex')
        FROM unnest(string_to_array(%(rows)s, ';')) AS made (r) JOIN clearwell.signature_set s
          ON s.finding = split_part(r, ',', 1)::uuid AND NOT s.is_proven
        """,
        rows=";".join(heads),
    )


class Far(msgspec.Struct, frozen=True):
    """A finding, or what the run of its proof showed, with its keys as they are stored. `organization` scopes an unknown component."""

    finding: FindingId
    organization: OrganizationId
    body: Finding
    proven: bool
    stated: bytes

    @property
    def keys(self) -> tuple[tuple[Kind, bytes], ...]:
        """The kind and the key of each signature."""
        return tuple((_NAMES[kind], key) for kind, _, key in _records(self.stated))


def brought_near(tx: Transaction) -> FindingId | None:
    """The last finding whose keys got where they lie, None when all have it (ADR 30)."""
    found = tx.value("SELECT after FROM clearwell.nearing")
    return FindingId(found) if found is not None else None


def findings_after(tx: Transaction, after: FindingId, most: int) -> tuple[tuple[Far, ...], FindingId | None]:
    """What is stored of the next findings behind an id, in the order of ids, and the last of them (None: there is no more)."""
    rows = tx.rows(
        """
        SELECT f.id, f.organization_id, f.body, s.is_proven, s.stated,
               EXISTS (SELECT FROM clearwell.run r WHERE r.finding_id = f.id AND r.body->'target'->>'purl' IS NULL) AS nameless
        FROM (SELECT * FROM clearwell.finding WHERE id > %(after)s ORDER BY id LIMIT %(most)s) f
        LEFT JOIN clearwell.signature_set s ON s.finding = clearwell.uuid_of(f.id) ORDER BY f.id
        """,
        after=after,
        most=most,
    )
    far = tuple(
        Far(row["id"], row["organization_id"], _told(row), row["is_proven"], row["stated"]) for row in rows if row["stated"] is not None
    )
    return far, FindingId(rows[-1]["id"]) if rows else None


def _told(row: Row) -> Finding:
    """A finding's report; with no component where its proof was run against none."""
    body = msgspec.convert(row["body"], Finding)
    return msgspec.structs.replace(body, product=None) if row["is_proven"] and row["nameless"] else body


def bring_near(tx: Transaction, moved: Iterable[tuple[Far, dict[bytes, bytes]]], last: FindingId | None) -> None:
    """Write the new keys of these findings, in what they state and in the heads; they were the next ones up to `last`."""
    sets, heads = [], []
    for far, keys in moved:
        if keys:
            number, flag = _hex(far.finding), "1" if far.proven else "0"
            sets.append(f"{number},{flag},{_with_keys(far.stated, keys).hex()}")
            heads += [f"{number},{flag},{old.hex()},{new.hex()}" for old, new in keys.items()]
    tx.execute(
        """
        UPDATE clearwell.signature_set s SET stated = decode(split_part(r, ',', 3), 'hex')
        FROM unnest(string_to_array(%(rows)s, ';')) AS made (r)
        WHERE s.finding = split_part(r, ',', 1)::uuid AND s.is_proven = split_part(r, ',', 2)::boolean
        """,
        rows=";".join(sets),
    )
    tx.execute(
        """
        UPDATE clearwell.signature_head h SET key = decode(split_part(r, ',', 4), 'hex')
        FROM unnest(string_to_array(%(rows)s, ';')) AS made (r)
        WHERE h.key = decode(split_part(r, ',', 3), 'hex') AND h.finding = split_part(r, ',', 1)::uuid
          AND h.is_proven = split_part(r, ',', 2)::boolean
        """,
        rows=";".join(heads),
    )
    if last is not None:
        tx.execute("UPDATE clearwell.nearing SET after = %(last)s", last=last)
    else:
        tx.execute("DELETE FROM clearwell.nearing")


def _with_keys(stated: bytes, keys: Mapping[bytes, bytes]) -> bytes:
    made, at = [], 0
    while at < len(stated):
        end = at + 4 + stated[at + 3]
        key = keys.get(stated[at + 4 : end], stated[at + 4 : end])
        made.append(stated[at : at + 3] + bytes((len(key),)) + key)
        at = end
    return b"".join(made)


def _at(told: Iterable[Signature]) -> str | None:
    """The version that a finding's signatures ask for, as a column takes it."""
    version = next((one.at for one in told if one.at is not None), None)
    return version.replace("\0", "␀") if version is not None else None


def _record(row: Stored) -> bytes:
    return _record_of(row.signature, row.version)


def _record_of(one: Signature, version: str | None) -> bytes:
    return bytes((KINDS[one.kind], one.version, version is not None, len(one.key))) + one.key


def _records(stated: bytes) -> list[tuple[int, bool, bytes]]:
    """Kind, whether it asks for the version, and key of each signature that a row states."""
    found, at = [], 0
    while at < len(stated):
        end = at + 4 + stated[at + 3]
        found.append((stated[at], stated[at + 2] == 1, stated[at + 4 : end]))
        at = end
    return found


@lru_cache(maxsize=4_096)
def _spelled(kind: str, number: bytes) -> str:
    """An id that many rows share: those of one batch are of few submissions."""
    return spell_number(kind, int.from_bytes(number))


@lru_cache(maxsize=4_096)
def _hex(id: str) -> str:
    return f"{number_of(id):032x}"


def _version_of(stated: Sequence[Stored]) -> str | None:
    """The one version that a finding's signatures ask for."""
    versions = {one.version for one in stated if one.version is not None}
    if len(versions) > 1:
        raise ValueError(f"signatures of {stated[0].finding} ask for {len(versions)} versions")
    return versions.pop() if versions else None
