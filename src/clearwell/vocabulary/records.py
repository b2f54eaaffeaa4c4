# SPDX-License-Identifier: Apache-2.0
"""JSON documents of records: one record, a list, a list under a key, or one record a line; broken ones keep what stands whole."""

import json
import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Reading, broken_json, clean
from clearwell.vocabulary.errors import Invalid

MAX_OBJECTS = 2_000_000
"""Objects in one document; a denser one would not fit into memory."""

_MAX_MENDED = 64 * 1024 * 1024
_SCANNED = 1024 * 1024
_TOKEN = re.compile(rb'(?s)"(?:[^"\\]|\\.?)*+(?:"|\Z)|[{}\[\]:,]')
_GAP = re.compile(r"[\s,]*")

_T = TypeVar("_T", bound=msgspec.Struct)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def has_keys(data: bytes, *keys: str) -> bool:
    """True when the document's object (the first one of a list, or of lines) has all these keys, also where it breaks off later."""
    if data[:256].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return False
    if not all(f'"{key}"'.encode() in data for key in keys):
        return False
    return keys_of(data).issuperset(keys)


def keys_of(data: bytes) -> frozenset[str]:
    """Return the keys of the document's object, or of the first object of its list; those that stand before a break."""
    try:
        if data[:256].lstrip(b" \t\r\n")[:1] == b"[":
            first = _list.decode(data)[:1]
            return frozenset(_object.decode(first[0])) if first else frozenset()
        return frozenset(_object.decode(data))
    except BROKEN_JSON:
        return _scanned_keys(data[:_SCANNED])


def _scanned_keys(head: bytes) -> frozenset[str]:
    found: set[str] = set()
    depth, last, level = 0, b"", 2 if head.lstrip(b" \t\r\n")[:1] == b"[" else 1
    for match in _TOKEN.finditer(head):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth < level and token == b"}":
                break
        elif token == b":" and depth == level and last:
            found.add(_spelled(last))
        last = token if token[:1] == b'"' else b""
    return frozenset(found)


def _spelled(key: bytes) -> str:
    try:
        return msgspec.json.decode(key, type=str)
    except BROKEN_JSON:
        return key.strip(b'"').decode(errors="replace")


def require_sparse(data: bytes) -> None:
    """Raise Invalid for a document with more objects than fit into memory."""
    if data.count(b"{") > MAX_OBJECTS:
        raise Invalid(f"this document holds more than {MAX_OBJECTS:,} objects: split it")


def require_utf8(data: bytes, reading: Reading) -> bytes:
    """Return the document in UTF-8, as JSON demands (RFC 8259, 8.1); broken bytes become U+FFFD and are reported."""
    try:
        data.decode()
    except UnicodeDecodeError as broken:
        reading.broken(f"byte {broken.start:,}", "this is not UTF-8; the bytes in question are shown as U+FFFD")
        return data.decode(errors="replace").encode()
    return data


def records(data: bytes, reading: Reading, under: str | None = None) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield (position, record) for each record that stands whole; name the others to `reading`.

    `under` is a key whose list holds the records (`{"vulns": [...]}`). Raises Invalid when no JSON object or list can be made out.
    """
    require_sparse(data)
    data = require_utf8(data, reading)
    text = data.strip(b" \t\r\n")
    try:
        if text[:1] == b"[":
            yield from _numbered(_list.decode(text), "", reading)
            return
        whole = _object.decode(text)
    except BROKEN_JSON as reason:
        yield from _broken(text, reading, reason, under)
        return
    if under is not None and under in whole:
        try:
            yield from _numbered(_list.decode(whole[under]), under, reading)
        except BROKEN_JSON as reason:
            raise Invalid(f"{under}: {clean(reason)}") from None
    else:
        yield "", msgspec.Raw(text)


def read_parts(raw: msgspec.Raw, kind: type[_T], position: str, reading: Reading) -> _T:
    """Decode a record; where a part of it is broken, name that part and leave it empty. Raises what decoding the whole raised,
    when what is broken is no object, or a part without which the record says nothing (a field that the struct requires).
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except BROKEN_JSON as reason:
        try:
            parts = _object.decode(raw)
        except BROKEN_JSON:
            raise reason from None
        kept, lost = {}, []
        for field in msgspec.structs.fields(kind):
            if field.encode_name not in parts:
                continue
            try:
                kept[field.name] = msgspec.json.decode(parts[field.encode_name], type=field.type)
            except BROKEN_JSON as wrong:
                lost.append((f"{position}.{field.encode_name}".lstrip("."), str(wrong)))
        try:
            found = kind(**kept)
        except TypeError:
            raise reason from None
        if all(field.required for field in msgspec.structs.fields(kind) if field.name in kept):
            raise  # a name, and nothing that is said of it
        for where, why in lost:
            reading.broken(where, why)
        return found


