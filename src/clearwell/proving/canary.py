# SPDX-License-Identifier: Apache-2.0
"""The canary of the no-egress proof: listeners outside, and an attempt to reach them from inside. Standard library only.

Only words that arrive outside count, and only the run's own: a target that listens at the canary's port inside its box, or a stranger
who connects to it outside, says nothing.
"""

import contextlib
import errno
import os
import socket
from typing import Any

_HELD_BACK = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL, errno.ENOENT}


class Canary:
    """Listeners in the network that no box may reach: TCP and UDP on loopback and on the machine's own address, an abstract socket."""

    def __init__(self) -> None:
        self.listeners: list[socket.socket] = []
        self.addresses: list[list[Any]] = []
        for host in dict.fromkeys(("127.0.0.1", _own_address())):
            if host is None:
                continue
            for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
                listener = socket.socket(socket.AF_INET, kind)
                listener.bind((host, 0))
                self._keep(listener, [name, host, listener.getsockname()[1]])
        hidden = f"clearwell-canary-{os.urandom(8).hex()}"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"\0{hidden}")
        self._keep(listener, ["unix", hidden, 0])

    def _keep(self, listener: socket.socket, address: list[Any]) -> None:
        if listener.type == socket.SOCK_STREAM:
            listener.listen(64)
        listener.setblocking(False)
        self.listeners.append(listener)
        self.addresses.append(address)

    def heard(self, word: str) -> list[str]:
        """The ways by which a run's word came out; empty is as it must be. Forgets everything else that came."""
        ways = []
        for listener, address in zip(self.listeners, self.addresses, strict=True):
            if any(word.encode() in said for said in _said_to(listener)):
                ways.append(f"{address[0]} {address[1]}")
        return ways


def cry(addresses: list[list[Any]], word: str) -> int:
    """Try every way out from where we stand; return how many were tried. Raises OSError when an attempt tells nothing."""
    for name, host, port in addresses:
        family = socket.AF_UNIX if name == "unix" else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM if name == "udp" else socket.SOCK_STREAM) as attempt:
            attempt.settimeout(0.2)
            try:
                attempt.connect(f"\0{host}" if name == "unix" else (host, port))
                attempt.sendall(word.encode())
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno not in _HELD_BACK:
                    raise
    return len(addresses)


def _said_to(listener: socket.socket) -> list[bytes]:
    said = []
    with contextlib.suppress(BlockingIOError):
        for _ in range(256):
            if listener.type == socket.SOCK_DGRAM:
                said.append(listener.recv(256))
                continue
            stream, _ = listener.accept()
            with stream, contextlib.suppress(OSError):
                stream.setblocking(False)  # what a cry sent over this machine is there already
                said.append(stream.recv(256))
    return said


def _own_address() -> str | None:
    """The address that this machine would send from; nothing is sent (RFC 5737's test network)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, contextlib.suppress(OSError):
        asking.connect(("192.0.2.1", 9))
        return str(asking.getsockname()[0])
    return None
