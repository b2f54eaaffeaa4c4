# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree against a naive reading of RFC 6962, and its proofs against changes."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from clearwell.ground.ledger import merkle


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def entries(count: int) -> list[bytes]:
    return [f"entry {i}".encode() for i in range(count)]


def node_over(leaves: list[bytes]) -> merkle.Node:
    return lambda height, index: naive_root(leaves[index << height : (index + 1) << height])


@given(st.lists(st.integers(1, 700), max_size=4))
def test_any_batching_gives_the_naive_tree(batches: list[int]) -> None:
    leaves = entries(sum(batches))
    edge, position = merkle.RightEdge(), 0

    for batch in batches:
        edge.extend([merkle.leaf_hash(leaf) for leaf in leaves[position : position + batch]])
        position += batch

    assert edge.size == len(leaves)
    assert edge.root() == naive_root(leaves)
    assert merkle.root_of([merkle.leaf_hash(leaf) for leaf in leaves]) == naive_root(leaves)


def test_full_tiles_rise_through_three_levels() -> None:
    edge = merkle.RightEdge()

    full = edge.extend([merkle.leaf_hash(b"x")] * 65_536)

    assert [(level, index) for level, index, _ in full if level] == [(1, 0)]
    assert [len(level) for level in edge.levels] == [0, 0, 1]


@given(st.integers(1, 600).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_an_inclusion_proof_proves_its_leaf_and_no_other(place: tuple[int, int]) -> None:
    index, size = place
    leaves = entries(size)
    root = naive_root(leaves)

    proof = merkle.inclusion_proof(index, size, node_over(leaves))

    assert merkle.includes(merkle.leaf_hash(leaves[index]), index, size, proof, root)
    assert not merkle.includes(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.includes(merkle.leaf_hash(leaves[index]), index, size, (*proof, root), root)
    assert not merkle.includes(merkle.leaf_hash(leaves[index]), size, size, proof, root)


@given(st.integers(0, 600).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_any_two_sizes_are_consistent_and_a_rewritten_past_is_not(sizes: tuple[int, int]) -> None:
    old, new = sizes
    leaves = entries(new)
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)

    proof = merkle.consistency_proof(old, new, node_over(leaves))

    assert merkle.is_prefix(old, old_root, new, new_root, proof)
    assert not merkle.is_prefix(old, b"\x00" * 32, new, new_root, proof)
    if old:
        assert not merkle.is_prefix(old, old_root, new, b"\x00" * 32, proof)


def test_a_consistency_proof_of_the_wrong_length_is_refused() -> None:
    leaves = entries(7)
    proof = merkle.consistency_proof(3, 7, node_over(leaves))
    head = (3, naive_root(leaves[:3]), 7, naive_root(leaves))

    assert merkle.is_prefix(*head, proof)
    assert not merkle.is_prefix(*head, proof[:-1])
    assert not merkle.is_prefix(*head, (*proof, proof[0]))
    assert not merkle.is_prefix(*head, ())
    assert not merkle.is_prefix(7, naive_root(leaves), 3, naive_root(leaves[:3]), proof)
