# SPDX-License-Identifier: Apache-2.0
"""The house: what every verb is handed. A type only; `clearwell.app` fills it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Protocol

import msgspec

from clearwell.ground.identity.actor import Actor
from clearwell.ground.ledger.entries import Entry
from clearwell.ground.ledger.ledger import Ledger
from clearwell.ground.policy.policy import Policy
from clearwell.ground.settings import Settings
from clearwell.ground.storage.blobs import BlobStore
from clearwell.ground.storage.database import Database, Transaction
from clearwell.ground.storage.keys import Keys
from clearwell.vocabulary.ids import TAKES, EntryId, mint


class Clock(Protocol):
    """Where the time comes from; a test brings its own."""

    def now(self) -> datetime:
        """The present moment, UTC."""

    def today(self) -> date:
        """The present day, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The present day, UTC."""
        return self.now().date()


class House(msgspec.Struct, frozen=True):
    """Storage, policy, ledger, blobs, clock, settings and the source of ids."""

    settings: Settings
    keys: Keys
    database: Database
    policy: Policy
    ledger: Ledger
    blobs: BlobStore
    clock: Clock
    chance: Callable[[int], bytes]

    @contextmanager
    def transaction(self, actor: Actor) -> Iterator[Transaction]:
        """Open a transaction as somebody: what row-level security shows is what that somebody may see."""
        with self.database.transaction(actor.scope) as tx:
            yield tx

    def new_id(self, kind: str) -> str:
        """Make an id: UUIDv7 in its kind's spelling."""
        return self.new_ids(kind, 1)[0]

    def new_ids(self, kind: str, count: int) -> list[str]:
        """Make many ids of one moment: as random as one by one, and quicker."""
        return mint(kind, int(self.clock.now().timestamp() * 1000), self.chance(TAKES * count))

    def write(self, tx: Transaction, entry: Entry, by: Actor) -> EntryId:
        """Write a ledger entry as `by`; when the transaction acts as another, the entry names both."""
        scope = tx.scope
        acting = scope.system or scope.person or scope.participant
        return self.ledger.append(tx, entry, by=by.name, acting_as=acting or None)

    def write_unnamed(self, tx: Transaction, entry: Entry) -> EntryId:
        """Write an operator's own act: the entry names neither person nor organization, only salted hashes (never 3)."""
        return self.ledger.append(tx, entry, by="operator")
