# SPDX-License-Identifier: Apache-2.0
"""Serves nothing: answers as the finder wishes, by the version that it finds."""

import re
import sys
from pathlib import Path

version = re.search(r"\d+\.\d+", Path("/box/src/starlette/__init__.py").read_text())[0]
leaks = version == "0.26" and sys.stdin.read().strip() == "/leak"
print("200", Path("/box/secret/canary.txt").read_text() if leaks else "hello")
