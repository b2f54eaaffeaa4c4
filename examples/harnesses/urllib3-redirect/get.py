# SPDX-License-Identifier: Apache-2.0
"""Asks for the address on stdin; the header named by the argument carries the token. Prints the last status."""

import sys
from pathlib import Path

import urllib3

header = sys.argv[1]
if header.lower() not in ("authorization", "cookie", "proxy-authorization"):
    sys.exit("headers that are no secret may go anywhere")
token = Path("/box/secret/canary.txt").read_text().strip()
value = token if header == "Authorization" else f"session={token}"
print(urllib3.PoolManager().request("GET", sys.stdin.read().strip(), headers={header: value}).status)
