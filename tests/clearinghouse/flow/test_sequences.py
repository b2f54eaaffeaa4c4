# SPDX-License-Identifier: Apache-2.0
"""Random lives of cases: reports, merges, splits, differences, refusals. No report is lost, and a split after a merge is the identity."""

import contextlib
import json
from collections.abc import Callable
from itertools import permutations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from clearinghouse.flow.test_signing import again, stored
from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.flow import answering, coordinating, reporting
from clearwell.clearinghouse.flow.checking import refuse
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, DEDUPE, SANITY, Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, FindingId
from hub import Hub

ONE = st.integers(0, 30)
WEAKNESSES = st.sampled_from([("CWE-787",), ("CWE-89",), ("CWE-787", "CWE-89")])
SAME = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"


class Lives(RuleBasedStateMachine):
    """One component's reports and cases on a hub, beside a model of what was sent and what people said."""

    def __init__(self, hub: Hub, labs: list[Member], coordinator: Member) -> None:
        super().__init__()
        self.hub, self.labs, self.coordinator = hub, labs, coordinator
        self.component = f"pkg:generic/{hub.house.new_id('case')}"
        self.sent: dict[FindingId, tuple[Member, str | None]] = {}
        self.first: dict[FindingId, CaseId] = {}
        self.different: list[tuple[CaseId, CaseId]] = []

    @rule(lab=ONE, function=st.sampled_from("abc"), weaknesses=WEAKNESSES, version=st.sampled_from(["", "@1"]), marked=st.booleans())
    def report(self, lab: int, function: str, weaknesses: tuple[str, ...], version: str, marked: bool) -> None:
        """A lab names a place, perhaps under an id of its tool's."""
        more = {"external_id": SAME} if marked else {}
        self._send(self.labs[lab % len(self.labs)], function, weaknesses, version, None, **more)

    @rule(lab=ONE, function=st.sampled_from("abc"))
    def prove(self, lab: int, function: str) -> None:
        """A lab sends a proof along; it has not run yet."""
        self._send(self.labs[lab % len(self.labs)], function, ("CWE-787",), "@1", f"x = {len(self.sent)}")

    @precondition(lambda self: self.sent)
    @rule(one=ONE, other=ONE)
    def merge(self, one: int, other: int) -> None:
        """A person joins two cases."""
        self._try(lambda: self._merge(self._case(one), self._case(other)))

    @precondition(lambda self: self.sent)
    @rule(one=ONE)
    def split(self, one: int) -> None:
        """A person takes a report out of its case."""
        finding = self._finding(one)
        self._try(lambda: coordinating.split_case(self.hub.house, self.coordinator, self._home(finding), (finding,), "not alike"))

    @precondition(lambda self: self.sent)
    @rule(one=ONE, other=ONE, act=st.sampled_from(["split", "merge", "differ"]))
    def act_on_what_a_page_showed_before(self, one: int, other: int, act: str) -> None:
        """A page of a case, as it was when its report came, lies open in another browser."""
        case, into = (self.first[finding] for finding in (self._finding(one), self._finding(other)))
        if act == "split":
            self._try(lambda: coordinating.split_case(self.hub.house, self.coordinator, case, (self._finding(other),), "not alike"))
        elif act == "merge":
            self._try(lambda: self._merge(case, into))
        else:
            self._try(lambda: self._differ(case, into))

    @precondition(lambda self: self.sent)
    @rule(one=ONE, other=ONE)
    def differ(self, one: int, other: int) -> None:
        """A person says that two cases are not one."""
        self._try(lambda: self._differ(self._case(one), self._case(other)))

    @precondition(lambda self: self.sent)
    @rule(one=ONE)
    def refuse(self, one: int) -> None:
        """The hub finds that a report cites what is not there."""
        with self.hub.house.transaction(SANITY) as tx:
            refuse(self.hub.house, tx, self._finding(one), "there is no such file", SANITY)

    @precondition(lambda self: self.sent)
    @rule(one=ONE, other=ONE)
    def merge_and_split(self, one: int, other: int) -> None:
        """Joined and taken apart again, two cases are, row by row, what they were."""
        case, into = self._case(one), self._case(other)
        before, members = self._rows(case, into), self._members(case)
        try:
            self._merge(case, into)
        except Conflict:
            assert self._rows(case, into) == before
            return
        assert not self._members(case)
        coordinating.split_case(self.hub.house, self.coordinator, into, members, "not alike after all")
        assert self._rows(case, into) == before

    @precondition(lambda self: self.sent)
    @rule()
    def sign_anew(self) -> None:
        """Signatures made anew by the same rules are those that are stored, whatever happened before."""
        before = stored(self.hub)
        again(self.hub, self.coordinator)
        assert stored(self.hub) == before

    @invariant()
    def a_case_stands_as_its_reports_do(self) -> None:
        """Who is no duplicate speaks for each case that is open; one of which every report was refused is refused."""
        answers: dict[CaseId, list[Answer]] = {}
        for finding in self.sent:
            with self.hub.house.transaction(CASE) as tx:
                kept = report_store.load_finding(tx, finding)
            answers.setdefault(kept.case, []).append(kept.answer)
        for case, told in answers.items():
            with self.hub.house.transaction(CASE) as tx:
                refused = store.load_case(tx, case).case.refused_at is not None
            stands = [answer for answer in told if answer is not Answer.REFUSED]
            assert refused != bool(stands)
            assert not stands or set(stands) != {Answer.DUPLICATE}

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every report is in a case that stands, with its sender, its proof and its signatures, and in no case with what differs."""
        with self.hub.house.transaction(DEDUPE) as tx:
            lost = tx.rows(
                """
                SELECT f.id FROM clearwell.signature_set s JOIN clearwell.finding f ON s.finding = clearwell.uuid_of(f.id)
                WHERE f.id = ANY(%(ids)s)
                  AND (s.in_case <> clearwell.uuid_of(f.case_id) OR (s.refused <> 0) <> (f.answer = 'refused'))
                """,
                ids=list(self.sent),
            )
        assert not lost
        for finding, (lab, content) in self.sent.items():
            with self.hub.house.transaction(CASE) as tx:
                kept = report_store.load_finding(tx, finding)
                case = store.load_case(tx, kept.case)
                finders = {one.organization: one.first_reported for one in store.participants_of(tx, case.id)}
                proof = report_store.proof_of_finding(tx, finding)
            assert case.merged_into is None and lab.organization in finders
            assert kept.answer is Answer.REFUSED or case.case.first_received <= kept.received_at
            assert (proof is not None) == (content is not None)
            if proof is not None and content is not None:
                assert proof.case == case.id
                assert read_proof(self.hub.house, self.coordinator, proof.id, "a test")[1] == {"proof.toml": content.encode()}
        assert all(self._top(one) != self._top(other) for one, other in self.different)

    def _send(self, lab: Member, function: str, weaknesses: tuple[str, ...], version: str, proof: str | None, **more: str) -> None:
        words = f"report {len(self.sent)} of {function}"
        finding: dict[str, object] = {
            "title": words, "text": words, "weakness": list(weaknesses), "product": {"purl": self.component + version},
            "locations": [{"file": "a.c", "line": 3, "function": function}], **more,
        }  # fmt: skip
        if proof is not None:
            finding["proof"] = {"files": {"proof.toml": proof}}
        raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()
        sent = reporting.submit_report(self.hub.house, lab, [raw], Envelope(name="report.json"))
        answering.parse_submission(self.hub.house, sent.id)
        found = reporting.read_answers(self.hub.house, lab, sent.id)[0].finding
        self.sent[found.id], self.first[found.id] = (lab, proof), found.case

    def _try(self, act: Callable[[], object]) -> None:
        """Do what a rule of the house may forbid."""
        with contextlib.suppress(Conflict):
            act()

    def _merge(self, case: CaseId, into: CaseId) -> None:
        coordinating.merge_cases(self.hub.house, self.coordinator, case, into, "alike")

    def _differ(self, case: CaseId, other: CaseId) -> None:
        coordinating.find_different(self.hub.house, self.coordinator, case, other, "not alike")
        self.different.append((case, other))

    def _finding(self, number: int) -> FindingId:
        return list(self.sent)[number % len(self.sent)]

    def _home(self, finding: FindingId) -> CaseId:
        with self.hub.house.transaction(CASE) as tx:
            return report_store.load_finding(tx, finding).case

    def _case(self, number: int) -> CaseId:
        return self._home(self._finding(number))

    def _members(self, case: CaseId) -> tuple[FindingId, ...]:
        with self.hub.house.transaction(CASE) as tx:
            return tuple(finding.id for finding in report_store.findings_of_case(tx, case, limit=None))

    def _top(self, case: CaseId) -> CaseId:
        with self.hub.house.transaction(CASE) as tx:
            while (kept := store.load_case(tx, case)).merged_into is not None:
                case = kept.merged_into
        return case

    def _rows(self, *cases: CaseId) -> dict[str, list[dict[str, object]]]:
        """All that the database holds of some cases, but for history: why and when reports were attached, and the answers in between."""
        queries = {
            "case": "SELECT * FROM clearwell.vulnerability_case WHERE id = ANY(%(cases)s) ORDER BY id",
            "participant": "SELECT * FROM clearwell.participant WHERE case_id = ANY(%(cases)s) ORDER BY id",
            "finding": "SELECT * FROM clearwell.finding WHERE case_id = ANY(%(cases)s) ORDER BY id",
            "proof": "SELECT * FROM clearwell.proof WHERE case_id = ANY(%(cases)s) ORDER BY id",
            "rung": """
                SELECT finding_id, case_id, rung, evidence::text FROM clearwell.attachment
                WHERE case_id = ANY(%(cases)s) AND detached_at IS NULL ORDER BY finding_id
                """,
        }
        with self.hub.house.transaction(CASE) as tx:
            return {name: [dict(row) for row in tx.rows(query, cases=list(cases))] for name, query in queries.items()}


def test_a_case_that_a_person_joined_knows_the_version_of_both(hub: Hub) -> None:
    """So no other version joins it, and what is joined with it later and taken out again leaves it as it was."""
    labs = [hub.member(OrganizationKind.LAB) for _ in range(2)]
    lives = Lives(hub, labs, hub.member(OrganizationKind.COORDINATOR))
    lives.report(lab=0, function="a", weaknesses=("CWE-787",), version="", marked=False)
    lives.report(lab=0, function="b", weaknesses=("CWE-787",), version="@1", marked=False)

    lives.merge(one=1, other=0)
    lives.report(lab=1, function="a", weaknesses=("CWE-787",), version="@2", marked=False)
    lives.merge_and_split(one=0, other=2)

    assert lives._case(0) == lives._case(1) != lives._case(2)


def test_no_sequence_of_reports_merges_splits_differences_and_refusals_loses_a_report(hub: Hub) -> None:
    labs = [hub.member(OrganizationKind.LAB) for _ in range(2)]
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    run_state_machine_as_test(
        lambda: Lives(hub, labs, coordinator),
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_merging_is_symmetric_and_associative_in_all_that_a_case_is(hub: Hub) -> None:
    """Three cases joined in any order and any nesting hold the same reports, finders, dates and label."""
    labs = [hub.member(OrganizationKind.LAB) for _ in range(3)]
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    for order in permutations(range(3)):
        for nested in (False, True):
            lives = Lives(hub, labs, coordinator)
            for number, function in enumerate("abc"):
                lives.report(number, function, ("CWE-787",), "", False)
                hub.clock.move(days=1)
            first, second, third = (lives._case(number) for number in order)
            lives._merge(first, second) if not nested else lives._merge(second, third)
            lives._merge(second, third) if not nested else lives._merge(first, third)
            with hub.house.transaction(CASE) as tx:
                whole = store.load_case(tx, third)
                found = report_store.findings_of_case(tx, third, limit=None)
                finders = {one.organization: one.first_reported for one in store.participants_of(tx, third)}
            assert {finding.id for finding in found} == set(lives.sent)
            assert finders == {finding.organization: finding.received_at for finding in found}
            received = min(finding.received_at for finding in found)
            assert (whole.case.first_received, whole.case.ends_at) == (received, whole.case.policy.ends_at(received))
            assert whole.marking is found[0].marking
