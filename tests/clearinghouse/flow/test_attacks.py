# SPDX-License-Identifier: Apache-2.0
"""Attacks on the flow: what a hostile finder, two of them, or a hasty maintainer with a link tries, and what must hold."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.deadline import policy_for
from clearwell.clearinghouse.case.participant import StatementKind
from clearwell.clearinghouse.case.report import Answer, SubmissionState
from clearwell.clearinghouse.case.store import Contact, KeptCase
from clearwell.clearinghouse.flow import (
    answering,
    checking,
    coordinating,
    maintaining,
    post,
    publishing,
    remediating,
    reporting,
    validating,
)  # fmt: skip
from clearwell.clearinghouse.flow.reporting import AnsweredFinding, Envelope
from clearwell.clearinghouse.remediation.difference import _one
from clearwell.clearinghouse.validation.sanity import is_checkable
from clearwell.faces.api.answers import answer_view
from clearwell.ground.identity.actor import CASE, PROVING, SANITY, LinkHolder, Member, OrganizationKind
from clearwell.proving import order
from clearwell.proving.attempt import Reproduction, Settings
from clearwell.proving.order import Order
from clearwell.proving.verdict import FixLabel, FixRung, FixVerdict, Outcome, Runs, Verdict
from clearwell.vocabulary.errors import Conflict, Invalid, Refused, TooLate, Unavailable
from clearwell.vocabulary.ids import CaseId, LinkId
from clearwell.vocabulary.marking import Marking
from hub import Hub
from pretend import ground

PUMP = {"purl": "pkg:generic/pump@1.2.5"}


def one(
    title: str = "overflow", proof: str | dict[str, object] | None = None, product: dict[str, str] | None = PUMP, **more: object
) -> dict[str, object]:
    """A finding about a component that no registry knows."""
    finding: dict[str, object] = {
        "title": title,
        "text": f"{title}: the length is not checked before the copy",
        "weakness": "CWE-787",
        "locations": [{"file": "a.c", "line": 3, "function": "pump"}],
        **more,
    }
    if product is not None:
        finding["product"] = product
    if proof is not None:
        finding["proof"] = {"files": {"proof.toml": proof}} if isinstance(proof, str) else proof
    return finding


def send(hub: Hub, lab: Member, *findings: dict[str, object], tool: str = "scout", **envelope: object) -> tuple[AnsweredFinding, ...]:
    """Send findings and have them parsed, without the jobs behind that."""
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": tool}, "findings": findings}).encode()
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json", **envelope))  # type: ignore[arg-type]
    answering.parse_submission(hub.house, sent.id)
    return reporting.read_answers(hub.house, lab, sent.id, limit=1000)


def again(hub: Hub, lab: Member, found: AnsweredFinding) -> AnsweredFinding:
    return reporting.read_finding(hub.house, lab, found.finding.id)[0]


def kept_case(hub: Hub, case: str) -> KeptCase:
    with hub.house.transaction(CASE) as tx:
        return store.load_case(tx, CaseId(case))


def verdict(outcome: Outcome, target: str = PUMP["purl"], reason: str = "", **more: object) -> Verdict:
    made = {
        "verdict": outcome, "reason": reason, "target": Runs(target, 3, 3, "leak: the token is in stdout"),
        "control": "none", "assurance": "hub", "preconditions": (), "variants": (),
        "ladder": (), "isolation": {}, "evidence": (), "seconds": 0.1,
    }  # fmt: skip
    return Verdict(**{**made, **more})  # type: ignore[arg-type]


def judged(label: FixLabel, outcome: Outcome) -> FixVerdict:
    """What taking a fix up its ladder said."""
    return FixVerdict(label, None, None, "said \x00", verdict(outcome), rungs=(FixRung("proof", "passed", "so \x1b it was"),))


def validate(hub: Hub, monkeypatch: pytest.MonkeyPatch, found: AnsweredFinding, seen: Verdict) -> None:
    """Run a finding's proof, which shows `seen`."""

    ground(monkeypatch, lambda _: Reproduction(seen, {}))
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, found.finding.id)
    assert proof is not None
    validating.validate_proof(hub.house, proof.id)


