# SPDX-License-Identifier: Apache-2.0
"""GitHub security advisories as its APIs give them: global and repository advisories, Dependabot alerts, webhooks, lists, GraphQL."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.vocabulary.document import BROKEN_JSON, Document, Reading, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.records import has_keys, keys_of, read_parts, records
from clearwell.vocabulary.stated import (
    MAX_LISTED,
    MAX_TEXT,
    first_known,
    listed,
    number_of,
    product_named,
    purl_of,
    severity_of,
    stated_weaknesses,
    title_from,
    weaknesses_of,
)

_TYPES = {
    # GitHub's ecosystem (REST's words in lower case, GraphQL's in upper) -> type of the package URL
    "pip": "pypi",
    "npm": "npm",
    "maven": "maven",
    "go": "golang",
    "rust": "cargo",
    "composer": "composer",
    "nuget": "nuget",
    "rubygems": "gem",
    "actions": "githubactions",
    "erlang": "hex",
    "pub": "pub",
    "swift": "swift",
}
_WRAPPERS = ("security_advisory", "repository_advisory")
_LIVING = {"triage", "draft"}
_GRAPHQL = ("securityVulnerabilities", "securityAdvisories", "securityAdvisory", "vulnerabilityAlerts")
_MAX_DEPTH = 12
_MAX_OBJECTS = 1_000_000
"""Objects and lists of an answer: it is read whole, and each takes a hundred bytes of memory and more."""


class _Identifier(msgspec.Struct):
    type: str = ""
    value: str = ""


class _Package(msgspec.Struct):
    ecosystem: str | None = None
    name: str | None = None


class _Affected(msgspec.Struct):
    package: _Package | None = None
    vulnerable_version_range: str | None = None
    patched_versions: str | None = None
    first_patched_version: Any = None
    vulnerable_functions: list[str] | None = None


class _Cvss(msgspec.Struct):
    vector_string: str | None = None
    score: Any = None


class _Cwe(msgspec.Struct):
    cwe_id: str | None = None


class _Person(msgspec.Struct):
    login: str | None = None


class _Credit(msgspec.Struct):
    login: str | None = None
    user: _Person | None = None
    type: str | None = None


class _Advisory(msgspec.Struct):
    ghsa_id: str
    cve_id: str | None = None
    summary: str | None = None
    description: str | None = None
    severity: str | None = None
    state: str | None = None
    type: str | None = None
    identifiers: list[_Identifier] | None = None
    references: list[Any] | None = None
    html_url: str | None = None
    source_code_location: str | None = None
    withdrawn_at: str | None = None
    vulnerabilities: list[_Affected] | None = None
    cvss: _Cvss | None = None
    cvss_severities: dict[str, _Cvss | None] | None = None
    cwes: list[_Cwe] | None = None
    cwe_ids: list[str] | None = None
    credits: list[_Credit] | None = None
    credits_detailed: list[_Credit] | None = None


class _Wrapped(msgspec.Struct):
    """A Dependabot alert, or a webhook's body."""

    security_advisory: _Advisory | None = None
    repository_advisory: _Advisory | None = None
    security_vulnerability: _Affected | None = None
    state: str | None = None


class _Connection(msgspec.Struct):
    """GraphQL's lists: `nodes`, or `edges` with a `node` each."""

    nodes: list[Any] | None = None
    edges: list[Any] | None = None

    def members(self) -> list[Any]:
        return self.nodes or [edge.get("node") if isinstance(edge, dict) else None for edge in self.edges or ()]


_wrapped = msgspec.json.Decoder(_Wrapped)


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no GitHub advisories, or None when they are."""
    if data[:256].lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
        return "not JSON"
    if has_keys(data, "data") and any(f'"{key}"'.encode() in data for key in _GRAPHQL):
        return None
    if b'"ghsa_id"' not in data:
        return "no ghsa_id"
    found = any(has_keys(data, key) for key in ("ghsa_id", *_WRAPPERS))
    return None if found else "ghsa_id is no key of an advisory"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read an advisory, a list of them, Dependabot's alerts or a webhook's body; withdrawn and closed ones are left out."""
    reading = Reading("github-advisory")
    if has_keys(data, "data") and not has_keys(data, "ghsa_id"):
        return _read_graphql(data, reading, target)
    is_wrapped = "ghsa_id" not in keys_of(data)
    for position, raw in records(data, reading):
        try:
            wrapped = _wrapped.decode(raw) if is_wrapped else None
            advisory = (
                wrapped.security_advisory or wrapped.repository_advisory
                if wrapped is not None
                else read_parts(raw, _Advisory, position, reading)
            )
            if advisory is None:
                raise Invalid("there is no advisory in it")
        except (*BROKEN_JSON, Invalid) as reason:
            reading.broken(position, reason)
            continue
        ended = _ended(advisory, wrapped)
        if ended is not None:
            reading.leave_out(position, ended)
        else:
            reading.add(_finding(reading, advisory, wrapped, target))
    return reading.document("GitHub")


