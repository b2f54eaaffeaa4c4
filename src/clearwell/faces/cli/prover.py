# SPDX-License-Identifier: Apache-2.0
"""`clearwell prover`: a proving worker on a host of its own, with a key of its own and no sight of the hub."""

import signal
import threading

import click

from clearwell.app import configure_logs, settings_now
from clearwell.ground.settings import Settings
from clearwell.proving.prover import Prover
from clearwell.proving.statement import read_seed
from clearwell.vocabulary.errors import Invalid


@click.group()
def prover() -> None:
    """Prove on a host apart: no key of the hub's, no table, one sealed order at a time."""


@prover.command()
@click.option("--drain", is_flag=True, help="Leave when no order waits.")
def run(drain: bool) -> None:
    """Carry out orders until stopped by Ctrl-C or SIGTERM; the one under way is finished first.

    Needs CLEARWELL_PROVER_URL (the role clearwell_prover), CLEARWELL_PROVING_WORKER_KEY and the hub's harnesses.
    """
    settings, _ = settings_now()
    configure_logs(settings.log_level)
    if settings.prover_url is None:
        raise Invalid("say where the hub's database is for the role clearwell_prover: CLEARWELL_PROVER_URL")
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: over.set())
    _prover(settings, settings.prover_url).work(over.wait, settings.worker_poll_seconds, drain=drain)


@prover.command()
def key() -> None:
    """Print this worker's public key, for the hub's setting `proving_worker_keys`."""
    settings, _ = settings_now()
    click.echo(_prover(settings, "").public)


def _prover(settings: Settings, url: str) -> Prover:
    if settings.proving_worker_key is None:
        raise Invalid("name the file of this worker's key (32 random bytes): CLEARWELL_PROVING_WORKER_KEY")
    return Prover(url, read_seed(settings.proving_worker_key), settings.harnesses, max(5, int(settings.stalled_worker_seconds)))
