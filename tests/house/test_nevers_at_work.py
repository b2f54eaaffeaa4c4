# SPDX-License-Identifier: Apache-2.0
"""The nevers of MISSION.md at work: each test drives the hub and shows that the thing does not happen. Names and words: test_nevers.py."""

import ast
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import DiffRead
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.case.store import Contact, Fix, KeptParticipant
from clearwell.clearinghouse.flow import coordinating, judging, maintaining, operating, publishing, remediating, reporting
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, IDENTITY, PROVING, Member, OrganizationKind, Visitor
from clearwell.ground.identity.two_person import Proposal
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.storage.embedded import OWNER
from clearwell.proving.attempt import Reproduction
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import ClearwellError, Conflict, NotFound, Refused, TooLate, Unavailable
from clearwell.vocabulary.ids import CaseId, FindingId, ParticipantId, ProofId, ProposalId, RemediationId
from clearwell.vocabulary.marking import Marking
from house.rows import database_of, rows
from house.tree import files, named
from house.verbs import FLOW
from hub import Hub
from pretend import ground, verdict
from story import Story, plain, report


def _send(hub: Hub, lab: Member, *findings: dict[str, object], **envelope: Any) -> str:
    sent = reporting.submit_report(hub.house, lab, [report(*findings)], Envelope(name="report.json", **envelope)).id
    hub.work()
    return sent


def _cases(hub: Hub, coordinator: Member, submission: str) -> list[CaseId]:
    findings = reporting.read_answers(hub.house, coordinator, submission, limit=500)  # type: ignore[arg-type]
    return [answered.finding.case for answered in findings]


def _prove(hub: Hub, case: CaseId) -> None:
    """Say of a case what a reproduction says of it."""
    with hub.house.transaction(PROVING) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.prove(hub.clock.now())))


def _look(hub: Hub) -> None:
    """The clocks' chore, as often as a worker does it, and what it makes necessary."""
    for _ in range(4):
        publishing.look_at_clocks(hub.house)
    hub.work()


# -- never 2: no hoard --------------------------------------------------------------------------------------------------


def test_never_2_an_end_date_publishes_unattended_also_what_is_unproven_or_waits(hub: Hub) -> None:
    lab, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    sent = _send(hub, lab, *[plain(f"flaw {n}", f"words {n}") for n in range(3)], plain("flaw x", product=None))
    unproven, presented, waiting, unnamed = _cases(hub, coordinator, sent)
    component = coordinating.read_case(hub.house, coordinator, unproven).kept.case.component
    coordinating.record_contact(hub.house, coordinator, Contact(component, "the maintainer", "dev@acme.example", "registry", 1))
    for case in (presented, waiting):
        _prove(hub, case)
        maintaining.invite(hub.house, case)
    hub.work()
    assert ["/maintainer/" in mail for mail in hub.mails()] == [True]
    assert publishing.list_advisories(hub.house, Visitor()) == ()

    for days in (77, 11):  # fourteen days before, then three: whatever the limit, whatever is proven
        mails = len(hub.mails())
        hub.clock.move(days=days)
        _look(hub)
        assert len(hub.mails()) > mails
        assert all("dev@acme.example" in mail for mail in hub.mails())
    with hub.house.transaction(CASE) as tx:
        assert tx.rows("SELECT DISTINCT reminded FROM clearwell.vulnerability_case") == ({"reminded": [14, 3]},)
        vendors = tx.rows("SELECT case_id FROM clearwell.participant WHERE role = 'vendor'")
    assert {row["case_id"] for row in vendors} == {unproven, presented, waiting}

    hub.clock.move(days=3)
    _look(hub)
    published = publishing.list_advisories(hub.house, Visitor())
    assert len(published) == 4 and all(one.advisory.is_minimal for one in published)
    public = "".join(path.read_text() for path in hub.house.settings.feed_dir.rglob("*.json"))
    assert "CWE-787" in public
    assert all(word not in public for word in ("flaw 0", "flaw x", "words", lab.organization, lab.person, unproven))
    for case in (unproven, presented, waiting, unnamed):
        assert coordinating.read_case(hub.house, coordinator, case).kept.case.published_at is not None
    assert hub.failed_jobs() == []


