# SPDX-License-Identifier: Apache-2.0
"""`clearwell operator`: what an operator has to do, over the API."""

from pathlib import Path
from typing import Any

import click
import msgspec

from clearwell.faces.cli.hub import connect, hub_options
from clearwell.vocabulary.outside import for_terminal


@click.group()
def operator() -> None:
    """For operators (CLEARWELL_URL, CLEARWELL_TOKEN)."""


@operator.command()
@click.option("--all", "everything", is_flag=True, help="With what is installed already.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one item each.")
@hub_options
def todo(everything: bool, as_json: bool, url: str, token_file: Path | None) -> None:
    """List what to do, the most urgent first."""
    with connect(url, token_file) as hub:
        actions = hub.get("/actions", all="true" if everything else None)["actions"]
    if as_json:
        for action in actions:
            click.echo(msgspec.json.encode(action).decode())
        return
    if not actions:
        click.echo("Nothing to do: no published flaw is known in what you run.")
    for number, action in enumerate(actions, 1):
        click.echo("\n".join(_lines(number, action)))


def _lines(number: int, action: dict[str, Any]) -> list[str]:
    """An item for people: what, where, until when, why."""
    software = action["component"].removeprefix("pkg:")
    if action["receipt"] == "installed":
        what = f"done: {software} on {action['asset']}"
    elif action["status"] == "unknown":
        what = f"find out which version of {software} runs on {action['asset']}"
    elif action["fixed_version"]:
        what = f"update {software} on {action['asset']} from {action['installed_version'] or '?'} to {action['fixed_version']}"
    else:
        what = f"{software} {action['installed_version'] or ''} on {action['asset']} has a flaw and no fixed version yet"
    due = f"by {action['due_on']}" if action["due_on"] else "no fixed date"
    return [
        for_terminal(f"{number}. {what}"),
        for_terminal(f"   {due}; {action['advisory']}: {action['title']}"),
        f"   {action['receipt']}",
    ]
