# SPDX-License-Identifier: Apache-2.0
"""The one fetcher: everything of ours that asks another machine for source goes through here (ADR 15).

https only, to hosts on a list, to the very address that was checked, with no redirect off the list, within a size and a time.
"""

import contextlib
import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import getproxies_environment

import msgspec

from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable

_REDIRECTS = 5
_CONNECT_SECONDS = 10
_PIECE = 1 << 18
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CLOSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "2001::/32",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""Networks of one machine or one house (IANA's special-purpose registries, RFC 6890): no name on the outside leads there."""

Address = tuple[int, str]
"""A family and the text of an address."""


class Fetched(msgspec.Struct, frozen=True):
    """What came back: where from in the end, its media type, its bytes."""

    address: str
    media_type: str
    body: bytes


class Fetcher:
    """Fetches from the hosts of `registries` (addresses that somebody configured) and from those that the settings add.

    `CLEARWELL_FETCH_HOSTS` (names, with commas between) adds hosts. `CLEARWELL_FETCH_PRIVATE_HOSTS` names those that may be on a private
    or loopback address, and be asked by http; a registry whose configured address is itself a private one (`http://127.0.0.1:8080/`)
    counts as named there.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        self._added = _names(env.get("CLEARWELL_FETCH_HOSTS", ""))
        self._private = _names(env.get("CLEARWELL_FETCH_PRIVATE_HOSTS", ""))
        self._bundle = next((env[name] for name in _BUNDLES if env.get(name)), None)
        self._proxies = getproxies_environment() if environment is None else {}

    def get(
        self, address: str, what: str, *, registries: Iterable[str], limit: int, seconds: float, headers: Mapping[str, str] | None = None
    ) -> Fetched:
        """Return what stands at `address`; `what` names it in messages.

        Raises NotFound (404, 410), Unavailable (no answer, an answer too late, another status, an address or host that is not allowed)
        and Invalid (larger than `limit` bytes).
        """
        listed = {urlsplit(one).hostname or "": one for one in registries}
        end = time.monotonic() + seconds
        for _ in range(_REDIRECTS + 1):
            parts = self._checked(address, what, listed)
            with self._asked(parts, what, listed, end, seconds, headers or {}) as response:
                if response.status in {301, 302, 303, 307, 308}:
                    address = urljoin(address, response.headers.get("Location", ""))
                    continue
                if response.status in {404, 410}:
                    raise NotFound(f"{what} does not exist in its registry")
                if response.status != 200:
                    raise Unavailable(f"{what} could not be fetched: the registry answered {response.status}")
                return Fetched(address, response.headers.get("Content-Type", ""), _body(response, what, limit, end, seconds))
        raise Unavailable(f"{what} could not be fetched: more than {_REDIRECTS} redirects")

    def _checked(self, address: str, what: str, listed: Mapping[str, str]) -> SplitResult:
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise Unavailable(f"{what} could not be fetched: its address cannot be read") from None
        if host not in listed and host not in self._added:
            raise Unavailable(
                f"{what} could not be fetched: {host[:100]!r} is not a host of its registry; CLEARWELL_FETCH_HOSTS may add it"
            )
        if parts.scheme != "https" and not (parts.scheme == "http" and self._may_be_private(host, listed)):
            hint = f"CLEARWELL_FETCH_PRIVATE_HOSTS may allow {host[:100]}"
            raise Unavailable(f"{what} could not be fetched: only https is asked, not {parts.scheme[:20]!r}; {hint}")
        if parts.username is not None and host not in listed:
            raise Unavailable(f"{what} could not be fetched: its address carries a password for a host that nobody configured")
        return parts

    def _may_be_private(self, host: str, listed: Mapping[str, str]) -> bool:
        return host in self._private or (host in listed and says_private(host))

    def _addresses(self, parts: SplitResult, what: str, listed: Mapping[str, str]) -> tuple[Address, ...]:
        """Resolve once; what was checked is what is connected to, so that no second answer can lead elsewhere (rebinding)."""
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, parts.port or _port(parts), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"{what} could not be fetched: {host[:100]} has no address; check the network") from error
        addresses = tuple(dict.fromkeys((int(family), str(place[0])) for family, _, _, _, place in found))
        if not self._may_be_private(host, listed) and any(is_private(address) for _, address in addresses):
            raise Unavailable(
                f"{what} could not be fetched: {host[:100]} is on a private or loopback address; CLEARWELL_FETCH_PRIVATE_HOSTS may allow it"
            )
        return addresses

    @contextlib.contextmanager
    def _asked(
        self, parts: SplitResult, what: str, listed: Mapping[str, str], end: float, seconds: float, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        with contextlib.ExitStack() as stack:
            try:
                connection = self._connection(parts, what, listed, end)
                stack.callback(connection.let_go)
                stack.enter_context(_ended_at(connection, end))
                connection.connect()
                path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
                connection.request(
                    "GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "clearwell", **_login(parts), **headers}
                )
                response = stack.enter_context(connection.getresponse())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _broken(what, error, end, seconds) from error
            yield response

    def _connection(self, parts: SplitResult, what: str, listed: Mapping[str, str], end: float) -> "_Connection":
        host, port = parts.hostname or "", parts.port or _port(parts)
        proxy = self._proxies.get(parts.scheme)
        if proxy and not _requests().should_bypass_proxies(parts.geturl(), None):
            # The operator's own proxy resolves names itself; where it may go is its operator's to say.
            via = urlsplit(proxy if "//" in proxy else f"//{proxy}")
            connection = _Connection(host, port, ((0, via.hostname or ""),), self._context(parts), via.port or 3128, end)
            connection.set_tunnel(host, port, headers=_login(via, "Proxy-Authorization"))
            return connection
        return _Connection(host, port, self._addresses(parts, what, listed), self._context(parts), port, end)

    def _context(self, parts: SplitResult) -> ssl.SSLContext | None:
        if parts.scheme != "https":
            return None
        context = ssl.create_default_context(cafile=self._bundle)
        if self._bundle is None:
            context.load_verify_locations(_requests().DEFAULT_CA_BUNDLE_PATH)
        return context


def _requests() -> ModuleType:
    """What the library knows of proxies and certificates; loaded when something is fetched, for it takes 3 MB of each process."""
    from requests import utils  # noqa: PLC0415

    return utils


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses given, whatever the host's name resolves to now; TLS checks the name.

    `line` is a handle of its own on the socket: the one that `http.client` holds is replaced by TLS, and let go when an answer says
    `Connection: close`, while bytes still come.
    """

    def __init__(
        self, host: str, port: int, addresses: tuple[Address, ...], context: ssl.SSLContext | None, connect_port: int, end: float
    ) -> None:
        super().__init__(host, port, timeout=_CONNECT_SECONDS)
        self._addresses, self._context, self._connect_port, self._end = addresses, context, connect_port, end
        self.line: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the first address that answers."""
        last: OSError = OSError("no address")
        for _, address in self._addresses[:4]:
            try:
                left = self._end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self.sock = socket.create_connection((address, self._connect_port), min(_CONNECT_SECONDS, left))
                self.sock.settimeout(_CONNECT_SECONDS)
                self.line = self.sock.dup()
                break
            except OSError as error:
                last = error
        else:
            raise last
        if time.monotonic() >= self._end:
            raise TimeoutError
        if self._tunnel_host:  # type: ignore[attr-defined]  # set by set_tunnel; not in the stubs
            self._tunnel()  # type: ignore[attr-defined]  # not in the stubs
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def let_go(self) -> None:
        """Close everything; the answer is read, or given up."""
        self.close()
        if self.line is not None:
            self.line.close()


def is_private(address: str) -> bool:
    """True for addresses of this machine, of this house or of nobody: what a name on the outside must not lead to."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_private(str(inner))
    return any(found.version == network.version and found in network for network in _CLOSED)


def says_private(host: str) -> bool:
    """True when a configured address says by itself that it is on this machine or in this house."""
    if host == "localhost":
        return True
    try:
        return is_private(host)
    except ValueError:
        return False


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _login(parts: SplitResult, header: str = "Authorization") -> dict[str, str]:
    if parts.username is None:
        return {}
    return {header: "Basic " + b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()).decode()}