def test_never_2_every_maintainer_is_told_however_many_cases_end_together(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    _send(hub, lab, *[plain(f"flaw {n}", f"words {n} {n * 7919}") for n in range(230)])
    hub.clock.move(days=77)

    _look(hub)

    with hub.house.transaction(CASE) as tx:
        told = tx.value("SELECT count(*) FROM clearwell.vulnerability_case WHERE 14 = ANY (reminded)")
        every = tx.value("SELECT count(*) FROM clearwell.vulnerability_case")
    assert every >= 200
    assert told == every


def test_never_2_a_report_that_was_refused_is_bound_by_nothing_of_ours(hub: Hub) -> None:
    lab, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    (case,) = _cases(hub, coordinator, _send(hub, lab, plain("a flaw")))
    with hub.house.transaction(PROVING) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.refuse(hub.clock.now(), "it cites what does not exist")))

    hub.clock.move(days=91)
    _look(hub)

    assert publishing.list_advisories(hub.house, Visitor()) == ()
    assert not coordinating.read_case(hub.house, coordinator, case).kept.embargo.holds(hub.clock.now())


# -- never 3: no target list --------------------------------------------------------------------------------------------


def test_never_3_only_an_operator_itself_sees_its_inventory(server: Any, hub: Hub) -> None:
    with psycopg.connect(server.url(OWNER, database_of(hub))) as connection:
        policies = connection.execute(
            "SELECT tablename, qual, with_check FROM pg_policies "
            "WHERE schemaname = 'clearwell' AND tablename IN ('asset', 'inventory', 'installed', 'action')"
        ).fetchall()

    assert len(policies) >= 4
    for table, qual, check in policies:
        for text in (qual, check):
            assert text is None or set(re.findall(r"clearwell\.(\w+)", text)) == {"my_organization"}, table


def test_never_3_no_query_joins_operators() -> None:
    """Every statement about an operator's rows stands in a store that only operators' verbs call."""
    allowed = {"inventory/store.py", "clearinghouse/distribution/store.py", "clearinghouse/case/measure_store.py"}
    speaking = {
        named(path).removeprefix("src/clearwell/")
        for path in files(".py", under="src")
        if re.search(r"clearwell\.(asset|inventory|installed|action)\b(?!\.)\s", path.read_text(encoding="utf-8"))
        and re.search(r"(FROM|JOIN|INTO|UPDATE)\s+clearwell\.(asset|inventory|installed|action)\b", path.read_text(encoding="utf-8"))
    }

    assert speaking <= allowed


