# SPDX-License-Identifier: Apache-2.0
"""`clearwell match`: which installed components do the advisories at hand concern, and which version fixes them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from clearwell.inventory.advisories import Advisories, read_advisories
from clearwell.inventory.components import MAX_BYTES, read_inventory
from clearwell.inventory.matching import match_document
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.outside import for_terminal

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")


class Row(msgspec.Struct, frozen=True):
    """One line of the answer: a component of an inventory and an advisory that names it."""

    inventory: str
    component: str
    installed: str | None
    advisory: str
    status: str
    fixed: str | None
    why: str


@click.command()
@click.argument("inventories", nargs=-1, required=True, metavar="INVENTORY...", type=click.Path(path_type=Path))
@click.option(
    "--advisories",
    "folders",
    required=True,
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, path_type=Path),
    help="A folder (read with its subfolders) or file of OSV or CSAF advisories. May be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
def match(inventories: tuple[Path, ...], folders: tuple[Path, ...], as_json: bool) -> None:
    """Match inventories (CycloneDX JSON, pip freeze, package-lock.json) with advisories.

    One row for every component and advisory that names it; a component that no advisory names has none.
    Leaves with 0, or 2 when an inventory or advisory could not be read: its row is on stderr, the others are printed all the same.
    """
    problems: list[str] = []
    advisories = _load(folders, problems)
    rows = []
    for path in inventories:
        for row in _rows(path, advisories, problems):
            rows.append(row)
            if as_json:
                click.echo(json.dumps(msgspec.structs.asdict(row), ensure_ascii=False))
    if not as_json:
        _table(rows, len(advisories))
    for problem in problems:
        click.echo(json.dumps({"error": problem}) if as_json else f"clearwell: {for_terminal(problem, 400)}", err=True)
    if problems:
        sys.exit(2)


def _load(folders: tuple[Path, ...], problems: list[str]) -> Advisories:
    advisories = Advisories()
    for folder in folders:
        paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        wanted = [path for path in paths if path.is_file() and (path is folder or path.name.lower().endswith(_SUFFIXES))]
        if not wanted:
            problems.append(f"{folder}: there are no advisories in it (.json, .jsonl, either with .gz)")
        for path in wanted:
            data = _bytes(path, problems)
            for found in read_advisories(data, str(path)) if data is not None else ():
                if isinstance(found, Invalid):
                    problems.append(str(found))
                else:
                    advisories.add(found)
    return advisories


def _bytes(path: Path, problems: list[str]) -> bytes | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.append(f"{path}: the file has more than {MAX_BYTES:,} bytes")
            return None
        return path.read_bytes()
    except OSError as reason:
        problems.append(f"{path}: {reason.strerror or reason}")
        return None


def _rows(path: Path, advisories: Advisories, problems: list[str]) -> Iterator[Row]:
    data = _bytes(path, problems)
    if data is None:
        return
    try:
        inventory = read_inventory(data, str(path))
    except Invalid as reason:
        problems.append(f"{path}: {reason}")
        return
    for component in inventory.components:
        yield from _about(component, str(path), advisories)


def _about(component: Component, inventory: str, advisories: Advisories) -> Iterator[Row]:
    for document in advisories.naming(component):
        answer = match_document(component, document.vulnerabilities)
        if answer is not None:
            name = component.purl or component.name
            yield Row(inventory, name, component.version, document.id, answer.status, answer.fixed, answer.why)


def _table(rows: list[Row], count: int) -> None:
    """People get what needs them first: affected, then unknown; what is not affected is only counted."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("status", "component", "installed", "fixed in", "advisory", "why"):
        table.add_column(heading, overflow="fold")
    for status in ("affected", "unknown"):
        for row in rows:
            if row.status == status:
                cells = (row.status, row.component.removeprefix("pkg:"), row.installed or "?", row.fixed or "-", row.advisory, row.why)
                table.add_row(*(_plain(cell) for cell in cells))
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    affected, unknown, spared = (sum(row.status == status for row in rows) for status in ("affected", "unknown", "not_affected"))
    click.echo(f"{affected} affected, {unknown} unknown, {spared} not affected, by the {count} advisories that were read")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(for_terminal(text))
