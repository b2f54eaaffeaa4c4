# SPDX-License-Identifier: Apache-2.0
"""The thread: one bug, one report, one operator, from the lab's report to the operator's installed fix."""

import json
import re
from pathlib import Path

import pytest

from clearwell.clearinghouse.case.participant import StatementKind
from clearwell.clearinghouse.case.store import Contact
from clearwell.clearinghouse.flow import coordinating, maintaining, operating, publishing, remediating, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import Member, OrganizationKind, Visitor
from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.verify import verify
from clearwell.vocabulary.ids import CaseId, ProposalId, RemediationId
from hub import Hub

PROOFS = Path(__file__).parent.parent.parent / "examples" / "proofs"


def proof_files(name: str) -> dict[str, str]:
    folder = PROOFS / name
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file() and "patches" not in p.parts}


def report(name: str, **finding: object) -> bytes:
    proof = {"files": proof_files(name)} if name else None
    one = {
        "title": "minimist sets properties of Object.prototype",
        "text": "a constructor key reaches the prototype",
        "product": {"purl": "pkg:npm/minimist@1.2.5"},
        "weakness": "CWE-1321",
        "locations": [{"file": "index.js", "line": 60, "function": "setKey"}],
        "proof": proof,
        **finding,
    }
    document = {
        "format": "clearwell-report",
        "version": 1,
        "tool": {"name": "scout", "version": "3", "model": "some-model-1"},
        "findings": [{k: v for k, v in one.items() if v is not None}],
    }
    return json.dumps(document).encode()


def submit(hub: Hub, lab: Member, raw: bytes, name: str = "report.json") -> str:
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name=name))
    hub.work()
    return sent.id


@pytest.mark.sandbox
@pytest.mark.registry
def test_one_report_becomes_one_installed_fix(hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    second = hub.colleague(coordinator)
    hospital = hub.member(OrganizationKind.OPERATOR, sector="health", size="small", system_class="ci_operator", time_zone="America/Chicago")
    city = hub.member(OrganizationKind.OPERATOR, sector="government", size="small", system_class="slt")

    # what operators run is known before anything is published, and nobody is told
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/minimist": {"version": "1.2.5"}}}
    operating.send_inventory(hub.house, hospital, "portal", "unknown", json.dumps(lock).encode(), "package-lock.json")
    operating.send_inventory(hub.house, city, "permits", False, b"jinja2==3.1.6\n", "requirements.txt")
    contact = Contact("pkg:npm/minimist", "the maintainer", "dev@minimist.example", "registry", 2)
    coordinating.record_contact(hub.house, coordinator, contact)

    # intake, sanity, dedupe, validation
    sent = submit(hub, lab, report("minimist-CVE-2021-44906"))
    (answered,) = reporting.read_answers(hub.house, lab, sent)
    assert [row.answer.value for row in answered.history] == ["new", "reproduced"], (answered.history, hub.failed_jobs())
    assert answered.standing == "proven"
    case_id = answered.finding.case
    assert operating.read_actions(hub.house, hospital) == ()

    # the maintainer, by link and mailed code
    (invitation,) = hub.mails()
    secret = re.search(r"/maintainer/(\S+)", invitation)
    assert secret is not None
    holder = maintaining.open_link(hub.house, secret[1])
    maintaining.send_code(hub.house, holder)
    hub.work()
    code = re.search(r"code is (\d+)", hub.mails()[-1])
    assert code is not None
    maintaining.make_statement(hub.house, holder, code[1], StatementKind.FIXED_IN, "released", "1.2.6")
    hub.work()
    (fix,) = maintaining.read_linked(hub.house, holder).fixes
    assert fix.state == "verified", (fix, hub.failed_jobs())

    # two people read the difference
    diff = remediating.read_difference(hub.house, coordinator, RemediationId(fix.id))
    assert b"index.js" in diff
    proposal = remediating.propose_distribution(hub.house, coordinator, fix.id, fix.diff_sha256 or "")
    remediating.read_difference(hub.house, second, RemediationId(fix.id))
    remediating.confirm_distribution(hub.house, second, ProposalId(proposal.id), fix.diff_sha256 or "")
    hub.work()
    (published,) = publishing.list_advisories(hub.house, Visitor())
    assert published.advisory.vulnerability.affected[0].ranges[0].fixed == "1.2.6"
    feed = json.loads((hub.house.settings.feed_dir / "index.json").read_bytes())
    assert len(feed["advisories"]) == 1

    # exactly the operator who runs it is told; installed follows from the next inventory
    (action,) = operating.read_actions(hub.house, hospital)
    assert action.status == "affected" and action.fixed_version == "1.2.6"
    assert operating.read_actions(hub.house, city) == ()
    operating.send_receipt(hub.house, hospital, action.id, "received")
    lock["packages"]["node_modules/minimist"]["version"] = "1.2.6"  # type: ignore[index]
    operating.send_inventory(hub.house, hospital, "portal", "unknown", json.dumps(lock).encode(), "package-lock.json")
    hub.work()
    (action,) = operating.read_actions(hub.house, hospital, with_installed=True)
    assert action.receipt == "installed"

    # the ledger holds all of it, verifiable by an outsider
    folder = hub.fold()
    key = SigningKey(hub.house.settings.ledger_origin, hub.house.keys.ledger).vkey
    checked = verify(folder, [key])
    assert checked.status == "verified", checked
    assert coordinating.read_case(hub.house, coordinator, CaseId(case_id)).kept.case.published_at is not None
    assert hub.failed_jobs() == []
