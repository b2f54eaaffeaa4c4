# SPDX-License-Identifier: Apache-2.0
"""The ledger's page: the signed checkpoint, the key that signs it, the newest lines, and how to verify all of it offline. Public."""

from typing import Any

import msgspec
from litestar import Response, get

from clearwell.app import ledger_vkey
from clearwell.faces.web.pages import page
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.ground.ledger.ledger import recent_lines
from clearwell.ground.ledger.tiles import read_bounded
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid

_LINES = 25
_CHECKPOINT = 8 * 1024


class _Signed(msgspec.Struct, frozen=True):
    """What a line's body says of who wrote it."""

    by: str


@get("/ledger", sync_to_thread=True)
def ledger(request: PageRequest) -> Response[bytes]:
    """Checkpoint, key and lines."""
    visit: Visit = request.state.visit
    house, asked = visit.house, visit.asked("before")
    if asked and (not asked.isascii() or not asked.isdecimal() or len(asked) > 18):
        raise Invalid("'before' is the number of a line")
    house.policy.require(visit.actor, Act.READ_PUBLIC)
    with house.transaction(visit.actor) as tx:
        lines = recent_lines(tx, int(asked) if asked else None, _LINES)
    file = house.settings.ledger_dir / "checkpoint"
    checkpoint = read_bounded(file, _CHECKPOINT).decode("utf-8", errors="replace") if file.exists() else ""
    shown = [(line, msgspec.json.decode(line.body, type=_Signed).by, line.body.decode("utf-8", errors="replace")) for line in lines]
    facts: dict[str, Any] = {"origin": house.settings.ledger_origin, "vkey": ledger_vkey(house), "checkpoint": checkpoint, "lines": shown}
    return page(visit, "ledger.html", size=checkpoint.split("\n")[1] if checkpoint.count("\n") > 1 else "0", **facts)


PAGES = (ledger,)
