# SPDX-License-Identifier: Apache-2.0
"""An outsider's verifier, written from RFC 6962 and C2SP signed-note alone: it shares no line with Clearwell's, and must agree."""

import base64
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.tiles import TileLog

Build = Callable[..., TileLog]


def leaves_of(folder: Path, size: int) -> list[bytes]:
    """The entries that a log of this size holds, from its bundles (tlog-tiles: "Log entries")."""
    entries: list[bytes] = []
    while len(entries) < size:
        number, width = len(entries) // 256, min(256, size - len(entries))
        groups = f"{number:09d}"[-3 * max(1, -(-len(str(number)) // 3)) :]
        name = "/".join("x" + groups[i : i + 3] for i in range(0, len(groups) - 3, 3)) + ("/" if number > 999 else "") + groups[-3:]
        data = (folder / "tile/entries" / (name if width == 256 else f"{name}.p/{width}")).read_bytes()
        while data:
            (length,) = struct.unpack(">H", data[:2])
            assert len(data) >= 2 + length, name
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
    return entries


def root_of(entries: list[bytes]) -> bytes:
    """RFC 6962, 2.1: the Merkle tree hash, straight from its recursive definition."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    half = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(entries[:half]) + root_of(entries[half:])).digest()


def verify(folder: Path, vkey: str) -> int:
    """The number of entries of a log whose root is what the key's holder signed; AssertionError, InvalidSignature otherwise."""
    name, identifier, key = vkey.split("+", 2)
    public = base64.b64decode(key)
    assert hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() == identifier
    text, _, signatures = (folder / "checkpoint").read_text(encoding="utf-8").rpartition("\n\n")
    signed = next(base64.b64decode(line.split(" ")[2]) for line in signatures.splitlines() if line.startswith(f"— {name} "))
    assert signed[:4].hex() == identifier
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signed[4:], text.encode() + b"\n")
    origin, size, root = text.split("\n")[:3]
    assert origin == name
    entries = leaves_of(folder, int(size))
    assert len(entries) == int(size)
    assert root_of(entries) == base64.b64decode(root)
    return len(entries)


@pytest.mark.parametrize("batches", [(1,), (2, 5), (255, 1, 1), (256,), (300, 700), (256 * 1001 + 3,)])
def test_an_outsiders_verifier_agrees(tmp_path: Path, build: Build, key: SigningKey, batches: tuple[int, ...]) -> None:
    build(tmp_path, *batches)

    assert verify(tmp_path, str(key.vkey)) == sum(batches)


def test_an_outsiders_verifier_finds_a_changed_entry_and_a_changed_size(tmp_path: Path, build: Build, key: SigningKey) -> None:
    build(tmp_path, 300)
    bundle = tmp_path / "tile/entries/000"
    honest = bundle.read_bytes()

    bundle.write_bytes(honest.replace(b'{"n":7}', b'{"n":8}'))
    with pytest.raises(AssertionError):
        verify(tmp_path, str(key.vkey))
    bundle.write_bytes(honest)
    checkpoint = tmp_path / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"\n300\n", b"\n299\n"))
    with pytest.raises(InvalidSignature):
        verify(tmp_path, str(key.vkey))
