# SPDX-License-Identifier: Apache-2.0
"""A finder's reports: sending one, its answers with their history, runs and reads of its own proofs, appeals."""

from litestar import Response, get, post
from litestar.params import FromPath

from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import FindingId, SubmissionId, parse_id
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.product import parse_target

_PAGE = 50


@get("/reports", sync_to_thread=True)
def reports(request: PageRequest) -> Response[bytes]:
    """The reports that the viewer may see, newest first."""
    visit: Visit = request.state.visit
    before = visit.asked("before")
    sent = reporting.list_submissions(visit.house, visit.signed_in(), parse_id("sub", before) if before else None, _PAGE + 1)
    return page(visit, "reports.html", sent=sent[:_PAGE], more=sent[_PAGE - 1].id if len(sent) > _PAGE else None, markings=Marking)


@post("/reports", sync_to_thread=True)
def send_report(request: PageRequest) -> Response[bytes]:
    """Send a report file."""
    visit: Visit = request.state.visit
    member = visit.signed_in()
    name, content = visit.file("report")
    target = visit.said("target").strip()
    envelope = Envelope(name=name, target=parse_target(target) if target else None, marking=_marking(visit.said("marking")))
    sent = reporting.submit_report(visit.house, member, [content], envelope)
    return redirect(f"/reports/{sent.id}")


@get("/reports/{submission:str}", sync_to_thread=True)
def report(request: PageRequest, submission: FromPath[str]) -> Response[bytes]:
    """One report with the answer to each of its findings."""
    visit: Visit = request.state.visit
    member, sent = visit.signed_in(), SubmissionId(parse_id("sub", submission))
    answers = reporting.read_answers(visit.house, member, sent, _position(visit.asked("after")), _PAGE + 1)
    more = answers[_PAGE - 1].finding.position if len(answers) > _PAGE else None
    read = reporting.read_submission(visit.house, member, sent)
    return page(visit, "report.html", sent=read, answers=answers[:_PAGE], more=more)


@get("/reports/{submission:str}/{finding:str}", sync_to_thread=True)
def finding(request: PageRequest, submission: FromPath[str], finding: FromPath[str]) -> Response[bytes]:
    """One finding: history, participation, runs, who read its proof, and how to appeal."""
    visit: Visit = request.state.visit
    member, finding_id = visit.signed_in(), FindingId(parse_id("finding", finding))
    answered, runs = reporting.read_finding(visit.house, member, finding_id)
    reads = reporting.proof_reads(visit.house, member, finding_id)
    sanity = reporting.read_sanity(visit.house, member, finding_id)
    return page(
        visit, "finding.html", sanity=sanity, answered=answered, runs=runs, reads=reads, submission=submission, done=visit.asked("done")
    )


@post("/reports/{submission:str}/{finding:str}/appeal", sync_to_thread=True)
def appeal(request: PageRequest, submission: FromPath[str], finding: FromPath[str]) -> Response[bytes]:
    """Ask a person to look at a refusal."""
    visit: Visit = request.state.visit
    parse_id("sub", submission)
    reporting.appeal_refusal(visit.house, visit.signed_in(), FindingId(parse_id("finding", finding)), visit.said("reason"))
    return redirect(f"/reports/{submission}/{finding}?done=appealed")


@post("/reports/{submission:str}/{finding:str}/decision", sync_to_thread=True)
def decide(request: PageRequest, submission: FromPath[str], finding: FromPath[str]) -> Response[bytes]:
    """A coordinator decides an appeal."""
    visit: Visit = request.state.visit
    parse_id("sub", submission)
    if visit.said("decision") not in {"uphold", "refuse"}:
        raise Invalid("choose whether the finding is opened again or stays refused")
    upheld, finding_id = visit.said("decision") == "uphold", FindingId(parse_id("finding", finding))
    reporting.decide_appeal(visit.house, visit.signed_in(), finding_id, upheld, visit.said("reason"))
    return redirect(f"/reports/{submission}/{finding}?done=decided")


def _position(text: str) -> int:
    if not text:
        return -1
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid("'after' is a position: a number from 0")
    return int(text)


def _marking(text: str) -> Marking:
    try:
        return Marking(text or Marking.AMBER)
    except ValueError:
        raise Invalid(f"a marking is one of {', '.join(Marking)}") from None


PAGES = (reports, send_report, report, finding, appeal, decide)
