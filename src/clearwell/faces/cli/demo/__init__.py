# SPDX-License-Identifier: Apache-2.0
"""`clearwell demo`: plays the exercise on a hub of its own through the public API, compares what came out, then serves it."""

import signal
import sys
import time
from pathlib import Path

import click
import httpx
import msgspec
from rich.console import Console

from clearwell import app
from clearwell.faces.cli.demo.acts import Played
from clearwell.faces.cli.demo.display import Progress, show_links, show_summary
from clearwell.faces.cli.demo.exercise import Exercise, read_exercise
from clearwell.faces.cli.demo.hub import RunningHub, running
from clearwell.faces.cli.demo.outcome import Outcome, observe
from clearwell.faces.cli.demo.personas import enroll, sign_in_links
from clearwell.faces.cli.demo.prefetch import fetch_archives
from clearwell.faces.cli.demo.surroundings import Surroundings
from clearwell.ground.settings import Settings

_TIMEOUT = 60.0


@click.command()
@click.option("--headless", is_flag=True, help="Stop after the summary: exit code 0 only if everything equals expected.toml, else 1.")
@click.option("--prefetch", is_flag=True, help="Only fetch the package archives that the exercise needs (they are cached).")
@click.option("--exercise", "folder", type=click.Path(path_type=Path, file_okay=False), help="The exercise. [default: examples/exercise]")
def demo(headless: bool, prefetch: bool, folder: Path | None) -> None:
    """Play the exercise: reports by three labs and a fuzzing farm become a few proven cases, and operators get the fixes.

    Uses the data folder (CLEARWELL_DATA_DIR, .clearwell). Playing it again does nothing twice. Afterwards the web app is served on
    127.0.0.1 with a one-time sign-in link for each persona.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    exercise = read_exercise(folder or _default_folder())
    began = time.monotonic()
    fetched = fetch_archives(exercise)
    console.print(f"  {time.monotonic() - began:5.1f} s  {fetched} package archives are at hand", highlight=False)
    if prefetch:
        return
    settings = _settings(exercise)
    progress = Progress(console)
    progress("the hub starts: database, server, worker")
    with app.open_house(settings) as house:
        personas = enroll(house, exercise)
        links = {} if headless else sign_in_links(personas)
        people = {secret: persona.member.person for persona, secret in links.values()}
        with running(house, people, 0 if headless else settings.port) as hub, httpx.Client(base_url=hub.address, timeout=_TIMEOUT) as http:
            surroundings = Surroundings(http, settings.outbox_dir, personas, hub.settle)
            outcome = _play(exercise, surroundings, progress)
            show_summary(console, outcome, progress.seconds)
            if not headless:
                invitations = [(m.name, mail) for m in exercise.maintainers for mail in surroundings.mails(m.contact) if mail.link]
                show_links(console, settings.public_url, links, invitations, settings.outbox_dir)
                _serve(hub)
    sys.exit(1 if outcome.differences else 0)


def _play(exercise: Exercise, surroundings: Surroundings, progress: Progress) -> Outcome:
    played = Played(exercise, surroundings, progress)
    try:
        played.play()
        progress("everybody signs in and compares")
        return observe(exercise, surroundings, played)
    finally:
        progress.end()


def _serve(hub: RunningHub) -> None:
    try:
        hub.wait()
    except KeyboardInterrupt:
        click.echo("stopping")


def _settings(exercise: Exercise) -> Settings:
    """The settings of this machine, with the exercise's harnesses and its own feed of exploited flaws."""
    settings, _ = app.settings_now()
    port = settings.port
    return msgspec.structs.replace(
        settings,
        harnesses=settings.harnesses or exercise.harnesses.resolve(),
        kev_feed=exercise.kev_feed.resolve(),
        public_url=settings.public_url if settings.public_url != Settings().public_url else f"http://127.0.0.1:{port}",
        log_level="error" if settings.log_level == Settings().log_level else settings.log_level,
    )


def _default_folder() -> Path:
    """`examples/exercise` here, or in the clone that this package runs from."""
    here = Path("examples/exercise")
    return here if here.is_dir() else Path(__file__).resolve().parents[5] / "examples" / "exercise"
