# SPDX-License-Identifier: Apache-2.0
"""Blobs: content-addressed, encrypted evidence. A blob lies once; each holder (submission or case) wraps its key.

Layers of keys: the hub key (a file) wraps a key for each holder; the holder's key wraps the random data key of each blob it
holds. Deleting a holder's key destroys its access; a blob whose last holder is gone can be read by nobody, not even from an old
copy of the folder. Addresses are an HMAC of the plaintext under the hub key: they tell nothing to who does not hold it.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clearwell.ground.storage.database import Row, Scope, Transaction
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable

CHUNK = 1 << 20
"""Plaintext bytes in one sealed piece; each piece has its own nonce and number, so a cut or swapped file is found."""
_NONCE, _TAG = 12, 16
_NAME, _SWEEP = re.compile("[0-9a-f]{32}"), 1000
_BLOBS = Scope(system="system:blobs")


class Sealed:
    """A blob on its way in: written and fsynced, not yet held by anybody. `address` and `size` are of the plaintext."""

    def __init__(self, address: str, size: int, key: bytes, file: str) -> None:
        self.address, self.size, self._key, self.file = address, size, key, file

    @property
    def key(self) -> bytes:
        """The data key. Secret: it leaves only wrapped."""
        return self._key

    def __repr__(self) -> str:
        return f"Sealed({self.address[:8]}…, {self.size} bytes)"


class BlobStore:
    """The folder of sealed blobs and the hub's key."""

    def __init__(self, folder: Path, hub_key: bytes) -> None:
        self._folder = folder
        self._hub = AESGCM(hashlib.sha256(b"clearwell holder keys" + hub_key).digest())
        self._address_key = hashlib.sha256(b"clearwell addresses" + hub_key).digest()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def mac(self, kind: str, data: bytes) -> bytes:
        """A keyed hash for look-ups of what must not be stored plainly (32 bytes)."""
        return hmac.digest(self._address_key, kind.encode() + b"\0" + data, "sha256")

    def seal_text(self, data: bytes) -> bytes:
        """Seal a few bytes (a mail) under the hub key itself."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._hub.encrypt(nonce, data, b"text")

    def open_text(self, sealed: bytes) -> bytes:
        """Open what seal_text sealed; raise Unavailable if the hub key is another."""
        return _open(self._hub, sealed, b"text")

    def put(self, pieces: Iterable[bytes], limit: int) -> Sealed:
        """Seal a stream to disk; raise Invalid past `limit` bytes. Only ciphertext is written; file and folder are fsynced.

        Until `hold` makes it somebody's within a transaction, the file is an orphan that nobody can read.
        """
        digest, size = hmac.new(self._address_key, b"blob\0", "sha256"), 0
        name, key = secrets.token_hex(16), secrets.token_bytes(32)
        target = self._path(name)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            with _private(target) as file:
                writer = _Pieces(file, AESGCM(key), name)
                for piece in pieces:
                    size += len(piece)
                    if size > limit:
                        raise Invalid(f"this is larger than {limit:,} bytes, the limit here; split it and send the parts")
                    digest.update(piece)
                    writer.write(piece)
                writer.finish()
                os.fsync(file.fileno())
            _sync_folder(target.parent)
            _sync_folder(self._folder)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return Sealed(digest.hexdigest(), size, key, name)

    def hold(self, tx: Transaction, holder: str, sealed: Sealed) -> None:
        """Let `holder` hold the blob, in the caller's transaction. The same plaintext held before is kept once."""
        with tx.acting_as(_BLOBS):
            known = tx.row(  # locked, so that its last holder's destruction does not take the file away meanwhile
                "SELECT holder, file, wrapped_key FROM clearwell.blob_hold WHERE address = %(address)s LIMIT 1 FOR SHARE",
                address=sealed.address,
            )
            file, key = sealed.file, sealed.key
            if known is not None and known["file"] != sealed.file:
                file, key = known["file"], _open(self._holder_key(tx, known["holder"]), known["wrapped_key"], sealed.address.encode())
                tx.after_commit.append(lambda: self._path(sealed.file).unlink(missing_ok=True))
            self._wrap(tx, holder, sealed.address, sealed.size, file, key)

    def discard(self, sealed: Sealed) -> None:
        """Remove a blob that nobody came to hold."""
        self._path(sealed.file).unlink(missing_ok=True)

    def share(self, tx: Transaction, address: str, holder: str, new_holder: str) -> None:
        """Let `new_holder` also hold a blob that `holder` holds (a merge, a split). Raises NotFound."""
        with tx.acting_as(_BLOBS):
            row = self._held(tx, holder, address)
            key = _open(self._holder_key(tx, holder), row["wrapped_key"], address.encode())
            self._wrap(tx, new_holder, address, row["size"], row["file"], key)

    def release(self, tx: Transaction, holder: str, address: str) -> None:
        """Let go of a blob that another holder has taken over, so that destroying that one's key destroys it."""
        with tx.acting_as(_BLOBS):
            tx.execute(
                "DELETE FROM clearwell.blob_hold WHERE holder = %(holder)s AND address = %(address)s", holder=holder, address=address
            )

    def _wrap(self, tx: Transaction, holder: str, address: str, size: int, file: str, key: bytes) -> None:
        self._make_holder_key(tx, holder)
        nonce = secrets.token_bytes(_NONCE)
        tx.execute(
            """
            INSERT INTO clearwell.blob_hold (address, holder, file, wrapped_key, size)
            VALUES (%(address)s, %(holder)s, %(file)s, %(key)s, %(size)s)
            ON CONFLICT (address, holder) DO NOTHING
            """,
            address=address,
            holder=holder,
            file=file,
            key=nonce + self._holder_key(tx, holder).encrypt(nonce, key, address.encode()),
            size=size,
        )

    def open(self, tx: Transaction, holder: str, address: str) -> Iterator[bytes]:
        """Give back the plaintext piece by piece to who reads for `holder`. Raises NotFound, or Unavailable when it is damaged."""
        with tx.acting_as(_BLOBS):
            row = self._held(tx, holder, address)
            key = _open(self._holder_key(tx, holder), row["wrapped_key"], address.encode())
        return self._read(row["file"], key)

    def destroy(self, tx: Transaction, holder: str) -> int:
        """Delete the holder's key and holds: what only it held can be read by nobody. Returns how many blobs it held."""
        with tx.acting_as(_BLOBS):
            gone = tx.rows("DELETE FROM clearwell.blob_hold WHERE holder = %(holder)s RETURNING file", holder=holder)
            tx.execute("DELETE FROM clearwell.holder_key WHERE holder = %(holder)s", holder=holder)
            for row in gone:
                left = tx.value("SELECT count(*) FROM clearwell.blob_hold WHERE file = %(file)s", file=row["file"])
                if left == 0:
                    tx.after_commit.append(partial(self._path(row["file"]).unlink, missing_ok=True))
        return len(gone)

    def sweep(self, tx: Transaction, before: datetime) -> int:
        """Remove files last written before `before` that nobody holds: what a crash between `put` and `hold` left. Returns how many.

        Nobody could ever read them: their keys were never stored. Give a time well in the past (a day), behind every upload under way.
        """
        old = [path for path in self._folder.glob("??/*") if _NAME.fullmatch(path.name) and path.stat().st_mtime < before.timestamp()]
        gone = 0
        with tx.acting_as(_BLOBS):
            for start in range(0, len(old), _SWEEP):
                some = {path.name: path for path in old[start : start + _SWEEP]}
                held = tx.rows("SELECT file FROM clearwell.blob_hold WHERE file = ANY(%(names)s)", names=list(some))
                for name in some.keys() - {row["file"] for row in held}:
                    some[name].unlink(missing_ok=True)
                    gone += 1
        return gone

    def _held(self, tx: Transaction, holder: str, address: str) -> Row:
        row = tx.row(
            "SELECT file, size, wrapped_key FROM clearwell.blob_hold WHERE address = %(address)s AND holder = %(holder)s",
            address=address,
            holder=holder,
        )
        if row is None:
            raise NotFound("this evidence is not held here, or its key was destroyed")
        return row

    def _make_holder_key(self, tx: Transaction, holder: str) -> None:
        nonce = secrets.token_bytes(_NONCE)
        tx.execute(
            """
            INSERT INTO clearwell.holder_key (holder, wrapped_key, created_at) VALUES (%(holder)s, %(key)s, now())
            ON CONFLICT (holder) DO NOTHING
            """,
            holder=holder,
            key=nonce + self._hub.encrypt(nonce, secrets.token_bytes(32), holder.encode()),
        )

    def _holder_key(self, tx: Transaction, holder: str) -> AESGCM:
        wrapped = tx.value("SELECT wrapped_key FROM clearwell.holder_key WHERE holder = %(holder)s", holder=holder)
        if wrapped is None:
            raise NotFound("this evidence's key was destroyed")
        return AESGCM(_open(self._hub, wrapped, holder.encode()))

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _read(self, name: str, key: bytes) -> Iterator[bytes]:
        box, number = AESGCM(key), 0
        try:
            with self._path(name).open("rb") as file:
                piece = file.read(CHUNK + _NONCE + _TAG)
                while piece or number == 0:  # an empty blob has one piece, an empty file is damage
                    if len(piece) < _NONCE + _TAG:
                        raise InvalidTag
                    following = file.read(CHUNK + _NONCE + _TAG)
                    yield box.decrypt(piece[:_NONCE], piece[_NONCE:], _bound(name, number, last=not following))
                    piece, number = following, number + 1
        except FileNotFoundError:
            raise Unavailable("this evidence's file is missing from the blob folder; restore it from a backup") from None
        except InvalidTag:
            raise Unavailable("this evidence's file was changed or cut; restore it from a backup") from None


class _Pieces:
    """Cuts a stream into sealed pieces of CHUNK bytes, the last one marked as last."""

    def __init__(self, file: BinaryIO, box: AESGCM, name: str) -> None:
        self._file, self._box, self._name = file, box, name
        self._waiting, self._number = bytearray(), 0

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._file.flush()

    def _seal(self, piece: bytes, last: bool) -> None:
        nonce = secrets.token_bytes(_NONCE)
        self._file.write(nonce + self._box.encrypt(nonce, piece, _bound(self._name, self._number, last)))
        self._number += 1


def _bound(name: str, number: int, last: bool) -> bytes:
    return f"{name}:{number}:{'last' if last else 'more'}".encode()


def _open(box: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return box.decrypt(bytes(sealed[:_NONCE]), bytes(sealed[_NONCE:]), bound)
    except InvalidTag:
        raise Unavailable("a key does not open: this database belongs to another hub key (restore the keys that fit it)") from None


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
