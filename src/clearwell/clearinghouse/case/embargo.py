# SPDX-License-Identifier: Apache-2.0
"""The embargo of a case: terms, who agreed, and its end; it never outlives the case and any notice of publication ends it.

Source: CERT/CC's embargo management and participant embargo consent models (Vultron, CMU/SEI-2022-SR-012, section 3).
"""

from datetime import datetime
from enum import StrEnum
from functools import cache

import msgspec

from clearwell.clearinghouse.case.deadline import two_people
from clearwell.clearinghouse.case.state import CaseState
from clearwell.clearinghouse.case.transition import step
from clearwell.vocabulary.errors import Conflict, Refused
from clearwell.vocabulary.ids import ParticipantId, PersonId


class EmbargoState(StrEnum):
    """The case-wide state (EM)."""

    NONE = "none"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REVISE = "revise"
    EXITED = "exited"


class EmbargoAct(StrEnum):
    """What moves the case-wide state."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    REJECT = "reject"
    TERMINATE = "terminate"


EMBARGO_EDGES = {
    (EmbargoState.NONE, EmbargoAct.PROPOSE): EmbargoState.PROPOSED,
    (EmbargoState.PROPOSED, EmbargoAct.PROPOSE): EmbargoState.PROPOSED,
    (EmbargoState.PROPOSED, EmbargoAct.ACCEPT): EmbargoState.ACTIVE,
    (EmbargoState.PROPOSED, EmbargoAct.REJECT): EmbargoState.NONE,
    (EmbargoState.ACTIVE, EmbargoAct.PROPOSE): EmbargoState.REVISE,
    (EmbargoState.ACTIVE, EmbargoAct.TERMINATE): EmbargoState.EXITED,
    (EmbargoState.REVISE, EmbargoAct.PROPOSE): EmbargoState.REVISE,
    (EmbargoState.REVISE, EmbargoAct.ACCEPT): EmbargoState.ACTIVE,
    (EmbargoState.REVISE, EmbargoAct.REJECT): EmbargoState.ACTIVE,
    (EmbargoState.REVISE, EmbargoAct.TERMINATE): EmbargoState.EXITED,
}
"""CERT/CC's 10 edges."""


class Consent(StrEnum):
    """One participant's own relation to the terms (PEC)."""

    NO_EMBARGO = "no_embargo"
    INVITED = "invited"
    SIGNATORY = "signatory"
    LAPSED = "lapsed"
    DECLINED = "declined"


class ConsentAct(StrEnum):
    """What moves a consent."""

    INVITE = "invite"
    ACCEPT = "accept"
    DECLINE = "decline"
    REVISE = "revise"
    RESET = "reset"


CONSENT_EDGES = {
    (Consent.NO_EMBARGO, ConsentAct.INVITE): Consent.INVITED,
    (Consent.NO_EMBARGO, ConsentAct.ACCEPT): Consent.SIGNATORY,
    (Consent.NO_EMBARGO, ConsentAct.DECLINE): Consent.DECLINED,
    (Consent.INVITED, ConsentAct.ACCEPT): Consent.SIGNATORY,
    (Consent.INVITED, ConsentAct.DECLINE): Consent.DECLINED,
    (Consent.SIGNATORY, ConsentAct.REVISE): Consent.LAPSED,
    (Consent.LAPSED, ConsentAct.INVITE): Consent.INVITED,
    (Consent.LAPSED, ConsentAct.ACCEPT): Consent.SIGNATORY,
    (Consent.LAPSED, ConsentAct.DECLINE): Consent.DECLINED,
    (Consent.DECLINED, ConsentAct.INVITE): Consent.INVITED,
    **{(consent, ConsentAct.RESET): Consent.NO_EMBARGO for consent in Consent},
}
"""CERT/CC's 11 edges; the last, reset, leads from every state to no_embargo."""


class Terms(msgspec.Struct, frozen=True):
    """What is agreed to: nothing about the flaw leaves the case before `ends_at` (UTC)."""

    ends_at: datetime
    proposed_by: ParticipantId
    proposed_at: datetime


class Party(msgspec.Struct, frozen=True):
    """A participant's consent. `signed_until` is the end of the terms in force that it accepted, kept while a revision is open."""

    participant: ParticipantId
    consent: Consent = Consent.NO_EMBARGO
    signed_until: datetime | None = None

    def act(self, act: ConsentAct) -> "Party":
        """Move the consent; raise Conflict when the model has no such edge."""
        return msgspec.structs.replace(self, consent=step("embargo consent", CONSENT_EDGES, self.consent, act))

    def invited(self) -> "Party":
        """Invited to new terms: whoever has not signed them; signatories are unaffected."""
        return self.act(ConsentAct.INVITE) if (self.consent, ConsentAct.INVITE) in CONSENT_EDGES else self


