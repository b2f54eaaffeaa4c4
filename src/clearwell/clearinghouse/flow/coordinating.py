# SPDX-License-Identifier: Apache-2.0
"""Coordinating: coordinators see why findings are one, join and split cases, record contacts, extend end dates, two by two."""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.decision_point import DecisionPoint, PointSource
from clearwell.clearinghouse.case.entries import (
    AliasesRecorded,
    ContactRecorded,
    DecisionPointsRecorded,
    DestructionProposed,
    EmbargoExtended,
    ExtensionProposed,
    LinkRevoked,
    ProofsDestroyed,
)
from clearwell.clearinghouse.case.participant import ContactOrigin
from clearwell.clearinghouse.case.report import KeptFinding, Run
from clearwell.clearinghouse.case.store import Attachment, Contact, Fix, KeptCase, KeptParticipant, Link
from clearwell.clearinghouse.dedupe import kill_store
from clearwell.clearinghouse.dedupe.difference import Difference, differences_of
from clearwell.clearinghouse.dedupe.kill_store import KeptCell, KeptRelation
from clearwell.clearinghouse.flow.jobs import INVITE, PUBLISH
from clearwell.clearinghouse.flow.judging import MERGE, SPLIT, Judged, keep_apart, merge, merge_as_agreed, reason_of, split, split_as_agreed
from clearwell.clearinghouse.flow.sketching import related
from clearwell.clearinghouse.prioritization.facts import Answer as Known
from clearwell.clearinghouse.prioritization.facts import TechnicalImpact
from clearwell.clearinghouse.prioritization.priority import rank_case
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.assertion import KeptSanity
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING, Member
from clearwell.ground.identity.members import names_of
from clearwell.ground.identity.two_person import Proposal, confirm, open_proposals, propose
from clearwell.ground.jobs import orders
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.ids import CaseId, FindingId, LinkId, OrganizationId, ProposalId

