# SPDX-License-Identifier: Apache-2.0
"""Sending a file to a hub: whole when it is small, in pieces when it is big; it goes on where a cut connection left it."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clearwell.faces.cli.hub import ComeBack, Cut, Hub, Query
from clearwell.vocabulary.errors import Conflict, Invalid

T = TypeVar("T")
Moved = Callable[[int], None]
"""Told how many bytes the hub has."""

WHOLE = 4 * 1024 * 1024
"""Files of at most so many bytes are sent at once."""
TRIES = 6
"""How often something is tried over a connection that is cut, with pauses that double from half a second."""
PATIENCE = 60
"""A quota that asks to come back after at most so many seconds is waited for; else the command ends and says when."""
_PIECE = 1 << 18


class Sending:
    """Sends files to one hub with the same words about each."""

    def __init__(self, hub: Hub, envelope: Query, sleep: Callable[[float], None] = time.sleep) -> None:
        self._hub, self._envelope, self._sleep = hub, envelope, sleep

    def send(self, file: Path, moved: Moved) -> dict[str, Any]:
        """Send a file; return the receipt. Raises what the hub says, Unavailable when the connection stays cut."""
        size = file.stat().st_size
        if size <= WHOLE:
            return self._patiently(lambda: self._at_once(file, size, moved))
        key = self._key(file)
        upload = self._patiently(lambda: self._hub.post("/uploads", key=key, size=size))
        if upload["submission"] is None:
            self._pieces(file, upload, moved)
        return self._patiently(
            lambda: self._hub.post(f"/uploads/{upload['id']}/submission", None, None, name=shown(file), **self._envelope)
        )

    def _at_once(self, file: Path, size: int, moved: Moved) -> dict[str, Any]:
        sent: dict[str, Any] = self._hub.upload("/submissions", _read(file, 0, size, moved), size, name=shown(file), **self._envelope)
        return sent

    def _pieces(self, file: Path, upload: dict[str, Any], moved: Moved) -> None:
        path, size = f"/uploads/{upload['id']}", upload["size"]
        while upload["received"] < size:
            upload = self._patiently(lambda: self._piece(file, path, size, moved))
        moved(size)

    def _piece(self, file: Path, path: str, size: int, moved: Moved) -> dict[str, Any]:
        """Ask how far the hub is (a piece may have arrived whose answer was lost), and send the next."""
        upload: dict[str, Any] = self._hub.get(path)
        moved(upload["received"])
        start, length = upload["received"], min(upload["piece"], size - upload["received"])
        if length == 0:
            return upload
        try:
            sent: dict[str, Any] = self._hub.upload(path, _read(file, start, length, moved), length, offset=start)
        except Conflict:
            return dict(self._hub.get(path))
        return sent

    def _key(self, file: Path) -> str:
        """The same bytes with the same words: the same upload, also in another process tomorrow."""
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        said = msgspec.json.encode([shown(file), self._envelope], order="sorted")
        return f"{digest}-{hashlib.sha256(said).hexdigest()[:32]}"

    def _patiently(self, act: Callable[[], T]) -> T:
        for tried in range(TRIES - 1):
            try:
                return act()
            except Cut:
                self._sleep(0.5 * 2**tried)
            except ComeBack as later:
                if later.seconds > PATIENCE:
                    raise
                self._sleep(later.seconds)
        return act()


def shown(file: Path) -> str:
    """A file's name as it is told to the hub."""
    return file.name.encode(errors="backslashreplace").decode()[:255]


def _read(file: Path, start: int, length: int, moved: Moved) -> Iterator[bytes]:
    """The file's bytes from `start` on, as many as it had when it was looked at."""
    left = length
    with file.open("rb") as stream:
        stream.seek(start)
        while left > 0 and (piece := stream.read(min(_PIECE, left))):
            left -= len(piece)
            moved(start + length - left)
            yield piece
    if left > 0:
        raise Invalid(f"{file} became shorter while it was sent; send it again")
