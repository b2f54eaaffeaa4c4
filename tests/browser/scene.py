# SPDX-License-Identifier: Apache-2.0
"""A scene for pages: people of every kind and a case that is proven, fixed and published, without running a sandbox.

What only a run could tell (verdicts, a verified fix) is put into the stores directly; everything else goes through the verbs.
"""

import json
import re
from typing import Any

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.participant import StatementKind
from clearwell.clearinghouse.case.report import Answer, Run
from clearwell.clearinghouse.case.store import Contact, Fix
from clearwell.clearinghouse.dedupe import kill_store
from clearwell.clearinghouse.dedupe.equivalence import Decision, Relation
from clearwell.clearinghouse.flow import (
    answering,
    coordinating,
    maintaining,
    operating,
    post,
    publishing,
    remediating,
    reporting,
    sketching,
)
from clearwell.clearinghouse.flow.coordinating import CaseView
from clearwell.clearinghouse.flow.evidence import seal_evidence
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import CASE, POST, PROVING, Member, OrganizationKind
from clearwell.ground.identity.members import open_session
from clearwell.vocabulary.ids import CaseId, FindingId, ProofId, RunId, SubmissionId
from hub import Hub

LADDER: dict[str, Any] = {
    "label": "flagged",
    "refuted_by": None,
    "caught": None,
    "reason": "not refuted; a person must look at what it touches: build files",
    "rungs": [
        {"name": "applies", "state": "passed", "said": ""},
        {"name": "builds", "state": "passed", "said": ""},
        {"name": "proof", "state": "passed", "said": "fires 3 of 3 without the fix, 0 of 3 with it"},
        {"name": "features", "state": "passed", "said": "12 pass without the fix, 0 of them fail with it"},
        {"name": "variants", "state": "passed", "said": "2 variants, 32 mutations; 11 fire without the fix"},
        {"name": "touched", "state": "flagged", "said": "setup.py: decides how the package is built"},
        {"name": "person", "state": "not_reached", "said": "nobody but a person says more than this"},
    ],
    "flags": [{"kind": "build_files", "file": "setup.py", "said": "decides how the package is built"}],
}
"""What taking the fix up its ladder said."""
HOSTILE = "</h1><script>alert(1)</script> left\u202eright\u200b"
"""A title that would act if a page obeyed it."""
SEPARATION = (
    b"--- a/reader.py\n+++ b/reader.py\n@@ -10,3 +10,3 @@\n def read(name):\n-    return open(root + name).read()\n"
    b"+    return open(inside(root, name)).read()\n"
)


def report(
    title: str, text: str = "", model: str | None = "some-model-1", proof: bool = True, line: int = 41, function: str | None = "read"
) -> bytes:
    """A report in the hub's own format about a package of nobody's."""
    files = {
        "proof.toml": 'format = 1\ntitle = "a path leaves its folder"\nweakness = "CWE-22"\n',
        "input.txt": f"../../secret\u202e{line}\n",
    }
    finding: dict[str, Any] = {
        "title": title,
        "text": text
        or "A relative name with two dots leaves the folder that the reader was given.\nread('../../secret') returns the secret.",
        "product": {"purl": "pkg:pypi/made-up-reader@1.4.0"},
        "weakness": "CWE-22",
        "locations": [{"file": "reader/files.py", "line": line, **({"function": function} if function else {})}],
    }
    tool = {"name": "scout", "version": "3", **({"model": model} if model else {})}
    findings = [{**finding, **({"proof": {"files": files}} if proof else {})}]
    return json.dumps({"format": "clearwell-report", "version": 1, "tool": tool, "findings": findings}).encode()


def verdict(outcome: str, reason: str, fired: int, control: int, version: str = "1.4.1") -> dict[str, Any]:
    """A verdict as `clearwell prove --json` prints it."""
    return {
        "verdict": outcome,
        "reason": reason,
        "target": {
            "purl": "pkg:pypi/made-up-reader@1.4.0",
            "n": 3,
            "fired": fired,
            "signature": "token in stdout",
            "archive_sha256": "a1" * 32,
        },
        "control": {
            "purl": f"pkg:pypi/made-up-reader@{version}",
            "n": 3,
            "fired": control,
            "kind": "same package",
            "archive_sha256": "b2" * 32,
        },
        "assurance": "hub",
        "preconditions": ["the application passes names that others chose"],
        "variants": [{"index": 0, "target_fired": True, "control_fired": False, "signature": None}],
        "ladder": [{"version": "1.3.0", "stated": "fires", "fired": True, "reason": None}],
        "isolation": {"network": "enforced", "memory": "watched", "processes": "none"},
        "evidence": [{"name": "target stdout 1", "sha256": "c3" * 32}],
        "seconds": 1.25,
        "features": {"passed": 2, "set_aside": [], "control_failed": []},
    }


