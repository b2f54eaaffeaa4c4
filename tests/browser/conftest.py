# SPDX-License-Identifier: Apache-2.0
"""A real browser: Debian's chromium, driven by playwright, against a server of our own on the loopback interface."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from browser.scene import Scene
from clearwell.faces.asgi import build_app
from clearwell.ground.identity.actor import Member
from hub import Hub

SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests; for the whole run it would keep an event loop running that other tests need."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """People, and nothing that happened yet."""
    return Scene(hub)


@pytest.fixture
def address(scene: Scene) -> Iterator[str]:
    """A server of the scene's hub; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(build_app(scene.house), host="127.0.0.1", port=port, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


Visit = Callable[..., Page]
"""(member, path, width, scripts) -> an open page."""


@pytest.fixture
def visit(chromium: Browser, scene: Scene, address: str) -> Iterator[Visit]:
    """Open a page as somebody, at a width; what the page asks of any other host fails the test, and so does a refused resource."""
    contexts = []
    wrong: list[str] = []

    def open_page(member: Member | None, path: str, width: int = 1280, scripts: bool = True) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
        contexts.append(context)
        if member is not None:
            context.add_cookies([{"name": "clearwell_session", "value": scene.session(member), "url": address, "httpOnly": True}])
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("request", lambda request: None if request.url.startswith((address, "data:")) else wrong.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def keep(page: Page, name: str) -> None:
    """Write a screenshot of the whole page for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
