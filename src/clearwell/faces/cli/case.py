# SPDX-License-Identifier: Apache-2.0
"""`clearwell case`: a coordinator's verbs over the API: list, show, split, merge, different."""

from pathlib import Path
from typing import Any

import click
import msgspec

from clearwell.faces.cli.hub import connect, hub_options
from clearwell.vocabulary.ids import parse_id
from clearwell.vocabulary.outside import for_terminal

_STANDINGS = ("unproven", "proven", "refused", "fixed", "published")


@click.group()
def case() -> None:
    """Coordinate cases (CLEARWELL_URL, CLEARWELL_TOKEN)."""


@case.command("list")
@click.option("--standing", type=click.Choice(_STANDINGS), help="Only cases that stand so.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one case each.")
@hub_options
def list_cases(standing: str | None, limit: int, as_json: bool, url: str, token_file: Path | None) -> None:
    """List cases, the most urgent first."""
    with connect(url, token_file) as hub:
        rows = [row for _, row in zip(range(limit), hub.pages("/cases", "cases", standing=standing, limit=min(limit, 500)), strict=False)]
    if as_json:
        _print_lines(rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in ("case", "standing", "component", "ends (UTC)", "title"):
        table.add_column(name, overflow="ellipsis" if name == "title" else "fold")
    for row in rows:
        table.add_row(
            row["id"], row["standing"], Text(for_terminal(row["component"])), row["ends_at"][:10], Text(for_terminal(row["title"], 80))
        )
    Console().print(table)


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="Print the case as one JSON object.")
@hub_options
def show(case_id: str, as_json: bool, url: str, token_file: Path | None) -> None:
    """Show a case: why its findings are one, what was run, who takes part, the next duty."""
    with connect(url, token_file) as hub:
        page = hub.get(f"/cases/{parse_id('case', case_id)}")
    if as_json:
        click.echo(msgspec.json.encode(page).decode())
        return
    for line in _lines(page):
        click.echo(line)


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("findings", nargs=-1, required=True, metavar="FINDING...")
@click.option("--reason", required=True, help="Why they are not the same.")
@hub_options
def split(case_id: str, findings: tuple[str, ...], reason: str, url: str, token_file: Path | None) -> None:
    """Take findings out of a case, each back into the case it came from."""
    with connect(url, token_file) as hub:
        back = hub.post(f"/cases/{parse_id('case', case_id)}/split", {"findings": findings, "reason": reason})
    for other in back["cases"]:
        click.echo(other)
    if back["proposal"]:
        click.echo(f"{back['proposal']} proposed: it brings a proof to a new participant, a second person must confirm")


@case.command()
@click.argument("case_id", metavar="CASE")
@click.option("--into", required=True, metavar="CASE", help="The case to join it with.")
@click.option("--reason", required=True, help="Why they are the same.")
@hub_options
def merge(case_id: str, into: str, reason: str, url: str, token_file: Path | None) -> None:
    """Join a case with another; `clearwell case split` undoes it."""
    with connect(url, token_file) as hub:
        done = hub.post(f"/cases/{parse_id('case', case_id)}/merge", {"into": parse_id("case", into), "reason": reason})
    if done["done"] == "proposed":
        click.echo(f"{done['id']} proposed: it brings a proof to a new participant, a second person must confirm")
    else:
        click.echo(into)


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("other", metavar="CASE")
@click.option("--reason", required=True, help="Why they are not the same.")
@hub_options
def different(case_id: str, other: str, reason: str, url: str, token_file: Path | None) -> None:
    """Say that two cases are not one: it is remembered for ever, and no rule joins them."""
    with connect(url, token_file) as hub:
        hub.post(f"/cases/{parse_id('case', case_id)}/different", {"other": parse_id("case", other), "reason": reason})
    click.echo(other)


def _print_lines(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(msgspec.json.encode(row).decode())


def _lines(page: dict[str, Any]) -> list[str]:
    """A case for people, line by line."""
    row = page["case"]
    lines = [
        f"{row['id']}  {row['standing']} ({row['state']})  {row['marking']}",
        for_terminal(f"{row['component']}: {row['title']}"),
        f"first received {row['first_received'][:10]}, ends {row['ends_at'][:10]}",
    ]
    if row["aliases"]:
        lines.append(for_terminal(f"also known as {', '.join(row['aliases'])}"))
    if page["regression_of"]:
        lines.append(f"bears the signature of {page['regression_of']}, which was fixed: a regression candidate")
    lines += [f"not the same as {said['case']}" for said in page["different_from"]]
    if page["duties"]:
        duty = page["duties"][0]
        lines.append(f"next duty: {duty['kind'].replace('_', ' ')} on {duty['due'][:10]}")
    if page["fires"]:
        lines.append(for_terminal(f"fires on {', '.join(page['fires'])}; clean: {', '.join(page['clean']) or 'none known'}"))
    joined = {one["finding"]: one for one in page["joined"] if one["detached_at"] is None}
    for finding in page["findings"]:
        why = joined.get(finding["id"], {})
        how = f"joined by {why['rung']}: {'; '.join(' '.join(part) for part in why['evidence'])}" if why.get("rung") else "opened the case"
        mark = " [AI]" if finding["ai"] else ""
        mark += f" [not seen since {finding['not_seen_since']}]" if finding["not_seen_since"] else ""
        lines.append(for_terminal(f"  {finding['id']}  {finding['answer']}{mark}  {finding['title']}  ({how})"))
    lines += [for_terminal(f"  run {run['verdict']}: {run['reason']}") for run in page["runs"]]
    lines += [for_terminal(f"  {p['role']} {p['organization'] or p['contact'] or ''}: {p['report_state']}") for p in page["participants"]]
    lines += [for_terminal(f"  stated {said['kind']}: {said['detail']}") for said in page["statements"]]
    lines += [for_terminal(f"  fix {fix['id']} {fix['version'] or fix['kind']}: {fix['state']} {fix['reason']}") for fix in page["fixes"]]
    return lines
