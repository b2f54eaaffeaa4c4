# SPDX-License-Identifier: Apache-2.0
"""`clearwell settings`: every setting with its source; secrets are hidden."""

import click
import msgspec

from clearwell.app import settings_now
from clearwell.vocabulary.outside import for_terminal


@click.group()
def settings() -> None:
    """Show the settings."""


@settings.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: name -> value and source.")
def show(as_json: bool) -> None:
    """Print each setting, its value and where it came from (environment, file, default)."""
    _, rows = settings_now()
    if as_json:
        click.echo(msgspec.json.encode({row.name: {"value": row.value, "source": row.source} for row in rows}).decode())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("setting", "value", "source")
    for row in rows:
        table.add_row(row.name, Text(for_terminal(row.value)), Text(for_terminal(row.source)))
    Console().print(table)
