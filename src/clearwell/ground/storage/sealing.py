# SPDX-License-Identifier: Apache-2.0
"""Sealing for others: bytes that lie in a row and that only the named readers, and this hub, can open (X25519, HKDF, AES-GCM).

A random key seals the bytes. It is wrapped once for each reader: a fresh pair of keys is made, the secret it shares with the reader's
key wraps it (RFC 7748, RFC 5869). The hub keeps the key under its own. What a reader sends back is sealed with the same key.
"""

import secrets
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from clearwell.vocabulary.errors import Invalid, Refused

_NONCE = 12
_THERE, _BACK = b"clearwell sealed order", b"clearwell sealed result"


class _Wrapped(msgspec.Struct, frozen=True):
    reader: bytes
    fresh: bytes
    key: bytes


class _Box(msgspec.Struct, frozen=True):
    wrapped: tuple[_Wrapped, ...]
    body: bytes


class Reader:
    """Who can open what was sealed for its public key; made of a seed of 32 bytes, which also signs elsewhere (keys are kept apart)."""

    def __init__(self, seed: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(_derived(seed, b"clearwell reader"))

    @property
    def public(self) -> bytes:
        """The public key: 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes) -> tuple[bytes, bytes]:
        """Return the bytes and the key to answer with. Raises Refused when they were not sealed for us, Invalid for what is no box."""
        try:
            box = msgspec.msgpack.decode(sealed, type=_Box)
            own = next((one for one in box.wrapped if one.reader == self.public), None)
            if own is None:
                raise Refused("this was sealed for other readers")
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(own.fresh))
            key = _opened(_derived(shared, own.fresh + own.reader), own.key, _THERE)
            return _opened(key, box.body, _THERE), key
        except (msgspec.DecodeError, msgspec.ValidationError, InvalidTag, ValueError) as error:
            raise Invalid("what was handed out cannot be opened: it was changed, or is none of ours") from error


def seal_for(readers: Sequence[bytes], data: bytes) -> tuple[bytes, bytes]:
    """Seal bytes for readers' public keys; return the box and its key, which the caller keeps wrapped. Raises Invalid without readers."""
    if not readers:
        raise Invalid("there is nobody to seal this for")
    key = secrets.token_bytes(32)
    wrapped = []
    for reader in readers:
        own = X25519PrivateKey.generate()
        fresh = own.public_key().public_bytes_raw()
        shared = own.exchange(X25519PublicKey.from_public_bytes(reader))
        wrapped.append(_Wrapped(reader, fresh, _sealed(_derived(shared, fresh + reader), key, _THERE)))
    return msgspec.msgpack.encode(_Box(tuple(wrapped), _sealed(key, data, _THERE))), key


def seal_back(key: bytes, data: bytes) -> bytes:
    """Seal what a reader sends back."""
    return _sealed(key, data, _BACK)


def open_back(key: bytes, sealed: bytes) -> bytes:
    """Open what a reader sent back; raise Invalid for what was not sealed with this key."""
    try:
        return _opened(key, sealed, _BACK)
    except (InvalidTag, ValueError) as error:
        raise Invalid("what was handed in cannot be opened: it was changed, or answers another order") from error


def _sealed(key: bytes, data: bytes, purpose: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, purpose)


def _opened(key: bytes, sealed: bytes, purpose: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose)


def _derived(secret: bytes, about: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=about).derive(secret)
