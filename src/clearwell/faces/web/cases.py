# SPDX-License-Identifier: Apache-2.0
"""The coordinators' cases: the list by priority, and one case with why it is one, what was run, its clocks and what is next."""

from datetime import UTC, datetime, time
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clearwell.clearinghouse.case.case import Standing
from clearwell.clearinghouse.case.decision_point import PointSource
from clearwell.clearinghouse.case.participant import NEXT_STEP, ContactOrigin, StatementKind
from clearwell.clearinghouse.case.store import Contact, Fix
from clearwell.clearinghouse.flow import confirming, coordinating, evidence, judging, remediating
from clearwell.clearinghouse.flow.coordinating import EXTEND, CaseView
from clearwell.clearinghouse.flow.remediating import DISTRIBUTE
from clearwell.clearinghouse.prioritization.facts import Answer as Known
from clearwell.clearinghouse.prioritization.facts import TechnicalImpact
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.ids import CaseId, FindingId, LinkId, ProofId, ProposalId, RemediationId, parse_id

_PAGE = 50


@get("/cases", sync_to_thread=True)
def cases(request: PageRequest) -> Response[bytes]:
    """Cases by priority, of one standing or of all."""
    visit: Visit = request.state.visit
    member, standing = visit.signed_in(), visit.asked("standing")
    if standing and standing not in set(Standing):
        raise Invalid(f"a standing is one of {', '.join(Standing)}")
    found = coordinating.list_cases(visit.house, member, standing or None, _place(visit.asked("after")), _PAGE + 1)
    more = f"{found[_PAGE - 1].priority}.{found[_PAGE - 1].id}" if len(found) > _PAGE else None
    return page(visit, "cases.html", found=found[:_PAGE], more=more, standing=standing, standings=Standing)