def _numbered(found: list[msgspec.Raw], key: str, reading: Reading) -> Iterator[tuple[str, msgspec.Raw]]:
    for number, raw in enumerate(found):
        if not reading.has_room():
            return
        yield f"{key}[{number}]", raw


def _broken(text: bytes, reading: Reading, reason: Exception, under: str | None) -> Iterator[tuple[str, msgspec.Raw]]:
    if text[:1] == b"{" and _is_object(text.partition(b"\n")[0]):
        yield from _lines(text, reading)
    elif text[:1] == b"[":
        reading.broken("", broken_json(reason, text))
        yield from _whole_ones(text, 1, "", reading)
    elif text[:1] == b"{" and under is not None and (start := _list_under(text, under)) is not None:
        reading.broken("", broken_json(reason, text))
        yield from _whole_ones(text, start, under, reading)
    else:
        raise Invalid(broken_json(reason, text))


def _is_object(line: bytes) -> bool:
    try:
        _object.decode(line)
    except BROKEN_JSON:
        return False
    return True


def _lines(text: bytes, reading: Reading) -> Iterator[tuple[str, msgspec.Raw]]:
    start, number = 0, 0
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        number += 1
        line = text[start:end].strip(b" \t\r")
        start = end + 1
        if line and not reading.has_room():
            return
        if line and _is_object(line):
            yield f"line {number}", msgspec.Raw(line)
        elif line:
            reading.broken(f"line {number}", "this line is no JSON object")


def _list_under(text: bytes, key: str) -> int | None:
    match = re.search(rb'(?<!\\)"' + re.escape(key.encode()) + rb'"\s*:\s*\[', text)
    return match.end() if match is not None else None


def _whole_ones(data: bytes, start: int, key: str, reading: Reading) -> Iterator[tuple[str, msgspec.Raw]]:
    """The elements of a list that stand whole before the break."""
    if len(data) > _MAX_MENDED:
        raise Invalid(f"the JSON is broken, and at {len(data):,} bytes too large to look for whole records in it")
    text, decoder = data[start:].decode(errors="replace"), json.JSONDecoder(parse_int=_bounded)
    at, number = 0, 0
    while True:
        gap = _GAP.match(text, at)
        at = gap.end() if gap is not None else at
        if at >= len(text) or text[at] == "]":
            return
        if not reading.has_room():
            return
        try:
            value, at = decoder.raw_decode(text, at)
            yield f"{key}[{number}]", msgspec.Raw(msgspec.json.encode(value))
        except (ValueError, RecursionError, TypeError):
            reading.broken(f"{key}[{number}]", f"the JSON breaks off here (character {start + at:,})")
            return
        number += 1


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) < 18 else 0


def mend(data: bytes, key: str, reading: Reading) -> bytes:
    """Return a JSON object that breaks off inside the list under `key` as one that ends after the list's last whole element.

    What stands whole is returned as it is. Raises Invalid when the break lies before the list.
    """
    require_sparse(data)
    data = require_utf8(data, reading)
    try:
        _object.decode(data)
        return data
    except BROKEN_JSON as reason:
        start = _list_under(data, key)
        if start is None:
            raise Invalid(broken_json(reason, data)) from None
        reading.broken("", broken_json(reason, data))
        kept = [bytes(raw) for _, raw in _whole_ones(data, start, key, reading)]
        mended = data[:start] + b",".join(kept) + b"]}"
        if not _is_object(mended):
            raise Invalid(broken_json(reason, data)) from None
        return mended
