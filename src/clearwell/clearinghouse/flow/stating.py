# SPDX-License-Identifier: Apache-2.0
"""Stating: a worker signs what it saw, and only what a known worker signed is believed."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey

from clearwell.ground.settings import Settings
from clearwell.ground.storage.keys import Keys
from clearwell.proving.attempt import Reproduction
from clearwell.proving.attempt import Settings as ProvingSettings
from clearwell.proving.statement import Statement, make_signer, read_signer, sign, state, verify
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import Conflict, Invalid


def worker_signer(settings: Settings, keys: Keys) -> CryptoSigner:
    """This worker's key: a file of its own where it has one (a host apart), else one that follows from the hub's key."""
    if settings.proving_worker_key is not None:
        return read_signer(settings.proving_worker_key)
    return make_signer(hmac.digest(keys.hub, b"clearwell proving worker", hashlib.sha256))


def known_workers(settings: Settings, keys: Keys) -> tuple[SSlibKey, ...]:
    """The workers whose results count: those of the setting, else this hub's own alone. Raises Invalid for what is no key."""
    if not settings.proving_worker_keys:
        return (worker_signer(settings, keys).public_key,)
    try:
        return tuple(SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))) for text in settings.proving_worker_keys)
    except ValueError as error:
        raise Invalid("proving_worker_keys are Ed25519 public keys of 64 hex digits each") from error


def signed_result(settings: Settings, keys: Keys, done: Reproduction, ran: ProvingSettings) -> bytes:
    """What this worker saw, as it hands it in; what the proof printed only by its hash, since rows are not sealed."""
    return sign(state(done, ran, with_output=False), worker_signer(settings, keys))


def accepted(settings: Settings, keys: Keys, envelope: bytes, proof_sha256: str) -> tuple[Statement, str]:
    """The statement, and the id of the key that signed it. Raises Conflict for a stranger's, a changed one, or another proof's."""
    for key in known_workers(settings, keys):
        try:
            statement = verify(envelope, key)
        except Conflict:
            continue
        named = [subject.digest["sha256"] for subject in statement.subject if subject.name == "proof"]
        decides = statement.predicate.verdict.verdict is not Outcome.HARNESS_ERROR  # a folder that cannot be read has no hash
        if named != [proof_sha256] and (named or decides):
            raise Conflict("the result is about another proof than the one that was handed out")
        return statement, key.keyid
    raise Conflict("the result is signed by no worker that this hub knows (proving_worker_keys)")
