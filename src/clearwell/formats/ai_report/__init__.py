# SPDX-License-Identifier: Apache-2.0
"""Clearwell's own report, version 1, as JSON or as Markdown with front matter (docs/reference/report-format.md)."""

import msgspec

from clearwell.formats.ai_report import markdown
from clearwell.formats.ai_report.report import FORMAT, MAX_FINDINGS, MAX_PROOF, MAX_PROOF_FILES, Report, SentFinding, read_findings
from clearwell.vocabulary.document import BROKEN_JSON, Document, ReportFormat, broken_json
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.product import Product

__all__ = ["MAX_FINDINGS", "MAX_PROOF", "MAX_PROOF_FILES", "REPORT", "read", "why_not"]


class _Json(Report, frozen=True, forbid_unknown_fields=True):
    """The outer object in JSON: each finding stays raw until it is read."""

    findings: list[msgspec.Raw]


_report = msgspec.json.Decoder(_Json)
_finding = msgspec.json.Decoder(SentFinding)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no Clearwell report, or None when they are one."""
    if data[:256].lstrip(b" \t\r\n")[:1] == b"{":
        return None if f'"{FORMAT}"'.encode() in data else f'no "format": "{FORMAT}"'
    return markdown.why_not(data)


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a report; raise Invalid when its outer object is wrong. Wrong findings are listed, right ones kept."""
    if markdown.why_not(data) is None:
        return markdown.read(data, target)
    try:
        report = _report.decode(data)
    except BROKEN_JSON as reason:
        raise Invalid(f"this Clearwell report cannot be read: {broken_json(reason, data)}") from None
    return read_findings(report, _finding.decode, target)


REPORT = ReportFormat(name=FORMAT, title="Clearwell report (JSON or Markdown, version 1)", why_not=why_not, read=read)