@pytest.mark.sandbox
@pytest.mark.registry
def test_never_3_and_4_over_a_whole_story(server: Any, hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    story = Story(hub)
    operators = {story.hospital.organization, story.city.organization, story.hospital.person, story.city.person}
    story.prepare()
    story.submit()
    hub.work()
    story.fix()
    hub.work()

    # before publication nobody is told because of an inventory
    for operator in (story.hospital, story.city):
        assert operating.read_actions(hub.house, operator, with_installed=True) == ()
    assert all("dev@minimist.example" in mail for mail in hub.mails())

    story.distribute()
    hub.work()
    (action,) = operating.read_actions(hub.house, story.hospital)
    operating.send_receipt(hub.house, story.hospital, action.id, "received")
    story.inventory("1.2.6")
    hub.work()
    hub.fold()

    # no row, job, ledger line, file or log outside the operator's own rows names an operator beside a flaw
    flaws = {story.case, action.advisory, action.public_id, "minimist"}
    owner = server.url(OWNER, database_of(hub))
    for table, lines in rows(owner).items():
        joined = [line for line in lines if any(o in line for o in operators) and any(flaw in line for flaw in flaws)]
        assert table in {"action", "installed"} or joined == [], table
    with psycopg.connect(owner) as connection:
        jobs = connection.execute("SELECT task_name, args::text, lock FROM procrastinate.procrastinate_jobs").fetchall()
        entries = connection.execute("SELECT type, convert_from(body, 'UTF8') FROM clearwell.ledger_entry").fetchall()
    for name, args, lock in jobs:
        assert not (any(o in f"{args}{lock}" for o in operators) and any(flaw in f"{args}{lock}" for flaw in flaws)), name
        assert not any(o in f"{args}{lock}" for o in operators) or set(msgspec.json.decode(args)) == {"organization"}, name
    for kind, body in entries:
        assert kind == "organization.added" or not any(o in body for o in operators), kind
    for folder in (hub.house.settings.feed_dir, hub.house.settings.ledger_dir, hub.house.settings.outbox_dir):
        for path in folder.rglob("*"):
            assert path.is_dir() or not any(o.encode() in path.read_bytes() for o in operators), path
    assert not any(o in "".join(capfd.readouterr()) for o in operators)

    # never 4: each read of the proof, the workers' too, is in the ledger and visible to its contributor
    (answered,) = reporting.read_answers(hub.house, story.lab, story.submission)
    read = reporting.proof_reads(hub.house, story.lab, answered.finding.id)
    assert [(row["reader"], row["purpose"]) for row in read] == [
        ("system:proving", "validation"),
        ("system:proving", "verification of a fix"),
        ("system:proving", "comparison by a fix"),
    ]
    lines = [body for kind, body in entries if kind == "proof.read"]
    assert len(lines) == 3 and all(any(row["entry_id"] in line for line in lines) for row in read)


# -- never 4: no silent read --------------------------------------------------------------------------------------------


def _with_proof(hub: Hub, lab: Member) -> tuple[FindingId, ProofId]:
    """A report whose proof is no proof folder: it needs no sandbox to fail."""
    (answered,) = reporting.read_answers(hub.house, lab, _send(hub, lab, plain("a flaw", proof={"files": {"proof.toml": "no proof"}})))  # type: ignore[arg-type]
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, answered.finding.id)
    assert proof is not None
    return answered.finding.id, ProofId(proof.id)


@pytest.mark.parametrize("reader", ["worker", "coordinator", "contributor"])
def test_never_4_a_read_is_in_the_ledger_even_when_its_bytes_never_come(hub: Hub, reader: str) -> None:
    lab = hub.member(OrganizationKind.LAB)
    finding, proof = _with_proof(hub, lab)
    actor = {"worker": PROVING, "coordinator": hub.member(OrganizationKind.COORDINATOR), "contributor": lab}[reader]
    before = len(reporting.proof_reads(hub.house, lab, finding))
    for path in hub.house.settings.blobs_dir.rglob("*"):
        if path.is_file():
            path.unlink()

    with pytest.raises(Unavailable):
        read_proof(hub.house, actor, proof, "a test")

    (*_, last) = reporting.proof_reads(hub.house, lab, finding)
    assert len(reporting.proof_reads(hub.house, lab, finding)) == before + 1
    assert (last["reader"], last["purpose"]) == (actor.name, "a test")
    with hub.house.transaction(Visitor()) as tx:
        assert proof in bytes(tx.value("SELECT body FROM clearwell.ledger_entry WHERE id = %(id)s", id=last["entry_id"])).decode()


def test_never_4_who_may_not_read_a_proof_leaves_no_bytes_and_no_doubt(hub: Hub) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    finding, proof = _with_proof(hub, lab)
    before = len(reporting.proof_reads(hub.house, lab, finding))

    for stranger in (other, hub.member(OrganizationKind.AUDITOR), hub.member(OrganizationKind.OPERATOR)):
        with pytest.raises((Refused, NotFound)):
            read_proof(hub.house, stranger, proof, "curiosity")

    assert len(reporting.proof_reads(hub.house, lab, finding)) == before


