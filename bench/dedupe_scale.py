# SPDX-License-Identifier: Apache-2.0
"""Dedupe at scale, as the issue "Dedupe" asks: index and decide on one core at 300,000, 1 M and 3 M stored findings, and what they take.

The signatures' table alone, in the hub's own embedded PostgreSQL and as its restricted role, by the very functions that intake calls,
in its batches. The findings are made (random keys, four signatures each as a scanner's have, half of them reported before); cases
are not loaded: each known finding's case is taken as unproven. Fetching and sealing documents is the section `intake`.
"""

import hashlib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from clearwell.clearinghouse.dedupe.signature import VERSIONS, Signature
from clearwell.ground.storage.embedded import EmbeddedServer
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell
from hub import Figure

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "300000,1000000,3000000").split(","))
BATCH, WINDOW, SINGLES = 1_000, 50_000, 2_000
LEAST_RATE, LEAST_RATIO, MOST_BYTES, MOST_MS = 15_000, 0.8, 600, 20
TABLES = ("clearwell.signature_set", "clearwell.signature_head")
Made = tuple[FindingId, CaseId, tuple[Signature, ...]]
"""A finding's id, the case that it opens unless it joins another, its signatures."""
KINDS = (("L0", "report"), ("L1", "fingerprint"), ("L1", "order"), ("L1", "location"))
_FILL = """
DROP INDEX clearwell.signature_head_key;
CREATE TEMPORARY TABLE made AS
SELECT n, CASE mod(n, 2) WHEN 0 THEN %(distinct)s + (n - %(first)s) / 2 + 1
          ELSE 1 + floor(random() * (%(distinct)s + (n - %(first)s) / 2 + 1))::bigint END AS d
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n;
INSERT INTO clearwell.signature_set (finding, submission, in_case, stated)
SELECT pg_temp.uuid_at(n), pg_temp.uuid_at(n / 1000), pg_temp.uuid_at(d),
       '\\x03010010'::bytea || decode(md5(d || ':report'), 'hex') || '\\x04010010'::bytea || decode(md5(d || ':fingerprint'), 'hex')
       || '\\x05010010'::bytea || decode(md5(d || ':order'), 'hex') || '\\x09010010'::bytea || decode(md5(d || ':location'), 'hex')
FROM made;
INSERT INTO clearwell.signature_head (finding, kind, key)
SELECT pg_temp.uuid_at(n), k.number, decode(md5(d || ':' || k.kind), 'hex')
FROM made CROSS JOIN (VALUES (3, 'report'), (4, 'fingerprint'), (5, 'order'), (9, 'location')) k (number, kind) WHERE mod(n, 2) = 0;
DROP TABLE made;
CREATE INDEX signature_head_key ON clearwell.signature_head USING hash (key);
"""
_UUID_AT = """
CREATE FUNCTION pg_temp.uuid_at(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql RETURN
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
"""


def measure_scale(folder: Path) -> list[Figure]:
    """Fill the table up to 50,000 findings before each size, index and decide those, then look up one finding at a time."""
    from clearwell import app
    from clearwell.ground.identity.actor import INTAKE
    from clearwell.ground.settings import Settings

    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(everything)})  # Python and the database's processes share one core
    try:
        settings, _ = app.settings_now({"CLEARWELL_DATA_DIR": str(folder)})
        assert isinstance(settings, Settings)
        with app.database_server(settings) as (url, owner):
            app.bring_forward(owner or url)
            with app.open_house(settings) as house:
                scale = Scale(house.database, INTAKE.scope, EmbeddedServer(folder), owner or url)
                figures = [figure for size in SIZES for figure in scale.grow_to(size)]
                return [*figures, scale.ratio(), *scale.sizes(owner or url), scale.one_by_one()]
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, everything)


