# SPDX-License-Identifier: Apache-2.0
"""MIME (RFC 2045 to 2047, 5322) as far as a report needs it: headers and leaf parts, in linear time and bounded depth.

The standard library's parser matches every line against every enclosing boundary and recurses without a bound of its own;
a hostile message costs it minutes. Here each part is cut by one search for its own boundary.
"""

import binascii
import html
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

MAX_DEPTH = 8
MAX_PARTS = 2_000
MAX_HEADERS = 256 * 1024
"""Bytes of a part's headers that are read."""
_MAX_VALUE = 20_000

_FIELD = re.compile(rb"(?m)^([!-9;-~]{1,200})[ \t]{0,20}:([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_BLANK = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9!#$&.+^_-]{1,60}\*?)\s{0,20}=\s{0,20}(?:\"((?:[^\"\\]|\\.?){0,2000}+)\"|([^;\s\"]{0,2000}))")
_TYPE = re.compile(r"\s*([A-Za-z0-9.+-]{1,80}/[A-Za-z0-9.+-]{1,100})")
_CHARSET = re.compile(
    r"(?i)utf[-_]?(?:8|16|16le|16be|32)|(?:us-)?ascii|iso[-_]?8859[-_][0-9]{1,2}|latin[-_]?[0-9]{1,2}|windows-[0-9]{3,4}|cp[0-9]{3,4}|koi8-[rut]"
    r"|gb2312|gbk|gb18030|big5(?:-?hkscs)?|shift[-_]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)"
)
_TAG = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]{0,500}>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(style|script|head)\b", re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """A leaf of a message. `position` is its number within each multipart (`part 2.1`); `data` its decoded bytes."""

    position: str
    type: str
    name: str | None
    is_attached: bool
    data: bytes
    charset: str
    flowed: Literal["", "flowed", "delsp"] = ""
    """Whether a line that ends in a blank goes on in the next (RFC 3676), and whether that blank is none of the text's."""

    @property
    def text(self) -> str:
        """The part's text, HTML without its tags, lines that go on joined."""
        text = self.data.decode(self.charset, errors="replace")
        if self.type == "text/html":
            return plain_text(text)
        return unflowed(text, delsp=self.flowed == "delsp") if self.flowed else text


class Headers(msgspec.Struct, frozen=True):
    """A part's headers, names in lower case, the first of each; undecoded."""

    fields: dict[str, str]

    def words(self, name: str) -> str:
        """A header with its encoded words decoded (RFC 2047), on one line; empty when it is not there."""
        raw = self.fields.get(name, "")[:4_000]
        if "=?" not in raw:
            return " ".join(raw.split())
        try:
            pieces = decode_header(raw)
            said = "".join(piece.decode(_known(charset)) if isinstance(piece, bytes) else piece for piece, charset in pieces)
        except (HeaderParseError, ValueError, LookupError):
            said = raw
        return " ".join(said.split())

    def parameters(self, name: str) -> tuple[str, dict[str, str]]:
        """A structured header's value in lower case, and its parameters (RFC 2045; extended ones of RFC 2231 decoded)."""
        raw = self.fields.get(name, "")
        found: dict[str, str] = {}
        for match in _PARAMETER.finditer(raw):
            key, quoted, bare = match.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            if key.endswith("*") and value.count("'") >= 2:
                charset, _, rest = value.split("'", 2)
                value = unquote_to_bytes(rest).decode(_known(charset), errors="replace")
            found.setdefault(key.rstrip("*").lower(), value)
        return raw.partition(";")[0].strip().lower(), found


def split(data: bytes) -> tuple[Headers, bytes]:
    """Cut a message or part into headers and body (RFC 5322, 2.1)."""
    blank = _BLANK.search(data)
    head, body = (data[: blank.start()], data[blank.end() :]) if blank is not None else (data, b"")
    fields: dict[str, str] = {}
    for match in _FIELD.finditer(head[:MAX_HEADERS].replace(b"\r\n", b"\n")):
        name = match.group(1).decode("ascii").lower()
        value = match.group(2)[:_MAX_VALUE]
        try:
            fields.setdefault(name, value.decode().replace("\n", " ").strip())
        except UnicodeDecodeError:
            fields.setdefault(name, value.decode("latin-1").replace("\n", " ").strip())
    return Headers(fields), body


