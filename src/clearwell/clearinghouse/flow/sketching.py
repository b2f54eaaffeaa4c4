# SPDX-License-Identifier: Apache-2.0
"""Sketching (rung L2): behind each batch, what reports are like goes into the index, and likely pairs of cases are suggested."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from clearwell.clearinghouse.case.entries import BatchSketched, CaseSketched
from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.clearinghouse.dedupe import suggestion_store
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.dedupe.sketch import VERSION, Sketch, sketch
from clearwell.clearinghouse.dedupe.spelling import is_local
from clearwell.clearinghouse.dedupe.suggestion import (
    Indexed,
    KeptSuggestion,
    Posting,
    Speaker,
    StoredRarity,
    candidates,
    copies_of,
    indexed,
    likeliest,
)
from clearwell.clearinghouse.dedupe.suggestion_store import Spoken
from clearwell.clearinghouse.flow.jobs import FORGET_SKETCHES, LAST, SKETCH_AGAIN
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE
from clearwell.ground.jobs.queue import defer
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell

_AT_ONCE = 50
"""Reports whose candidates are held in memory at once."""
_PAGE = 1_000
_FORGOTTEN = 20_000
"""Rows that one step takes out of the index."""


def sketch_batch(house: House, submission: SubmissionId, batch: int) -> None:
    """Index the reports of a batch that opened a case, and suggest what each may be the same as (a job). Repeated, it adds nothing."""
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.SKETCH, Subject(submission))
        waiting = () if _is_being_emptied(tx) else _in_turn(tx, lambda: suggestion_store.unsketched(tx, submission, batch))
        told = Salted(f"{_index(house, tx, waiting)} suggestions")
        house.write(tx, BatchSketched(submission, batch, len(waiting), told), by=DEDUPE)


def sketch_case(house: House, case: CaseId) -> None:
    """Index what speaks for a case that a split or a refusal made, of which no report is in the index yet (a job)."""
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.SKETCH, Subject(case))
        if not _is_being_emptied(tx):
            _index(house, tx, _in_turn(tx, lambda: suggestion_store.unsketched_of_case(tx, case)))
        house.write(tx, CaseSketched(case), by=DEDUPE)


def sketch_again(house: House, finding: FindingId) -> None:
    """Index the next reports behind this one, and go on until there are no more (a job): the index is made anew."""
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.SKETCH, Subject(finding))
        if _is_being_emptied(tx):
            return
        last: str | None = None

        def next_page() -> tuple[Spoken, ...]:
            nonlocal last
            found, last = suggestion_store.unsketched_after(tx, finding, _PAGE)
            return found

        _index(house, tx, _in_turn(tx, next_page))
        if last is not None:
            defer(tx, [SKETCH_AGAIN.job(finding=last, priority=LAST)])


def forget_sketches(house: House) -> None:
    """Empty the index, one step a transaction, then have it made anew (a job): a big one takes longer than a statement may.

    Until it is empty nothing is put in: what comes meanwhile is indexed with all the rest.
    """
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.SKETCH)
        more = suggestion_store.forget(tx, _FORGOTTEN)
        again = FORGET_SKETCHES.job(priority=LAST) if more else SKETCH_AGAIN.job(finding=spell("finding", UUID(int=0)), priority=LAST)
        defer(tx, [again])


def _is_being_emptied(tx: Transaction) -> bool:
    return suggestion_store.is_being_emptied(tx, FORGET_SKETCHES.name)


def related(tx: Transaction, findings: Sequence[KeptFinding]) -> tuple[CaseId, ...]:
    """Cases with a report that bears the same stack or place as one of these, whatever its component: copies of one source, perhaps.

    For people to look at: components that copy one another are fixed one by one, so nothing is joined by it.
    """
    with tx.acting_as(DEDUPE.scope):
        tokens = {number for finding in findings for number in copies_of(sketch(finding.body))}
        numbers = [number for posting in suggestion_store.postings(tx, tokens).values() for number in posting.numbers]
        return suggestion_store.cases_at(tx, numbers)


def _in_turn(tx: Transaction, look: Callable[[], tuple[Spoken, ...]]) -> tuple[Spoken, ...]:
    """What is to be indexed, as it stands once this component's other batches are done: of two alike the later meets the earlier."""
    tx.take_turns("sketch", [_sketch(spoken).component or "" for spoken in look()])
    return look()


def _index(house: House, tx: Transaction, spoken: Sequence[Spoken]) -> int:
    """Index these reports and store the likeliest pairs with what is held already; return how many were stored."""
    numbers = suggestion_store.number_findings(tx, [one.finding for one in spoken], VERSION)
    speakers = [Speaker(numbers[one.finding], one.finding, one.case, _sketch(one)) for one in spoken]
    entries = [indexed(speaker.sketch) for speaker in speakers]
    postings = suggestion_store.postings(tx, [token for entry in entries for token in (*entry.numbers, *entry.copies)])
    added: dict[int, list[int]] = {}
    for speaker, entry in zip(speakers, entries, strict=True):
        for token in (*entry.numbers, *entry.copies):
            added.setdefault(token, []).append(speaker.number)
    postings.update({token: postings.get(token, Posting()).add(new) for token, new in added.items()})
    suggestion_store.add_postings(tx, added)
    return sum(
        _suggest(house, tx, speakers[n : n + _AT_ONCE], entries[n : n + _AT_ONCE], postings) for n in range(0, len(speakers), _AT_ONCE)
    )


def _suggest(house: House, tx: Transaction, speakers: Sequence[Speaker], entries: Sequence[Indexed], postings: dict[int, Posting]) -> int:
    found = [candidates(speaker.number, entry, postings) for speaker, entry in zip(speakers, entries, strict=True)]
    others = suggestion_store.spoken_by(tx, {number for numbers in found for number in numbers})
    held = {one.number: Speaker(one.number, one.finding, one.case, _sketch(one)) for one in others}
    rare, now, best = StoredRarity(postings), house.clock.now(), dict[tuple[CaseId, CaseId], KeptSuggestion]()
    for speaker, numbers in zip(speakers, found, strict=True):
        for made in likeliest(speaker, [held[number] for number in numbers if number in held], rare, VERSION, now):
            if made.pair not in best or made.score > best[made.pair].score:
                best[made.pair] = made
    apart = apart_among(tx, {case for pair in best for case in pair})
    return suggestion_store.save(tx, [made for made in best.values() if not apart.keeps(*made.pair)])


def _sketch(spoken: Spoken) -> Sketch:
    """A report's sketch. What names no component, or one that means something there alone, is compared within its organization only."""
    made = sketch(spoken.body, [quote.text for quote in spoken.body.quotes], run=spoken.submission)
    if made.component is not None and not is_local(made.component):
        return made
    return msgspec.structs.replace(made, component=f"unknown:{spoken.organization} {made.component or ''}".rstrip())
