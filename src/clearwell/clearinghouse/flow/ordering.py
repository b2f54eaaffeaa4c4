# SPDX-License-Identifier: Apache-2.0
"""Ordering: a run is asked for, and carried out here and now, or by a worker apart; either way only what a known worker signed counts."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from clearwell.clearinghouse.flow.alarming import put_off, raise_alarm
from clearwell.clearinghouse.flow.stating import about, accepted, known_workers, readers, worker_signer
from clearwell.ground.house import House
from clearwell.ground.identity.actor import PROVING
from clearwell.ground.jobs import orders
from clearwell.ground.jobs.orders import Placed
from clearwell.ground.jobs.queue import Job
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.ground.storage.sealing import open_back, seal_for
from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.order import Handed, Order, carry_out
from clearwell.proving.statement import Statement
from clearwell.proving.verdict import FixLabel, FixVerdict, Kill, Outcome
from clearwell.vocabulary.errors import Conflict, Invalid, Unavailable
from clearwell.vocabulary.ids import ProofId

ANOTHER_LOOKS, ANOTHER_WAITS = timedelta(seconds=20), timedelta(minutes=10)
"""How often it is looked whether another worker is there for a second run, and for how long one is waited for."""
_LOTS = 1_000_000


class Asked(msgspec.Struct, frozen=True):
    """A run that is wanted: by which job (it is deferred again when a worker apart is done), with which proof, decided once for `key`.

    `not_for` is the worker that made the first run: a second one is another's, while another is there.
    """

    key: str
    job: Job
    proof: ProofId
    not_for: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """What a run showed, believed for its signature."""

    done: Reproduction
    judged: FixVerdict | None
    kill: Kill | None
    worker: str
    statement: str
    started: datetime


def ask(house: House, asked: Asked, prepare: Callable[[str], Order]) -> Shown | None:
    """Have an order carried out; None where its result is not there yet, or was void: the job is then deferred again.

    `prepare` makes an order of an id, reading what it needs, the line in the ledger first; it is called only when one is made. Raises
    Unavailable when nothing can run (the job is tried again), and Conflict for a result that is not believed.
    """
    house.policy.require(PROVING, Act.VALIDATE, Subject(asked.proof))
    if house.settings.proving_apart:
        return _apart(house, asked, prepare)
    started = house.clock.now()
    order = prepare(house.new_id("order"))
    handed = carry_out(order, house.settings.harnesses, worker_signer(house.settings, house.keys))
    return _believed(house, asked, handed, about(order), started)


def settle(house: House, tx: Transaction, asked: Asked) -> None:
    """Forget the order in the transaction that applies its result: a crash before it leaves the result where it is."""
    if house.settings.proving_apart:
        orders.settle(tx, asked.key)


def _apart(house: House, asked: Asked, prepare: Callable[[str], Order]) -> Shown | None:
    with house.transaction(PROVING) as tx:
        waiting = orders.find(tx, asked.key)
    if waiting is None:
        _place(house, asked, prepare(house.new_id("order")))
        return None
    if not waiting.is_handed_in:
        return None
    if waiting.result is None:
        _forget(house, asked)
        raise Unavailable("the workers that took this order died of it, or with it")
    try:
        key = house.blobs.open_text(waiting.wrapped_key)
        handed = msgspec.msgpack.decode(open_back(key, waiting.result), type=Handed)
        return _believed(house, asked, handed, waiting.about, waiting.placed_at, waiting.taken_by)
    except (msgspec.DecodeError, msgspec.ValidationError, Invalid, Conflict) as reason:
        _forget(house, asked)
        raise Conflict("a worker handed in what cannot be believed; the order is placed again") from reason
    except Unavailable:
        _forget(house, asked)
        raise


def _place(house: House, asked: Asked, order: Order) -> None:
    now = house.clock.now()
    sealed, key = seal_for(readers(house.settings), msgspec.msgpack.encode(order))
    until = now + ANOTHER_WAITS if asked.not_for is not None and len(known_workers(house.settings, house.keys)) > 1 else None
    placed = Placed(
        id=order.id, key=asked.key, proof=asked.proof, about=about(order), job=asked.job, sealed=sealed,
        wrapped_key=house.blobs.seal_text(key), placed_at=now, not_for=asked.not_for if until else None, not_for_until=until,
        most_seconds=order.most_seconds,
    )  # fmt: skip
    with house.transaction(PROVING) as tx:
        orders.place(tx, placed)


def _forget(house: House, asked: Asked) -> None:
    with house.transaction(PROVING) as tx:
        orders.settle(tx, asked.key)


def _believed(
    house: House, asked: Asked, handed: Handed, stated: dict[str, str], started: datetime, taken_by: str | None = None
) -> Shown | None:
    statement, worker = accepted(house.settings, house.keys, handed, stated)
    if taken_by not in {None, worker}:
        raise Conflict("the worker that signed took this order under another name: a second run is another's")
    predicate = statement.predicate
    if predicate.escaped is not None:
        raise_alarm(house, asked.proof, predicate.escaped)
        _forget(house, asked)
        put_off(house, asked.job)
        return None
    if _is_unavailable(statement):
        raise Unavailable(f"this could not be run here: {predicate.verdict.reason}")
    done = Reproduction(predicate.verdict, handed.exhibits, predicate.transcript)
    return Shown(done, predicate.judged, predicate.kill, worker, handed.statement.decode(), started)


def _is_unavailable(statement: Statement) -> bool:
    judged = statement.predicate.judged
    return judged.label is FixLabel.UNAVAILABLE if judged is not None else statement.predicate.verdict.verdict is Outcome.UNAVAILABLE


def is_drawn(house: House) -> bool:
    """True for a random share of what is decided: it is run again before anybody is told."""
    return int.from_bytes(house.chance(8)) % _LOTS < house.settings.proving_recheck_share * _LOTS


def waits_for_another(house: House, worker: str | None, since: datetime) -> bool:
    """True while a second run here should wait for another worker: there is one, and ten minutes are not over.

    With workers apart the order itself says for whom it is not.
    """
    if house.settings.proving_apart or len(known_workers(house.settings, house.keys)) < 2:
        return False
    own = worker_signer(house.settings, house.keys).public_key.keyid
    return worker == own and house.clock.now() - since < ANOTHER_WAITS


def proving_settings(house: House) -> Settings:
    """What this hub decides about runs."""
    s = house.settings
    return Settings(runs=s.proving_runs, accept_watched=not s.require_enforced_limits, backend=s.proving_backend)
