# SPDX-License-Identifier: Apache-2.0
"""Markers: what stands in a projection where something private was left out, so that every stage can tell it from a report's own words."""

import re
from typing import Literal

PrivateKind = Literal["mail address", "key", "token", "password", "name", "network address", "telephone number", "postal address"]
"""What a projection leaves out. A `name` is an account's in a home path."""

MARKER = re.compile(r"\[(?:mail address|key|token|password|network address|telephone number|postal address) left out\]|(?<=[/\\~])\[name\]")


NUMBERS = 1_000
"""Numbers of omissions that one version of the patterns has: a finding lists fewer."""


def omission_number(patterns: int, place: int) -> int:
    """The number of the omission at `place` (from 0) in a list that version `patterns` (from 1) of the patterns made."""
    return (patterns - 1) * NUMBERS + place


def patterns_of(number: int) -> int:
    """The version of the patterns that made the list in which an omission has this number."""
    return number // NUMBERS + 1


def marker(kind: PrivateKind) -> str:
    """Return what is shown instead."""
    return "[name]" if kind == "name" else f"[{kind} left out]"
