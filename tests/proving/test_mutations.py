# SPDX-License-Identifier: Apache-2.0
"""Mutations of a proof's input: different, near, the same for the same seed, and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.mutations import mutations


@given(st.binary(min_size=1, max_size=300), st.integers(1, 40))
def test_they_differ_from_the_proof_and_from_each_other_and_come_again(content, most):
    found = mutations(content, b"seed", most)
    contents = [mutation.content for mutation in found]
    assert len(set(contents)) == len(contents) <= most
    assert content not in contents
    assert b"" not in contents
    assert found == mutations(content, b"seed", most)


def test_each_kind_has_its_turn():
    kinds = {mutation.how for mutation in mutations(b'{"size": 65535, "name": "aaaaaaaaaaaa"}\nnext line\n', b"", 60)}
    assert {
        "a number changed", "a repeat made longer or shorter", "a word's case", "a delimiter doubled", "the last byte left out",
        "one byte changed", "a line doubled", "bytes changed at random",
    } <= kinds  # fmt: skip


def test_an_empty_or_huge_input_has_none():
    assert mutations(b"", b"", 10) == mutations(b"x" * (2 << 20), b"", 10) == ()
