# SPDX-License-Identifier: Apache-2.0
"""OSV 1.7 (Open Source Vulnerability format, OpenSSF): records read as vulnerabilities or as a report, advisories written as records."""

import re
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from packageurl import PackageURL

from clearwell.vocabulary.advisory import Advisory
from clearwell.vocabulary.component import canonical_purl, distribution_release, identify
from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin
from clearwell.vocabulary.product import Product, parse_purl, parse_target, registry_of
from clearwell.vocabulary.records import has_keys, read_parts, records
from clearwell.vocabulary.stated import MAX_TEXT, first_known, listed, severity_of, stated_weaknesses, title_from, weaknesses_of
from clearwell.vocabulary.vulnerability import Affected, Timeline, Turn, VersionRange, Vulnerability

SCHEMA_VERSION = "1.7.5"
MAX_RECORD = 32 * 1024 * 1024
"""The largest single record that is read, in bytes."""

# OSV's ecosystem -> type and namespace of the package URL. Ecosystems that are not here are read by the record's own purl.
_ECOSYSTEMS = {
    "PyPI": ("pypi", None),
    "npm": ("npm", None),
    "Go": ("golang", None),
    "crates.io": ("cargo", None),
    "Maven": ("maven", None),
    "RubyGems": ("gem", None),
    "NuGet": ("nuget", None),
    "Packagist": ("composer", None),
    "Hex": ("hex", None),
    "Pub": ("pub", None),
    "SwiftURL": ("swift", None),
    "GitHub Actions": ("githubactions", None),
    "CRAN": ("cran", None),
    "Hackage": ("hackage", None),
    "ConanCenter": ("conan", None),
    "Debian": ("deb", "debian"),
    "Ubuntu": ("deb", "ubuntu"),
    "Alpine": ("apk", "alpine"),
    "Wolfi": ("apk", "wolfi"),
    "Chainguard": ("apk", "chainguard"),
    "Red Hat": ("rpm", "redhat"),
    "Rocky Linux": ("rpm", "rocky-linux"),
    "AlmaLinux": ("rpm", "almalinux"),
    "SUSE": ("rpm", "suse"),
    "openSUSE": ("rpm", "opensuse"),
    "Mageia": ("rpm", "mageia"),
    "openEuler": ("rpm", "openeuler"),
    "Photon OS": ("rpm", "photon"),
}
_ECOSYSTEM_OF = {pair: ecosystem for ecosystem, pair in _ECOSYSTEMS.items()}
_SEMVER_TYPES = {"npm", "cargo", "golang", "hex", "pub", "swift"}
_SEMVER = re.compile(r"0|[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_PREFIXES = re.compile(
    r"(?:x_|(?:ASB-A|PUB-A|ALPINE|ALSA|ALBA|ALEA|AZL|BELL|BIT|CGA|CLEANSTART|CLSA|CURL|CVE|DEBIAN|DHI|DRUPAL|DSA|DLA|ELA|DTSA|ECHO"
    r"|EEF|FreeBSD|GHSA|GO|GSD|HSEC|JLSEC|KUBE|LBSEC|LSN|MAL|MINI|MGASA|OESA|OSEC|OSV|openSUSE-SU|PHSA|PSF|PYSEC|RHBA|RHEA|RHSA"
    r"|RLSA|RXSA|RSEC|ROOT|RUSTSEC|SUSE-[SRFO]U|UBUNTU|USN|V8)-)"
)


