# SPDX-License-Identifier: Apache-2.0
"""One bug's story for tests, in steps: who takes part, a report with a proof, the maintainer's word, two people, the operators."""

import json
import re
from pathlib import Path

from clearwell.clearinghouse.case.participant import StatementKind
from clearwell.clearinghouse.case.store import Contact, Fix
from clearwell.clearinghouse.flow import coordinating, maintaining, operating, remediating, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import LinkHolder, OrganizationKind
from clearwell.vocabulary.ids import CaseId, ProposalId, RemediationId
from hub import Hub

PROOFS = Path(__file__).parent.parent / "examples" / "proofs"
PROOF = "minimist-CVE-2021-44906"


def proof_files(name: str = PROOF) -> dict[str, str]:
    """A proof folder of the examples as a report carries it."""
    folder = PROOFS / name
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file() and "patches" not in p.parts}


def report(*findings: dict[str, object]) -> bytes:
    """A report in the hub's own format; what a finding leaves out is taken from the story's bug."""
    base = {
        "title": "minimist sets properties of Object.prototype",
        "text": "a constructor key reaches the prototype",
        "product": {"purl": "pkg:npm/minimist@1.2.5"},
        "weakness": "CWE-1321",
        "locations": [{"file": "index.js", "line": 60, "function": "setKey"}],
    }
    full = [{key: value for key, value in {**base, **finding}.items() if value is not None} for finding in findings]
    document = {"format": "clearwell-report", "version": 1, "tool": {"name": "scout", "version": "3"}, "findings": full}
    return json.dumps(document).encode()


def plain(title: str, text: str = "words", **more: object) -> dict[str, object]:
    """A finding about something that no registry knows: it needs neither sandbox nor network."""
    return {
        "title": title,
        "text": text,
        "product": {"vendor": "acme", "model": "router"},
        "weakness": "CWE-787",
        "locations": None,
        **more,
    }


class Story:
    """The people of the story and its steps; each step leaves its jobs to `hub.work()` unless told otherwise."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.lab = hub.member(OrganizationKind.LAB, "the lab")
        self.coordinator = hub.member(OrganizationKind.COORDINATOR, "the coordinator")
        self.second = hub.colleague(self.coordinator)
        self.hospital = hub.member(
            OrganizationKind.OPERATOR,
            "the hospital",
            sector="health",
            size="small",
            system_class="ci_operator",
            time_zone="America/Chicago",
        )
        self.city = hub.member(OrganizationKind.OPERATOR, "the city", sector="government", size="small", system_class="slt")
        self.submission = ""

    def prepare(self) -> None:
        """Operators say what they run; the maintainer's contact is recorded."""
        self.inventory("1.2.5")
        operating.send_inventory(self.hub.house, self.city, "permits", False, b"jinja2==3.1.6\n", "requirements.txt")
        contact = Contact("pkg:npm/minimist", "the maintainer", "dev@minimist.example", "registry", 2)
        coordinating.record_contact(self.hub.house, self.coordinator, contact)

    def inventory(self, version: str) -> None:
        """The hospital sends what its portal runs."""
        lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/minimist": {"version": version}}}
        operating.send_inventory(self.hub.house, self.hospital, "portal", "unknown", json.dumps(lock).encode(), "package-lock.json")

    def submit(self) -> str:
        """The lab sends its report with a proof."""
        raw = report({"proof": {"files": proof_files()}})
        self.submission = reporting.submit_report(self.hub.house, self.lab, [raw], Envelope(name="report.json", idempotency_key="one")).id
        return self.submission

    @property
    def case(self) -> CaseId:
        """The case of the lab's finding."""
        return reporting.read_answers(self.hub.house, self.lab, self.submission)[0].finding.case

    def link(self) -> LinkHolder:
        """The maintainer opens the link of the newest invitation."""
        secrets = [found[1] for mail in self.hub.mails() if (found := re.search(r"/maintainer/(\S+)", mail))]
        return maintaining.open_link(self.hub.house, secrets[-1])

    def code(self, holder: LinkHolder) -> str:
        """A code is asked for, mailed and read."""
        maintaining.send_code(self.hub.house, holder)
        self.hub.work()
        found = [match[1] for mail in self.hub.mails() if (match := re.search(r"code is (\d+)", mail))]
        return found[-1]

    def fix(self, version: str = "1.2.6") -> None:
        """The maintainer says in which version it is fixed."""
        holder = self.link()
        maintaining.make_statement(self.hub.house, holder, self.code(holder), StatementKind.FIXED_IN, "released", version)

    def verified(self) -> Fix:
        """The case's newest fix."""
        return coordinating.read_case(self.hub.house, self.coordinator, self.case).fixes[-1]

    def distribute(self) -> None:
        """Two people read the difference and distribute the fix."""
        fix = self.verified()
        for reader in (self.coordinator, self.second):
            remediating.read_difference(self.hub.house, reader, RemediationId(fix.id))
        proposal = remediating.propose_distribution(self.hub.house, self.coordinator, fix.id, fix.diff_sha256 or "")
        remediating.confirm_distribution(self.hub.house, self.second, ProposalId(proposal.id), fix.diff_sha256 or "")

    def whole(self) -> None:
        """All of it, from the first inventory to the last."""
        self.prepare()
        self.submit()
        self.hub.work()
        self.fix()
        self.hub.work()
        self.distribute()
        self.hub.work()
        self.inventory("1.2.6")
        self.hub.work()
