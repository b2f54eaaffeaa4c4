# SPDX-License-Identifier: Apache-2.0
"""Evidence: the one way to a proof's bytes. The ledger line is committed before the first byte leaves (never 4)."""

import hashlib

import msgspec

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.entries import ProofRead
from clearwell.clearinghouse.case.report import Proof
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Actor, LinkHolder, Member
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import ProofId


def read_proof(house: House, actor: Actor, proof_id: ProofId, purpose: str) -> tuple[Proof, dict[str, bytes]]:
    """Give a proof's files to `actor`, after the read is in the ledger and before its contributor's eyes."""
    with house.transaction(actor) as tx:
        proof = report_store.load_proof(tx, proof_id)
        act = _act(actor)
        house.policy.require(actor, act, Subject(proof.id, organization=proof.organization, case=proof.case))
        entry = house.write(tx, ProofRead(proof.id, purpose), by=actor)
        report_store.insert_proof_read(tx, house.new_id("read"), proof, actor.name, purpose, house.clock.now(), entry)
    with house.transaction(actor) as tx:
        packed = b"".join(house.blobs.open(tx, proof.case, proof.address))
    try:
        files = msgspec.msgpack.decode(packed, type=dict[str, bytes])
    except msgspec.DecodeError:
        raise Invalid("this proof's bytes are not what the hub stored; restore the blobs from a backup") from None
    return proof, files


def _act(actor: Actor) -> Act:
    if isinstance(actor, Member):
        return Act.READ_PROOF
    return Act.READ_LINKED_PROOF if isinstance(actor, LinkHolder) else Act.VALIDATE


def seal_evidence(house: House, data: bytes) -> tuple[str, str]:
    """Return the hex SHA-256 of some bytes and their keyed address (for entries that must not tell content)."""
    return hashlib.sha256(data).hexdigest(), house.blobs.mac("evidence", data).hex()