class _Package(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""
    purl: str | None = None


class _Event(msgspec.Struct):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(msgspec.Struct):
    type: str
    events: list[_Event] = []


class _Affected(msgspec.Struct):
    package: _Package | None = None
    versions: list[str] | None = None
    ranges: list[_Range] | None = None


class _Severity(msgspec.Struct):
    type: str = ""
    score: str = ""


class _Reference(msgspec.Struct):
    url: str = ""


class _Record(msgspec.Struct):
    id: str
    modified: str
    published: str | None = None
    withdrawn: str | None = None
    aliases: list[str] | None = None
    summary: str | None = None
    details: str | None = None
    severity: list[_Severity] | None = None
    affected: list[_Affected] | None = None
    references: list[_Reference] | None = None
    database_specific: msgspec.Raw = msgspec.Raw()


_DECODER = msgspec.json.Decoder(_Record)


def read(data: bytes) -> Vulnerability:
    """Read one OSV record (any 1.x). Affected entries that name no package are left out: they can meet no inventory.

    Raises Invalid naming the field that is missing or wrong.
    """
    if len(data) > MAX_RECORD:
        raise Invalid(f"this OSV record has {len(data):,} bytes; at most {MAX_RECORD:,} are read")
    try:
        record = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"this is not an OSV record: {reason}") from None
    if not record.id or len(record.id) > 200:
        raise Invalid("this OSV record has no id of 1 to 200 characters")
    return Vulnerability(
        id=record.id,
        aliases=tuple(record.aliases or ()),
        summary=record.summary or "",
        details=record.details or "",
        weaknesses=_weaknesses(record.database_specific),
        affected=tuple(found for entry in record.affected or () if (found := _read_affected(entry)) is not None),
        published=record.published,
        modified=record.modified,
        withdrawn=record.withdrawn,
        severity=tuple((severity.type, severity.score) for severity in record.severity or () if severity.score),
        references=tuple(reference.url for reference in record.references or () if reference.url),
    )


def _weaknesses(specific: msgspec.Raw) -> tuple[str, ...]:
    """Read the CWEs that `database_specific` keeps under a key of that name.

    GitHub's and our own records have `cwe_ids`, curl's `CWE: {"id": ...}`, others `cwes: [{"cweId": ...}]` or `cwe: "CWE-79"`.
    """
    try:
        stated = msgspec.json.decode(specific) if bytes(specific) else None
    except (msgspec.DecodeError, RecursionError):
        return ()
    found: list[str] = []
    for key, value in list(stated.items())[:200] if isinstance(stated, dict) else ():
        if "cwe" in key.lower():
            found += _cwe_texts(value)
    return tuple(dict.fromkeys(found))


def _cwe_texts(value: Any) -> list[str]:
    several = value[:50] if isinstance(value, list) else [value]
    told = [one.get("id") or one.get("cweId") or one.get("cwe_id") if isinstance(one, dict) else one for one in several]
    return [text for text in told if isinstance(text, str)]


def _read_affected(entry: _Affected) -> Affected | None:
    if entry.package is None:
        return None
    component = _component(entry.package)
    if component is None:
        return None
    kind, namespace = component.removeprefix("pkg:").split("/")[:2]
    suffix = entry.package.ecosystem.partition(":")[2]
    return Affected(
        component=component,
        versions=tuple(entry.versions or ()),
        timelines=tuple(_timeline(stated) for stated in entry.ranges or ()),
        release=distribution_release(f"{kind}/{namespace}", suffix) if kind in {"deb", "apk", "rpm"} else None,
    )


def _component(package: _Package) -> str | None:
    """The record's ecosystem and name decide, since OSV requires them; its purl does where the ecosystem has no type known here."""
    try:
        kind, namespace = _ECOSYSTEMS.get(package.ecosystem.partition(":")[0], (None, None))
        if kind is None or not package.name:
            return identify(package.purl).purl if package.purl else None
        name = package.name
        if kind == "maven":
            namespace, _, name = name.rpartition(":")
        elif kind in {"npm", "composer", "golang", "swift", "githubactions"}:
            namespace, _, name = name.rpartition("/")
        return canonical_purl(kind, namespace or None, name)
    except Invalid:
        return None


def _timeline(stated: _Range) -> Timeline:
    """Types that OSV 1.7 does not know (UNSPECIFIED in old records) order versions no more than commits do."""
    known: dict[str, Literal["SEMVER", "ECOSYSTEM"]] = {"SEMVER": "SEMVER", "ECOSYSTEM": "ECOSYSTEM"}
    return Timeline(known.get(stated.type, "GIT"), _turns(stated.events))


