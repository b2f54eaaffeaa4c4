# SPDX-License-Identifier: Apache-2.0
"""/contacts and /links: who maintains a component and where that was found; a link ended at once."""

from typing import Annotated

import msgspec
from litestar.params import FromPath, JSONBody

from clearwell.clearinghouse.case.participant import ContactOrigin
from clearwell.clearinghouse.case.store import Contact
from clearwell.clearinghouse.flow import coordinating
from clearwell.faces.api.findings import Done
from clearwell.faces.api.routes import Housed, Signed, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import LinkId, parse_id
from clearwell.vocabulary.product import parse_purl


class ContactBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A component's maintainer. `origin` says where the address was found (a report is no origin); the limit is the maintainer's own."""

    component: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    contact: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    origin: ContactOrigin
    open_reports_limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


@write("/contacts", Act.RECORD_CONTACT)
def record_contact(house: Housed, member: Signed, data: JSONBody[ContactBody]) -> Done:
    """Record who maintains a component: a package URL, or `repository:NAME`; a version is left out."""
    component = data.component if data.component.startswith("repository:") else parse_purl(data.component).component
    contact = Contact(component, data.name, data.contact, data.origin.value, data.open_reports_limit)
    coordinating.record_contact(house, member, contact)
    return Done("recorded", component)


@write("/links/{link_id:str}/revocation", Act.REVOKE_LINK)
def revoke_link(house: Housed, member: Signed, link_id: FromPath[str]) -> Done:
    """End a maintainer's link at once."""
    coordinating.revoke_link(house, member, LinkId(parse_id("link", link_id)))
    return Done("revoked", link_id)


ROUTES = (record_contact, revoke_link)
