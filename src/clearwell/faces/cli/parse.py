# SPDX-License-Identifier: Apache-2.0
"""`clearwell parse`: read reports of any format and print their findings, one JSON object a line or a table."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from clearwell.formats import column_mapping, read
from clearwell.vocabulary.document import MAX_DOCUMENT, Document
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.finding import Crash, Finding
from clearwell.vocabulary.outside import for_terminal
from clearwell.vocabulary.product import Product, parse_target


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--target", metavar="TARGET", help="What the reports are about, where they do not say: a package URL or REPOSITORY@COMMIT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one finding each (docs/reference/parse.md).")
@click.option("--full", is_flag=True, help="With --json: print what else a finding holds (severity, ids, affected versions, references).")
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="The files are tables: this column holds that field.")
def parse(files: tuple[str, ...], target: str | None, as_json: bool, full: bool, columns: tuple[str, ...]) -> None:
    """Read reports of any known format and print their findings (docs/reference/formats.md lists the formats).

    `-` reads standard input. Leaves with 0 when every file was read whole, 2 when any row is an error.
    """
    product = parse_target(target) if target is not None else None
    mapping = column_mapping(columns)
    printed = _print_json(files, product, mapping, full) if as_json else _print_tables(files, product, mapping)
    sys.exit(0 if printed else 2)


def rows(file: str, product: Product | None, columns: Mapping[str, str] | None = None, full: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a file's rows: its findings in order, then one row with `error` for each part that could not be read."""
    try:
        document = read_file(file, product, columns)
    except ClearwellError as reason:
        yield _error_row(file, None, str(reason))
        return
    for index, finding in enumerate(document.findings):
        yield {**finding_row(file, index, document, finding), **(full_row(finding) if full else {})}
    for problem in document.problems:
        yield _error_row(file, document, str(problem))


def read_file(file: str, product: Product | None, columns: Mapping[str, str] | None = None) -> Document:
    """Read a report by its path (`-` is standard input); raise Invalid when it cannot be opened or understood."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_DOCUMENT + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_DOCUMENT + 1)
    except (OSError, ValueError) as reason:
        raise Invalid(f"it cannot be opened: {getattr(reason, 'strerror', None) or reason}") from None
    return read(data, file, product, columns)


def finding_row(file: str, index: int, document: Document, finding: Finding) -> dict[str, Any]:
    """Return a finding as `--json` prints it; absent scalars are null, lists empty."""
    return {
        "file": _printable(file),
        "index": index,
        "format": finding.format,
        "tool": finding.origin.tool or document.tool,
        "product": product_text(finding.product),
        "weakness": finding.weaknesses,
        "title": finding.title,
        "message": finding.message,
        "locations": finding.locations,
        "crash": crash_row(finding.crash) if finding.crash is not None else None,
    }


def full_row(finding: Finding) -> dict[str, Any]:
    """Return what `--full` adds: what a finding states beside the contract's keys; the proof as its files' names and sizes."""
    proof = finding.proof
    return {
        "id": finding.external_id,
        "aliases": finding.aliases,
        "rule": finding.rule,
        "severity": finding.severity,
        "affected": finding.affected,
        "origin": finding.origin,
        "credits": finding.credits,
        "references": finding.references,
        "fingerprints": finding.fingerprints,
        "preconditions": finding.preconditions,
        "remarks": finding.remarks,
        "proof": {name: len(content) for name, content in proof.files.items()} if proof is not None else None,
    }


def crash_row(crash: Crash) -> dict[str, Any]:
    """Return a crash as `--json` prints it: exactly the keys of the contract."""
    keys = ("sanitizer", "type", "access", "size", "address", "state", "frames", "security")
    return {key: getattr(crash, key) for key in keys}


def product_text(product: Product | None) -> str | None:
    """Return a product as one string: its package URL, REPOSITORY@COMMIT, or vendor and model."""
    if product is None:
        return None
    if product.purl is not None:
        return product.purl
    if product.repository is not None:
        return f"{product.repository}@{product.commit}" if product.commit else product.repository
    return product.name or None


def _error_row(file: str, document: Document | None, reason: str) -> dict[str, Any]:
    """An error has a row of the same keys, so that a table of rows has one shape."""
    return {
        "file": _printable(file),
        "index": None,
        "format": document.format if document else None,
        "tool": document.tool if document else None,
        "product": None,
        "weakness": [],
        "title": None,
        "message": None,
        "locations": [],
        "crash": None,
        "error": reason,
    }


def _printable(file: str) -> str:
    """A file name may hold bytes that are no UTF-8: show them escaped."""
    return file.encode("utf-8", errors="backslashreplace").decode()


def _print_json(files: tuple[str, ...], product: Product | None, columns: Mapping[str, str], full: bool) -> bool:
    encoder = msgspec.json.Encoder()
    whole = True
    for file in files:
        for row in rows(file, product, columns, full):
            whole = whole and "error" not in row
            sys.stdout.buffer.write(encoder.encode(row) + b"\n")
    sys.stdout.buffer.flush()
    return whole


def _print_tables(files: tuple[str, ...], product: Product | None, columns: Mapping[str, str]) -> bool:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    whole = True
    for file in files:
        try:
            document = read_file(file, product, columns)
        except ClearwellError as reason:
            whole = False
            console.print(Text(f"{for_terminal(file)}: {for_terminal(str(reason), 2_000)}", style="red"))
            continue
        table = Table(
            title=Text(
                f"{for_terminal(file)}: {len(document.findings):,} findings ({document.format}, {for_terminal(document.tool or '?')})"
            )
        )
        for column in ("", "weakness", "where", "title"):
            table.add_column(column)
        for index, finding in enumerate(document.findings):
            table.add_row(str(index), _weakness_text(finding), Text(_where(finding)), Text(for_terminal(finding.title, 100)))
        console.print(table)
        for problem in document.problems:
            whole = False
            console.print(Text(f"not read: {for_terminal(str(problem), 400)}", style="red"))
        for part in document.left_out:
            console.print(Text(f"left out: {for_terminal(str(part), 400)}", style="dim"))
    return whole


def _weakness_text(finding: Finding) -> str:
    """CWE ids; a question mark marks those that are inferred."""
    return " ".join(w.id + ("?" if w.source == "inferred" else "") for w in finding.weaknesses[:3])


def _where(finding: Finding) -> str:
    location = finding.location
    if location is None:
        return ""
    place = ":".join(str(part) for part in (location.file, location.line) if part is not None)
    return for_terminal(" ".join(part for part in (place, location.function) if part), 80)