def test_never_4_only_evidence_and_intake_open_what_was_submitted() -> None:
    """Every place that opens blobs is listed: each writes the read to the ledger before."""
    opening = {
        f"{path.stem}.{node.name}"
        for path in FLOW.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(call, ast.Call) and ast.unparse(call.func) == "house.blobs.open" for call in ast.walk(node))
    }

    assert opening <= {
        "evidence.read_proof",
        "answering.parse_submission",
        "minimizing.minimize_again",
        "sourcing.read",
        "sourcing.tree_of",
        "uploading._join",  # finish_upload committed the entry
        "trying.patch_of",
        "remediating.read_difference",
    }


# -- never 5: no lone hand ----------------------------------------------------------------------------------------------

TWO_PERSON = {
    "confirm_extension": coordinating.EXTEND,
    "destroy_proofs": coordinating.DESTROY,
    "confirm_distribution": remediating.DISTRIBUTE,
    "confirm_merge": judging.MERGE,
    "confirm_split": judging.SPLIT,
}
"""The verbs that need a second person, and their acts."""
WORDS = re.compile(
    r"release_proof|give_proof|invite_organization|exten[ds]|emergency|determin|referral|refer_|recover_key|key_recovery|distribut|destr"
    r"|confirm_merge|confirm_split"
)


def _proposal(hub: Hub, who: Member, act: str, *readers: Member) -> tuple[Proposal, tuple[str, ...]]:
    """A case ripe for the act, proposed by one person; and what the confirming verb takes besides."""
    lab = hub.member(OrganizationKind.LAB)
    (case,) = _cases(hub, who, _send(hub, lab, plain(f"a flaw to {act}", f"words for {act}")))
    if act == coordinating.EXTEND:
        until = coordinating.read_case(hub.house, who, case).kept.case.ends_at + timedelta(days=5)
        return coordinating.propose_extension(hub.house, who, case, until), ()
    if act == coordinating.DESTROY:
        return coordinating.propose_destruction(hub.house, who, case), ()
    if act in {judging.MERGE, judging.SPLIT}:
        return _judgment(hub, who, act, case), ()
    sha, fix = "a" * 64, RemediationId(hub.house.new_id("fix"))
    with hub.house.transaction(CASE) as tx:
        claimed = Fix(
            id=fix, case=case, kind="version", version="2", patch_address=None, claimed_by="x", claimed_at=hub.clock.now(), state="claimed"
        )
        store.insert_fix(tx, claimed)
        store.save_fix(tx, msgspec.structs.replace(claimed, state="verified", diff_sha256=sha, diff_address="x"))
        for reader in (who, *readers):
            hub.house.write(tx, DiffRead(case, fix, Salted(sha)), by=reader)
    return remediating.propose_distribution(hub.house, who, fix, sha), (sha,)


def _judgment(hub: Hub, who: Member, act: str, case: CaseId) -> Proposal:
    """A merge of a case that has a proof into one that has a maintainer; or that maintainer came while the case was merged elsewhere."""
    with_proof = plain(f"proven to {act}", f"other words for {act}", proof={"files": {"proof.toml": act}})
    (moved,) = _cases(hub, who, _send(hub, hub.member(OrganizationKind.LAB), with_proof))
    reason, maintained = "one root cause", case if act == judging.MERGE else moved
    if act == judging.SPLIT:
        assert coordinating.merge_cases(hub.house, who, moved, case, reason).proposal is None
    with hub.house.transaction(CASE) as tx:
        vendor = KeptParticipant(
            id=ParticipantId(hub.house.new_id("part")), case=maintained, role="vendor", contact="dev@acme.example",
            joined_at=hub.clock.now(), first_reported=hub.clock.now(),
        )  # fmt: skip
        store.insert_participants(tx, [vendor])
        came = store.came_from(tx, case, moved)
    if act == judging.MERGE:
        made = coordinating.merge_cases(hub.house, who, moved, case, reason).proposal
    else:
        made = coordinating.split_case(hub.house, who, case, came, reason).proposal
    assert made is not None
    return made