def _turns(events: list[_Event]) -> tuple[Turn, ...]:
    """Each event names one kind; records from before that rule name two, which reads as one after the other."""
    found = []
    for event in events:
        if event.introduced is not None:
            found.append(Turn("introduced", event.introduced))
        if event.fixed is not None:
            found.append(Turn("fixed", event.fixed))
        if event.last_affected is not None:
            found.append(Turn("last_affected", event.last_affected))
        if event.limit is not None:
            found.append(Turn("limit", event.limit))
    return tuple(found)


def osv_id(tracking_id: str) -> str:
    """Return an id that OSV 1.7.5 allows: one with a registered database's prefix as it is, any other behind `x_`.

    The schema lists the registered prefixes and leaves `x_` to databases that are not, as Clearwell is:
    `CLEARWELL-2026-0001` is written as `x_CLEARWELL-2026-0001`.
    """
    return tracking_id if _PREFIXES.match(tracking_id) else f"x_{tracking_id}"


def write(advisory: Advisory) -> bytes:
    """Write an advisory as an OSV record, valid by the schema of 1.7.5, as indented UTF-8 with a stable order of keys.

    What OSV has no field for (revision, marking, remediations that are no version, SSVC's decision points) goes to `database_specific`.
    """
    flaw = advisory.vulnerability
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "id": osv_id(advisory.id),
        "modified": _timestamp(advisory.current_release),
        "published": _timestamp(advisory.initial_release),
        "withdrawn": flaw.withdrawn,
        "aliases": list(dict.fromkeys(name for name in (flaw.id, *flaw.aliases) if name and name != advisory.id)),
        "summary": advisory.title,
        "details": flaw.details or flaw.summary,
        "severity": [{"type": kind, "score": score} for kind, score in flaw.severity if kind.startswith("CVSS_V") or kind == "Ubuntu"],
        "affected": [_write_affected(entry) for entry in flaw.affected],
        "references": [{"type": "WEB", "url": url} for url in flaw.references if "://" in url],
        "credits": [{"name": name} for name in advisory.credits],
        "database_specific": {
            "clearwell_id": advisory.id,
            "revision": advisory.revision,
            "tlp": str(advisory.marking),
            "is_minimal": advisory.is_minimal,
            "cwe_ids": list(flaw.weaknesses),
            "remediations": [{"category": step.category, "details": step.details} for step in advisory.remediations],
            **({"ssvc": dict(advisory.decision_points)} if advisory.decision_points else {}),
        },
    }
    kept = {name: value for name, value in record.items() if value not in (None, [], "")}
    return msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_affected(entry: Affected) -> dict[str, Any]:
    parsed = PackageURL.from_string(entry.component) if entry.component.startswith("pkg:") else None
    package = _package(parsed, entry) if parsed else None
    ranges = [_write_range(parsed.type if parsed else "generic", stated) for stated in entry.ranges]
    ranges += [_write_timeline(stated) for stated in entry.timelines if stated.type != "GIT"]
    named = {"purl" if parsed else "component": entry.component}
    written: dict[str, Any] = {"package": package} if package else {"database_specific": named}
    if ranges:
        written["ranges"] = ranges
    if entry.versions:
        written["versions"] = list(entry.versions)
    return written


def _package(parsed: PackageURL, entry: Affected) -> dict[str, str] | None:
    """Name the package as its ecosystem does; None when OSV's schema has no name for the ecosystem."""
    system = _ECOSYSTEM_OF.get((parsed.type, parsed.namespace)) or _ECOSYSTEM_OF.get((parsed.type, None))
    if system is None or registry_of(entry.component) is not None:  # in another registry the name is another package's
        return None
    name = str(parsed.name)
    if (parsed.type, None) in _ECOSYSTEM_OF and parsed.namespace:
        name = f"{parsed.namespace}{':' if parsed.type == 'maven' else '/'}{name}"
    release = f":{'v' if system == 'Alpine' else ''}{entry.release}" if entry.release else ""
    return {"ecosystem": system + release, "name": name, "purl": entry.component}


