# SPDX-License-Identifier: Apache-2.0
"""Minimizing: no row holds what was left out; the originator alone says what was no private word; the projection is computed anew."""

import json
import re

import pytest

from clearwell.clearinghouse.flow import coordinating, minimizing, reporting, sourcing
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.intake import minimization
from clearwell.clearinghouse.intake.private_words import VERSION, Hit, Patterns, hits_in
from clearwell.ground.identity.actor import Member, OrganizationKind
from clearwell.ground.storage.embedded import OWNER
from clearwell.vocabulary.errors import Conflict, NotFound, Refused
from clearwell.vocabulary.finding import Origin
from clearwell.vocabulary.omission import omission_number
from house.rows import database_of, rows
from hub import Hub
from story import plain, report

FIRST = omission_number(VERSION, 0)
MAIL, HOST, OTHER = "jane.doe@hospital.org", "81.2.69.142", "joe@hospital.org"


@pytest.fixture
def lab(hub: Hub) -> Member:
    return hub.member(OrganizationKind.LAB)


def send(hub: Hub, lab: Member, *findings: dict[str, object], name: str = "report.json") -> list[reporting.AnsweredFinding]:
    sent = reporting.submit_report(hub.house, lab, [report(*findings)], Envelope(name=name))
    hub.work()
    return list(reporting.read_answers(hub.house, lab, sent.id))


def test_no_row_holds_what_was_left_out_and_the_sealed_bytes_hold_all(server, hub: Hub, lab: Member) -> None:
    (one,) = send(hub, lab, plain(f"found by {MAIL}", f"seen at {HOST} by {OTHER}", external_id=f"x-{MAIL}"))

    held = json.dumps([list(counted) for counted in rows(server.url(OWNER, database_of(hub))).values()])
    assert MAIL not in held and HOST not in held and OTHER not in held
    assert one.finding.title == "found by [mail address left out]"
    assert {omission.kind for omission in one.finding.body.left_out} == {"mail address", "network address"}
    with hub.house.transaction(minimizing.INTAKE) as tx:
        sent = reporting.report_store.load_submission(tx, one.finding.submission)
        assert MAIL.encode() in b"".join(hub.house.blobs.open(tx, sent.id, sent.address))


def test_what_the_originator_calls_harmless_is_shown_in_the_whole_report(hub: Hub, lab: Member) -> None:
    one, other = send(hub, lab, plain(f"found by {MAIL}", f"write to {OTHER}"), plain("another", f"{MAIL} again, at length"))
    number = one.finding.body.left_out[0].number

    minimizing.mark_false_hit(hub.house, lab, one.finding.id, number)
    hub.work()

    shown = reporting.read_finding(hub.house, lab, one.finding.id)[0].finding
    assert shown.title == f"found by {MAIL}" and OTHER not in shown.body.message
    assert [omission.is_false for omission in shown.body.left_out] == [True, False]
    assert MAIL in reporting.read_finding(hub.house, lab, other.finding.id)[0].finding.body.message
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    assert {row.case.title for row in coordinating.list_cases(hub.house, coordinator)} == {f"found by {MAIL}", "another"}
    with pytest.raises(Conflict):
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, number)


def names_too(text: str) -> tuple[Hit, ...]:
    return (*(Hit(m.start(), m.end(), "name") for m in re.finditer(r"J[a-z]+ D[a-z]+", text)), *hits_in(text))


LATER = Patterns(VERSION + 1, names_too)
"""A later version, which finds names before all else: what was omission 0 is the second of its lists."""


def test_a_mark_shows_the_words_that_were_meant_under_later_patterns_too(hub: Hub, lab: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = send(hub, lab, plain(f"Jane Doe wrote {MAIL}", f"to {OTHER} and {HOST}"))
    first, second, third = (omission.number for omission in one.finding.body.left_out)
    minimizing.mark_false_hit(hub.house, lab, one.finding.id, first)
    hub.work()

    monkeypatch.setattr(minimization, "PATTERNS", LATER)
    with pytest.raises(Conflict, match="older patterns"):
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, second)
    hub.work()

    shown = reporting.read_finding(hub.house, lab, one.finding.id)[0].finding
    assert shown.title == f"[name] wrote {MAIL}" and OTHER not in shown.body.message and HOST not in shown.body.message
    numbers = [omission.number for omission in shown.body.left_out]
    assert numbers == [omission_number(LATER.version, place) for place in range(4)] and [o.is_false for o in shown.body.left_out] == [
        False,
        True,
        False,
        False,
    ]
    with pytest.raises(NotFound, match="any longer"):
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, third)
    minimizing.mark_false_hit(hub.house, lab, one.finding.id, numbers[3])
    hub.work()
    again = reporting.read_finding(hub.house, lab, one.finding.id)[0].finding
    assert HOST in again.body.message and OTHER not in again.body.message and again.title == shown.title


