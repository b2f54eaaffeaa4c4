# SPDX-License-Identifier: Apache-2.0
"""The walls of the house: the import contracts of pyproject.toml hold for the code, and each of them would find a breach."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [
    "faces", "faces/asgi", "faces/cli", "faces/cli/prove", "faces/api", "faces/api/cases", "faces/web", "faces/web/pages",
    "app",
    "obligations", "directives", "tool_access", "programs", "enforcement", "enforcement/referral",
    "frontier", "frontier/window",
    "clearinghouse", "clearinghouse/flow", "clearinghouse/tempo",
    "clearinghouse/claims", "clearinghouse/intake", "clearinghouse/dedupe", "clearinghouse/dedupe/signature", "clearinghouse/validation",
    "clearinghouse/prioritization", "clearinghouse/remediation", "clearinghouse/distribution",
    "clearinghouse/case", "clearinghouse/case/store",
    "benchmark", "benchmark/run",
    "inventory", "inventory/matching", "proving", "proving/sandbox",
    "formats", "formats/sarif", "formats/sarif/model", "formats/csaf",
    "ground", "ground/settings", "ground/house", "ground/sharing", "ground/policy", "ground/identity", "ground/ledger",
    "ground/jobs", "ground/jobs/queue",
    "ground/storage", "ground/storage/database",
    "vocabulary", "vocabulary/errors",
]  # fmt: skip
"""Every room of the plan, those that are not built yet too: the walls must stand before somebody moves in."""

BREACHES = [
    # contract, the file that breaks it, what it must not say
    ("floors", "vocabulary/errors", "import clearwell.ground.ledger"),
    ("floors", "ground/storage/database", "import clearwell.clearinghouse.case.store"),
    ("floors", "formats/csaf", "import clearwell.inventory.matching"),
    ("floors", "inventory/matching", "import clearwell.proving.sandbox"),
    ("floors", "proving/sandbox", "from clearwell.clearinghouse.case import store"),
    ("floors", "clearinghouse/flow", "import clearwell.benchmark.run"),
    ("floors", "frontier/window", "from clearwell.enforcement.referral import x"),
    ("floors", "enforcement/referral", "import clearwell.app"),
    ("floors", "app", "import clearwell.faces.cli.prove"),
    ("ground", "ground/storage/database", "import clearwell.ground.jobs"),
    ("ground", "ground/ledger", "import clearwell.ground.identity"),
    ("ground", "ground/policy", "from clearwell.ground import house"),
    ("ground-settings", "ground/settings", "import clearwell.ground.storage.database"),
    ("clearinghouse", "clearinghouse/dedupe/signature", "import clearwell.clearinghouse.intake"),
    ("clearinghouse", "clearinghouse/case/store", "import clearwell.clearinghouse.validation"),
    ("clearinghouse", "clearinghouse/remediation", "import clearwell.clearinghouse.flow"),
    ("clearinghouse", "clearinghouse/tempo", "import clearwell.clearinghouse.flow"),
    ("formats", "formats/sarif/model", "import clearwell.formats.csaf"),
    ("formats-registry", "formats/csaf", "import clearwell.formats"),
    ("formats-registry", "formats/sarif/model", "from clearwell.formats import registry"),
    ("faces", "faces/api/cases", "import clearwell.faces.web.pages"),
    ("faces", "faces/cli/prove", "import clearwell.faces.api"),
    ("driver", "clearinghouse/case/store", "import psycopg"),
    ("driver", "ground/ledger", "import psycopg_pool"),
    ("driver", "app", "from procrastinate import App"),
    ("web", "clearinghouse/flow", "from litestar import get"),
    ("web", "ground/identity", "import jinja2"),
    ("web", "proving/sandbox", "import rich.console"),
]
CONTRACTS = sorted({contract for contract, _, _ in BREACHES})


def build(folder: Path, additions: dict[str, list[str]]) -> None:
    """Write a package `clearwell` with all rooms, each file with the lines of `additions`; a room with others inside is a package."""
    for room in [*ROOMS, *(name for name in additions if name not in ROOMS)]:
        is_package = any(other.startswith(f"{room}/") for other in ROOMS)
        place = folder / "clearwell" / room / "__init__.py" if is_package else folder / "clearwell" / f"{room}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join(additions.get(room, ["x = 1"])) + "\n")
    (folder / "clearwell/__init__.py").touch()


def lint(folder: Path, *options: str) -> tuple[int, str]:
    """Check the package in `folder` against the contracts of the repository; return the exit code and what was said."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(ROOT / "pyproject.toml"), "--no-logo", "--no-cache"]
    done = subprocess.run(
        [*command, *options], cwd=folder, env={**os.environ, "COLUMNS": "500", "NO_COLOR": "1"}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_every_wall_stands_in_the_code_as_it_is() -> None:
    code, said = lint(ROOT / "src")

    assert code == 0, said


def test_every_wall_has_a_breach_that_it_must_find() -> None:
    written = re.findall(r'^id = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert sorted(written) == CONTRACTS


def test_a_house_with_every_room_of_the_plan_breaks_no_wall(tmp_path: Path) -> None:
    build(tmp_path, {})

    code, said = lint(tmp_path)

    assert code == 0, said


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_wall_finds_each_breach(contract: str, tmp_path: Path) -> None:
    additions: dict[str, list[str]] = {}
    for _, file, line in (breach for breach in BREACHES if breach[0] == contract):
        additions.setdefault(file, ["registry = 1"]).append(line)
    build(tmp_path, additions)

    code, said = lint(tmp_path, "--contract", contract)

    assert code == 1, said
    missed = [file for file in additions if not re.search(rf"\bclearwell\.{re.escape(file.replace('/', '.'))} -> ", said)]
    assert missed == [], said


@pytest.mark.parametrize(
    ("contract", "room"), [("floors", "helpers"), ("ground", "ground/misc"), ("clearinghouse", "clearinghouse/triage")]
)
def test_a_room_that_is_not_on_the_plan_is_found(contract: str, room: str, tmp_path: Path) -> None:
    build(tmp_path, {room: ["x = 1"]})

    code, said = lint(tmp_path, "--contract", contract)

    assert code == 1
    assert room.rsplit("/", 1)[-1] in said


def test_an_allowed_import_breaks_no_wall(tmp_path: Path) -> None:
    additions = {
        "faces/cli/prove": ["import click", "import clearwell.proving.sandbox"],
        "app": ["import clearwell.clearinghouse.flow", "import clearwell.ground.house"],
        "clearinghouse/flow": ["import clearwell.clearinghouse.dedupe.signature", "import clearwell.clearinghouse.case.store"],
        "clearinghouse/intake": ["import clearwell.formats", "import clearwell.clearinghouse.case"],
        "formats/sarif": ["import clearwell.formats.sarif.model", "import clearwell.vocabulary.errors"],
        "ground/jobs/queue": ["import psycopg", "import clearwell.ground.storage.database"],
        "faces/asgi": ["import clearwell.faces.api", "import clearwell.faces.web"],
    }
    build(tmp_path, additions)

    code, said = lint(tmp_path)

    assert code == 0, said
