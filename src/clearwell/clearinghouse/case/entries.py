# SPDX-License-Identifier: Apache-2.0
"""The clearinghouse's ledger entries: ids, counts and words of the standards; what is sensitive only as a salted hash.

Names, components, versions, texts and contacts never stand here plainly, and no entry joins an operator with a flaw (never 3):
an operator's own acts carry the operator itself as a salted hash.
"""

from clearwell.ground.ledger.entries import Entry, Salted
from clearwell.vocabulary.ids import (
    AdvisoryId,
    AlarmId,
    CaseId,
    FindingId,
    LinkId,
    OrganizationId,
    ParticipantId,
    ProofId,
    ProposalId,
    RemediationId,
    RunId,
    SourceId,
    SubmissionId,
    TokenId,
    UploadId,
)


class SubmissionReceived(Entry, frozen=True):
    """A report was accepted: raw bytes, row, this entry and its job are committed together."""

    type = "submission.received"
    submission: SubmissionId
    organization: OrganizationId
    size: int
    content: Salted


class SubmissionRead(Entry, frozen=True):
    """A report's raw bytes, with the proofs in them, are about to be read (never 4)."""

    type = "submission.read"
    submission: SubmissionId
    purpose: str


class BatchAnswered(Entry, frozen=True):
    """Up to 1,000 findings were read and answered. `root` is the RFC 6962 root over their ids and answers, hexadecimal."""

    type = "batch.answered"
    submission: SubmissionId
    batch: int
    findings: int
    root: str
    new: int
    duplicate: int
    needs_proof: int


class UploadStarted(Entry, frozen=True):
    """An organization began to send a report of so many bytes in pieces."""

    type = "upload.started"
    upload: UploadId
    organization: OrganizationId
    size: int


class UploadJoined(Entry, frozen=True):
    """The pieces of an upload, with the proofs in them, are about to be read and sealed as one submission (never 4)."""

    type = "upload.joined"
    upload: UploadId
    organization: OrganizationId


class UploadFinished(Entry, frozen=True):
    """An upload became a submission, or the one that the same bytes made before; its pieces were destroyed."""

    type = "upload.finished"
    upload: UploadId
    submission: SubmissionId


class UploadAbandoned(Entry, frozen=True):
    """An upload of which only so many bytes had come was given up after its time; its pieces were destroyed."""

    type = "upload.abandoned"
    upload: UploadId
    received: int


class ScanCompared(Entry, frozen=True):
    """A scan was compared with earlier complete ones of its scope: so many of their findings it lacks, so many were seen again."""

    type = "scan.compared"
    submission: SubmissionId
    complete: bool
    not_seen: int
    seen_again: int


class ScanDeclaredComplete(Entry, frozen=True):
    """A sender said of a scan sent before that it names everything its tool finds."""

    type = "scan.declared_complete"
    submission: SubmissionId


class QuotaSet(Entry, frozen=True):
    """An organization's own quota was set; null stands for the hub's setting."""

    type = "quota.set"
    organization: OrganizationId
    findings_per_day: int | None
    bytes_per_day: int | None
    submissions_in_flight: int | None
    proofs_per_day: int | None


class SubmissionUnreadable(Entry, frozen=True):
    """No format could read the report; it stays sealed as received."""

    type = "submission.unreadable"
    submission: SubmissionId


class FalseHitMarked(Entry, frozen=True):
    """A report's originator said that an omission of its projection hides nothing private."""

    type = "false_hit.marked"
    finding: FindingId
    number: int
    kind: str


class ProjectionOutdated(Entry, frozen=True):
    """An originator named an omission in a list that older patterns made: the report's projections are computed anew."""

    type = "projection.outdated"
    submission: SubmissionId


class FalseHitLapsed(Entry, frozen=True):
    """A false hit was named by a number of a list that is no longer the one there is: it shows nothing."""

    type = "false_hit.lapsed"
    finding: FindingId
    number: int