def test_a_mark_whose_list_went_before_it_was_looked_up_shows_nothing(hub: Hub, lab: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = send(hub, lab, plain(f"Jane Doe wrote {MAIL}"))
    minimizing.mark_false_hit(hub.house, lab, one.finding.id, FIRST)  # its job runs after the hub's update
    monkeypatch.setattr(minimization, "PATTERNS", LATER)
    hub.work()

    shown = reporting.read_finding(hub.house, lab, one.finding.id)[0].finding
    assert shown.title == "[name] wrote [mail address left out]"
    minimizing.mark_false_hit(hub.house, lab, one.finding.id, omission_number(LATER.version, 1))
    hub.work()
    assert reporting.read_finding(hub.house, lab, one.finding.id)[0].finding.title == f"[name] wrote {MAIL}"


def test_a_mark_is_kept_as_a_keyed_hash_of_one_report(server, hub: Hub, lab: Member) -> None:
    for title in ("found", "seen"):
        (one,) = send(hub, lab, plain(f"{title} by {MAIL}"))
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, FIRST)
    hub.work()

    with hub.house.transaction(minimizing.INTAKE) as tx:
        words = {bytes(row["word"]) for row in tx.rows("SELECT word FROM clearwell.false_hit")}
    assert len(words) == 2 and all(len(word) == 32 for word in words)


def test_marks_wait_for_one_reading_at_their_organizations_turn(hub: Hub, lab: Member) -> None:
    (one,) = send(hub, lab, plain(f"{MAIL} and {OTHER}", f"at {HOST}"))

    for omission in one.finding.body.left_out:
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, omission.number)

    with hub.house.transaction(minimizing.INTAKE) as tx:
        waiting = tx.rows(
            "SELECT queue_name, priority FROM procrastinate.procrastinate_jobs WHERE status = 'todo' AND task_name = 'minimize'"
        )
    assert [row["queue_name"] for row in waiting] == ["bulk"] and waiting[0]["priority"] < 0
    hub.work()
    shown = reporting.read_finding(hub.house, lab, one.finding.id)[0].finding
    assert shown.title == f"{MAIL} and {OTHER}" and HOST in shown.body.message


def test_nobody_else_shows_it_and_what_was_not_left_out_cannot_be_shown(hub: Hub, lab: Member) -> None:
    (one,) = send(hub, lab, plain(f"found by {MAIL}"))

    with pytest.raises(Refused):
        minimizing.mark_false_hit(hub.house, hub.member(OrganizationKind.COORDINATOR), one.finding.id, FIRST)
    with pytest.raises(NotFound):
        minimizing.mark_false_hit(hub.house, hub.member(OrganizationKind.LAB), one.finding.id, FIRST)
    with pytest.raises(NotFound):
        minimizing.mark_false_hit(hub.house, lab, one.finding.id, FIRST + 7)


def test_what_a_sender_says_beside_the_report_goes_through_too(server, hub: Hub, lab: Member) -> None:
    source = sourcing.send_source(hub.house, lab, [b"x"], f"sent by {OTHER}")
    said = Envelope(name=f"found by {MAIL}", origin=Origin(tool=f"scan at {HOST}", human_reviewer=f"Jane <{MAIL}>"), source=source.id)
    raw = report(plain("a flaw", tool=None))

    sent = reporting.submit_report(hub.house, lab, [raw], said)

    assert reporting.submit_report(hub.house, lab, [raw], said).id == sent.id
    assert sent.name == "found by [mail address left out]" and sent.origin.human_reviewer == "Jane <[mail address left out]>"
    hub.work()
    held = json.dumps([list(counted) for counted in rows(server.url(OWNER, database_of(hub))).values()])
    assert MAIL not in held and HOST not in held and OTHER not in held
    (one,) = reporting.read_answers(hub.house, lab, sent.id)
    assert one.finding.body.origin.human_reviewer == sent.origin.human_reviewer


def test_two_finders_whose_reports_differ_in_private_words_alone_are_joined(hub: Hub, lab: Member) -> None:
    words = "the length is read from the header and not checked before the copy, at /home/{}/src/pump.c"
    (first,) = send(hub, lab, plain("overflow in the pump", words.format("jane.d")))
    (second,) = send(hub, hub.member(OrganizationKind.LAB), plain("overflow in the pump", words.format("mmuster")))

    assert second.finding.case == first.finding.case


def test_a_problem_names_nobody(hub: Hub, lab: Member) -> None:
    raw = json.loads(report(plain("a flaw")))
    raw["findings"].append({"title": "x", "locations": [{"file": f"/abs/{MAIL}"}]})
    sent = reporting.submit_report(hub.house, lab, [json.dumps(raw).encode()], Envelope(name="r.json"))
    hub.work()

    problems = reporting.read_submission(hub.house, lab, sent.id).problems
    assert len(problems) == 1 and MAIL not in problems[0] and "left out" in problems[0]
