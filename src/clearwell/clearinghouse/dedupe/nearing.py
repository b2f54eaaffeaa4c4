# SPDX-License-Identifier: Apache-2.0
"""Nearing: the keys of a hub that is older than ADR 30 get the six bytes that say where they lie, in steps, as the hub is brought forward.

A key's hash stays as it is: nothing is decided anew. Each step is a transaction of its own; one that is interrupted was never made, and the
next start goes on behind the last one that was.
"""

from clearwell.clearinghouse.dedupe import store
from clearwell.clearinghouse.dedupe.signature import HASH, Kind, is_strong_id, near, scope_of
from clearwell.clearinghouse.dedupe.spelling import path_of
from clearwell.clearinghouse.dedupe.store import Far
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.finding import Finding

_STEP = 2_000


def bring_near(tx: Transaction, most: int = _STEP) -> bool:
    """Give the keys of the next findings where they lie; True when there may be more. As the owner, for it sees every row."""
    after = store.brought_near(tx)
    if after is None:
        return False
    far, last = store.findings_after(tx, after, most)
    store.bring_near(tx, [(one, _moved(one)) for one in far], last)
    return last is not None


def refuse_far(tx: Transaction) -> None:
    """Raise Unavailable while keys lie where nobody looks: what is known would be taken for new."""
    if store.brought_near(tx) is not None:
        raise Unavailable(
            "the index of signatures was not brought forward to its end: run `clearwell migrate` again, with CLEARWELL_MIGRATE_URL"
        )


def near_of(finding: Finding, kind: Kind, organization: str | None) -> bytes:
    """The bytes that a key of this kind begins with, as signing gives them."""
    place = finding.location
    file = path_of(place.file) if place is not None and place.file else None
    match kind:
        case "proof":
            return b""
        case "fingerprint" | "order" | "location" | "file":
            by_file = True
        case "report":
            by_file = finding.crash is None
        case "external-id":
            by_file = not is_strong_id(finding.external_id)
        case _:
            by_file = False
    return near(scope_of(finding, organization), file if by_file else None)


def _moved(far: Far) -> dict[bytes, bytes]:
    """The new key of each that was signed before; what has its place already, and a proof's, stays."""
    return {key: near_of(far.body, kind, far.organization) + key for kind, key in far.keys if len(key) == HASH}
