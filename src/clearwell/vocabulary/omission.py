# SPDX-License-Identifier: Apache-2.0
"""Markers: what stands in a projection where something private was left out, so that every stage can tell it from a report's own words."""

import re
from typing import Literal

PrivateKind = Literal["mail address", "key", "token", "password", "name", "network address", "telephone number", "postal address"]
"""What a projection leaves out. A `name` is an account's in a home path."""

MARKER = re.compile(r"\[(?:mail address|key|token|password|network address|telephone number|postal address) left out\]|(?<=[/\\])\[name\]")


def marker(kind: PrivateKind) -> str:
    """Return what is shown instead."""
    return "[name]" if kind == "name" else f"[{kind} left out]"
