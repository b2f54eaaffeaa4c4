# SPDX-License-Identifier: Apache-2.0
"""Suggestions in the hub: alike reports meet in a queue, people join, undo and keep apart; the index stays bounded and tells nobody."""

import json
from itertools import pairwise

import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.dedupe.suggestion import MOST_POSTINGS, SuggestionState
from clearwell.clearinghouse.flow import answering, coordinating, reporting, sketching, suggesting
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, DEDUPE, PROVING, SANITY, Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict, Refused
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId
from clearwell.vocabulary.product import Product
from hub import Hub


def one(component: str | None, title: str, text: str, line: int, weakness: str = "CWE-787", file: str = "src/frame.c") -> dict[str, object]:
    """A report that names file and line, no function: no exact rule joins two of them."""
    product = {"product": {"purl": component}} if component else {}
    return {"title": title, "text": text, "weakness": weakness, "locations": [{"file": file, "line": line}], **product}


def send(hub: Hub, lab: Member, *findings: dict[str, object]) -> tuple[FindingId, ...]:
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": findings}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    sketching.sketch_batch(hub.house, sent.id, 0)
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
    (first,) = send(
        hub, labs[0], one(component, "Length of a frame is not checked", "A long header overruns the buffer of read_frame.", 41)
    )
    (second,) = send(
        hub, labs[1], one(component, "Heap overflow", "The frame header's length goes unchecked into the copy.", 58, "CWE-122")
    )
    return case_of(hub, first), case_of(hub, second)


def waiting(hub: Hub, coordinator: Member) -> list[frozenset[CaseId]]:
    return [frozenset(pair.suggestion.pair) for pair in suggesting.list_suggestions(hub.house, coordinator, limit=500).pairs]


def test_two_reports_of_one_flaw_in_other_words_wait_for_a_person_with_their_signals(hub: Hub, coordinator: Member, component: str) -> None:
    first, second = two_alike(hub, component)

    assert first != second
    pairs = [p for p in suggesting.list_suggestions(hub.house, coordinator).pairs if set(p.suggestion.pair) == {first, second}]
    (pair,) = pairs
    assert pair.suggestion.state is SuggestionState.OPEN and 0 < pair.suggestion.score <= 1
    assert {"file", "line", "weakness"} <= {signal.signal for signal in pair.suggestion.signals}
    assert {pair.one.id, pair.other.id} == {first, second}


def test_accepted_undone_and_found_different_it_never_comes_again(hub: Hub, coordinator: Member, component: str) -> None:
    first, second = two_alike(hub, component)
    before = [coordinating.read_case(hub.house, coordinator, case).kept for case in (first, second)]

    assert suggesting.accept_suggestion(hub.house, coordinator, first, second).cases == (first,)
    assert coordinating.read_case(hub.house, coordinator, second).kept.merged_into == first
    assert frozenset((first, second)) not in waiting(hub, coordinator)
    assert suggesting.list_decided(hub.house, coordinator)[0].suggestion.state is SuggestionState.ACCEPTED

    assert suggesting.undo_suggestion(hub.house, coordinator, first, second).cases == (second,)
    assert [coordinating.read_case(hub.house, coordinator, case).kept for case in (first, second)] == before
    assert frozenset((first, second)) in waiting(hub, coordinator)

    suggesting.dismiss_suggestion(hub.house, coordinator, second, first, "one reads, the other writes")
    assert frozenset((first, second)) not in waiting(hub, coordinator)
    third = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), one(component, "Overflow", "frame header length unchecked", 50))[0])
    assert {third} == {case for pair in waiting(hub, coordinator) if pair & {first, second} for case in pair} - {first, second}
    for act in (suggesting.accept_suggestion, suggesting.undo_suggestion):
        with pytest.raises(Conflict):
            act(hub.house, coordinator, first, second)


