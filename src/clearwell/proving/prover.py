# SPDX-License-Identifier: Apache-2.0
"""A proving worker apart: takes one sealed order at a time, carries it out, hands in what it showed, signed and sealed.

It holds a key of its own and the address of a database role that sees no table; it knows no case, no finding and no organization.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import structlog

from clearwell.ground.jobs.orders import LEASE_SECONDS, Line, Taken
from clearwell.ground.storage.sealing import Reader, seal_back
from clearwell.proving.order import Handed, Order, carry_out
from clearwell.proving.statement import make_signer, read_unverified
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid

_LOG = structlog.get_logger("clearwell.prover")


class Prover:
    """A worker's key, its line to the hub, and the hub's harnesses as they lie here."""

    def __init__(self, url: str, seed: bytes, harnesses: Path | None, lease: int = LEASE_SECONDS) -> None:
        self._url, self._lease, self._harnesses = url, lease, harnesses
        self._reader, self._signer = Reader(seed), make_signer(seed)

    @property
    def public(self) -> str:
        """What the hub is told: the key that signs and the key for which orders are sealed, 128 hex digits."""
        return str(self._signer.public_key.to_dict()["keyval"]["public"]) + self._reader.public.hex()

    def work(self, is_over: Callable[[float], bool], poll: float, *, drain: bool = False) -> None:
        """Carry out orders until `is_over` (it waits so many seconds at most); with `drain`, until none waits."""
        with Line(self._url) as line:
            while not is_over(0):
                try:
                    has_worked = self.work_once(line)
                except ClearwellError as error:
                    _LOG.warning("an order was left", error=type(error).__name__)
                    has_worked = False
                if drain and not has_worked:
                    return
                if not has_worked and is_over(poll):
                    return

    def work_once(self, line: Line) -> bool:
        """Carry out one order; False when none waits."""
        taken = line.take(self._signer.public_key.keyid, self._lease)
        if taken is None:
            return False
        content, key = self._reader.open(taken.sealed)
        try:
            order = msgspec.msgpack.decode(content, type=Order)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Invalid("this order is of another release of Clearwell: update this worker or the hub") from error
        with self._held(taken):
            handed: Handed = carry_out(order, self._harnesses, self._signer)
        escaped = read_unverified(handed.statement).predicate.escaped
        line.hand_in(taken, seal_back(key, msgspec.msgpack.encode(handed)), escaped)
        _LOG.info("an order was carried out", order=taken.id)
        return True

    @contextlib.contextmanager
    def _held(self, taken: Taken) -> Iterator[None]:
        """Hold on to an order while it is carried out, on a line of its own."""
        over = threading.Event()

        def hold() -> None:
            with Line(self._url) as line:
                while not over.wait(self._lease / 3):
                    try:
                        line.extend(taken, self._lease)
                    except Conflict:
                        return
                    except ClearwellError:
                        continue

        holding = threading.Thread(target=hold, daemon=True)
        holding.start()
        try:
            yield
        finally:
            over.set()
            holding.join()