class Embargo(msgspec.Struct, frozen=True):
    """A case's embargo. `terms` are in force (None: none are), `proposal` waits for an answer, `ended` says when and why it ended."""

    state: EmbargoState = EmbargoState.NONE
    terms: Terms | None = None
    proposal: Terms | None = None
    parties: tuple[Party, ...] = ()
    ended_at: datetime | None = None
    ended_because: str | None = None

    @property
    def signatories(self) -> tuple[ParticipantId, ...]:
        """Who agreed to what is now in force, or to what is proposed."""
        return tuple(party.participant for party in self.parties if party.consent is Consent.SIGNATORY)

    def consent_of(self, participant: ParticipantId) -> Consent:
        """This participant's consent; no_embargo for whoever was never asked."""
        return self._party(participant).consent

    def is_over(self, now: datetime) -> bool:
        """True once it was ended or its time has come, whether or not anyone recorded that."""
        return self.state is EmbargoState.EXITED or (self.terms is not None and now >= self.terms.ends_at)

    def holds(self, now: datetime) -> bool:
        """True while terms are in force."""
        return self.state in {EmbargoState.ACTIVE, EmbargoState.REVISE} and not self.is_over(now)

    def add(self, participant: ParticipantId) -> "Embargo":
        """Take a further participant in: invited when terms are in force or proposed. One already there stays as it is."""
        if any(party.participant == participant for party in self.parties):
            return self
        party = Party(participant)
        asked = self.state in {EmbargoState.PROPOSED, EmbargoState.ACTIVE, EmbargoState.REVISE}
        return self._replace(parties=(*self.parties, party.invited() if asked else party))

    def propose(self, terms: Terms, case_ends_at: datetime, case_state: CaseState) -> "Embargo":
        """Propose terms, or a revision of those in force. The proposer agrees to them; the others are invited.

        Raises Conflict (anything is public, exploited or attacked: no embargo is sought; or it has exited) and Refused (it would
        outlive the case, or is not in the future). Of two open proposals the one that ends first is kept, as CERT/CC advises.
        """
        if not case_state.is_quiet:
            raise Conflict(f"case state {case_state.letters}: once public, exploited in public or attacked, no embargo is sought (CERT/CC)")
        if terms.ends_at > case_ends_at:
            raise Refused(f"an embargo never outlives its case: until {terms.ends_at:%Y-%m-%d}; the case ends on {case_ends_at:%Y-%m-%d}")
        if terms.ends_at <= terms.proposed_at:
            raise Refused("an embargo ends after it is proposed")
        state = step("embargo", EMBARGO_EDGES, self.state, EmbargoAct.PROPOSE)
        if self.proposal is not None and self.proposal.ends_at <= terms.ends_at:
            return self._replace(state=state)
        base = self.add(terms.proposed_by)
        parties = tuple(_asked_again(party, terms) for party in base.parties)
        return base._replace(state=state, proposal=terms, parties=parties)

    def accept(self, participant: ParticipantId, now: datetime, people: frozenset[PersonId] = frozenset()) -> "Embargo":
        """Agree to the proposal, or to the terms in force. A proposal comes into force when one more than its proposer agrees.

        Raises Refused when it would extend the terms in force and fewer than two people confirm (never 5); Conflict when there
        is nothing to agree to.
        """
        if self.proposal is None:
            if self.terms is None or not self.holds(now):
                raise Conflict("there are no embargo terms to agree to")
            return self._consent(participant, ConsentAct.ACCEPT)._in_force(self.terms)
        if now >= self.proposal.ends_at:
            raise Conflict("these terms have ended before anyone agreed to them")
        if participant == self.proposal.proposed_by:
            raise Conflict("the proposer agreed by proposing; another participant has to")
        if self.terms is not None and self.proposal.ends_at > self.terms.ends_at:
            two_people(people, "extending an embargo")
        agreed = self._consent(participant, ConsentAct.ACCEPT)
        state = step("embargo", EMBARGO_EDGES, self.state, EmbargoAct.ACCEPT)
        return agreed._replace(state=state, proposal=None)._in_force(self.proposal)

    def decline(self, participant: ParticipantId) -> "Embargo":
        """Say no. When nobody is left who could still agree, the proposal is rejected; terms in force stay as they were."""
        declined = self._consent(participant, ConsentAct.DECLINE)
        proposer = self.proposal.proposed_by if self.proposal is not None else None
        waiting = {Consent.INVITED, Consent.LAPSED, Consent.NO_EMBARGO}
        left = [party for party in declined.parties if party.participant != proposer and party.consent in waiting]
        return declined if self.proposal is None or left else declined.reject()

    def reject(self) -> "Embargo":
        """Reject the proposal. After a rejected revision the old terms stand, and whoever had signed those is bound as before."""
        state = step("embargo", EMBARGO_EDGES, self.state, EmbargoAct.REJECT)
        if self.terms is None:
            return self._replace(state=state, proposal=None, parties=tuple(party.act(ConsentAct.RESET) for party in self.parties))
        until = self.terms.ends_at
        return self._replace(state=state, proposal=None, parties=tuple(_bound_again(party, until) for party in self.parties))

    def terminate(self, at: datetime, because: str) -> "Embargo":
        """End it for everybody. Raises Conflict when no terms are in force."""
        state = step("embargo", EMBARGO_EDGES, self.state, EmbargoAct.TERMINATE)
        parties = tuple(party.act(ConsentAct.RESET) for party in self.parties)
        return self._replace(state=state, proposal=None, parties=parties, ended_at=at, ended_because=because)

    def notice(self, participant: ParticipantId, at: datetime) -> "Embargo":
        """Any participant may say that they publish; that ends the embargo for all, early or not. Without terms it ends the talks.

        Raises Conflict for a stranger: what strangers publish arrives as P and ends the embargo through `after`.
        """
        if not any(party.participant == participant for party in self.parties):
            raise Conflict("only a participant gives notice; record what others publish as P on the case")
        return self._end(at, f"notice of publication by {participant}")

    def after(self, case_state: CaseState, at: datetime) -> "Embargo":
        """Follow the world: publication, a public exploit or attacks (P, X, A) end terms and proposals. Idempotent."""
        return self if case_state.is_quiet else self._end(at, f"case state {case_state.letters}")

    def expire(self, now: datetime) -> "Embargo":
        """End what is past its time, terms or proposal, without anyone acting. Idempotent."""
        if self.is_over(now):
            return self._end(now, "its time has come")
        return self.reject() if self.proposal is not None and now >= self.proposal.ends_at else self

    def capped(self, case_ends_at: datetime) -> "Embargo":
        """Follow a case whose end date came nearer: terms and proposal end with it at the latest. A shorter bind needs no new consent."""
        terms, proposal = _shortened(self.terms, case_ends_at), _shortened(self.proposal, case_ends_at)
        capped = tuple(msgspec.structs.replace(p, signed_until=p.signed_until and min(p.signed_until, case_ends_at)) for p in self.parties)
        return self._replace(terms=terms, proposal=proposal, parties=capped)

    def follows(self, before: datetime, case_ends_at: datetime) -> "Embargo":
        """Follow a case whose end date went back to where it was (a split undid a merge): terms that were cut to `before` end with it."""
        if self.terms is None or self.terms.ends_at != before:
            return self
        parties = tuple(
            msgspec.structs.replace(p, signed_until=case_ends_at if p.signed_until == before else p.signed_until) for p in self.parties
        )
        return self._replace(terms=msgspec.structs.replace(self.terms, ends_at=case_ends_at), parties=parties)

    def _end(self, at: datetime, because: str) -> "Embargo":
        if self.state is EmbargoState.PROPOSED:
            return self.reject()
        return self if self.state in {EmbargoState.NONE, EmbargoState.EXITED} else self.terminate(at, because)

    def _party(self, participant: ParticipantId) -> Party:
        return next((party for party in self.parties if party.participant == participant), Party(participant))

    def _in_force(self, terms: Terms) -> "Embargo":
        parties = tuple(
            msgspec.structs.replace(party, signed_until=terms.ends_at) if party.consent is Consent.SIGNATORY else party
            for party in self.parties
        )
        return self._replace(terms=terms, parties=parties)

    def _consent(self, participant: ParticipantId, act: ConsentAct) -> "Embargo":
        base = self.add(participant)
        parties = tuple(party.act(act) if party.participant == participant else party for party in base.parties)
        return base._replace(parties=parties)

    def _replace(self, **changes: object) -> "Embargo":
        return msgspec.structs.replace(self, **changes)