_ALIAS = re.compile(r"[A-Z][A-Z0-9]{1,15}[-#][A-Z0-9-]{3,40}")
EXTEND = "extend_embargo"
DESTROY = "destroy_proofs"
_COPIES = 20


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case that a coordinator looks at: why it is one, what was run, who takes part, what is next.

    `findings` are at most 200 of the `held`: each organization's first before anybody's second.
    """

    kept: KeptCase
    findings: tuple[KeptFinding, ...]
    held: int
    attachments: tuple[Attachment, ...]
    participants: tuple[KeptParticipant, ...]
    runs: tuple[Run, ...]
    statements: tuple[Row, ...]
    fixes: tuple[Fix, ...]
    links: tuple[Link, ...]
    proposals: tuple[Proposal, ...]
    differences: tuple[Difference, ...]
    sanity: dict[FindingId, KeptSanity]
    kills: tuple[KeptCell, ...]
    relations: tuple[KeptRelation, ...]
    copies: tuple[KeptCase, ...]
    credit: dict[OrganizationId, datetime]
    names: dict[OrganizationId, str]
    """What the organizations that reported or take part are called, as far as the reader may know."""


def list_cases(
    house: House, actor: Member, standing: str | None = None, after: tuple[int, str] | None = None, limit: int = 50
) -> tuple[KeptCase, ...]:
    """Cases by priority; `after` is (priority, id) of the last row of the page before."""
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        return store.list_cases(tx, standing, after, limit)


def read_case(house: House, actor: Member, case_id: CaseId) -> CaseView:
    """One case with everything about it; raise NotFound."""
    house.policy.require(actor, Act.READ_CASES, Subject(case_id))
    with house.transaction(actor) as tx:
        kept, fixes = store.load_case(tx, case_id), store.fixes_of(tx, case_id)
        proofs = {*([kept.proof] if kept.proof else []), *(proof.id for proof in report_store.proofs_of_case(tx, case_id))}
        findings, participants = report_store.findings_of_case(tx, case_id), store.participants_of(tx, case_id)
        organizations = [finding.organization for finding in findings] + [one.organization for one in participants if one.organization]
        return CaseView(
            kept=kept,
            findings=findings,
            held=report_store.count_of_case(tx, case_id),
            attachments=store.attachments_of(tx, case_id, [finding.id for finding in findings]),
            participants=participants,
            runs=report_store.runs_of_case(tx, case_id),
            statements=store.statements_of(tx, case_id),
            fixes=fixes,
            links=store.links_of_case(tx, case_id),
            proposals=open_proposals(tx, house.clock.now()),
            differences=differences_of(tx, case_id),
            sanity=validation_store.sanity_of(tx, [finding.id for finding in findings]),
            kills=kill_store.cells(tx, [fix.id for fix in fixes], sorted(proofs)),
            relations=kill_store.relations_of(tx, case_id),
            copies=_copies(tx, kept, findings),
            credit=store.credit_dates(tx, case_id),
            names=names_of(tx, organizations),
        )


def _copies(tx: Transaction, kept: KeptCase, findings: Sequence[KeptFinding]) -> tuple[KeptCase, ...]:
    """Cases of other components that may be about a copy of the same source, the oldest first."""
    found = store.load_cases(tx, related(tx, findings)).values()
    others = [other for other in found if other.case.component != kept.case.component and other.merged_into is None]
    return tuple(sorted(others, key=lambda other: (other.case.first_received, other.id))[:_COPIES])


def read_two_findings(house: House, actor: Member, case_id: CaseId, left: FindingId, right: FindingId) -> tuple[KeptFinding, KeptFinding]:
    """Two findings to be looked at side by side, the first of them of this case; raise NotFound."""
    house.policy.require(actor, Act.READ_CASES, Subject(case_id))
    with house.transaction(actor) as tx:
        one, other = report_store.load_finding(tx, left), report_store.load_finding(tx, right)
        if one.case != case_id:
            raise NotFound("there is no such report in this case")
        return one, other


def merge_cases(house: House, actor: Member, case_id: CaseId, into: CaseId, reason: str) -> Judged:
    """Join one case with another by a person's judgment (rung L4). Undone by `split_case`.

    Where it would bring a proof to a new participant it is only proposed: `confirm_merge`. Raises Conflict, Invalid, NotFound.
    """
    reason = reason_of(reason)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.MERGE_CASES, Subject(case_id))
        return merge(house, tx, actor, case_id, into, reason)


def confirm_merge(house: House, actor: Member, proposal_id: ProposalId) -> None:
    """The second of two people confirms a merge that brings a proof to a new participant: it is done now (never 5).

    Raises Conflict where anything of it changed since it was proposed; Refused, TooLate, NotFound.
    """
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.CONFIRM_MERGE, Subject(proposal_id))
        merge_as_agreed(house, tx, actor, confirm(tx, proposal_id, actor, MERGE, house.clock.now()))


def split_case(house: House, actor: Member, case_id: CaseId, finding_ids: tuple[FindingId, ...], reason: str) -> Judged:
    """Take findings out of a case again, each into the case it came from, which wakes as it was: the `cases` of what is returned.

    A finding that opened this case itself stays; one that joined at intake gets a case of its own. Where it would bring a proof to a new
    participant it is only proposed: `confirm_split`. Raises Conflict, Invalid, NotFound.
    """
    reason = reason_of(reason)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.SPLIT_CASE, Subject(case_id))
        return split(house, tx, actor, case_id, finding_ids, reason)


def confirm_split(house: House, actor: Member, proposal_id: ProposalId) -> tuple[CaseId, ...]:
    """The second of two people confirms a split that brings a proof to a new participant: it is done now (never 5).

    Raises Conflict where anything of it changed since it was proposed; Refused, TooLate, NotFound.
    """
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.CONFIRM_SPLIT, Subject(proposal_id))
        return split_as_agreed(house, tx, actor, confirm(tx, proposal_id, actor, SPLIT, house.clock.now()))


def find_different(house: House, actor: Member, case_id: CaseId, other: CaseId, reason: str) -> None:
    """Say that two cases are not one. It is remembered for ever: no rule joins them, nor what took one of them in, nor does a person.

    Two that were joined are split first. Raises Conflict, Invalid, NotFound.
    """
    reason = reason_of(reason)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.FIND_DIFFERENT, Subject(case_id))
        keep_apart(house, tx, actor, case_id, other, reason)


def record_contact(house: House, actor: Member, contact: Contact) -> None:
    """Record who maintains a component and where that was found; a report is no source (never 5)."""
    try:
        ContactOrigin(contact.origin)
    except ValueError:
        raise Invalid(f"a contact's origin is one of {', '.join(ContactOrigin)}; a report is none") from None
    if "@" not in contact.contact or len(contact.contact) > 320:
        raise Invalid("a contact is a mail address")
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RECORD_CONTACT)
        store.save_contact(tx, contact, actor.person, house.clock.now())
        house.write(tx, ContactRecorded(Salted(contact.component), contact.origin), by=actor)
        defer(tx, [INVITE.job(case=kept.id) for kept in store.proven_cases(tx, contact.component)])


def revoke_link(house: House, actor: Member, link: LinkId) -> None:
    """End a maintainer's link at once."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.REVOKE_LINK, Subject(link))
        case = store.revoke_link(tx, link, house.clock.now())
        house.write(tx, LinkRevoked(link, case), by=actor)