def test_a_batch_that_is_sketched_again_adds_nothing(hub: Hub, coordinator: Member, component: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    pages = [one(component, f"flaw {n}", f"words {n}", 10 * n, weakness) for n, weakness in enumerate(("CWE-787", "CWE-89", "CWE-79"), 1)]
    send(hub, lab, *pages)
    (sent, *_) = reporting.list_submissions(hub.house, lab)
    before = _index(hub)

    sketching.sketch_batch(hub.house, sent.id, 0)

    assert _index(hub) == before


def _index(hub: Hub) -> list[object]:
    with hub.house.transaction(DEDUPE) as tx:
        return [
            tx.rows("SELECT token, seen, numbers FROM clearwell.sketch_token ORDER BY token"),
            tx.rows("SELECT number, finding_id FROM clearwell.sketched ORDER BY number"),
            tx.rows("SELECT one_case, other_case, score, state FROM clearwell.suggestion ORDER BY one_case, other_case"),
        ]


def test_two_findings_of_one_batch_meet_too(hub: Hub, coordinator: Member, component: str) -> None:
    both = (
        one(component, "A length is unchecked", "it overruns", 10),
        one(component, "Another length is unchecked", "it overruns too", 30),
    )
    cases = [case_of(hub, finding) for finding in send(hub, hub.member(OrganizationKind.LAB), *both)]

    (pair,) = [p for p in suggesting.list_suggestions(hub.house, coordinator, limit=500).pairs if set(p.suggestion.pair) == set(cases)]

    assert "one run" in {signal.signal for signal in pair.suggestion.signals if signal.weight < 0}


def test_unknown_components_are_compared_within_one_organization_alone(hub: Hub, coordinator: Member) -> None:
    labs = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    cases = [
        case_of(hub, send(hub, lab, one(None, f"flaw {n}", "the header's length is never checked", 40 + 9 * n))[0])
        for n, lab in enumerate((labs[0], labs[0], labs[1]))
    ]

    found = [pair for pair in waiting(hub, coordinator) if pair & set(cases)]

    assert found == [frozenset(cases[:2])]


def test_what_a_rule_joined_or_refused_leaves_the_queue_and_what_is_split_comes_back(hub: Hub, coordinator: Member, component: str) -> None:
    first, second = two_alike(hub, component)
    third = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), one(component, "SQL", "a query", 5, "CWE-89", "src/query.c"))[0])
    coordinating.merge_cases(hub.house, coordinator, second, third, "one root cause, says the maintainer")
    assert frozenset((first, second)) not in waiting(hub, coordinator)

    with hub.house.transaction(CASE) as tx:
        came = store.came_from(tx, third, second)
    coordinating.split_case(hub.house, coordinator, third, came, "not that one")
    assert frozenset((first, second)) in waiting(hub, coordinator)
    with hub.house.transaction(SANITY) as tx:
        assert refuse(hub.house, tx, came[0], "there is no such file", SANITY)

    assert frozenset((first, second)) not in waiting(hub, coordinator)


def test_a_merge_on_the_case_page_settles_the_suggestion_and_what_went_on_is_not_undone_from_afar(
    hub: Hub, coordinator: Member, component: str
) -> None:
    first, second = two_alike(hub, component)
    third = case_of(hub, send(hub, hub.member(OrganizationKind.LAB), one(component, "SQL", "a query", 5, "CWE-89", "src/query.c"))[0])

    coordinating.merge_cases(hub.house, coordinator, second, first, "seen on the case page")
    assert {d.suggestion.state for d in suggesting.list_decided(hub.house, coordinator) if d.suggestion.one in (first, second)} == {
        SuggestionState.ACCEPTED
    }
    coordinating.merge_cases(hub.house, coordinator, first, third, "and that is the same as this")

    with pytest.raises(Conflict, match="joined further"):
        suggesting.undo_suggestion(hub.house, coordinator, first, second)


