# SPDX-License-Identifier: Apache-2.0
"""Sends GET for the path on stdin to the application, without a socket, and prints status and body."""

import asyncio
import sys
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

root = Path("/box/root")
token = Path("/box/secret/canary.txt").read_text()
for folder, name, text in (("static", "hello.txt", "hello"), ("static_secret", "canary.txt", token), ("elsewhere", "canary.txt", token)):
    (root / folder).mkdir(exist_ok=True)
    (root / folder / name).write_text(text)


async def get(path: str) -> None:
    """One request, its answer printed."""
    body = b""
    status = 0

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        nonlocal body, status
        status = message.get("status", status)
        body += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": [], "query_string": b""}
    try:
        await StaticFiles(directory=root / "static")(scope, receive, send)
    except HTTPException as refusal:
        status = refusal.status_code
    print(status, body.decode())


asyncio.run(get(sys.stdin.read().strip()))
