# SPDX-License-Identifier: Apache-2.0
"""Proofs that are written are read back as they were."""

import msgspec
import pytest

from clearwell.proving.folder import Input, read_proof
from clearwell.proving.writing import write_proof
from house.tree import ROOT

PROOFS = sorted(place.parent.name for place in (ROOT / "examples" / "proofs").glob("*/proof.toml"))


@pytest.mark.parametrize("name", PROOFS)
def test_every_example_is_read_back_as_it_was(name, tmp_path):
    proof = read_proof(ROOT / "examples" / "proofs" / name, ROOT / "examples" / "harnesses")
    write_proof(proof, tmp_path / "copy")
    assert read_proof(tmp_path / "copy", ROOT / "examples" / "harnesses").file == proof.file


def test_a_long_input_gets_a_file_of_its_own(tmp_path):
    proof = read_proof(ROOT / "examples" / "proofs" / "y18n-CVE-2020-7774", ROOT / "examples" / "harnesses")
    long = msgspec.structs.replace(proof.file, input=Input(text='"\\\n\x7f' * 3000))
    write_proof(msgspec.structs.replace(proof, file=long), tmp_path / "copy")
    again = read_proof(tmp_path / "copy", ROOT / "examples" / "harnesses")
    assert again.folder.read(str(again.file.input.file)) == ('"\\\n\x7f' * 3000).encode()
