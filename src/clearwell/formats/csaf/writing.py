# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0, written: a security advisory from our vocabulary (profile `csaf_security_advisory`, CSAF 4.4)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from packageurl import PackageURL

from clearwell.vocabulary.advisory import Advisory, Remediation
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.severity import cvss3_base_score, cvss3_rating
from clearwell.vocabulary.vulnerability import Affected, VersionRange, Vulnerability
from clearwell.vocabulary.weakness import NAMES

# CSAF 2.0 knows the labels of TLP 1.0 only. AMBER+STRICT becomes RED, the next stricter: a marking is never lowered.
_TLP = {Marking.CLEAR: "WHITE", Marking.GREEN: "GREEN", Marking.AMBER: "AMBER", Marking.AMBER_STRICT: "RED", Marking.RED: "RED"}


class Publisher(msgspec.Struct, frozen=True):
    """Who publishes (CSAF 3.2.1.8). `namespace` is the publisher's own URI; `category` coordinator, vendor, discoverer..."""

    name: str
    namespace: str
    category: str = "coordinator"
    contact_details: str | None = None
    issuing_authority: str | None = None


class Revision(msgspec.Struct, frozen=True):
    """One line of the revision history (CSAF 3.2.1.12.6)."""

    number: int
    date: datetime
    summary: str


def write(advisory: Advisory, publisher: Publisher, history: tuple[Revision, ...] = ()) -> bytes:
    """Write an advisory as a `csaf_security_advisory` (CSAF 4.4), as indented UTF-8 with a stable order of keys.

    `history` lists every revision from 1; it may be left out where the advisory itself holds the dates (always up to revision 2).
    Versions that are named one by one and ranges (as `vers`) are products of their own, so no product has two statuses.
    Raises Invalid when the history has gaps or does not end at the advisory's revision.
    """
    flaw = advisory.vulnerability
    products = _Products()
    for entry in flaw.affected:
        products.add(entry)
    document: dict[str, Any] = {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": advisory.title,
            "lang": "en",
            "publisher": {name: value for name, value in msgspec.structs.asdict(publisher).items() if value is not None},
            "distribution": {"tlp": {"label": _TLP[advisory.marking]}, "text": f"Shared under {advisory.marking} (TLP 2.0)."},
            "tracking": _tracking(advisory, history),
            "notes": [{"category": "summary", "title": "Summary", "text": flaw.summary or advisory.title}],
        },
        "product_tree": {"branches": products.branches} if products.branches else None,
        "vulnerabilities": [_vulnerability(advisory, products)],
    }
    if advisory.credits:
        document["document"]["acknowledgments"] = [{"names": [name]} for name in advisory.credits if name]
    if references := [{"category": "external", "summary": url, "url": url} for url in flaw.references if "://" in url]:
        document["document"]["references"] = references
    kept = {name: value for name, value in document.items() if value is not None}
    return msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tracking(advisory: Advisory, history: tuple[Revision, ...]) -> dict[str, Any]:
    if not history:
        dates = (*advisory.revised[: advisory.revision - 2], advisory.current_release) if advisory.revision > 1 else ()
        history = (Revision(1, advisory.initial_release, "Initial release."),)
        history += tuple(Revision(number, date, "Revised.") for number, date in enumerate(dates, 2))
    if [revision.number for revision in history] != list(range(1, advisory.revision + 1)):
        raise Invalid(f"the revision history must list every revision from 1 to {advisory.revision} (CSAF 6.1.21)")
    if [revision.date for revision in history] != sorted(revision.date for revision in history):
        raise Invalid("the dates of the revision history must rise with its numbers (CSAF 6.1.14)")
    return {
        "id": advisory.id.strip(),
        "status": "final",
        "version": str(advisory.revision),
        "initial_release_date": _time(advisory.initial_release),
        "current_release_date": _time(advisory.current_release),
        "revision_history": [
            {"number": str(revision.number), "date": _time(revision.date), "summary": revision.summary} for revision in history
        ],
        "generator": {"engine": {"name": "Clearwell"}},
    }


