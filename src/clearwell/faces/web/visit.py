# SPDX-License-Identifier: Apache-2.0
"""A visit: one request for a page, with who looks, the form that was sent, and the token that binds it to the session."""

import hmac
import re
import secrets
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.datastructures import Cookie, FormMultiDict, UploadFile

from clearwell.faces.http import NotSignedIn
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Actor, Member, Visitor
from clearwell.ground.identity.members import load_organization, member_of_session
from clearwell.vocabulary.errors import Invalid, Refused

SESSION = "clearwell_session"
VISIT = "clearwell_visit"
"""Names of the two cookies: a member's session, and what binds the sign-in form to one browser."""

_FIELDS = 200
_LINK = re.compile(r"/maintainer/([^/]{1,100})(?:/|$)")


PageRequest: TypeAlias = Request[Any, Any, Any]
"""A request, without types for users and states that the pages do not use."""


class Visit:
    """One request. `member` is None for visitors; `csrf` is the token that this browser's forms must bring back."""

    def __init__(
        self, house: House, request: PageRequest, member: Member | None, organization: str, binding: str, form: FormMultiDict
    ) -> None:
        self.house, self.request, self.member, self.organization = house, request, member, organization
        self.form, self.binding = form, binding

    @property
    def csrf(self) -> str:
        """The token of this browser's forms: a keyed hash of what only this browser holds."""
        return csrf_token(self.house, self.binding)

    @property
    def actor(self) -> Actor:
        """Whoever looks, signed in or not."""
        return self.member or Visitor()

    @property
    def session(self) -> str:
        """The session's secret, or nothing."""
        return self.request.cookies.get(SESSION, "")

    def signed_in(self) -> Member:
        """The member who looks; raise NotSignedIn for a visitor."""
        if self.member is None:
            raise NotSignedIn("sign in first")
        return self.member

    def asked(self, name: str) -> str:
        """A value of the address's query, or nothing."""
        return str(self.request.query_params.get(name, ""))

    def said(self, name: str) -> str:
        """A value of the form, or nothing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def file(self, name: str) -> tuple[str, bytes]:
        """An uploaded file's name and bytes; raise Invalid when none was chosen."""
        value = self.form.get(name)
        if not isinstance(value, UploadFile) or not value.filename:
            raise Invalid("no file was chosen; press the file button, choose one and send the form again")
        return value.filename[:255], value.file.read()

    def new_binding(self) -> Cookie:
        """Bind a visitor's forms to this browser from now on."""
        self.binding = secrets.token_urlsafe(32)
        return cookie(self.house, VISIT, self.binding, 3600)


def csrf_token(house: House, binding: str) -> str:
    """The form token for what a browser holds (a session, a visit's cookie, a maintainer's link)."""
    return house.blobs.mac("csrf", binding.encode()).hex() if binding else ""


def cookie(house: House, name: str, value: str, seconds: int) -> Cookie:
    """A cookie that scripts cannot read and other sites' forms do not send; with 0 seconds it is removed."""
    return Cookie(key=name, value=value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=house.settings.secure_cookies)


async def begin(house: House, request: PageRequest) -> Visit:
    """Find out who looks; read a form and refuse it unless it bears this browser's token."""
    session = request.cookies.get(SESSION, "")
    member, organization = await sync_to_thread(_who, house, session) if 0 < len(session) <= 100 else (None, "")
    link = _LINK.match(request.url.path)
    binding = f"link:{link[1]}" if link else f"session:{session}" if member else _visit_binding(request)
    form = await _form(request) if request.method == "POST" else FormMultiDict()
    visit = Visit(house, request, member, organization, binding, form)
    if request.method == "POST":
        _check_form(visit)
    return visit


async def _form(request: PageRequest) -> FormMultiDict:
    """The form that was sent; anybody may send one, so its fields are bounded.

    The framework reads the parts of a form with a file. Plain ones are read here: its own reader takes time by the square of a form's
    fields, and keeps the last thousand forms, with what stood in them.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await request.form()
    if kind != "application/x-www-form-urlencoded":
        return FormMultiDict()
    try:
        return FormMultiDict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise Invalid(f"this form has more than {_FIELDS} fields: it is none of this hub's") from None


def _visit_binding(request: PageRequest) -> str:
    return request.cookies.get(VISIT, "")[:100]


def _who(house: House, session: str) -> tuple[Member | None, str]:
    with house.transaction(Visitor()) as tx:
        member = member_of_session(tx, session, house.clock.now())
    if member is None:
        return None, ""
    with house.transaction(member) as tx:
        return member, load_organization(tx, member.organization).name


def _check_form(visit: Visit) -> None:
    """Every POST of every page comes through here."""
    if visit.request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Refused("another site sent this form; open the page here and send it from there")
    if not visit.csrf or not hmac.compare_digest(visit.said("csrf").encode(), visit.csrf.encode()):
        raise Refused("this form was not made for your present session; go back, load the page again and send it from there")