class ProjectionRenewed(Entry, frozen=True):
    """The projections of a report were computed anew from its sealed bytes; `findings` of them changed."""

    type = "projection.renewed"
    submission: SubmissionId
    findings: int


class SourceReceived(Entry, frozen=True):
    """A source archive was accepted, to be looked into for what reports cite."""

    type = "source.received"
    source: SourceId
    size: int
    content: Salted


class SourceSentAgain(Entry, frozen=True):
    """A source archive that is here was sent once more: nothing is stored twice, its time begins anew."""

    type = "source.sent_again"
    source: SourceId


class SourceDestroyed(Entry, frozen=True):
    """A source archive's bytes were destroyed: no report named it in its first day, or its time was over and no open case needs it."""

    type = "source.destroyed"
    source: SourceId
    size: int


class SourceRead(Entry, frozen=True):
    """A source archive that somebody sent is about to be read."""

    type = "source.read"
    source: SourceId
    purpose: str


class MarkingChanged(Entry, frozen=True):
    """A report's TLP label was changed."""

    type = "marking.changed"
    submission: SubmissionId
    marking: str


class BatchChecked(Entry, frozen=True):
    """What a batch cites was compared with the real source. `refused` findings cite what does not exist."""

    type = "batch.checked"
    submission: SubmissionId
    batch: int
    refused: int
    checked: int


class AnswerMoved(Entry, frozen=True):
    """A finding's answer moved (refused, reproduced, duplicate ...)."""

    type = "answer.moved"
    finding: FindingId
    answer: str
    reason: Salted


class RefusalAppealed(Entry, frozen=True):
    """A finder asked a person to look at a refusal."""

    type = "refusal.appealed"
    finding: FindingId


class AppealDecided(Entry, frozen=True):
    """A person decided an appeal."""

    type = "appeal.decided"
    finding: FindingId
    upheld: bool


class ProofRead(Entry, frozen=True):
    """A proof was read: written before its first byte leaves (never 4)."""

    type = "proof.read"
    proof: ProofId
    purpose: str


class ProofValidated(Entry, frozen=True):
    """A proof was run. `evidence` are SHA-256 of what was kept."""

    type = "proof.validated"
    proof: ProofId
    case: CaseId
    run: RunId
    verdict: str
    assurance: str


class ProvingStopped(Entry, frozen=True):
    """A word of a run got out of its box: the run is void, and the proving queue stands still until a person resumes it.

    `proof` is what ran; None when a report's cited source was looked at.
    """

    type = "proving.stopped"
    alarm: AlarmId
    proof: ProofId | None


class ProvingResumed(Entry, frozen=True):
    """A person looked at an alarm and let the proving queue run again."""

    type = "proving.resumed"
    alarm: AlarmId
    proof: ProofId | None


class ProofRechecked(Entry, frozen=True):
    """A proof that had reproduced was run again before anybody was told: did both runs agree?"""

    type = "proof.rechecked"
    proof: ProofId
    case: CaseId
    run: RunId
    agrees: bool


class CasesJoined(Entry, frozen=True):
    """A case's findings were attached to another. Reversible: nothing is lost (never 8)."""

    type = "cases.joined"
    case: CaseId
    into: CaseId
    rung: str
    evidence: Salted


class CaseSplit(Entry, frozen=True):
    """Findings were taken out of a case again, into the case that they came from."""

    type = "case.split"
    case: CaseId
    into: CaseId
    findings: int
    reason: Salted


class MergeProposed(Entry, frozen=True):
    """A merge would bring a proof to a new participant: the first of two people proposed it, nothing has changed."""

    type = "merge.proposed"
    case: CaseId
    proposal: ProposalId


class MergeConfirmed(Entry, frozen=True):
    """The second of two people confirmed it (never 5): it is done in the same transaction."""

    type = "merge.confirmed"
    case: CaseId
    proposal: ProposalId


class SplitProposed(Entry, frozen=True):
    """Taking reports out of a case would bring a proof to a new participant: the first of two people proposed it."""

    type = "split.proposed"
    case: CaseId
    proposal: ProposalId


