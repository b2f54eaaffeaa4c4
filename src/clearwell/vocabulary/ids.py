# SPDX-License-Identifier: Apache-2.0
"""Typed identifiers: random (UUIDv7, RFC 9562), shown with their kind, `case_01jd...`."""

import re
from typing import NewType
from uuid import UUID

from clearwell.vocabulary.errors import Invalid

OrganizationId = NewType("OrganizationId", str)
PersonId = NewType("PersonId", str)
TokenId = NewType("TokenId", str)
SessionId = NewType("SessionId", str)
ProposalId = NewType("ProposalId", str)
SubmissionId = NewType("SubmissionId", str)
FindingId = NewType("FindingId", str)
UploadId = NewType("UploadId", str)
SourceId = NewType("SourceId", str)
ProofId = NewType("ProofId", str)
CaseId = NewType("CaseId", str)
ParticipantId = NewType("ParticipantId", str)
LinkId = NewType("LinkId", str)
RunId = NewType("RunId", str)
RemediationId = NewType("RemediationId", str)
AdvisoryId = NewType("AdvisoryId", str)
AssetId = NewType("AssetId", str)
InventoryId = NewType("InventoryId", str)
ActionId = NewType("ActionId", str)
AlarmId = NewType("AlarmId", str)
OrderId = NewType("OrderId", str)
EntryId = NewType("EntryId", str)

KINDS = {
    "alarm": AlarmId,
    "org": OrganizationId,
    "person": PersonId,
    "token": TokenId,
    "session": SessionId,
    "proposal": ProposalId,
    "sub": SubmissionId,
    "finding": FindingId,
    "upload": UploadId,
    "source": SourceId,
    "proof": ProofId,
    "case": CaseId,
    "part": ParticipantId,
    "link": LinkId,
    "run": RunId,
    "fix": RemediationId,
    "adv": AdvisoryId,
    "asset": AssetId,
    "inv": InventoryId,
    "action": ActionId,
    "entry": EntryId,
    "order": OrderId,
}
"""Prefix of an id -> its type. A prefix never changes its meaning."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
_TO_PYTHON = bytes.maketrans(_CROCKFORD.encode(), b"0123456789abcdefghijklmnopqrstuv")
TAKES = 16
"""Random bytes that one id takes."""
_ANY = bytes(ord(_CROCKFORD[byte & 0b11111]) for byte in range(256))
_VERSION = bytes(ord(_CROCKFORD[0b01110 | byte & 0b00001]) for byte in range(256))
"""The digit that holds the version, 7, and a bit of chance (RFC 9562, 5.7)."""
_VARIANT = bytes(ord(_CROCKFORD[0b01000 | byte & 0b10011]) for byte in range(256))
"""The digit that holds a bit of chance, the variant, 10, and two bits more."""
_FORM = re.compile(r"([a-z]{2,12})_([0-7][0-9a-hjkmnp-tv-z]{25})")


def spell(kind: str, value: UUID) -> str:
    """Return `kind_` and the UUID in 26 characters of Crockford's base 32: sorts as the UUID does."""
    return _spell(kind, value.int)


def _spell(kind: str, number: int) -> str:
    """2 zero bits and the 128: 13 pairs of digits. Cut into three first: small numbers are shifted three times as fast as big ones."""
    a, b, c = number >> 80, number >> 40 & 0xFFFFFFFFFF, number & 0xFFFFFFFFFF
    return (
        f"{kind}_{_PAIRS[a >> 40]}{_PAIRS[a >> 30 & 1023]}{_PAIRS[a >> 20 & 1023]}{_PAIRS[a >> 10 & 1023]}{_PAIRS[a & 1023]}"
        f"{_PAIRS[b >> 30]}{_PAIRS[b >> 20 & 1023]}{_PAIRS[b >> 10 & 1023]}{_PAIRS[b & 1023]}"
        f"{_PAIRS[c >> 30]}{_PAIRS[c >> 20 & 1023]}{_PAIRS[c >> 10 & 1023]}{_PAIRS[c & 1023]}"
    )


def mint(kind: str, unix_ms: int, chance: bytes) -> list[str]:
    """Return an id of this moment for each 16 random bytes: the spelling of a UUIDv7, made digit by digit, since a report takes thousands.

    The first ten digits are the moment; each of the other sixteen takes five bits of one byte, but for the version and the variant in them.
    """
    digits, firsts, fourths = (chance.translate(table).decode("ascii") for table in (_ANY, _VERSION, _VARIANT))
    begin = f"{kind}_{_spell('', (unix_ms & (2**48 - 1)) << 80)[1:11]}"
    return [
        f"{begin}{firsts[at]}{digits[at + 1 : at + 3]}{fourths[at + 3]}{digits[at + 4 : at + 16]}" for at in range(0, len(chance), TAKES)
    ]


def number_of(id: str) -> int:
    """Return the 128 bits that an id of ours spells: what an index stores instead of the text."""
    return int(id[-26:].encode().translate(_TO_PYTHON), 32)


def spell_number(kind: str, number: int) -> str:
    """Return the id of these 128 bits: `number_of` the other way round."""
    return _spell(kind, number)


def parse_id(kind: str, text: str) -> str:
    """Return `text` if it is an id of `kind`; raise Invalid otherwise (ids in addresses are outside data)."""
    match = _FORM.fullmatch(text) if len(text) <= 40 else None
    if match is None or match.group(1) != kind:
        raise Invalid(f"this is not the id of a {kind}: it should look like {kind}_ and 26 letters or digits")
    return text


def uuid7(unix_ms: int, random_80_bits: int) -> UUID:
    """Build a UUIDv7 (RFC 9562, 5.7) from a time in milliseconds and at least 74 bits of chance."""
    value = (unix_ms & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= ((random_80_bits >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    return UUID(int=value | random_80_bits & (2**62 - 1))
