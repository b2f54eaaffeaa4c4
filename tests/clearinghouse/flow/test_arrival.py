# SPDX-License-Identifier: Apache-2.0
"""Arrival in a hub: whichever scan comes first and wherever its batches end, the same findings are one case."""

import json
import random
from collections.abc import Sequence

import pytest

from clearwell.clearinghouse.dedupe.cluster import cluster
from clearwell.clearinghouse.flow import answering, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.intake import batch
from clearwell.formats import read
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.vocabulary.product import Product
from hub import Hub

Name = tuple[int, int]
Scan = Sequence[dict[str, object]]


def result(chance: random.Random) -> dict[str, object]:
    """A finding with some of: a function, a mark of the tool's, a rule that stands several times in its file."""
    file, line, mark = chance.choice(["a.c", "b.c"]), chance.randrange(1, 90), chance.choice([None, "1a" * 16, "2b" * 16, "3c" * 16])
    function, weakness = chance.choice([None, None, "pump", "valve"]), chance.choice(["787", "89"])
    place: dict[str, object] = {"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}}
    if function is not None:
        place["logicalLocations"] = [{"fullyQualifiedName": function, "kind": "function"}]
    told = f"{file}:{line} {function} {weakness} {mark}"
    found: dict[str, object] = {
        "ruleId": chance.choice(["r1", "r2"]), "message": {"text": f"A length goes unchecked: {told}"}, "locations": [place],
        "properties": {"tags": [f"external/cwe/cwe-{weakness}"]},
    }  # fmt: skip
    return found if mark is None else {**found, "partialFingerprints": {"place/v1": mark}}


def sarif(tool: str, results: Scan) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": tool}}, "results": results}]}).encode()


def cases(hub: Hub, scans: Sequence[tuple[str, Scan]], order: Sequence[int], component: str) -> set[frozenset[Name]]:
    """Which findings are in one case, when the scans come in this order."""
    members: dict[str, set[Name]] = {}
    for number in order:
        lab = hub.member(OrganizationKind.LAB)
        envelope = Envelope(name="scan.sarif", target=Product(purl=component))
        sent = reporting.submit_report(hub.house, lab, [sarif(*scans[number])], envelope)
        answering.parse_submission(hub.house, sent.id)
        for answered in reporting.read_answers(hub.house, lab, sent.id):
            members.setdefault(answered.finding.case, set()).add((number, answered.finding.position))
    return set(map(frozenset, members.values()))


@pytest.mark.parametrize("seed", range(6))
def test_scans_make_the_same_cases_in_whatever_order_and_batches_they_come(hub: Hub, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    drawn = [(f"tool-{n % 2}", [result(chance) for _ in range(6)]) for n in range(4)]
    scans = [*drawn, drawn[0]]
    found = []

    for turn, size in enumerate((1, 2, 4, 1_000)):
        order = list(range(len(scans)))
        chance.shuffle(order)
        monkeypatch.setattr(batch, "SIZE", size)
        found.append(cases(hub, scans, order, f"pkg:generic/{hub.house.new_id('case')}-{turn}@1"))

    assert all(partition == found[0] for partition in found[1:])
    assert len(found[0]) < sum(len(results) for _, results in scans)


def both(findings: Sequence[tuple[str, str, int]]) -> bytes:
    """One document of two tools' runs: (tool, function, line) each."""
    runs = []
    for tool in dict.fromkeys(tool for tool, _, _ in findings):
        results = [
            {
                "ruleId": f"{tool}-1", "message": {"text": f"{tool} says that a length goes unchecked at {line}"},
                "locations": [{
                    "physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": line}},
                    "logicalLocations": [{"fullyQualifiedName": function, "kind": "function"}],
                }],
                "properties": {"tags": ["external/cwe/cwe-787"]},
            }
            for named, function, line in findings if named == tool
        ]  # fmt: skip
        runs.append({"tool": {"driver": {"name": tool}}, "results": results})
    return json.dumps({"version": "2.1.0", "runs": runs}).encode()


@pytest.mark.parametrize("size", [1, 1_000])
def test_two_tools_in_one_document_are_two_runs_in_the_hub_as_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(batch, "SIZE", size)
    raw = both([("glass", "pump", 3), ("glass", "valve", 9), ("glass", "valve", 12), ("sieve", "pump", 4), ("sieve", "valve", 9)])
    component = Product(purl=f"pkg:generic/{hub.house.new_id('case')}@1")
    lab = hub.member(OrganizationKind.LAB)

    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="both.sarif", target=component))
    answering.parse_submission(hub.house, sent.id)

    findings = read(raw, "both.sarif", component).findings
    members: dict[str, set[int]] = {}
    for row in cluster([("both.sarif", number, finding) for number, finding in enumerate(findings)]):
        members.setdefault(row.cluster, set()).add(row.index)
    made: dict[str, set[int]] = {}
    for answered in reporting.read_answers(hub.house, lab, sent.id):
        made.setdefault(answered.finding.case, set()).add(answered.finding.position)
    # One function twice by one tool is two flaws; nobody can say which of them the other tool means.
    assert sorted(map(sorted, made.values())) == sorted(map(sorted, members.values())) == [[0, 3], [1], [2], [4]]
