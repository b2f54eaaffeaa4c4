# SPDX-License-Identifier: Apache-2.0
"""A hub for the exercise, in this process: embedded database, server and worker, on the loopback interface only."""

import asyncio
import contextlib
import importlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn

from clearwell import app
from clearwell.ground.house import House
from clearwell.ground.identity.actor import IDENTITY
from clearwell.ground.jobs import queue, worker
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.ids import PersonId

_START_SECONDS = 30.0
_SETTLE_SECONDS = 300.0


class RunningHub:
    """The server's address and how to wait for its jobs. `people`: the one-time secrets of sign-in links, for this run only."""

    def __init__(self, house: House, listening: socket.socket, people: dict[str, PersonId]) -> None:
        self._house, self._listening = house, listening
        web = importlib.import_module("clearwell.faces.asgi")
        demo = importlib.import_module("clearwell.faces.web").Demo(people) if people else None
        config = uvicorn.Config(web.build_app(house, demo), log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=3)
        self._server = uvicorn.Server(config)
        self._failed: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="clearwell-demo", daemon=True)

    @property
    def address(self) -> str:
        """Where the hub listens."""
        host, port = self._listening.getsockname()[:2]
        return f"http://{host}:{port}"

    def start(self) -> None:
        """Start server and worker; raise Unavailable when they do not come up."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            self._require_alive()
            if time.monotonic() > deadline:
                raise Unavailable("the server did not start")
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until no job is left that is to be done or under way; raise Unavailable when that takes too long."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            self._require_alive()
            with self._house.database.transaction(IDENTITY.scope) as tx:
                left = queue.waiting(tx)
            if not left:
                return
            if time.monotonic() > deadline:
                raise Unavailable(f"{left} jobs are not done after {_SETTLE_SECONDS:.0f} s; `clearwell job list` shows them")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop both and wait for them."""
        self._server.should_exit = True
        if self._loop is not None and self._work is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(timeout=15)

    def wait(self) -> None:
        """Serve until the person at the terminal stops it (Ctrl-C)."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def _require_alive(self) -> None:
        if not self._thread.is_alive():
            raise Unavailable(f"the hub stopped: {self._failed!r}" if self._failed else "the hub stopped")

    def _run(self) -> None:
        try:
            asyncio.run(self._serve_and_work())
        except BaseException as reason:  # noqa: BLE001 kept for the thread that waits; nobody else would see it
            self._failed = reason

    async def _serve_and_work(self) -> None:
        self._loop = asyncio.get_running_loop()
        house = self._house
        self._work = asyncio.create_task(_work(house))
        serve: asyncio.Task[Any] = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        await asyncio.wait({self._work, serve}, return_when=asyncio.FIRST_COMPLETED)
        self._server.should_exit = True
        self._work.cancel()
        results = await asyncio.gather(serve, self._work, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _work(house: House) -> None:
    """Two workers, so that a code's mail never waits behind a proof: one for proving, one for everything else and the chores."""
    plan, work = app.plan_of(house), app.work_of(house)
    proving = msgspec.structs.replace(plan, queues=("proving",))
    rest = msgspec.structs.replace(plan, queues=tuple(sorted({queue_name for queue_name, _ in work.values()} - {"proving"})))
    async with asyncio.TaskGroup() as both:
        both.create_task(worker.work_until(proving, work, (), drain=False))
        both.create_task(worker.work_until(rest, work, app.chores_of(house), drain=False))


@contextmanager
def running(house: House, people: dict[str, PersonId], port: int) -> Iterator[RunningHub]:
    """Run a hub on 127.0.0.1 (port 0: any free one) until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            raise Unavailable(f"port {port} of this machine is taken: stop what listens there, or set CLEARWELL_PORT") from None
        hub = RunningHub(house, listening, people)
        hub.start()
        try:
            yield hub
        finally:
            hub.stop()
