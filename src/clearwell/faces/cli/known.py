# SPDX-License-Identifier: Apache-2.0
"""`clearwell known`: asks a hub which findings of a report it already holds, without sending the report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clearwell.clearinghouse.dedupe.question import MOST, AskedCrash, AskedSignature, keys_of
from clearwell.clearinghouse.dedupe.signature import signatures, tool_of
from clearwell.clearinghouse.intake.minimization import minimize
from clearwell.faces.cli.hub import connect, hub_options
from clearwell.formats import read
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.outside import for_terminal
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.weakness import family_of


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--target", metavar="TARGET", help="What the reports are about, where they do not say: a package URL or REPOSITORY@COMMIT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one finding each: `file`, `index`, `title` and the answer.")
@hub_options
def known(files: tuple[Path, ...], target: str | None, as_json: bool, url: str, token_file: Path | None) -> None:
    """Ask which findings of these reports the hub already holds. Only signatures leave this machine: no text, no code, no proof.

    The hub, not other members, learns what you asked. A finding without a signature is shown as "cannot be asked".
    """
    product = parse_target(target) if target is not None else None
    rows = [row for file in files for row in _questions(file, product)]
    asked = [question for _, _, _, question in rows if question is not None]
    answers: list[dict[str, Any]] = []
    with connect(url, token_file) as hub:
        for start in range(0, len(asked), MOST):
            part = {"signatures": msgspec.to_builtins(asked[start : start + MOST])}
            answers += hub.post("/known", part)["answers"]
    told = iter(answers)
    _print([(file, index, finding, next(told) if question else None) for file, index, finding, question in rows], as_json)


def _questions(file: Path, product: Product | None) -> Iterator[tuple[Path, int, Finding, AskedSignature | None]]:
    if not file.is_file():
        raise Invalid(f"there is no file {file}")
    for index, finding in enumerate(read(file.read_bytes(), file.name, product).findings):
        shown = minimize(finding)  # as intake would store it: signatures are made of the projection
        yield file, index, shown, question_of(shown)


def question_of(finding: Finding) -> AskedSignature | None:
    """The question that a finding allows, in the order in which intake would go by it: proof, crash, place, fingerprints; None for none."""
    product = finding.product
    if product is None:
        return None
    target = product.purl or (f"{product.repository}@{product.commit}" if product.repository and product.commit else None)
    if target is None:
        return None
    place, family = finding.location, family_of(finding.weaknesses)
    weakness = next((weakness.id for weakness in finding.weaknesses if weakness.family == family), None)
    proof = next((s.key.hex() for s in signatures(finding) if s.kind == "proof"), None)
    crash = finding.crash
    candidates = [AskedSignature(target, proof_sha256=proof)] if proof else []
    if crash is not None and crash.type:
        candidates.append(AskedSignature(target, crash=AskedCrash(crash.type, crash.frames[:16], crash.access, crash.state)))
    if place is not None and weakness is not None:
        candidates.append(AskedSignature(target, file=place.file, function=place.function, weakness=weakness))
    if finding.fingerprints:
        tool, file = tool_of(finding), place.file if place is not None else None
        candidates.append(AskedSignature(target, file=file, tool=tool, rule=finding.rule, fingerprints=finding.fingerprints[:16]))
    return next((one for one in candidates if _is_askable(one)), None)


def _is_askable(asked: AskedSignature) -> bool:
    try:
        keys_of(asked)
    except Invalid:
        return False
    return True


def _print(rows: list[tuple[Path, int, Finding, dict[str, Any] | None]], as_json: bool) -> None:
    if as_json:
        for file, index, finding, answer in rows:
            told = answer if answer is not None else {"standing": "cannot be asked"}
            click.echo(msgspec.json.encode({"file": str(file), "index": index, "title": finding.title, **told}).decode())
        return
    table = Table()
    for name in ("file", "", "title", "answer", "first reported", "fix expected", "public as"):
        table.add_column(name, overflow="fold")
    for file, index, finding, answer in rows:
        told = answer if answer is not None else {"standing": "cannot be asked"}
        cells = [told.get(key) or "" for key in ("standing", "first_reported", "fix_expected", "public_id")]
        table.add_row(for_terminal(file.name, 40), str(index), Text(for_terminal(finding.title, 60)), *cells)
    Console().print(table)
