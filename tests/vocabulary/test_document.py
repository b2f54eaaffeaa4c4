# SPDX-License-Identifier: Apache-2.0
"""Documents: what is said about one that was cut off, whatever its format."""

import json

import pytest

from clearwell.formats import read
from clearwell.vocabulary.errors import Invalid

WHOLE = {
    "sarif": {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"ruleId": "a", "message": {"text": "m"}}]}]},
    "osv": {"schema_version": "1.7.0", "id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"name": "p"}}]},
    "clearwell-report": {"format": "clearwell-report", "version": 1, "tool": {"name": "t"}, "findings": [{"title": "x"}]},
    "csaf": {"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "x"}, "vulnerabilities": [{"title": "y"}]},
    "cyclonedx": {"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": [{"id": "CVE-2026-1"}]},
}


@pytest.mark.parametrize("form", WHOLE)
def test_a_json_report_that_ends_early_says_where_and_what_to_do(form: str) -> None:
    data = json.dumps(WHOLE[form], indent=1).encode()
    cut = data[: data.index(b"\n", len(data) - 40)]

    try:
        said = [str(problem) for problem in read(cut).problems]
    except Invalid as reason:
        said = [str(reason)]

    place = f"the JSON ends early, at byte {len(cut):,} in line {cut.count(10) + 1}: "
    assert any(place in one and "send it whole" in one for one in said), said