class SplitConfirmed(Entry, frozen=True):
    """The second of two people confirmed it (never 5): it is done in the same transaction."""

    type = "split.confirmed"
    case: CaseId
    proposal: ProposalId


class BatchSketched(Entry, frozen=True):
    """So many reports of a batch went into the index of likeness. How many suggestions that gave would tell what else is held."""

    type = "batch.sketched"
    submission: SubmissionId
    batch: int
    sketched: int
    suggested: Salted


class CaseSketched(Entry, frozen=True):
    """What speaks for a case that a split or a refusal made went into the index of likeness."""

    type = "case.sketched"
    case: CaseId


class SuggestionsRecomputed(Entry, frozen=True):
    """A coordinator had the index of likeness and the suggestions made anew; what people decided stays."""

    type = "suggestions.recomputed"


class SignaturesRecomputed(Entry, frozen=True):
    """A coordinator had every report signed anew by the rules as they are now; what was joined or found different stays."""

    type = "signatures.recomputed"


class SubmissionSigned(Entry, frozen=True):
    """A submission's findings were signed anew; the signatures of so many changed."""

    type = "submission.signed"
    submission: SubmissionId
    findings: int
    changed: int


class CasesFoundDifferent(Entry, frozen=True):
    """A person found that two cases are not one. Every rule that joins respects it from now on."""

    type = "cases.found_different"
    case: CaseId
    other: Salted
    reason: Salted


class RegressionSuspected(Entry, frozen=True):
    """A new case bears the signature of one that was fixed: it stands by itself, linked with that one."""

    type = "case.regression_suspected"
    case: CaseId
    fixed: Salted
    evidence: Salted


class CaseRefused(Entry, frozen=True):
    """No finding of a case stands any longer."""

    type = "case.refused"
    case: CaseId


class MaintainerInvited(Entry, frozen=True):
    """The first maintainer of the affected component was invited by policy, to a contact of recorded origin."""

    type = "maintainer.invited"
    case: CaseId
    participant: ParticipantId
    link: LinkId
    contact: Salted
    origin: str


class MaintainerReminded(Entry, frozen=True):
    """The maintainer was told that the end date comes near, whatever their limit (never 2)."""

    type = "maintainer.reminded"
    case: CaseId
    days_before: int


class LinkRevoked(Entry, frozen=True):
    """A maintainer's link was ended."""

    type = "link.revoked"
    link: LinkId
    case: CaseId


class CodeSent(Entry, frozen=True):
    """A code was mailed to the contact; acts through the link need it."""

    type = "link.code_sent"
    link: LinkId
    case: CaseId


class StatementMade(Entry, frozen=True):
    """A maintainer stated something. It closes nothing by itself."""

    type = "statement.made"
    case: CaseId
    participant: ParticipantId
    kind: str
    detail: Salted


class FixClaimed(Entry, frozen=True):
    """A maintainer named a fixed version or sent a patch."""

    type = "fix.claimed"
    case: CaseId
    fix: RemediationId
    kind: str


class FixVerified(Entry, frozen=True):
    """The same proof, variants and features were run against a claimed fix."""

    type = "fix.verified"
    case: CaseId
    fix: RemediationId
    run: RunId
    verdict: str
    verified: bool


class FixDrawn(Entry, frozen=True):
    """What a run said of a claimed fix is not told yet: the fix was drawn, and is tried once more first."""

    type = "fix.drawn"
    case: CaseId
    fix: RemediationId
    run: RunId


class FixRechecked(Entry, frozen=True):
    """A fix that had been drawn was tried again before anybody was told: did both runs agree?"""

    type = "fix.rechecked"
    case: CaseId
    fix: RemediationId
    run: RunId
    agrees: bool


class FixesCompared(Entry, frozen=True):
    """Two cases were compared by their fixes (rung L3). Which other one, and their relation, would tell an embargoed case's product."""

    type = "fixes.compared"
    case: CaseId
    other: Salted
    relation: Salted


