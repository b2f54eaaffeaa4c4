# SPDX-License-Identifier: Apache-2.0
"""The command line: noun then verb, like git. A command's module is imported when that command runs, so help is instant."""

import importlib
import sys
from typing import Any

import click

from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid, NotFound, Refused, TooLate, Unavailable

EXIT_CODES: dict[type[ClearwellError], int] = {Invalid: 2, NotFound: 4, Refused: 5, Conflict: 6, TooLate: 7, Unavailable: 15}
"""The six kinds of error -> exit code (vocabulary/errors.py)."""

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module:attribute, one line of help)
    "parse": ("clearwell.faces.cli.parse:parse", "Read reports and print their findings (no server needed)."),
    "cluster": ("clearwell.faces.cli.cluster:cluster", "Say which findings are one bug (no server needed)."),
    "prove": ("clearwell.faces.cli.prove:prove", "Run a proof in isolation and print the verdict (no server needed)."),
    "sandbox": ("clearwell.faces.cli.sandbox:sandbox", "Say what the sandbox truly enforces here; resume proving after an alarm."),
    "match": ("clearwell.faces.cli.match:match", "Match inventories with advisories (no server needed)."),
    "demo": ("clearwell.faces.cli.demo:demo", "Play the exercise on a hub of its own, compare what came out, then serve it."),
    "ledger": ("clearwell.faces.cli.ledger:ledger", "Verify a ledger offline."),
    "submit": ("clearwell.faces.cli.submit:submit", "Send reports to a hub and print the answers."),
    "known": ("clearwell.faces.cli.known:known", "Ask a hub which findings it already holds, without sending them."),
    "finding": ("clearwell.faces.cli.finding:finding", "Look at a finding of yours: its answer, what was looked up, what was left out."),
    "case": ("clearwell.faces.cli.case:case", "Coordinate cases: list, show, split, merge."),
    "operator": ("clearwell.faces.cli.operator:operator", "What an operator has to do."),
    "serve": ("clearwell.faces.cli.serve:serve", "Serve the API and the pages."),
    "worker": ("clearwell.faces.cli.worker:worker", "Work through the jobs."),
    "prover": ("clearwell.faces.cli.prover:prover", "Prove for a hub on a host apart: no key and no table of the hub's."),
    "migrate": ("clearwell.faces.cli.migrate:migrate", "Bring the database to this release."),
    "backup": ("clearwell.faces.cli.backup:backup", "Write a backup: database, evidence, ledger, feed, settings; keys apart."),
    "restore": ("clearwell.faces.cli.restore:restore", "Bring a backup into an empty data folder."),
    "job": ("clearwell.faces.cli.job:job", "Look at jobs; try failed ones again."),
    "settings": ("clearwell.faces.cli.settings:settings", "Show the settings and where each came from."),
    "organization": ("clearwell.faces.cli.organization:organization", "Add organizations and people (on the hub's machine)."),
    "token": ("clearwell.faces.cli.token:token", "Issue service tokens (on the hub's machine)."),
}
"""Command -> where it lives. Help is kept here so that printing it imports nothing."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and help, and imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clearwell")
def root() -> None:
    """Clearwell: the open AI cybersecurity clearinghouse, from a finding to the installed fix."""


def main(argv: list[str] | None = None) -> Any:
    """Run a command; print an error of ours as one line and leave with its code."""
    try:
        return root.main(args=argv, standalone_mode=True)
    except ClearwellError as error:
        click.echo(f"clearwell: {error}", err=True)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
    except BrokenPipeError:
        sys.exit(0)