def _asked_again(party: Party, terms: Terms) -> Party:
    asked = party.act(ConsentAct.REVISE) if party.consent is Consent.SIGNATORY else party.invited()
    return asked.act(ConsentAct.ACCEPT) if party.participant == terms.proposed_by else asked


def _bound_again(party: Party, until: datetime) -> Party:
    """Back to the terms that stand, for whoever had signed those; whoever signed only the rejected revision has lapsed."""
    if party.signed_until == until:
        return party.act(ConsentAct.RESET).act(ConsentAct.ACCEPT)
    return party.act(ConsentAct.REVISE) if party.consent is Consent.SIGNATORY else party


def _shortened(terms: Terms | None, until: datetime) -> Terms | None:
    return terms if terms is None or terms.ends_at <= until else msgspec.structs.replace(terms, ends_at=until)


def default_embargo(terms: Terms, participants: tuple[ParticipantId, ...]) -> Embargo:
    """The hub's own default, in force from opening: the hub's published policy is the proposal and submitting agrees to it (CERT/CC).

    `terms.ends_at` is the case's end date; `participants` are those who submitted under that policy.
    """
    state, consent = _agreed()
    return Embargo(state=state, terms=terms, parties=tuple(Party(one, consent, terms.ends_at) for one in participants))


@cache
def _agreed() -> tuple[EmbargoState, Consent]:
    """Where CERT/CC's edges lead from a proposal that everybody accepts: walked once, a report opens cases by the thousand."""
    consent = step("embargo consent", CONSENT_EDGES, Consent.NO_EMBARGO, ConsentAct.ACCEPT)
    return step("embargo", EMBARGO_EDGES, EmbargoState.PROPOSED, EmbargoAct.ACCEPT), consent
