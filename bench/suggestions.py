# SPDX-License-Identifier: Apache-2.0
"""Suggestions in a hub: what the index takes for a report, how many reports a second it indexes and compares as it grows, what it finds.

In the hub's own embedded PostgreSQL, by the functions that its jobs call. Reports are the hard set's (see hard_set.py), each opening a
case; to grow, the whole set comes again as other projects', with other components and functions. Found is compared with what
`clearwell cluster --suggest` finds on the same reports, which keeps every token of every report.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from hard_set import FILE
from hard_set import _finding as finding_of
from hub import Figure

COPIES = max(1, int(os.environ.get("BENCH_COPIES", "30")))
BATCH = 1_000
MOST_BYTES = 600


def measure_suggestions(folder: Path) -> list[Figure]:
    """Index the hard set, then its copies."""
    from clearwell import app
    from clearwell.ground.settings import Settings

    if not FILE.exists():
        print("     suggestions: skipped, there is no shared data (CLEARWELL_SHARED)")
        return []
    settings, _ = app.settings_now({"CLEARWELL_DATA_DIR": str(folder)})
    assert isinstance(settings, Settings)
    with app.database_server(settings) as (url, owner):
        app.bring_forward(owner or url)
        with app.open_house(settings) as house:
            growing = Growing(house, int((folder / "postgres" / "postmaster.pid").read_text().split()[0]), owner or url)
            records = [json.loads(line) for line in FILE.read_text().splitlines()]
            findings = [finding_of(record) for record in records]
            growing.add(findings)
            figures = growing.found(findings, [record["bug_label"] for record in records])
            rates = [growing.rate()]
            for copy in range(1, COPIES + 1):
                growing.add([_renamed(finding, copy) for finding in findings])
                rates.append(growing.rate())
            few = rates[1 : 1 + max(1, COPIES // 6)]
            last = rates[-max(1, COPIES // 6) :]
            stored = growing.stored
            figures += [
                Figure("suggestions: indexed and compared, first copies, a second of one core's time", sum(few) / len(few), "reports"),
                Figure(f"suggestions: the same at {stored:,} reports", sum(last) / len(last), "reports"),
            ]
            return [*figures, *growing.sizes()]


class Growing:
    """A hub that takes reports in and indexes them."""

    def __init__(self, house: Any, postmaster: int, owner: str) -> None:
        from clearwell.clearinghouse.flow import reporting
        from clearwell.clearinghouse.flow.reporting import Envelope
        from clearwell.ground.identity.actor import IDENTITY, Member, OrganizationKind
        from clearwell.ground.identity.members import Organization, add_organization, add_person
        from clearwell.vocabulary.ids import OrganizationId, PersonId

        self._house, self._postmaster, self._owner = house, postmaster, owner
        organization = Organization(OrganizationId(house.new_id("org")), "a lab", OrganizationKind.LAB)
        person = PersonId(house.new_id("person"))
        with house.transaction(IDENTITY) as tx:
            add_organization(tx, organization, house.clock.now())
            add_person(tx, person, organization.id, "somebody", None, house.clock.now())
        lab = Member(person, organization.id, OrganizationKind.LAB)
        self._sent = reporting.submit_report(house, lab, [b"a report that is not read"], Envelope(name="x.json"))
        self._batch, self.stored, self._spent, self._counted = 0, 0, 0.0, 0

    def add(self, findings: Sequence[Any]) -> None:
        """Take reports in, batch by batch, and measure what the job behind each batch takes."""
        from clearwell.clearinghouse.dedupe.signature import run_signatures
        from clearwell.clearinghouse.flow import answering, sketching

        self._spent, self._counted = 0.0, 0
        for start in range(0, len(findings), BATCH):
            part = list(findings[start : start + BATCH])
            signed = list(zip(part, run_signatures(part, unknown="x"), strict=True))
            answering._Answering(self._house, self._sent, self._batch, self.stored).commit(signed)
            before = processor_seconds(self._postmaster)
            sketching.sketch_batch(self._house, self._sent.id, self._batch)
            self._spent += processor_seconds(self._postmaster) - before
            self._counted, self._batch, self.stored = self._counted + len(part), self._batch + 1, self.stored + len(part)

    def rate(self) -> float:
        """Reports a second of processor time, of what was added last."""
        return self._counted / self._spent

    def found(self, findings: Sequence[Any], labels: Sequence[object]) -> list[Figure]:
        """How many of the reports that have another of the same bug have one among their likeliest, here and offline."""
        from clearwell.clearinghouse.dedupe.similarity import suggest
        from clearwell.clearinghouse.dedupe.sketch import sketch
        from clearwell.ground.identity.actor import DEDUPE

        with self._house.transaction(DEDUPE) as tx:
            places = {row["case_id"]: row["position"] for row in tx.rows("SELECT case_id, position FROM clearwell.finding")}
            rows = tx.rows("SELECT one_case, other_case, score FROM clearwell.suggestion")
        here = [(row["score"], places[row["one_case"]], places[row["other_case"]]) for row in rows]
        sketches = [sketch(finding, run="x") for finding in findings]
        there = [(one.score, one.one, one.other) for one in suggest(sketches)]
        own, offline = (_recall(pairs, labels) for pairs in (here, there))
        return [
            Figure(f"suggestions: of reports with another of the same bug, one among the likeliest {most}", own[most], "of 1",
                   peer=f"offline {offline[most]:.3f}")
            for most in (1, 5)
        ]  # fmt: skip

    def sizes(self) -> list[Figure]:
        """What the index and the queue take for a report."""
        import psycopg

        with psycopg.connect(self._owner, autocommit=True) as connection:
            connection.execute("VACUUM (FULL) clearwell.sketched, clearwell.sketch_token, clearwell.suggestion")
            sizes = {
                table: connection.execute("SELECT pg_total_relation_size(%s::text::regclass)", (f"clearwell.{table}",)).fetchone()[0]  # type: ignore[index]
                for table in ("sketched", "sketch_token", "suggestion")
            }
        index = sizes["sketched"] + sizes["sketch_token"]
        said = f"numbers {sizes['sketched'] / self.stored:.0f}, tokens {sizes['sketch_token'] / self.stored:.0f}"
        return [
            Figure("suggestions: the index, for a report that opens a case", index / self.stored, "bytes", MOST_BYTES, peer=said),
            Figure("suggestions: the queue, for such a report", sizes["suggestion"] / self.stored, "bytes"),
        ]


def processor_seconds(postmaster: int) -> float:
    """What this process and all of the database's have used of a processor so far."""
    total = time.process_time()
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = place.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == postmaster:
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _recall(pairs: Sequence[tuple[float, int, int]], labels: Sequence[object]) -> dict[int, float]:
    others: dict[int, list[tuple[float, int]]] = {}
    for score, one, other in pairs:
        others.setdefault(one, []).append((-score, other))
        others.setdefault(other, []).append((-score, one))
    counted: dict[object, int] = {}
    for label in labels:
        counted[label] = counted.get(label, 0) + 1
    asked = [n for n, label in enumerate(labels) if counted[label] > 1]
    return {
        most: sum(any(labels[other] == labels[n] for _, other in sorted(others.get(n, ()))[:most]) for n in asked) / len(asked)
        for most in (1, 5)
    }


def _renamed(finding: Any, copy: int) -> Any:
    """The report as another project's: another component, other functions."""
    product = msgspec.structs.replace(finding.product, repository=f"{finding.product.repository}-{copy}")
    frames = tuple(msgspec.structs.replace(frame, function=f"{frame.function}_of{copy}") for frame in finding.crash.frames)
    return msgspec.structs.replace(finding, product=product, crash=msgspec.structs.replace(finding.crash, frames=frames))
