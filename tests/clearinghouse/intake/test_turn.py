# SPDX-License-Identifier: Apache-2.0
"""Turns: a single report goes before floods, floods take turns, and a long document passes on between its batches."""

from itertools import count

import pytest

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.flow import answering, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.flow.slice import SECONDS, Slice
from clearwell.clearinghouse.intake import batch
from clearwell.clearinghouse.intake.turn import BULK, MOST, UNIT, next_turn
from clearwell.ground.identity.actor import INTAKE, Member, OrganizationKind
from hub import Hub
from story import plain, report


def test_who_used_no_more_than_its_share_and_waits_for_nothing_else_goes_first() -> None:
    assert next_turn(now=500, finish=500, size=1, is_alone=True).priority == 0
    assert next_turn(now=500, finish=501, size=1, is_alone=True).priority == -501
    assert next_turn(now=500, finish=400, size=1, is_alone=False).priority == -500


def test_a_turn_is_charged_by_size_up_to_one_slice() -> None:
    assert next_turn(now=7, finish=0, size=10 * UNIT, is_alone=True).finish == 18
    assert next_turn(now=7, finish=0, size=10**9, is_alone=True).finish == 7 + MOST


def test_floods_take_turns_whoever_began() -> None:
    finish, served = {"a": 0, "b": 0}, []
    waiting = []
    for who in ["a"] * 20 + ["b"] * 20:
        turn = next_turn(0, finish[who], UNIT, is_alone=False)
        finish[who] = turn.finish
        waiting.append((-turn.priority, len(waiting), who))
    served = [who for _, _, who in sorted(waiting)]

    assert all(abs(served[:n].count("a") - served[:n].count("b")) <= 2 for n in range(40))


def _waiting(hub: Hub) -> list[tuple[str, str, int]]:
    with hub.house.transaction(INTAKE) as tx:
        rows = tx.rows(
            """
            SELECT args->>'submission' AS id, queue_name, priority FROM procrastinate.procrastinate_jobs
            WHERE status = 'todo' AND task_name = 'parse' ORDER BY priority DESC, id
            """
        )
    return [(row["id"], row["queue_name"], row["priority"]) for row in rows]


def _send(hub: Hub, lab: Member, name: str, pad: int = 0) -> str:
    return reporting.submit_report(hub.house, lab, [report(plain(name)) + b" " * pad], Envelope(name=name)).id


def test_a_single_report_is_read_before_twenty_labs_floods(hub: Hub) -> None:
    labs = [hub.member(OrganizationKind.LAB) for _ in range(20)]
    first = [_send(hub, lab, f"{number}-0") for number, lab in enumerate(labs)]
    for round_ in range(1, 3):
        for number, lab in enumerate(labs):
            _send(hub, lab, f"{number}-{round_}")

    single = _send(hub, hub.member(OrganizationKind.MAINTAINER), "single")

    order = [submission for submission, _, _ in _waiting(hub)]
    assert order.index(single) <= len(first)


def test_big_documents_wait_in_a_queue_of_their_own(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)

    small, big = _send(hub, lab, "small"), _send(hub, lab, "big", pad=BULK)

    assert {submission: queue for submission, queue, _ in _waiting(hub)} == {small: "intake", big: "bulk"}
    hub.work()
    assert [sent.state.value for sent in reporting.list_submissions(hub.house, lab)] == ["parsed", "parsed"]


def test_a_long_document_passes_on_and_is_gone_on_with_where_it_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "SIZE", 2)
    seconds = count(0, SECONDS * 2)
    monkeypatch.setattr(answering, "Slice", lambda house, sent: Slice(house, sent, clock=lambda: float(next(seconds))))
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    many = [plain(f"flaw {n}", locations=[{"file": f"src/f{n}.js"}]) for n in range(7)]
    long = reporting.submit_report(hub.house, lab, [report(*many)], Envelope(name="long")).id
    with hub.house.transaction(INTAKE) as tx:
        tx.execute("DELETE FROM procrastinate.procrastinate_jobs")
    short = _send(hub, other, "short")

    answering.parse_submission(hub.house, long)

    with hub.house.transaction(INTAKE) as tx:
        assert report_store.load_submission(tx, long).batches == 1
    (first, _, _), (second, _, turn) = _waiting(hub)
    assert (first, second) == (short, long) and turn < 0
    hub.work()
    assert [one.finding.position for one in reporting.read_answers(hub.house, lab, long)] == list(range(7))
    assert reporting.read_submission(hub.house, lab, long).findings == 7
