# SPDX-License-Identifier: Apache-2.0
"""Severity as a source stated it; Clearwell never invents a score."""

import msgspec


class Severity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stated severity. `level` is SARIF's or the source's own word; `cvss` a vector; `score` 0 to 10."""

    level: str | None = None
    cvss: str | None = None
    score: float | None = None
