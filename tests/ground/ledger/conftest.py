# SPDX-License-Identifier: Apache-2.0
"""A ledger on disk for tests: appended in batches, with a checkpoint after each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clearwell.ground.ledger.note import Checkpoint, SigningKey
from clearwell.ground.ledger.tiles import TileLog

KEY = SigningKey("example.org/ledger", bytes(range(32)))

Build = Callable[..., TileLog]


@pytest.fixture
def key() -> SigningKey:
    return KEY


@pytest.fixture
def build() -> Build:
    def build(directory: Path, *batches: int) -> TileLog:
        log = TileLog(directory)
        for batch in batches:
            log.append([f'{{"n":{log.size + i}}}'.encode() for i in range(batch)])
            log.publish(Checkpoint("example.org/ledger", log.size, log.root()).signed(KEY))
        return log

    return build
