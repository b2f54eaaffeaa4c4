# SPDX-License-Identifier: Apache-2.0
"""Statements of verdicts: signed, checked offline, refused when changed, and enough to run the proof again."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from securesystemslib.dsse import Envelope

from clearwell.faces.cli import main
from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.interval import clopper_pearson
from clearwell.proving.order import Order, look
from clearwell.proving.prover import Prover
from clearwell.proving.reproduction import judge_fix, reproduce, reproduce_proof
from clearwell.proving.rerunning import find_folder, run_again, said
from clearwell.proving.statement import (
    PAYLOAD_TYPE,
    make_signer,
    read_key,
    read_signer,
    sign,
    state,
    verify,
    write_key,
)
from clearwell.proving.verdict import Evidence, Outcome, Runs, Verdict
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound
from proving.test_reproduction import RIGHT

SIGNER = make_signer(b"\x01" * 32)


def _reproduction() -> Reproduction:
    verdict = Verdict(
        verdict=Outcome.REPRODUCED, reason="it fired", target=Runs("pkg:pypi/notes@1.0", 3, 3), control="none", assurance="hub",
        preconditions=(), variants=(), ladder=(), isolation={"network": "enforced"},
        evidence=(Evidence("proof", "a" * 64), Evidence("harness notes", "b" * 64), Evidence("target stdout", "c" * 64)), seconds=1.0,
    )  # fmt: skip
    return Reproduction(verdict, {"target stdout": b"\xffsaid"})


@pytest.fixture
def envelope() -> bytes:
    return sign(state(_reproduction(), Settings()), SIGNER)


def test_a_statement_names_its_subjects_and_what_it_stands_on(envelope):
    statement = verify(envelope, SIGNER.public_key)
    told = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert [s["name"] for s in told["subject"]] == ["proof", "harness notes"]
    assert (statement.digest("proof"), statement.digest("harness")) == ("a" * 64, "b" * 64)
    assert statement.predicate.exhibits[0].head == b"\xffsaid"
    assert statement.predicate.materials.kernel
    assert all(len(tool.sha256) == 64 for tool in statement.predicate.materials.tools)


def test_a_statement_of_another_key_or_changed_since_is_refused(envelope):
    with pytest.raises(Conflict):
        verify(envelope, make_signer(b"\x02" * 32).public_key)
    parts = json.loads(envelope)
    payload = base64.b64decode(parts["payload"]).replace(b'"reproduced"', b'"unavailable"')
    parts["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(Conflict):
        verify(json.dumps(parts).encode(), SIGNER.public_key)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b'{"payload": 1}', b'{"payload": "x", "payloadType": "y", "signatures": {}}', b"\xff" * 40]
)
def test_what_is_no_envelope_is_invalid(content):
    with pytest.raises((Invalid, Conflict)):
        verify(content, SIGNER.public_key)


def test_a_key_that_is_named_twice_is_refused_for_readers_differ_in_which_they_believe(envelope):
    # given an envelope with two payloads, of which the signed one comes last, and a signed payload with two verdicts
    parts = json.loads(envelope)
    other = base64.b64encode(base64.b64decode(parts["payload"]).replace(b'"reproduced"', b'"unavailable"')).decode()
    twice = envelope.replace(b'"payload":', f'"payload":"{other}","payload":'.encode(), 1)
    payload = base64.b64decode(parts["payload"]).replace(b'"verdict":"repro', b'"verdict":"unavailable","verdict":"repro', 1)
    signed = Envelope(payload, PAYLOAD_TYPE, {})
    signed.sign(SIGNER)
    for content in (twice, json.dumps(signed.to_dict()).encode()):
        with pytest.raises(Invalid, match="twice"):
            verify(content, SIGNER.public_key)


@pytest.mark.sandbox
def test_a_statement_never_holds_a_token_and_tells_the_sources_of_its_runs_apart(lab):
    # given a secret that gets out, and a patch
    leak = lab.proof("notes", verb="load", text="../secret/canary.txt", oracle='kind = "leak"')
    patch = b"--- a/notes.py\n+++ b/notes.py\n@@ -4 +4 @@\n-FIXED = False\n+FIXED = True\n"
    registry = lab.registry()
    done = judge_fix(lab.read(leak), patch, lab.settings, sandbox=lab.sandbox, registry=registry)[1]
    registry.close()
    # then what was printed is kept without the token, and a patched source's runs are told from the other's
    assert done.exhibits["target stdout"].strip() == b"(the token of this run)"
    sources = {one.sha256 for one in done.verdict.evidence if one.name.startswith("source of")}
    assert len(sources) == 2
    assert {step.source_sha256 for step in done.transcript} == sources


def test_a_signed_document_of_another_kind_is_invalid():

    for payload, kind in ((b"{}", PAYLOAD_TYPE), (b"{}", "application/json")):
        other = Envelope(payload, kind, {})
        other.sign(SIGNER)
        with pytest.raises(Invalid):
            verify(msgspec.json.encode(other.to_dict()), SIGNER.public_key)


def test_keys_are_written_and_read_and_what_is_none_is_refused(tmp_path):
    assert read_key(write_key(SIGNER)).keyid == SIGNER.public_key.keyid
    (tmp_path / "raw").write_bytes(b"\x01" * 32)
    (tmp_path / "text").write_bytes(base64.b64encode(b"\x01" * 32) + b"\n")
    (tmp_path / "bad").write_bytes(b"short")
    assert read_signer(tmp_path / "raw").public_key == read_signer(tmp_path / "text").public_key == SIGNER.public_key
    with pytest.raises(Invalid):
        read_signer(tmp_path / "bad")
    for content in (b"", b"{}", b'{"keyid": "x", "keytype": "ed25519", "scheme": "ed25519", "keyval": {}}'):
        with pytest.raises(Invalid):
            read_key(content)


def test_a_rate_has_its_exact_interval():
    # Clopper and Pearson, 95%: 0 of 3 up to 70.8%, 3 of 3 from 29.2%, 5 of 10 between 18.7% and 81.3%.
    assert clopper_pearson(0, 3) == (0.0, 0.7076)
    assert clopper_pearson(3, 3) == (0.2924, 1.0)
    assert clopper_pearson(5, 10) == (0.1871, 0.8129)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@pytest.mark.sandbox
def test_a_statement_alone_leads_to_the_same_verdict(lab, tmp_path):
    # given a proof that reproduces, stated
    text = "open('/box/out/pwned', 'w').write(open('/box/secret/canary.txt').read())"
    proof = lab.proof("notes", oracle='kind = "command"', verb="eval", text=text, control='purl = "pkg:pypi/notes@1.1"')
    harnesses, registry = lab.place / "harnesses", lab.registry()
    try:
        done = reproduce(proof, harnesses, lab.settings, sandbox=lab.sandbox, registry=registry)
        statement = verify(sign(state(done, lab.settings), SIGNER), SIGNER.public_key)
        # when it is run again from the statement, the folder found by its hash
        again = run_again(statement, lab.place, harnesses, sandbox=lab.sandbox, registry=registry)
        # then it says the same; each run is in the transcript, and no token is
        assert again.done.verdict.verdict is done.verdict.verdict is Outcome.REPRODUCED
        assert [step.effects for step in statement.predicate.transcript].count(1) == 1
        # and another harness is another matter
        (harnesses / "notes" / "more.txt").write_text("x")
        with pytest.raises(Conflict, match="harness"):
            run_again(statement, lab.place, harnesses, sandbox=lab.sandbox, registry=registry)
    finally:
        registry.close()
    with pytest.raises(NotFound):
        find_folder(tmp_path / "nowhere", "0" * 64)


@pytest.mark.sandbox
@pytest.mark.parametrize("question", ["judge", "kill", "control"])
def test_a_statement_about_a_patch_leads_to_the_same_answer_with_the_patch_alone(lab, question):
    # given what was stated of a patch: of its ladder, of one cell, or as the control of a proof that brings it along
    proof, patch = lab.read(lab.c_proof()), RIGHT.encode()
    if question == "control":
        proof = lab.read(lab.c_proof(control='patch = "fix.patch"', files={"fix.patch": RIGHT}))
    registry = lab.registry()
    again = {"sandbox": lab.sandbox, "registry": registry}
    try:
        if question == "control":
            stated = state(reproduce_proof(proof, lab.settings, **again), lab.settings)
        else:
            seen = look(Order("order_x", question, proof.folder.files, lab.settings, patch=patch), lab.place / "harnesses", **again)
            stated = state(seen.done, lab.settings, patch, judged=seen.judged, kill=seen.kill)
        statement = verify(sign(stated, SIGNER), SIGNER.public_key)
        before = said(statement.predicate)
        assert before == {"judge": "not_refuted", "kill": "killed", "control": "reproduced"}[question]
        # when it is run again, with the patch found by its hash
        if question != "control":
            with pytest.raises(NotFound, match="patch"):
                run_again(statement, lab.place, lab.place / "harnesses", **again)
            with pytest.raises(NotFound, match="patch"):
                run_again(statement, lab.place, lab.place / "harnesses", patch=patch + b"\n", **again)
        given = None if question == "control" else patch
        # then the same question has the same answer
        assert said(run_again(statement, lab.place, lab.place / "harnesses", patch=given, **again)) == before
    finally:
        registry.close()


def test_a_key_is_read_as_a_worker_prints_it_too():
    printed = Prover("", b"\x01" * 32, None).public
    assert read_key(f"{printed}\n".encode()).keyid == read_key(printed[:64].encode()).keyid == SIGNER.public_key.keyid


def test_the_command_checks_a_statement_offline(envelope, tmp_path, capsys):
    (tmp_path / "s.json").write_bytes(envelope)
    (tmp_path / "key.pub").write_bytes(write_key(SIGNER))
    (tmp_path / "other.pub").write_bytes(write_key(make_signer(b"\x02" * 32)))
    with pytest.raises(SystemExit) as left:
        main(["prove", "verify", str(tmp_path / "s.json"), "--key", str(tmp_path / "key.pub")])
    assert left.value.code in {0, None}
    assert "the signature holds" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["prove", "verify", str(tmp_path / "s.json"), "--key", str(tmp_path / "other.pub")])
    assert left.value.code == 6


def test_the_command_needs_a_key_to_state_anything(tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["prove", str(tmp_path), "--statement", str(tmp_path / "s.json")])
    assert left.value.code == 2


@pytest.mark.sandbox
def test_the_command_says_what_the_sandbox_enforces(sandbox):
    done = subprocess.run(
        [Path(sys.executable).with_name("clearwell"), "sandbox", "probe", "--json"], capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["backend"] == "bubblewrap"
    assert set(told["limits"].values()) <= {"enforced", "watched"}
    assert told["ways_tried"] >= 6