def _case_of(hub: Hub, proposal: Proposal) -> CaseId:
    with hub.house.transaction(CASE) as tx:
        return store.load_fix(tx, RemediationId(proposal.subject)).case


def _verb(name: str) -> Any:
    return getattr(coordinating, name, None) or getattr(remediating, name)


@pytest.mark.parametrize("name", TWO_PERSON)
def test_never_5_needs_a_second_person_of_the_same_organization_in_time(hub: Hub, name: str) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    second, elsewhere = hub.colleague(first), hub.member(OrganizationKind.COORDINATOR)
    proposal, more = _proposal(hub, first, TWO_PERSON[name], second)
    confirm = _verb(name)

    with pytest.raises(Refused, match="second person"):
        confirm(hub.house, first, proposal.id, *more)
    with pytest.raises(NotFound):
        confirm(hub.house, elsewhere, proposal.id, *more)
    with pytest.raises(NotFound):
        confirm(hub.house, second, ProposalId(hub.house.new_id("proposal")), *more)
    confirm(hub.house, second, proposal.id, *more)
    with pytest.raises(ClearwellError):
        confirm(hub.house, second, proposal.id, *more)


def test_never_5_who_has_not_read_the_difference_neither_proposes_nor_confirms(hub: Hub) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    second, third = hub.colleague(first), hub.colleague(first)
    proposal, (sha,) = _proposal(hub, first, remediating.DISTRIBUTE)

    with pytest.raises(Conflict, match="read the difference first"):
        remediating.confirm_distribution(hub.house, second, proposal.id, sha)
    with pytest.raises(Conflict, match="read the difference first"):
        remediating.propose_distribution(hub.house, third, RemediationId(proposal.subject), sha)
    assert [open_.id for open_ in coordinating.read_case(hub.house, first, _case_of(hub, proposal)).proposals] == [proposal.id]


@pytest.mark.parametrize("name", TWO_PERSON)
def test_never_5_a_proposal_expires_and_a_newer_one_takes_its_place(hub: Hub, name: str) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    second = hub.colleague(first)
    proposal, more = _proposal(hub, first, TWO_PERSON[name], second)

    hub.clock.move(hours=hub.house.settings.proposal_hours + 1)
    with pytest.raises(TooLate):
        _verb(name)(hub.house, second, proposal.id, *more)


def test_never_5_both_hands_stand_in_the_ledger(hub: Hub) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    second = hub.colleague(first)
    for name, act in TWO_PERSON.items():
        proposal, more = _proposal(hub, first, act, second)
        _verb(name)(hub.house, second, proposal.id, *more)

        with hub.house.transaction(first) as tx:
            told = tx.rows("SELECT body FROM clearwell.ledger_entry WHERE convert_from(body, 'UTF8') LIKE %(p)s", p=f"%{proposal.id}%")
        assert {msgspec.json.decode(row["body"])["by"] for row in told} == {first.person, second.person}, name


def test_never_5_another_acts_proposal_confirms_nothing(hub: Hub) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    proposal, _ = _proposal(hub, first, coordinating.EXTEND)

    with pytest.raises(NotFound):
        coordinating.destroy_proofs(hub.house, hub.colleague(first), proposal.id)


def test_never_5_the_database_itself_knows_two_people(hub: Hub) -> None:
    first = hub.member(OrganizationKind.COORDINATOR)
    proposal, _ = _proposal(hub, first, coordinating.EXTEND)

    with pytest.raises(psycopg.errors.CheckViolation), hub.house.transaction(first) as tx:
        tx.execute("UPDATE clearwell.proposal SET confirmed_by = proposed_by, confirmed_at = now() WHERE id = %(id)s", id=proposal.id)


