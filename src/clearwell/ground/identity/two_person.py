# SPDX-License-Identifier: Apache-2.0
"""The two-person act: one proposes, a second person of the same organization confirms before it expires (never 5).

What is confirmed is exactly what was proposed: the payload is stored with the proposal and handed to the confirming verb.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from clearwell.ground.identity.actor import Member
from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.errors import Conflict, NotFound, Refused, TooLate
from clearwell.vocabulary.ids import PersonId, ProposalId


class Proposal(msgspec.Struct, frozen=True):
    """One half of a two-person act. `payload` is what will be done; `subject` the id of what it is done to."""

    id: ProposalId
    act: str
    subject: str
    payload: dict[str, Any]
    proposed_by: PersonId
    proposed_at: datetime
    expires_at: datetime
    confirmed_by: PersonId | None = None
    confirmed_at: datetime | None = None

    def confirm(self, by: PersonId, now: datetime) -> "Proposal":
        """Confirm as a second person; raise Refused for the same person, TooLate past the end, Conflict when done before."""
        if self.confirmed_by is not None:
            raise Conflict("this was confirmed already")
        if now >= self.expires_at:
            raise TooLate("this proposal has expired; propose it anew")
        if by == self.proposed_by:
            raise Refused("the same person proposed this; a second person must confirm it (never 5: no lone hand)")
        return msgspec.structs.replace(self, confirmed_by=by, confirmed_at=now)


def propose(
    tx: Transaction, proposal_id: ProposalId, by: Member, act: str, subject: str, payload: dict[str, Any], now: datetime, hours: int
) -> Proposal:
    """Store a proposal; one that is open for the same act and subject is withdrawn, so that only the newest can be confirmed."""
    proposal = Proposal(proposal_id, act, subject, payload, by.person, now, now + timedelta(hours=hours))
    tx.execute(
        """
        UPDATE clearwell.proposal SET withdrawn_at = %(now)s
        WHERE act = %(act)s AND subject = %(subject)s AND confirmed_at IS NULL AND withdrawn_at IS NULL
        """,
        act=act,
        subject=subject,
        now=now,
    )
    tx.execute(
        """
        INSERT INTO clearwell.proposal (id, organization_id, act, subject, payload, proposed_by, proposed_at, expires_at)
        VALUES (%(id)s, %(organization)s, %(act)s, %(subject)s, %(payload)s, %(by)s, %(now)s, %(expires)s)
        """,
        id=proposal_id,
        organization=by.organization,
        act=act,
        subject=subject,
        payload=as_json(payload),
        by=by.person,
        now=now,
        expires=proposal.expires_at,
    )
    return proposal


def confirm(tx: Transaction, proposal_id: ProposalId, by: Member, act: str, now: datetime) -> Proposal:
    """Confirm an open proposal of `act` within the act's own transaction; raise NotFound, Refused, TooLate or Conflict."""
    row = tx.row(f"{_COLUMNS} WHERE id = %(id)s AND act = %(act)s AND withdrawn_at IS NULL FOR UPDATE", id=proposal_id, act=act)
    if row is None:
        raise NotFound("there is no such proposal, or it was withdrawn for a newer one")
    confirmed = msgspec.convert(row, Proposal).confirm(by.person, now)
    tx.execute(
        "UPDATE clearwell.proposal SET confirmed_by = %(by)s, confirmed_at = %(now)s WHERE id = %(id)s",
        id=proposal_id,
        by=by.person,
        now=now,
    )
    return confirmed


def open_proposals(tx: Transaction, now: datetime) -> tuple[Proposal, ...]:
    """The proposals that a second person could confirm now."""
    rows = tx.rows(f"{_COLUMNS} WHERE confirmed_at IS NULL AND withdrawn_at IS NULL AND expires_at > %(now)s ORDER BY id", now=now)
    return tuple(msgspec.convert(row, Proposal) for row in rows)


_COLUMNS = """
SELECT id, act, subject, payload, proposed_by, proposed_at, expires_at, confirmed_by, confirmed_at FROM clearwell.proposal
"""
