# SPDX-License-Identifier: Apache-2.0
"""/fixes and /proposals: two people read a fix's difference, one proposes to distribute it, the other confirms."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import MediaType
from litestar.params import FromPath, JSONBody

from clearwell.clearinghouse.flow import confirming, remediating
from clearwell.faces.api.findings import Done
from clearwell.faces.api.routes import Housed, Signed, read, write
from clearwell.ground.identity.two_person import Proposal
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import ProposalId, RemediationId, parse_id

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The difference that the proposer read, by its SHA-256 (hexadecimal)."""

    diff_sha256: Sha256


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a distribution, the difference that the second person read, by its SHA-256."""

    diff_sha256: Sha256 | None = None


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """One half of a two-person act. `payload` is exactly what will be done.

    `act`: distribute_fix, extend_embargo, destroy_proofs; merge_cases and split_case where a proof would reach a new participant.
    """

    id: str
    act: str
    subject: str
    payload: dict[str, Any]
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime


class Proposals(msgspec.Struct, frozen=True):
    """The proposals of your own organization that wait for a second person."""

    proposals: tuple[ProposalView, ...]


def proposal_view(made: Proposal) -> ProposalView:
    """Show a proposal."""
    return ProposalView(
        id=made.id,
        act=made.act,
        subject=made.subject,
        payload=made.payload,
        proposed_by=made.proposed_by,
        proposed_at=made.proposed_at,
        expires_at=made.expires_at,
    )


@read("/fixes/{fix_id:str}/difference", Act.READ_DIFF, media_type=MediaType.TEXT)
def read_difference(house: Housed, member: Signed, fix_id: FromPath[str]) -> bytes:
    """The difference from the target to a verified fix, as text; the reading is in the ledger before the first byte leaves."""
    return remediating.read_difference(house, member, RemediationId(parse_id("fix", fix_id)))


@write("/fixes/{fix_id:str}/distribution", Act.PROPOSE_DISTRIBUTION)
def propose_distribution(house: Housed, member: Signed, fix_id: FromPath[str], data: JSONBody[Distribution]) -> ProposalView:
    """Propose to distribute a verified fix, having read its difference; a second person confirms."""
    return proposal_view(remediating.propose_distribution(house, member, RemediationId(parse_id("fix", fix_id)), data.diff_sha256))


@read("/proposals", Act.READ_CASES)
def list_proposals(house: Housed, member: Signed) -> Proposals:
    """What waits for a second person."""
    return Proposals(tuple(map(proposal_view, confirming.list_proposals(house, member))))


@write("/proposals/{proposal_id:str}/confirmation", Act.READ_CASES)
def confirm_proposal(house: Housed, member: Signed, proposal_id: FromPath[str], data: JSONBody[Confirmation]) -> Done:
    """Confirm as a second person; the same person is refused."""
    proposal = confirming.confirm_proposal(house, member, ProposalId(parse_id("proposal", proposal_id)), data.diff_sha256)
    return Done(proposal.act, proposal.subject)


ROUTES = (read_difference, propose_distribution, list_proposals, confirm_proposal)