class Scene:
    """The people, and what happened so far. Each step can be left out."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.house = hub, hub.house
        self.lab = hub.member(OrganizationKind.LAB, "Northlake Scanning Lab")
        self.other_lab = hub.member(OrganizationKind.LAB, "Second Lab")
        self.coordinator = hub.member(OrganizationKind.COORDINATOR, "Coordination Desk")
        self.second = hub.colleague(self.coordinator)
        self.hospital = hub.member(
            OrganizationKind.OPERATOR,
            "Prairie Valley Hospital",
            sector="health",
            size="small",
            system_class="ci_operator",
            time_zone="America/Chicago",
        )
        self.city = hub.member(OrganizationKind.OPERATOR, "City of Millbrook", sector="government", size="small", system_class="slt")
        self.auditor = hub.member(OrganizationKind.AUDITOR, "Audit Office")
        self.case, self.finding, self.submission, self.link = CaseId(""), FindingId(""), SubmissionId(""), ""

    def session(self, member: Member) -> str:
        """A browser session's secret."""
        with self.house.transaction(member) as tx:
            return open_session(tx, member.person, self.hub.clock.now(), 12)

    def submit(self, member: Member, raw: bytes, name: str = "report.json") -> SubmissionId:
        """Send a report and have it answered; its later stages are not run."""
        sent = reporting.submit_report(self.house, member, [raw], Envelope(name=name))
        answering.parse_submission(self.house, sent.id)
        return sent.id

    def prove(self, title: str = "A name with two dots leaves the reader's folder") -> "Scene":
        """A proven case with a further report of the same flaw by another lab, and the maintainer invited."""
        contact = Contact("pkg:pypi/made-up-reader", "Ada", "ada@reader.example", "security_policy", 2)
        coordinating.record_contact(self.house, self.coordinator, contact)
        self.submission = self.submit(self.lab, report(title), "scan-41.json")
        finding = reporting.read_answers(self.house, self.lab, self.submission)[0].finding
        self.case, self.finding = finding.case, finding.id
        self.submit(self.other_lab, report(title, proof=False, model=None), "second.json")
        now = self.hub.clock.now()
        with self.house.transaction(PROVING) as tx:
            kept = store.load_case(tx, self.case, lock=True)
            proof = report_store.proof_of_finding(tx, self.finding)
            assert proof is not None
            report_store.mark_proven(tx, self.finding)
            report_store.move_answer(tx, finding, Answer.REPRODUCED, "fires 3 of 3, the control does not", "system:proving", now)
            proven = {"proof": proof.id, "fires": ("1.3.0", "1.4.0"), "clean": ("1.4.1",), "priority": 310200011}
            reasons = ("It is not known whether it is attacked.", "The clearinghouse reproduced it.")
            store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.prove(now), priority_reasons=reasons, **proven))
            report_store.insert_run(
                tx, self._run(proof.id, verdict("reproduced", "fires 3 of 3 on the target, 0 of 3 on the control", 3, 0))
            )
        maintaining.invite(self.house, self.case)
        self.link = self._link()
        return self

    def _run(self, proof: str, body: dict[str, Any], fix: str | None = None) -> Run:
        now = self.hub.clock.now()
        return Run(
            id=RunId(self.house.new_id("run")), proof=proof, finding=self.finding, case=self.case, organization=self.lab.organization,
            verdict=body["verdict"], reason=body["reason"], body=body, started_at=now, finished_at=now, fix=fix,
        )  # type: ignore[arg-type]  # fmt: skip

    def deliver(self) -> list[str]:
        """Send every mail that waits; return the newest last."""
        with self.house.transaction(POST) as tx:
            waiting = [row["id"] for row in tx.rows("SELECT id FROM clearwell.mail WHERE sent_at IS NULL ORDER BY id")]
        for mail in waiting:
            post.send_mail(self.house, mail)
        return self.hub.mails()

    def _link(self) -> str:
        found = re.search(r"/maintainer/(\S+)", self.deliver()[-1])
        assert found is not None
        return found[1]

    def code(self) -> str:
        """The newest mailed code."""
        found = [match[1] for mail in self.deliver() if (match := re.search(r"code is (\d+)", mail))]
        return found[-1]

    def fix(self, version: str = "1.4.1") -> "Scene":
        """The maintainer names a version; its verification passed."""
        holder = maintaining.open_link(self.house, self.link)
        maintaining.send_code(self.house, holder)
        maintaining.make_statement(self.house, holder, self.code(), StatementKind.FIXED_IN, "Released today.", version)
        (claimed,) = maintaining.read_linked(self.house, holder).fixes
        sealed = self.house.blobs.put([SEPARATION], 1_000_000)
        with self.house.transaction(PROVING) as tx:
            kept = store.load_case(tx, self.case, lock=True)
            self.house.blobs.hold(tx, self.case, sealed)
            report_store.insert_run(
                tx, self._run(kept.proof or "", verdict("reproduced", "the proof does not fire on the fix", 3, 0), claimed.id)
            )
            digest = seal_evidence(self.house, SEPARATION)[0]
            done = msgspec.structs.replace(
                claimed,
                state="verified",
                reason="the proof does not fire on it, 2 features pass",
                diff_address=sealed.address,
                diff_sha256=digest,
                ladder=LADDER,
            )
            store.save_fix(tx, done)
            now = self.hub.clock.now()
            cell = kill_store.KeptCell(done.id, kept.proof or ProofId("proof"), "killed", "fired 3 of 3 without it, 0 of 3 with it", now)
            kill_store.save_cell(tx, cell)
            kill_store.save_cell(tx, kill_store.KeptCell(done.id, ProofId("proof_of_another"), "fires", "it fired with it too", now))
            evidence = ((f"fixes of {self.case} on the proofs of case_zz", "leave one firing"),)
            kill_store.save_relation(tx, self.case, CaseId("case_zz"), Decision(Relation.DIFFERENT, evidence), now)
            store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.fix(self.hub.clock.now())))
        return self

    def view(self) -> CaseView:
        """The case as a coordinator sees it."""
        return coordinating.read_case(self.house, self.coordinator, self.case)

    def the_fix(self) -> Fix:
        """The case's only fix."""
        (fix,) = self.view().fixes
        return fix

    def run_software(self, member: Member, asset: str, packages: str, exposed: bool | str = "unknown") -> None:
        """An operator sends what an asset runs and is matched."""
        operating.send_inventory(self.house, member, asset, exposed, packages.encode(), "requirements.txt")
        operating.match_operator(self.house, member.organization)

    def publish(self) -> "Scene":
        """Two people distribute the fix; the operators are matched."""
        fix = self.the_fix()
        for reader in (self.coordinator, self.second):
            remediating.read_difference(self.house, reader, fix.id)
        proposal = remediating.propose_distribution(self.house, self.coordinator, fix.id, fix.diff_sha256 or "")
        remediating.confirm_distribution(self.house, self.second, proposal.id, fix.diff_sha256 or "")
        publishing.publish_case(self.house, self.case)
        for operator in (self.hospital, self.city):
            operating.match_operator(self.house, operator.organization)
        return self

    def suggest(self, title: str = "The reader leaves its folder") -> "Scene":
        """Two labs report one flaw in other words and at other lines; the pair waits in the queue of suggestions."""
        for member, words, line in ((self.lab, "A name with two dots leaves the reader's folder", 41), (self.other_lab, title, 58)):
            raw = report(words, f"line {line} joins the name to the folder", proof=False, line=line, function=None)
            sketching.sketch_batch(self.house, self.submit(member, raw, f"{line}.json"), 0)
        return self

    def refuse(self, member: Member, title: str = "ujson frees twice") -> tuple[SubmissionId, FindingId]:
        """A report that was refused, for the appeal."""
        sent = self.submit(member, report(title, line=900), "refused.json")
        finding = reporting.read_answers(self.house, member, sent)[0].finding
        with self.house.transaction(CASE) as tx:
            reason = "made-up-reader 1.4.0 has no line 900 in reader/files.py"
            report_store.move_answer(tx, finding, Answer.REFUSED, reason, "system:sanity", self.hub.clock.now())
        return sent, finding.id
