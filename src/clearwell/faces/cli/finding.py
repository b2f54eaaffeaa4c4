# SPDX-License-Identifier: Apache-2.0
"""`clearwell finding`: a finder's verbs about one finding over the API: show, false-hit."""

from pathlib import Path
from typing import Any

import click
import msgspec

from clearwell.faces.cli.hub import connect, hub_options
from clearwell.vocabulary.ids import parse_id
from clearwell.vocabulary.outside import for_terminal


@click.group()
def finding() -> None:
    """Look at findings of yours (CLEARWELL_URL, CLEARWELL_TOKEN)."""


@finding.command()
@click.argument("finding_id", metavar="FINDING")
@click.option("--json", "as_json", is_flag=True, help="Print the finding as one JSON object.")
@hub_options
def show(finding_id: str, as_json: bool, url: str, token_file: Path | None) -> None:
    """Show a finding: its answer, what was looked up in the real source, what its projection leaves out."""
    with connect(url, token_file) as hub:
        view = hub.get(f"/findings/{parse_id('finding', finding_id)}")
    if as_json:
        click.echo(msgspec.json.encode(view).decode())
        return
    for line in _lines(view):
        click.echo(line)


@finding.command("false-hit")
@click.argument("finding_id", metavar="FINDING")
@click.argument("number", type=click.IntRange(0))
@hub_options
def false_hit(finding_id: str, number: int, url: str, token_file: Path | None) -> None:
    """Say that omission NUMBER (see `show`) hides nothing private: it is shown in the whole report from then on."""
    with connect(url, token_file) as hub:
        hub.post(f"/findings/{parse_id('finding', finding_id)}/omissions/{number}/false-hit", {})
    click.echo(finding_id)


def _lines(view: dict[str, Any]) -> list[str]:
    answer = view["answer"]
    lines = [f"{answer['finding']}  {answer['answer']}", for_terminal(answer["title"]), for_terminal(answer["reason"], 400)]
    lines.append(for_terminal(f"  {_origin(view['origin'])}", 400))
    for name in ("affected", "aliases", "introduced", "references", "credits", "remarks"):
        lines += [for_terminal(f"  {name}: {said}", 400) for said in view[name]]
    for one in view["sanity"]["assertions"] if view["sanity"] else ():
        lines.append(for_terminal(f"  {one['outcome'].replace('_', ' ')}: {one['kind']} {one['said']} ({one['reason']})", 400))
    for omission in view["left_out"]:
        more = f" and {omission['more']} more behind it" if omission["more"] else ""
        told = "shown: a false hit" if omission["is_false"] else "left out"
        lines.append(f"  {omission['number']}  {omission['kind']} in {omission['field']}, character {omission['start']}: {told}{more}")
    return lines


def _origin(origin: dict[str, Any]) -> str:
    """Who wrote a finding, in one line: the model and who reviewed it, the tool."""

    def named(name: str) -> str:
        return " ".join(part for part in (origin.get(name), origin.get(f"{name}_version")) if part)

    reviewer, model, tool = origin.get("human_reviewer"), named("model"), named("tool")
    reviewed = f"reviewed by {reviewer}" if reviewer else "no person named who reviewed it"
    written = f"[AI] written by {model}, {reviewed}" if model else "no AI model is named"
    return f"{written}; tool {tool}" if tool else written
