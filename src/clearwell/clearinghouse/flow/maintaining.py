# SPDX-License-Identifier: Apache-2.0
"""Maintaining: the maintainer acts through a link, without an account. Looking changes nothing; acts need the mailed code.

The link is a capability: one case, one participant, one set of acts, expiring, revocable. Its secret stands only in the mail
and, hashed, in the database; never in a log or the ledger.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import CodeSent, FixClaimed, MaintainerInvited, MaintainerReminded, StatementMade
from clearwell.clearinghouse.case.participant import ContactOrigin, Participant, ReportState, Role, Statement, StatementKind, take_turns
from clearwell.clearinghouse.case.report import KeptFinding, Run
from clearwell.clearinghouse.case.state import CaseEvent
from clearwell.clearinghouse.case.store import Contact, Fix, KeptCase, KeptParticipant, Link
from clearwell.clearinghouse.flow.jobs import INVITE, VERIFY_FIX
from clearwell.clearinghouse.flow.post import Mail, post
from clearwell.ground.house import House
from clearwell.ground.identity.actor import CASE, LinkHolder
from clearwell.ground.identity.members import digest
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.ledger.ledger import entries_about
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Row, Transaction
from clearwell.inventory.versions import key as order
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Refused, TooLate
from clearwell.vocabulary.ids import CaseId, LinkId, ParticipantId, RemediationId
from clearwell.vocabulary.product import Product

ACTS = ("make_statement", "claim_fix")
"""What a maintainer's link is for."""
_TRIES = 5
_CODES_AN_HOUR = 20
_OPEN_CLAIMS = 5
_FOUND: dict[str, str] = {
    ContactOrigin.SECURITY_TXT: "from its security.txt", ContactOrigin.SECURITY_POLICY: "from its security policy",
    ContactOrigin.REGISTRY: "from its package registry", ContactOrigin.COORDINATOR: "entered by a coordinator",
    ContactOrigin.MAINTAINER: "told by a maintainer",
}  # fmt: skip
"""Where a contact was found, in the words of a mail."""
_VERSION = re.compile(r"v?[0-9][0-9A-Za-z._+~!:-]{0,98}")
_PATCH_LIMIT = 2 * 1024 * 1024


class LinkedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a maintainer sees: one root cause, reproduced; the report, the runs, what was said and claimed, and until when."""

    kept: KeptCase
    participant: KeptParticipant
    findings: tuple[KeptFinding, ...]
    runs: tuple[Run, ...]
    statements: tuple[Row, ...]
    fixes: tuple[Fix, ...]
    link: Link


def invite(house: House, case: CaseId) -> None:
    """Invite the recorded maintainer of a proven case's component, as far as the maintainer's own limit allows (a job).

    The first maintainer is invited by policy, to a contact whose origin is recorded; waiting cases keep their end date.
    """
    with house.transaction(CASE) as tx:
        house.policy.require(CASE, Act.INVITE_MAINTAINER, Subject(case))
        contact = store.contact_of(tx, store.load_case(tx, case).case.component)
        if contact is None:
            return
        tx.take_turns("contact", [contact.contact])
        turn = take_turns(store.queue_of_contact(tx, contact.contact), contact.open_reports_limit, house.clock.now())
        for chosen in turn.presented:
            kept = store.load_case(tx, chosen, lock=True)
            if kept.presented_at is None:
                _present(house, tx, kept, contact)


def _present(house: House, tx: Transaction, kept: KeptCase, contact: Contact) -> None:
    now = house.clock.now()
    participant = KeptParticipant(
        id=ParticipantId(house.new_id("part")), case=kept.id, role=Role.VENDOR.value, contact=contact.contact,
        contact_origin=contact.origin, joined_at=now, first_reported=kept.case.first_received,
    )  # fmt: skip
    store.insert_participants(tx, [participant])
    state = kept.case if kept.case.state.has(CaseEvent.VENDOR_AWARE) else kept.case.learn(CaseEvent.VENDOR_AWARE)
    store.save_case(tx, msgspec.structs.replace(kept, case=state, presented_at=now, embargo=kept.embargo.add(participant.id)))
    link, address = _issue_link(house, tx, kept, participant.id)
    text = (
        f"Dear {contact.name},\n\nsomebody reported a flaw in {kept.case.component}. This hub ran the proof in isolation: it works.\n"
        f"You are on record here as its maintainer ({_FOUND.get(contact.origin, contact.origin)}), so we ask for your help.\n\n"
        f"Your page about it (no account needed; keep the address to yourself):\n\n  {address}\n\n"
        f"It holds the report, a minimal proof and what was seen when it ran. There you can say that you work on it, that it is no bug\n"
        f"or which version has the fix, or send a patch. The hub tries a fix with the same proof.\n\n"
        f"Without a verified fix, a minimal advisory is published on {kept.case.ends_at:%Y-%m-%d}: the component and the kind of\n"
        f"weakness, nothing else. A verified fix is published earlier.\n"
        f"You get at most {contact.open_reports_limit} open reports at a time from us.\n"
    )
    post(house, tx, Mail(contact.contact, f"A reproduced flaw in {kept.case.component}", text))
    salted = Salted(contact.contact, case=kept.id)
    house.write(tx, MaintainerInvited(kept.id, participant.id, link, salted, contact.origin), by=CASE)


def _issue_link(house: House, tx: Transaction, kept: KeptCase, participant: ParticipantId) -> tuple[LinkId, str]:
    secret, now = secrets.token_urlsafe(32), house.clock.now()
    expires = max(now + timedelta(days=house.settings.link_days), kept.case.ends_at)
    link = Link(id=LinkId(house.new_id("link")), case=kept.id, participant=participant, acts=ACTS, expires_at=expires)
    store.insert_link(tx, link, digest(secret), now)
    return link.id, f"{house.settings.public_url}/maintainer/{secret}"


class Reminder(msgspec.Struct, frozen=True):
    """One line of a reminder: to whom, about which component, until when, and the link's address."""

    contact: Contact
    component: str
    ends_at: datetime
    address: str


def remind(house: House, tx: Transaction, kept: KeptCase, days_before: int) -> tuple[Reminder, ...]:
    """Note that the maintainer is told of a near end date, whatever their limit and whether or not it is proven (never 2).

    Returns the line for the mail; nothing when no contact is recorded.
    """
    house.write(tx, MaintainerReminded(kept.id, days_before), by=CASE)
    contact = store.contact_of(tx, kept.case.component)
    if contact is None:
        return ()
    participant = next((p for p in store.participants_of(tx, kept.id) if p.role == Role.VENDOR.value), None)
    address = _issue_link(house, tx, kept, participant.id)[1] if participant is not None else _introduce(house, tx, kept, contact)
    return (Reminder(contact, kept.case.component, kept.case.ends_at, address),)


def post_reminders(house: House, tx: Transaction, told: Sequence[Reminder]) -> None:
    """Mail each contact once, however many end dates come near."""
    for contact in dict.fromkeys(reminder.contact for reminder in told):
        mine = [reminder for reminder in told if reminder.contact == contact]
        lines = "\n".join(f"  {r.component}, until {r.ends_at:%Y-%m-%d}:\n    {r.address}" for r in mine)
        what = "a report reaches its end date" if len(mine) == 1 else f"{len(mine)} reports reach their end dates"
        text = (
            f"Dear {contact.name},\n\n{what} soon. On that day a minimal advisory is published without anyone acting.\n"
            f"Your pages about this (no account needed; keep the addresses to yourself):\n\n{lines}\n"
        )
        first = min(r.ends_at for r in mine)
        post(house, tx, Mail(contact.contact, f"Until {first:%Y-%m-%d}: {what}", text))


def _introduce(house: House, tx: Transaction, kept: KeptCase, contact: Contact) -> str:
    participant = KeptParticipant(
        id=ParticipantId(house.new_id("part")), case=kept.id, role=Role.VENDOR.value, contact=contact.contact,
        contact_origin=contact.origin, joined_at=house.clock.now(), first_reported=kept.case.first_received,
    )  # fmt: skip
    store.insert_participants(tx, [participant])
    return _issue_link(house, tx, kept, participant.id)[1]


