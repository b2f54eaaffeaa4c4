# SPDX-License-Identifier: Apache-2.0
"""Kills in the middle of everything: the same end state. `make chaos` spreads 30 over the exercise; three fixed ones run always."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chaos.reduced import reduced
from chaos.rig import Kill, rig, seeded_kills
from clearwell.faces.cli.demo.exercise import Exercise, read_exercise
from house.tree import ROOT

KILLS = 30
REDUCED = ("lantern/javascript.json", "northgate/flintscan-minimist.sarif")
FIXED = (Kill(7, 0.0, "worker"), Kill(15, 0.1, "server"), Kill(26, 0.0, "database"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder: a socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        yield Path(folder)


class State(msgspec.Struct, frozen=True):
    """How a run ended: what differs from the exercise's expectation (nothing, unless it is out of date), and how many rows there are."""

    differences: tuple[str, ...]
    counts: dict[str, int]


def _run(folder: Path, exercise: Exercise, kills: tuple[Kill, ...]) -> tuple[int, State]:
    """Play the exercise while killing; return how many entries the ledger got meanwhile, and the end state."""
    with rig(folder, exercise) as hub:
        killing = hub.kill_along(kills)
        played, surroundings = hub.play()
        entries = hub.entries()  # looking at the outcome writes more
        killing.join(timeout=60)
        assert tuple(hub.killed) == kills
        outcome = hub.outcome(played, surroundings)
        assert hub.failed_jobs() is None
        assert hub.unreadable() == []
        return entries, State(outcome.differences, hub.counts())


def _seed() -> int:
    given = os.environ.get("CHAOS_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**6)


@pytest.mark.sandbox
@pytest.mark.registry
def test_a_killed_worker_server_and_database_change_nothing(place: Path) -> None:
    exercise = reduced(read_exercise(ROOT / "examples" / "exercise"), REDUCED)

    _, end = _run(place / "d", exercise, FIXED)

    assert end.differences == ()
    assert end.counts["finding"] == sum(map(len, exercise.expected.answers.values()))
    assert end.counts["vulnerability_case"] == len(exercise.expected.case)


@pytest.mark.chaos
@pytest.mark.sandbox
@pytest.mark.registry
def test_thirty_kills_change_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = read_exercise(ROOT / "examples" / "exercise")
    if os.environ.get("CHAOS_REDUCED"):
        exercise = reduced(exercise, REDUCED)
    seed = _seed()
    with capsys.disabled():
        print(f"\nCHAOS_SEED={seed} (make chaos SEED={seed} replays it)")

    entries, undisturbed = _run(place / "a", exercise, ())
    kills = seeded_kills(seed, KILLS, entries)
    with capsys.disabled():
        print(f"{entries} entries undisturbed; kills: {' '.join(f'{kill.victim}@{kill.entries}' for kill in kills)}")
    _, disturbed = _run(place / "b", exercise, kills)

    assert disturbed == undisturbed
