# SPDX-License-Identifier: Apache-2.0
"""Documents: what a report format makes of one outside file, and the form in which a format offers itself to the registry."""

import codecs
from collections.abc import Callable, Mapping

import msgspec

from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product

MAX_DOCUMENT = 128 * 1024 * 1024
"""The largest report that is read, in bytes; a larger one is split by its sender."""

BROKEN_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What decoding hostile JSON raises: wrong syntax or types, nesting too deep, strings that are no UTF-8."""


class Problem(msgspec.Struct, frozen=True):
    """A part of a document and what is wrong with it. `position` is a path (`runs[0].results[3]`) or `line 12`, `byte 400`."""

    position: str
    reason: str

    def __str__(self) -> str:
        return f"{self.position}: {self.reason}" if self.position else self.reason


LETTER = "text"
"""The position of a document's own words, which may hold a report as an attachment does, and are no attachment."""


class Attachment(msgspec.Struct, frozen=True):
    """A part of a document that may be a report of its own, such as an e-mail's attachment. `name` is shown, never opened."""

    position: str
    name: str
    data: bytes

    def __repr__(self) -> str:
        return f"Attachment({self.position!r}, {len(self.data)} bytes)"


class Document(msgspec.Struct, frozen=True):
    """A report as its format read it: the good findings in the document's order, and its broken parts.

    `left_out` names parts that are well-formed and no findings (SARIF's `kind: pass`), so that nothing is dropped in silence.
    `attachments` are read by the registry, by any format; where they hold findings, those take the place of the document's own,
    which is then their covering letter. `about` is the product of attachments that name none.
    """

    format: str
    tool: str | None
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    left_out: tuple[Problem, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    about: Product | None = None


MAX_PROBLEMS = 1_000
"""Broken parts, and parts left out, that a document names; what comes after them is counted."""


MAX_RECORDS = 20_000
"""Advisories and the like that are read of one document: each costs up to half a millisecond."""

MAX_INFERRED = 4_000_000
"""Characters of prose in one document from which weaknesses are inferred."""


class Reading:
    """A document being read: what was found, what was wrong and what was left out so far."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._left_out: list[Problem] = []
        self._more = 0
        self._unread = MAX_INFERRED
        self._records = 0

    def may_infer(self, characters: int) -> bool:
        """True while a document's prose may be looked at for words that tell a weakness: that costs a microsecond a character."""
        self._unread -= characters
        return self._unread >= 0

    def has_room(self) -> bool:
        """True until the document's records are too many for one reading; then says so, once."""
        self._records += 1
        if self._records == MAX_RECORDS + 1:
            self.broken("", f"only the first {MAX_RECORDS:,} records are read: split the document")
        return self._records <= MAX_RECORDS

    def add(self, finding: Finding) -> None:
        """Keep a finding."""
        self._findings.append(finding)

    def broken(self, position: str, reason: object) -> None:
        """Name a part that could not be read."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(position, clean(reason)))
        else:
            self._more += 1

    def leave_out(self, position: str, reason: str) -> None:
        """Name a part that is whole and asserts no flaw."""
        if len(self._left_out) < MAX_PROBLEMS:
            self._left_out.append(Problem(position, reason))

    def document(self, tool: str | None = None, attachments: tuple[Attachment, ...] = (), about: Product | None = None) -> Document:
        """Return the document. Raises Invalid when nothing of it could be read."""
        if self._problems and not self._findings and not self._left_out and not attachments:
            raise Invalid(str(self._problems[0]))
        problems = list(self._problems)
        if self._more:
            problems.append(Problem("", f"and {self._more:,} more broken parts"))
        return Document(self._form, tool, tuple(self._findings), tuple(problems), tuple(self._left_out), attachments, about)


def broken_json(reason: Exception, data: bytes) -> str:
    """Say what is wrong with a JSON text, where, and, where it was cut off, what to do."""
    if "truncated" in str(reason):
        line = data.count(b"\n") + 1
        return f"the JSON ends early, at byte {len(data):,} in line {line:,}: the file was cut off or is not finished; send it whole"
    return f"the JSON is broken: {clean(reason)}"


def clean(reason: object) -> str:
    """Return a decoder's reason in the words of a problem, at most 300 characters."""
    return str(reason).replace(" - at `$", " at `")[:300]


class ReportFormat(msgspec.Struct, frozen=True):
    """One outside document, as its module offers it: a module-level `REPORT`.

    `why_not(data, name)` answers quickly: None when the bytes are such a document (whole or broken), else the reason in a
    few words. `read(data, name, target)` raises Invalid when nothing of it can be understood; `target` is the product of
    findings that name none. `name` is the file's name as given: shown, never opened. A `general` format is asked last.
    `read_columns` is offered by a format of tables: it takes, besides, which column holds which field (field -> column's name);
    `fields` are those that a column may hold.
    """

    name: str
    title: str
    why_not: Callable[[bytes, str], str | None]
    read: Callable[[bytes, str, Product | None], Document]
    general: bool = False
    read_columns: Callable[[bytes, str, Product | None, Mapping[str, str]], Document] | None = None
    fields: tuple[str, ...] = ()


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def as_utf8(data: bytes) -> bytes:
    """Return a text document's bytes as UTF-8 without byte order mark; Windows tools write UTF-16. Broken units become U+FFFD."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return rest if encoding == "utf-8" else rest.decode(encoding, errors="replace").encode()
    if len(data) >= 4 and data[1] == 0 and data[3] == 0 and data[0] and data[2]:
        return data.decode("utf-16-le", errors="replace").encode()
    return data


def require_size(data: bytes, limit: int = MAX_DOCUMENT) -> None:
    """Raise Invalid when a document is empty or larger than `limit` bytes."""
    if not data.strip(b"\0 \t\r\n"):
        raise Invalid("the file is empty")
    if len(data) > limit:
        raise Invalid(f"the file has {len(data):,} bytes; at most {limit:,} are read: split it")
