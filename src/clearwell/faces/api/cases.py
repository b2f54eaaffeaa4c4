# SPDX-License-Identifier: Apache-2.0
"""/cases: coordinators see why findings are one, split and join cases, record what is known, propose extensions and destructions."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import FromPath, FromQuery, JSONBody

from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.decision_point import PointSource
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.flow import coordinating
from clearwell.clearinghouse.prioritization.facts import Answer as Known
from clearwell.clearinghouse.prioritization.facts import TechnicalImpact
from clearwell.faces.api.case_view import CasePage, CaseRow, case_page, case_row
from clearwell.faces.api.findings import Done
from clearwell.faces.api.fixes import ProposalView, proposal_view
from clearwell.faces.api.routes import After, Housed, Limit, Signed, read, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import CaseId, FindingId, parse_id

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class Cases(msgspec.Struct, frozen=True):
    """A page of cases, the most urgent first; `next` is `after` of the next page, null on the last."""

    cases: tuple[CaseRow, ...]
    next: str | None


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings to take out of a case again, and why."""

    findings: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=500)]
    reason: Reason


class SplitOff(msgspec.Struct, frozen=True):
    """The cases that the findings went back to; none, and the proposal that a second person must confirm, where a proof would travel."""

    cases: tuple[str, ...]
    proposal: str | None = None


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case to join this one with, and why."""

    into: str
    reason: Reason


class Different(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case that this one is not the same as, and why."""

    other: str
    reason: Reason


class Aliases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case's public names elsewhere: CVE, GHSA, VU#."""

    aliases: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=60)], ...], msgspec.Meta(min_length=1, max_length=20)]


class DecisionPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SSVC's two points that BOD 26-04 asks of a flaw; one that is left out stays as it was, `unknown` takes it back."""

    source: PointSource
    automatable: Known | None = None
    technical_impact: TechnicalImpact | None = None


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A later end date, with its time zone (RFC 3339)."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]


@read("/cases", Act.READ_CASES)
def list_cases(house: Housed, member: Signed, standing: FromQuery[Standing | None] = None, after: After = None, limit: Limit = 50) -> Cases:
    """Cases by priority."""
    found = coordinating.list_cases(house, member, standing.value if standing else None, _cursor(after), limit)
    return Cases(tuple(map(case_row, found)), _spell(found[-1]) if len(found) == limit else None)


@read("/cases/{case_id:str}", Act.READ_CASES)
def read_case(house: Housed, member: Signed, case_id: FromPath[str]) -> CasePage:
    """One case: why it is one, what was run, who takes part, its clocks."""
    return case_page(coordinating.read_case(house, member, _case(case_id)))


@write("/cases/{case_id:str}/split", Act.SPLIT_CASE)
def split_case(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[Split]) -> SplitOff:
    """Take findings out of a case, each back into the case it came from."""
    findings = tuple(FindingId(parse_id("finding", finding)) for finding in data.findings)
    judged = coordinating.split_case(house, member, _case(case_id), findings, data.reason)
    return SplitOff(judged.cases, judged.proposal.id if judged.proposal else None)


@write("/cases/{case_id:str}/merge", Act.MERGE_CASES)
def merge_cases(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[Merge]) -> Done:
    """Join a case with another by your judgment; a split undoes it. `proposed` where a second person must confirm."""
    judged = coordinating.merge_cases(house, member, _case(case_id), _case(data.into), data.reason)
    return Done("proposed", judged.proposal.id) if judged.proposal else Done("merged", data.into)


@write("/cases/{case_id:str}/different", Act.FIND_DIFFERENT)
def find_different(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[Different]) -> Done:
    """Say that this case and another are not one: remembered for ever, no rule joins them."""
    coordinating.find_different(house, member, _case(case_id), _case(data.other), data.reason)
    return Done("different", data.other)


@write("/cases/{case_id:str}/aliases", Act.RECORD_ALIASES)
def record_aliases(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[Aliases]) -> CaseRow:
    """Record a case's public names elsewhere."""
    return case_row(coordinating.record_aliases(house, member, _case(case_id), data.aliases))


@write("/cases/{case_id:str}/decision-points", Act.RECORD_DECISION_POINTS)
def record_decision_points(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[DecisionPoints]) -> CaseRow:
    """Record whether attackers can automate it and what control it gives, with the source."""
    told = (data.automatable, data.technical_impact, data.source)
    return case_row(coordinating.record_decision_points(house, member, _case(case_id), *told))


@write("/cases/{case_id:str}/extension", Act.PROPOSE_EXTENSION)
def propose_extension(house: Housed, member: Signed, case_id: FromPath[str], data: JSONBody[Extension]) -> ProposalView:
    """Propose a later end date; a second person confirms."""
    return proposal_view(coordinating.propose_extension(house, member, _case(case_id), data.until))


@write("/cases/{case_id:str}/destruction", Act.DESTROY_PROOFS)
def propose_destruction(house: Housed, member: Signed, case_id: FromPath[str]) -> ProposalView:
    """Propose to destroy a case's proofs; a second person confirms."""
    return proposal_view(coordinating.propose_destruction(house, member, _case(case_id)))


def _case(text: str) -> CaseId:
    return CaseId(parse_id("case", text))


def _spell(kept: KeptCase) -> str:
    return f"{kept.priority}.{kept.id}"


def _cursor(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    priority, _, case_id = after.partition(".")
    if not priority.removeprefix("-").isascii() or not priority.removeprefix("-").isdecimal() or len(priority) > 19:
        raise Invalid("`after` is what the page before gave as `next`")
    return min(int(priority), 2**63 - 1), parse_id("case", case_id)


ROUTES = (
    list_cases,
    read_case,
    split_case,
    merge_cases,
    find_different,
    record_aliases,
    record_decision_points,
    propose_extension,
    propose_destruction,
)