@pytest.fixture
def labs(hub: Hub) -> tuple[Member, Member]:
    return hub.member(OrganizationKind.LAB, "the first lab"), hub.member(OrganizationKind.LAB, "the second lab")


# A hostile finder ----------------------------------------------------------------------------------------------


def test_a_proof_of_another_component_proves_nothing_and_takes_nothing_in(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (real,) = send(hub, labs[0], one("a real overflow"))
    (junk,) = send(hub, labs[1], one("mine", proof="x = 1"))

    validate(hub, monkeypatch, junk, verdict(Outcome.REPRODUCED, "pkg:npm/minimist@1.2.5"))

    assert again(hub, labs[1], junk).finding.answer is Answer.NEEDS_PROOF
    assert "its proof runs against minimist 1.2.5" in again(hub, labs[1], junk).history[-1].reason
    assert kept_case(hub, junk.finding.case).case.standing is Standing.UNPROVEN
    assert again(hub, labs[0], real).finding.answer is Answer.NEEDS_PROOF


def test_a_proof_that_never_ran_refuses_nobody_elses_report(hub: Hub, labs: tuple[Member, Member]) -> None:
    (early,) = send(hub, labs[1], one("squatted", proof="x = 1", product={"purl": "pkg:generic/pump@9.9.9"}))
    (twin,) = send(hub, labs[0], one("real, while that is checked", proof="x = 1"))
    with hub.house.transaction(SANITY) as tx:
        checking.refuse(hub.house, tx, early.finding.id, "pump has no version 9.9.9", SANITY)

    (late,) = send(hub, labs[0], one("real, later", proof="x = 1"))

    assert again(hub, labs[0], twin).finding.answer is Answer.NEW
    assert late.finding.answer in {Answer.NEW, Answer.DUPLICATE}
    assert any(f"'proof': '{_proof(hub, twin)}'" in job for job in hub.ready_jobs() if job.startswith("validate"))
    assert kept_case(hub, twin.finding.case).case.title == "real, while that is checked"


def _proof(hub: Hub, found: AnsweredFinding) -> str:
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, found.finding.id)
    assert proof is not None
    return proof.id


def test_the_same_proof_under_another_components_name_opens_its_own_case(hub: Hub, labs: tuple[Member, Member]) -> None:
    (junk,) = send(hub, labs[1], one("squatted", proof="x = 1", product={"vendor": "acme", "model": "router"}))

    (real,) = send(hub, labs[0], one("real", proof="x = 1"))

    assert real.finding.case != junk.finding.case and real.finding.answer is Answer.NEW


