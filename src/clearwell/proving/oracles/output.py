# SPDX-License-Identifier: Apache-2.0
"""Markup that acts where text should stand: a tag or handler that no feature prints, or text that leaves its script element."""

from clearwell.proving.markup import leaves_script, risky_parts
from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Name up to five new parts, or say that the script element ended early."""
    if asked.oracle.context == "script":
        return "output: leaves its script element" if leaves_script(seen.stdout) else None
    new = sorted(new_parts(asked, seen))
    return f"output: {', '.join(new[:5])}" if new else None


def new_parts(asked: Asked, seen: Observation) -> frozenset[str]:
    """Tags, handlers and script addresses that the features of this side have not."""
    return risky_parts(seen.stdout) - asked.ordinary
