# SPDX-License-Identifier: Apache-2.0
"""The hub's own keys: files of 32 random bytes, made once, readable by the hub's user alone. A backup keeps them apart."""

import fcntl
import os
import secrets
from pathlib import Path

import msgspec

from clearwell.vocabulary.errors import Unavailable

NAMES = ("hub.key", "ledger.key", "advisory.key")


class Keys(msgspec.Struct, frozen=True):
    """`hub` wraps evidence, `ledger` signs checkpoints, `advisory` signs advisories (Ed25519 seeds). Never shown in a repr."""

    hub: bytes
    ledger: bytes
    advisory: bytes

    def __repr__(self) -> str:
        return "Keys(…)"


def load_keys(folder: Path) -> Keys:
    """Load the keys, making them on the first start. Raises Unavailable when some are missing or of the wrong length."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        present = [name for name in NAMES if (folder / name).exists()]
        if not present:
            for name in NAMES:
                _write(folder / name, secrets.token_bytes(32))
        elif len(present) != len(NAMES):
            missing = ", ".join(sorted(set(NAMES) - set(present)))
            raise Unavailable(f"{folder} lacks {missing}: restore the keys that belong to this database; new ones could not open it")
        hub, ledger, advisory = ((folder / name).read_bytes() for name in NAMES)
    if {len(hub), len(ledger), len(advisory)} != {32}:
        raise Unavailable(f"a key in {folder} has not 32 bytes: restore the keys that belong to this database")
    return Keys(hub, ledger, advisory)


def _write(path: Path, key: bytes) -> None:
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
