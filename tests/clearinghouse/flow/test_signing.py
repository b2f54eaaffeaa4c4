# SPDX-License-Identifier: Apache-2.0
"""Signing anew: the same rules change nothing, a changed rule is followed by what is stored, and nothing is joined or parted by it."""

import json
from uuid import UUID

import pytest

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.dedupe import signature
from clearwell.clearinghouse.dedupe.signature import VERSIONS
from clearwell.clearinghouse.flow import answering, coordinating, reporting, signing
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import DEDUPE, INTAKE, SANITY, Member, OrganizationKind
from clearwell.vocabulary.errors import Refused
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell
from hub import Hub

Rows = list[tuple[object, ...]]


def one(title: str, function: str = "pump", weakness: str = "CWE-787", **more: object) -> dict[str, object]:
    place = {"file": "src/frame.c", "line": 3, "function": function}
    said = f"{title}: a report of its own words, long enough to be told from every other report that was ever sent about this component"
    return {"title": title, "text": said, "weakness": weakness, "product": {"purl": "pkg:generic/acme@1"}, "locations": [place], **more}


def send(hub: Hub, lab: Member, *findings: dict[str, object]) -> tuple[FindingId, ...]:
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": findings}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    return tuple(answered.finding.id for answered in reporting.read_answers(hub.house, lab, sent.id))


def case_of(hub: Hub, finding: FindingId) -> CaseId:
    with hub.house.transaction(DEDUPE) as tx:
        return report_store.load_finding(tx, finding).case


def stored(hub: Hub) -> tuple[Rows, Rows]:
    """All that is stored of signatures, in no order but that of its words."""
    with hub.house.transaction(INTAKE) as tx:
        sets = tx.rows(
            """
            SELECT s.finding, s.in_case, s.submission, s.refused, s.is_proven, s.product_version,
                   (SELECT array_agg(ROW(k.kind, k.rule_version, k.is_bound, k.key)::text ORDER BY k.kind, k.key)
                    FROM clearwell.stated_signatures(s.stated) k) AS told
            FROM clearwell.signature_set s ORDER BY 1, 5
            """
        )
        heads = tx.rows("SELECT finding, kind, refused, is_proven, key FROM clearwell.signature_head ORDER BY key, finding, is_proven")
    return [tuple(row.values()) for row in sets], [tuple(row.values()) for row in heads]


def story(hub: Hub, lab: Member, other: Member, coordinator: Member) -> tuple[FindingId, ...]:
    """Reports alone, joined, repeated in a run, with a proof, refused, merged and split."""
    first = send(hub, lab, one("out of bounds"), one("injection", "ask", "CWE-89"), one("a rule", "x"), one("a rule", "y"))
    joined = send(hub, other, one("the same in other words"), {**one("with a proof", "prove"), "proof": {"files": {"proof.toml": "x = 1"}}})
    unplaced = send(hub, lab, {"title": "words alone", "text": "too few"})
    (refused,) = send(hub, lab, one("a lie", "nowhere"))
    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, refused, "there is no such file", SANITY)
    coordinating.merge_cases(hub.house, coordinator, case_of(hub, first[2]), case_of(hub, first[1]), "alike")
    coordinating.split_case(hub.house, coordinator, case_of(hub, first[0]), [joined[0]], "another flaw")
    return (*first, *joined, *unplaced, refused)


def told(hub: Hub) -> list[tuple[str, dict[str, object]]]:
    """What the ledger says of signing anew: type and body."""
    with hub.house.transaction(INTAKE) as tx:
        rows = tx.rows("SELECT type, body FROM clearwell.ledger_entry WHERE type LIKE '%%sign%%' ORDER BY id")
    return [(row["type"], json.loads(bytes(row["body"]))["payload"]) for row in rows]


def again(hub: Hub, coordinator: Member) -> None:
    """Have it done, and do each step that was deferred, but no other job."""
    signing.recompute_signatures(hub.house, coordinator)
    step: SubmissionId | None = SubmissionId(spell("sub", UUID(int=0)))
    while step is not None:
        signing.sign_again(hub.house, step)
        with hub.house.transaction(INTAKE) as tx:
            step = report_store.next_parsed(tx, step)


