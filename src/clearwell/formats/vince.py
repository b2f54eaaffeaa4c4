# SPDX-License-Identifier: Apache-2.0
"""VINCE (CERT/CC): case reports and cases as its API gives them, and published vulnerability notes of its public API.

The shapes are those of github.com/CERTCC/VINCE (api_examples, vinny/serializers.py, vincepub/serializers.py), version 3: a case with
`get_case`, `get_original_report` and `get_vuls` side by side, each of those answers alone or in a list, and a note with `vuid`.
VINCE's newer `vulreport` documents are CSAF and read as that.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.records import has_keys, records
from clearwell.vocabulary.stated import (
    MAX_TEXT,
    first_known,
    listed,
    number_of,
    product_named,
    purl_in,
    severity_of,
    title_from,
    weaknesses_of,
)

_SHAPES = (("get_case",), ("get_vuls",), ("get_original_report",), ("vul_description", "product_name"), ("vuid", "title"), ("vuid", "name"))
_LISTS = "get_cases"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:[^\s<>\"]{2,2000}")
_CVE = re.compile(r"(?i)(?:CVE-)?([0-9]{4}-[0-9]{4,19})")


class _Case(msgspec.Struct):
    vuid: str | None = None
    title: str | None = None
    summary: str | None = None
    status: str | None = None


class _Report(msgspec.Struct):
    """A vulnerability report (VRF). Who sent it is not read beyond what its sender lets be shown."""

    vendor_name: str | None = None
    product_name: str | None = None
    product_version: str | None = None
    vul_description: str | None = None
    vul_exploit: str | None = None
    vul_impact: str | None = None
    vul_discovery: str | None = None
    public_references: str | None = None
    exploit_references: str | None = None
    vul_exploited: bool | None = None
    vul_public: bool | None = None
    share_release: bool | None = None
    credit_release: bool | None = None
    contact_name: str | None = None
    contact_org: str | None = None
    vrf_id: str | None = None
    tracking: str | None = None


class _Vul(msgspec.Struct):
    name: str | None = None
    vul: str | None = None
    cve: str | None = None
    description: str | None = None


class _Whole(msgspec.Struct):
    case: Any = None
    get_case: _Case | None = None
    get_original_report: _Report | None = None
    get_vuls: list[msgspec.Raw] | None = None


class _Note(msgspec.Struct):
    """A vulnerability note: of the case's API (`title`, `content`) or the public one (`name`, `overview`, ...)."""

    vuid: str
    idnumber: str | None = None
    name: str | None = None
    title: str | None = None
    status: str | None = None
    summary: str | None = None
    content: str | None = None
    overview: str | None = None
    clean_desc: str | None = None
    impact: str | None = None
    cveids: list[str] | None = None
    public: list[str] | None = None
    references: list[str] | None = None
    thanks: str | None = None
    cvss_basescore: Any = None
    cvss_basevector: str | None = None


_whole = msgspec.json.Decoder(_Whole)
_report = msgspec.json.Decoder(_Report)
_note = msgspec.json.Decoder(_Note)
_vul = msgspec.json.Decoder(_Vul)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are nothing of VINCE's API, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return "not JSON"
    if has_keys(data, "runs") or has_keys(data, "cveMetadata"):
        return "another format's keys"
    return None if has_keys(data, _LISTS) or any(has_keys(data, *keys) for keys in _SHAPES) else "no case, report, vuls or note of VINCE"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a case with its vulnerabilities (a finding each), a report, a note, or a list of them."""
    reading = Reading("vince")
    for position, raw in records(data, reading, _LISTS):
        try:
            for finding in _findings(raw, position, reading, target):
                reading.add(finding)
        except BROKEN_JSON as reason:
            reading.broken(position, reason)
    return reading.document("VINCE")


def _findings(raw: msgspec.Raw, position: str, reading: Reading, target: Product | None) -> Iterator[Finding]:
    keys = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).keys()
    if keys & {"get_case", "get_vuls", "get_original_report"}:
        yield from _of_case(_whole.decode(raw), position, reading, target)
    elif keys & {"vul_description", "product_name"}:
        yield _of_report(reading, _report.decode(raw), _Case(), target)
    else:
        yield _of_note(reading, _note.decode(raw), target)


def _of_case(whole: _Whole, position: str, reading: Reading, target: Product | None) -> Iterator[Finding]:
    """A case's vulnerabilities are its findings; without any, its report is; without that, its summary."""
    case, report = whole.get_case or _Case(), whole.get_original_report
    case.vuid = case.vuid or (whole.case if isinstance(whole.case, str) else None)
    count = 0
    for number, raw in enumerate(whole.get_vuls or ()):
        place = f"{position}.get_vuls[{number}]".lstrip(".")
        if not reading.has_room():
            return
        try:
            vul = _vul.decode(raw)
        except BROKEN_JSON as reason:
            reading.broken(place, reason)
            continue
        count += 1
        yield _of_vul(reading, vul, case, report, target)
    if not count and report is not None:
        yield _of_report(reading, report, case, target)
    elif not count and (case.title or case.summary):
        yield _of_note(reading, _Note(vuid=case.vuid or "", title=case.title, summary=case.summary, status=case.status), target)


