# SPDX-License-Identifier: Apache-2.0
"""Something that all objects share was changed: the harness says `polluted` on descriptor 3, where no text of the target goes."""

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe the word; stdout is never believed."""
    return "pollution: fd 3 says polluted" if seen.word == "polluted" else None