def open_link(house: House, secret: str) -> LinkHolder:
    """Find who a link makes one; raise NotFound for unknown, TooLate for expired or revoked ones."""
    if len(secret) > 100:
        raise NotFound("there is no such link")
    with house.transaction(CASE) as tx:
        link = store.find_link(tx, digest(secret))
    if link is None:
        raise NotFound("there is no such link")
    if link.revoked_at is not None or link.expires_at <= house.clock.now():
        raise TooLate("this link has ended; the coordinator can send you a new one")
    return LinkHolder(link.id, link.case, link.participant, frozenset(link.acts))


def read_linked(house: House, actor: LinkHolder) -> LinkedView:
    """What the link shows. Changes nothing."""
    house.policy.require(actor, Act.READ_LINKED_CASE, Subject(actor.case, case=actor.case))
    with house.transaction(actor) as tx:
        return LinkedView(
            kept=store.load_case(tx, actor.case),
            participant=store.load_participant(tx, actor.participant),
            findings=report_store.findings_of_case(tx, actor.case),
            runs=report_store.runs_of_case(tx, actor.case),
            statements=store.statements_of(tx, actor.case),
            fixes=store.fixes_of(tx, actor.case),
            link=next(link for link in store.links_of_case(tx, actor.case) if link.id == actor.link),
        )


def send_code(house: House, actor: LinkHolder) -> None:
    """Mail a code to the participant's contact; acts through the link need it. A new code ends the old one."""
    house.policy.require(actor, Act.ASK_CODE, Subject(actor.case, case=actor.case))
    code = f"{secrets.randbelow(10**8):08d}"
    with house.transaction(actor) as tx:
        tx.take_turns("code", [actor.case])
        if entries_about(tx, actor.case, CodeSent.type, house.clock.now() - timedelta(hours=1)) >= _CODES_AN_HOUR:
            raise Refused("too many codes were mailed for this report; wait an hour, or ask the coordinator")
        contact = store.load_participant(tx, actor.participant).contact or ""
        expires = house.clock.now() + timedelta(minutes=house.settings.code_minutes)
        store.set_code(tx, actor.link, _code_digest(actor.link, code), expires)
        text = (
            f"Your code is {code}. It is valid for {house.settings.code_minutes} minutes, on the page that you opened.\n"
            f"If you did not ask for it, somebody else holds the address of your page: tell the coordinator, who can end it.\n"
        )
        post(house, tx, Mail(contact, "Your code", text))
        house.write(tx, CodeSent(actor.link, actor.case), by=actor)


def make_statement(house: House, actor: LinkHolder, code: str, kind: StatementKind, text: str, version: str | None = None) -> None:
    """State something about the case. It closes nothing by itself; "fixed in" makes the hub verify that version."""
    _use_code(house, actor, code)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.MAKE_STATEMENT, Subject(actor.case, case=actor.case))
        now = house.clock.now()
        statement = Statement(kind, now, version, text)
        participant = store.load_participant(tx, actor.participant)
        said = _noun(participant).state(statement)
        detail = version or text
        store.insert_statement(tx, house.new_id("said"), actor.case, actor.participant, kind.value, detail, now)
        salted = Salted(detail, case=actor.case)
        house.write(tx, StatementMade(actor.case, actor.participant, kind.value, salted), by=actor)
        with tx.acting_as(CASE.scope):
            store.set_report_state(tx, actor.participant, said.report.value)
        if kind is StatementKind.FIXED_IN and version is not None:
            _claim(house, tx, actor, "version", version=version)


