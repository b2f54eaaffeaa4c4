# SPDX-License-Identifier: Apache-2.0
"""/runs and /workers: what a worker signed, for whoever checks it without us, and the keys to check it with."""

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath

from clearwell.clearinghouse.flow import stating
from clearwell.faces.api.routes import Housed, Signed, read
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import RunId, parse_id


class WorkerKey(msgspec.Struct, frozen=True):
    """A worker's public key; saved as a file, `clearwell prove verify --key FILE` reads it."""

    keyid: str
    keytype: str
    scheme: str
    keyval: dict[str, str]


class Workers(msgspec.Struct, frozen=True):
    """The workers whose results count at this hub."""

    workers: tuple[WorkerKey, ...]


@read("/runs/{run_id:str}/statement", Act.READ_CASES, media_type="application/json")
def read_statement(house: Housed, member: Signed, run_id: FromPath[str]) -> Response[Any]:
    """The signed statement of a run: an in-toto statement in a DSSE envelope. What the proof printed is in it by hash alone."""
    return Response(stating.read_statement(house, member, RunId(parse_id("run", run_id))), media_type="application/json")


@read("/workers", Act.READ_CASES)
def list_workers(house: Housed, member: Signed) -> Workers:
    """The public keys of the workers whose results count."""
    keys = stating.list_workers(house, member)
    return Workers(tuple(msgspec.convert({"keyid": key.keyid, **key.to_dict()}, WorkerKey) for key in keys))


ROUTES = (read_statement, list_workers)