class Scale:
    """The table as it grows."""

    def __init__(self, database, scope, server: EmbeddedServer, owner: str) -> None:  # type: ignore[no-untyped-def]
        self._database, self._scope, self._server, self._owner = database, scope, server, owner
        self._postmaster = int((server.cluster / "postmaster.pid").read_text().split()[0])
        self._random = random.Random(4)
        self.stored, self.distinct, self.rates = 0, 0, []
        self._cases = AllUnproven()

    def grow_to(self, size: int) -> list[Figure]:
        """Index and decide until so many findings are stored; the rates are those of the last 50,000."""
        self._fill(size - WINDOW - self.stored)
        batches = [self._made(self.stored + start) for start in range(0, size - self.stored, BATCH)]
        cpu, begin = self._processor_seconds(), time.perf_counter()
        for made in batches:
            self._decide_and_index(made)
        spent, busy = time.perf_counter() - begin, self._processor_seconds() - cpu
        counted = len(batches) * BATCH
        self.rates.append(counted / busy)
        said = f"dedupe: index and decide, {size:,} stored"
        return [
            Figure(f"{said}, a second of one core's time", self.rates[-1], "findings", LEAST_RATE, at_most=False),
            Figure(f"{said}, by the clock on one core that others used too", counted / spent, "findings/s"),
        ]

    def _processor_seconds(self) -> float:
        """What this process and all of the database's have used of a processor so far."""
        ticks = 0
        for place in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = place.read_text().rsplit(")", 1)[1].split()
                if int(place.parent.name) == self._postmaster:
                    ticks += sum(map(int, fields[11:15]))  # with those of its processes that have ended
                elif int(fields[1]) == self._postmaster:
                    ticks += sum(map(int, fields[11:13]))
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    def ratio(self) -> Figure:
        """The slowest size against the fastest."""
        kept = min(self.rates) / max(self.rates)
        return Figure("dedupe: slowest of these rates against the fastest", kept, "of the rate", LEAST_RATIO, at_most=False)

    def one_by_one(self) -> Figure:
        """One finding at a time, in a transaction of its own: look up and decide."""
        from clearwell.clearinghouse.dedupe import store

        taken = []
        for number in islice(self._findings(), SINGLES):
            signatures = signatures_of(number)
            begin = time.perf_counter()
            with self._database.transaction(self._scope) as tx:
                self._decide(signatures, store.known(tx, [one.key for one in signatures]))
            taken.append((time.perf_counter() - begin) * 1000)
        return Figure(f"dedupe: one finding's decision at {self.stored:,}, p99", sorted(taken)[int(0.99 * SINGLES)], "ms", MOST_MS)

    def sizes(self, url: str) -> list[Figure]:
        """What the table and its indexes take for a finding, in all and by rung (rows of one rung are as large as the other's)."""
        import psycopg

        with psycopg.connect(url) as connection:
            rows = connection.execute(
                """
                SELECT c.oid::regclass::text, pg_table_size(c.oid) FROM pg_class c
                WHERE c.oid = ANY(%(tables)s::regclass[])
                   OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY(%(tables)s::regclass[]))
                """,
                {"tables": list(TABLES)},
            ).fetchall()
        parts = dict(rows)
        each = sum(parts.values()) / self.stored
        told = ", ".join(f"{name.removeprefix('clearwell.')} {size / self.stored:.0f}" for name, size in sorted(parts.items()))
        rungs = Counter(rung for rung, _ in KINDS)
        of_rungs = [
            Figure(f"dedupe: of these rung {rung}", each * count / len(KINDS), "bytes a finding") for rung, count in sorted(rungs.items())
        ]
        return [Figure("dedupe: signatures with their indexes, all rungs", each, "bytes a finding", MOST_BYTES, peer=told), *of_rungs]

    def _findings(self) -> Iterator[int]:
        """Half are new, half were reported before, by anybody at any time."""
        while True:
            if self.distinct and self._random.random() < 0.5:
                yield self._random.randint(1, self.distinct)
            else:
                self.distinct += 1
                yield self.distinct

    def _fill(self, count: int) -> None:
        """Store so many findings by the owner, in few statements: half new, half reported before, as `_findings` makes them.

        The same rows as the hub's, but not by its code: the keys' index is taken off meanwhile and built again. What the server owes for
        that (rows to vacuum, pages to write) is paid before anything is measured.
        """
        import psycopg

        if count <= 0:
            return
        with psycopg.connect(self._owner, autocommit=True) as connection:
            connection.execute(_UUID_AT)
            connection.execute("SET maintenance_work_mem = '256MB'")
            for table in TABLES:
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            for statement in _FILL.split(";")[:-1]:
                connection.execute(statement, {"first": self.stored, "last": self.stored + count - 1, "distinct": self.distinct})
            for table in TABLES:
                connection.execute(f"VACUUM ANALYZE {table}")
                connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
        self._server.administer("CHECKPOINT")
        self.stored += count
        self.distinct += count - count // 2

    def _made(self, first: int) -> list[Made]:
        """A batch as intake has it before it decides: ids are minted, signatures made."""
        return [
            (FindingId(id_at("finding", first + offset)), CaseId(id_at("case", number)), signatures_of(number))
            for offset, number in enumerate(islice(self._findings(), BATCH))
        ]

    def _decide_and_index(self, made: list[Made]) -> None:
        from clearwell.clearinghouse.dedupe import store

        submission = SubmissionId(id_at("sub", self.stored // BATCH))
        with self._database.transaction(self._scope) as tx:
            known = store.known(tx, [one.key for _, _, signatures in made for one in signatures])
            rows = []
            for finding, own_case, signatures in made:
                joined = self._decide(signatures, known, submission)
                rows += store.stored(signatures, finding, submission, joined.case if joined else own_case, joined, known)
            store.insert(tx, rows)
        self.stored += len(made)

    def _decide(self, signatures, known, submission: str = ""):  # type: ignore[no-untyped-def]
        from clearwell.clearinghouse.dedupe.decide import decide

        if not any(one.key in known for one in signatures):
            return None
        return decide(signatures, submission, None, False, known, self._cases)


class AllUnproven(Mapping):  # type: ignore[type-arg]
    """Every case that is asked for, unproven."""

    def __init__(self) -> None:
        from clearwell.clearinghouse.case.case import open_case
        from clearwell.clearinghouse.case.embargo import Terms, default_embargo
        from clearwell.clearinghouse.case.store import KeptCase
        from clearwell.vocabulary.marking import Marking

        now = datetime(2026, 11, 2, tzinfo=UTC)
        case = open_case("case_bench", "pkg:generic/bench", "made", (), now, now)
        terms = Terms(ends_at=case.ends_at, proposed_by="part_bench", proposed_at=now)
        self._one = KeptCase(case=case, marking=Marking.AMBER, embargo=default_embargo(terms, ("part_bench",)))

    def __getitem__(self, case: str) -> object:
        return self._one

    def get(self, case: str, default: object = None) -> object:
        return self._one

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(())


def id_at(kind: str, number: int) -> str:
    """An id that is as good as another."""
    return spell(kind, UUID(int=0x01900000_0000_7000_8000_000000000000 + number))


def signatures_of(number: int) -> tuple[Signature, ...]:
    """Four signatures as a scanner's finding has them; the same number, the same finding."""
    return tuple(
        Signature(rung, kind, VERSIONS[kind], hashlib.md5(f"{number}:{kind}".encode()).digest(), None, rung == "L0", (kind, "made"))
        for rung, kind in KINDS
    )
