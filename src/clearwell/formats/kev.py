# SPDX-License-Identifier: Apache-2.0
"""CISA's Known Exploited Vulnerabilities catalog in JSON, in the form before and since BOD 26-04."""

from datetime import date

import msgspec

from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.vulnerability import KnownExploited

MAX_BYTES = 64 * 1024 * 1024


class _Entry(msgspec.Struct):
    cveID: str
    vendorProject: str
    product: str
    vulnerabilityName: str
    dateAdded: date
    dueDate: date
    shortDescription: str = ""
    requiredAction: str = ""
    knownRansomwareCampaignUse: str = ""
    forensicTriage: str = ""
    notes: str = ""
    cwes: list[str] = []


class _Catalog(msgspec.Struct):
    catalogVersion: str
    vulnerabilities: list[_Entry]


def read(data: bytes) -> tuple[KnownExploited, ...]:
    """Read the catalog's entries, in its order. Due dates are CISA's assigned facts and stay as they are.

    The catalog's `count` is not checked: an excerpt keeps the whole catalog's. Raises Invalid naming the field that is wrong.
    """
    require_size(data, MAX_BYTES)
    try:
        catalog = msgspec.json.decode(as_utf8(data), type=_Catalog)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"this is not a KEV catalog: {reason}") from None
    return tuple(_entry(stated) for stated in catalog.vulnerabilities)


def _entry(stated: _Entry) -> KnownExploited:
    return KnownExploited(
        cve=stated.cveID.strip().upper(),
        vendor=stated.vendorProject,
        product=stated.product,
        name=stated.vulnerabilityName,
        date_added=stated.dateAdded,
        due_date=stated.dueDate,
        required_action=stated.requiredAction,
        summary=stated.shortDescription,
        ransomware_use={"known": True}.get(stated.knownRansomwareCampaignUse.strip().lower()),
        forensic_triage={"yes": True, "no": False}.get(stated.forensicTriage.strip().lower()),
        weaknesses=tuple(stated.cwes),
        notes=stated.notes,
    )
