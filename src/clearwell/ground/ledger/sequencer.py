# SPDX-License-Identifier: Apache-2.0
"""The sequencer: gives waiting entries their place, folds them into the tiles and signs the checkpoint. One at a time.

Order of steps, so that a kill anywhere is made good by the next turn: places are committed to the database first, then tiles
are written up to the last place, then the checkpoint is signed. The tiles are always a prefix of what the database says.
"""

from pathlib import Path

from clearwell.ground.ledger.note import Checkpoint, SigningKey
from clearwell.ground.ledger.tiles import TileLog
from clearwell.ground.storage.database import NOBODY, Database, Transaction

_LOCK = 0x736571
_AT_ONCE = 20_000


class Sequencer:
    """Folds the ledger of one database into one folder. Safe to run in several processes: one works, the others look away."""

    def __init__(self, database: Database, folder: Path, key: SigningKey, origin: str) -> None:
        self._database, self._folder, self._key, self._origin = database, folder, key, origin

    def fold(self) -> int:
        """Fold what waits; return the log's size afterwards, or -1 if another process is at it."""
        with self._database.transaction(NOBODY) as tx:
            if not tx.value("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=_LOCK):
                return -1
            tx.execute(_GIVE_PLACES, limit=_AT_ONCE)
        with self._database.transaction(NOBODY) as tx:
            if not tx.value("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=_LOCK):
                return -1
            return self._write_tiles(tx)

    def _write_tiles(self, tx: Transaction) -> int:
        log = TileLog(self._folder)
        before = log.size
        while rows := tx.rows(_PLACED, size=log.size, limit=_AT_ONCE):
            log.append([bytes(row["body"]) for row in rows])
        if log.size != before or log.published is None:
            log.publish(Checkpoint(self._origin, log.size, log.root()).signed(self._key))
        return log.size


_GIVE_PLACES = """
WITH last AS (SELECT COALESCE(max(log_index), -1) AS place FROM clearwell.ledger_entry),
     waiting AS (SELECT id, row_number() OVER (ORDER BY id) AS step
                 FROM (SELECT id FROM clearwell.ledger_entry WHERE log_index IS NULL ORDER BY id LIMIT %(limit)s) w)
UPDATE clearwell.ledger_entry e SET log_index = last.place + waiting.step
FROM last, waiting WHERE e.id = waiting.id
"""
_PLACED = "SELECT body FROM clearwell.ledger_entry WHERE log_index >= %(size)s ORDER BY log_index LIMIT %(limit)s"
