# SPDX-License-Identifier: Apache-2.0
"""What anybody may read: advisories, the ledger's key, health."""

from datetime import datetime
from importlib.metadata import version

import msgspec
from litestar import Response
from litestar.params import FromPath

from clearwell.app import ledger_vkey
from clearwell.clearinghouse.distribution.feed import CSAF_TYPE, OSV_TYPE
from clearwell.clearinghouse.distribution.store import Published
from clearwell.clearinghouse.flow import publishing
from clearwell.faces.api.routes import After, Housed, Limit, read
from clearwell.ground.identity.actor import Visitor
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid, NotFound

VISITOR = Visitor()


class AdvisoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A published advisory; its documents are at /api/v1/advisories/ID.csaf and ID.osv, signed ones in /feed/."""

    id: str
    title: str
    revision: int
    minimal: bool
    published: datetime
    modified: datetime
    aliases: tuple[str, ...]
    components: tuple[str, ...]


class Advisories(msgspec.Struct, frozen=True):
    """A page of advisories, newest first; `next` is `after` of the next page, null on the last."""

    advisories: tuple[AdvisoryRow, ...]
    next: str | None


class LedgerKey(msgspec.Struct, frozen=True):
    """The ledger's public key in the form that auditors pin (C2SP signed-note vkey), and the log's origin."""

    vkey: str
    origin: str


class Health(msgspec.Struct, frozen=True):
    """The hub answers and its database too. It says nothing about what lies in it."""

    status: str
    version: str


def advisory_row(published: Published) -> AdvisoryRow:
    """Show an advisory."""
    advisory = published.advisory
    return AdvisoryRow(
        id=advisory.id,
        title=advisory.title,
        revision=advisory.revision,
        minimal=advisory.is_minimal,
        published=advisory.initial_release,
        modified=advisory.current_release,
        aliases=advisory.vulnerability.aliases,
        components=tuple(dict.fromkeys(affected.component for affected in advisory.vulnerability.affected)),
    )


@read("/advisories", Act.READ_PUBLIC)
def list_advisories(house: Housed, after: After = None, limit: Limit = 100) -> Advisories:
    """The published advisories, newest first."""
    found = publishing.list_advisories(house, VISITOR)
    names = [published.advisory.id for published in found]
    if after is not None and after not in names:
        raise Invalid("`after` is what the page before gave as `next`")
    start = names.index(after) + 1 if after is not None else 0
    page = found[start : start + limit]
    return Advisories(tuple(map(advisory_row, page)), names[start + limit - 1] if start + limit < len(found) else None)


@read("/advisories/{document:str}", Act.READ_PUBLIC, media_type="application/json")
def read_advisory(house: Housed, document: FromPath[str]) -> Response[bytes]:
    """One advisory: `ID.csaf` gives the CSAF 2.0 document, `ID.osv` the OSV one, byte for byte as in the feed."""
    public_id, _, kind = document.rpartition(".")
    if kind not in {"csaf", "osv"}:
        raise NotFound("an advisory's documents are ID.csaf and ID.osv")
    written = publishing.read_advisory(house, VISITOR, public_id[:100])
    content, media = (written.csaf, CSAF_TYPE) if kind == "csaf" else (written.osv, OSV_TYPE)
    return Response(content, media_type=media)


@read("/ledger/key", Act.READ_PUBLIC)
def read_ledger_key(house: Housed) -> LedgerKey:
    """The key for `clearwell ledger verify --key`; pin it once, from a second source too."""
    return LedgerKey(ledger_vkey(house), house.settings.ledger_origin)


@read("/health", Act.READ_PUBLIC)
def read_health(house: Housed) -> Health:
    """Whether the hub and its database answer."""
    with house.transaction(VISITOR) as tx:
        tx.value("SELECT 1 AS one")
    return Health("ok", version("clearwell"))


ROUTES = (list_advisories, read_advisory, read_ledger_key, read_health)
