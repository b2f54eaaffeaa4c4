# SPDX-License-Identifier: Apache-2.0
"""`clearwell worker`: works through the jobs, folds the ledger, looks at the clocks."""

import click
import msgspec

from clearwell.app import chores_of, open_house, plan_of, settings_now, work_of
from clearwell.ground.jobs.worker import run
from clearwell.vocabulary.errors import Invalid


@click.command()
@click.option("--queues", help="Only these queues, comma-separated (CLEARWELL_WORKER_QUEUES); without it, all.")
@click.option("--concurrency", type=click.IntRange(1, 64), help="Jobs at the same time (CLEARWELL_WORKER_CONCURRENCY).")
@click.option("--drain", is_flag=True, help="Leave when no job is left that could run now.")
def worker(queues: str | None, concurrency: int | None, drain: bool) -> None:
    """Work through the jobs until stopped by Ctrl-C or SIGTERM; jobs under way are finished first."""
    settings, _ = settings_now()
    with open_house(settings) as house:
        work, plan = work_of(house), plan_of(house)
        known = sorted({queue for queue, _ in work.values()})
        chosen = tuple(part.strip() for part in queues.split(",") if part.strip()) if queues is not None else plan.queues
        unknown = [queue for queue in chosen if queue not in known]
        if unknown:
            raise Invalid(f"there is no queue {unknown[0]!r}; the queues are {', '.join(known)}")
        plan = msgspec.structs.replace(plan, queues=chosen, concurrency=concurrency or plan.concurrency)
        run(plan, work, chores_of(house), drain)
