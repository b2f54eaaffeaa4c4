# SPDX-License-Identifier: Apache-2.0
"""E-mail (RFC 5322, MIME, mbox): a report in prose, forwarded by a list or a person, with reports attached.

What is attached, forwarded, or stands in the text itself may be a report of any format: the registry reads it. Only where nothing of
that holds a finding, the message's own words are one. Who sent it is not read: senders forward what others found.
"""

import re
from collections.abc import Iterator

from clearwell.formats.mail.mime import Headers, Part, leaves, split
from clearwell.vocabulary.document import LETTER, Attachment, Document, Reading, ReportFormat, require_size
from clearwell.vocabulary.finding import Finding, Location
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.stated import MAX_TEXT, listed, purl_in, relative_name, severity_of, title_from, weaknesses_of

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of the largest message or mailbox that is read: its parts are copied as they are taken apart."""
MAX_MESSAGES = 10_000
_SNIFFED = 64 * 1024
_MAX_PROSE = 100_000

_MBOX = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]{1,300}[0-9]{4}[^\n]{0,40}\n")
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,76}[ \t]*:")
_NEEDED = (b"from", b"sender", b"return-path", b"list-id")
_ALSO = (b"subject", b"message-id", b"mime-version", b"received", b"date", b"content-type", b"to")
_PREFIX = re.compile(r"(?i)\A\s*(?:(?:re|fwd?|aw|wg|tr)\s*(?:\[[0-9]{1,4}\])?\s*:|\[[^\]\n]{1,60}\])\s*")
_FORWARDED = re.compile(r"(?im)^[> \t]{0,10}subject:[ \t]{0,10}([^\n]{1,300})$")
_MARKER = re.compile(
    r"(?im)^[ >\t]{0,10}(?:-{2,30} ?(?:forwarded|original) (?:message|mail) ?(?:by [^\n-]{1,100})?-{2,30}"
    r"|begin forwarded message:)[ \t\r]*$"
)
_PLACE = re.compile(
    r"(?<![\w./:@+-])((?:[\w.+-]{1,80}/){0,12}[\w+-][\w.+-]{0,80}\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm|go|rs|py|js|mjs|cjs|ts|tsx|jsx|java|kt|scala|rb|php|pl|"
    r"cs|swift|lua|sh|S|sol|ex|exs|erl|hs|ml|vue)):([0-9]{1,7})(?![\w])"
)
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`]{3,1000}")
_VECTOR = re.compile(r"CVSS:[34]\.[01]/[A-Za-z:/]{10,400}")
_CVE = re.compile(r"\bCVE-[0-9]{4}-[0-9]{4,19}\b")
_SIGNED = re.compile(r"(?m)^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Z][A-Za-z-]{1,40}: [^\n]{0,400}\n){0,10}[ \t]*\n")
_SIGNATURE = re.compile(r"(?m)^-----BEGIN PGP SIGNATURE-----[ \t]*$")
_SIGNATURE_END = re.compile(r"(?m)^-----END PGP SIGNATURE-----[ \t]*\n?")
_DASHED = re.compile(r"(?m)^- (?=-)")
_ENCRYPTED_TEXT = re.compile(r"\s*-----BEGIN PGP MESSAGE-----")
_ENCRYPTED = {"application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_SEALED = "this is encrypted or sealed (PGP, S/MIME): open it and send what is in it"
_UNREAD = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "text/x-vcard", "text/calendar"}


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no message, or None when they begin with a message's headers."""
    head = data[:_SNIFFED].lstrip(b"\r\n")
    mbox = _MBOX.match(head)
    head = head[mbox.end() :] if mbox is not None else head
    block = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    lines = [line for line in block.split(b"\n") if line[:1] not in (b" ", b"\t")]
    if not lines or any(_HEADER_LINE.match(line) is None for line in lines[:200] if line.strip()):
        return "it does not begin with a message's headers"
    names = {line.partition(b":")[0].strip().lower() for line in lines}
    if not names.intersection(_NEEDED) or not names.intersection(_ALSO):
        return "its headers name no sender, or no subject or date"
    return None


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a message, or an mbox of several, each of which is then read by itself."""
    require_size(data, MAX_BYTES)
    data = data.lstrip(b"\r\n")
    starts = [match.span() for match in _MBOX.finditer(data)]
    if len(starts) > 1:
        return _mailbox(data, starts)
    message = data[starts[0][1] :] if starts and starts[0][0] == 0 else data
    return _message(message, target)


def _mailbox(data: bytes, starts: list[tuple[int, int]]) -> Document:
    reading = Reading("mail")
    ends = [*(start for start, _ in starts[1:]), len(data)]
    messages = [
        Attachment(f"message {number}", f"message-{number}.eml", data[start:end].replace(b"\n>From ", b"\nFrom "))
        for number, ((_, start), end) in enumerate(zip(starts[:MAX_MESSAGES], ends, strict=False), 1)
    ]
    if len(starts) > MAX_MESSAGES:
        reading.broken("", f"only the first {MAX_MESSAGES:,} messages are read")
    return reading.document(attachments=tuple(messages))


def _message(data: bytes, target: Product | None) -> Document:
    reading = Reading("mail")
    headers, body = split(data)
    texts: list[str] = []
    attachments: list[Attachment] = []
    is_sealed = False
    for number, part in enumerate(leaves(headers, body), 1):
        if isinstance(part, str):
            reading.broken("", part)
        elif part.type in _ENCRYPTED or _ENCRYPTED_TEXT.match(part.data[:200].decode("latin-1")) is not None:
            is_sealed = True
            reading.broken(part.position, _SEALED)
        elif part.type in _UNREAD:
            reading.leave_out(part.position, f"{part.type} is no report")
        elif part.type in {"text/plain", "text/html"} and not part.is_attached:
            texts.append(part.text)
        else:
            attachments.append(Attachment(part.position, part.name or _unnamed(part, number), part.data))
    text = "\n\n".join(_without_armor(said.replace("\r\n", "\n")).strip() for said in texts if said.strip())
    subject = _subject(headers, text)
    about = purl_in(subject) or purl_in(text)
    if text:
        attachments.insert(0, Attachment(LETTER, "text", text.encode(errors="replace")))
    if text or (subject and not is_sealed):
        reading.add(_finding(reading, subject, text, about or target))
    elif not attachments and not is_sealed:
        reading.broken("", "the message says nothing: it has no subject, no text and nothing attached that could be read")
    return reading.document(attachments=tuple(attachments), about=about)


def _without_armor(text: str) -> str:
    """Return a text that is signed in place (RFC 9580, 7) without marks and signature, which is not checked, its dashes as they were."""
    begin = _SIGNED.search(text)
    signature = _SIGNATURE.search(text, begin.end()) if begin is not None else None
    if begin is None or signature is None:
        return text
    end = _SIGNATURE_END.search(text, signature.end())
    signed = _DASHED.sub("", text[begin.end() : signature.start()])
    return f"{text[: begin.start()]}{signed}{text[end.end() :] if end is not None else ''}"


def _unnamed(part: Part, number: int) -> str:
    return f"part-{number}{'.eml' if part.type == 'message/rfc822' else ''}"


def _subject(headers: Headers, text: str) -> str:
    """The subject without `Fwd:`, `Re:` and list tags; of a message forwarded in the text, that message's own."""
    marker = _MARKER.search(text[:_MAX_PROSE])
    inner = _FORWARDED.search(text[:_MAX_PROSE], marker.end()) if marker is not None else None
    subject = (inner.group(1) if inner is not None else headers.words("subject"))[:500]
    while (prefix := _PREFIX.match(subject)) is not None and len(prefix.group()) < len(subject):
        subject = subject[prefix.end() :]
    return subject.strip()


def _finding(reading: Reading, subject: str, text: str, product: Product | None) -> Finding:
    prose = text[:_MAX_PROSE]
    vector = _VECTOR.search(prose)
    return Finding(
        format="mail",
        title=title_from(subject, text),
        message=text[:MAX_TEXT],
        product=product,
        weaknesses=weaknesses_of(reading, (), ("subject", subject), ("text", prose)),
        locations=tuple(dict.fromkeys(_places(prose))),
        severity=severity_of([vector.group()]) if vector is not None else None,
        aliases=listed(_CVE.findall(f"{subject}\n{prose}"), 40),
        references=listed(match.group().rstrip(".,;:)]}") for match in _ADDRESS.finditer(prose)),
    )


def _places(prose: str) -> Iterator[Location]:
    """Places written `src/a.c:12`, at most ten."""
    for count, match in enumerate(_PLACE.finditer(prose), 1):
        file = relative_name(match.group(1))
        if file is not None:
            yield Location(file, int(match.group(2)) or None)
        if count == 10:
            return


REPORT = ReportFormat(name="mail", title="E-mail (RFC 5322) with attachments, mbox", why_not=why_not, read=read)