@contextlib.contextmanager
def _ended_at(connection: _Connection, end: float) -> Iterator[None]:
    """Shut the connection down when the time is over, however slowly bytes drip in: no read outlives it."""
    timer = threading.Timer(max(0.0, end - time.monotonic()), lambda: _shut(connection.line))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _shut(handle: socket.socket | None) -> None:
    with contextlib.suppress(OSError):
        if handle is not None:
            handle.shutdown(socket.SHUT_RDWR)  # below TLS, whose own state belongs to the reading thread


def _body(response: http.client.HTTPResponse, what: str, limit: int, end: float, seconds: float) -> bytes:
    unpacker = zlib.decompressobj(wbits=31) if response.headers.get("Content-Encoding", "").lower() in {"gzip", "x-gzip"} else None
    body = bytearray()
    try:
        while piece := response.read1(_PIECE):
            body += piece if unpacker is None else unpacker.decompress(piece, limit + 1 - len(body))
            if len(body) > limit:
                raise Invalid(f"{what} is larger than {limit >> 20} MB")
            if time.monotonic() >= end:
                raise TimeoutError
    except (OSError, http.client.HTTPException, zlib.error) as error:
        raise _broken(what, error, end, seconds) from error
    if response.length or time.monotonic() >= end:
        raise _broken(what, None, end, seconds)
    return bytes(body)


def _broken(what: str, error: Exception | None, end: float, seconds: float) -> Unavailable:
    if time.monotonic() >= end:
        return Unavailable(f"{what} did not arrive within {seconds:g} s")
    why = type(error).__name__ if error is not None else "the answer was cut"
    return Unavailable(f"{what} could not be fetched: {why}; check the registry's address and the network")
