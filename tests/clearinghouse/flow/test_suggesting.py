# SPDX-License-Identifier: Apache-2.0
"""Suggestions in the hub: alike reports meet in a queue, people join, undo and keep apart; the index stays bounded and tells nobody."""

import json

import pytest

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.dedupe.suggestion import SuggestionState
from clearwell.clearinghouse.flow import answering, coordinating, reporting, suggesting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import DEDUPE, PROVING, Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict, NotFound, Refused
from clearwell.vocabulary.ids import CaseId, FindingId
from hub import Hub


def one(component: str | None, title: str, text: str, line: int, weakness: str = "CWE-787", file: str = "src/frame.c") -> dict[str, object]:
    """A report that names file and line, no function: no exact rule joins two of them."""
    product = {"product": {"purl": component}} if component else {}
    return {"title": title, "text": text, "weakness": weakness, "locations": [{"file": file, "line": line}], **product}


def send(hub: Hub, lab: Member, *findings: dict[str, object]) -> tuple[FindingId, ...]:
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": findings}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    suggesting.sketch_batch(hub.house, sent.id, 0)
    return tuple(answered.finding.id for answered in reporting.read_answers(hub.house, lab, sent.id))


def case_of(hub: Hub, finding: FindingId) -> CaseId:
    with hub.house.transaction(PROVING) as tx:
        return report_store.load_finding(tx, finding).case


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


@pytest.fixture
def component(coordinator: Member) -> str:
    return f"pkg:generic/{coordinator.organization}@1"


def two_alike(hub: Hub, component: str | None) -> tuple[CaseId, CaseId]:
    """Two labs report one flaw in other words and at other lines."""
    labs = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    (first,) = send(hub, labs[0], one(component, "Length of a frame is not checked", "A long header overruns the buffer of read_frame.", 41))
    (second,) = send(hub, labs[1], one(component, "Heap overflow", "The frame header's length goes unchecked into the copy.", 58, "CWE-122"))
    return case_of(hub, first), case_of(hub, second)


def waiting(hub: Hub, coordinator: Member) -> list[frozenset[CaseId]]:
    return [frozenset(pair.suggestion.pair) for pair in suggesting.list_suggestions(hub.house, coordinator, limit=500)]


def test_two_reports_of_one_flaw_in_other_words_wait_for_a_person_with_their_signals(
    hub: Hub, coordinator: Member, component: str
) -> None:
    first, second = two_alike(hub, component)

    assert first != second
    pairs = [p for p in suggesting.list_suggestions(hub.house, coordinator) if set(p.suggestion.pair) == {first, second}]
    (pair,) = pairs
    assert pair.suggestion.state is SuggestionState.OPEN and 0 < pair.suggestion.score <= 1
    assert {"file", "line", "weakness"} <= {signal.signal for signal in pair.suggestion.signals}
    assert {pair.one.id, pair.other.id} == {first, second}


def test_accepted_undone_and_found_different_it_never_comes_again(hub: Hub, coordinator: Member, component: str) -> None:
    first, second = two_alike(hub, component)
    before = [coordinating.read_case(hub.house, coordinator, case).kept for case in (first, second)]

    into = suggesting.accept_suggestion(hub.house, coordinator, first, second)
    assert into == first and coordinating.read_case(hub.house, coordinator, second).kept.merged_into == first
    assert frozenset((first, second)) not in waiting(hub, coordinator)
    assert suggesting.list_decided(hub.house, coordinator)[0].suggestion.state is SuggestionState.ACCEPTED

    assert suggesting.undo_suggestion(hub.house, coordinator, first, second) == second
    assert [coordinating.read_case(hub.house, coordinator, case).kept for case in (first, second)] == before
    assert frozenset((first, second)) in waiting(hub, coordinator)

    suggesting.dismiss_suggestion(hub.house, coordinator, second, first, "one reads, the other writes")
    assert frozenset((first, second)) not in waiting(hub, coordinator)
    third = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), one(component, "Overflow", "frame header length unchecked", 50))[0])
    assert {third} == {case for pair in waiting(hub, coordinator) if pair & {first, second} for case in pair} - {first, second}
    for act in (suggesting.accept_suggestion, suggesting.undo_suggestion):
        with pytest.raises(Conflict):
            act(hub.house, coordinator, first, second)
