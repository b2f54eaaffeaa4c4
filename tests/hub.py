# SPDX-License-Identifier: Apache-2.0
"""A hub for tests: a database of its own on one server, a clock that the test moves, people of every kind, jobs run at once."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from clearwell import app
from clearwell.ground.house import House
from clearwell.ground.identity.actor import IDENTITY, Member, OrganizationKind
from clearwell.ground.identity.members import Organization, add_organization, add_person
from clearwell.ground.jobs.worker import build
from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.sequencer import Sequencer
from clearwell.vocabulary.ids import OrganizationId, PersonId


class TestClock:
    """A clock that stands still until the test moves it; each look is a millisecond later, so that ids keep their order."""

    __test__ = False

    def __init__(self, start: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def today(self) -> date:
        return self._now.date()

    def move(self, **step: float) -> None:
        self._now += timedelta(**step)


class Hub:
    """A house with its clock, and what a test does to it."""

    def __init__(self, house: House, clock: TestClock) -> None:
        self.house, self.clock = house, clock

    def member(self, kind: OrganizationKind, name: str = "", organization: Organization | None = None, **facts: str) -> Member:
        """A new person, of a new organization unless one is given."""
        new = organization or Organization(OrganizationId(self.house.new_id("org")), name or f"a {kind.value}", kind, **facts)
        person = PersonId(self.house.new_id("person"))
        with self.house.transaction(IDENTITY) as tx:
            if organization is None:
                add_organization(tx, new, self.clock.now())
            add_person(tx, person, new.id, name or "somebody", None, self.clock.now())
        return Member(person, new.id, kind)

    def colleague(self, member: Member) -> Member:
        """A second person of the same organization."""
        person = PersonId(self.house.new_id("person"))
        with self.house.transaction(IDENTITY) as tx:
            add_person(tx, person, member.organization, "a colleague", None, self.clock.now())
        return msgspec.structs.replace(member, person=person)

    def work(self) -> None:
        """Run every job that can run now, and what they defer, until none is left."""
        plan = msgspec.structs.replace(app.plan_of(self.house), poll=0.05)

        async def drain() -> None:
            queue = build(plan, app.work_of(self.house))
            async with queue.open_async():
                await queue.run_worker_async(wait=False, concurrency=plan.concurrency, listen_notify=False, install_signal_handlers=False)

        for _ in range(50):
            asyncio.run(drain())
            if not self.ready_jobs():
                return
        raise AssertionError(f"jobs never end: {self.ready_jobs()}")

    def ready_jobs(self) -> list[str]:
        """Names of jobs that could run now (not those that wait for a retry's pause)."""
        with self.house.database.transaction(IDENTITY.scope) as tx:
            rows = tx.rows(
                """
                SELECT task_name, status::text, args FROM procrastinate.procrastinate_jobs
                WHERE status IN ('todo', 'doing') AND (scheduled_at IS NULL OR scheduled_at <= now())
                """
            )
        return [f"{row['task_name']} {row['status']} {row['args']}" for row in rows]

    def fold(self) -> Path:
        """Fold the ledger; return its folder."""
        settings = self.house.settings
        key = SigningKey(settings.ledger_origin, self.house.keys.ledger)
        Sequencer(self.house.database, settings.ledger_dir, key, settings.ledger_origin).fold()
        return settings.ledger_dir

    def failed_jobs(self) -> list[str]:
        """Names and errors of jobs that failed for good or are being retried."""
        with self.house.database.transaction(IDENTITY.scope) as tx:
            return [f"{row['error']}" for row in tx.rows("SELECT error FROM clearwell.job_failure")]

    def mails(self) -> list[str]:
        """The mails that were sent, oldest first."""
        folder = self.house.settings.outbox_dir
        return [path.read_text() for path in sorted(folder.glob("*.eml"))] if folder.exists() else []


MakeHub = Callable[..., Hub]
