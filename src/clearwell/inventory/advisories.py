# SPDX-License-Identifier: Apache-2.0
"""Advisories at hand: OSV and CSAF documents read from files, one per id, found by the component that they name."""

import gzip
import io
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from clearwell.formats import csaf, osv
from clearwell.inventory.matching import bare_names
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.document import as_utf8
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.vulnerability import Vulnerability

MAX_FILE = 1024 * 1024 * 1024
"""The most bytes of one advisory file, unpacked."""

# A folder of advisories holds these too; they are no advisories and no mistakes. Each is recognized by fields that it must have.
_COMPANIONS = (
    {"canonical_url", "metadata_version"},  # CSAF provider metadata
    {"aggregator", "aggregator_version"},  # CSAF aggregator
    {"feed"},  # ROLIE feed
    {"catalogVersion", "vulnerabilities"},  # KEV catalog
    {"payload", "payloadType", "signatures"},  # DSSE envelope beside a document
)


class AdvisoryDocument(msgspec.Struct, frozen=True):
    """One advisory as a file held it: an OSV record (one vulnerability) or a CSAF document (one or more)."""

    id: str
    modified: str
    format: str
    vulnerabilities: tuple[Vulnerability, ...]


def read_advisories(data: bytes, name: str) -> Iterator[AdvisoryDocument | Invalid]:
    """Yield the advisories of one file (`.json`, `.jsonl`, either with `.gz`), and an error for each that cannot be read.

    A JSON file holds a record, a list of records, or OSV's `{"vulns": [...]}`. An error's message begins with its place.
    """
    try:
        text = as_utf8(_unpacked(data))
    except Invalid as error:
        yield Invalid(f"{name}: {error}")
        return
    if name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        for number, line in enumerate(text.split(b"\n"), 1):
            if line.strip():
                yield from _read_part(line, f"{name}:{number}")
    else:
        yield from _read_part(text, name)


def _read_part(part: bytes, place: str) -> Iterator[AdvisoryDocument | Invalid]:
    try:
        stated = msgspec.json.decode(part, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
        if isinstance(stated, dict) and set(stated) == {"vulns"}:
            stated = msgspec.json.decode(stated["vulns"], type=list[msgspec.Raw])
        if isinstance(stated, list):
            for number, record in enumerate(stated):
                yield from _read_part(bytes(record), f"{place}[{number}]")
            return
        if not any(companion <= set(stated) for companion in _COMPANIONS):
            yield _read_csaf(part) if "document" in stated else _read_osv(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as reason:
        yield Invalid(f"{place}: {reason}")


def _read_osv(part: bytes) -> AdvisoryDocument:
    flaw = osv.read(part)
    return AdvisoryDocument(flaw.id, flaw.modified or "", "osv", (flaw,))


def _read_csaf(part: bytes) -> AdvisoryDocument:
    flaws = csaf.read(part)
    return AdvisoryDocument(flaws[0].id, flaws[0].modified or "", "csaf", flaws)


def _unpacked(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        if len(data) > MAX_FILE:
            raise Invalid(f"the file has more than {MAX_FILE:,} bytes")
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            text = packed.read(MAX_FILE + 1)
    except (OSError, EOFError, zlib.error) as reason:
        raise Invalid(f"the file cannot be unpacked: {reason}") from None
    if len(text) > MAX_FILE:
        raise Invalid(f"the file unpacks to more than {MAX_FILE:,} bytes")
    return text


def _age(document: AdvisoryDocument) -> tuple[datetime, bool]:
    """When it was last modified (unreadable times are the oldest), and whether it is an OSV record."""
    try:
        moment = datetime.fromisoformat(document.modified)
    except ValueError:
        moment = datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC), document.format == "osv"


class Advisories:
    """Advisories by the components that they name.

    Of several documents with one id the one modified last counts (OSV, "id, modified fields"); where a feed publishes one
    advisory as OSV and as CSAF at the same time, its OSV record does, which says more about versions.
    """

    def __init__(self) -> None:
        self._documents: dict[str, AdvisoryDocument] = {}
        self._by_component: dict[str, dict[str, None]] | None = None
        self._by_name: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, document: AdvisoryDocument) -> None:
        """Keep the document unless a later one of the same id is already here."""
        name = document.id.removeprefix("x_")
        known = self._documents.get(name)
        if known is None or _age(document) >= _age(known):
            self._documents[name] = document
            self._by_component = None

    def naming(self, component: Component) -> tuple[AdvisoryDocument, ...]:
        """Return the documents that may name the component, by id."""
        index = self._index()
        if component.purl is None:
            ids = set(self._by_name.get(component.name.lower(), ()))
        else:
            ids = {found for purl in (component.purl, *component.sources) for found in index.get(purl, ())}
        return tuple(self._documents[found] for found in sorted(ids))

    def _index(self) -> dict[str, dict[str, None]]:
        if self._by_component is None:
            self._by_component, self._by_name = {}, {}
            for key, document in self._documents.items():
                for component in {entry.component for flaw in document.vulnerabilities for entry in flaw.affected}:
                    self._by_component.setdefault(component, {})[key] = None
                    for name in bare_names(component):
                        self._by_name.setdefault(name, {})[key] = None
        return self._by_component
