# SPDX-License-Identifier: Apache-2.0
"""Publishing: the advisory of a distributed fix, the minimal one of an end date, the signed feed, and the clocks' chore."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.case import DutyKind
from clearwell.clearinghouse.case.deadline import POLICIES
from clearwell.clearinghouse.case.embargo import EmbargoState
from clearwell.clearinghouse.case.entries import AdvisoryPublished
from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.clearinghouse.distribution import store as distribution_store
from clearwell.clearinghouse.distribution.feed import Documents, documents, make_signer, write_feed
from clearwell.clearinghouse.distribution.store import Published
from clearwell.clearinghouse.distribution.writing import full_advisory, points_of
from clearwell.clearinghouse.flow.jobs import MATCH, WRITE_FEED
from clearwell.clearinghouse.flow.maintaining import Reminder, next_in_queue, post_reminders, remind
from clearwell.formats.csaf import Publisher
from clearwell.ground.house import House
from clearwell.ground.identity.actor import CASE, DISTRIBUTION, Actor
from clearwell.ground.jobs.queue import defer_once
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.advisory import Advisory
from clearwell.vocabulary.errors import ClearwellError, Conflict, Unavailable
from clearwell.vocabulary.ids import AdvisoryId, CaseId

_AT_ONCE = 50
_REMINDER_DAYS = sorted({days for policy in POLICIES for days in policy.reminder_days})


def publish_case(house: House, case: CaseId) -> None:
    """Publish the advisory of a case whose verified fix two people distributed (a job); repeated, it publishes nothing twice.

    When an end date published a minimal advisory before, this is its next revision. When the case's decision points were recorded
    after its publication, the next revision tells them.
    """
    with house.transaction(DISTRIBUTION) as tx:
        house.policy.require(DISTRIBUTION, Act.PUBLISH, Subject(case))
        kept = store.load_case(tx, case, lock=True)
        fix = next((fix for fix in reversed(store.fixes_of(tx, case)) if fix.distributed_at is not None), None)
        if fix is None:
            raise Conflict("no fix of this case was distributed by two people")
        earlier = distribution_store.advisory_by_id(tx, kept.advisory) if kept.advisory is not None else None
        if earlier is None or earlier.advisory.is_minimal:
            _publish_full(house, tx, kept, fix, earlier)
        elif earlier.advisory.decision_points != points_of(kept):
            told = msgspec.structs.replace(earlier.advisory, decision_points=points_of(kept))
            _release(house, tx, kept, _revision(told, earlier, house.clock.now()), earlier, DISTRIBUTION)


def _publish_full(house: House, tx: Transaction, kept: KeptCase, fix: Fix, earlier: Published | None) -> None:
    now = house.clock.now()
    public_id = earlier.advisory.id if earlier else _public_id(house)
    advisory = full_advisory(kept, public_id, fix, (), now)
    if earlier is not None:
        advisory = _revision(advisory, earlier, now)
    _release(house, tx, kept, advisory, earlier, DISTRIBUTION)


def _revision(advisory: Advisory, earlier: Published, now: datetime) -> Advisory:
    """The advisory as the next revision of what was published, which keeps the dates of those before."""
    before = earlier.advisory
    return msgspec.structs.replace(
        advisory,
        revision=before.revision + 1,
        initial_release=before.initial_release,
        current_release=now,
        revised=(*before.revised, now),
    )


def look_at_clocks(house: House) -> int:
    """Do every duty that is due: tell maintainers before the end date, publish minimal advisories on it. Returns how many.

    Runs unattended as a chore of every worker; each case is locked, so company does no harm. One case that cannot be published keeps
    no other back (never 2): the rest is done first, then Unavailable is raised.
    """
    house.policy.require(CASE, Act.EXPIRE)
    now, done = house.clock.now(), 0
    after: tuple[datetime, str] | None = None
    failed: list[Exception] = []
    while True:
        with house.transaction(CASE) as tx:
            due = store.cases_with_duties(tx, now, _REMINDER_DAYS, after)
        if not due:
            break
        for cases in _rounds(house, [listed for listed in due if listed.case.duties_due(now, frozenset(listed.reminded))]):
            done += _do_round(house, cases, failed)
        after = due[-1].case.ends_at, due[-1].id
    if failed:
        raise Unavailable(f"{len(failed)} cases' duties could not be done; the first: {type(failed[0]).__name__}") from failed[0]
    return done


def _rounds(house: House, due: Sequence[KeptCase]) -> list[tuple[CaseId, ...]]:
    """Cases whose duties are done together, because one person is told about them: one mail for many reminders."""
    with house.transaction(CASE) as tx:
        contacts = {component: store.contact_of(tx, component) for component in {kept.case.component for kept in due}}
    by_contact: dict[str, list[CaseId]] = {}
    for kept in due:
        contact = contacts[kept.case.component]
        by_contact.setdefault(contact.contact if contact else "", []).append(kept.id)
    return [tuple(cases[n : n + _AT_ONCE]) for cases in by_contact.values() for n in range(0, len(cases), _AT_ONCE)]


def _do_round(house: House, cases: tuple[CaseId, ...], failed: list[Exception]) -> int:
    """Do the duties of these cases in one transaction; when one of them cannot be done, each in its own."""
    try:
        with house.transaction(CASE) as tx:
            told: list[Reminder] = []
            done = sum(_do_duties(house, tx, case, told) for case in cases)
            post_reminders(house, tx, told)
        return done
    except (ClearwellError, ValueError, LookupError, TypeError) as reason:  # whatever the words of a report provoke
        if len(cases) == 1:
            failed.append(reason)
            return 0
        return sum(_do_round(house, (case,), failed) for case in cases)


def _do_duties(house: House, tx: Transaction, case: CaseId, told: list[Reminder]) -> int:
    now = house.clock.now()
    kept = store.load_case(tx, case, lock=True)
    if kept.merged_into is not None:
        return 0
    duties = kept.case.duties_due(now, frozenset(kept.reminded))
    for duty in duties:
        if duty.kind is DutyKind.TELL_MAINTAINER:
            told.extend(remind(house, tx, kept, duty.days_before))
            kept = msgspec.structs.replace(kept, reminded=(*kept.reminded, duty.days_before))
            store.save_case(tx, kept)
        elif duty.kind is DutyKind.PUBLISH_MINIMAL:
            advisory_id = AdvisoryId(_public_id(house))
            minimal = kept.case.minimal_advisory(advisory_id, now)
            with tx.acting_as(DISTRIBUTION.scope):
                _release(house, tx, kept, minimal, None, CASE)
            with tx.acting_as(CASE.scope):
                next_in_queue(tx, kept)
    return len(duties)


def _release(house: House, tx: Transaction, kept: KeptCase, advisory: Advisory, earlier: Published | None, by: Actor) -> None:
    """Store the advisory, end the embargo, write the ledger, and let the feed and every operator know."""
    now = advisory.current_release
    advisory_id = earlier.id if earlier else AdvisoryId(house.new_id("adv"))
    if earlier:
        distribution_store.update_advisory(tx, advisory_id, advisory)
    else:
        distribution_store.insert_advisory(tx, advisory_id, advisory)
    embargo = kept.embargo.terminate(now, "published") if kept.embargo.state is not EmbargoState.EXITED else kept.embargo
    store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.publish(now), embargo=embargo, advisory=advisory_id))
    written = _documents(house, advisory)
    entry = AdvisoryPublished(kept.id, advisory_id, advisory.id, advisory.is_minimal, written.csaf_sha256, written.osv_sha256)
    house.write(tx, entry, by=by)
    defer_once(tx, [WRITE_FEED.job(), *(MATCH.job(organization=operator) for operator in distribution_store.operators(tx))])


def refresh_feed(house: House) -> None:
    """Write the static feed from what is published (a job); whoever runs it last writes all of it."""
    house.policy.require(DISTRIBUTION, Act.PUBLISH)
    with house.transaction(DISTRIBUTION) as tx:
        tx.take_turns("feed", ["all"])
        published = distribution_store.list_advisories(tx)
        signer = make_signer(house.keys.advisory)
        write_feed(house.settings.feed_dir, [_documents(house, one.advisory) for one in published], signer)


def list_advisories(house: House, actor: Actor) -> tuple[Published, ...]:
    """Every published advisory: public."""
    house.policy.require(actor, Act.READ_PUBLIC)
    with house.transaction(actor) as tx:
        return distribution_store.list_advisories(tx)


def read_advisory(house: House, actor: Actor, public_id: str) -> Documents:
    """One published advisory as its documents; raise NotFound."""
    house.policy.require(actor, Act.READ_PUBLIC, Subject(public_id))
    with house.transaction(actor) as tx:
        return _documents(house, distribution_store.load_advisory(tx, public_id).advisory)


def _documents(house: House, advisory: Advisory) -> Documents:
    return documents(advisory, Publisher(name="Clearwell clearinghouse", namespace=house.settings.metadata_url))


def _public_id(house: House) -> str:
    """A public id: the year and eight random letters or digits, never a number that tells how many there are."""
    return f"CLEARWELL-{house.clock.today():%Y}-{house.new_id('adv')[-8:]}"
