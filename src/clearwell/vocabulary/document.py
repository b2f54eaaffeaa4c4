# SPDX-License-Identifier: Apache-2.0
"""Documents: what a report format makes of one outside file, and the form in which a format offers itself to the registry."""

import codecs
from collections.abc import Callable

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


class Document(msgspec.Struct, frozen=True):
    """A report as its format read it: the good findings in the document's order, and its broken parts.

    `left_out` names parts that are well-formed and no findings (SARIF's `kind: pass`), so that nothing is dropped in silence.
    """

    format: str
    tool: str | None
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()
    left_out: tuple[Problem, ...] = ()


class ReportFormat(msgspec.Struct, frozen=True):
    """One outside document, as its module offers it: a module-level `REPORT`.

    `why_not(data, name)` answers quickly: None when the bytes are such a document (whole or broken), else the reason in a
    few words. `read(data, name, target)` raises Invalid when nothing of it can be understood; `target` is the product of
    findings that name none. `name` is the file's name as given: shown, never opened. A `general` format is asked last.
    """

    name: str
    title: str
    why_not: Callable[[bytes, str], str | None]
    read: Callable[[bytes, str, Product | None], Document]
    general: bool = False


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
