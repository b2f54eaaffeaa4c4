# SPDX-License-Identifier: Apache-2.0
"""Dedupe at scale, as the issue "Dedupe" asks: index and decide on one core at 300,000, 1 M and 3 M stored findings, and what they take.

The signatures' tables alone, in the hub's own embedded PostgreSQL and as its restricted role, by the very functions that intake calls,
in its batches. The findings are made: four signatures each as a scanner's have, half of them reported before. Cases are not loaded:
each known finding's case is taken as unproven. Fetching and sealing documents is the section `intake`.

Findings come in visits of one component each: a third of them 1,000 at once, a third 200, a third 8. One visit in five is of a new
component, the others go where an earlier one went, taken at random: few components have very many findings, many have some. A batch
has visits of one size, so one component, five or 125. Beside it the hardest that could come: a batch whose every finding is of
another component.
"""

import hashlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from clearwell.clearinghouse.dedupe.signature import VERSIONS, Signature, near
from clearwell.ground.storage.embedded import EmbeddedServer
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell
from hub import Figure

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "300000,1000000,3000000").split(","))
BATCH, WINDOW, SINGLES = 1_000, 50_000, 2_000
LEAST_RATE, LEAST_RATIO, MOST_BYTES, MOST_MS = 15_000, 0.8, 600, 20
TABLES = ("clearwell.signature_set", "clearwell.signature_head")
Flaw = tuple[int, int]
"""Its component and its number there."""
Made = tuple[FindingId, CaseId, tuple[Signature, ...]]
"""A finding's id, the case that it opens unless it joins another, its signatures."""
VISITS = (1_000, 200, 8)
FRESH, ELSEWHERE = 0.375, 0.2
"""What is new where somebody looked before, and how many visits go where nobody did: half of all findings are new."""
KINDS = (("L0", "report"), ("L1", "fingerprint"), ("L1", "order"), ("L1", "location"))
_FILL = """
DROP INDEX clearwell.signature_head_key;
CREATE TEMPORARY TABLE made AS
SELECT v.first + at - 1 AS n, at > v.size - v.fresh AS is_new, v.component * 1000000000 + flaw AS d,
       substring(int8send(crc32(('pkg:generic/' || v.component)::bytea) << 16 | (crc32((flaw / 4 || '.c')::bytea) & 65535)) FROM 3) AS near
FROM visit v CROSS JOIN generate_series(1, v.size) at CROSS JOIN LATERAL (
    SELECT CASE WHEN at > v.size - v.fresh THEN v.held + at - (v.size - v.fresh) ELSE 1 + floor(random() * v.held)::bigint END AS flaw) one;
INSERT INTO clearwell.signature_set (finding, submission, in_case, stated)
SELECT pg_temp.uuid_at(n), pg_temp.uuid_at(n / 1000), pg_temp.uuid_at(d),
       '\\x03010016'::bytea || near || decode(md5(d || ':report'), 'hex')
       || '\\x04010016'::bytea || near || decode(md5(d || ':fingerprint'), 'hex')
       || '\\x05010016'::bytea || near || decode(md5(d || ':order'), 'hex')
       || '\\x09010016'::bytea || near || decode(md5(d || ':location'), 'hex')
FROM made ORDER BY n;
INSERT INTO clearwell.signature_head (finding, kind, key)
SELECT pg_temp.uuid_at(n), k.number, near || decode(md5(d || ':' || k.kind), 'hex')
FROM made CROSS JOIN (VALUES (3, 'report'), (4, 'fingerprint'), (5, 'order'), (9, 'location')) k (number, kind) WHERE is_new ORDER BY n;
DROP TABLE made;
TRUNCATE visit;
CREATE INDEX signature_head_key ON clearwell.signature_head (key) WITH (fillfactor = 70);
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
        self.stored, self.rates, self._world = 0, [], World(random.Random(4))
        self._cases = AllUnproven()

    def grow_to(self, size: int) -> list[Figure]:
        """Index and decide until so many findings are stored, and those of many components behind them: 50,000 each."""
        self._fill(size - WINDOW - self.stored)
        said = f"dedupe: index and decide, {size:,} stored"
        rate, by_the_clock = self._measured(self._world.visits)
        self.rates.append(rate)
        scattered, _ = self._measured(self._world.scattered)
        return [
            Figure(f"{said}, a second of one core's time", rate, "findings", LEAST_RATE, at_most=False),
            Figure(f"{said}, by the clock on one core that others used too", by_the_clock, "findings/s"),
            Figure(f"{said}, each finding of another component, a second of one core's time", scattered, "findings"),
        ]

    def _measured(self, batch_of: Callable[[], list[Flaw]]) -> tuple[float, float]:
        """Findings for a second of the processor, and of the clock."""
        busy, spent = -self._server_seconds(), 0.0
        for _ in range(0, WINDOW, BATCH):
            made = self._made(self.stored, batch_of())
            cpu, begin = time.process_time(), time.perf_counter()
            self._decide_and_index(made)
            busy, spent = busy + time.process_time() - cpu, spent + time.perf_counter() - begin
        return WINDOW / (busy + self._server_seconds()), WINDOW / spent

    def _server_seconds(self) -> float:
        """What the database's processes have used of a processor so far."""
        ticks = 0
        for place in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = place.read_text().rsplit(")", 1)[1].split()
                if int(place.parent.name) == self._postmaster:
                    ticks += sum(map(int, fields[11:15]))  # with those of its processes that have ended
                elif int(fields[1]) == self._postmaster:
                    ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def ratio(self) -> Figure:
        """The slowest size against the fastest."""
        kept = min(self.rates) / max(self.rates)
        return Figure("dedupe: slowest of these rates against the fastest", kept, "of the rate", LEAST_RATIO, at_most=False)

    def one_by_one(self) -> Figure:
        """One finding at a time, in a transaction of its own: look up and decide."""
        from clearwell.clearinghouse.dedupe import store

        taken = []
        for flaw in [flaw for _ in range(0, SINGLES, BATCH) for flaw in self._world.scattered()]:
            signatures = signatures_of(flaw)
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

    def _fill(self, count: int) -> None:
        """Store so many findings by the owner, in few statements, in visits as those that are measured.

        The same rows as the hub's, but not by its code: the keys' index is taken off meanwhile and built again, with pages as full as in a
        tree that grew. What the server owes for that (rows to vacuum, pages to write) is paid before anything is measured.
        """
        import psycopg

        if count <= 0:
            return
        with psycopg.connect(self._owner, autocommit=True) as connection:
            connection.execute(_UUID_AT)
            connection.execute("CREATE TEMPORARY TABLE visit (first bigint, component bigint, size integer, held bigint, fresh bigint)")
            first = self.stored
            with connection.cursor().copy("COPY visit FROM STDIN") as copy:
                while first < self.stored + count:
                    for component, size, held, fresh in self._world.batch():
                        copy.write_row((first, component, size, held, fresh))
                        first += size
            connection.execute("SET maintenance_work_mem = '256MB'")
            for table in TABLES:
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            for statement in _FILL.split(";")[:-1]:
                connection.execute(statement)
            for table in TABLES:
                connection.execute(f"VACUUM ANALYZE {table}")
                connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
        self._server.administer("CHECKPOINT")
        self.stored += count

    def _made(self, first: int, flaws: list[Flaw]) -> list[Made]:
        """A batch as intake has it before it decides: ids are minted, signatures made."""
        return [
            (FindingId(id_at("finding", first + offset)), CaseId(id_at("case", number_of(flaw))), signatures_of(flaw))
            for offset, flaw in enumerate(flaws)
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


class World:
    """Components and how many flaws each is known for; who looks at which."""

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._held: list[int] = []
        self._visited: dict[int, list[int]] = {size: [] for size in VISITS}

    def batch(self) -> Iterator[tuple[int, int, int, int]]:
        """The visits of one batch: component, findings, flaws known there before, flaws new."""
        size = self._random.choice(VISITS)
        for _ in range(0, BATCH, size):
            visited = self._visited[size]
            if not visited or self._random.random() < ELSEWHERE:
                component, fresh = len(self._held), size
                self._held.append(0)
            else:
                component, fresh = self._random.choice(visited), int(FRESH * size)
            visited.append(component)
            held = self._held[component]
            self._held[component] += fresh
            yield component, size, held, fresh

    def visits(self) -> list[Flaw]:
        """A batch's findings, those of a visit in any order."""
        found: list[Flaw] = []
        for component, size, held, fresh in self.batch():
            numbers = [*self._random.sample(range(1, held + 1), size - fresh), *range(held + 1, held + fresh + 1)]
            self._random.shuffle(numbers)
            found += [(component, number) for number in numbers]
        return found

    def scattered(self) -> list[Flaw]:
        """A batch of which each finding is of another component, half of them new."""
        found = []
        for component in self._random.sample(range(len(self._held)), k=min(BATCH, len(self._held))):
            if self._random.random() < 0.5:
                self._held[component] += 1
                found.append((component, self._held[component]))
            else:
                found.append((component, self._random.randint(1, self._held[component])))
        return found


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


def number_of(flaw: Flaw) -> int:
    """The flaw's number among all."""
    return flaw[0] * 1_000_000_000 + flaw[1]


def signatures_of(flaw: Flaw) -> tuple[Signature, ...]:
    """Four signatures as a scanner's finding has them, four flaws in a file; the same flaw, the same signatures."""
    lies, number = near(f"pkg:generic/{flaw[0]}", f"{flaw[1] // 4}.c"), number_of(flaw)
    return tuple(
        Signature(rung, kind, VERSIONS[kind], lies + hashlib.md5(f"{number}:{kind}".encode()).digest(), None, rung == "L0", (kind, "made"))
        for rung, kind in KINDS
    )
