# SPDX-License-Identifier: Apache-2.0
"""/maintainer/SECRET: the maintainer's link, without an account. Looking changes nothing; acts need the mailed code.

The secret stands in the path: answers are not stored, send no referrer, and the path is never logged.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router
from litestar.params import FromPath, JSONBody

from clearwell.clearinghouse.case.participant import NEXT_STEP, StatementKind
from clearwell.clearinghouse.flow import maintaining
from clearwell.clearinghouse.flow.maintaining import LinkedView
from clearwell.faces.api.case_view import FixView, StatementView, fix_view
from clearwell.faces.api.findings import RunView, run_view
from clearwell.faces.api.routes import Housed, Linked, admit_holder, read, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.finding import Crash, Location, Origin

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class LinkedReport(msgspec.Struct, frozen=True, kw_only=True):
    """One report of the flaw as its finder wrote it; who sent it is not said. `origin` names the tool, and the model if an AI wrote it."""

    title: str
    message: str
    version: str | None
    weaknesses: tuple[str, ...]
    locations: tuple[Location, ...]
    crash: Crash | None
    preconditions: tuple[str, ...]
    affected: tuple[str, ...]
    references: tuple[str, ...]
    origin: Origin
    ai: bool
    received_at: datetime


class LinkedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a maintainer sees: one root cause, what was seen when its proof ran, and until when. `participation` is your id for it."""

    participation: str
    component: str
    title: str
    weaknesses: tuple[str, ...]
    standing: str
    report_state: str
    first_received: datetime
    ends_at: datetime
    fires: tuple[str, ...]
    clean: tuple[str, ...]
    acts: tuple[str, ...]
    link_expires_at: datetime
    reports: tuple[LinkedReport, ...]
    runs: tuple[RunView, ...]
    statements: tuple[StatementView, ...]
    fixes: tuple[FixView, ...]


class StatementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with the mailed code. `version` belongs to fixed_in and to nothing else."""

    code: Code
    kind: StatementKind
    text: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class PatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patch (unified diff) with the mailed code."""

    code: Code
    patch: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * 1024 * 1024)]


class Mailed(msgspec.Struct, frozen=True):
    """A code is on its way to the contact; it is valid for so many minutes and ends the one before."""

    minutes: int


class Stated(msgspec.Struct, frozen=True):
    """A statement was made, and what it makes necessary."""

    kind: str
    next: str


def linked_case(view: LinkedView) -> LinkedCase:
    """Show the case of a link: no ids but the participant's own and the fixes'."""
    kept, case = view.kept, view.kept.case
    return LinkedCase(
        participation=view.participant.id,
        component=case.component,
        title=case.title,
        weaknesses=case.weaknesses,
        standing=case.standing.value,
        report_state=view.participant.report_state,
        first_received=case.first_received,
        ends_at=case.ends_at,
        fires=kept.fires,
        clean=kept.clean,
        acts=view.link.acts,
        link_expires_at=view.link.expires_at,
        reports=tuple(
            LinkedReport(
                title=kept_finding.title,
                message=kept_finding.body.message,
                version=kept_finding.version,
                weaknesses=tuple(weakness.id for weakness in kept_finding.body.weaknesses),
                locations=kept_finding.body.locations,
                crash=kept_finding.body.crash,
                preconditions=kept_finding.body.preconditions,
                affected=kept_finding.body.affected,
                references=kept_finding.body.references,
                origin=kept_finding.body.origin,
                ai=kept_finding.is_ai,
                received_at=kept_finding.received_at,
            )
            for kept_finding in view.findings
        ),
        runs=tuple(map(run_view, view.runs)),
        statements=tuple(StatementView(row["kind"], row["detail"], row["made_at"]) for row in view.statements),
        fixes=tuple(map(fix_view, view.fixes)),
    )


@read("/", Act.READ_LINKED_CASE, by_link=True)
def read_linked(house: Housed, holder: Linked, secret: FromPath[str]) -> LinkedCase:
    """What the link shows."""
    return linked_case(maintaining.read_linked(house, holder))


@write("/code", Act.ASK_CODE, by_link=True, status_code=202)
def send_code(house: Housed, holder: Linked, secret: FromPath[str]) -> Mailed:
    """Mail a code to the recorded contact; acts need the newest one."""
    maintaining.send_code(house, holder)
    return Mailed(house.settings.code_minutes)


@write("/statements", Act.MAKE_STATEMENT, by_link=True)
def make_statement(house: Housed, holder: Linked, secret: FromPath[str], data: JSONBody[StatementBody]) -> Stated:
    """State something about the case. It closes nothing by itself; "fixed in" makes the hub verify that version."""
    maintaining.make_statement(house, holder, data.code, data.kind, data.text, data.version)
    return Stated(data.kind.value, NEXT_STEP[data.kind])


@write("/patches", Act.CLAIM_FIX, by_link=True, status_code=202)
def claim_patch(house: Housed, holder: Linked, secret: FromPath[str], data: JSONBody[PatchBody]) -> FixView:
    """Send a patch; the hub runs the same proof, its variants and the features with it."""
    return fix_view(maintaining.claim_patch(house, holder, data.code, data.patch.encode()))


ROUTER = Router("/maintainer/{secret:str}", route_handlers=[read_linked, send_code, make_statement, claim_patch], guards=[admit_holder])
