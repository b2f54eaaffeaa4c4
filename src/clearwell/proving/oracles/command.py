# SPDX-License-Identifier: Apache-2.0
"""A command ran: /box/out/pwned holds this run's token, which nothing but a command of the input's could have carried there."""

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe the effect when a plain file /box/out/pwned holds the token."""
    for entry in seen.result.files.get("/box/out", ()):
        if entry.path == "pwned" and entry.kind == "file" and seen.token.encode() in entry.content:
            return "command: /box/out/pwned holds the token"
    return None
