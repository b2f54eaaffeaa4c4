# SPDX-License-Identifier: Apache-2.0
"""Alarming: a run that got out of its box stops the proving queue, for every worker, until a person has looked and resumes it."""

from datetime import timedelta

from clearwell.clearinghouse.case import alarm_store
from clearwell.clearinghouse.case.alarm_store import Alarm
from clearwell.clearinghouse.case.entries import ProvingResumed, ProvingStopped
from clearwell.clearinghouse.flow.jobs import CHECK, VALIDATE
from clearwell.clearinghouse.flow.post import Mail, post
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING, Actor, OrganizationKind
from clearwell.ground.identity.members import addresses_of
from clearwell.ground.jobs import orders
from clearwell.ground.jobs.queue import Job, defer, hasten
from clearwell.ground.policy.policy import HUB, Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import AlarmId, ProofId
from clearwell.vocabulary.outside import visible

_LATER = timedelta(minutes=1)
_MAIL = """A run that must reach nothing was heard outside its box:

{reason}

Its result counts for nothing. No proof runs on this hub until a person has
looked at the machine and let proving go on, saying why that is safe:

{url}/

(or on the hub's machine: clearwell sandbox alarms, clearwell sandbox resume)

Alarm {alarm}
"""


def put_off(house: House, job: Job) -> bool:
    """Put a job of the proving queue back for a minute when the queue is stopped; True when it was.

    A worker apart may have said that a run got out: its word alone stops the queue, whatever it handed in with it, so a person must hear.
    """
    with house.transaction(PROVING) as tx:
        house.policy.require(PROVING, Act.VALIDATE, HUB)
        for proof, reason in orders.forget_escapes(tx):
            _raise(house, tx, ProofId(proof), reason)
        if not alarm_store.open_alarms(tx):
            return False
        defer(tx, [Job(job.queue, job.name, job.ids, job.lock, house.clock.now() + _LATER)])
    return True


def raise_alarm(house: House, proof: ProofId | None, reason: str) -> None:
    """A run was void: say so in the ledger and stop the queue. The run itself leaves no verdict. `proof` is None for a look at source."""
    with house.transaction(PROVING) as tx:
        house.policy.require(PROVING, Act.VALIDATE, Subject(proof) if proof is not None else HUB)
        _raise(house, tx, proof, reason)


def _raise(house: House, tx: Transaction, proof: ProofId | None, reason: str) -> None:
    alarm = Alarm(AlarmId(house.new_id("alarm")), proof, house.clock.now(), visible(reason)[:500])
    is_first = not alarm_store.open_alarms(tx)
    alarm_store.insert_alarm(tx, alarm)
    house.write(tx, ProvingStopped(alarm.id, proof), by=PROVING)
    if is_first:
        _tell_staff(house, tx, alarm)


def _tell_staff(house: House, tx: Transaction, alarm: Alarm) -> None:
    """Mail whoever may let the queue go on; one mail for all that is raised until somebody did."""
    text = _MAIL.format(reason=alarm.reason, url=house.settings.public_url, alarm=alarm.id)
    staff = addresses_of(tx, OrganizationKind.COORDINATOR)
    for address in dict.fromkeys(address for person, address in staff if house.policy.allows(person, Act.RESUME_PROVING)):
        post(house, tx, Mail(address, "Proving is stopped: a run got out of its box", text))


def read_alarms(house: House, actor: Actor) -> tuple[Alarm, ...]:
    """The alarms that stop the queue now; empty when it runs."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RESUME_PROVING, HUB)
        return alarm_store.open_alarms(tx)


def resume_proving(house: House, actor: Actor, because: str) -> tuple[Alarm, ...]:
    """Let the queue run again, saying why that is safe now. Raises Invalid without a reason, Conflict when nothing is stopped."""
    if not because.strip():
        raise Invalid("say what was found and why it is safe to go on")
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RESUME_PROVING, HUB)
        answered = alarm_store.answer_alarms(tx, house.clock.now(), actor.name, visible(because)[:500])
        if not answered:
            raise Conflict("the proving queue is not stopped")
        for alarm in answered:
            house.write(tx, ProvingResumed(alarm.id, alarm.proof), by=actor)
        for waiting in (VALIDATE.queue, CHECK.queue):
            hasten(tx, waiting)
    return answered