def test_never_5_every_verb_of_it_confirms_or_only_proposes() -> None:
    verbs = {
        node.name: ast.unparse(node)
        for path in FLOW.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and WORDS.search(node.name)
    }

    assert set(TWO_PERSON) | {"propose_extension", "propose_destruction", "propose_distribution"} == set(verbs)
    for name, source in verbs.items():
        assert ("propose(tx" in source) if name.startswith("propose_") else ("confirm(tx" in source), name


# -- never 6: no escape -------------------------------------------------------------------------------------------------

RUNNING = {
    "ground/storage/embedded.py": "the database server's own programs",
    "ground/storage/backup.py": "pg_dump and pg_restore",
    "proving/environments.py": "asks the system's compiler for its version",
    "proving/addresses.py": "the symbolizer, on what the sandbox wrote",
    "proving/bubblewrap.py": "bubblewrap",
    "proving/gvisor.py": "runsc, gVisor's runtime",
    "proving/staged.py": "the stage process, in which boxes are built",
    "proving/materials.py": "asks compilers and backends for their versions",
    "proving/sandbox.py": "bubblewrap",
    "proving/stage.py": "runs inside the sandbox",
    "proving/recompiling.py": "runs inside the sandbox: the compiler whose name it bears",
    "proving/running.py": "bubblewrap",
    "proving/runtimes.py": "asks the system's compiler for its runtimes and strips copies of them",
    "proving/probe.py": "bubblewrap",
    "proving/cgroups.py": "systemd's scope for the sandbox",
}
"""The only files that may start programs, and what each starts."""
STARTS = re.compile(
    r"^\s*(?:import|from)\s+(?:subprocess|multiprocessing|pty|pexpect)\b|asyncio\.create_subprocess|\bos\.(?:system|exec\w+|spawn\w+|fork\w*|popen|posix_spawn\w*)\(",
    re.MULTILINE,
)
EVALUATES = re.compile(r"(?<![\w.])(?:eval|exec|__import__)\(|^\s*(?:import|from)\s+(?:pickle|marshal|shelve|runpy|code)\b", re.MULTILINE)


def test_never_6_programs_are_started_in_listed_files_only() -> None:
    starting = {
        named(path).removeprefix("src/clearwell/") for path in files(".py", under="src") if STARTS.search(path.read_text(encoding="utf-8"))
    }

    assert starting - {name for name in starting if name.startswith("faces/cli/demo")} <= set(RUNNING)


def test_never_6_nothing_evaluates_text_or_unpacks_objects() -> None:
    assert [named(path) for path in files(".py", under="src") if EVALUATES.search(path.read_text(encoding="utf-8"))] == []


