# SPDX-License-Identifier: Apache-2.0
"""`clearwell job`: the jobs of this hub, those that failed for good, and trying one again. On the hub's own machine."""

import click
import msgspec

from clearwell.app import open_house, settings_now
from clearwell.ground.identity.actor import IDENTITY
from clearwell.ground.jobs import queue
from clearwell.ground.jobs.queue import JobRow
from clearwell.vocabulary.outside import for_terminal


@click.group()
def job() -> None:
    """Look at jobs; try failed ones again."""


@job.command("list")
@click.option("--failed", is_flag=True, help="Only those that failed for good (the dead-letter list).")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one job each.")
def list_jobs(failed: bool, limit: int, as_json: bool) -> None:
    """List jobs, the newest first."""
    settings, _ = settings_now()
    with open_house(settings) as house, house.transaction(IDENTITY) as tx:
        rows = queue.list_jobs(tx, "failed" if failed else None, limit)
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row).decode())
        return
    _print(rows)


@job.command()
@click.argument("job_id", metavar="ID", type=click.IntRange(1))
def retry(job_id: int) -> None:
    """Put a failed job back into its queue."""
    settings, _ = settings_now()
    with open_house(settings) as house, house.transaction(IDENTITY) as tx:
        queue.retry(tx, job_id)
    click.echo(f"job {job_id} waits in its queue again")


def _print(rows: tuple[JobRow, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo("no such jobs")
        return
    table = Table("id", "queue", "job", "status", "attempts", "when (UTC)", "last failure")
    for row in rows:
        at = f"{row.at:%Y-%m-%d %H:%M:%S}" if row.at else ""
        table.add_row(str(row.id), row.queue, row.name, row.status, str(row.attempts), at, Text(for_terminal(row.error or "")))
    Console().print(table)