def _write_range(kind: str, stated: VersionRange) -> dict[str, Any]:
    """Write a range as its own timeline, since OSV forbids `fixed` and `last_affected` in one."""
    bounds = [("introduced", stated.introduced or "0"), ("fixed", stated.fixed), ("last_affected", stated.last_affected)]
    told = [(name, version) for name, version in bounds if version is not None]
    if kind in _SEMVER_TYPES:
        told = [(name, version.removeprefix("v")) for name, version in told]
    exact = kind in _SEMVER_TYPES and all(_SEMVER.fullmatch(version) for _, version in told)
    return {"type": "SEMVER" if exact else "ECOSYSTEM", "events": [{name: version} for name, version in told]}


def _write_timeline(stated: Timeline) -> dict[str, Any]:
    return {"type": stated.type, "events": [{turn.kind: turn.version} for turn in stated.turns]}


# Records sent as a report --------------------------------------------------------------------------------------------------


class _Credit(msgspec.Struct):
    name: str = ""
    type: str = ""


class _Told(_Record):
    """A record with what only a report needs."""

    related: list[str] | None = None
    upstream: list[str] | None = None
    credits: list[_Credit] | None = None


class _GitRange(_Range):
    repo: str | None = None


class _ReportedAffected(_Affected):
    database_specific: msgspec.Raw = msgspec.Raw()
    ranges: list[_GitRange] | None = None  # type: ignore[assignment]  # a list of a subclass: the struct is read only
    severity: list[_Severity] | None = None
    ecosystem_specific: msgspec.Raw = msgspec.Raw()


class _Reported(_Told):
    affected: list[_ReportedAffected] | None = None  # type: ignore[assignment]  # as above


_LIST = "vulns"


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no OSV records, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return "not JSON"
    if has_keys(data, "id", "modified") and not has_keys(data, "ghsa_id"):
        told = (("affected",), ("schema_version",), ("details",), ("summary",), ("withdrawn",))
        return None if any(has_keys(data, *keys) for keys in told) else "nothing but an id and a date"
    return None if has_keys(data, _LIST) else "no id and modified"


def read_report(data: bytes, name: str, target: Product | None) -> Document:
    """Read a record, a list, `{"vulns": [...]}` or one record a line: a finding for each that is not withdrawn."""
    reading = Reading("osv")
    for position, raw in records(data, reading, _LIST):
        try:
            record = read_parts(raw, _Reported, position, reading)
        except BROKEN_JSON as reason:
            reading.broken(position, reason)
            continue
        if not record.id.strip():
            reading.broken(position, "this record has no id")
        elif record.withdrawn:
            reading.leave_out(position, f"{record.id[:80]} was withdrawn on {record.withdrawn[:40]}")
        else:
            reading.add(_finding(reading, record, target))
    return reading.document("OSV")


def _finding(reading: Reading, record: _Reported, target: Product | None) -> Finding:
    affected = record.affected or []
    stated = stated_weaknesses(_weaknesses(record.database_specific), "database_specific.cwe_ids") or stated_weaknesses(
        (cwe for entry in affected[:100] for cwe in _weaknesses(entry.database_specific)), "affected.database_specific"
    )
    texts = (("summary", record.summary or ""), ("details", record.details or ""))
    severities = [*(record.severity or ()), *(severity for entry in affected for severity in entry.severity or ())]
    return Finding(
        format="osv",
        title=title_from(record.summary, record.details, record.id),
        message=(record.details or record.summary or "")[:MAX_TEXT],
        product=first_known(*(_product(entry) for entry in affected[:1_000])) or target,
        weaknesses=weaknesses_of(reading, stated, *texts) if stated or not _is_collection(record) else (),
        locations=_locations(affected),
        severity=severity_of((stated.score for stated in severities), None, _level(record.database_specific)),
        origin=Origin(tool=next((credit.name[:200] for credit in record.credits or () if credit.type == "TOOL" and credit.name), None)),
        external_id=record.id.strip()[:200],
        aliases=listed((name for name in (*(record.aliases or ()), *(record.upstream or ())) if name != record.id), 200),
        affected=listed(_affected_in_words(entry) for entry in affected[:1_000]),
        references=listed(reference.url for reference in record.references or ()),
        credits=listed((f"{c.name} ({c.type.lower()})" if c.type else c.name for c in record.credits or ()), 200),
    )


