# SPDX-License-Identifier: Apache-2.0
"""Suggesting (rung L2): likely pairs of cases wait in a queue; a person joins them, keeps them apart, undoes it."""

from collections.abc import Sequence

import msgspec

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.entries import SuggestionsRecomputed
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe import suggestion_store
from clearwell.clearinghouse.dedupe.difference import apart_among
from clearwell.clearinghouse.dedupe.suggestion import KeptSuggestion, Place, SuggestionState
from clearwell.clearinghouse.flow.jobs import FORGET_SKETCHES, LAST
from clearwell.clearinghouse.flow.judging import MERGE, Judged, keep_apart, merge, reason_of, split
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member
from clearwell.ground.identity.two_person import Proposal, open_proposals
from clearwell.ground.jobs.queue import defer
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import CaseId

_ALIKE = "a coordinator looked at the suggestion and found one root cause"
_UNDONE = "a coordinator took the acceptance of the suggestion back"


class SuggestedPair(msgspec.Struct, frozen=True):
    """A suggestion with its two cases as they are now, and the merge of the two that somebody proposed and a second person may confirm."""

    suggestion: KeptSuggestion
    one: KeptCase
    other: KeptCase
    proposal: Proposal | None = None


class SuggestedPage(msgspec.Struct, frozen=True):
    """A page of the queue, and the place behind which the next begins (None: it was the last)."""

    pairs: tuple[SuggestedPair, ...]
    next: Place | None


def list_suggestions(house: House, actor: Member, after: Place | None = None, limit: int = 50) -> SuggestedPage:
    """What waits for a person, the likeliest first, behind the place `after`.

    A page may hold fewer rows than `limit` and not be the last: what was found different by way of another case is left out of it.
    """
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        found = suggestion_store.waiting(tx, after, limit + 1)
        shown, more = found[:limit], len(found) > limit
        apart = apart_among(tx, {case for made in shown for case in made.pair}, ("different",))
        merges = [made for made in open_proposals(tx, house.clock.now()) if made.act == MERGE]
        pairs = _pairs(tx, [made for made in shown if not apart.keeps(*made.pair)], merges)
        return SuggestedPage(pairs, shown[-1].place if more else None)


def list_decided(house: House, actor: Member, limit: int = 20) -> tuple[SuggestedPair, ...]:
    """What people made of suggestions lately, the newest first."""
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        return _pairs(tx, suggestion_store.decided(tx, limit))


def _pairs(tx: Transaction, found: Sequence[KeptSuggestion], merges: Sequence[Proposal] = ()) -> tuple[SuggestedPair, ...]:
    cases = store.load_cases(tx, [case for made in found for case in made.pair])
    proposed = {frozenset((merge.subject, merge.payload["into"])): merge for merge in merges}
    return tuple(SuggestedPair(made, cases[made.one], cases[made.other], proposed.get(frozenset(made.pair))) for made in found)


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


def recompute_suggestions(house: House, actor: Member) -> None:
    """Make the index and the suggestions anew, from every report (after an update of the rule, or of a hub older than it).

    What people decided stays; what waits undecided is withdrawn until it is found again. All in steps, behind this act.
    """
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.RECOMPUTE_SUGGESTIONS)
        with tx.acting_as(DEDUPE.scope):
            defer(tx, [FORGET_SKETCHES.job(priority=LAST)])
            house.write(tx, SuggestionsRecomputed(), by=actor)
