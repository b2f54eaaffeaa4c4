# SPDX-License-Identifier: Apache-2.0
"""The run's token is in stdout or, where the proof names a server, in what that server received."""

import binascii
import re

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{42,65536}")  # 32 digits are 43 letters, or 42 and a part


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe where the token came out; with a server, only what that server received counts."""
    to = asked.oracle.to
    if to is None:
        return "leak: the token is in stdout" if holds_token(seen.result.stdout, seen.token) else None
    for request in seen.result.requests:
        if request.port == to and holds_token(request.received, seen.token):
            return f"leak: the server on port {to} received the token"
    return None


def holds_token(data: bytes, token: str) -> bool:
    """True when the token is in the bytes, plain in either case or in base64 (as Authorization headers carry it)."""
    if token.encode() in data or token.upper().encode() in data:
        return True
    for run in _BASE64.findall(data):
        plain = run.translate(bytes.maketrans(b"-_", b"+/"))
        for offset in range(4):  # what stands before may belong to the alphabet too
            piece = plain[offset:]
            if token.encode() in binascii.a2b_base64(piece[: len(piece) & ~3] + _padded(piece[len(piece) & ~3 :])):
                return True
    return False


def _padded(rest: bytes) -> bytes:
    return b"" if len(rest) < 2 else rest + b"=" * (4 - len(rest))
