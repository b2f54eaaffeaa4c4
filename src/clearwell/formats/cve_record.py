# SPDX-License-Identifier: Apache-2.0
"""CVE Record Format 5.2 (and 5.x before it): records as CVE Services and cvelistV5 give them, read as a report."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.records import has_keys, records
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.stated import (
    MAX_LISTED,
    MAX_TEXT,
    first_known,
    listed,
    product_named,
    product_of_purl,
    purl_of,
    relative_name,
    severity_of,
    stated_weaknesses,
    title_from,
    weaknesses_of,
)
from clearwell.vocabulary.weakness import Weakness

_COLLECTIONS = {
    # a label of `collectionURL`'s host, whatever mirror it is -> type of the package URL
    "pypi": "pypi",
    "npmjs": "npm",
    "maven": "maven",
    "sonatype": "maven",
    "rubygems": "gem",
    "crates": "cargo",
    "golang": "golang",
    "go": "golang",
    "nuget": "nuget",
    "packagist": "composer",
    "hex": "hex",
    "pub": "pub",
    "hackage": "hackage",
    "metacpan": "cpan",
    "r-project": "cran",
}
_T = TypeVar("_T")
_METRICS = ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0")


class _Text(msgspec.Struct):
    value: str = ""
    lang: str = ""


class _Problem(msgspec.Struct):
    description: str = ""
    cweId: str | None = None


class _ProblemType(msgspec.Struct):
    descriptions: list[_Problem] = []


class _Version(msgspec.Struct):
    version: str = ""
    status: str = ""
    lessThan: str | None = None
    lessThanOrEqual: str | None = None


class _Routine(msgspec.Struct):
    name: str = ""


class _Affected(msgspec.Struct):
    vendor: str | None = None
    product: str | None = None
    packageName: str | None = None
    collectionURL: str | None = None
    packageURL: str | None = None
    repo: str | None = None
    versions: list[_Version] = []
    defaultStatus: str | None = None
    modules: list[str] = []
    programFiles: list[str] = []
    programRoutines: list[_Routine] = []


class _Cvss(msgspec.Struct):
    vectorString: str | None = None
    baseScore: float | None = None
    baseSeverity: str | None = None


class _Metric(msgspec.Struct):
    cvssV4_0: _Cvss | None = None
    cvssV3_1: _Cvss | None = None
    cvssV3_0: _Cvss | None = None
    cvssV2_0: _Cvss | None = None


class _Reference(msgspec.Struct):
    url: str = ""


class _Credit(msgspec.Struct):
    value: str = ""
    type: str = "finder"


class _Provider(msgspec.Struct):
    shortName: str | None = None


class _Container(msgspec.Struct):
    """A container's parts, each raw, so that a broken part costs itself and not the record."""

    title: msgspec.Raw = msgspec.Raw()
    providerMetadata: msgspec.Raw = msgspec.Raw()
    descriptions: msgspec.Raw = msgspec.Raw()
    problemTypes: msgspec.Raw = msgspec.Raw()
    affected: msgspec.Raw = msgspec.Raw()
    metrics: msgspec.Raw = msgspec.Raw()
    references: msgspec.Raw = msgspec.Raw()
    credits: msgspec.Raw = msgspec.Raw()


class _Metadata(msgspec.Struct):
    cveId: str
    state: str = "PUBLISHED"
    assignerShortName: str | None = None


class _Containers(msgspec.Struct):
    cna: _Container
    adp: list[_Container] = []


class _Record(msgspec.Struct):
    cveMetadata: _Metadata
    containers: _Containers
    dataVersion: str | float | None = None


