# SPDX-License-Identifier: Apache-2.0
"""The one fetcher: hosts on a list, the address that was checked, no redirect off the list, bounded in size and time."""

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clearwell.proving.fetching import Fetcher, is_private
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """A server on loopback that answers as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.gone = threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                try:
                    server.answers[self.path](self)
                except OSError:
                    server.gone.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def gives(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer

    def drips(self, path: str, begin: bytes) -> None:
        """Give a byte now and then behind `begin`, for at least ten seconds unless the other side goes."""

        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.wfile.write(begin)
            for _ in range(500):
                if self.gone.wait(0.02):
                    return
                handler.wfile.write(b"a")

        self.answers[path] = answer


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.gone.set()
    opened.server.shutdown()
    opened.server.server_close()


def fetch(server: Server, path: str, environment: dict[str, str] | None = None, **more: object) -> bytes:
    chosen: dict[str, object] = {"registries": (server.address,), "limit": 1000, "seconds": 20.0, **more}
    return Fetcher(environment or {}).get(server.address + path, "the thing", **chosen).body  # type: ignore[arg-type]


def test_a_configured_loopback_registry_is_asked_and_a_redirect_within_it_is_followed(server: Server):
    server.gives("/there", b"content")
    server.gives("/here", b"", 302, Location="/there")

    assert fetch(server, "/here") == b"content"


@pytest.mark.parametrize(
    "to",
    [
        "https://elsewhere.test/x",
        "http://localhost:1/x",
        "file:///etc/passwd",
        "//169.254.169.254/latest",
        "http://[::1]/",
        "ftp://127.0.0.1/",
    ],
)
def test_no_redirect_leads_off_the_list(server: Server, to: str):
    server.gives("/here", b"", 302, Location=to)

    with pytest.raises(Unavailable, match=r"not a host of its registry|only https"):
        fetch(server, "/here")

    assert server.asked == ["/here"]


def test_redirects_end(server: Server):
    server.gives("/round", b"", 302, Location="/round")

    with pytest.raises(Unavailable, match="redirects"):
        fetch(server, "/round")


def test_a_name_that_leads_to_this_machine_is_not_asked_unless_a_setting_says_so(server: Server, monkeypatch: pytest.MonkeyPatch):
    server.gives("/x", b"inside")
    place = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: place)
    address = f"http://registry.test:{server.port}"

    with pytest.raises(Unavailable, match="only https"):
        Fetcher({}).get(f"{address}/x", "it", registries=(address,), limit=10, seconds=5)
    with pytest.raises(Unavailable, match="private or loopback"):
        Fetcher({}).get("https://registry.test/x", "it", registries=("https://registry.test",), limit=10, seconds=5)
    assert server.asked == []
    allowed = Fetcher({"CLEARWELL_FETCH_PRIVATE_HOSTS": "other.test, registry.test"})
    assert allowed.get(f"{address}/x", "it", registries=(address,), limit=10, seconds=5).body == b"inside"


def test_the_address_that_was_checked_is_the_one_that_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch):
    """Rebinding: a second look-up would lead to loopback. There is none."""
    answers = iter(["192.0.2.7", "127.0.0.1", "127.0.0.1"])
    tried: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), server.port))])

    def refuse(place: object, *_: object) -> socket.socket:
        tried.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises(Unavailable, match="ConnectionRefused"):
        Fetcher({}).get("https://registry.test/x", "it", registries=("https://registry.test",), limit=10, seconds=5)

    assert tried == [("192.0.2.7", 443)]
    assert next(answers) == "127.0.0.1", "the name was looked up once"


def test_size_is_bounded_also_after_unpacking(server: Server):
    import gzip

    server.gives("/large", b"x" * 2_000)
    server.gives("/bomb", gzip.compress(b"\0" * 10_000_000), **{"Content-Encoding": "gzip"})
    server.gives("/packed", gzip.compress(b"fits"), **{"Content-Encoding": "gzip"})

    for path in ("/large", "/bomb"):
        with pytest.raises(Invalid, match="larger"):
            fetch(server, path)
    assert fetch(server, "/packed") == b"fits"


DRIPS = {
    "within the head": b"HTTP/1.1 200 OK\r\n",
    "a body without an end": b"HTTP/1.1 200 OK\r\n\r\n",
    "a chunk's length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk's length, closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk's length, older": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a trailer, closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
}


@pytest.mark.parametrize("begin", DRIPS.values(), ids=DRIPS)
def test_a_slow_drip_ends_with_the_time(server: Server, begin: bytes):
    server.drips("/drip", begin)
    began = time.monotonic()

    with pytest.raises(Unavailable, match="did not arrive within"):
        fetch(server, "/drip", seconds=0.6, limit=1 << 20)

    assert 0.59 < time.monotonic() - began < 8
    assert server.gone.wait(20), "the connection was shut, not left dripping"


def test_a_handshake_that_drips_ends_with_the_time():
    """A TLS record that promises 16,384 bytes, of which one comes now and then."""
    gone, door = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError), door.accept()[0] as line:
            line.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(500):
                if gone.wait(0.02):
                    return
                line.sendall(b"\x00")

    dripping = threading.Thread(target=drip)
    dripping.start()
    address, began = f"https://127.0.0.1:{door.getsockname()[1]}", time.monotonic()

    with pytest.raises(Unavailable, match="did not arrive within"):
        Fetcher({}).get(f"{address}/x", "the thing", registries=(address,), limit=1000, seconds=1.0)

    assert time.monotonic() - began < 8
    gone.set()
    door.shutdown(socket.SHUT_RDWR)  # also where nobody came
    dripping.join()
    door.close()


def test_a_cut_answer_and_other_statuses_are_told_apart(server: Server):
    server.gives("/cut", b"half", **{"Content-Length": "8"})
    server.gives("/gone", b"", 410)
    server.gives("/broken", b"", 503)

    with pytest.raises(Unavailable, match=r"cut|Incomplete"):
        fetch(server, "/cut")
    with pytest.raises(NotFound):
        fetch(server, "/gone")
    with pytest.raises(Unavailable, match="503"):
        fetch(server, "/broken")


PRIVATE = """
10.1.2.3 127.0.0.2 169.254.169.254 172.31.0.1 192.168.1.1 100.64.0.1 0.0.0.0 224.0.0.1
::1 :: fe80::1%eth0 fd00::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:7f00:1::
"""
PUBLIC = "151.101.0.223 172.32.0.1 2606:4700::1 ::ffff:151.101.0.223"


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_of_one_machine_or_house_are_private_however_they_are_written(address: str):
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_others_are_not(address: str):
    assert not is_private(address)