# -- never 7: no guess --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.HARNESS_ERROR, Outcome.INCONCLUSIVE, Outcome.FLAKY])
def test_never_7_what_decided_nothing_neither_refuses_nor_proves(hub: Hub, monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    ground(monkeypatch, lambda _: Reproduction(verdict(outcome), {}))
    lab, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    finding, _ = _with_proof(hub, lab)

    answered, (run,) = reporting.read_finding(hub.house, lab, finding)
    assert [row.answer for row in answered.history] == [Answer.NEW, Answer.NEEDS_PROOF]
    assert run.verdict == outcome.value
    assert coordinating.read_case(hub.house, coordinator, answered.finding.case).kept.case.standing == "unproven"


def test_never_7_a_missing_sandbox_decides_nothing_and_is_tried_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ground(monkeypatch, lambda _: Reproduction(verdict(Outcome.UNAVAILABLE), {}))
    lab = hub.member(OrganizationKind.LAB)
    finding, _ = _with_proof(hub, lab)

    answered, runs = reporting.read_finding(hub.house, lab, finding)
    assert [row.answer for row in answered.history] == [Answer.NEW] and runs == ()
    assert hub.failed_jobs()[0].startswith("Unavailable")


def test_never_7_without_a_catalog_nobody_says_that_a_flaw_is_not_exploited(hub: Hub, tmp_path: Path) -> None:
    assert operating._known_exploited(hub.house) is None
    away = msgspec.structs.replace(hub.house, settings=msgspec.structs.replace(hub.house.settings, kev_feed=tmp_path / "gone.json"))

    assert operating._known_exploited(away) is None


# -- never 8: no loss ---------------------------------------------------------------------------------------------------


def test_never_8_a_merge_and_its_split_leave_everything_as_it_was(server: Any, hub: Hub) -> None:
    early, late = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    first = _send(hub, early, plain("one flaw", "some words", proof={"files": {"proof.toml": "no proof"}}), marking=Marking.RED)
    hub.clock.move(days=3)
    second = _send(hub, late, plain("quite another", "other words entirely"), marking=Marking.GREEN)
    (old,), (new,) = _cases(hub, coordinator, first), _cases(hub, coordinator, second)
    owner = server.url(OWNER, database_of(hub))
    before = rows(owner)
    views = [_view(hub, lab, sent) for lab, sent in ((early, first), (late, second))]

    coordinating.merge_cases(hub.house, coordinator, old, new, "they look alike")
    merged = coordinating.read_case(hub.house, coordinator, new)
    assert len(merged.findings) == 2
    (moved,) = [finding.id for finding in merged.findings if finding.organization == early.organization]
    assert coordinating.split_case(hub.house, coordinator, new, (moved,), "they are not").cases == (old,)
    hub.work()

    after = rows(owner)
    for table in ("vulnerability_case", "finding", "proof", "participant", "submission", "signature_set", "signature_head"):
        assert sorted(after[table].elements()) == sorted(before[table].elements()), table
    assert [_view(hub, lab, sent) for lab, sent in ((early, first), (late, second))] == views


def _view(hub: Hub, lab: Member, submission: str) -> list[tuple[object, ...]]:
    """What a finder is told now of each finding; the history of answers only grows."""
    answered = reporting.read_answers(hub.house, lab, submission)  # type: ignore[arg-type]
    return [(one.finding, one.standing, one.ends_at, one.first_reported, one.history[-1].answer) for one in answered]


SEND_AND_DIE = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from clearwell import app
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.house import SystemClock
from clearwell.ground.identity.actor import IDENTITY
from clearwell.ground.identity.members import member_of_person
from clearwell.ground.settings import Settings
from clearwell.ground.storage.database import Database
from story import plain, report
database = Database(sys.argv[2])
database.open()
house = app.build_house(Settings(data_dir=Path(sys.argv[3])), database, SystemClock())
with house.transaction(IDENTITY) as tx:
    lab = member_of_person(tx, sys.argv[4])
sent = reporting.submit_report(house, lab, [report(plain("a flaw"))], Envelope(name="report.json"))
print(sent.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_never_8_an_accepted_submission_survives_a_kill(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    tests = str(Path(__file__).parents[1])
    arguments = [tests, hub.house.database.url, str(hub.house.settings.data_dir), lab.person]
    killed = subprocess.run([sys.executable, "-c", SEND_AND_DIE, *arguments], capture_output=True, text=True, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    hub.clock.move(days=3650)
    hub.work()

    (answered,) = reporting.read_answers(hub.house, lab, killed.stdout.strip())  # type: ignore[arg-type]
    assert answered.finding.title == "a flaw"
    assert hub.failed_jobs() == []
    with hub.house.transaction(IDENTITY) as tx:
        assert tx.value("SELECT count(*) FROM clearwell.ledger_entry WHERE type = 'submission.received'") == 1
