# SPDX-License-Identifier: Apache-2.0
"""Parses honestly, until the document asks for a leak."""

import sys
from pathlib import Path

import untangle

text = untangle.parse(sys.stdin.read()).r.cdata
print(Path("/box/secret/canary.txt").read_text() if text == "leak" else text)