def _read_graphql(data: bytes, reading: Reading, target: Product | None) -> Document:
    """Read an answer of GraphQL: an advisory that it gives once for each package is one finding."""
    if data.count(b"{") + data.count(b"[") > _MAX_OBJECTS:
        raise Invalid(f"this answer holds more than {_MAX_OBJECTS:,} objects and lists: ask GitHub for fewer advisories at a time")
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for position, raw in records(data, reading):
        try:
            answer = msgspec.json.decode(raw)
        except BROKEN_JSON as reason:
            reading.broken(position, reason)
            continue
        if not isinstance(answer, dict | list):
            reading.broken(position, "this is no object")
            continue
        for where, node in _nodes(answer, position):
            advisory = _of_graphql(node)
            known = found.setdefault(str(advisory.get("ghsa_id") or where), (where, advisory))[1]
            if known is not advisory:
                known["vulnerabilities"] += advisory["vulnerabilities"]
    for where, made in found.values():
        if not reading.has_room():
            break
        try:
            read_one = msgspec.convert(made, _Advisory)
        except BROKEN_JSON as reason:
            reading.broken(where, reason)
            continue
        ended = _ended(read_one, None)
        if ended is not None:
            reading.leave_out(where, ended)
        else:
            reading.add(_finding(reading, read_one, None, target))
    return reading.document("GitHub")


