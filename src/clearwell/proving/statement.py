# SPDX-License-Identifier: Apache-2.0
"""Verdicts as signed statements: in-toto Statement v1 in a DSSE envelope, checked offline, enough to run the proof again.

Source: in-toto attestation framework, spec v1 (statement and DSSE layers); DSSE 1.0. The predicate is our own, described in
docs/reference/statement.md.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SslibError
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey

from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.environments import Control
from clearwell.proving.folder import Side
from clearwell.proving.materials import Materials, materials
from clearwell.proving.transcript import Step
from clearwell.proving.verdict import FixVerdict, Kill, Verdict
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://clearwell.example/verdict/v1"
PATCH = "patch"
"""The subject that a patch is which took the place of the control."""
_SIZE_MAX = 32 << 20
_EXHIBIT_MAX = 64 << 10
_UNREADABLE = (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError, RecursionError)


class Exhibit(msgspec.Struct, frozen=True):
    """What a run printed or reported: the hash of all of it, and its first 64 KB."""

    name: str
    sha256: str
    size: int
    head: bytes


class Predicate(msgspec.Struct, frozen=True):
    """What is stated about the subjects: the verdict, how it came about and on what.

    `fix` is the package that took the place of the proof's own control; a patch that did is a subject. `judged` and `kill` are what was
    asked about that fix: its ladder, or what it does to this proof. `escaped` says how a run's word got out of its box, `order` which order
    of a hub was carried out.
    """

    verdict: Verdict
    settings: Settings
    materials: Materials
    transcript: tuple[Step, ...]
    exhibits: tuple[Exhibit, ...]
    fix: str | None = None
    judged: FixVerdict | None = None
    kill: Kill | None = None
    escaped: str | None = None
    order: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """Something that the statement is about, by its hash."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, rename={"kind": "_type", "predicate_type": "predicateType"}):
    """An in-toto statement whose subjects are the proof's folder, its harness's folder, the archives, the sources and the builds."""

    kind: str
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: Predicate

    def digest(self, name: str) -> str:
        """The hash of the subject of that name, or of the one whose name begins so; raise NotFound."""
        for subject in self.subject:
            if subject.name == name or subject.name.startswith(f"{name} "):
                return subject.digest["sha256"]
        raise NotFound(f"the statement names no {name}")


def state(
    reproduction: Reproduction,
    settings: Settings,
    fix: Control | None = None,
    *,
    judged: FixVerdict | None = None,
    kill: Kill | None = None,
    order: str | None = None,
    with_output: bool = True,
) -> Statement:
    """Make the statement of a reproduction. `fix` is what took the place of the proof's own control.

    Without output the exhibits stand in it by hash and size alone: what a proof printed is as secret as the proof.
    """
    verdict = reproduction.verdict
    subjects = [Subject(one.name, {"sha256": one.sha256}) for one in verdict.evidence if one.name not in reproduction.exhibits]
    if isinstance(fix, bytes):
        subjects.append(Subject(PATCH, {"sha256": hashlib.sha256(fix).hexdigest()}))
    exhibits = tuple(
        Exhibit(name, hashlib.sha256(content).hexdigest(), len(content), content[:_EXHIBIT_MAX] if with_output else b"")
        for name, content in reproduction.exhibits.items()
    )
    predicate = Predicate(
        verdict, settings, materials(reproduction.backend), reproduction.transcript, exhibits,
        fix.purl if isinstance(fix, Side) else None, judged, kill, reproduction.escaped, order,
    )  # fmt: skip
    return Statement(STATEMENT_TYPE, tuple(subjects), PREDICATE_TYPE, predicate)


def sign(statement: Statement, signer: CryptoSigner) -> bytes:
    """Return the statement in a DSSE envelope signed by one key."""
    envelope = Envelope(msgspec.json.encode(statement), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return msgspec.json.encode(envelope.to_dict())


def verify(envelope: bytes, key: SSlibKey) -> Statement:
    """Check the signature first, then read. Raises Conflict for a signature that is not this key's, Invalid for what is none of ours."""
    if len(envelope) > _SIZE_MAX:
        raise Invalid(f"a statement of more than {_SIZE_MAX >> 20} MB is none of ours")
    try:
        _check_names(envelope)
        read = Envelope.from_dict(msgspec.json.decode(envelope, type=dict[str, Any]))
        read.verify([key], 1)
    except _UNREADABLE as error:
        raise Invalid(f"this is no DSSE envelope: {error}") from error
    except SslibError as error:
        raise Conflict("the statement is not signed by this key, or was changed since") from error
    return _read(read)


def read_unverified(envelope: bytes) -> Statement:
    """Read a statement whose signature was checked before; raise Invalid."""
    try:
        return _read(Envelope.from_dict(msgspec.json.decode(envelope, type=dict[str, Any])))
    except _UNREADABLE as error:
        raise Invalid(f"this is no DSSE envelope: {error}") from error


def _read(read: Envelope) -> Statement:
    if read.payload_type != PAYLOAD_TYPE:
        raise Invalid(f"the envelope holds {read.payload_type[:80]!r}, not an in-toto statement")
    try:
        _check_names(read.payload)
        statement = msgspec.json.decode(read.payload, type=Statement)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise Invalid(f"the envelope holds no statement of a verdict: {error}") from error
    if (statement.kind, statement.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise Invalid("the envelope holds another kind of statement")
    return statement


def _check_names(content: bytes) -> None:
    """Raise ValueError where an object names a key twice: of the two, one reader believes the first and another the last."""
    json.loads(content, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a key twice")
    return found


def make_signer(seed: bytes) -> CryptoSigner:
    """The Ed25519 signer of a 32 byte seed."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


def read_signer(path: Path) -> CryptoSigner:
    """Read a private key: 32 bytes, or their base64. Raises Invalid."""
    return make_signer(read_seed(path))


def read_seed(path: Path) -> bytes:
    """Read the 32 bytes of a private key, or their base64. Raises Invalid."""
    if not path.is_file():
        raise Invalid(f"there is no key at {path}")
    raw = path.read_bytes()
    try:
        seed = raw if len(raw) == 32 else base64.b64decode(raw.strip(), validate=True)
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise Invalid(f"{path} is no key: an Ed25519 seed of 32 bytes, or its base64, is needed")
    return seed


def write_key(signer: CryptoSigner) -> bytes:
    """The public key as JSON, in the spelling of the feed's key.json."""
    return msgspec.json.format(msgspec.json.encode({"keyid": signer.public_key.keyid, **signer.public_key.to_dict()}))


def read_key(content: bytes) -> SSlibKey:
    """Read a public key as `write_key` wrote it, or the hex digits that `clearwell prover key` prints. Raises Invalid."""
    text = content.strip()
    if len(text) in {64, 128} and re.fullmatch(rb"[0-9a-f]+", text):
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text[:64].decode())))
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
        key = SSlibKey.from_dict(told.pop("keyid"), told)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
        raise Invalid("this is no public key of ours: JSON with keyid, keytype, scheme and keyval is needed") from error
    if not isinstance(key, SSlibKey):
        raise Invalid("this is no public key of ours")
    return key