@get("/cases/{case:str}", sync_to_thread=True)
def case(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """One case."""
    visit: Visit = request.state.visit
    member, case_id = visit.signed_in(), _case(case)
    view = coordinating.read_case(visit.house, member, case_id)
    facts: dict[str, Any] = {
        "view": view,
        "proof_ids": {view.kept.proof, *(run.proof for run in view.runs)},
        "findings": {finding.id: finding for finding in view.findings},
        "extensions": [p for p in view.proposals if p.act == EXTEND and p.subject == case_id],
        "judgments": [p for p in view.proposals if p.act in {judging.MERGE, judging.SPLIT} and p.subject == case_id],
        "distributions": {p.subject: p for p in view.proposals if p.act == DISTRIBUTE},
        "next_steps": {kind.value: step for kind, step in NEXT_STEP.items()},
        "kinds": StatementKind,
        "origins": ContactOrigin,
        "sources": PointSource,
        "me": member.person,
        "done": visit.asked("done"),
    }
    return page(visit, "case.html", **facts)


@post("/cases/{case:str}/split", sync_to_thread=True)
def split(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Take findings out of a case again."""
    visit: Visit = request.state.visit
    chosen = tuple(FindingId(parse_id("finding", str(one))) for one in visit.form.getall("finding", []))
    if not chosen:
        raise Invalid("choose at least one report to take out")
    judged = coordinating.split_case(visit.house, visit.signed_in(), _case(case), chosen, visit.said("reason"))
    return redirect(f"/cases/{case}?done={'proposed' if judged.proposal else 'split'}")


@post("/cases/{case:str}/merge", sync_to_thread=True)
def merge(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Join this case with another."""
    visit: Visit = request.state.visit
    into = _case(visit.said("into").strip())
    judged = coordinating.merge_cases(visit.house, visit.signed_in(), _case(case), into, visit.said("reason"))
    return redirect(f"/cases/{case}?done=proposed" if judged.proposal else f"/cases/{into}?done=merged")


@post("/cases/{case:str}/judgment/{proposal:str}", sync_to_thread=True)
def confirm_judgment(request: PageRequest, case: FromPath[str], proposal: FromPath[str]) -> Response[bytes]:
    """Confirm a merge or a split that brings a proof to a new participant: the second of two people."""
    visit: Visit = request.state.visit
    _case(case)
    confirming.confirm_proposal(visit.house, visit.signed_in(), ProposalId(parse_id("proposal", proposal)))
    return redirect(f"/cases/{case}?done=judged")


@post("/cases/{case:str}/different", sync_to_thread=True)
def different(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Say that this case and another are not one."""
    visit: Visit = request.state.visit
    coordinating.find_different(visit.house, visit.signed_in(), _case(case), _case(visit.said("other").strip()), visit.said("reason"))
    return redirect(f"/cases/{case}?done=different")


@post("/cases/{case:str}/contact", sync_to_thread=True)
def contact(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Record who maintains the case's component."""
    visit: Visit = request.state.visit
    member, case_id = visit.signed_in(), _case(case)
    limit = visit.said("limit").strip()
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:5]) <= 1000:
        raise Invalid("the limit of open reports is a number from 1 to 1000")
    component = coordinating.read_case(visit.house, member, case_id).kept.case.component
    told = Contact(component, visit.said("name").strip()[:200], visit.said("contact").strip(), visit.said("origin"), int(limit))
    coordinating.record_contact(visit.house, member, told)
    return redirect(f"/cases/{case}?done=contact")


@post("/cases/{case:str}/decision-points", sync_to_thread=True)
def decision_points(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Record SSVC's decision points of the case's flaw; a point whose answer was left alone keeps its source and date."""
    visit: Visit = request.state.visit
    try:
        automatable = Known(visit.said("automatable")) if visit.said("automatable") else None
        impact = TechnicalImpact(visit.said("technical_impact")) if visit.said("technical_impact") else None
        source = PointSource(visit.said("source"))
    except ValueError:
        raise Invalid("choose answers and a source from the lists of the form") from None
    coordinating.record_decision_points(visit.house, visit.signed_in(), _case(case), automatable, impact, source)
    return redirect(f"/cases/{case}?done=points")


@post("/cases/{case:str}/extension", sync_to_thread=True)
def extension(request: PageRequest, case: FromPath[str]) -> Response[bytes]:
    """Propose a later end date: the first of two people."""
    visit: Visit = request.state.visit
    try:
        until = datetime.combine(datetime.strptime(visit.said("until"), "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007 a date alone
    except ValueError:
        raise Invalid("an end date is written YYYY-MM-DD") from None
    coordinating.propose_extension(visit.house, visit.signed_in(), _case(case), until)
    return redirect(f"/cases/{case}?done=proposed")


@post("/cases/{case:str}/extension/{proposal:str}", sync_to_thread=True)
def confirm_extension(request: PageRequest, case: FromPath[str], proposal: FromPath[str]) -> Response[bytes]:
    """Confirm a later end date: the second of two people."""
    visit: Visit = request.state.visit
    _case(case)
    coordinating.confirm_extension(visit.house, visit.signed_in(), ProposalId(parse_id("proposal", proposal)))
    return redirect(f"/cases/{case}?done=extended")


@post("/cases/{case:str}/links/{link:str}/revoke", sync_to_thread=True)
def revoke(request: PageRequest, case: FromPath[str], link: FromPath[str]) -> Response[bytes]:
    """End a maintainer's link."""
    visit: Visit = request.state.visit
    _case(case)
    coordinating.revoke_link(visit.house, visit.signed_in(), LinkId(parse_id("link", link)))
    return redirect(f"/cases/{case}?done=revoked")


@post("/cases/{case:str}/proofs/{proof:str}", sync_to_thread=True, status_code=200)
def proof(request: PageRequest, case: FromPath[str], proof: FromPath[str]) -> Response[bytes]:
    """Show a proof. A POST, because the read is written to the ledger first."""
    visit: Visit = request.state.visit
    _case(case)
    read, files = evidence.read_proof(visit.house, visit.signed_in(), ProofId(parse_id("proof", proof)), "a coordinator looked at it")
    return page(visit, "proof.html", proof=read, files=files, back=f"/cases/{case}")


@post("/cases/{case:str}/fixes/{fix:str}/difference", sync_to_thread=True, status_code=200)
def difference(request: PageRequest, case: FromPath[str], fix: FromPath[str]) -> Response[bytes]:
    """Show what a fix changes, with the forms for two people. A POST, because the read is written to the ledger first."""
    visit: Visit = request.state.visit
    member = visit.signed_in()
    view = coordinating.read_case(visit.house, member, _case(case))
    chosen = _fix(view, fix)
    text = remediating.read_difference(visit.house, member, chosen.id).decode("utf-8", errors="replace")
    proposal = next((p for p in view.proposals if p.act == DISTRIBUTE and p.subject == chosen.id), None)
    return page(visit, "difference.html", view=view, fix=chosen, lines=text.splitlines(), proposal=proposal, me=member.person)


@post("/cases/{case:str}/fixes/{fix:str}/distribution", sync_to_thread=True)
def distribution(request: PageRequest, case: FromPath[str], fix: FromPath[str]) -> Response[bytes]:
    """Propose to distribute a fix: the first of two people, who read the difference."""
    visit: Visit = request.state.visit
    _case(case)
    remediating.propose_distribution(visit.house, visit.signed_in(), RemediationId(parse_id("fix", fix)), visit.said("diff_sha256"))
    return redirect(f"/cases/{case}?done=proposed")


@post("/cases/{case:str}/fixes/{fix:str}/distribution/{proposal:str}", sync_to_thread=True)
def confirm_distribution(request: PageRequest, case: FromPath[str], fix: FromPath[str], proposal: FromPath[str]) -> Response[bytes]:
    """Confirm to distribute a fix: the second of two people, who read the same difference."""
    visit: Visit = request.state.visit
    _case(case)
    parse_id("fix", fix)
    proposal_id = ProposalId(parse_id("proposal", proposal))
    remediating.confirm_distribution(visit.house, visit.signed_in(), proposal_id, visit.said("diff_sha256"))
    return redirect(f"/cases/{case}?done=distributed")


def _case(text: str) -> CaseId:
    return CaseId(parse_id("case", text))


def _fix(view: CaseView, text: str) -> Fix:
    found = next((fix for fix in view.fixes if fix.id == text), None)
    if found is None:
        raise NotFound("there is no such fix in this case")
    return found


def _place(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    priority, _, case_id = text.partition(".")
    if not priority.isascii() or not priority.isdecimal() or len(priority) > 12:
        raise Invalid("'after' is the place of a case in the list, as the link on the page before has it")
    return int(priority), _case(case_id)


PAGES = (
    cases,
    case,
    split,
    merge,
    confirm_judgment,
    different,
    contact,
    decision_points,
    extension,
    confirm_extension,
    revoke,
    proof,
    difference,
    distribution,
    confirm_distribution,
)
