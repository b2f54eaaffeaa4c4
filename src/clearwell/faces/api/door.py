# SPDX-License-Identifier: Apache-2.0
"""The door for reports: how many come in at the same time, shared fairly, so that one flood keeps nobody else outside."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")

SHARED = 16
"""Reports received at the same time, whoever sends them; one organization has at most a quarter."""
MOST = 64
"""With the first report of each organization, which does not wait for others' floods."""


class Door:
    """Runs uploads in threads of their own. Who waits is let in by organization, the one with the fewest inside first."""

    def __init__(self, threads: Executor, shared: int = SHARED, most: int = MOST) -> None:
        self._threads, self._shared, self._most = threads, shared, most
        self._inside: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, organization: str, upload: Callable[[], T]) -> T:
        """Run `upload` in a thread once it is this organization's turn."""
        await self._enter(organization)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, upload)
        finally:
            self._leave(organization)

    async def _enter(self, organization: str) -> None:
        if organization not in self._waiting and self._has_room(organization):
            self._inside[organization] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organization, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(organization)
            raise

    def _has_room(self, organization: str) -> bool:
        inside, own = self._inside.total(), self._inside[organization]
        return inside < self._most if own == 0 else inside < self._shared and own < self._shared // 4

    def _leave(self, organization: str) -> None:
        self._inside[organization] -= 1
        if not self._inside[organization]:
            del self._inside[organization]
        for waiting in sorted(self._waiting, key=lambda name: self._inside[name]):
            turns = self._waiting[waiting]
            while turns and (turns[0].done() or self._has_room(waiting)):
                turn = turns.popleft()
                if not turn.done():
                    self._inside[waiting] += 1
                    turn.set_result(None)
            if not turns:
                del self._waiting[waiting]
