# SPDX-License-Identifier: Apache-2.0
"""Minimizing: the originator says that an omission hides nothing private; the projection is computed anew from the sealed bytes.

A false hit is named by the number that its originator saw, once; from then on it is known by a keyed hash of its words. Patterns that come
later number and cut otherwise, and show nothing that nobody called harmless.
"""

from collections.abc import Container, Iterable, Sequence

import msgspec

from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.entries import FalseHitLapsed, FalseHitMarked, ProjectionOutdated, ProjectionRenewed, SubmissionRead
from clearwell.clearinghouse.case.report import KeptFinding, Submission, SubmissionState
from clearwell.clearinghouse.flow.answering import read_sent, with_origin
from clearwell.clearinghouse.flow.jobs import MINIMIZE, PARSE
from clearwell.clearinghouse.intake import false_hit_store
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.batch import title_of
from clearwell.clearinghouse.intake.minimization import is_of_now, minimize, words_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, Member
from clearwell.ground.jobs.queue import defer_once
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict, NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import FindingId, SubmissionId

_PAGE = 1_000


def mark_false_hit(house: House, actor: Member, finding_id: FindingId, number: int) -> None:
    """Say that omission `number` of a finding hides nothing private: the same words are shown in the whole report from then on.

    Only the report's originator may. Raises NotFound when there is no such omission, Conflict when it was said before or when the list
    is of older patterns: it is computed anew then.
    """
    is_old = not is_of_now(number)
    with house.transaction(actor) as tx:
        finding = report_store.load_finding(tx, finding_id)
        house.policy.require(actor, Act.MARK_FALSE_HIT, Subject(finding.id, organization=finding.organization))
        omission = next((one for one in finding.body.left_out if one.number == number), None)
        if omission is None:
            raise NotFound(f"this finding has no omission {number} (any longer); `left_out` lists them")
        if is_old:
            house.write(tx, ProjectionOutdated(finding.submission), by=actor)
        elif omission.is_false or not false_hit_store.insert_false_hit(tx, finding, number, actor.person, house.clock.now()):
            raise Conflict(f"omission {number} of this finding is shown already, or will be at once")
        else:
            house.write(tx, FalseHitMarked(finding.id, number, omission.kind), by=actor)
        _defer(tx, report_store.load_submission(tx, finding.submission))
    if is_old:
        raise Conflict(
            "this list was made by older patterns and is computed anew now: look at `left_out` again in a moment, its numbers are others"
        )


def _defer(tx: Transaction, sent: Submission) -> None:
    """Have a report's projections computed anew: once for all marks that wait, and at the turn of who made them, as any reading."""
    turn = intake_store.take_turn(tx, sent.organization, PARSE.name, sent.size, is_alone=False)
    defer_once(tx, [MINIMIZE.job(submission=sent.id, priority=turn.priority)])


def minimize_again(house: House, submission: SubmissionId) -> None:
    """Compute the projections of a submission anew from its sealed bytes, with what its originator said. Signatures stay as they were."""
    with house.transaction(INTAKE) as tx:
        house.policy.require(INTAKE, Act.PARSE, Subject(submission))
        sent = report_store.load_submission(tx, submission)
        if sent.state is not SubmissionState.PARSED:
            return
        house.write(tx, SubmissionRead(sent.id, "to be minimized anew"), by=INTAKE)
    with house.transaction(INTAKE) as tx:
        raw = b"".join(house.blobs.open(tx, sent.id, sent.address))
    findings = [with_origin(finding, sent.origin) for finding in read_sent(sent, raw).findings]
    words = _false_words(house, sent, findings)
    after, renewed = -1, 0
    while True:
        after, count = _renew_page(house, sent, findings, words, after)
        renewed += count
        if after < 0:
            break
    with house.transaction(INTAKE) as tx:
        house.write(tx, ProjectionRenewed(sent.id, renewed), by=INTAKE)


class _FalseWords:
    """The words of one report that are shown, known by their keyed hashes alone."""

    def __init__(self, house: House, submission: SubmissionId, hashes: Iterable[bytes]) -> None:
        self._house, self._submission, self._hashes = house, submission, frozenset(hashes)

    def __contains__(self, word: object) -> bool:
        return self._hash(str(word)) in self._hashes

    def _hash(self, word: str) -> bytes:
        return _hashed(self._house, self._submission, word)


def _hashed(house: House, submission: SubmissionId, word: str) -> bytes:
    return house.blobs.mac("false hit", f"{submission} {word}".encode(errors="surrogatepass"))


def _false_words(house: House, sent: Submission, findings: Sequence[Finding]) -> _FalseWords:
    """Look up the words of false hits that are named by number alone, and remember their hashes.

    A number counts only while the list in which it was seen is the one that today's patterns make; else the mark lapses.
    """
    with house.transaction(INTAKE) as tx:
        hits = false_hit_store.false_hits(tx, sent.id)
        known = [hit.word for hit in hits if hit.word is not None]
        for hit in hits:
            if hit.word is None:
                word = _word_of(report_store.load_finding(tx, hit.finding), findings, hit.number)
                if word is None:
                    false_hit_store.delete_false_hit(tx, hit)
                    house.write(tx, FalseHitLapsed(hit.finding, hit.number), by=INTAKE)
                else:
                    known.append(_hashed(house, sent.id, word))
                    false_hit_store.set_word(tx, msgspec.structs.replace(hit, word=known[-1]))
    return _FalseWords(house, sent.id, known)


def _word_of(kept: KeptFinding, findings: Sequence[Finding], number: int) -> str | None:
    """The words that a number stands for, or None when the list that its originator saw is not the one that is made now."""
    if kept.position >= len(findings):
        return None
    made = minimize(findings[kept.position]).left_out
    if [(one.number, one.kind, one.field) for one in made] != [(one.number, one.kind, one.field) for one in kept.body.left_out]:
        return None
    return next(iter(words_of(findings[kept.position], (number,))), None)


def _renew_page(house: House, sent: Submission, findings: Sequence[Finding], words: Container[str], after: int) -> tuple[int, int]:
    """Renew a page of findings; return the last position (-1 at the end) and how many changed."""
    renewed = 0
    with house.transaction(INTAKE) as tx:
        page = report_store.findings_page(tx, sent.id, after, _PAGE)
        for kept in page:
            if kept.position < len(findings):
                changed = _renewed(kept, findings[kept.position], words)
                if changed != kept and (kept.body.left_out or changed.body.left_out):
                    false_hit_store.save_projection(tx, changed)
                    _retitle(house, tx, kept, changed)
                    renewed += 1
    return (page[-1].position if len(page) == _PAGE else -1), renewed


def _renewed(kept: KeptFinding, finding: Finding, words: Container[str]) -> KeptFinding:
    shown = msgspec.structs.replace(minimize(finding, words), proof=None)
    return msgspec.structs.replace(kept, title=title_of(shown), body=shown)


def _retitle(house: House, tx: Transaction, before: KeptFinding, after: KeptFinding) -> None:
    """A case that bears the finding's title bears the new one."""
    if before.title != after.title:
        kept = store.load_case(tx, before.case, lock=True)
        if kept.case.title == before.title:
            store.save_case(tx, msgspec.structs.replace(kept, case=msgspec.structs.replace(kept.case, title=after.title)))