def claim_patch(house: House, actor: LinkHolder, code: str, patch: bytes) -> Fix:
    """Send a patch; the hub applies it to the flawed source and runs the same proof, variants and features."""
    if not patch.strip() or len(patch) > _PATCH_LIMIT:
        raise Invalid("a patch has between 1 byte and 2 MB")
    _use_code(house, actor, code)
    sealed = house.blobs.put([patch], _PATCH_LIMIT)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.CLAIM_FIX, Subject(actor.case, case=actor.case))
        house.blobs.hold(tx, actor.case, sealed)
        return _claim(house, tx, actor, "patch", patch_address=sealed.address)


def _claim(
    house: House, tx: Transaction, actor: LinkHolder, kind: str, version: str | None = None, patch_address: str | None = None
) -> Fix:
    house.policy.require(actor, Act.CLAIM_FIX, Subject(actor.case, case=actor.case))
    kept = store.load_case(tx, actor.case)
    if kept.merged_into is not None:
        raise Conflict("this report was joined with another one; use the link to that one, or ask the coordinator")
    if sum(fix.state == "claimed" for fix in store.fixes_of(tx, actor.case)) >= _OPEN_CLAIMS:
        raise Conflict(f"{_OPEN_CLAIMS} claims of yours are being verified; wait for those")
    if version is not None:
        _check_version(kept, version)
    fix = Fix(
        id=RemediationId(house.new_id("fix")), case=actor.case, kind=kind, version=version, patch_address=patch_address,
        claimed_by=actor.participant, claimed_at=house.clock.now(), state="claimed",
    )  # fmt: skip
    store.insert_fix(tx, fix)
    house.write(tx, FixClaimed(actor.case, fix.id, kind), by=actor)
    defer(tx, [VERIFY_FIX.job(fix=fix.id)])
    return fix


def _check_version(kept: KeptCase, version: str) -> None:
    if _VERSION.fullmatch(version) is None:
        raise Invalid("a version begins with a digit or v and has up to 100 letters, digits and . _ + - ~ ! : (no tag such as latest)")
    kind = kept.case.component.removeprefix("pkg:").partition("/")[0]
    fixed = order(kind, version)
    for flawed in kept.fires:
        known = order(kind, flawed)
        if version == flawed or (fixed is not None and fixed == known):
            raise Invalid(f"the proof fires on {flawed}: it cannot be the fixed version")
        if fixed is not None and known is not None and fixed < known:
            raise Invalid(f"the proof fires on {flawed}, which is later than {version}: name a version after it, or send a patch")


def _use_code(house: House, actor: LinkHolder, code: str) -> None:
    """Check the mailed code; raise Refused. Each try is counted and committed, so that guessing ends after five."""
    with house.transaction(actor) as tx:
        link = next(link for link in store.links_of_case(tx, actor.case) if link.id == actor.link)
        tries = store.count_try(tx, actor.link)
    if link.revoked_at is not None or link.expires_at <= house.clock.now():
        raise TooLate("this link has ended; the coordinator can send you a new one")
    if link.code_hash is None or link.code_expires_at is None or link.code_expires_at <= house.clock.now():
        raise Refused("this needs a code: press 'mail me a code' and enter the newest one")
    if tries > _TRIES:
        raise Refused("too many tries; ask for a new code")
    if not hmac.compare_digest(link.code_hash, _code_digest(actor.link, code.strip())):
        raise Refused("this is not the newest code")
    with house.transaction(actor) as tx:
        store.forget_tries(tx, actor.link)


def _code_digest(link: LinkId, code: str) -> bytes:
    return digest(f"{link}:{code}")


def _noun(kept: KeptParticipant) -> Participant:
    return Participant(
        id=kept.id,
        case=kept.case,
        roles=frozenset({Role(kept.role)}),
        contact_origin=ContactOrigin(kept.contact_origin or ContactOrigin.COORDINATOR.value),
        report=ReportState(kept.report_state),
    )


def next_in_queue(tx: Transaction, kept: KeptCase) -> None:
    """A case left a maintainer's hands: the next one that waits may be presented."""
    defer(tx, [INVITE.job(case=kept.id)])


def fixed_purl(kept: KeptCase, version: str) -> str:
    """The package URL of a claimed version of the case's component."""
    return Product(purl=kept.case.component).component + f"@{version}"
