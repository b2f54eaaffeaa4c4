# SPDX-License-Identifier: Apache-2.0
"""Confirming: a second person looks at what colleagues proposed and confirms it, whatever act it is (never 5)."""

from clearwell.clearinghouse.flow import coordinating, judging, remediating
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.ground.identity.two_person import Proposal, open_proposals
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.ids import ProposalId


def list_proposals(house: House, actor: Member) -> tuple[Proposal, ...]:
    """What the actor's own organization proposed and nobody has confirmed yet, oldest first."""
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        return open_proposals(tx, house.clock.now())


def confirm_proposal(house: House, actor: Member, proposal_id: ProposalId, diff_sha256: str | None = None) -> Proposal:
    """Confirm an open proposal by its own act; the act's own verb asks the policy again and refuses the same person.

    A distribution needs the SHA-256 of the difference that the second person read. Raises NotFound, Invalid, Refused, Conflict.
    """
    proposal = next((one for one in list_proposals(house, actor) if one.id == proposal_id), None)
    if proposal is None:
        raise NotFound("there is no such open proposal: it was confirmed, withdrawn for a newer one, or has expired")
    if proposal.act == remediating.DISTRIBUTE:
        if diff_sha256 is None:
            raise Invalid("read the difference and name its SHA-256 (diff_sha256): two people read what is distributed")
        remediating.confirm_distribution(house, actor, proposal_id, diff_sha256)
    elif proposal.act == coordinating.EXTEND:
        coordinating.confirm_extension(house, actor, proposal_id)
    elif proposal.act == coordinating.DESTROY:
        coordinating.destroy_proofs(house, actor, proposal_id)
    elif proposal.act == judging.MERGE:
        coordinating.confirm_merge(house, actor, proposal_id)
    elif proposal.act == judging.SPLIT:
        coordinating.confirm_split(house, actor, proposal_id)
    else:
        raise Invalid(f"a proposal to {proposal.act.replace('_', ' ')} is not confirmed here")
    return proposal
