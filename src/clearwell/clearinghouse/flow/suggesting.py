# SPDX-License-Identifier: Apache-2.0
"""Suggesting (rung L2): what reports are like goes into an index, likely pairs into a queue: a person joins, keeps apart, undoes."""

from collections.abc import Sequence

import msgspec

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.entries import BatchSketched
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe import suggestion_store
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.dedupe.sketch import VERSION, Sketch, sketch
from clearwell.clearinghouse.dedupe.suggestion import (
    Indexed,
    KeptSuggestion,
    Place,
    Posting,
    Speaker,
    StoredRarity,
    SuggestionState,
    candidates,
    indexed,
    likeliest,
)
from clearwell.clearinghouse.dedupe.suggestion_store import Spoken
from clearwell.clearinghouse.flow.judging import Judged, keep_apart, merge, reason_of, split
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId, SubmissionId

_AT_ONCE = 50
"""Reports whose candidates are held in memory at once."""
_ALIKE = "a coordinator looked at the suggestion and found one root cause"
_UNDONE = "a coordinator took the acceptance of the suggestion back"


class SuggestedPair(msgspec.Struct, frozen=True):
    """A suggestion with its two cases as they are now."""

    suggestion: KeptSuggestion
    one: KeptCase
    other: KeptCase


class SuggestedPage(msgspec.Struct, frozen=True):
    """A page of the queue, and the place behind which the next begins (None: it was the last)."""

    pairs: tuple[SuggestedPair, ...]
    next: Place | None


# -- the index -------------------------------------------------------------------------------------------------


def sketch_batch(house: House, submission: SubmissionId, batch: int) -> None:
    """Index the reports of a batch that opened a case, and suggest what each may be the same as (a job).

    Repeated, it adds nothing. Batches of one component take turns, so that of two alike reports the later always meets the earlier.
    """
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.SKETCH, Subject(submission))
        waiting = suggestion_store.unsketched(tx, submission, batch)
        tx.take_turns("sketch", [_sketch(spoken).component or "" for spoken in waiting])
        suggested = suggest_anew(house, tx, suggestion_store.unsketched(tx, submission, batch))
        told = Salted(f"{suggested} suggestions")
        house.write(tx, BatchSketched(submission, batch, len(waiting), told), by=DEDUPE)


def suggest_anew(house: House, tx: Transaction, spoken: Sequence[Spoken]) -> int:
    """Index these reports and store the likeliest pairs with what is held already; return how many were stored."""
    numbers = suggestion_store.number_findings(tx, [one.finding for one in spoken], VERSION)
    speakers = [Speaker(numbers[one.finding], one.finding, one.case, _sketch(one)) for one in spoken]
    entries = [indexed(speaker.sketch) for speaker in speakers]
    postings = suggestion_store.postings(tx, [token for entry in entries for token in entry.numbers])
    added: dict[int, list[int]] = {}
    for speaker, entry in zip(speakers, entries, strict=True):
        for token in entry.numbers:
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
    """A report's sketch. What names no component is compared within its own organization only."""
    made = sketch(spoken.body, [quote.text for quote in spoken.body.quotes], run=spoken.submission)
    return made if made.component is not None else msgspec.structs.replace(made, component=f"unknown:{spoken.organization}")


# -- the queue -------------------------------------------------------------------------------------------------


def list_suggestions(house: House, actor: Member, after: Place | None = None, limit: int = 50) -> SuggestedPage:
    """What waits for a person, the likeliest first, behind the place `after`.

    A page may hold fewer rows than `limit` and not be the last: what was found different by way of another case is left out of it.
    """
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        found = suggestion_store.waiting(tx, after, limit + 1)
        shown, more = found[:limit], len(found) > limit
        apart = apart_among(tx, {case for made in shown for case in made.pair}, ("different",))
        return SuggestedPage(_pairs(tx, [made for made in shown if not apart.keeps(*made.pair)]), shown[-1].place if more else None)


def list_decided(house: House, actor: Member, limit: int = 20) -> tuple[SuggestedPair, ...]:
    """What people made of suggestions lately, the newest first."""
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        return _pairs(tx, suggestion_store.decided(tx, limit))


def _pairs(tx: Transaction, found: Sequence[KeptSuggestion]) -> tuple[SuggestedPair, ...]:
    cases = store.load_cases(tx, [case for made in found for case in made.pair])
    return tuple(SuggestedPair(made, cases[made.one], cases[made.other]) for made in found)


def accept_suggestion(house: House, actor: Member, one: CaseId, other: CaseId, reason: str = "") -> Judged:
    """Join the two cases by a person's judgment. `undo_suggestion` takes it back. Raises Conflict, NotFound.

    The unproven one goes into the proven, the younger into the older. Where that brings a proof to a new participant it is only
    proposed, and the suggestion waits until a second person confirms.
    """
    reason = reason_of(reason or _ALIKE)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.MERGE_CASES, Subject(one))
        made = suggestion_store.load(tx, one, other)
        cases = store.load_cases(tx, made.pair)
        into, gone = sorted(cases.values(), key=lambda kept: (not kept.case.is_proven, kept.case.first_received, kept.id))
        shown = (("suggested", f"{made.score:.2f}"), *((signal.signal, signal.value) for signal in made.signals))
        return merge(house, tx, actor, gone.id, into.id, reason, shown)


def dismiss_suggestion(house: House, actor: Member, one: CaseId, other: CaseId, reason: str) -> None:
    """Say that the two are different: remembered for ever, and never suggested again. Raises Conflict, Invalid, NotFound."""
    reason = reason_of(reason)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.FIND_DIFFERENT, Subject(one))
        made = suggestion_store.load(tx, one, other)
        keep_apart(house, tx, actor, made.one, made.other, reason)


def undo_suggestion(house: House, actor: Member, one: CaseId, other: CaseId, reason: str = "") -> Judged:
    """Take an acceptance back: what came from the joined case goes back to it, which wakes as it was.

    It waits in the queue again. Raises Conflict where it was not accepted, or one of the two was joined further since.
    """
    reason = reason_of(reason or _UNDONE)
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.SPLIT_CASE, Subject(one))
        made = suggestion_store.load(tx, one, other)
        if made.state is not SuggestionState.ACCEPTED:
            raise Conflict("this suggestion is not accepted now; look again")
        cases = store.load_cases(tx, made.pair)
        gone = next((kept for kept in cases.values() if kept.merged_into in made.pair), None)
        if gone is None or gone.merged_into is None or cases[gone.merged_into].merged_into is not None:
            raise Conflict("these two are not one case directly: one was split off, or joined further, since; undo that first")
        came = store.came_from(tx, gone.merged_into, gone.id)
        if not came:
            raise Conflict("nothing that came from the joined case is there any longer")
        return split(house, tx, actor, gone.merged_into, came, reason)
