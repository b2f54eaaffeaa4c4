# SPDX-License-Identifier: Apache-2.0
"""Rung L3 on real bugs: reports of one root cause are joined by patches, look-alikes stay apart, a deleted feature joins nothing."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from clearwell.clearinghouse.dedupe.equivalence import Fixed, KnownFix, Relation, compare
from clearwell.proving.folder import Input, Proof, Side, read_proof
from clearwell.proving.patches import parse
from clearwell.proving.reproduction import Settings, kills, verify_fix
from clearwell.proving.verdict import FixLabel
from clearwell.vocabulary.ids import CaseId, ProofId, RemediationId

pytestmark = [pytest.mark.sandbox, pytest.mark.registry, pytest.mark.proofs]

ROOT = Path(__file__).parents[2]
PROOFS = ROOT / "examples" / "proofs"
ONCE = Settings(runs=1, with_ladder=False, wall_seconds=120)  # the slow ones take ten seconds of an idle machine


def proof(folder: str, **changed: Any) -> Proof:
    """A proof of the examples, with another input where a second report has one."""
    read = read_proof(PROOFS / folder, ROOT / "examples" / "harnesses")
    return msgspec.structs.replace(read, file=msgspec.structs.replace(read.file, **changed))


def patch(folder: str, name: str = "right") -> bytes:
    return (PROOFS / folder / "patches" / f"{name}.patch").read_bytes()


def relation(one: tuple[Proof, bytes | Side], other: tuple[Proof, bytes | Side]) -> Relation:
    """What two cases are to each other, all of it measured: the ladders as each proof states them, the four cells as they ran."""
    names = ("a", "b")
    sides, cells = [], {}
    for name, (seen, fix) in zip(names, (one, other), strict=True):
        is_patch = isinstance(fix, bytes)
        known = KnownFix(RemediationId(f"fix_{name}"), str(hash(fix)) if is_patch else None, len(parse(fix)[0].hunks) if is_patch else 0)
        ladder = seen.file.ladder
        sides.append(Fixed(CaseId(f"case_{name}"), (ProofId(f"proof_{name}"),), (known,), frozenset(ladder.fires), frozenset(ladder.clean)))
        for target, (on, _) in zip(names, (one, other), strict=True):
            kill = kills(on, fix, ONCE)
            if not kill.is_available:
                pytest.skip(f"unavailable: {kill.reason}")
            cells[(known.id, ProofId(f"proof_{target}"))] = kill.outcome
    assert cells[(RemediationId("fix_a"), ProofId("proof_a"))] == cells[(RemediationId("fix_b"), ProofId("proof_b"))] == "killed"
    return compare(sides[0], sides[1], cells).relation


PYYAML, UVLOOP, UNTANGLE = "pyyaml-CVE-2020-14343", "uvloop-CVE-2021-22918", "untangle-CVE-2022-31471"
UJSON, CMARK, PYCARES = "ujson-CVE-2021-45958", "cmarkgfm-CVE-2022-24724", "pycares-CVE-2016-5180"


def second(folder: str, number: int) -> Proof:
    """The report of somebody who found the flaw by a variant's input, and saw it in the variant's functions."""
    read = proof(folder)
    found = read.file.variant[number]
    oracle = msgspec.structs.replace(read.file.oracle, functions=found.functions or read.file.oracle.functions)
    return proof(folder, input=found.input or read.file.input, args=found.args or read.file.args, oracle=oracle, variant=())


def test_a_read_and_a_write_in_two_functions_of_cmark_are_one() -> None:
    read = (proof(CMARK, variant=()), patch(CMARK))
    assert relation(read, (second(CMARK, 0), patch(CMARK, "other"))) is Relation.SAME


@pytest.mark.parametrize("chain", [0, 1], ids=["nesting", "objects"])
def test_two_call_chains_of_ujson_are_one(chain: int) -> None:
    assert relation((proof(UJSON, variant=()), patch(UJSON)), (second(UJSON, chain), patch(UJSON, "other"))) is Relation.SAME


@pytest.mark.parametrize("name", [0, 1])
def test_three_names_of_c_ares_that_overflow_regions_of_other_sizes_are_one(name: int) -> None:
    assert relation((proof(PYCARES, variant=()), patch(PYCARES)), (second(PYCARES, name), patch(PYCARES, "other"))) is Relation.SAME


def test_one_patch_of_two_places_for_two_reports_joins_nothing() -> None:
    """It may fix two flaws at once; only a person can tell."""
    assert relation((proof(PYCARES, variant=()), patch(PYCARES)), (second(PYCARES, 0), patch(PYCARES))) is Relation.UNKNOWN


def test_memory_and_time_in_one_parser_of_cmark_are_apart_by_a_patch_of_one_and_a_version_of_the_other() -> None:
    slow = proof("cmarkgfm-CVE-2022-39209")
    assert relation((proof(CMARK, variant=()), patch(CMARK)), (slow, Side(purl=slow.file.control.purl))) in {  # type: ignore[union-attr]
        Relation.DIFFERENT,
        Relation.UNKNOWN,
    }


def test_a_patch_that_ignores_the_indent_of_ujson_silences_both_proofs_and_joins_nothing() -> None:
    deleting = (
        b"--- a/lib/ultrajsonenc.c\n+++ b/lib/ultrajsonenc.c\n@@ -513,4 +513,5 @@\n {\n   int i;\n"
        b"+  enc->indent = 0;\n   if (enc->indent > 0)\n     while (value-- > 0)\n"
    )
    for report in (proof(UJSON, variant=()), second(UJSON, 1)):
        assert kills(report, deleting, ONCE).outcome == "unknown"


def test_two_payload_shapes_of_pyyaml_without_any_stack_are_one() -> None:
    other = proof(PYYAML, input=Input(file="state-exec.yaml"), variant=())
    assert relation((proof(PYYAML, variant=()), patch(PYYAML)), (other, patch(PYYAML, "other"))) is Relation.SAME


def test_two_truncated_names_of_libuv_are_one() -> None:
    other = proof(UVLOOP, input=Input(hex="61f09f"), variant=())
    assert relation((proof(UVLOOP, variant=()), patch(UVLOOP)), (other, patch(UVLOOP, "other"))) is Relation.SAME


def test_a_file_read_and_a_forged_request_through_one_entity_of_untangle_are_one() -> None:
    forged = f"{UNTANGLE}-ssrf"
    assert relation((proof(UNTANGLE), patch(UNTANGLE)), (proof(forged), patch(forged))) is Relation.SAME


def test_the_two_pollutions_of_minimist_are_apart() -> None:
    one, other = "minimist-CVE-2020-7598", "minimist-CVE-2021-44906"
    assert relation((proof(one), patch(one)), (proof(other), patch(other))) is Relation.DIFFERENT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jinja2-CVE-2024-22195", "jinja2-CVE-2024-34064"),
        ("jinja2-CVE-2024-34064", "jinja2-CVE-2024-56326"),
        ("jinja2-CVE-2024-56326", "jinja2-CVE-2025-27516"),
        ("cmarkgfm-CVE-2022-24724", "cmarkgfm-CVE-2022-39209"),
    ],
)
def test_look_alikes_with_versions_alone_are_never_joined(one: str, other: str) -> None:
    pair = [(proof(name), Side(purl=proof(name).file.control.purl)) for name in (one, other)]  # type: ignore[union-attr]
    assert relation(*pair) in {Relation.DIFFERENT, Relation.UNKNOWN}


def test_a_patch_that_deletes_the_feature_is_refuted_and_silences_nothing() -> None:
    deleting = (
        b"--- a/untangle.py\n+++ b/untangle.py\n@@ -183,1 +183,2 @@\n def parse(filename, **parser_features):\n"
        b'+    raise ValueError("not any more")\n'
    )
    judged = verify_fix(proof(UNTANGLE), deleting, ONCE)
    assert (judged.label, judged.caught) == (FixLabel.REFUTED, "deletes_the_feature"), judged.reason
    assert kills(proof(f"{UNTANGLE}-ssrf"), deleting, ONCE).outcome == "unknown"
