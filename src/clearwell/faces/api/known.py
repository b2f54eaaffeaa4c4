# SPDX-License-Identifier: Apache-2.0
"""/known and /claim-check: "is this already held?". Every answer is equally long and leaves on a fixed tick, whatever it says."""

import asyncio
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody

from clearwell.clearinghouse.dedupe.question import MOST, AskedSignature, KnownAnswer
from clearwell.clearinghouse.flow import asking
from clearwell.faces.api.routes import Housed, Signed, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import Invalid

_ROW = 256
_CLAIM = 512
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_T = TypeVar("_T")


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 100 canonical signatures. The hub learns them; other members do not. It keeps and logs only their keyed hash."""

    signatures: Annotated[tuple[AskedSignature, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class KnownAnswers(msgspec.Struct, frozen=True):
    """One answer for each signature, in order. `padding` makes every answer equally long: it says nothing."""

    answers: tuple[KnownAnswer, ...]
    padding: str


class ClaimCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scrutineer's question: a salted hash, 64 hexadecimal digits."""

    hash: str


class ClaimMatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """scrutineer's answer: whether a finding with that hash is held, and whom to coordinate with."""

    match: bool
    contact: str | None = None


def seconds_to_tick(started: float, now: float, tick: float) -> float:
    """Return how long to wait until the first tick that is at least one whole tick after the question came (seconds, one clock).

    Work that takes longer than its tick waits for the next one, so that a time tells only how many ticks passed.
    """
    if tick <= 0:
        return 0.0
    first = math.ceil(started / tick) + 1
    return max(first, math.ceil(now / tick)) * tick - now


async def on_tick(tick: float, work: Callable[[], _T]) -> _T:
    """Do the work in a thread and return what it returned on the tick."""
    clock = asyncio.get_running_loop().time
    started = clock()
    done = await sync_to_thread(work)
    await asyncio.sleep(seconds_to_tick(started, clock(), tick))
    return done


def padded(answers: tuple[KnownAnswer, ...]) -> bytes:
    """Encode answers so that their length depends on their number alone."""
    bare = msgspec.json.encode(KnownAnswers(answers, ""))
    return msgspec.json.encode(KnownAnswers(answers, " " * (64 + _ROW * len(answers) - len(bare))))


@write("/known", Act.ASK_KNOWN, status_code=200, is_async=True, media_type="application/json")
async def ask_known(house: Housed, member: Signed, data: JSONBody[Question]) -> Response[Any]:
    """Whether each signature is already held: "not known", "known" since a day, "public" as an id, or "over budget" (come back later)."""
    answers = await on_tick(house.settings.known_tick_seconds, partial(asking.ask_known, house, member, data.signatures))
    return Response(padded(answers), media_type="application/json")


@write("/claim-check", Act.ASK_KNOWN, status_code=200, is_async=True, media_type="application/json")
async def check_claim(house: Housed, member: Signed, data: JSONBody[ClaimCheck]) -> Response[Any]:
    """scrutineer's claim check, for tools that speak only that. 404 unless the hub set a salt. Weaker than /known: see the documents."""
    if not _HASH.fullmatch(data.hash):
        raise Invalid("`hash` is 64 hexadecimal digits: sha256(salt NUL repository NUL location NUL cwe)")
    check = partial(asking.check_claim, house, member, bytes.fromhex(data.hash))
    contact = await on_tick(house.settings.known_tick_seconds, check)
    answer = msgspec.json.encode(ClaimMatch(contact is not None, contact))
    return Response(answer + b" " * (_CLAIM - len(answer)), media_type="application/json")


ROUTES = (ask_known, check_claim)