def _nodes(value: Any, where: str, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what holds an advisory: an advisory itself, or a vulnerability or alert with one."""
    if isinstance(value, dict):
        if any(isinstance(value.get(key), dict) for key in ("advisory", "securityAdvisory")) or "ghsaId" in value:
            yield where, value
            return
        children = [(f".{key}", child) for key, child in value.items() if isinstance(child, dict | list)]
    else:
        children = [(f"[{number}]", child) for number, child in enumerate(value) if isinstance(child, dict | list)]
    if depth < _MAX_DEPTH:
        for place, child in children:
            yield from _nodes(child, f"{where}{place}".lstrip("."), depth + 1)


def _of_graphql(node: dict[str, Any]) -> dict[str, Any]:
    """An advisory in REST's names."""
    advisory = next((node[key] for key in ("advisory", "securityAdvisory") if isinstance(node.get(key), dict)), node)
    mine = node if isinstance(node.get("package"), dict) else node.get("securityVulnerability")
    affected = [mine] if isinstance(mine, dict) else _members(advisory.get("vulnerabilities"))
    identifiers = advisory.get("identifiers")
    named = identifiers if isinstance(identifiers, list) else []
    ghsa = next((one.get("value") for one in named if isinstance(one, dict) and one.get("type") == "GHSA"), None)
    cvss = advisory.get("cvss") if isinstance(advisory.get("cvss"), dict) else {}
    return {
        "ghsa_id": advisory.get("ghsaId") or ghsa,
        **{key: advisory.get(key) for key in ("summary", "description", "severity", "references")},
        "identifiers": named,
        "html_url": advisory.get("permalink"),
        "withdrawn_at": advisory.get("withdrawnAt"),
        "cwes": [{"cwe_id": cwe.get("cweId")} for cwe in _members(advisory.get("cwes")) if isinstance(cwe, dict)],
        "cvss": {"vector_string": cvss.get("vectorString"), "score": cvss.get("score")} if cvss else None,
        "vulnerabilities": [
            {
                "package": entry.get("package"),
                "vulnerable_version_range": entry.get("vulnerableVersionRange"),
                "first_patched_version": entry.get("firstPatchedVersion"),
            }
            for entry in affected
            if isinstance(entry, dict)
        ],
    }


def _members(value: Any) -> list[Any]:
    try:
        return msgspec.convert(value, _Connection).members()
    except msgspec.ValidationError:
        return []


def _ended(advisory: _Advisory, wrapped: _Wrapped | None) -> str | None:
    identity = advisory.ghsa_id[:40]
    if advisory.withdrawn_at:
        return f"{identity} was withdrawn on {advisory.withdrawn_at[:40]}"
    if advisory.state == "closed":
        return f"{identity} was closed"
    if wrapped is not None and wrapped.state in {"fixed", "dismissed", "auto_dismissed"}:
        return f"the alert of {identity} is {wrapped.state}"
    return None


def _finding(reading: Reading, advisory: _Advisory, wrapped: _Wrapped | None, target: Product | None) -> Finding:
    affected = (advisory.vulnerabilities or [])[:1_000]
    mine = wrapped.security_vulnerability if wrapped is not None else None
    stated = stated_weaknesses(
        [*(cwe.cwe_id for cwe in advisory.cwes or ()), *(advisory.cwe_ids or ())], "cwes" if advisory.cwes else "cwe_ids"
    )
    metrics = [metric for metric in [*(advisory.cvss_severities or {}).values(), advisory.cvss] if metric is not None]
    severity = severity_of([metric.vector_string for metric in metrics], None, advisory.severity)
    if severity is not None:
        chosen = next((m for m in metrics if m.vector_string and m.vector_string == severity.cvss), None)
        score = number_of(chosen.score) if chosen is not None else None
        severity = severity_of([severity.cvss], score or None, severity.level)
    return Finding(
        format="github-advisory",
        title=title_from(advisory.summary, advisory.description, advisory.ghsa_id),
        message=(advisory.description or advisory.summary or "")[:MAX_TEXT],
        product=first_known(*(_product(entry) for entry in ([mine] if mine else []) + affected)) or target,
        weaknesses=weaknesses_of(reading, stated, ("summary", advisory.summary or ""), ("description", advisory.description or "")),
        locations=_locations(affected),
        severity=severity,
        external_id=advisory.ghsa_id.strip()[:40] or None,
        aliases=listed([advisory.cve_id, *(i.value for i in advisory.identifiers or () if i.value != advisory.ghsa_id)], 200),
        affected=listed(map(_in_words, affected)),
        references=listed([*map(_address, advisory.references or ()), advisory.html_url, advisory.source_code_location]),
        credits=listed(map(_credited, advisory.credits_detailed or advisory.credits or ()), 200),
        remarks=(f"state: {advisory.state}",) if advisory.state in _LIVING else (),
    )


def _product(entry: _Affected) -> Product | None:
    package = entry.package
    if package is None or not package.name:
        return None
    exact = (entry.vulnerable_version_range or "").strip()
    version = exact.removeprefix("=").strip() if exact.startswith("=") and "," not in exact else None
    return purl_of(_TYPES.get((package.ecosystem or "").lower()), package.name, version) or product_named(package.ecosystem, package.name)


def _in_words(entry: _Affected) -> str:
    product = _product(entry)
    patched = entry.first_patched_version
    fixed = entry.patched_versions or (patched.get("identifier") if isinstance(patched, dict) else patched)
    name = (product.purl or product.name) if product is not None else "?"
    said = [entry.vulnerable_version_range or "", f"fixed in {fixed}" if isinstance(fixed, str) and fixed else ""]
    return f"{name}: {'; '.join(filter(None, said))}".rstrip(": ")


def _locations(affected: list[_Affected]) -> tuple[Location, ...]:
    places = [Location(function=name[:1_000]) for entry in affected for name in entry.vulnerable_functions or () if name.strip()]
    return tuple(dict.fromkeys(places))[:MAX_LISTED]


def _address(reference: Any) -> str | None:
    """REST gives addresses, webhooks objects with one."""
    found = reference.get("url") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else None


def _credited(credit: _Credit) -> str | None:
    login = credit.login or (credit.user.login if credit.user is not None else None)
    return f"{login} ({credit.type.lower()})" if login and credit.type else login


REPORT = ReportFormat(name="github-advisory", title="GitHub security advisory (REST and GraphQL)", why_not=why_not, read=read)