def _is_collection(record: _Reported) -> bool:
    """True for a distribution's update that answers several flaws at once: words about one of them say nothing of the record."""
    names = (*(record.aliases or ()), *(record.upstream or ()), *(record.related or ()))
    return len({name for name in names if name.startswith("CVE-")}) > 1


def _product(entry: _ReportedAffected) -> Product | None:
    """The package, with the version where exactly one is listed; else the repository of a GIT range, which has no one commit."""
    component = _component(entry.package) if entry.package is not None else None
    if component is not None:
        version = entry.versions[0] if entry.versions and len(entry.versions) == 1 and not entry.ranges else None
        purl = PackageURL.from_string(component)
        try:
            return parse_purl(PackageURL(purl.type, purl.namespace, purl.name, version).to_string())
        except (Invalid, ValueError):
            return None
    for stated in entry.ranges or ():
        first = next((event.introduced for event in stated.events if event.introduced), None)
        if stated.type == "GIT" and stated.repo:
            try:
                return parse_target(f"{stated.repo.rstrip('/')}@{first}")
            except Invalid:
                return Product(repository=re.sub(r"^[a-z+]+://", "", stated.repo[:400]).removesuffix(".git"))
    return None


def _affected_in_words(entry: _ReportedAffected) -> str:
    package = entry.package or _Package()
    name = _component(package) or f"{package.ecosystem} {package.name}".strip() or "?"
    spans = [
        " ".join(f"{kind} {version[:80]}" for event in stated.events[:20] for kind, version in _told(event))
        for stated in entry.ranges or ()
    ]
    versions = ", ".join(version[:80] for version in (entry.versions or ())[:20])
    more = f" and {len(entry.versions) - 20:,} more" if entry.versions and len(entry.versions) > 20 else ""
    said = "; ".join([*filter(None, spans[:10]), *([f"versions {versions}{more}"] if versions else [])])
    return f"{name}: {said}" if said else name


def _told(event: _Event) -> list[tuple[str, str]]:
    return [(turn.kind, turn.version) for turn in _turns([event])]


def _locations(affected: list[_ReportedAffected]) -> tuple[Location, ...]:
    """Functions that Go's, Rust's and PyPI's databases name in `ecosystem_specific`."""
    found: dict[Location, None] = {}
    for entry in affected[:100]:
        try:
            specific = msgspec.json.decode(entry.ecosystem_specific) if bytes(entry.ecosystem_specific) else None
        except BROKEN_JSON:
            continue
        for file, symbol in _symbols(specific) if isinstance(specific, dict) else ():
            if symbol and len(found) < 50:
                found[Location(file=file, function=symbol[:1_000])] = None
    return tuple(found)


def _symbols(specific: dict[str, Any]) -> list[tuple[str | None, str]]:
    imports, functions = specific.get("imports"), specific.get("functions") or specific.get("affected_functions")
    if isinstance(specific.get("affects"), dict):
        functions = specific["affects"].get("functions")
    found: list[tuple[str | None, str]] = [(None, name) for name in functions or () if isinstance(name, str)] if _is_list(functions) else []
    for entry in imports if isinstance(imports, list) else ():
        symbols = entry.get("symbols") if isinstance(entry, dict) else None
        found += [(None, name) for name in symbols or () if isinstance(name, str)] if _is_list(symbols) else []
    return found


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _level(specific: msgspec.Raw) -> str | None:
    try:
        stated = msgspec.json.decode(specific) if bytes(specific) else None
    except BROKEN_JSON:
        return None
    level = stated.get("severity") if isinstance(stated, dict) else None
    return level if isinstance(level, str) else None


REPORT = ReportFormat(name="osv", title="OSV 1.7", why_not=why_not, read=read_report)
