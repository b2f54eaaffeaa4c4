# SPDX-License-Identifier: Apache-2.0
"""A check was passed that should have refused: the harness says `accepted` on descriptor 3, where no text of the target goes."""

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe the word; stdout is never believed."""
    return "bypass: fd 3 says accepted" if seen.word == "accepted" else None
