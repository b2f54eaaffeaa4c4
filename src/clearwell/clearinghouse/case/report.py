# SPDX-License-Identifier: Apache-2.0
"""Reports as the clearinghouse keeps them: submissions, findings with their answers, proofs, appeals."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from clearwell.vocabulary.finding import Finding, Origin
from clearwell.vocabulary.ids import CaseId, FindingId, OrganizationId, ProofId, RunId, SourceId, SubmissionId
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.product import Product


class Answer(StrEnum):
    """What the hub says to a finding. Every finding has one from the moment its batch is committed."""

    NEW = "new"
    DUPLICATE = "duplicate"
    NEEDS_PROOF = "needs_proof"
    REFUSED = "refused"
    REPRODUCED = "reproduced"


class SubmissionState(StrEnum):
    """How far a submission is. `unreadable`: no format could read it; it stays sealed as received."""

    RECEIVED = "received"
    PARSED = "parsed"
    UNREADABLE = "unreadable"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A document somebody sent. `address` is where its raw bytes lie sealed.

    `complete`: its sender says that this scan names everything its tool finds in `scope`, the component of its target. `turn` is
    the priority of its jobs. `columns` says of a table which column holds which field (field -> column's name): it is read by that, always.
    """

    id: SubmissionId
    organization: OrganizationId
    sent_by: str
    name: str
    address: str
    size: int
    received_at: datetime
    marking: Marking = Marking.AMBER
    origin: Origin = Origin()
    target: Product | None = None
    columns: dict[str, str] = {}
    source: SourceId | None = None
    state: SubmissionState = SubmissionState.RECEIVED
    format: str | None = None
    tool: str | None = None
    findings: int = 0
    batches: int = 0
    problems: tuple[str, ...] = ()
    parsed_at: datetime | None = None
    complete: bool = False
    scope: str | None = None
    turn: int = 0


class KeptFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with its place, answer and case. `body` is the projection that people and later stages see; no proof bytes.

    `not_seen_since` is when its sender's own scans last had it, where a later complete one lacks it; it decides nothing.
    """

    id: FindingId
    submission: SubmissionId
    organization: OrganizationId
    batch: int
    position: int
    component: str
    version: str | None
    title: str
    body: Finding
    marking: Marking
    answer: Answer
    first_answer: Answer
    first_reason: str
    case: CaseId
    has_proof: bool
    is_proven: bool
    received_at: datetime
    ends_at: datetime
    not_seen_since: datetime | None = None

    @property
    def is_ai(self) -> bool:
        """True when a model wrote it: shown wherever the finding is."""
        return self.body.origin.is_ai


class AnswerRow(msgspec.Struct, frozen=True):
    """One line of a finding's history of answers."""

    answer: Answer
    reason: str
    at: datetime


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A proof folder as it lies sealed, held by its case. `folder_sha256` is over names and bytes."""

    id: ProofId
    finding: FindingId
    organization: OrganizationId
    case: CaseId
    address: str
    folder_sha256: str
    size: int
    marking: Marking
    received_at: datetime


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What running a proof showed. `body` is the verdict as `clearwell prove --json` prints it."""

    id: RunId
    proof: ProofId
    finding: FindingId
    case: CaseId
    organization: OrganizationId
    verdict: str
    reason: str
    body: dict[str, Any]
    started_at: datetime
    finished_at: datetime
    fix: str | None = None
    worker: str | None = None
    statement: str | None = None
