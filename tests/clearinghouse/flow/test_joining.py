# SPDX-License-Identifier: Apache-2.0
"""Joining and splitting in any order lose no report, proof or date; arrival in any order gives the same cases."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.flow import answering, coordinating, reporting
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, PROVING, Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, FindingId
from hub import Hub

QUICK = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

Step = tuple[str, int, int]
STEPS = st.lists(st.tuples(st.sampled_from(["merge", "split"]), st.integers(0, 7), st.integers(0, 7)), max_size=12)


def send(hub: Hub, lab: Member, component: str, function: str, proof: str | None = None) -> FindingId:
    finding: dict[str, object] = {
        "title": f"overflow in {function}", "text": f"{lab.organization}", "weakness": "CWE-787", "product": {"purl": component},
        "locations": [{"file": "a.c", "line": 3, "function": function}],
    }  # fmt: skip
    if proof is not None:
        finding["proof"] = {"files": {"proof.toml": proof}}
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    return reporting.read_answers(hub.house, lab, sent.id)[0].finding.id


def case_of(hub: Hub, finding: FindingId) -> CaseId:
    with hub.house.transaction(PROVING) as tx:
        return report_store.load_finding(tx, finding).case


@QUICK
@given(steps=STEPS)
def test_no_sequence_of_merges_and_splits_loses_a_report_its_proof_or_its_date(hub: Hub, steps: list[Step]) -> None:
    labs = [hub.member(OrganizationKind.LAB) for _ in range(2)]
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    component = f"pkg:generic/{coordinator.organization}@1"
    sent = [send(hub, labs[n % 2], component, f"function{n % 6}", f"x = {n}" if n % 3 == 0 else None) for n in range(8)]
    dates = {finding: reporting.read_finding(hub.house, labs[n % 2], finding)[0].finding.ends_at for n, finding in enumerate(sent)}

    for act, one, other in steps:
        try:
            if act == "merge":
                coordinating.merge_cases(hub.house, coordinator, case_of(hub, sent[one]), case_of(hub, sent[other]), "alike")
            else:
                coordinating.split_case(hub.house, coordinator, case_of(hub, sent[one]), (sent[one],), "not alike")
        except Conflict:
            pass

    shown = {f.id for case in coordinating.list_cases(hub.house, coordinator, limit=1000) for f in _findings(hub, case.id)}
    assert set(sent) <= shown
    for number, finding in enumerate(sent):
        seen = reporting.read_finding(hub.house, labs[number % 2], finding)[0]
        assert seen.participation is not None and seen.ends_at <= dates[finding]
        with hub.house.transaction(PROVING) as tx:
            proof = report_store.proof_of_finding(tx, finding)
        if proof is not None:
            assert proof.case == seen.finding.case
            assert read_proof(hub.house, coordinator, proof.id, "a test")[1] == {"proof.toml": f"x = {number}".encode()}
    assert not _lost_signatures(hub)


def _lost_signatures(hub: Hub) -> tuple[object, ...]:
    """Signatures that name another case than their finding, and those of an opener (and all of L0) that no head stands for."""
    with hub.house.transaction(PROVING) as tx:
        return tx.rows(
            """
            WITH stated AS (
                SELECT s.finding, s.is_proven, s.in_case, s.refused, k.kind, k.key,
                       CASE WHEN k.is_bound THEN s.product_version END AS version
                FROM clearwell.signature_set s CROSS JOIN LATERAL clearwell.stated_signatures(s.stated) k
            ), heads AS (
                SELECT s.in_case, s.key, s.version FROM stated s
                JOIN clearwell.signature_head h USING (finding, is_proven, key) WHERE h.refused = 0 AND s.refused = 0
            )
            SELECT s.kind, f.case_id FROM stated s JOIN clearwell.finding f ON f.id = clearwell.id_of('finding', s.finding)
            WHERE clearwell.id_of('case', s.in_case) <> f.case_id OR (s.refused > 0) <> (f.answer = 'refused')
               OR (s.refused = 0 AND (s.kind IN (1, 2, 3) OR EXISTS (
                   SELECT FROM clearwell.attachment a
                   WHERE a.finding_id = f.id AND a.case_id = f.case_id AND a.rung IS NULL AND a.detached_at IS NULL))
                   AND NOT EXISTS (
                   SELECT FROM heads h
                   WHERE h.key = s.key AND h.in_case = s.in_case AND h.version IS NOT DISTINCT FROM s.version))
            """
        )


def test_a_head_that_is_refused_or_taken_out_leaves_another_behind(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    component = f"pkg:generic/{coordinator.organization}@1"
    first, second, third = (send(hub, who, component, "pump") for who in (lab, other, lab))
    home = case_of(hub, first)

    with hub.house.transaction(PROVING) as tx:
        report_store.move_answer(tx, report_store.load_finding(tx, first), Answer.REFUSED, "a test", "a test", hub.clock.now())
    assert not _lost_signatures(hub) and case_of(hub, send(hub, other, component, "pump")) == home
    coordinating.split_case(hub.house, coordinator, home, (second,), "not alike")

    assert not _lost_signatures(hub) and case_of(hub, third) == home


def _findings(hub: Hub, case: CaseId) -> tuple[report_store.KeptFinding, ...]:
    with hub.house.transaction(CASE) as tx:
        assert store.load_case(tx, case).merged_into is None
        return report_store.findings_of_case(tx, case, limit=None)


@QUICK
@given(order=st.permutations(range(6)))
def test_unproven_reports_make_the_same_cases_in_whatever_order_they_arrive(hub: Hub, order: list[int]) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    component = f"pkg:generic/{lab.organization}@1"
    reports = [(lab, "pump"), (other, "pump"), (lab, "valve"), (other, "pump"), (other, "valve"), (lab, "gauge")]
    cases: dict[CaseId, set[str]] = {}

    for number in order:
        sender, function = reports[number]
        finding = send(hub, sender, component, function)
        cases.setdefault(case_of(hub, finding), set()).add(function)

    assert sorted(map(sorted, cases.values())) == [["gauge"], ["pump"], ["valve"]]
