# SPDX-License-Identifier: Apache-2.0
"""`clearwell backup`: the hub in one folder, running or not; its keys in another, so that neither alone opens anything."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
import msgspec

from clearwell.app import bring_forward, database_server, settings_now
from clearwell.ground.storage.backup import back_up
from clearwell.vocabulary.errors import Unavailable

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--keys", metavar="DIR2", type=_FOLDER, help="Write the hub's keys into DIR2, best on another medium.")
@click.option("--json", "as_json", is_flag=True, help="Print the backup's manifest as one JSON object.")
def backup(directory: Path, keys: Path | None, as_json: bool) -> None:
    """Write a backup of the hub into the new folder DIR: database, sealed evidence, ledger, feed and settings.

    The keys are left out: without them a backup's evidence can be read by nobody. Keep a copy of them elsewhere (--keys).
    """
    settings, _ = settings_now()
    with database_server(settings) as (_, owner_url):
        if owner_url is None:
            raise Unavailable("set CLEARWELL_MIGRATE_URL to the owner's address of the database: only the owner sees every row")
        bring_forward(owner_url)
        manifest = back_up(settings, owner_url, directory, keys, version("clearwell"), datetime.now(UTC))
    if as_json:
        click.echo(msgspec.json.encode(manifest).decode())
        return
    counts = ", ".join(f"{count:,} files of {name}" for name, count in manifest.files.items())
    click.echo(f"{directory}: the database, {counts}")
    if keys is None:
        click.echo("This backup holds no keys. Without them its evidence can be read by nobody: keep a copy of them with --keys DIR2.")
    else:
        click.echo(f"{keys}: the keys. Keep them apart from the backup: who has both can read everything.")
