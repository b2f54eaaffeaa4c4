# SPDX-License-Identifier: Apache-2.0
"""A file outside of the only place where the target may write: anything in /box/out but folders."""

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Name up to five of the entries that were written."""
    written = [entry.path for entry in seen.result.files.get("/box/out", ()) if entry.kind != "folder"]
    return f"file_write: {', '.join(sorted(written)[:5])}" if written else None
