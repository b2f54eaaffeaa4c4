# SPDX-License-Identifier: Apache-2.0
"""/sources: source archives and git bundles, sent before the reports that are about them."""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from clearwell.clearinghouse.flow import sourcing
from clearwell.faces.api.door import Door
from clearwell.faces.api.pieces import Pieces
from clearwell.faces.api.routes import Housed, Signed, write
from clearwell.ground.policy.policy import Act


class SourceView(msgspec.Struct, frozen=True):
    """A source archive; `id` is what a report's `source` takes."""

    id: str
    name: str
    size: int


@write("/sources", Act.SUBMIT_REPORT, status_code=201, is_async=True, request_max_body_size=None)
async def send_source(
    request: Request[Any, Any, Any],
    house: Housed,
    member: Signed,
    name: Annotated[str, QueryParameter(min_length=1, max_length=255, description="The file's name: shown, never opened.")],
) -> SourceView:
    """Send a source archive (tar, zip) or a git bundle as raw bytes: what reports cite is looked up in it. Nothing in it is executed."""
    door: Door = request.app.state.uploads
    send = partial(sourcing.send_source, house, member, Pieces(request, house.settings.submission_bytes), name)
    source = await door.run(member.organization, send)
    return SourceView(source.id, source.name, source.size)


ROUTES = (send_source,)
