# SPDX-License-Identifier: Apache-2.0
"""The feed: a static folder of signed advisories with an index and a list of changes (as CSAF 2.0, 7.1 lays it out).

index.json                 every advisory: id, title, revision, dates, files with their SHA-256
changes.csv                newest first: file and time (CSAF 2.0, 7.1.13)
key.json                   the public key that signs (Ed25519, hexadecimal) and its key id
YEAR/ID.json               CSAF 2.0          YEAR/ID.json.sha256
osv/ID.json                OSV
YEAR/ID.dsse.json          DSSE envelope over the CSAF document; osv/ID.dsse.json over the OSV one
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey

from clearwell.formats import csaf, osv
from clearwell.vocabulary.advisory import Advisory

CSAF_TYPE = "application/vnd.oasis.csaf+json"
OSV_TYPE = "application/vnd.osv+json"


class Documents(msgspec.Struct, frozen=True):
    """An advisory as it is published: the two documents' bytes."""

    advisory: Advisory
    csaf: bytes
    osv: bytes

    @property
    def csaf_sha256(self) -> str:
        """Hex SHA-256 of the CSAF document."""
        return hashlib.sha256(self.csaf).hexdigest()

    @property
    def osv_sha256(self) -> str:
        """Hex SHA-256 of the OSV document."""
        return hashlib.sha256(self.osv).hexdigest()


def documents(advisory: Advisory, publisher: csaf.Publisher) -> Documents:
    """Write both documents of an advisory; the same advisory always gives the same bytes."""
    return Documents(advisory, csaf.write(advisory, publisher), osv.write(advisory))


def write_feed(folder: Path, published: Sequence[Documents], signer: CryptoSigner) -> None:
    """Bring the folder to what is published, each file whole or not at all; documents first, index and changes last."""
    index, changes = [], []
    for one in sorted(published, key=lambda d: (d.advisory.current_release, d.advisory.id), reverse=True):
        year, name = f"{one.advisory.initial_release:%Y}", _file_name(one.advisory.id)
        files = {
            f"{year}/{name}.json": one.csaf,
            f"{year}/{name}.json.sha256": f"{one.csaf_sha256}  {name}.json\n".encode(),
            f"{year}/{name}.dsse.json": _envelope(one.csaf, CSAF_TYPE, signer),
            f"osv/{name}.json": one.osv,
            f"osv/{name}.dsse.json": _envelope(one.osv, OSV_TYPE, signer),
        }
        for path, content in files.items():
            _put(folder / path, content)
        index.append(
            {
                "id": one.advisory.id,
                "title": one.advisory.title,
                "revision": one.advisory.revision,
                "minimal": one.advisory.is_minimal,
                "published": one.advisory.initial_release,
                "modified": one.advisory.current_release,
                "csaf": {"path": f"{year}/{name}.json", "sha256": one.csaf_sha256},
                "osv": {"path": f"osv/{name}.json", "sha256": one.osv_sha256},
            }
        )
        changes.append(f'"{year}/{name}.json","{one.advisory.current_release:%Y-%m-%dT%H:%M:%SZ}"\n')
    key = {"keyid": signer.public_key.keyid, **signer.public_key.to_dict()}
    _put(folder / "key.json", msgspec.json.format(msgspec.json.encode(key)))
    _put(folder / "changes.csv", "".join(changes).encode())
    _put(folder / "index.json", msgspec.json.format(msgspec.json.encode({"advisories": index})))


def make_signer(seed: bytes) -> CryptoSigner:
    """The Ed25519 signer of advisories, from the hub's 32 byte seed."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


def is_signed(envelope: bytes, key: SSlibKey, document: bytes) -> bool:
    """True when a DSSE envelope holds exactly these bytes, signed by this key (DSSE 1.0)."""
    read = Envelope.from_dict(msgspec.json.decode(envelope))
    return bool(read.payload == document and read.verify([key], 1))


def _envelope(document: bytes, payload_type: str, signer: CryptoSigner) -> bytes:
    envelope = Envelope(document, payload_type, {})
    envelope.sign(signer)
    return msgspec.json.encode(envelope.to_dict())


def _file_name(advisory: str) -> str:
    """CSAF 2.0, 5.1: lower case; what is no letter, digit, plus or minus becomes an underscore."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "+-") else "_" for c in advisory.lower())


def _put(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
