# SPDX-License-Identifier: Apache-2.0
"""Entries: typed lines of the ledger, their canonical bytes, and salted hashes in place of sensitive values.

Bytes: JSON (RFC 8259) with keys sorted, no spaces, UTF-8. A `Salted` field becomes `{"salted_sha256": hex}` of salt and value;
who may know the value finds the salt under row-level security and can show that the line speaks of it.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import EntryId

LIMIT = 65_535
"""Bytes in one entry: what a C2SP entry bundle can hold."""


class Salted(msgspec.Struct, frozen=True):
    """A sensitive value: only its salted hash enters the ledger. The salt is kept for `organization` or `case`'s coordinators."""

    value: str
    organization: str | None = None
    case: str | None = None

    def __repr__(self) -> str:
        return "Salted(…)"


class Entry(msgspec.Struct, frozen=True):
    """The base of every entry type. A subclass sets `type` (`case.opened`, never renamed) and adds fields: ids, counts, words."""

    type: ClassVar[str] = ""

    @property
    def about(self) -> str | None:
        """The id by which entries are looked up: the case, else the submission, where the entry names one plainly."""
        found = getattr(self, "case", None) or getattr(self, "submission", None)
        return found if isinstance(found, str) else None


class Salt(msgspec.Struct, frozen=True):
    """The salt of one field, for who may see it."""

    field: str
    salt: bytes
    organization: str | None
    case: str | None


def encode(entry: Entry, entry_id: EntryId, by: str, acting_as: str | None, at: datetime) -> tuple[bytes, tuple[Salt, ...]]:
    """Return an entry's canonical bytes and the salts it used; raise Invalid if it is too long for a bundle."""
    payload: dict[str, Any] = {}
    salts: list[Salt] = []
    for field in msgspec.structs.fields(entry):
        value = getattr(entry, field.name)
        if isinstance(value, Salted):
            salt = secrets.token_bytes(16)
            salts.append(Salt(field.name, salt, value.organization, value.case))
            value = {"salted_sha256": salted_hash(salt, value.value)}
        payload[field.name] = msgspec.to_builtins(value)
    line = {"type": entry.type, "id": entry_id, "at": at.isoformat().replace("+00:00", "Z"), "by": by, "payload": payload}
    if acting_as is not None and acting_as != by:
        line["acting_as"] = acting_as
    body = msgspec.json.encode(line, order="sorted")
    if len(body) > LIMIT:
        raise Invalid(f"a ledger entry of {len(body)} bytes; {LIMIT} are allowed")
    return body, tuple(salts)


def salted_hash(salt: bytes, value: str) -> str:
    """Hex SHA-256 of the salt followed by the value's UTF-8 bytes."""
    return hashlib.sha256(salt + value.encode()).hexdigest()