def propose_extension(house: House, actor: Member, case_id: CaseId, until: datetime) -> Proposal:
    """The first of two people proposes a later end date, within the policy's maximum."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.PROPOSE_EXTENSION, Subject(case_id))
        now = house.clock.now()
        store.load_case(tx, case_id).case.extend(until, frozenset({actor.person, "a second person"}), now)  # type: ignore[arg-type]
        proposal_id = ProposalId(house.new_id("proposal"))
        proposal = propose(tx, proposal_id, actor, EXTEND, case_id, {"until": until.isoformat()}, now, house.settings.proposal_hours)
        house.write(tx, ExtensionProposed(case_id, proposal_id), by=actor)
    return proposal


def confirm_extension(house: House, actor: Member, proposal_id: ProposalId) -> KeptCase:
    """The second of two people confirms: the end date moves (never 5)."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.CONFIRM_EXTENSION, Subject(proposal_id))
        now = house.clock.now()
        agreed = confirm(tx, proposal_id, actor, EXTEND, now)
        kept = store.load_case(tx, CaseId(agreed.subject), lock=True)
        case = kept.case.extend(datetime.fromisoformat(agreed.payload["until"]), frozenset({agreed.proposed_by, actor.person}), now)
        kept = msgspec.structs.replace(kept, case=case, reminded=())
        store.save_case(tx, kept)
        house.write(tx, EmbargoExtended(kept.id, proposal_id, case.ends_at.isoformat()), by=actor)
    return kept


def propose_destruction(house: House, actor: Member, case_id: CaseId) -> Proposal:
    """The first of two people proposes to destroy a case's proofs (its key)."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.DESTROY_PROOFS, Subject(case_id))
        store.load_case(tx, case_id)
        proposal_id = ProposalId(house.new_id("proposal"))
        proposal = propose(tx, proposal_id, actor, DESTROY, case_id, {}, house.clock.now(), house.settings.proposal_hours)
        house.write(tx, DestructionProposed(case_id, proposal_id), by=actor)
    return proposal


def destroy_proofs(house: House, actor: Member, proposal_id: ProposalId) -> int:
    """The second person confirms: the case's key is deleted, what it held can be read by nobody. Returns how many blobs.

    A report that carried a proof inside stays sealed under its submission's own key, which only its parsing reads.
    """
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.DESTROY_PROOFS, Subject(proposal_id))
        agreed = confirm(tx, proposal_id, actor, DESTROY, house.clock.now())
        proofs = [proof.id for proof in report_store.proofs_of_case(tx, CaseId(agreed.subject))]
        with tx.acting_as(PROVING.scope):
            orders.forget_proofs(tx, proofs)
        blobs = house.blobs.destroy(tx, agreed.subject)
        house.write(tx, ProofsDestroyed(CaseId(agreed.subject), proposal_id, blobs), by=actor)
    return blobs


def record_aliases(house: House, actor: Member, case_id: CaseId, aliases: tuple[str, ...]) -> KeptCase:
    """Record a case's public names elsewhere (CVE, GHSA, VU#), so that feeds and catalogs meet it. Raises Invalid."""
    names = tuple(dict.fromkeys(alias.strip().upper() for alias in aliases))
    if not 1 <= len(names) <= 20 or not all(_ALIAS.fullmatch(name) for name in names):
        raise Invalid("1 to 20 aliases, each like CVE-2024-12345, GHSA-xxxx-xxxx-xxxx or VU#123456")
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RECORD_ALIASES, Subject(case_id))
        kept = store.load_case(tx, case_id, lock=True)
        kept = msgspec.structs.replace(kept, aliases=names)
        store.save_case(tx, kept)
        house.write(tx, AliasesRecorded(case_id, Salted(" ".join(names), case=case_id)), by=actor)
    return kept


def record_decision_points(
    house: House,
    actor: Member,
    case_id: CaseId,
    automatable: Known | None,
    technical_impact: TechnicalImpact | None,
    source: PointSource,
) -> KeptCase:
    """Record what SSVC asks of a flaw and no machine here can tell; BOD 26-04 dates what KEV lists by these two answers.

    None leaves a point as it was, with its own source and date, so that the two may come from different sources. The case is ranked
    anew; one that is published with its fix gets a revision, by which every operator is ranked anew. Raises Invalid, NotFound.
    """
    if automatable is None and technical_impact is None:
        raise Invalid("say whether attackers can automate it (automatable), what control it gives (technical_impact), or both")
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RECORD_DECISION_POINTS, Subject(case_id))
        kept, now = store.load_case(tx, case_id, lock=True), house.clock.now()
        told = {
            name: DecisionPoint(answer.value, source, now, actor.person)
            for name, answer in (("automatable", automatable), ("technical_impact", technical_impact))
            if answer is not None
        }
        kept = rank_case(msgspec.structs.replace(kept, **told))
        store.save_case(tx, kept)
        said = Salted("; ".join(f"{name}: {point.value}" for name, point in told.items()), case=case_id)
        house.write(tx, DecisionPointsRecorded(case_id, source.value, said), by=actor)
        if kept.case.published_at is not None and kept.case.fixed_at is not None:
            defer(tx, [PUBLISH.job(case=case_id)])
    return kept
