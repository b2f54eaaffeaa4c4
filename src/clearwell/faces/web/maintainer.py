# SPDX-License-Identifier: Apache-2.0
"""The maintainer's page, by a link and without an account: one root cause, reproduced. Looking changes nothing."""

import io
import zipfile
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clearwell.clearinghouse.case.participant import NEXT_STEP, StatementKind
from clearwell.clearinghouse.case.report import KeptFinding
from clearwell.clearinghouse.flow import evidence, maintaining
from clearwell.clearinghouse.flow.maintaining import LinkedView
from clearwell.faces.http import status_of
from clearwell.faces.web.pages import download, page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.ground.identity.actor import LinkHolder
from clearwell.vocabulary.errors import ClearwellError, Invalid, NotFound, Refused
from clearwell.vocabulary.ids import ProofId

_TYPED = ("kind", "text", "version")
"""Fields that a page gives back as they were sent."""


@get("/maintainer/{secret:str}", sync_to_thread=True)
def maintainer(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
    """The case that the link opens."""
    visit: Visit = request.state.visit
    return _show(visit, maintaining.open_link(visit.house, secret), secret)


@post("/maintainer/{secret:str}/code", sync_to_thread=True)
def code(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
    """Mail a code to the contact that the hub has on record. What was typed already is kept."""
    visit: Visit = request.state.visit
    holder = maintaining.open_link(visit.house, secret)
    try:
        maintaining.send_code(visit.house, holder)
    except Refused as reason:
        return _show(visit, holder, secret, reason)
    if any(visit.said(name) for name in _TYPED):
        return _show(visit, holder, secret, done="code")
    return redirect(f"/maintainer/{secret}?done=code#answer")


@post("/maintainer/{secret:str}/statement", sync_to_thread=True)
def statement(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
    """State something about the case, with the mailed code."""
    visit: Visit = request.state.visit
    holder = maintaining.open_link(visit.house, secret)
    try:
        version = visit.said("version").strip() if _kind(visit) is StatementKind.FIXED_IN else None
        maintaining.make_statement(visit.house, holder, visit.said("code"), _kind(visit), visit.said("text"), version)
    except ClearwellError as reason:
        return _show(visit, holder, secret, reason)
    return redirect(f"/maintainer/{secret}?done=statement#said")


@post("/maintainer/{secret:str}/patch", sync_to_thread=True)
def patch(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
    """Send a patch, with the mailed code."""
    visit: Visit = request.state.visit
    holder = maintaining.open_link(visit.house, secret)
    try:
        maintaining.claim_patch(visit.house, holder, visit.said("code"), visit.file("patch")[1])
    except ClearwellError as reason:
        return _show(visit, holder, secret, reason)
    return redirect(f"/maintainer/{secret}?done=patch#said")


@post("/maintainer/{secret:str}/proof", sync_to_thread=True, status_code=200)
def linked_proof(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
    """Show the proof, or give it as a zip file. A POST, because the read is written to the ledger first."""
    visit: Visit = request.state.visit
    holder = maintaining.open_link(visit.house, secret)
    kept = maintaining.read_linked(visit.house, holder).kept
    if kept.proof is None:
        raise NotFound("this report has no proof")
    proof, files = evidence.read_proof(visit.house, holder, ProofId(kept.proof), "the maintainer looked at it")
    if visit.said("as") == "zip":
        return download(_zipped(files), "application/zip", f"{proof.id}.zip")
    return page(visit, "proof.html", proof=proof, files=files, back=f"/maintainer/{secret}")


def _show(visit: Visit, holder: LinkHolder, secret: str, error: ClearwellError | None = None, done: str = "") -> Response[bytes]:
    view = maintaining.read_linked(visit.house, holder)
    facts: dict[str, Any] = {
        "view": view,
        "first": _first(view),
        "secret": secret,
        "kinds": StatementKind,
        "next_steps": {kind.value: step for kind, step in NEXT_STEP.items()},
        "error": str(error) if error else "",
        "typed": {name: visit.said(name) for name in _TYPED},
        "done": done or visit.asked("done"),
    }
    return page(visit, "maintainer.html", status_of(error) if error else 200, **facts)


def _first(view: LinkedView) -> KeptFinding:
    """The report whose proof stands for the case, else the oldest."""
    proven = next((run.finding for run in view.runs if run.proof == view.kept.proof), None)
    first = next((finding for finding in view.findings if finding.id == proven), next(iter(view.findings), None))
    if first is None:
        raise NotFound("this case holds no report any more; the coordinator can tell you where it went")
    return first


def _kind(visit: Visit) -> StatementKind:
    try:
        return StatementKind(visit.said("kind"))
    except ValueError:
        raise Invalid("choose what you want to say") from None


def _zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name])
    return packed.getvalue()


PAGES = (maintainer, code, statement, patch, linked_proof)