def test_the_same_rules_change_nothing(hub: Hub) -> None:
    lab, other, coordinator = (hub.member(kind) for kind in (OrganizationKind.LAB, OrganizationKind.LAB, OrganizationKind.COORDINATOR))
    story(hub, lab, other, coordinator)
    before = stored(hub)

    again(hub, coordinator)

    assert stored(hub) == before
    assert [type for type, _ in told(hub)] == ["signatures.recomputed"]


def test_a_changed_rule_is_followed_and_changed_back(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, other, coordinator = (hub.member(kind) for kind in (OrganizationKind.LAB, OrganizationKind.LAB, OrganizationKind.COORDINATOR))
    reports = story(hub, lab, other, coordinator)
    before, homes = stored(hub), [case_of(hub, finding) for finding in reports]

    for kind in ("location", "report", "order"):
        monkeypatch.setitem(VERSIONS, kind, VERSIONS[kind] + 1)
    again(hub, coordinator)
    between = stored(hub)
    again(hub, coordinator)
    assert stored(hub) == between
    assert {key for *_, key in between[1]} != {key for *_, key in before[1]}
    assert [case_of(hub, finding) for finding in reports] == homes, "nothing is joined or parted by it"
    monkeypatch.undo()
    again(hub, coordinator)

    assert stored(hub) == before


def test_new_reports_meet_the_old_ones_by_the_changed_rule(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, other, coordinator = (hub.member(kind) for kind in (OrganizationKind.LAB, OrganizationKind.LAB, OrganizationKind.COORDINATOR))
    (first,) = send(hub, lab, one("out of bounds"))
    monkeypatch.setitem(VERSIONS, "location", VERSIONS["location"] + 1)

    (missed,) = send(hub, other, one("in other words"))
    assert case_of(hub, missed) != case_of(hub, first)
    again(hub, coordinator)
    with hub.house.transaction(SANITY) as tx:
        refuse(hub.house, tx, missed, "set aside for this test", SANITY)
    (met,) = send(hub, other, one("in other words again"))

    assert case_of(hub, met) == case_of(hub, first)


def test_what_joined_by_a_place_brings_nothing_in_by_a_new_rule(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shares that place with the report that opened the case; what else it states is no bridge (ADR 26), before and after."""
    lab, other, coordinator = (hub.member(kind) for kind in (OrganizationKind.LAB, OrganizationKind.LAB, OrganizationKind.COORDINATOR))
    (first,) = send(hub, lab, one("out of bounds"))
    (joined,) = send(hub, other, one("in other words"))
    assert case_of(hub, joined) == case_of(hub, first)
    places = _heads_of_places(hub)

    monkeypatch.setitem(VERSIONS, "location", VERSIONS["location"] + 1)
    again(hub, coordinator)

    assert _heads_of_places(hub) == places
    assert len(places) == 1


def test_only_a_coordinator_has_it_done_and_the_ledger_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    send(hub, lab, one("out of bounds"), one("injection", "ask", "CWE-89"))
    with pytest.raises(Refused):
        signing.recompute_signatures(hub.house, lab)

    monkeypatch.setitem(VERSIONS, "location", VERSIONS["location"] + 1)
    again(hub, coordinator)

    assert [(type, body.get("findings"), body.get("changed")) for type, body in told(hub)] == [
        ("signatures.recomputed", None, None), ("submission.signed", 2, 2),
    ]  # fmt: skip


def _heads_of_places(hub: Hub) -> dict[object, int]:
    with hub.house.transaction(INTAKE) as tx:
        rows = tx.rows("SELECT finding, count(*) AS n FROM clearwell.signature_head WHERE kind = 9 GROUP BY finding")
    return {row["finding"]: row["n"] for row in rows}


def test_what_stated_nothing_speaks_for_itself_once_a_rule_reads_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, other, coordinator = (hub.member(kind) for kind in (OrganizationKind.LAB, OrganizationKind.LAB, OrganizationKind.COORDINATOR))
    few = {"title": "short", "text": "too few words", "product": {"purl": "pkg:generic/acme@1"}}
    (first,) = send(hub, lab, few)
    assert stored(hub) == ([], [])

    monkeypatch.setattr(signature, "_MIN_TEXT", 0)
    again(hub, coordinator)
    (second,) = send(hub, other, few)

    assert case_of(hub, second) == case_of(hub, first)