def leaves(headers: Headers, body: bytes) -> Iterator[Part | str]:
    """Yield each leaf part in order; a text in its place says what could not be taken apart."""
    waiting: list[tuple[Headers, bytes, str, int, bool]] = [(headers, body, "", 0, False)]
    count = 0
    while waiting:
        own, content, position, depth, in_digest = waiting.pop()
        type_, parameters = own.parameters("content-type")
        type_ = type_ if _TYPE.fullmatch(type_) else ("message/rfc822" if in_digest else "text/plain")
        boundary = parameters.get("boundary", "")
        if type_.startswith("multipart/") and boundary and depth < MAX_DEPTH:
            pieces = _cut(content, boundary[:200])
            inner = [
                (*split(piece), f"{position}.{number}".lstrip("."), depth + 1, type_ == "multipart/digest")
                for number, piece in enumerate(pieces[:MAX_PARTS], 1)
            ]
            waiting += reversed(_chosen(inner) if type_ == "multipart/alternative" else inner)
            if len(pieces) > MAX_PARTS:
                yield f"only the first {MAX_PARTS:,} parts of a multipart are read"
            continue
        if type_.startswith("multipart/") and boundary:
            yield f"part {position} nests multiparts more than {MAX_DEPTH} deep"
            continue
        count += 1
        if count > MAX_PARTS:
            yield f"only the first {MAX_PARTS:,} parts are read"
            return
        yield _leaf(own, content, f"part {position or 1}", type_, parameters)


def _chosen(inner: list[tuple[Headers, bytes, str, int, bool]]) -> list[tuple[Headers, bytes, str, int, bool]]:
    """Of alternatives the plain text; without one, the last, which is the richest (RFC 2046, 5.1.4)."""
    plain = [part for part in inner if part[0].parameters("content-type")[0] in {"text/plain", ""}]
    return plain[:1] or inner[-1:]


def _cut(body: bytes, boundary: str) -> list[bytes]:
    """Cut a multipart's body at its boundary; what stands before the first and after the last is no part."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode(errors="replace")) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    pieces, start = [], None
    for match in line.finditer(body):
        if start is not None:
            pieces.append(body[start : match.start()])
        start = None if match.group(1) else match.end()
        if match.group(1):
            break
    if start is not None:
        pieces.append(body[start:])
    return [re.sub(rb"\A\r?\n", b"", piece, count=1) for piece in pieces]


def _leaf(headers: Headers, body: bytes, position: str, type_: str, parameters: dict[str, str]) -> Part:
    disposition, told = headers.parameters("content-disposition")
    name = told.get("filename") or parameters.get("name")
    encoding = headers.fields.get("content-transfer-encoding", "").strip().lower()
    return Part(
        position=position,
        type=type_,
        name=Headers({"name": name}).words("name")[:200] or None if name else None,
        is_attached=disposition == "attachment" or (name is not None and type_ != "text/html"),
        data=_decoded(body, encoding),
        charset=_known(parameters.get("charset")),
        flowed=_flow(parameters) if type_ == "text/plain" else "",
    )


def _flow(parameters: dict[str, str]) -> Literal["", "flowed", "delsp"]:
    if parameters.get("format", "").lower() != "flowed":
        return ""
    return "delsp" if parameters.get("delsp", "").lower() == "yes" else "flowed"


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        kept = kept[: len(kept) - 1] if len(kept) % 4 == 1 else kept
        try:
            return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))
        except binascii.Error:
            return body
    return binascii.a2b_qp(body) if encoding == "quoted-printable" else body


def _known(charset: str | None) -> str:
    """A charset of which decoding is plain; others (utf-7, punycode, zip ...) are read as Latin-1."""
    name = (charset or "utf-8").strip().strip("\"'")
    if _CHARSET.fullmatch(name) is None:
        return "latin-1"
    try:
        b"".decode(name)
    except LookupError:
        return "latin-1"
    return name


def unflowed(text: str, delsp: bool = False) -> str:
    """Join the lines that a mail program broke (RFC 3676, 4.4): one goes on while it ends in a blank, its quoting is the same, and it is
    no signature's mark."""
    pieces: list[str] = []
    goes_on, depth = False, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        words = line.lstrip(">")
        quoted = len(line) - len(words)
        words = words.removeprefix(" ")
        is_mark = words == "-- "
        if not goes_on or quoted != depth or is_mark:
            pieces.append(f"\n{'>' * quoted} " if quoted else "\n")
        goes_on, depth = words.endswith(" ") and not is_mark, quoted
        pieces.append(words[:-1] if goes_on and delsp else words)
    return "".join(pieces)[1:]


def plain_text(markup: str) -> str:
    """Return HTML's text: no tags, no styles, no scripts; its addresses are not kept."""
    text = "".join(_seen(markup[:4_000_000]))
    text = re.sub(r"<[^<>]{0,2000}>", "", _TAG.sub("\n", text))
    return html.unescape(text)


def _seen(markup: str) -> Iterator[str]:
    """What stands outside of styles, scripts and the head; one that is not closed hides the rest."""
    lower, at = markup.lower(), 0
    if len(lower) != len(markup):
        lower = markup
    while (opened := _UNSEEN.search(markup, at)) is not None:
        yield markup[at : opened.start()]
        end = lower.find(f"</{opened.group(1).lower()}", opened.end())
        if end < 0:
            return
        at = lower.find(">", end) + 1 or len(markup)
    yield markup[at:]
