# SPDX-License-Identifier: Apache-2.0
"""Formats: one file per outside document. This registry finds those that are reports and asks each whether a file is its own."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

import msgspec

from clearwell.vocabulary.document import LETTER, Attachment, Document, Problem, ReportFormat, as_utf8, require_size
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.finding import MOST_LINE, Finding, Frame, Location
from clearwell.vocabulary.product import Product

MAX_NESTING = 4
"""How deep attachments of attachments are read (a report in a mail that a list forwarded and a person forwarded again)."""
MAX_FINDINGS = 100_000
MAX_ATTACHMENTS = 1_000
_PACKED = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"%PDF-": "a PDF",
}
_COLUMN_NAME = re.compile(r"[^\x00\ud800-\udfff]{1,200}")


@cache
def report_formats() -> tuple[ReportFormat, ...]:
    """Return every report format (a module of this folder with a `REPORT`), particular ones first, then by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    reports = [module.REPORT for module in modules if isinstance(getattr(module, "REPORT", None), ReportFormat)]
    return tuple(sorted(reports, key=lambda report: (report.general, report.name)))


def report_format(name: str) -> ReportFormat:
    """Return the report format of that name; raise NotFound naming those there are."""
    for report in report_formats():
        if report.name == name:
            return report
    known = ", ".join(report.name for report in report_formats())
    raise NotFound(f"there is no report format {name!r}; there are {known}")


def column_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Return field -> column's name for words like `title=Finding`; raise Invalid for a field that there is none of, or said twice."""
    fields = tuple(dict.fromkeys(field for report in report_formats() for field in report.fields))
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not (equals and field and _COLUMN_NAME.fullmatch(column)):
            raise Invalid(f"{pair[:60]!r} maps no column: write FIELD=NAME, for example title=Finding; a name has 1 to 200 characters")
        if field not in fields:
            raise Invalid(f"{field[:40]!r} is no field that a column may hold; there are {', '.join(fields)}")
        if field in mapping:
            raise Invalid(f"the field {field} is mapped to two columns, {mapping[field]!r} and {column!r}; give it one")
        mapping[field] = column
    return mapping


def read(data: bytes, name: str = "", target: Product | None = None, columns: Mapping[str, str] | None = None) -> Document:
    """Read a report of any format. Findings that name no product get `target`.

    `columns` (field -> name of the column) says that it is a table, and what stands where. Raises Invalid when no format
    recognizes the bytes (the message says which were tried and why each said no), or when the one that does can make nothing of them.
    """
    require_size(data)
    for sign, kind in _PACKED.items():
        if data.startswith(sign):
            raise Invalid(f"this is {kind}: unpack it and send the report that is in it")
    text = as_utf8(data)
    if columns:
        for report in report_formats():
            if report.read_columns is not None:
                return _bounded(report.read_columns(text, name, target, columns))
    found, refusals = _recognized(text, name)
    if found is None:
        raise Invalid(f"no known report format: tried {'; '.join(refusals)}")
    return _with_attachments(_bounded(found.read(text, name, target)), target, MAX_NESTING)


def _bounded(document: Document) -> Document:
    """Drop lines that no file has, whatever format let them through: a number too large must not stop a whole report later."""
    if not any(map(_has_wild_line, document.findings)):
        return document
    return msgspec.structs.replace(document, findings=tuple(map(_without_wild_lines, document.findings)))


Placed = TypeVar("Placed", Location, Frame)


def _has_wild_line(finding: Finding) -> bool:
    places: list[Location | Frame] = [*finding.locations, *(finding.crash.frames if finding.crash is not None else ())]
    return any(place.line is not None and not 0 <= place.line <= MOST_LINE for place in places)


def _without_wild_lines(finding: Finding) -> Finding:
    def tame(place: Placed) -> Placed:
        return place if place.line is None or 0 <= place.line <= MOST_LINE else msgspec.structs.replace(place, line=None)

    crash = finding.crash
    if crash is not None:
        crash = msgspec.structs.replace(crash, frames=tuple(map(tame, crash.frames)))
    return msgspec.structs.replace(finding, locations=tuple(map(tame, finding.locations)), crash=crash)


def _recognized(text: bytes, name: str) -> tuple[ReportFormat | None, list[str]]:
    """Ask each format; return the first that says yes, and what those before it said."""
    refusals: list[str] = []
    for report in report_formats():
        reason = report.why_not(text, name)
        if reason is None:
            return report, refusals
        refusals.append(f"{report.name} ({reason})")
    return None, refusals


def _with_attachments(document: Document, target: Product | None, levels: int) -> Document:
    """Read a document's attachments, each by the format that recognizes it; what no format does is named as left out."""
    if not document.attachments:
        return document
    findings: list[Finding] = []
    problems, left_out, tools = list(document.problems), list(document.left_out), [document.tool]
    for attachment in document.attachments[:MAX_ATTACHMENTS]:
        if len(findings) > MAX_FINDINGS:
            problems.append(Problem("", f"more than {MAX_FINDINGS:,} findings in one message: the rest of its parts is not read; split it"))
            break
        try:
            inner = _attached(attachment, document.about or target, levels)
        except Invalid as reason:
            problems.append(Problem(attachment.position, str(reason)[:300]))
            continue
        if inner is None and attachment.position == LETTER:
            continue
        if inner is None:
            left_out.append(Problem(attachment.position, _unread(attachment, levels)))
            continue
        findings += [_from(attachment, finding) for finding in inner.findings]
        problems += [_within(attachment, problem) for problem in inner.problems]
        left_out += [_within(attachment, part) for part in inner.left_out]
        tools.append(inner.tool)
    if len(document.attachments) > MAX_ATTACHMENTS:
        problems.append(Problem("", f"only the first {MAX_ATTACHMENTS:,} attachments are read"))
    if findings and document.findings:
        left_out.append(Problem(LETTER, "this is the covering letter; the findings are those of what is attached"))
    return Document(
        document.format,
        next((tool for tool in tools if tool), None),
        tuple(findings) or document.findings,
        tuple(problems),
        tuple(left_out),
    )


def _attached(attachment: Attachment, target: Product | None, levels: int) -> Document | None:
    """Read an attachment; None when no format knows it, or it lies too deep. A general format that finds nothing was mistaken."""
    text = as_utf8(attachment.data)
    report, _ = _recognized(text, attachment.name) if levels and text.strip(b"\0 \t\r\n") else (None, [])
    if report is None:
        return None
    try:
        return _with_attachments(report.read(text, attachment.name, target), target, levels - 1)
    except Invalid:
        if report.general:
            return None
        raise


def _unread(attachment: Attachment, levels: int) -> str:
    if not levels:
        return f"{attachment.name[:100]!r} lies more than {MAX_NESTING} attachments deep: it is not read"
    return f"{attachment.name[:100]!r} is no report that is known here"


def _from(attachment: Attachment, finding: Finding) -> Finding:
    if attachment.position == LETTER:
        return finding
    return msgspec.structs.replace(finding, remarks=(*finding.remarks, f"attached: {attachment.name[:100]}"))


def _within(attachment: Attachment, part: Problem) -> Problem:
    """Name a part by its way from the outermost document; the parts of parts of messages as mail programs do: `part 2.3`."""
    outer, inner = attachment.position, part.position
    if outer.startswith("part ") and inner.startswith("part "):
        return Problem(f"{outer}.{inner.removeprefix('part ')}", part.reason)
    return Problem(f"{outer}: {inner}" if inner else outer, part.reason)
