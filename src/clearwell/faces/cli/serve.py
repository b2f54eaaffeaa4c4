# SPDX-License-Identifier: Apache-2.0
"""`clearwell serve`: the API and the pages on one port; with `--worker`, a worker in the same process."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import msgspec
import uvicorn
from uvicorn.importer import import_from_string

from clearwell.app import chores_of, open_house, plan_of, settings_now, work_of
from clearwell.ground.house import House
from clearwell.ground.jobs.worker import work_until
from clearwell.ground.settings import Settings
from clearwell.vocabulary.errors import Unavailable

APPLICATION = "clearwell.faces.asgi:build_app"
"""What is served. It stands above the command line, so it is found by its name, as the commands are."""
THREADS = 24
"""Threads for requests and for the jobs of a worker in the same process (uploads have their own)."""


@click.command()
@click.option("--host", help="The address to listen on (CLEARWELL_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on, 0 for any that is free (CLEARWELL_PORT).")
@click.option("--worker", "with_worker", is_flag=True, help="Run a worker in the same process.")
def serve(host: str | None, port: int | None, with_worker: bool) -> None:
    """Serve the API and the pages until stopped by Ctrl-C or SIGTERM."""
    settings, _ = settings_now()
    settings = msgspec.structs.replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    listening = listen(settings)
    with listening, open_house(settings) as house:
        address, number = listening.getsockname()[:2]
        run_server(house, listening, with_worker, lambda: click.echo(f"clearwell: serving http://{address}:{number}", err=True))


def listen(settings: Settings) -> socket.socket:
    """Open the port before anything else is started; raise Unavailable when it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((settings.host, settings.port))
        made.listen(256)
    except OSError as reason:
        made.close()
        raise Unavailable(
            f"{settings.host}:{settings.port} cannot be listened on ({reason.strerror}); choose another with --port"
        ) from None
    return made


def run_server(
    house: House, listening: socket.socket, with_worker: bool, on_ready: Callable[[], None] | None = None, demo: Any = None
) -> None:
    """Serve a house on an open socket until a signal comes. `demo` is the pages' one-time sign-in (clearwell.faces.web.Demo)."""
    application = import_from_string(APPLICATION)(house, demo)
    asyncio.run(_serve(house, application, listening, with_worker, on_ready))


class _Server(uvicorn.Server):
    """uvicorn raises a signal again once it has stopped, which would end the process before the house is closed; ours does not."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()

    def stop(self) -> None:
        """Finish what is under way, then end; a second time, at once."""
        self.force_exit, self.should_exit = self.should_exit, True


async def _serve(house: House, application: Any, listening: socket.socket, with_worker: bool, on_ready: Callable[[], None] | None) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="work"))
    # Paths hold secrets of links: no access log; and no log of ours shows words of reports, which tracebacks may quote.
    config = uvicorn.Config(
        application, access_log=False, log_level="critical", log_config=None, server_header=False, lifespan="on",
        ws="none", timeout_graceful_shutdown=10, proxy_headers=False,
    )  # fmt: skip
    server = _Server(config, on_ready)
    tasks = [asyncio.create_task(server.serve([listening]))]
    if with_worker:
        tasks.append(asyncio.create_task(work_until(plan_of(house), work_of(house), chores_of(house), drain=False)))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    for task in tasks[1:]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
            raise error