class DiffRead(Entry, frozen=True):
    """A person read the difference between the flawed and the fixed source."""

    type = "diff.read"
    case: CaseId
    fix: RemediationId
    diff: Salted


class DistributionProposed(Entry, frozen=True):
    """The first of two people proposed to distribute a fix."""

    type = "distribution.proposed"
    case: CaseId
    fix: RemediationId
    proposal: ProposalId


class DistributionConfirmed(Entry, frozen=True):
    """The second of two people confirmed it (never 5)."""

    type = "distribution.confirmed"
    case: CaseId
    fix: RemediationId
    proposal: ProposalId


class ExtensionProposed(Entry, frozen=True):
    """The first of two people proposed a later end date."""

    type = "extension.proposed"
    case: CaseId
    proposal: ProposalId


class EmbargoExtended(Entry, frozen=True):
    """Two people moved an end date, within the policy's maximum."""

    type = "embargo.extended"
    case: CaseId
    proposal: ProposalId
    ends_at: str


class AdvisoryPublished(Entry, frozen=True):
    """An advisory is public. `minimal` ones were published by an end date, without anyone acting."""

    type = "advisory.published"
    case: CaseId
    advisory: AdvisoryId
    public_id: str
    minimal: bool
    csaf_sha256: str
    osv_sha256: str


class DestructionProposed(Entry, frozen=True):
    """The first of two people proposed to destroy a case's proofs."""

    type = "destruction.proposed"
    case: CaseId
    proposal: ProposalId


class ProofsDestroyed(Entry, frozen=True):
    """A case's key was deleted: its proofs can be read by nobody."""

    type = "proofs.destroyed"
    case: CaseId
    proposal: ProposalId
    blobs: int


class ContactRecorded(Entry, frozen=True):
    """A maintainer's contact was recorded with its origin, never from a report."""

    type = "contact.recorded"
    component: Salted
    origin: str


class AliasesRecorded(Entry, frozen=True):
    """A case's names elsewhere were recorded (CVE, GHSA)."""

    type = "aliases.recorded"
    case: CaseId
    aliases: Salted


class DecisionPointsRecorded(Entry, frozen=True):
    """What a case's flaw gives an attacker was recorded (SSVC's automatable and technical impact), with its source."""

    type = "decision_points.recorded"
    case: CaseId
    source: str
    points: Salted


class OrganizationAdded(Entry, frozen=True):
    """An organization joined the hub."""

    type = "organization.added"
    organization: OrganizationId
    kind: str


class TokenIssued(Entry, frozen=True):
    """A service token was issued to an organization."""

    type = "token.issued"
    token: TokenId
    organization: OrganizationId


class InventoryReceived(Entry, frozen=True):
    """An operator told what an asset runs. The operator stands here only as a salted hash."""

    type = "inventory.received"
    organization: Salted
    inventory: Salted


class OperatorMatched(Entry, frozen=True):
    """An operator was compared with what is published, as itself; written for every operator, affected or not."""

    type = "operator.matched"
    organization: Salted
    result: Salted


class ReceiptGiven(Entry, frozen=True):
    """An operator received, planned or installed something. Operator, action and step only as salted hashes."""

    type = "receipt.given"
    organization: Salted
    action: Salted
    receipt: Salted


class KnownAsked(Entry, frozen=True):
    """An organization asked whether signatures are already held. `keyed` are their keyed hashes, salted."""

    type = "known.asked"
    organization: OrganizationId
    signatures: int
    over_budget: bool
    keyed: Salted


class KnownAlarmRaised(Entry, frozen=True):
    """Too many of an organization's questions within a day were answered "known": it may be searching for what others found."""

    type = "known.alarm_raised"
    organization: OrganizationId
    signatures: int
    positive: int


class ClaimChecked(Entry, frozen=True):
    """An organization asked with scrutineer's salted hash. `keyed` is its keyed hash, salted."""

    type = "claim.checked"
    organization: OrganizationId
    over_budget: bool
    keyed: Salted
