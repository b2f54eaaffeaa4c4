# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962: hashes, the right edge of a growing tree, and the two proofs."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
WIDTH = 256
"""Hashes in a full tile: a tile is a subtree of height 8 (C2SP tlog-tiles)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""

Node = Callable[[int, int], bytes]
"""(height, index) -> hash of that complete subtree: `D[index * 2**height : (index + 1) * 2**height]`."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry into a leaf (RFC 6962, 2.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962, 2.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes], tail: bytes | None = None) -> bytes | None:
    """Hash complete subtrees of equal height, and the incomplete one to their right, into one root; None when there is nothing.

    Bottom up: an odd last subtree is the sibling of the incomplete one; an even row leaves the latter to the next height.
    """
    row = list(hashes)
    while row:
        if len(row) % 2:
            last = row.pop()
            tail = last if tail is None else node_hash(last, tail)
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return tail


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf (or equally high subtree) hashes."""
    root = fold(hashes)
    return EMPTY_ROOT if root is None else root


class RightEdge:
    """The incomplete tiles of a growing tree: all that is needed to go on and to know the root.

    `levels[l]` holds at most 255 hashes of complete subtrees of 256**l leaves.
    """

    def __init__(self, levels: Iterable[Iterable[bytes]] = ()) -> None:
        self.levels: list[list[bytes]] = [list(level) for level in levels]

    def copy(self) -> "RightEdge":
        """Return an edge that grows on its own."""
        return RightEdge(self.levels)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return sum(len(hashes) * WIDTH**level for level, hashes in enumerate(self.levels))

    def root(self) -> bytes:
        """The Merkle tree hash of everything so far."""
        tail: bytes | None = None
        for hashes in self.levels:
            tail = fold(hashes, tail)
        return EMPTY_ROOT if tail is None else tail

    def extend(self, leaves: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
        """Append leaf hashes; return each tile that became full as (level, index, 8,192 bytes), lower levels first."""
        full: list[tuple[int, int, bytes]] = []
        position, level, rising = self.size, 0, list(leaves)
        while rising:
            if level == len(self.levels):
                self.levels.append([])
            index = position // WIDTH ** (level + 1)
            waiting = self.levels[level] + rising
            cut = len(waiting) - len(waiting) % WIDTH
            rising = []
            for start in range(0, cut, WIDTH):
                hashes = waiting[start : start + WIDTH]
                full.append((level, index + start // WIDTH, b"".join(hashes)))
                rising.append(root_of(hashes))
            self.levels[level] = waiting[cut:]
            level += 1
        return full


def range_root(start: int, stop: int, node: Node) -> bytes:
    """Return MTH(D[start:stop]) for a range that is itself a subtree of some tree."""
    count = stop - start
    split = 1 << (count - 1).bit_length() - 1 if count > 1 else 0
    if count & (count - 1) == 0:
        return node(count.bit_length() - 1, start // count)
    return node_hash(range_root(start, start + split, node), range_root(start + split, stop, node))


def inclusion_proof(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) (RFC 6962, 2.1.1), the leaf's sibling first. `0 <= index < size`."""
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        if index < middle:
            path.append(range_root(middle, stop, node))
            stop = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, node: Node) -> tuple[bytes, ...]:
    """Return PROOF(old, D[new]) (RFC 6962, 2.1.2). `0 <= old <= new`; empty when either is trivial."""
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, stop, is_known = 0, new, True
    while old != stop:
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        if old <= middle:
            path.append(range_root(middle, stop, node))
            stop = middle
        else:
            path.append(range_root(start, middle, node))
            start, is_known = middle, False
    if not is_known:
        path.append(range_root(start, stop, node))
    return tuple(reversed(path))


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof of a leaf hash (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, result = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if first % 2 or first == last:
            result = node_hash(step, result)
            while not first % 2 and first:
                first, last = first >> 1, last >> 1
        else:
            result = node_hash(result, step)
        first, last = first >> 1, last >> 1
    return last == 0 and result == root


def is_prefix(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof between two tree heads (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new:
        return False
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    first, last = old - 1, new - 1
    while first % 2:
        first, last = first >> 1, last >> 1
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first % 2 or first == last:
            older, newer = node_hash(step, older), node_hash(step, newer)
            while not first % 2 and first:
                first, last = first >> 1, last >> 1
        else:
            newer = node_hash(newer, step)
        first, last = first >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root
