# SPDX-License-Identifier: Apache-2.0
"""Reporting and answering: every finding has an answer, the same thing twice is one thing, a finder sees its own."""

import json
from collections.abc import Callable

import pytest

from clearwell.clearinghouse.case.report import SubmissionState
from clearwell.clearinghouse.flow import coordinating, minimizing, reporting
from clearwell.clearinghouse.flow.reporting import AnsweredFinding, Envelope
from clearwell.ground.identity.actor import Member, OrganizationKind
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Refused
from clearwell.vocabulary.ids import CaseId
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.product import parse_target
from hub import Hub

TARGET = parse_target("forge.example/water/pump@0123456789abcdef")


def scan(*places: tuple[str, str, int], tool: str = "scout", message: str = "the length is not checked") -> bytes:
    """A SARIF scan: one CWE-787 result for each (file, function, line)."""
    results = [
        {
            "ruleId": "overflow",
            "level": "error",
            "message": {"text": f"{message} in {function}"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}},
                    "logicalLocations": [{"fullyQualifiedName": function, "kind": "function"}],
                }
            ],
        }
        for file, function, line in places
    ]
    rules = [{"id": "overflow", "properties": {"tags": ["external/cwe/cwe-787"]}}]
    run = {"tool": {"driver": {"name": tool, "rules": rules}}, "results": results}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def send(hub: Hub, lab: Member, raw: bytes, **envelope: object) -> str:
    chosen = {"name": "scan.sarif", "target": TARGET, **envelope}
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(**chosen))  # type: ignore[arg-type]
    hub.work()
    assert hub.failed_jobs() == []
    return sent.id


def answers(hub: Hub, lab: Member, submission: str) -> tuple[AnsweredFinding, ...]:
    return reporting.read_answers(hub.house, lab, submission)  # type: ignore[arg-type]


def words(found: tuple[AnsweredFinding, ...]) -> list[str]:
    return [one.finding.answer.value for one in found]


def test_every_finding_of_a_scan_is_answered_in_its_order(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)

    sent = send(hub, lab, scan(("a.c", "pump", 3), ("b.c", "valve", 9)))

    found = answers(hub, lab, sent)
    assert words(found) == ["needs_proof", "needs_proof"]
    assert [one.finding.position for one in found] == [0, 1]
    assert all((one.ends_at - one.finding.received_at).days == 90 for one in found)


TABLE = b"Nr;Was;Wo;Weiter\n1;zu weit (CWE-787) seen by jane.doe@hospital.org;src/a.c:7;zu kurz (CWE-125)\n"
GERMAN = {"title": "Was", "file": "Wo"}


