# SPDX-License-Identifier: Apache-2.0
"""Stating: a worker signs what it saw, and only what a known worker signed is believed."""

import contextlib
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey

from clearwell.clearinghouse.case import report_store
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.ground.policy.policy import Act
from clearwell.ground.settings import Settings
from clearwell.ground.storage.keys import Keys
from clearwell.proving.folder import from_files
from clearwell.proving.order import Handed, Order
from clearwell.proving.statement import PATCH, Statement, make_signer, read_signer, verify
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import RunId

_SIGNS, _SIGNS_AND_READS = 64, 128


def read_statement(house: House, actor: Member, run: RunId) -> bytes:
    """What the worker of a run signed, as it was handed in: a DSSE envelope that anybody checks with the worker's key. Raises NotFound."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.READ_CASES)
        return report_store.statement_of(tx, run)


def list_workers(house: House, actor: Member) -> tuple[SSlibKey, ...]:
    """The public keys of the workers whose results count here."""
    house.policy.require(actor, Act.READ_CASES)
    return known_workers(house.settings, house.keys)


def worker_signer(settings: Settings, keys: Keys) -> CryptoSigner:
    """This worker's key: a file of its own where it has one (a host apart), else one that follows from the hub's key."""
    if settings.proving_worker_key is not None:
        return read_signer(settings.proving_worker_key)
    return make_signer(hmac.digest(keys.hub, b"clearwell proving worker", hashlib.sha256))


def known_workers(settings: Settings, keys: Keys) -> tuple[SSlibKey, ...]:
    """The workers whose results count: those of the setting, else this hub's own alone. Raises Invalid for what is no key."""
    if not settings.proving_worker_keys:
        return (worker_signer(settings, keys).public_key,)
    return tuple(SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(told[:32])) for told in _told(settings))


def readers(settings: Settings) -> tuple[bytes, ...]:
    """The keys for which orders are sealed: of the workers that told theirs (`clearwell prover key`)."""
    return tuple(told[32:] for told in _told(settings) if len(told) == _SIGNS_AND_READS // 2)


def _told(settings: Settings) -> tuple[bytes, ...]:
    try:
        told = tuple(bytes.fromhex(text) for text in settings.proving_worker_keys)
    except ValueError:
        told = (b"",)
    if any(len(one) * 2 not in {_SIGNS, _SIGNS_AND_READS} for one in told):
        raise Invalid(
            f"proving_worker_keys are the workers' public keys: {_SIGNS} hex digits (Ed25519), or the {_SIGNS_AND_READS} that "
            "`clearwell prover key` prints"
        )
    return told


def about(order: Order) -> dict[str, str]:
    """The hashes of what is handed out with an order: its result must be about these and nothing else."""
    told = {"order": order.id, "what": order.what}
    with contextlib.suppress(Invalid):  # what is no folder has no hash, and shows nothing
        told["proof"] = from_files(order.proof).sha256
    if order.patch is not None:
        told[PATCH] = hashlib.sha256(order.patch).hexdigest()
    if order.version is not None:
        told["version"] = order.version
    return told


def accepted(settings: Settings, keys: Keys, handed: Handed, stated: dict[str, str]) -> tuple[Statement, str]:
    """The statement, and the id of the key that signed it.

    Raises Conflict for a stranger's, a changed one, one about another proof, fix or question, and for exhibits that are not the stated
    ones.
    """
    for key in known_workers(settings, keys):
        try:
            statement = verify(handed.statement, key)
        except Conflict:
            continue
        _require_about(statement, stated)
        exhibits = {one.name: one.sha256 for one in statement.predicate.exhibits}
        if {name: hashlib.sha256(content).hexdigest() for name, content in handed.exhibits.items()} != exhibits:
            raise Conflict("the exhibits are not those that the worker stated")
        return statement, key.keyid
    raise Conflict("the result is signed by no worker that this hub knows (proving_worker_keys)")


def _require_about(statement: Statement, stated: dict[str, str]) -> None:
    predicate = statement.predicate
    if predicate.order != stated["order"]:
        raise Conflict("the result belongs to another order")
    named = {subject.name: subject.digest["sha256"] for subject in statement.subject if subject.name in {"proof", PATCH}}
    decides = predicate.verdict.verdict is not Outcome.HARNESS_ERROR  # a folder that cannot be read has no hash
    if named.get("proof") != stated.get("proof") and ("proof" in named or decides):
        raise Conflict("the result is about another proof than the one that was handed out")
    if named.get(PATCH) != stated.get(PATCH) or predicate.fix != stated.get("version"):
        raise Conflict("the result is about another fix than the one that was handed out")
    answers = {"reproduce": predicate.judged is None and predicate.kill is None, "judge": predicate.judged is not None}
    if not answers.get(stated["what"], predicate.kill is not None):
        raise Conflict("the result answers another question than the one that was asked")
