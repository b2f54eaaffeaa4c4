# SPDX-License-Identifier: Apache-2.0
"""Proofs of many organizations run by turns: a flood holds nobody up, and nobody waits for ever."""

import json

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.report import Proof
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.answering import parse_submission
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.clearinghouse.flow.turns import queue_proofs
from clearwell.ground.identity.actor import SANITY, Member, OrganizationKind
from hub import Hub


def proofs(hub: Hub, lab: Member, count: int) -> list[Proof]:
    """Proofs of so many findings of one report."""
    findings = [
        {
            "title": f"{lab.organization} {number}",
            "product": {"repository": "forge.example/water/pump", "commit": "0123456789abcdef"},
            "weakness": "CWE-787",
            "locations": [{"file": f"{lab.organization}{number}.c", "line": number + 1, "function": f"f{number}"}],
            "proof": {"files": {"proof.toml": f"x = '{lab.organization} {number}'"}},
        }
        for number in range(count)
    ]
    document = {"format": "clearwell-report", "version": 1, "tool": {"name": "scout", "model": "m-1"}, "findings": findings}
    sent = reporting.submit_report(hub.house, lab, [json.dumps(document).encode()], Envelope(name="report.json"))
    parse_submission(hub.house, sent.id)
    answers = reporting.read_answers(hub.house, lab, sent.id)
    with hub.house.transaction(SANITY) as tx:
        found = [report_store.proof_of_finding(tx, answer.finding.id) for answer in answers]
    assert len(found) == count
    return [proof for proof in found if proof is not None]


def queue(hub: Hub, some: list[Proof]) -> None:
    with hub.house.transaction(SANITY) as tx:
        queue_proofs(tx, some)


def waiting(hub: Hub) -> list[str]:
    """The proofs that wait, in the order in which workers take them."""
    with hub.house.transaction(SANITY) as tx:
        rows = tx.rows(
            "SELECT args->>'proof' AS proof FROM procrastinate.procrastinate_jobs WHERE task_name = 'validate' AND status = 'todo' "
            "ORDER BY priority DESC, id"
        )
    return [row["proof"] for row in rows]


def take(hub: Hub, count: int) -> None:
    with hub.house.transaction(SANITY) as tx:
        for proof in waiting(hub)[:count]:
            tx.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'succeeded' WHERE args->>'proof' = %(proof)s", proof=proof)


def test_one_proof_after_a_flood_waits_for_one_of_each_organization(hub: Hub) -> None:
    flood, other, single = (proofs(hub, hub.member(OrganizationKind.LAB), count) for count in (6, 3, 1))
    queue(hub, flood)
    queue(hub, other)
    queue(hub, single)
    order = waiting(hub)
    assert set(order[:3]) == {flood[0].id, other[0].id, single[0].id}
    assert order[3:] == [flood[1].id, other[1].id, flood[2].id, other[2].id, flood[3].id, flood[4].id, flood[5].id]


def test_who_comes_later_gets_no_more_than_a_share_of_what_is_left(hub: Hub) -> None:
    flood, late = (proofs(hub, hub.member(OrganizationKind.LAB), count) for count in (8, 3))
    queue(hub, flood)
    take(hub, 4)
    queue(hub, late)
    assert waiting(hub) == [flood[4].id, late[0].id, flood[5].id, late[1].id, flood[6].id, late[2].id, flood[7].id]


def test_a_second_report_of_an_organization_stands_behind_its_first(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    first, second = proofs(hub, lab, 2), proofs(hub, lab, 2)
    queue(hub, first)
    queue(hub, second)
    assert waiting(hub) == [proof.id for proof in (*first, *second)]
    queue(hub, [])
    assert len(waiting(hub)) == 4
