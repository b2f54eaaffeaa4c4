# SPDX-License-Identifier: Apache-2.0
"""Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint): Ed25519 keys, their spelling, signing and checking."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from clearwell.ground.ledger.merkle import HASH_SIZE
from clearwell.vocabulary.errors import Invalid

MAX_NOTE = 1 << 17
"""Bytes of a note that we read: a checkpoint with a hundred witnesses is smaller."""

_MAX_SIGNATURES = 256
_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key under a name: what an outsider pins. `id` is the first four bytes of a hash over name, type and key."""

    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        """The vkey: `name+hash+base64`."""
        return f"{self.name}+{self.id.hex()}+{_encode(_ED25519 + self.public)}"

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        """True when `signature` (64 bytes) is this key's over `text` (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key under a name. Its repr hides it; `secret()` spells it for a key file."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.vkey = VerificationKey(check_name(name), _key_id(name, public), public)

    def __repr__(self) -> str:
        return f"SigningKey({self.vkey.name!r}, hidden)"

    def secret(self) -> str:
        """Return `PRIVATE+KEY+name+hash+base64`, the spelling of Go's note tools. Keep it apart from backups of the data."""
        return f"{_PRIVATE}{self.vkey.name}+{self.vkey.id.hex()}+{_encode(_ED25519 + self._seed)}"

    def sign(self, text: bytes) -> bytes:
        """Return the signature line over a note's text, newline included."""
        return f"— {self.vkey.name} {_encode(self.vkey.id + self._private.sign(text))}\n".encode()


class Signature(msgspec.Struct, frozen=True):
    """One signature line: who says they signed, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(msgspec.Struct, frozen=True):
    """A text (final newline included) with its signatures, not yet checked."""

    text: bytes
    signatures: tuple[Signature, ...]


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head: which log, how many entries, their root hash; extension lines are opaque."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> bytes:
        """Return the note text that is signed."""
        lines = (self.origin, str(self.size), _encode(self.root), *self.extensions)
        return "".join(line + "\n" for line in lines).encode()

    def signed(self, *keys: SigningKey) -> bytes:
        """Return the signed note: the text, a blank line, one line per key."""
        text = self.text()
        parse_checkpoint(text)
        return text + b"\n" + b"".join(key.sign(text) for key in keys)


def check_name(name: str) -> str:
    """Return `name` if it may name a key: not empty, no space, plus or control character; raise Invalid."""
    if not name or len(name) > 255 or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise Invalid("a key's name has 1 to 255 visible characters, without spaces and plus signs: for example example.org/ledger")
    return name


def parse_vkey(text: str) -> VerificationKey:
    """Read `name+hash+base64` (Ed25519 only); raise Invalid."""
    name, key_id, public = _split_key(text.strip())
    if len(public) != HASH_SIZE or _key_id(name, public) != key_id:
        raise Invalid("this verification key was changed or cut: its hash does not fit its name and key")
    return VerificationKey(name, key_id, public)


def parse_secret(text: str) -> SigningKey:
    """Read `PRIVATE+KEY+name+hash+base64`; raise Invalid without repeating the text."""
    text = text.strip()
    if not text.startswith(_PRIVATE):
        raise Invalid("this is not a signing key: it begins with PRIVATE+KEY+")
    name, key_id, seed = _split_key(text.removeprefix(_PRIVATE))
    if len(seed) != HASH_SIZE:
        raise Invalid("this signing key was cut: an Ed25519 seed has 32 bytes")
    key = SigningKey(name, seed)
    if key.vkey.id != key_id:
        raise Invalid("this signing key was changed: its hash does not fit its name and key")
    return key


def generate_key(name: str) -> SigningKey:
    """Make a new signing key. The one function here that takes chance from the operating system."""
    return SigningKey(name, Ed25519PrivateKey.generate().private_bytes_raw())


def parse_note(data: bytes) -> Note:
    """Read a signed note (at most 128 KiB); every byte of it must be as a signer writes it. Raise Invalid with the reason."""
    if len(data) > MAX_NOTE:
        raise Invalid(f"this note has {len(data):,} bytes; a checkpoint has at most {MAX_NOTE:,}")
    if any(byte < 0x20 and byte != 0x0A for byte in data):
        raise Invalid("this note holds a control character")
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Invalid("this note is not UTF-8") from None
    text, separator, tail = data.rpartition(b"\n\n")
    if not separator or not text or not tail.endswith(b"\n"):
        raise Invalid("this is not a signed note: a text, a blank line and signature lines, each ended by a newline")
    lines = tail.decode().split("\n")[:-1]
    if len(lines) > _MAX_SIGNATURES:
        raise Invalid(f"this note has more than {_MAX_SIGNATURES} signatures")
    return Note(text + b"\n", tuple(_parse_signature(line) for line in lines))


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise Invalid("a signature line of this note is not of the form: em dash, key name, base64")
    check_name(parts[1])
    data = _decode(parts[2], "a signature of this note")
    if len(data) < 5:
        raise Invalid("a signature of this note is too short")
    return Signature(parts[1], data[:4], data[4:])


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint's note text (tlog-checkpoint: origin, size, root hash, extension lines); raise Invalid."""
    lines = text.decode().split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise Invalid("this is not a checkpoint: origin, size and root hash, one line each")
    if any(ord(c) < 0x20 for line in lines for c in line):
        raise Invalid("this checkpoint holds a control character")
    if _SIZE.fullmatch(lines[1]) is None or int(lines[1]) >= 1 << 63:
        raise Invalid("the second line of this checkpoint is not a tree size")
    root = _decode(lines[2], "the root hash of this checkpoint")
    if len(root) != HASH_SIZE:
        raise Invalid("the root hash of this checkpoint does not have 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def signers(note: Note, keys: Sequence[VerificationKey]) -> tuple[VerificationKey, ...]:
    """Return those of `keys` that signed; lines of unknown keys are ignored (signed-note, Signatures).

    Raises Invalid when a line that bears a known key's name and id does not verify.
    """
    found: list[VerificationKey] = []
    for line in note.signatures:
        for key in keys:
            if (line.name, line.key_id) == (key.name, key.id) and key not in found:
                if len(line.signature) != 64 or not key.has_signed(note.text, line.signature):
                    raise Invalid(f"the signature of {key.name} does not fit the text: one of them was changed")
                found.append(key)
    return tuple(found)


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _split_key(text: str) -> tuple[str, bytes, bytes]:
    parts = text.split("+", 2)
    if len(text) > 1000 or len(parts) != 3 or _KEY_ID.fullmatch(parts[1]) is None:
        raise Invalid("this is not a key: it should look like name+1a2b3c4d+base64")
    data = _decode(parts[2], "this key")
    if data[:1] != _ED25519:
        raise Invalid("this key is not an Ed25519 note key (type 1)")
    return check_name(parts[0]), bytes.fromhex(parts[1]), data[1:]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"{what} is not base64") from None
    if _encode(data) != text:  # spare bits that decoders ignore: a changed byte that would go unseen
        raise Invalid(f"{what} is not in base64's one canonical spelling")
    return data
