# SPDX-License-Identifier: Apache-2.0
"""The harness's servers: canned answers on loopback, everything received kept. Standard library only: the stage imports it."""

import selectors
import socket
from typing import Any

_HEAD_MAX = 64 * 1024
_KEPT_MAX = 64 * 1024
_CONNECTIONS_MAX = 256
_REQUESTS_MAX = 512


class _Connection:
    def __init__(self, stream: socket.socket, server: dict[str, Any]) -> None:
        self.stream, self.server, self.received, self.pending, self.is_answered = stream, server, b"", b"", False


class Loopback:
    """Listeners inside the run's own empty network namespace; driven by the caller's selector, no threads.

    A server is `{"port": int, "status": int, "headers": [[name, value]], "body": str}`. One answer per connection, then closed.
    """

    def __init__(self, servers: list[dict[str, Any]], selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.connections: dict[int, _Connection] = {}
        self.log: list[_Connection] = []
        self.listeners: list[socket.socket] = []
        for server in servers:
            listener = _listen(int(server["port"]))
            self.listeners.append(listener)
            selector.register(listener, selectors.EVENT_READ, ("accept", listener, server))

    def ready(self, kind: str, thing: Any, server: Any) -> None:
        """Go on with what the selector reported."""
        if kind == "accept":
            self._accept(thing, server)
        else:
            self._talk(thing)

    def _accept(self, listener: socket.socket, server: dict[str, Any]) -> None:
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        if len(self.connections) >= _CONNECTIONS_MAX or len(self.log) >= _REQUESTS_MAX:
            stream.close()
            return
        stream.setblocking(False)
        connection = _Connection(stream, server)
        self.connections[stream.fileno()] = connection
        self.log.append(connection)
        self.selector.register(stream, selectors.EVENT_READ, ("talk", connection, None))

    def _talk(self, connection: _Connection) -> None:
        try:
            if connection.pending:
                sent = connection.stream.send(connection.pending)
                connection.pending = connection.pending[sent:]
                if not connection.pending:
                    connection.stream.shutdown(socket.SHUT_WR)
                    self.selector.modify(connection.stream, selectors.EVENT_READ, ("talk", connection, None))
                return
            chunk = connection.stream.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)
            return
        if not chunk:
            self._close(connection)
            return
        connection.received += chunk[: max(0, _KEPT_MAX - len(connection.received))]
        if not connection.is_answered and (_is_whole(connection.received) or len(connection.received) >= _HEAD_MAX):
            connection.is_answered = True
            connection.pending = _answer(connection.server)
            self.selector.modify(connection.stream, selectors.EVENT_WRITE, ("talk", connection, None))

    def _close(self, connection: _Connection) -> None:
        self.connections.pop(connection.stream.fileno(), None)
        self.selector.unregister(connection.stream)
        connection.stream.close()

    def close(self) -> list[dict[str, Any]]:
        """Close everything; return what each connection received: `port` and the raw bytes (at most 64 KB each)."""
        for connection in list(self.connections.values()):
            self._close(connection)
        for listener in self.listeners:
            self.selector.unregister(listener)
            listener.close()
        return [{"port": c.server["port"], "received": c.received} for c in self.log]


def _listen(port: int) -> socket.socket:
    # Both families: the namespace holds nothing but loopback, and an input may spell it ::1, 127.1 or 0.0.0.0.
    try:
        listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", port))
    except OSError:
        listener = socket.socket(socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))  # noqa: S104 - an empty network namespace
    listener.listen(512)
    listener.setblocking(False)
    return listener


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= min(int(value.strip()[:9]), _KEPT_MAX - len(head) - 4)
        if name.strip().lower() == b"transfer-encoding":
            return body.endswith(b"0\r\n\r\n")
    return True


def _answer(server: dict[str, Any]) -> bytes:
    body = server["body"].encode()
    lines = [f"HTTP/1.1 {server['status']} OK"]
    lines += [f"{name}: {value}" for name, value in server["headers"]]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + bytes(body)
