# SPDX-License-Identifier: Apache-2.0
"""Every proof under examples/ gives the verdict that examples/proofs/expected.toml names, and the how-to shows what really stands there."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROOFS = ROOT / "examples" / "proofs"
HARNESSES = ROOT / "examples" / "harnesses"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((PROOFS / "expected.toml").read_text())


def marks(folder: str) -> list[pytest.MarkDecorator]:
    """What a run of this folder needs; all but the fast ones wait for `make proofs`."""
    always = [pytest.mark.sandbox, pytest.mark.registry]
    return always if EXPECTED[folder].get("fast") else [*always, pytest.mark.proofs]


def prove(folder: Path) -> dict[str, Any]:
    """Run the proof through the command line, as an outsider would."""
    command = [str(Path(sys.executable).parent / "clearwell"), "prove", str(folder), "--harnesses", str(HARNESSES), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.stdout, f"no verdict: {done.stderr}"
    told: dict[str, Any] = json.loads(done.stdout)
    if told["verdict"] == "unavailable":
        pytest.skip(f"unavailable: {told['reason']}")
    return told


def patched(folder: str, patch: str, into: Path) -> Path:
    """A copy of the proof whose control is one of its patches."""
    copy = shutil.copytree(PROOFS / folder, into / folder)
    document = copy / "proof.toml"
    text, changed = re.subn(r"(?m)^\[control\]\npurl = .*$", f'[control]\npatch = "patches/{patch}.patch"', document.read_text())
    assert changed == 1
    document.write_text(text)
    return copy


@pytest.mark.parametrize("folder", [pytest.param(name, marks=marks(name), id=name) for name in EXPECTED])
def test_a_proof_gives_the_verdict_that_is_expected_of_it(folder: str) -> None:
    told = prove(PROOFS / folder)

    assert (told["verdict"], told["assurance"]) == (EXPECTED[folder]["verdict"], EXPECTED[folder].get("assurance", "hub")), told["reason"]


@pytest.mark.sandbox
@pytest.mark.registry
@pytest.mark.proofs
@pytest.mark.parametrize(
    ("folder", "patch", "verdict"),
    [(folder, patch, verdict) for folder, entry in EXPECTED.items() for patch, verdict in entry.get("patches", {}).items()],
)
def test_a_right_patch_is_told_from_one_that_only_looks_right(folder: str, patch: str, verdict: str, tmp_path: Path) -> None:
    copy = patched(folder, patch, tmp_path)

    told = prove(copy)

    assert told["verdict"] == verdict, told["reason"]


@pytest.mark.sandbox
@pytest.mark.registry
@pytest.mark.proofs
def test_the_hubs_harness_is_the_hubs_wherever_it_stands(tmp_path: Path) -> None:
    # given a finder who sends the hub's harness along, byte for byte
    copy = shutil.copytree(PROOFS / "minimist-CVE-2021-44906", tmp_path / "proof")
    shutil.copytree(HARNESSES / "minimist", copy / "mine")
    document = copy / "proof.toml"
    document.write_text(document.read_text().replace('harness = "minimist"', 'harness = "./mine"'))

    told = prove(copy)

    assert (told["verdict"], told["assurance"]) == ("reproduced", "hub")


@pytest.mark.sandbox
@pytest.mark.registry
@pytest.mark.proofs
def test_a_harness_changed_by_one_space_is_the_finders(tmp_path: Path) -> None:
    copy = shutil.copytree(PROOFS / "minimist-CVE-2021-44906", tmp_path / "proof")
    harness = shutil.copytree(HARNESSES / "minimist", copy / "minimist")
    (harness / "parse.js").write_text((harness / "parse.js").read_text() + "\n")
    document = copy / "proof.toml"
    document.write_text(document.read_text().replace('harness = "minimist"', 'harness = "./minimist"'))

    told = prove(copy)

    assert (told["verdict"], told["assurance"]) == ("reproduced", "finder")


@pytest.mark.sandbox
@pytest.mark.registry
@pytest.mark.proofs
def test_a_proof_without_a_control_says_so(tmp_path: Path) -> None:
    copy = shutil.copytree(PROOFS / "starlette-CVE-2023-29159", tmp_path / "proof")
    document = copy / "proof.toml"
    document.write_text(re.sub(r"(?m)^\[control\]\npurl = .*\n", "", document.read_text()))

    told = prove(copy)

    assert (told["verdict"], told["control"]) == ("reproduced", "none")


def test_every_folder_is_expected_and_every_expectation_has_a_folder() -> None:
    assert {path.parent.name for path in PROOFS.glob("*/proof.toml")} == set(EXPECTED)


def test_every_harness_of_the_hub_is_used_by_a_proof() -> None:
    used = {tomllib.loads(path.read_text())["harness"] for path in PROOFS.glob("*/proof.toml")}

    assert {path.parent.name for path in HARNESSES.glob("*/harness.toml")} == {name for name in used if not name.startswith("./")}


def test_the_how_to_shows_files_that_are_there() -> None:
    # given the how-to's blocks that name a file of examples/
    text = (ROOT / "docs" / "howto" / "write-a-proof.md").read_text()
    shown = re.findall(r"`(examples/[^`]+)`:\n\n```\w*\n(.*?)```", text, flags=re.DOTALL)

    assert len(shown) >= 3
    for name, block in shown:
        assert block in (ROOT / name).read_text(), name
