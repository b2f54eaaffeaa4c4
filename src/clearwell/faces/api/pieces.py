# SPDX-License-Identifier: Apache-2.0
"""Pieces: a request's body as it comes in, handed to a thread piece by piece; never held whole."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

from clearwell.faces.http import TooLarge
from clearwell.vocabulary.errors import Invalid

PIECE_SECONDS = 30.0
"""How long the next piece may be awaited."""
WHOLE_SECONDS = 1_800.0
"""How long the whole body may take."""


def _require_raw(request: Request[Any, Any, Any]) -> None:
    """Raise Invalid for a body that is wrapped: it would be sealed with its wrapping, and no format would know it."""
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in {"", "identity"}:
        raise Invalid(f"the body is the file's raw bytes, not packed as {packed[:20]!r}: send it without Content-Encoding")
    if request.headers.get("content-type", "").lstrip().lower().startswith("multipart/"):
        raise Invalid("the body is the file's raw bytes, not a form: send it as it is (curl --data-binary @FILE, not -F)")


class Pieces:
    """An iterator for a worker thread over a body that the event loop receives, of at most `limit` bytes (TooLarge)."""

    def __init__(self, request: Request[Any, Any, Any], limit: int) -> None:
        self._limit, self._size = limit, 0
        _require_raw(request)
        self._require(request.content_length or 0)
        self._stream: AsyncIterator[bytes] = aiter(request.stream())
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + WHOLE_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        while (piece := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()) is not None:
            self._size += len(piece)
            self._require(self._size)
            if piece:
                yield piece

    def _require(self, size: int) -> None:
        if size > self._limit:
            raise TooLarge(f"this is larger than {self._limit:,} bytes, the limit here; split it and send the parts")

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(min(PIECE_SECONDS, max(0.0, self._end - self._loop.time()))):
                return await anext(self._stream, None)
        except TimeoutError:
            raise HTTPException(status_code=408, detail="the body came too slowly") from None
        except InternalServerException:
            raise HTTPException(status_code=400, detail="the sender went away before the body was whole") from None
