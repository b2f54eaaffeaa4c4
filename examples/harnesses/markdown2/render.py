# SPDX-License-Identifier: Apache-2.0
"""Renders the text on stdin with safe_mode="escape" and prints the HTML."""

import sys

import markdown2

print(markdown2.markdown(sys.stdin.read(), safe_mode="escape"))