class _Products:
    """The product tree being written, and the status of each product in it."""

    def __init__(self) -> None:
        self.branches: list[dict[str, Any]] = []
        self.status: dict[str, list[str]] = {}
        self.fixes: list[str] = []
        self._count = 0

    def add(self, entry: Affected) -> None:
        """Add a component's versions and ranges as one branch. One that is no package (a vendor's model) has a name only."""
        purl = PackageURL.from_string(entry.component) if entry.component.startswith("pkg:") else None
        name = _name(purl) if purl else entry.component
        spelled = dict.fromkeys(_spelled(purl.type if purl else "generic", entry.ranges))
        children = [self._version_range(purl, name, stated, "known_affected") for stated in spelled]
        affected = dict.fromkeys(entry.versions)
        fixes = dict.fromkeys((*(stated.fixed for stated in entry.ranges if stated.fixed), *entry.fixed))
        for status, listed in (
            ("known_affected", affected),
            ("fixed", {fix: None for fix in fixes if fix not in affected}),
            ("known_not_affected", {version: None for version in entry.not_affected if version not in affected and version not in fixes}),
        ):
            children += [self._version(purl, name, version, status) for version in listed]
        self.fixes += [f"{name} {fix}" for fix in fixes if fix not in affected]
        if children:
            self.branches.append({"category": "product_name", "name": name, "branches": children})
        else:
            product = self._product(name, _versionless(purl), "under_investigation")
            self.branches.append({"category": "product_name", "name": name, "product": product})

    def _version(self, purl: PackageURL | None, name: str, version: str, status: str) -> dict[str, Any]:
        exact = purl._replace(version=version) if purl else None
        product = self._product(f"{name} {version}", exact, status)
        return {"category": "product_version", "name": version, "product": product}

    def _version_range(self, purl: PackageURL | None, name: str, stated: str, status: str) -> dict[str, Any]:
        product = self._product(f"{name} {stated}", _versionless(purl), status)
        return {"category": "product_version_range", "name": stated, "product": product}

    def _product(self, name: str, purl: PackageURL | None, status: str) -> dict[str, Any]:
        self._count += 1
        product_id = f"CSAFPID-{self._count:04d}"
        self.status.setdefault(status, []).append(product_id)
        helper = {"product_identification_helper": {"purl": purl.to_string()}} if purl else {}
        return {"name": name, "product_id": product_id, **helper}


def _name(purl: PackageURL) -> str:
    return f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name)


def _versionless(purl: PackageURL | None) -> PackageURL | None:
    return purl._replace(version=None) if purl else None


def _spelled(kind: str, ranges: tuple[VersionRange, ...]) -> Iterator[str]:
    """Spell ranges in `vers` (the version range specifier that CSAF 3.1.2.3.2 recommends)."""
    for stated in ranges:
        bounds = [
            (">=", stated.introduced if stated.introduced != "0" else None),
            ("<", stated.fixed),
            ("<=", stated.last_affected),
        ]
        spelled = "|".join(f"{sign}{quote(version, safe='.-_~+:')}" for sign, version in bounds if version is not None)
        yield f"vers:{kind}/{spelled or '*'}"


def _vulnerability(advisory: Advisory, products: _Products) -> dict[str, Any]:
    flaw = advisory.vulnerability
    names = [name for name in dict.fromkeys((flaw.id, *flaw.aliases)) if name and name != advisory.id]
    cve = next((name for name in names if re.fullmatch(r"CVE-[0-9]{4}-[0-9]{4,19}", name)), None)
    written: dict[str, Any] = {
        "title": advisory.title,
        "notes": [{"category": "description", "title": "Description", "text": flaw.details or flaw.summary or advisory.title}],
    }
    if cve is not None:
        written["cve"] = cve
    if others := [{"system_name": name.partition("-")[0], "text": name} for name in names if name != cve]:
        written["ids"] = others
    cwe = next((weakness for weakness in flaw.weaknesses if weakness in NAMES), None)
    if cwe is not None:
        written["cwe"] = {"id": cwe, "name": NAMES[cwe]}
    if unnamed := [weakness for weakness in flaw.weaknesses if weakness != cwe]:
        written["notes"].append({"category": "other", "title": "Further weaknesses", "text": ", ".join(unnamed)})
    if advisory.decision_points:
        said = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in advisory.decision_points)
        written["notes"].append({"category": "other", "title": "SSVC decision points", "text": said})
    if products.status:
        written["product_status"] = products.status
    concerned = products.status.get("known_affected", []) or products.status.get("under_investigation", [])
    if concerned:
        steps = advisory.remediations or _updates(products)
        if steps:
            written["remediations"] = [
                {"category": step.category, "details": step.details, "product_ids": concerned} for step in steps if step.details
            ]
        if scores := _scores(flaw, concerned):
            written["scores"] = scores
    return written


def _updates(products: _Products) -> tuple[Remediation, ...]:
    """What to do where nobody wrote it: the update that the ranges themselves name."""
    if not products.fixes:
        return ()
    return (Remediation("vendor_fix", f"Update to {' or '.join(dict.fromkeys(products.fixes))}, or later."),)


def _scores(flaw: Vulnerability, product_ids: list[str]) -> list[dict[str, Any]]:
    """CSAF 2.0 holds CVSS 2 and 3; of those the first vector of version 3 is written, its score computed (6.1.9)."""
    for kind, vector in flaw.severity:
        score = cvss3_base_score(vector) if kind == "CVSS_V3" else None
        if score is not None:
            rating = {"version": vector[5:8], "vectorString": vector, "baseScore": score, "baseSeverity": cvss3_rating(score)}
            return [{"products": product_ids, "cvss_v3": rating}]
    return []
