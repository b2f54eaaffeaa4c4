# SPDX-License-Identifier: Apache-2.0
"""Data of another user returned: the token, which the harness gave to the other user alone, comes back to the one who asks.

An addition to PROOF.md's table, on `leak`'s effect. The harness sets up two users and stores the token as the other's; the features
must show that the asking user is served what is theirs (`accepted`) and is refused what is the other's (`refused`).
"""

from clearwell.proving.oracles import leak
from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe where the other user's token came out."""
    found = leak.signature(asked, seen)
    return None if found is None else f"other_user:{found.removeprefix('leak:')}"
