# SPDX-License-Identifier: Apache-2.0
"""`clearwell sandbox`: what the sandbox enforces on this machine; on the hub's own machine, alarms and resuming after one."""

import sys

import click
import msgspec

from clearwell.ground.settings import Settings
from clearwell.proving.probe import probe as tried
from clearwell.proving.sandbox import BACKENDS, DEFAULT
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.outside import for_terminal

_UNUSABLE = 15


@click.group()
def sandbox() -> None:
    """Say what the sandbox truly enforces here; resume proving after an alarm."""


@sandbox.command()
@click.option("--backend", type=click.Choice(sorted(BACKENDS)), default=DEFAULT, show_default=True, help="Which sandbox to try.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def probe(backend: str, as_json: bool) -> None:
    """Try every limit and say which hold. Exit codes: 0 usable, 15 not."""
    found = tried(backend)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        for name, strength in found.limits.items():
            click.echo(f"  {name:20} {strength}")
        ways = f"; {found.ways_tried} ways out were tried, none led out" if found.is_usable else ""
        click.echo(f"{backend}: {'usable' if found.is_usable else for_terminal(found.reason, 500)}{ways}")
    sys.exit(0 if found.is_usable else _UNUSABLE)


@sandbox.command()
def alarms() -> None:
    """List the alarms that stop the proving queue. Exit codes: 0 it runs, 6 it is stopped."""
    from clearwell.app import open_house
    from clearwell.clearinghouse.flow.alarming import read_alarms
    from clearwell.ground.identity.actor import IDENTITY

    settings = _settings_of_a_hub()
    with open_house(settings) as house:
        found = read_alarms(house, IDENTITY)
    for alarm in found:
        click.echo(f"{alarm.raised_at:%Y-%m-%d %H:%M:%S} {alarm.id} {alarm.proof or 'a look at source'}: {for_terminal(alarm.reason, 500)}")
    click.echo("the proving queue is stopped; look, then `clearwell sandbox resume --because ...`" if found else "the proving queue runs")
    sys.exit(6 if found else 0)


@sandbox.command()
@click.option("--because", required=True, help="What was found, and why it is safe to go on.")
def resume(because: str) -> None:
    """Let the proving queue run again after an alarm; the ledger says so."""
    from clearwell.app import open_house
    from clearwell.clearinghouse.flow.alarming import resume_proving
    from clearwell.ground.identity.actor import IDENTITY

    settings = _settings_of_a_hub()
    with open_house(settings) as house:
        answered = resume_proving(house, IDENTITY, because)
    click.echo(f"{len(answered)} alarms answered; the proving queue runs again")


def _settings_of_a_hub() -> Settings:
    """The settings, where there is a hub: looking for alarms makes none. Raises NotFound."""
    from clearwell.app import settings_now

    settings, _ = settings_now()
    if not settings.keys_dir.is_dir():
        raise NotFound(f"there is no hub in {settings.data_dir}: say where it is (CLEARWELL_DATA_DIR)")
    return settings
