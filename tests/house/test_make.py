# SPDX-License-Identifier: Apache-2.0
"""The verbs of `make`: all there, listed by `make` alone, and the builders run what the README tells people to run."""

import re
import shutil
import subprocess

import pytest

from house.tree import ROOT

VERBS = ("setup", "demo", "test", "check", "bench", "proofs", "chaos", "serve", "worker", "docs", "clean")
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository."""
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_verb_and_does_nothing() -> None:
    said = make()

    listed = re.findall(r"(?m)^  ([a-z]+) +\S", said.stdout)
    assert said.returncode == 0, said.stderr
    assert listed == list(VERBS)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "clean"])
def test_every_verb_sets_up_what_it_needs_first(verb: str) -> None:
    said = make("--dry-run", verb)

    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[0].startswith("scripts/setup.sh")


def test_cleaning_never_touches_a_hub_s_data() -> None:
    removed = re.findall(r"rm -rf ([^\n|]*)", make("--dry-run", "clean").stdout)

    assert removed
    assert not re.search(r"\.clearwell|\$HOME|/var|~", " ".join(removed))


@pytest.mark.parametrize(("value", "flag"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_headless_is_handed_on(value: str, flag: bool) -> None:
    assert ("--headless" in make("--dry-run", "demo", f"HEADLESS={value}").stdout) == flag


def test_the_builders_run_the_readme_s_own_test_command() -> None:
    script = (ROOT / ".ci/run").read_text()

    assert re.search(r"(?m)^\s*(?:\$ )?make test\b", (ROOT / "README.md").read_text())
    assert [line for line in script.splitlines() if line.startswith("step") and line.endswith(("make setup", "make check", "make test"))]
    assert script.index("make check") < script.index("make test")
    assert sum(int(minutes) for minutes in re.findall(r"(?m)^step (\d+) ", script)) <= 45