_record = msgspec.json.Decoder(_Record)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no CVE records, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return "not JSON"
    return None if has_keys(data, "cveMetadata") else "no cveMetadata"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a record, a list of them, or one a line: a finding for each that is not rejected. Raises Invalid when none can be read."""
    reading = Reading("cve")
    assigners: list[str] = []
    for position, raw in records(data, reading):
        try:
            record = _record.decode(raw)
            version = str(record.dataVersion or "5")
            if not version.startswith("5"):
                raise Invalid(f"CVE records of version 5 are read; this is {version[:20]!r}")
        except (*BROKEN_JSON, Invalid) as reason:
            reading.broken(position, reason)
            continue
        assigners += [record.cveMetadata.assignerShortName] if record.cveMetadata.assignerShortName else []
        if record.cveMetadata.state.upper() == "REJECTED":
            reading.leave_out(position, f"{record.cveMetadata.cveId[:40]} was rejected")
        else:
            reading.add(_Reader(reading, position).finding(record, target))
    return reading.document(", ".join(dict.fromkeys(assigners))[:200] or None)


class _Reader:
    """One record: its parts are decoded one by one; a broken one is named and left empty."""

    def __init__(self, reading: Reading, position: str) -> None:
        self._reading, self._position = reading, position

    def finding(self, record: _Record, target: Product | None) -> Finding:
        """Return the record's finding. What other containers (CISA's Vulnrichment) add fills what the CNA leaves open."""
        containers = [("cna", record.containers.cna), *((f"adp[{n}]", adp) for n, adp in enumerate(record.containers.adp[:10]))]
        cna = record.containers.cna
        text = self._description(cna)
        affected = [entry for where, part in containers for entry in self._list(part.affected, list[_Affected], f"{where}.affected")][
            :1_000
        ]
        credits = self._list(cna.credits, list[_Credit], "cna.credits")
        title = self._one(cna.title, "cna.title")
        return Finding(
            format="cve",
            title=title_from(title, _first_sentence(text), record.cveMetadata.cveId),
            message=text[:MAX_TEXT],
            product=first_known(*(_product(entry) for entry in affected)) or target,
            weaknesses=weaknesses_of(
                self._reading,
                self._weaknesses(containers),
                ("problemTypes", self._problem_types(cna)),
                ("title", title or ""),
                ("description", text),
            ),
            locations=_locations(affected),
            severity=self._severity(containers),
            origin=Origin(tool=next((c.value[:200] for c in credits if c.type == "tool" and c.value.strip()), None)),
            external_id=record.cveMetadata.cveId.strip()[:40] or None,
            affected=listed(map(_in_words, affected)),
            references=listed(
                reference.url
                for where, part in containers
                for reference in self._list(part.references, list[_Reference], f"{where}.references")
            ),
            credits=listed((f"{credit.value} ({credit.type})" for credit in credits if credit.value.strip()), 300),
            remarks=("state: reserved",) if record.cveMetadata.state.upper() == "RESERVED" else (),
        )

    def _description(self, cna: _Container) -> str:
        texts = self._list(cna.descriptions, list[_Text], "cna.descriptions")
        english = [text.value for text in texts if text.lang.lower().startswith("en")]
        return next(iter(english), None) or next((text.value for text in texts), "")

    def _problem_types(self, cna: _Container) -> str:
        """What the CNA writes where a CWE belongs ("Use after free")."""
        types = self._list(cna.problemTypes, list[_ProblemType], "cna.problemTypes")
        return ". ".join(problem.description for kind in types for problem in kind.descriptions)[:MAX_TEXT]

    def _weaknesses(self, containers: list[tuple[str, _Container]]) -> tuple[Weakness, ...]:
        """`cweId`, else the CWE that a description spells out, of the first container that states one."""
        for where, part in containers:
            types = self._list(part.problemTypes, list[_ProblemType], f"{where}.problemTypes")
            said = [problem for kind in types for problem in kind.descriptions]
            found = stated_weaknesses((problem.cweId or problem.description for problem in said), f"{where}.problemTypes")
            if found:
                return found
        return ()

    def _severity(self, containers: list[tuple[str, _Container]]) -> Severity | None:
        """The newest CVSS of the first container that has one."""
        for where, part in containers:
            metrics = self._list(part.metrics, list[_Metric], f"{where}.metrics")
            for version in _METRICS:
                for metric in metrics:
                    cvss: _Cvss | None = getattr(metric, version)
                    found = severity_of([cvss.vectorString], cvss.baseScore, cvss.baseSeverity) if cvss is not None else None
                    if found is not None:
                        return found
        return None

    def _list(self, raw: msgspec.Raw, kind: type[list[_T]], where: str) -> list[_T]:
        if not bytes(raw):
            return []
        try:
            return msgspec.json.decode(raw, type=kind)
        except BROKEN_JSON as reason:
            self._reading.broken(f"{self._position}.containers.{where}".lstrip("."), reason)
            return []

    def _one(self, raw: msgspec.Raw, where: str) -> str | None:
        if not bytes(raw):
            return None
        try:
            return msgspec.json.decode(raw, type=str | None)
        except BROKEN_JSON as reason:
            self._reading.broken(f"{self._position}.containers.{where}".lstrip("."), reason)
            return None


def _first_sentence(text: str) -> str:
    return text.strip().partition("\n")[0].partition(". ")[0]


def _product(entry: _Affected) -> Product | None:
    """Name what is affected: package URL (5.2), else collection and name, else repository, else vendor and product."""
    if entry.defaultStatus == "unaffected" and not any(version.status == "affected" for version in entry.versions):
        return None
    exact = _only_version(entry)
    stated = product_of_purl(entry.packageURL)
    if stated is None and entry.collectionURL:
        host = entry.collectionURL.partition("://")[2].partition("/")[0].lower()
        kind = next((_COLLECTIONS[label] for label in host[:300].split(".") if label in _COLLECTIONS), None)
        stated = purl_of(kind, entry.packageName or entry.product)
    if stated is not None and stated.purl is not None:
        return product_of_purl(f"{stated.purl}@{exact}") or stated if exact and stated.version is None else stated
    named = product_named(entry.vendor, entry.product or entry.packageName)
    if entry.repo and exact:
        try:
            return parse_target(f"{entry.repo.rstrip('/')}@{exact}")
        except Invalid:
            return named
    return named if named is not None and (named.model or "").lower() not in {"n/a", "na", "unknown"} else None


def _only_version(entry: _Affected) -> str | None:
    """The version, where the record says that exactly one is affected."""
    told = [version for version in entry.versions if version.status == "affected"]
    if len(told) != 1 or told[0].lessThan is not None or told[0].lessThanOrEqual is not None:
        return None
    version = told[0].version.strip()
    return version if version and len(version) <= 100 and not set(version) & set(" <>=*,@?#/%") and version.lower() != "n/a" else None


def _in_words(entry: _Affected) -> str:
    name = entry.packageURL or entry.packageName or " ".join(part for part in (entry.vendor, entry.product) if part) or "?"
    return f"{name[:300]}: {', '.join(_spans(entry.versions[:20]))}" if entry.versions else name[:300]


def _spans(versions: Iterable[_Version]) -> Iterator[str]:
    for stated in versions:
        bound = (
            f" to below {stated.lessThan[:80]}"
            if stated.lessThan
            else f" to {stated.lessThanOrEqual[:80]}"
            if stated.lessThanOrEqual
            else ""
        )
        yield f"{stated.status or 'affected'} {stated.version[:80]}{bound}"


def _locations(affected: list[_Affected]) -> tuple[Location, ...]:
    """`programFiles` and `programRoutines`: one of each belong together, more do not say which routine stands in which file."""
    found: dict[Location, None] = {}
    for entry in affected:
        files = [name for stated in entry.programFiles if (name := relative_name(stated))]
        routines = [routine.name[:1_000] for routine in entry.programRoutines if routine.name.strip()]
        if len(files) == 1:
            places = [Location(files[0], None, name) for name in routines] or [Location(files[0])]
        else:
            places = [*(Location(file) for file in files), *(Location(function=name) for name in routines)]
        found.update(dict.fromkeys(places[:MAX_LISTED]))
    return tuple(found)[:MAX_LISTED]


REPORT = ReportFormat(name="cve", title="CVE Record Format 5", why_not=why_not, read=read)
