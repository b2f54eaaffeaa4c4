# SPDX-License-Identifier: Apache-2.0
"""`clearwell ledger`: verify a ledger's files and show its entries, without a server."""

import base64
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from clearwell.ground.ledger.merkle import leaf_hash
from clearwell.ground.ledger.note import parse_vkey
from clearwell.ground.ledger.tiles import TileReader, read_checkpoint
from clearwell.ground.ledger.verify import Report
from clearwell.ground.ledger.verify import verify as verify_ledger
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.outside import for_terminal

INCONSISTENT = 1
NOT_PINNED = 3
"""Exit codes of `verify`: 0 verified, 1 inconsistent, 3 consistent but no key was given; the others are the error table's."""

_FOLDER = click.Path(path_type=Path)


@click.group()
def ledger() -> None:
    """Verify a ledger offline."""


@ledger.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--key", "keys", metavar="VKEY", multiple=True, help="The log's key, name+hash+base64, or @FILE; may be repeated.")
@click.option("--since", metavar="CHECKPOINT", type=_FOLDER, help="An older checkpoint that must be a prefix of this ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def verify(directory: Path, keys: tuple[str, ...], since: Path | None, as_json: bool) -> None:
    """Check the signature, every entry and every tile of the ledger in DIR.

    Exit code 0: consistent and signed by a given key; 1: inconsistent; 3: consistent, signer not pinned (no --key).
    """
    vkeys = [parse_vkey(_key_text(key)) for key in keys]
    report = verify_ledger(directory, vkeys, _read(since) if since is not None else None)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        _print(report)
    sys.exit({"verified": 0, "inconsistent": INCONSISTENT, "consistent": NOT_PINNED}[report.status])


@ledger.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--from", "start", default=0, type=click.IntRange(min=0), help="The first entry to show.")
@click.option("--limit", default=None, type=click.IntRange(min=0), help="At most so many entries.")
def show(directory: Path, start: int, limit: int | None) -> None:
    """Print the entries of the ledger in DIR as JSON Lines: `index`, `leaf` (hash) and `entry`, or `base64` where it is not JSON.

    Shows what the published checkpoint covers; nothing is verified.
    """
    checkpoint = read_checkpoint(directory)
    if checkpoint is None:
        raise NotFound(f"there is no ledger in {directory}: it has no checkpoint")
    stop = checkpoint.size if limit is None else start + limit
    for index, entry in TileReader(directory, checkpoint.size).entries(start, stop):
        click.echo(msgspec.json.encode(_row(index, entry)).decode())


def _key_text(key: str) -> str:
    return _read(Path(key[1:])).decode(errors="replace") if key.startswith("@") else key


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    with path.open("rb") as file:
        return file.read(1 << 18)


def _row(index: int, entry: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"index": index, "leaf": leaf_hash(entry).hex()}
    try:
        value = msgspec.json.decode(entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return row | {"base64": base64.b64encode(entry).decode()}
    return row | {"entry": value if b"\n" in entry else msgspec.Raw(entry)}


def _print(report: Report) -> None:
    for problem in report.problems:
        click.echo(f"{for_terminal(problem.where)}: {for_terminal(problem.what)}")
    if report.size is not None:
        click.echo(f"{for_terminal(report.origin or '')}: {report.size:,} entries, root {report.root}, {report.files:,} files read")
    if report.ahead:
        click.echo(f"{len(report.ahead)} files lie beyond the checkpoint: no signature covers them yet")
    if report.unknown_signatures:
        click.echo(f"{report.unknown_signatures} signatures by keys that were not given: not checked")
    if report.since is not None and report.status != "inconsistent":
        click.echo(f"the older checkpoint ({report.since:,} entries) is a prefix")
    click.echo(
        {
            "verified": f"verified: consistent, signed by {', '.join(map(for_terminal, report.signers))}",
            "consistent": "consistent, signer not pinned: give the log's key with --key",
            "inconsistent": "INCONSISTENT",
        }[report.status]
    )