def test_a_token_that_too_many_reports_have_finds_nobody_but_is_counted(hub: Hub, coordinator: Member, component: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    crowd = [one(component, f"flaw {n:04} zq{n:04}", f"zw{n:04}", 1, "CWE-787", f"src/f{n}.c") for n in range(MOST_POSTINGS + 1)]
    send(hub, lab, *crowd)

    with hub.house.transaction(DEDUPE) as tx:
        rows = tx.rows("SELECT seen, numbers FROM clearwell.sketch_token WHERE seen > %(most)s", most=MOST_POSTINGS)
        most = tx.value("SELECT max(cardinality(numbers)) FROM clearwell.sketch_token")

    assert rows and all(row["numbers"] == [] for row in rows) and most <= MOST_POSTINGS


def test_finders_and_strangers_see_no_suggestion_and_no_index(hub: Hub, component: str) -> None:
    two_alike(hub, component)

    for kind in (OrganizationKind.LAB, OrganizationKind.MAINTAINER, OrganizationKind.OPERATOR, OrganizationKind.AUDITOR):
        member = hub.member(kind)
        with pytest.raises(Refused):
            suggesting.list_suggestions(hub.house, member)
        with hub.house.transaction(member) as tx:
            for table in ("suggestion", "sketched", "sketch_token"):
                assert tx.value(f"SELECT count(*) FROM clearwell.{table}") == 0


def forgotten_in_steps(hub: Hub) -> list[int]:
    """Run the steps that empty the index; how many rows it had before each, and behind the last."""
    left = [sum(len(rows) for rows in _index(hub)[:2])]  # type: ignore[arg-type, misc]
    while left[-1]:
        sketching.forget_sketches(hub.house)
        left.append(sum(len(rows) for rows in _index(hub)[:2]))  # type: ignore[arg-type, misc]
    sketching.forget_sketches(hub.house)
    return left


def test_what_comes_while_the_index_is_emptied_is_indexed_with_the_rest(hub: Hub, coordinator: Member, component: str) -> None:
    suggesting.recompute_suggestions(hub.house, coordinator)
    alike = two_alike(hub, component)
    assert frozenset(alike) not in waiting(hub, coordinator)

    hub.work()

    assert frozenset(alike) in waiting(hub, coordinator)
    assert hub.failed_jobs() == []


def test_the_index_is_made_anew_and_what_people_decided_stays(
    hub: Hub, coordinator: Member, component: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike, apart = two_alike(hub, component), two_alike(hub, f"{component}.2")
    suggesting.dismiss_suggestion(hub.house, coordinator, *apart, "they are two")
    before = waiting(hub, coordinator)
    assert frozenset(alike) in before
    index = len(_index(hub)[1])  # type: ignore[arg-type]

    monkeypatch.setattr(sketching, "_FORGOTTEN", 7)

    suggesting.recompute_suggestions(hub.house, coordinator)
    steps = forgotten_in_steps(hub)
    assert waiting(hub, coordinator) == [] and _index(hub)[:2] == [(), ()]
    assert len(steps) > 2 and all(before - after <= 2 * 7 for before, after in pairwise(steps))  # seven of each part
    hub.work()

    assert frozenset(alike) in waiting(hub, coordinator) and frozenset(apart) not in waiting(hub, coordinator)
    assert len(_index(hub)[1]) >= index  # type: ignore[arg-type]
    assert hub.failed_jobs() == []


def test_what_is_split_off_into_a_case_of_its_own_is_found_from_then_on(hub: Hub, coordinator: Member, component: str) -> None:
    place = {"locations": [{"file": "src/frame.c", "line": 41, "function": "read_frame"}]}
    labs = [hub.member(OrganizationKind.LAB) for _ in range(3)]
    sent = [send(hub, lab, {**one(component, f"said {n}", f"words {n}", 41), **place})[0] for n, lab in enumerate(labs[:2])]
    assert case_of(hub, sent[0]) == case_of(hub, sent[1])
    (own,) = coordinating.split_case(hub.house, coordinator, case_of(hub, sent[0]), (sent[1],), "another flaw").cases
    hub.work()

    (third,) = send(hub, labs[2], one(component, "Heap overflow", "a length that nobody checks", 60, "CWE-122"))

    assert frozenset((own, case_of(hub, third))) in waiting(hub, coordinator)
    assert frozenset((own, case_of(hub, sent[0]))) not in waiting(hub, coordinator)


def test_only_who_coordinates_has_it_made_anew(hub: Hub) -> None:
    with pytest.raises(Refused):
        suggesting.recompute_suggestions(hub.house, hub.member(OrganizationKind.LAB))


def test_a_function_renamed_under_the_tools_own_mark_is_suggested_by_that_mark(hub: Hub, coordinator: Member, component: str) -> None:
    """A place speaks before a mark (ADR 32), so no rule joins the two: the queue names both."""

    def scan(function: str, words: str) -> CaseId:
        place = {
            "physicalLocation": {"artifactLocation": {"uri": "src/a.c"}, "region": {"startLine": 7}},
            "logicalLocations": [{"fullyQualifiedName": function, "kind": "function"}],
        }
        told = {
            "ruleId": "bounds", "message": {"text": words}, "locations": [place], "partialFingerprints": {"place/v1": "6e" * 16},
            "properties": {"tags": ["external/cwe/cwe-787"]},
        }  # fmt: skip
        raw = json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "sieve"}}, "results": [told]}]}).encode()
        envelope = Envelope(name="scan.sarif", target=Product(purl=component))
        sent = reporting.submit_report(hub.house, hub.member(OrganizationKind.LAB), [raw], envelope)
        answering.parse_submission(hub.house, sent.id)
        sketching.sketch_batch(hub.house, sent.id, 0)
        return case_of(hub, sent_finding(hub, sent.id))

    before, after = scan("fill", "a length goes unchecked"), scan("fill_pump", "the size is never looked at")

    assert before != after
    (pair,) = [p for p in suggesting.list_suggestions(hub.house, coordinator, limit=500).pairs if set(p.suggestion.pair) == {before, after}]
    assert "mark" in {signal.signal for signal in pair.suggestion.signals if signal.weight > 0}


def sent_finding(hub: Hub, submission: SubmissionId) -> FindingId:
    with hub.house.transaction(DEDUPE) as tx:
        return FindingId(str(tx.value("SELECT id FROM clearwell.finding WHERE submission_id = %(id)s", id=submission)))