def _of_vul(reading: Reading, vul: _Vul, case: _Case, report: _Report | None, target: Product | None) -> Finding:
    text = vul.description or ""
    names = [_public(name) for name in (vul.cve, vul.name, vul.vul) if name] + [name for name in [_vu(case.vuid)] if name]
    return Finding(
        format="vince",
        title=title_from(text.partition(". ")[0], case.title, vul.name),
        message="\n\n".join(filter(None, (text, case.summary)))[:MAX_TEXT],
        product=_product(report, text) or target,
        weaknesses=weaknesses_of(reading, (), ("description", text)),
        external_id=next(iter(names), None),
        aliases=listed((name for name in names if name != names[0]), 200),
        affected=_affected(report),
        references=_references(report),
        credits=_credits(report),
        remarks=_standing(case, report),
    )


def _of_report(reading: Reading, report: _Report, case: _Case, target: Product | None) -> Finding:
    said = (
        ("", report.vul_description),
        ("How it can be used", report.vul_exploit),
        ("What it leads to", report.vul_impact),
        ("How it was found", report.vul_discovery),
    )
    text = "\n\n".join(f"{heading}: {words}" if heading else words for heading, words in said if words and words.strip())
    return Finding(
        format="vince",
        title=title_from(case.title, report.vul_description, report.product_name),
        message=text[:MAX_TEXT],
        product=_product(report, text) or target,
        weaknesses=weaknesses_of(reading, (), ("vul_description", report.vul_description or ""), ("vul_impact", report.vul_impact or "")),
        external_id=report.vrf_id or _vu(case.vuid),
        aliases=listed([_vu(case.vuid) if report.vrf_id else None, report.tracking], 200),
        affected=_affected(report),
        references=_references(report),
        credits=_credits(report),
        remarks=_standing(case, report),
    )


def _of_note(reading: Reading, note: _Note, target: Product | None) -> Finding:
    text = "\n\n".join(part for part in (note.overview, note.clean_desc, note.content, note.summary, note.impact) if part and part.strip())
    return Finding(
        format="vince",
        title=title_from(note.title, note.name, text),
        message=text[:MAX_TEXT],
        product=purl_in(text) or target,
        weaknesses=weaknesses_of(reading, (), ("title", note.title or note.name or ""), ("text", text)),
        severity=severity_of([note.cvss_basevector], number_of(note.cvss_basescore)),
        external_id=_vu(note.vuid or note.idnumber),
        aliases=listed((_public(name) for name in note.cveids or ()), 200),
        references=listed([*(note.public or ()), *(note.references or ())]),
        credits=listed([note.thanks], 300),
        remarks=_standing(_Case(status=note.status), None),
    )


def _public(name: str) -> str:
    match = _CVE.fullmatch(name.strip()[:40])
    return f"CVE-{match.group(1)}" if match is not None else name.strip()[:200]


def _vu(vuid: str | None) -> str | None:
    text = (vuid or "").strip()[:60]
    return f"VU#{text}" if text.isdecimal() else text or None


def _product(report: _Report | None, text: str) -> Product | None:
    named = product_named(report.vendor_name, report.product_name) if report is not None else None
    return first_known(purl_in(text), named)


def _affected(report: _Report | None) -> tuple[str, ...]:
    if report is None or not (report.product_version or "").strip():
        return ()
    return listed([f"{' '.join(filter(None, (report.vendor_name, report.product_name)))[:300]}: {report.product_version}"], 600)


def _references(report: _Report | None) -> tuple[str, ...]:
    text = f"{report.public_references or ''}\n{report.exploit_references or ''}" if report is not None else ""
    return listed(match.group() for match in _ADDRESS.finditer(text[:MAX_TEXT]))


def _credits(report: _Report | None) -> tuple[str, ...]:
    """Names that the reporter lets be shown; no address, no telephone."""
    if report is None or not report.credit_release:
        return ()
    return listed([report.contact_name, report.contact_org], 200)


def _standing(case: _Case, report: _Report | None) -> tuple[str, ...]:
    told = [f"status: {case.status[:40]}" if case.status else None]
    if report is not None:
        told += ["reported as exploited" if report.vul_exploited else None, "reported as public" if report.vul_public else None]
    return tuple(filter(None, told))


REPORT = ReportFormat(name="vince", title="VINCE case, report or note (CERT/CC)", why_not=why_not, read=read)
