# SPDX-License-Identifier: Apache-2.0
"""KEV: both forms of the catalog, dates kept as assigned."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clearwell.formats import kev
from clearwell.vocabulary.errors import Invalid

SCHEMA = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parents[3] / "shared")) / "data/schemas/kev-2026.json"
OLD = {
    "cveID": "CVE-2020-1111", "vendorProject": "Example", "product": "Thing", "vulnerabilityName": "Example Thing Overflow",
    "dateAdded": "2021-11-03", "shortDescription": "An overflow.", "requiredAction": "Apply updates.", "dueDate": "2021-05-03",
    "knownRansomwareCampaignUse": "Known", "notes": "", "cwes": ["CWE-787"],
}  # fmt: skip
NEW = {
    **{name: value for name, value in OLD.items() if name not in {"cwes", "notes"}},
    "cveID": "CVE-2026-2222", "knownRansomwareCampaignUse": "Unknown", "forensicTriage": "Yes",
}  # fmt: skip


def catalog(*entries: dict[str, Any]) -> bytes:
    return json.dumps(
        {"title": "t", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T00:00:00.0000Z", "count": 2, "vulnerabilities": entries}
    ).encode()


def test_the_samples_are_catalogs_by_the_schema() -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    if not SCHEMA.exists():
        pytest.skip("KEV's schema is not at hand: set CLEARWELL_SHARED to the folder that holds data/schemas")

    assert jsonschema_rs.is_valid(json.loads(SCHEMA.read_bytes()), json.loads(catalog(OLD, NEW)))


def test_both_forms_are_read_and_what_the_old_one_does_not_say_is_none() -> None:
    old, new = kev.read(catalog(OLD, NEW))

    assert (old.cve, old.ransomware_use, old.forensic_triage, old.weaknesses) == ("CVE-2020-1111", True, None, ("CWE-787",))
    assert (new.cve, new.ransomware_use, new.forensic_triage, new.weaknesses) == ("CVE-2026-2222", None, True, ())


def test_a_due_date_before_the_date_added_stays_as_assigned() -> None:
    (entry,) = kev.read(catalog(OLD))

    assert (entry.date_added, entry.due_date) == (date(2021, 11, 3), date(2021, 5, 3))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", catalog({"cveID": "CVE-1"}), catalog({**OLD, "dueDate": "soon"})], ids=range(5))
def test_what_is_no_catalog_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        kev.read(data)