def test_a_table_is_read_by_the_columns_that_were_named_with_it_whenever_it_is_read(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    plainly = send(hub, lab, TABLE, name="t.csv")
    sent = send(hub, lab, TABLE, name="t.csv", columns=GERMAN)

    assert reporting.read_submission(hub.house, lab, plainly).state is SubmissionState.UNREADABLE  # type: ignore[arg-type]
    (one,) = answers(hub, lab, sent)
    assert (one.finding.title, one.finding.body.locations[0].line) == ("zu weit (CWE-787) seen by [mail address left out]", 7)
    minimizing.mark_false_hit(hub.house, lab, one.finding.id, one.finding.body.left_out[0].number)
    hub.work()
    assert hub.failed_jobs() == []
    assert answers(hub, lab, sent)[0].finding.title == "zu weit (CWE-787) seen by jane.doe@hospital.org"


def test_the_same_bytes_with_other_columns_are_another_report(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    sent = send(hub, lab, TABLE, columns=GERMAN, idempotency_key="k")

    assert send(hub, lab, TABLE, columns=dict(reversed(GERMAN.items())), idempotency_key="k") == sent
    other = send(hub, lab, TABLE, columns={**GERMAN, "title": "Weiter"})
    assert other != sent and answers(hub, lab, other)[0].finding.title == "zu kurz (CWE-125)"
    with pytest.raises(Conflict, match="other columns"):
        reporting.submit_report(hub.house, lab, [TABLE], Envelope(name="scan.sarif", target=TARGET, idempotency_key="k"))


def test_a_column_that_is_not_there_is_named_in_the_problem(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    sent = send(hub, lab, TABLE, columns={"title": "Titel"})

    (said,) = reporting.read_submission(hub.house, lab, sent).problems  # type: ignore[arg-type]
    assert said == "there is no column 'Titel'; there are Nr, Was, Wo, Weiter"


def test_another_labs_scanner_at_shifted_lines_is_a_duplicate_that_sees_nothing_of_the_first(hub: Hub) -> None:
    first, second = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    send(hub, first, scan(("a.c", "pump", 3)))

    sent = send(hub, second, scan(("a.c", "pump", 8), tool="other", message="out-of-bounds write possible"))

    (one,) = answers(hub, second, sent)
    assert words((one,)) == ["duplicate"]
    assert one.participation is not None and one.first_reported is not None and one.first_reported.hour == 0
    with pytest.raises(NotFound):
        reporting.read_submission(hub.house, second, answers(hub, first, list_of(hub, first))[0].finding.submission)


def list_of(hub: Hub, lab: Member) -> str:
    return reporting.list_submissions(hub.house, lab)[0].id


def test_two_findings_of_one_scan_never_join_by_location(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)

    sent = send(hub, lab, scan(("a.c", "pump", 3), ("a.c", "pump", 90)))

    found = answers(hub, lab, sent)
    assert words(found) == ["needs_proof", "needs_proof"]
    assert found[0].finding.case != found[1].finding.case


def test_the_same_bytes_twice_are_one_submission(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    raw = scan(("a.c", "pump", 3))

    first, second = send(hub, lab, raw), send(hub, lab, raw)

    assert first == second
    assert len(reporting.list_submissions(hub.house, lab)) == 1


def test_an_idempotency_key_used_for_other_bytes_is_a_conflict(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    send(hub, lab, scan(("a.c", "pump", 3)), idempotency_key="run-1")

    with pytest.raises(Conflict, match="other bytes"):
        send(hub, lab, scan(("b.c", "pump", 3)), idempotency_key="run-1")


def test_one_organizations_key_says_nothing_about_anothers(hub: Hub) -> None:
    first, second = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)

    one = send(hub, first, scan(("a.c", "pump", 3)), idempotency_key="run-1")
    other = send(hub, second, scan(("a.c", "pump", 3)), idempotency_key="run-1")

    assert one != other


def test_an_unreadable_report_says_why_and_stays_sealed(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)

    sent = send(hub, lab, b"\x00\x01 no format at all", name="strange.bin")

    submission = reporting.read_submission(hub.house, lab, sent)  # type: ignore[arg-type]
    assert submission.state is SubmissionState.UNREADABLE
    assert submission.problems and "sarif" in submission.problems[0].lower()


def test_a_report_past_the_limit_is_refused_and_leaves_nothing(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(submission_bytes=1000)
    lab = hub.member(OrganizationKind.LAB)

    with pytest.raises(Invalid, match="limit"):
        reporting.submit_report(hub.house, lab, (b"x" * 100 for _ in range(100)), Envelope(name="big"))

    assert reporting.list_submissions(hub.house, lab) == ()
    assert [path for path in hub.house.settings.blobs_dir.rglob("*") if path.is_file()] == []


def test_only_the_originator_lowers_a_marking_and_the_strictest_source_wins(hub: Hub) -> None:
    first, second = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    mild = send(hub, first, scan(("a.c", "pump", 3)), marking=Marking.GREEN)
    strict = send(hub, second, scan(("a.c", "pump", 7), tool="other"), marking=Marking.RED)
    case = CaseId(answers(hub, first, mild)[0].finding.case)
    assert coordinating.read_case(hub.house, coordinator, case).kept.marking is Marking.RED

    with pytest.raises(Refused, match="originator"):
        reporting.remark_submission(hub.house, coordinator, strict, Marking.CLEAR)  # type: ignore[arg-type]
    reporting.remark_submission(hub.house, second, strict, Marking.AMBER)  # type: ignore[arg-type]

    assert coordinating.read_case(hub.house, coordinator, case).kept.marking is Marking.AMBER


def test_an_earlier_receipt_keeps_the_nearer_end_date(hub: Hub) -> None:
    first, second = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    early = answers(hub, first, send(hub, first, scan(("a.c", "pump", 3))))[0]
    hub.clock.move(days=30)

    late = answers(hub, second, send(hub, second, scan(("a.c", "pump", 4), tool="other")))[0]

    assert late.ends_at == early.ends_at
    assert late.first_reported is not None and late.first_reported.date() == early.finding.received_at.date()


def test_a_visitor_of_another_organization_finds_no_finding(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    (one,) = answers(hub, lab, send(hub, lab, scan(("a.c", "pump", 3))))

    with pytest.raises(NotFound):
        reporting.read_finding(hub.house, other, one.finding.id)


def test_an_auditor_submits_nothing_and_lists_no_cases(hub: Hub) -> None:
    auditor = hub.member(OrganizationKind.AUDITOR)

    with pytest.raises(Refused):
        reporting.submit_report(hub.house, auditor, [b"x"], Envelope(name="x"))
    with pytest.raises(Refused):
        coordinating.list_cases(hub.house, auditor)
