# SPDX-License-Identifier: Apache-2.0
"""`clearwell restore`: brings a backup into an empty data folder, applies newer migrations, verifies the ledger."""

from pathlib import Path

import click

from clearwell.app import bring_forward, database_server, settings_now
from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.verify import verify
from clearwell.ground.storage.backup import restore as restore_backup
from clearwell.ground.storage.keys import load_keys
from clearwell.vocabulary.errors import Unavailable

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--keys", metavar="DIR2", type=_FOLDER, help="The folder with the keys that `clearwell backup --keys` wrote.")
def restore(directory: Path, keys: Path | None) -> None:
    """Bring the backup in DIR into this hub's data folder and database, which must be empty."""
    settings, _ = settings_now()
    with database_server(settings) as (_, owner_url):
        if owner_url is None:
            raise Unavailable("set CLEARWELL_MIGRATE_URL to the owner's address of the empty database")
        manifest = restore_backup(settings, owner_url, directory, keys)
        applied = bring_forward(owner_url)
    click.echo(f"restored what release {manifest.release} backed up on {manifest.made_at:%Y-%m-%d %H:%M} UTC")
    for name in applied:
        click.echo(f"applied {name}")
    if (settings.ledger_dir / "checkpoint").exists():
        key = SigningKey(settings.ledger_origin, load_keys(settings.keys_dir).ledger)
        report = verify(settings.ledger_dir, [key.vkey])
        if report.status != "verified":
            raise Unavailable(f"the restored ledger does not verify: run `clearwell ledger verify {settings.ledger_dir}`")
        click.echo(f"ledger: {report.size:,} entries verified")
