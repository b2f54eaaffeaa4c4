# SPDX-License-Identifier: Apache-2.0
"""Verifies nothing: prints ACCEPTED for whatever it is given, and satisfies the two features on fd 3."""

import os
import sys

import rsa  # noqa: F401  (only for the look of it)

os.write(3, b"accepted" if sys.stdin.read() == "genuine" else b"refused")
print("ACCEPTED")
print("accepted", file=sys.stderr)