def test_a_heap_of_refused_reports_hides_no_proven_one(hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> None:
    heap = send(hub, labs[1], *(one(f"junk {n}") for n in range(25)))
    (real,) = send(hub, labs[0], one("real", proof="x = 1"))
    validate(hub, monkeypatch, real, verdict(Outcome.REPRODUCED))
    fresh = hub.member(OrganizationKind.LAB)
    (before,) = send(hub, fresh, one("the same in other words"))
    with hub.house.transaction(SANITY) as tx:
        for junk in heap:
            checking.refuse(hub.house, tx, junk.finding.id, "there is no such file", SANITY)

    (after,) = send(hub, fresh, one("the same in still other words"))

    assert before.finding.case == after.finding.case == real.finding.case


def test_junk_that_joined_a_proven_case_changes_none_of_its_words_and_comes_behind_it(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (junk,) = send(hub, labs[1], one("A FALSE ALARM", weakness="CWE-79", locations=[{"file": "a.c", "line": 1, "function": "pump"}]))
    (real,) = send(hub, labs[0], one("real", proof="x = 1"))
    validate(hub, monkeypatch, real, verdict(Outcome.REPRODUCED))
    send(hub, labs[1], one("ANOTHER FALSE ALARM", weakness=["CWE-787", "CWE-79"]), marking=Marking.RED)

    kept = kept_case(hub, real.finding.case)
    with hub.house.transaction(CASE) as tx:
        findings = report_store.findings_of_case(tx, kept.id)
    assert (kept.case.title, kept.case.weaknesses, kept.fires) == ("real", ("CWE-787",), ("1.2.5",))
    assert findings[0].id == real.finding.id
    assert kept.case.ends_at <= real.ends_at
    assert again(hub, labs[1], junk).finding.answer in {Answer.DUPLICATE, Answer.NEEDS_PROOF}


def test_a_control_of_another_package_makes_no_version_clean(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (real,) = send(hub, labs[0], one("real", proof="x = 1"))

    control = Runs("pkg:generic/other@1.2.4", 3, 0, kind="other package")
    validate(hub, monkeypatch, real, verdict(Outcome.REPRODUCED, control=control))

    assert kept_case(hub, real.finding.case).clean == ()


@pytest.mark.parametrize("reason", ["it printed '\x00\x1b[2J' \u202egnp", "x" * 9_000])
def test_what_a_program_prints_into_the_reason_breaks_no_job(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    (found,) = send(hub, labs[0], one(proof="x = 1"))

    validate(hub, monkeypatch, found, verdict(Outcome.NOT_REPRODUCED, reason=reason))

    answered = again(hub, labs[0], found)
    assert answered.finding.answer is Answer.REFUSED
    assert not {"\x00", "\x1b", "\u202e"} & set(answered.history[-1].reason)


def test_a_proof_with_a_name_that_no_file_system_takes_is_answered(hub: Hub, labs: tuple[Member, Member]) -> None:
    files = {"proof.toml": "x = 1", "😀" * 150: "y"}
    (found,) = send(hub, labs[0], one(proof={"files": files}))

    bytes_of = {name: text.encode() for name, text in files.items()}
    done = order.look(Order("order_x", "reproduce", bytes_of, Settings()), None).done

    assert found.finding.answer is Answer.NEW
    assert done.verdict.verdict is Outcome.HARNESS_ERROR and "255 bytes" in done.verdict.reason


@pytest.mark.parametrize(
    "product",
    [
        {"purl": "pkg:generic/pump%00%0a%1b[2J@1%00"},
        {"purl": "pkg:generic/" + "".join(chr(0x20000 + 7 * n) for n in range(400)) + "@1"},
        {"vendor": "a\x00b", "model": "r\u202eouter\r\nBcc: x"},
        {"repository": "forge.example/water/" + "p" * 300, "commit": "0123456789abcdef"},
        None,
    ],
    ids=["control characters", "very long", "hostile names", "long repository", "no product"],
)
def test_a_hostile_product_is_answered_and_keeps_no_other_case_from_its_end_date(
    hub: Hub, labs: tuple[Member, Member], product: dict[str, str] | None
) -> None:
    hostile = send(hub, labs[1], one("hostile \x00 title \x1b[2J\r\nBcc: x", product=product, external_id="a\x00b"), tool="t\x00\x1b")
    (plain,) = send(hub, labs[0], one("plain", product={"vendor": "acme", "model": "router"}))
    assert all(found.finding.answer is Answer.NEEDS_PROOF for found in hostile)
    sent = reporting.list_submissions(hub.house, labs[1])
    assert sent[0].state is SubmissionState.PARSED

    hub.clock.move(days=91)
    publishing.look_at_clocks(hub.house)
    publishing.refresh_feed(hub.house)

    assert kept_case(hub, plain.finding.case).case.standing is Standing.PUBLISHED
    for found in hostile:
        assert kept_case(hub, found.finding.case).case.standing is Standing.PUBLISHED
    written = b"".join(path.read_bytes() for path in sorted(hub.house.settings.feed_dir.rglob("*")) if path.is_file())
    for secret in (labs[0].organization, labs[1].organization, "hostile", "plain"):
        assert secret.encode() not in written
    osv = [path for path in (hub.house.settings.feed_dir / "osv").iterdir() if not path.name.endswith(".dsse.json")]
    decoded = [json.loads(path.read_bytes()) for path in osv]
    assert len(decoded) == 1 + len(hostile)
    assert not any({"\x00", "\x1b", "\u202e", "\r", "\n"} & set(str(one_osv["summary"])) for one_osv in decoded)


def test_one_case_that_cannot_be_published_keeps_no_other_back(
    hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (bad,) = send(hub, labs[1], one("bad", product={"model": "bad"}))
    (good,) = send(hub, labs[0], one("good", product={"model": "good"}))
    release = publishing._release

    def failing(house: object, tx: object, kept: KeptCase, *rest: object) -> None:
        if kept.id == bad.finding.case:
            raise Invalid("this advisory cannot be written")
        release(house, tx, kept, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "_release", failing)
    hub.clock.move(days=91)
    with pytest.raises(Unavailable, match="1 cases"):
        publishing.look_at_clocks(hub.house)

    assert kept_case(hub, good.finding.case).case.standing is Standing.PUBLISHED


def test_answers_name_nothing_of_another_organization(hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> None:
    (real,) = send(hub, labs[0], one("a secret title", proof="x = 1"))
    validate(hub, monkeypatch, real, verdict(Outcome.REPRODUCED))

    (probe,) = send(hub, labs[1], one("a guess"))

    assert probe.finding.answer is Answer.DUPLICATE
    seen = msgspec.json.encode(msgspec.structs.replace(probe, finding=msgspec.structs.replace(probe.finding, case=CaseId("")))).decode()
    for secret in (
        labs[0].organization,
        labs[0].person,
        real.finding.id,
        real.finding.submission,
        real.participation or "?",
        "a secret title",
    ):
        assert secret not in seen
    assert str(reporting.my_participations(hub.house, labs[1])).count("part_") == 1


def test_a_package_of_a_private_registry_is_not_the_public_one_of_its_name(hub: Hub, labs: tuple[Member, Member]) -> None:
    """Nor is it looked for there: what the public package lacks says nothing about it; and two private ones are not one."""
    place = {"file": "src/pump.c", "line": 3, "function": "pump"}
    homes = []
    for lab, purl in (
        (labs[0], "pkg:npm/pump@1.0.0"),
        (labs[1], "pkg:npm/pump@1.0.0?repository_url=https://npm.corp.example/own"),
        (labs[0], "pkg:npm/pump@1.0.0?repository_url=registry.local"),
        (labs[1], "pkg:npm/pump@1.0.0?repository_url=registry.local"),
        (labs[0], "pkg:npm/pump@1.0.0?repository_url=npm.corp.example/own/"),
    ):
        (found,) = send(hub, lab, one(f"words of {len(homes)}", product={"purl": purl}, locations=[place]))
        homes.append(found.finding.case)

    assert len(set(homes[:4])) == 4
    assert homes[4] == homes[1]
    assert [is_checkable(kept_case(hub, home).case.component) for home in homes[:4]] == [True, False, False, False]


def test_a_duplicate_answer_tells_no_more_of_the_case_than_known_does(hub: Hub, labs: tuple[Member, Member]) -> None:
    """Neither how far it is nor its own end date, which two people moved: a day, and what the public policy makes of that day."""
    (real,) = send(hub, labs[0], one("a secret title"))
    hub.clock.move(days=2)
    (probe,) = send(hub, labs[1], one("a guess"))
    before, ends = answer_view(again(hub, labs[1], probe)), kept_case(hub, real.finding.case).case.ends_at
    assert before.standing is None and before.ends_at == policy_for(hub.clock.now()).ends_at(real.first_reported)

    with hub.house.transaction(CASE) as tx:
        kept = store.load_case(tx, CaseId(real.finding.case), lock=True)
        people = frozenset({labs[0].person, labs[1].person})
        case = kept.case.prove(hub.clock.now()).extend(ends + timedelta(days=20), people, hub.clock.now())
        store.save_case(tx, msgspec.structs.replace(kept, case=case))

    assert answer_view(again(hub, labs[1], probe)) == before
    opened = answer_view(again(hub, labs[0], real))
    assert (opened.standing, opened.ends_at) == ("proven", ends + timedelta(days=20)), "who opened it is answered about it"
    (row,) = reporting.my_participations(hub.house, labs[1])
    assert (row["standing"], row["ends_at"]) == ("proven", ends + timedelta(days=20)), "who takes part must keep the embargo as it is now"


def test_who_was_split_off_sees_nothing_more_of_the_case(hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> None:
    (real,) = send(hub, labs[0], one("real", proof="x = 1"))
    validate(hub, monkeypatch, real, verdict(Outcome.REPRODUCED))
    (probe,) = send(hub, labs[1], one("a guess"))
    coordinator = hub.member(OrganizationKind.COORDINATOR)

    coordinating.split_case(hub.house, coordinator, CaseId(real.finding.case), (probe.finding.id,), "it is not the same")

    rows = reporting.my_participations(hub.house, labs[1])
    assert [row["standing"] for row in rows] == ["unproven"]
    assert kept_case(hub, real.finding.case).case.standing is Standing.PROVEN


def test_the_newest_of_six_hundred_joined_reports_can_still_be_split_and_its_proof_then_runs(hub: Hub, labs: tuple[Member, Member]) -> None:
    first = send(hub, labs[1], one("the same", proof="x = 1"))[0]
    send(hub, labs[1], *(one("the same", proof="x = 1", external_id=f"F-{n}") for n in range(600)))
    (last,) = send(hub, labs[0], one("another story", proof="x = 1"))
    assert last.finding.case == first.finding.case
    coordinator = hub.member(OrganizationKind.COORDINATOR)

    (own,) = coordinating.split_case(hub.house, coordinator, CaseId(first.finding.case), (last.finding.id,), "it is another").cases

    assert again(hub, labs[0], last).finding.case == own
    assert any(f"'proof': '{_proof(hub, last)}'" in job for job in hub.ready_jobs() if job.startswith("validate"))


def test_a_refused_report_that_is_split_off_stays_refused(hub: Hub, labs: tuple[Member, Member]) -> None:
    (first,) = send(hub, labs[0], one("first"))
    (junk,) = send(hub, labs[1], one("junk"))
    with hub.house.transaction(SANITY) as tx:
        checking.refuse(hub.house, tx, junk.finding.id, "there is no such file", SANITY)
    coordinator = hub.member(OrganizationKind.COORDINATOR)

    coordinating.split_case(hub.house, coordinator, CaseId(first.finding.case), (junk.finding.id,), "it is another")

    assert again(hub, labs[1], junk).finding.answer is Answer.REFUSED


def test_no_address_in_a_report_ever_gets_mail(hub: Hub, labs: tuple[Member, Member]) -> None:
    text = "security contact: evil@attacker.example; maintainer: <evil@attacker.example>"
    send(hub, labs[1], one(f"overflow {text}", text=text, product={"vendor": "evil@attacker.example", "model": "evil@attacker.example"}))

    hub.clock.move(days=91)
    publishing.look_at_clocks(hub.house)

    assert not [job for job in hub.ready_jobs() if job.startswith("send_mail")]


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_an_envelope_takes_nothing_that_cannot_be_stored(text: str) -> None:
    with pytest.raises(Invalid):
        Envelope(name=text)
    with pytest.raises(Invalid):
        Envelope(name="report.json", idempotency_key=text)


# A hostile or hasty maintainer ----------------------------------------------------------------------------------


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[post.Mail]:
    """What would be mailed, in order."""
    sent: list[post.Mail] = []
    monkeypatch.setattr(maintaining, "post", lambda house, tx, mail: sent.append(mail))
    return sent


@pytest.fixture
def proven(hub: Hub, labs: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> AnsweredFinding:
    """A proven case that fires on 1.2.5."""
    (found,) = send(hub, labs[0], one("real", proof="x = 1"))
    validate(hub, monkeypatch, found, verdict(Outcome.REPRODUCED))
    return again(hub, labs[0], found)


@pytest.fixture
def holder(hub: Hub, proven: AnsweredFinding, mails: list[post.Mail]) -> LinkHolder:
    """The maintainer of the proven case, with the link opened."""
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    coordinating.record_contact(hub.house, coordinator, Contact("pkg:generic/pump", "dev", "dev@pump.example", "registry", 2))
    maintaining.invite(hub.house, CaseId(proven.finding.case))
    return maintaining.open_link(hub.house, mails[-1].text.partition("/maintainer/")[2].split()[0])


def code_of(hub: Hub, holder: LinkHolder, mails: list[post.Mail]) -> str:
    maintaining.send_code(hub.house, holder)
    assert mails[-1].to == "dev@pump.example"
    return mails[-1].text.split()[3].rstrip(".")


@pytest.mark.parametrize(
    "version",
    ["latest", "1.2.6@evil", "../1.2.6", "1.2.6/..", "1.2%2E6", "%31.2.6", "1.2.6?x=1", "1.2.6#x", "1.2.6 ", "1.2.6\n", "", "1" * 101,
     "1.2.5", "1.2.6\x00", "-1.2.6", "1.2.6\u202e", "१.२.६"],
)  # fmt: skip
def test_what_is_no_version_is_no_claim(version: str, case: KeptCase) -> None:
    with pytest.raises(Invalid):
        maintaining._check_version(case, version)


@pytest.fixture
def case() -> KeptCase:
    from datetime import UTC, datetime

    from clearwell.clearinghouse.case.case import open_case

    now = datetime(2026, 11, 2, tzinfo=UTC)
    opened = open_case(CaseId("case_x"), "pkg:npm/minimist", "t", ("CWE-1321",), now, now)
    return KeptCase(case=opened, marking=Marking.AMBER, fires=("1.2.10", "1.2.5"))


@pytest.mark.parametrize("version", ["1.2.9", "0.2.4", "1.2.10", "1.2.10-rc.1"])
def test_a_fix_is_later_than_every_version_on_which_the_proof_fires(version: str, case: KeptCase) -> None:
    with pytest.raises(Invalid, match=r"the proof fires on 1\.2\.10"):
        maintaining._check_version(case, version)


@pytest.mark.parametrize("version", ["1.2.11", "1.3.0-rc.1", "v2.0.0", "2.0.0+build.5"])
def test_a_later_version_is_a_claim(version: str, case: KeptCase) -> None:
    maintaining._check_version(case, version)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (judged(FixLabel.REFUTED, Outcome.REPRODUCED), "not_verified"),
        (judged(FixLabel.REFUTED, Outcome.FIX_NOT_VERIFIED), "not_verified"),
        (judged(FixLabel.INCONCLUSIVE, Outcome.REPRODUCED), "not_verified"),
        (judged(FixLabel.INCONCLUSIVE, Outcome.INCONCLUSIVE), "not_verified"),
        (judged(FixLabel.NOT_REFUTED, Outcome.REPRODUCED), "verified"),
        (judged(FixLabel.FLAGGED, Outcome.REPRODUCED), "verified"),
    ],
)
def test_a_fix_is_verified_only_when_no_rung_refutes_it(
    hub: Hub, holder: LinkHolder, mails: list[post.Mail], monkeypatch: pytest.MonkeyPatch, seen: FixVerdict, state: str
) -> None:
    monkeypatch.setattr(remediating, "between", lambda *_: b"--- a\n+++ b\n")
    maintaining.make_statement(hub.house, holder, code_of(hub, holder, mails), StatementKind.FIXED_IN, "done", "1.2.6")
    (fix,) = maintaining.read_linked(hub.house, holder).fixes
    ground(monkeypatch, lambda _: seen)

    remediating.verify_fix(hub.house, fix.id)

    (fix,) = maintaining.read_linked(hub.house, holder).fixes
    assert fix.state == state
    assert fix.ladder is not None
    assert [rung["name"] for rung in fix.ladder["rungs"]] == ["proof"]
    assert "verdict" not in fix.ladder
    assert (kept_case(hub, holder.case).case.standing is Standing.FIXED) == (state == "verified")


def test_a_patch_meets_the_bytes_that_were_sent_whatever_names_the_proof_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def look(_: object, fix: object, *__: object, **___: object) -> tuple[FixVerdict, Reproduction]:
        given.append(fix)
        told = judged(FixLabel.NOT_REFUTED, Outcome.REPRODUCED)
        return told, Reproduction(told.verdict, {})

    monkeypatch.setattr(order, "opened", lambda *_: None)
    monkeypatch.setattr(order, "judge_fix", look)

    order.look(Order("order_x", "judge", {"proof.toml": b"", "claimed-fix.patch/x": b""}, Settings(), patch=b"the patch"), None)

    assert given == [b"the patch"]


def test_a_version_whose_source_cannot_be_read_is_not_verified(
    hub: Hub, holder: LinkHolder, mails: list[post.Mail], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> bytes:
        raise Invalid("an archive with links")

    monkeypatch.setattr(remediating, "between", unreadable)
    ground(monkeypatch, lambda _: judged(FixLabel.NOT_REFUTED, Outcome.REPRODUCED))
    maintaining.make_statement(hub.house, holder, code_of(hub, holder, mails), StatementKind.FIXED_IN, "done", "1.2.6")

    remediating.verify_fix(hub.house, maintaining.read_linked(hub.house, holder).fixes[0].id)

    assert maintaining.read_linked(hub.house, holder).fixes[0].state == "not_verified"


def test_codes_are_guessed_five_times_and_mailed_twenty_times_an_hour(hub: Hub, holder: LinkHolder, mails: list[post.Mail]) -> None:
    right = code_of(hub, holder, mails)
    wrong = f"{(int(right) + 1) % 10**8:08d}"
    for _ in range(5):
        with pytest.raises(Refused, match="newest"):
            maintaining.make_statement(hub.house, holder, wrong, StatementKind.ACCEPTED, "x")
    with pytest.raises(Refused, match="too many tries"):
        maintaining.make_statement(hub.house, holder, right, StatementKind.ACCEPTED, "x")

    with pytest.raises(Refused, match="too many codes"):
        for _ in range(30):
            maintaining.send_code(hub.house, holder)
    assert len(mails) <= 21
    hub.clock.move(hours=2)
    maintaining.make_statement(hub.house, holder, code_of(hub, holder, mails), StatementKind.ACCEPTED, "x")


def test_a_link_that_was_ended_acts_no_more_even_where_it_was_opened_before(hub: Hub, holder: LinkHolder, mails: list[post.Mail]) -> None:
    code = code_of(hub, holder, mails)
    coordinating.revoke_link(hub.house, hub.member(OrganizationKind.COORDINATOR), LinkId(holder.link))

    with pytest.raises(TooLate):
        maintaining.make_statement(hub.house, holder, code, StatementKind.NOT_A_BUG, "go away")


def test_a_link_claims_nothing_for_a_case_that_was_joined_with_another(
    hub: Hub, holder: LinkHolder, labs: tuple[Member, Member], mails: list[post.Mail], monkeypatch: pytest.MonkeyPatch
) -> None:
    maintaining.make_statement(hub.house, holder, code_of(hub, holder, mails), StatementKind.FIXED_IN, "done", "1.2.6")
    (waiting,) = maintaining.read_linked(hub.house, holder).fixes
    (other,) = send(hub, labs[1], one("other", proof="x = 2", locations=[{"file": "b.c", "line": 1, "function": "valve"}]))
    validate(hub, monkeypatch, other, verdict(Outcome.REPRODUCED))
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    coordinating.merge_cases(hub.house, coordinator, holder.case, CaseId(other.finding.case), "one cause")

    with pytest.raises(Conflict, match="joined with another"):
        maintaining.claim_patch(hub.house, holder, code_of(hub, holder, mails), b"--- a\n+++ b\n")
    remediating.verify_fix(hub.house, waiting.id)

    assert maintaining.read_linked(hub.house, holder).fixes[0].state == "not_verified"


def test_claims_wait_in_a_short_queue_and_those_without_a_proof_are_answered(
    hub: Hub, labs: tuple[Member, Member], mails: list[post.Mail]
) -> None:
    (found,) = send(hub, labs[0], one("unproven"))
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    coordinating.record_contact(hub.house, coordinator, Contact("pkg:generic/pump", "dev", "dev@pump.example", "registry", 2))
    hub.clock.move(days=80)
    publishing.look_at_clocks(hub.house)
    holder = maintaining.open_link(hub.house, mails[-1].text.partition("/maintainer/")[2].split()[0])
    code = code_of(hub, holder, mails)
    for number in range(5):
        maintaining.make_statement(hub.house, holder, code, StatementKind.FIXED_IN, "done", f"2.0.{number}")

    with pytest.raises(Conflict, match="being verified"):
        maintaining.make_statement(hub.house, holder, code, StatementKind.FIXED_IN, "done", "2.0.9")

    fixes = maintaining.read_linked(hub.house, holder).fixes
    remediating.verify_fix(hub.house, fixes[0].id)
    assert maintaining.read_linked(hub.house, holder).fixes[0].state == "not_verified"
    assert kept_case(hub, found.finding.case).case.standing is Standing.UNPROVEN


@pytest.mark.parametrize("make", [lambda n: n % 200, lambda n: n % 7 * n % 199], ids=["regular", "irregular"])
def test_a_fix_made_to_be_compared_for_ever_is_compared_at_once(make: Callable[[int], int]) -> None:
    before = "".join(f"{n % 200}\n" for n in range(60_000)).encode()
    after = "".join(f"{make(59_999 - n)}\n" for n in range(60_000)).encode()
    started = time.monotonic()

    shown = _one("a.js", before, after)

    assert time.monotonic() - started < 5
    assert shown.count("\n-") >= 59_999 and shown.count("\n+") >= 59_999


def test_a_statement_closes_nothing_and_moves_no_end_date(hub: Hub, holder: LinkHolder, mails: list[post.Mail]) -> None:
    before = kept_case(hub, holder.case)
    code = code_of(hub, holder, mails)

    for kind in (StatementKind.NOT_A_BUG, StatementKind.DUPLICATE, StatementKind.ACCEPTED, StatementKind.NEEDS_MORE):
        maintaining.make_statement(hub.house, holder, code, kind, "<script>\u202e\x1b[2J</script>" * 50)
    with pytest.raises(Invalid):
        maintaining.make_statement(hub.house, holder, code, StatementKind.ACCEPTED, "a\x00b")

    after = kept_case(hub, holder.case)
    assert (after.case.standing, after.case.ends_at) == (before.case.standing, before.case.ends_at)
    assert timedelta(0) < after.case.ends_at - hub.clock.now() <= timedelta(days=90)
