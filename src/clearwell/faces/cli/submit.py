# SPDX-License-Identifier: Apache-2.0
"""`clearwell submit`: sends reports to a hub and prints the answers. The same file sent again is the same submission.

A cut connection costs at most one piece of a big file; the same command again goes on where the last one stopped.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from clearwell.faces.cli.hub import Hub, Query, connect, hub_options
from clearwell.faces.cli.sending import Sending, shown
from clearwell.formats import column_mapping
from clearwell.vocabulary.errors import Invalid, Unavailable
from clearwell.vocabulary.outside import for_terminal
from clearwell.vocabulary.product import parse_target


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--target", metavar="TARGET", help="What the reports are about, where they do not say: a package URL or REPOSITORY@COMMIT.")
@click.option(
    "--source",
    metavar="ARCHIVE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The source that they are about (tar, zip, git bundle): what they cite is looked up in it.",
)
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="The files are tables: this column holds that field (more than once)."
)
@click.option("--marking", metavar="TLP", help="A TLP 2.0 label; TLP:AMBER without it.")
@click.option("--tool", help="The tool that wrote them, where they do not say.")
@click.option("--tool-version", help="The tool's version, where they do not say.")
@click.option("--model", help="The AI model that wrote them, where they do not say.")
@click.option("--model-version", help="The model's version, where they do not say.")
@click.option("--human-reviewer", help="Who checked them before they were sent, where they do not say; nobody without it.")
@click.option(
    "--complete",
    is_flag=True,
    help="Each names everything that its tool finds in --target: what an earlier complete scan had and it lacks is 'not seen since'.",
)
@click.option(
    "--wait", default=120, show_default=True, type=click.IntRange(0, 86_400), metavar="SECONDS", help="How long to wait for answers."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one finding each, with `file` and `submission`.")
@hub_options
def submit(
    files: tuple[Path, ...],
    target: str | None,
    source: Path | None,
    columns: tuple[str, ...],
    marking: str | None,
    tool: str | None,
    tool_version: str | None,
    model: str | None,
    model_version: str | None,
    human_reviewer: str | None,
    complete: bool,
    wait: int,
    as_json: bool,
    url: str,
    token_file: Path | None,
) -> None:
    """Send reports and print the answer to each finding.

    Leaves with 0 when every file was read, 2 when one could not be, 15 when the hub was not done within --wait.
    """
    if target is not None:
        parse_target(target)
    if complete and target is None:
        raise Invalid("--complete needs --target: what is gone is looked for among earlier scans of the same target")
    column_mapping(columns)
    for file in files:
        if not file.is_file():
            raise Invalid(f"there is no file {file}")
    console = Console(stderr=True)
    envelope: Query = {
        "target": target, "marking": marking, "tool": tool, "tool_version": tool_version, "model": model, "model_version": model_version,
        "human_reviewer": human_reviewer, "complete": "true" if complete else None,
        "column": columns or None,
    }  # fmt: skip
    with connect(url, token_file) as hub:
        if source is not None:
            envelope["source"] = _send_source(hub, source)
        sent = _send_all(hub, files, envelope, console)
        end, whole = time.monotonic() + wait, True
        for file, receipt in sent:
            read = _await_read(hub, receipt["id"], end, console)
            whole = _print(hub, file, read, as_json) and whole
    sys.exit(0 if whole else 2)


def _send_source(hub: Hub, file: Path) -> str:
    with file.open("rb") as stream:
        sent = hub.upload("/sources", iter(partial(stream.read, 1 << 18), b""), file.stat().st_size, name=shown(file))
    return str(sent["id"])


def _send_all(hub: Hub, files: tuple[Path, ...], envelope: Query, console: Console) -> list[tuple[Path, dict[str, Any]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    sending, sent = Sending(hub, envelope), []
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for file in files:
            line = progress.add_task(for_terminal(file.name, 40), total=file.stat().st_size)
            sent.append((file, sending.send(file, partial(_moved, progress, line))))
    return sent


def _moved(progress: Progress, line: TaskID, done: int) -> None:
    progress.update(line, completed=done)


def _await_read(hub: Hub, submission: str, end: float, console: Console) -> dict[str, Any]:
    pause = 0.1
    with console.status("the hub reads the report") as status:
        while True:
            read: dict[str, Any] = hub.get(f"/submissions/{submission}")
            status.update(f"the hub reads the report: {read['findings']:,} findings answered")
            if read["state"] != "received":
                return read
            if time.monotonic() >= end:
                raise Unavailable(f"{submission} is safe with the hub but not read yet; ask again later (is a worker running?)")
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)


def _print(hub: Hub, file: Path, read: dict[str, Any], as_json: bool) -> bool:
    """Print a file's answers; return whether it was read whole."""
    answers = hub.pages(f"/submissions/{read['id']}/answers", "answers", limit=500)
    if as_json:
        for answer in answers:
            click.echo(msgspec.json.encode({"file": shown(file), "submission": read["id"], **answer}).decode())
        for said in read["problems"]:
            click.echo(msgspec.json.encode({"file": shown(file), "submission": read["id"], "error": said}).decode())
    else:
        _print_table(file, read, list(answers))
    return read["state"] == "parsed" and not read["problems"]


def _print_table(file: Path, read: dict[str, Any], answers: list[dict[str, Any]]) -> None:
    console = Console()
    table = Table(title=Text(f"{for_terminal(file.name)}: {len(answers):,} findings ({read['id']})"))
    for name in ("", "finding", "answer", "title", "why"):
        table.add_column(name, overflow="fold" if name in {"finding", "answer"} else "ellipsis")
    for answer in answers:
        marks = ("[AI] " if answer["ai"] else "") + (f"[not seen since {answer['not_seen_since']}] " if answer["not_seen_since"] else "")
        title, why = Text(for_terminal(marks + answer["title"], 80)), Text(for_terminal(answer["reason"], 90))
        table.add_row(str(answer["position"]), answer["finding"], answer["answer"], title, why)
    console.print(table)
    for said in read["problems"]:
        console.print(Text(f"not read: {for_terminal(said, 400)}", style="red"))
