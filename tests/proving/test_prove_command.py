# SPDX-License-Identifier: Apache-2.0
"""`clearwell prove`: keys, exit codes and what people read."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearwell.faces.cli import root
from clearwell.proving import probe as probing
from clearwell.proving import staged as boxing
from clearwell.vocabulary.errors import Invalid, Unavailable
from proving.lab import Lab

KEYS = {
    "verdict", "reason", "target", "control", "assurance", "preconditions", "variants", "ladder", "isolation", "evidence", "seconds",
}  # fmt: skip
SIDE = {"purl", "n", "fired", "signature", "archive_sha256"}


def prove(*arguments: str, env: dict[str, str] | None = None):
    return CliRunner().invoke(root, ["prove", *arguments], env=env)


@pytest.mark.sandbox
def test_the_object_has_the_promised_keys_and_the_exit_code_its_verdict(lab: Lab):
    # given
    proof = lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"', control='purl = "pkg:pypi/notes@1.1"')
    env = {**lab.index.environment, "CLEARWELL_CACHE": str(lab.cache)}
    # when
    done = prove(str(proof), "--harnesses", str(lab.place / "harnesses"), "--runs", "2", "--json", env=env)
    # then
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert set(told) >= KEYS
    assert set(told["target"]) >= SIDE
    assert set(told["control"]) >= SIDE
    assert (told["verdict"], told["target"]["n"], told["target"]["fired"], told["control"]["fired"]) == ("reproduced", 2, 2, 0)
    assert set(told["isolation"].values()) <= {"enforced", "watched"}
    assert all(set(item) == {"name", "sha256"} for item in told["evidence"])


@pytest.mark.sandbox
def test_people_read_one_line_per_fact_and_no_control_characters(lab: Lab):
    proof = lab.proof("notes", verb="save", text="/box/out/\x1b[31mred", oracle='kind = "file_write"')
    env = {**lab.index.environment, "CLEARWELL_CACHE": str(lab.cache), "CLEARWELL_HARNESSES": str(lab.place / "harnesses")}
    done = prove(str(proof), "--runs", "1", env=env)
    assert done.stdout.startswith("reproduced: ")
    assert "\x1b" not in done.stdout
    assert "control: none" in done.stdout


@pytest.mark.sandbox
def test_what_the_evidence_names_can_be_kept_to_see_why_a_proof_or_a_feature_fails(lab: Lab, tmp_path: Path):
    env = {**lab.index.environment, "CLEARWELL_CACHE": str(lab.cache), "CLEARWELL_HARNESSES": str(lab.place / "harnesses")}
    proof = lab.proof("notes", verb="missing", text="x", oracle='kind = "command"')
    kept = tmp_path / "kept"
    assert prove(str(proof), "--runs", "1", "--evidence", str(kept), env=env).exit_code == 10
    assert "has no attribute 'missing'" in (kept / "target-stderr.txt").read_text()
    assert isinstance(prove(str(proof), "--evidence", str(kept), env=env).exception, Invalid)


def test_a_folder_that_is_no_proof_is_bad_usage(tmp_path: Path):
    assert prove(str(tmp_path / "nothing")).exit_code == 2
    assert isinstance(prove(str(tmp_path)).exception, Invalid)


@pytest.mark.parametrize("reason", ["off Linux", "bubblewrap is missing"])
def test_without_a_sandbox_nothing_runs_and_it_says_unavailable(lab: Lab, monkeypatch, reason):
    # given a machine where the sandbox cannot be had
    def missing() -> str:
        raise Unavailable(reason)

    monkeypatch.setitem(boxing.PROGRAMS, "bubblewrap", missing)
    probing.probe.cache_clear()
    # when
    proof = lab.proof("notes", verb="save", text="x", oracle='kind = "file_write"')
    done = prove(str(proof), "--harnesses", str(lab.place / "harnesses"), "--json", env=lab.index.environment)
    probing.probe.cache_clear()
    # then
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (15, "unavailable")
    assert reason in told["reason"]
    assert set(told["isolation"].values()) == {"none"}
    assert not lab.index.asked
