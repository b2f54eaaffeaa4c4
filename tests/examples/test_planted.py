# SPDX-License-Identifier: Apache-2.0
"""The planted library: ten flaws of our own; every good patch is not refuted, every bad one is caught by its name. No download."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

from clearwell.proving.folder import read_proof
from clearwell.proving.reproduction import Settings, kills, verify_fix
from clearwell.proving.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PLANTED = ROOT / "examples" / "planted"
EXPECTED = tomllib.loads((PLANTED / "expected.toml").read_text())
FAST = {("label", "special-cases"), ("label", "edits-tests")}
FIVE = {"no_op", "deletes_the_feature", "special_cases_the_proof", "breaks_the_tests", "edits_the_tests"}


def patch(name: str, which: str) -> bytes:
    return (PLANTED / "proofs" / name / "patches" / f"{which}.patch").read_bytes()


def cases():
    for name, patches in EXPECTED.items():
        for which, expected in patches.items():
            marks = [pytest.mark.sandbox] + ([] if (name, which) in FAST else [pytest.mark.proofs])
            yield pytest.param(name, which, expected, marks=marks, id=f"{name}-{which}")


@pytest.mark.parametrize(("name", "which", "expected"), list(cases()))
def test_a_patch_is_judged_as_it_deserves(name: str, which: str, expected: str) -> None:
    judged = verify_fix(read_proof(PLANTED / "proofs" / name, PLANTED / "harnesses"), patch(name, which), Settings(runs=2))
    assert (judged.caught or judged.label.value) == expected, judged.reason
    assert judged.exit_code == {"not_refuted": 0, "flagged": 17}.get(expected, 16)
    assert judged.rungs[-1].name == "person"
    assert judged.rungs[-1].state == "not_reached"


def test_the_archive_is_the_library_and_every_flaw_has_a_good_and_a_bad_patch() -> None:
    spec = importlib.util.spec_from_file_location("script_planted", ROOT / "scripts" / "planted.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.ARCHIVE.read_bytes() == script.pack(PLANTED / "library"), "run scripts/planted.py"
    assert len(EXPECTED) == 10 == len(list((PLANTED / "proofs").iterdir()))
    for name, patches in EXPECTED.items():
        assert sorted(path.stem for path in (PLANTED / "proofs" / name / "patches").iterdir()) == sorted(patches)
        assert patches["good"] == "not_refuted"
        assert len(patches) > 1
    assert {caught for patches in EXPECTED.values() for caught in patches.values()} >= FIVE


@pytest.mark.sandbox
@pytest.mark.proofs
def test_each_good_patch_silences_its_own_proof_and_no_other() -> None:
    proofs = {name: read_proof(PLANTED / "proofs" / name, PLANTED / "harnesses") for name in ("label", "pairs", "lookup")}
    with Sandbox() as sandbox:
        for fix in proofs:
            row = {name: kills(proof, patch(fix, "good"), Settings(runs=1), sandbox=sandbox).outcome for name, proof in proofs.items()}
            assert row == {name: "killed" if name == fix else "fires" for name in proofs}
        deleted = patch("label", "deletes-feature")
        assert kills(proofs["label"], deleted, Settings(runs=1), sandbox=sandbox).outcome == "unknown"
