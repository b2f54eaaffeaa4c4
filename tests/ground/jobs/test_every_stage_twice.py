# SPDX-License-Identifier: Apache-2.0
"""Every stage is idempotent: a job that ran and was not told so runs again, and nothing changes by it."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from clearwell import app
from clearwell.clearinghouse.flow import coordinating, minimizing, reporting, signing, suggesting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.house import House
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.jobs.worker import Work
from clearwell.ground.storage.embedded import OWNER
from clearwell.vocabulary.product import parse_target
from house.rows import database_of, rows
from hub import Hub, MakeHub
from story import Story, plain, report

REPEATED_LINES = {
    "batch.checked", "operator.matched", "scan.compared", "submission.read", "projection.renewed", "batch.sketched", "case.sketched",
}  # fmt: skip
"""Lines that say that a stage looked, whether or not anything changed by it."""

State = dict[str, Counter[str]]


def _state(owner: str) -> State:
    """Every row of every table of ours, but the job queue's."""
    state = rows(owner)
    state["ledger_entry"] = Counter({line: n for line, n in state["ledger_entry"].items() if line.split(",")[1] not in REPEATED_LINES})
    del state["ledger_salt"]
    return state


@pytest.fixture
def hub(make_hub: MakeHub) -> Hub:
    """Whatever reproduces is run again."""
    return make_hub(proving_recheck_share=1.0)


@pytest.fixture
def ran(server: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Every job of the hub is run twice from now on, and compared after each; counts the names."""
    owner = server.url(OWNER, database_of(hub))
    names: Counter[str] = Counter()
    changed: list[object] = []
    once: Callable[[House], dict[str, tuple[str, Work]]] = app.work_of

    def twice(name: str, work: Work) -> Work:
        def run(**ids: str | int) -> None:
            work(**ids)
            before = _state(owner)
            work(**ids)
            after = _state(owner)
            if after != before:
                changed.append((name, [(t, after[t] - before[t], before[t] - after[t]) for t in after if after[t] != before[t]]))
            names[name] += 1

        return run

    def work_of(house: House) -> dict[str, tuple[str, Work]]:
        return {name: (queue, twice(name, work)) for name, (queue, work) in once(house).items()}

    plan_of = app.plan_of
    monkeypatch.setattr(app, "work_of", work_of)
    monkeypatch.setattr(app, "plan_of", lambda house: msgspec.structs.replace(plan_of(house), concurrency=1))
    yield names
    assert changed == []


def test_stages_that_need_no_sandbox_run_twice(hub: Hub, ran: Counter[str]) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    hub.member(OrganizationKind.OPERATOR)
    findings = [plain(f"flaw {n}", f"words {n}") for n in range(5)]

    for sender in (lab, other):
        reporting.submit_report(hub.house, sender, [report(*findings)], Envelope(name="report.json"))
        hub.work()
    reporting.submit_report(hub.house, lab, [b"no format reads this"], Envelope(name="notes.txt"))
    hub.work()

    assert ran == {"parse": 3, "check": 2, "sketch": 2}
    assert hub.failed_jobs() == []


@pytest.mark.sandbox
@pytest.mark.registry
def test_every_stage_runs_twice(hub: Hub, ran: Counter[str]) -> None:
    story = Story(hub)

    story.whole()
    flaw = plain("found by joe@hospital.org", locations=[{"file": "a.c", "line": 3, "function": "pump"}])
    scan = Envelope(name="scan.json", target=parse_target("forge.example/acme/router@0123456789abcdef"), complete=True)
    sent = reporting.submit_report(hub.house, story.lab, [report(flaw)], scan)
    hub.work()
    (shown,) = reporting.read_answers(hub.house, story.lab, sent.id)
    minimizing.mark_false_hit(hub.house, story.lab, shown.finding.id, shown.finding.body.left_out[0].number)
    other = hub.member(OrganizationKind.LAB)
    again = reporting.submit_report(hub.house, other, [report(flaw)], msgspec.structs.replace(scan, complete=False))
    hub.work()
    (same,) = reporting.read_answers(hub.house, other, again.id)
    coordinating.split_case(hub.house, story.coordinator, same.finding.case, [same.finding.id], "it is another flaw")
    suggesting.recompute_suggestions(hub.house, story.coordinator)
    signing.recompute_signatures(hub.house, story.coordinator)
    hub.work()

    assert set(ran) == set(app.work_of(hub.house))
    assert hub.failed_jobs() == []
    assert len(hub.mails()) == 2
