# SPDX-License-Identifier: Apache-2.0
"""`clearwell cluster`: say which findings of any reports are one bug, offline."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click
import msgspec

from clearwell.clearinghouse.dedupe.cluster import Row
from clearwell.clearinghouse.dedupe.cluster import cluster as cluster_findings
from clearwell.clearinghouse.dedupe.proposing import SuggestedRow, suggestions
from clearwell.faces.cli.parse import read_file
from clearwell.formats import column_mapping
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.outside import for_terminal
from clearwell.vocabulary.product import Product, parse_target


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--target", metavar="TARGET", help="What the reports are about, where they do not say: a package URL or REPOSITORY@COMMIT.")
@click.option(
    "--suggest", is_flag=True, help="Also print which clusters may still be one, for a person to look at (rung L2); joins nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one finding each (docs/reference/cluster.md).")
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="In tables, this column holds that field.")
def cluster(files: tuple[str, ...], target: str | None, suggest: bool, as_json: bool, columns: tuple[str, ...]) -> None:
    """Read reports and say which of their findings are one bug, and why.

    Of reports and tables together, `--column` is about the tables that have these columns.
    Leaves with 0 when every file was read whole, 2 when any row is an error.
    """
    product = parse_target(target) if target is not None else None
    mapping = column_mapping(columns)
    findings: list[tuple[str, int, Finding]] = []
    errors: list[dict[str, Any]] = []
    lacking: list[Invalid] = []
    for file in files:
        name = file.encode("utf-8", errors="backslashreplace").decode()
        try:
            document = _read(file, product, mapping, lacking)
        except ClearwellError as reason:
            errors.append({"file": name, "index": None, "error": str(reason)})
            continue
        findings += [(name, index, finding) for index, finding in enumerate(document.findings)]
        errors += [{"file": name, "index": None, "error": str(problem)} for problem in document.problems]
    if lacking and len(lacking) == len(files):
        raise lacking[0]
    rows = cluster_findings(findings)
    suggested = suggestions(findings, rows) if suggest else []
    if as_json:
        _print_json([*rows, *suggested, *errors])
    else:
        _print_text(rows, errors)
        _hint([finding for _, _, finding in findings])
        _print_suggestions(suggested)
    sys.exit(2 if errors else 0)


def _read(file: str, product: Product | None, mapping: Mapping[str, str], lacking: list[Invalid]) -> Document:
    """Read a file as the table that the mapping is about, else as what it is; `lacking` gathers why files are no such tables."""
    if not mapping or file == "-":
        return read_file(file, product, mapping)
    try:
        return read_file(file, product, mapping)
    except Invalid as reason:
        lacking.append(reason)
        try:
            return read_file(file, product)
        except Invalid:
            raise reason from None


def _print_json(rows: Iterable[Row | SuggestedRow | dict[str, Any]]) -> None:
    encoder = msgspec.json.Encoder()
    for row in rows:
        sys.stdout.buffer.write(encoder.encode(row) + b"\n")
    sys.stdout.buffer.flush()


def _print_text(rows: list[Row], errors: list[dict[str, Any]]) -> None:
    members: dict[str, list[Row]] = {}
    for row in rows:
        members.setdefault(row.cluster, []).append(row)
    joined = {name: group for name, group in members.items() if len(group) > 1}
    for name, group in joined.items():
        click.echo(f"{name}: {len(group)} findings")
        for row in group:
            why = "; ".join(for_terminal(evidence.value, 90) for evidence in row.evidence[:2])
            click.echo(f"  {row.rung} {for_terminal(row.file, 80)}#{row.index}  {why}")
    for error in errors:
        click.echo(f"not read: {for_terminal(error['file'], 80)}: {for_terminal(error['error'], 300)}", err=True)
    click.echo(f"{len(rows):,} findings, {len(members):,} clusters, {len(joined):,} with more than one finding")


def _hint(findings: Iterable[Finding]) -> None:
    """Where nothing says what a report is about, nothing joins it with another tool's: say what would."""
    unnamed = sum(finding.product is None for finding in findings)
    if unnamed:
        said = f"{unnamed:,} of them name no product, so that nothing joins them with another tool's"
        click.echo(f"{said}: --target PACKAGE-URL (or REPOSITORY@COMMIT) says what these files are about", err=True)


def _print_suggestions(suggested: list[SuggestedRow]) -> None:
    for row in suggested[:100]:
        one, other = (f"{for_terminal(side.file, 60)}#{side.index}" for side in row.between)
        why = "; ".join(f"{signal.signal} {for_terminal(signal.value, 60)} {signal.weight:+.1f}" for signal in row.signals)
        click.echo(f"maybe {row.score:.0%}: {one} and {other}  {why}")
    if suggested:
        click.echo(f"{len(suggested):,} suggestions{'; the 100 likeliest are shown' if len(suggested) > 100 else ''}: a person decides")
