# SPDX-License-Identifier: Apache-2.0
"""/suggestions: pairs of cases that may be one flaw, with every signal, for coordinators to join, keep apart, and undo."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import FromPath, JSONBody

from clearwell.clearinghouse.dedupe.suggestion import place_of
from clearwell.clearinghouse.flow import signing, suggesting
from clearwell.clearinghouse.flow.judging import Judged
from clearwell.clearinghouse.flow.suggesting import SuggestedPair
from clearwell.faces.api.case_view import CaseRow, case_row
from clearwell.faces.api.findings import Done
from clearwell.faces.api.routes import After, Housed, Limit, Signed, read, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import CaseId, parse_id

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class SignalView(msgspec.Struct, frozen=True):
    """One thing that speaks for (or, with a `weight` below zero, against) one flaw."""

    signal: str
    value: str
    weight: float


class SuggestionView(msgspec.Struct, frozen=True, kw_only=True):
    """Two cases that may be one flaw. `score` is a rough chance; `findings` are the two reports compared, in the order of `cases`.

    `state`: open, undone (accepted and taken back: it waits again), accepted, different. `version` is the rule's. `proposal` is a merge of
    the two that a colleague proposed, or you, and a second person may confirm.
    """

    cases: tuple[CaseRow, CaseRow]
    findings: tuple[str, str]
    score: float
    signals: tuple[SignalView, ...]
    version: int
    state: str
    suggested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    proposal: str | None


class Suggestions(msgspec.Struct, frozen=True):
    """A page of what waits, the likeliest first, and what was decided lately; `next` is `after` of the next page, null on the last."""

    suggestions: tuple[SuggestionView, ...]
    decided: tuple[SuggestionView, ...]
    next: str | None


class Judgment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, where a person wants to say more than that they looked."""

    reason: Reason | None = None


class Different(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells the two apart: it is kept for ever."""

    reason: Reason


@read("/suggestions", Act.READ_CASES)
def list_suggestions(house: Housed, member: Signed, after: After = None, limit: Limit = 50) -> Suggestions:
    """Pairs of cases that may be one flaw, the likeliest first."""
    page = suggesting.list_suggestions(house, member, place_of(after) if after else None, limit)
    return Suggestions(
        tuple(map(_view, page.pairs)), tuple(map(_view, suggesting.list_decided(house, member))), str(page.next) if page.next else None
    )


@write("/suggestions/{one:str}/{other:str}/accept", Act.MERGE_CASES)
def accept_suggestion(house: Housed, member: Signed, one: FromPath[str], other: FromPath[str], data: JSONBody[Judgment]) -> Done:
    """Join the two: the unproven one into the proven, the younger into the older. Undone by `undo`."""
    return _done("accepted", suggesting.accept_suggestion(house, member, _case(one), _case(other), data.reason or ""))


@write("/suggestions/{one:str}/{other:str}/different", Act.FIND_DIFFERENT)
def dismiss_suggestion(house: Housed, member: Signed, one: FromPath[str], other: FromPath[str], data: JSONBody[Different]) -> Done:
    """Say that the two are different: remembered for ever, never suggested again."""
    suggesting.dismiss_suggestion(house, member, _case(one), _case(other), data.reason)
    return Done("different", other)


@write("/suggestions/{one:str}/{other:str}/undo", Act.SPLIT_CASE)
def undo_suggestion(house: Housed, member: Signed, one: FromPath[str], other: FromPath[str], data: JSONBody[Judgment]) -> Done:
    """Take an acceptance back: the joined case wakes as it was, and the pair waits again."""
    return _done("undone", suggesting.undo_suggestion(house, member, _case(one), _case(other), data.reason or ""))


@write("/suggestions/recomputation", Act.RECOMPUTE_SUGGESTIONS)
def recompute_suggestions(house: Housed, member: Signed) -> Done:
    """Make the suggestions anew from every report, in the background; what people decided stays."""
    suggesting.recompute_suggestions(house, member)
    return Done("recomputing", "suggestions")


@write("/signatures/recomputation", Act.RECOMPUTE_SIGNATURES)
def recompute_signatures(house: Housed, member: Signed) -> Done:
    """Sign every report anew by the rules as they are now, in the background; what is joined or found different stays."""
    signing.recompute_signatures(house, member)
    return Done("recomputing", "signatures")


def _case(text: str) -> CaseId:
    return CaseId(parse_id("case", text))


def _done(what: str, judged: Judged) -> Done:
    """What was done and to which case; `proposed` and the proposal, where a second person must confirm it."""
    return Done("proposed", judged.proposal.id) if judged.proposal else Done(what, judged.cases[0])


def _view(pair: SuggestedPair) -> SuggestionView:
    made = pair.suggestion
    return SuggestionView(
        cases=(case_row(pair.one), case_row(pair.other)), findings=(made.one_finding, made.other_finding), score=made.score,
        signals=tuple(SignalView(one.signal, one.value, round(one.weight, 2)) for one in made.signals), version=made.version,
        state=made.state.value, suggested_at=made.suggested_at, decided_by=made.decided_by, decided_at=made.decided_at,
        proposal=pair.proposal.id if pair.proposal else None,
    )  # fmt: skip


ROUTES = (list_suggestions, accept_suggestion, dismiss_suggestion, undo_suggestion, recompute_suggestions, recompute_signatures)
