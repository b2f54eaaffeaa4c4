# SPDX-License-Identifier: Apache-2.0
"""Questions: "is this already held?", asked in canonical signatures before a report is sent. Pure; the answer says no more than intake's.

A question holds what a signature is made of (component, crash class and frames; file, function and weakness; a tool's
fingerprint; a proof's hash) and no words of a report. The very rules that sign findings sign it, so that what would be answered
"duplicate" is answered "known".
"""

import re
from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec

from clearwell.clearinghouse.dedupe.decide import usable
from clearwell.clearinghouse.dedupe.signature import VERSIONS, Signature, signatures
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import MOST_LINE, Crash, Finding, Frame, Location, Origin
from clearwell.vocabulary.product import parse_target
from clearwell.vocabulary.weakness import Weakness, parse_cwe

MOST = 100
"""Signatures in one question."""
_NAME = 300
_FRAMES = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AskedCrash(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A crash in OSS-Fuzz's notation: type ("Heap-buffer-overflow", a second line may hold access and size), state, frames that matter."""

    type: str
    frames: tuple[Frame, ...]
    access: Literal["READ", "WRITE"] | None = None
    state: str | None = None


class AskedSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One canonical signature. `target` is a package URL or REPOSITORY@COMMIT.

    One of: `crash`; `file`, `function` and `weakness`; `tool` and `fingerprints`, with the rule and file they stand at;
    `proof_sha256`, the folder's hash in hexadecimal as `clearwell known` computes it. A file and function alone are refused:
    they would let somebody search a code base for what others found.
    """

    target: str
    crash: AskedCrash | None = None
    file: str | None = None
    function: str | None = None
    weakness: str | None = None
    tool: str | None = None
    rule: str | None = None
    fingerprints: tuple[tuple[str, str], ...] = ()
    proof_sha256: str | None = None


class KnownStanding(StrEnum):
    """The three answers, and the one that says to come back: it is as long as the others and comes at the same tick."""

    NOT_KNOWN = "not known"
    KNOWN = "known"
    PUBLIC = "public"
    OVER_BUDGET = "over budget"


class KnownAnswer(msgspec.Struct, frozen=True):
    """What is said of one signature.

    `first_reported` is a day. `fix_expected` is the day on which what was first reported then is published under the hub's public
    policy: computed from that day alone, it says nothing of the case's own embargo. `public_id` is the advisory's.
    """

    standing: KnownStanding
    first_reported: date | None = None
    fix_expected: date | None = None
    public_id: str | None = None

    @property
    def is_positive(self) -> bool:
        """True when the answer tells that somebody reported it."""
        return self.standing in {KnownStanding.KNOWN, KnownStanding.PUBLIC}


def keys_of(asked: AskedSignature) -> tuple[Signature, ...]:
    """Return the signatures that a question stands for, by the rules that sign findings; raise Invalid when it stands for none."""
    _check(asked)
    if asked.proof_sha256 is not None:
        digest = bytes.fromhex(asked.proof_sha256)
        return (Signature("L0", "proof", VERSIONS["proof"], digest, None, True, ("proof", "")),)
    crash = asked.crash
    finding = Finding(
        format="known",
        title="",
        product=parse_target(asked.target),
        weaknesses=(Weakness(parse_cwe(asked.weakness)),) if asked.weakness else (),
        locations=(Location(asked.file, None, asked.function),) if asked.file else (),
        crash=Crash(type=crash.type, access=crash.access, state=crash.state, frames=crash.frames) if crash else None,
        origin=Origin(tool=asked.tool),
        rule=asked.rule,
        fingerprints=asked.fingerprints,
    )
    found = tuple(signature for signature in usable(signatures(finding)) if signature.kind != "report")
    if not found:
        raise Invalid(
            "this is no signature: name a crash with its class and three named frames, or file, function and weakness, "
            "or a tool's fingerprint, or a proof's hash"
        )
    return found


def _check(asked: AskedSignature) -> None:
    """Bound every text, and refuse what is too little to be one flaw."""
    crash = asked.crash
    texts = [
        asked.target,
        asked.file,
        asked.function,
        asked.weakness,
        asked.tool,
        asked.rule,
        *(part for pair in asked.fingerprints for part in pair),
    ]
    if crash is not None:
        texts += [crash.type, crash.access, crash.state]
        texts += [text for frame in crash.frames for text in (frame.function, frame.file, frame.module)]
    if len(asked.fingerprints) > _FRAMES or (crash is not None and len(crash.frames) > _FRAMES):
        raise Invalid(f"a signature has at most {_FRAMES} frames or fingerprints")
    if crash is not None and any(frame.line is not None and not 0 <= frame.line <= MOST_LINE for frame in crash.frames):
        raise Invalid("a frame's line is between 0 and 2,147,483,647")
    said = [crash is not None, bool(asked.fingerprints), asked.weakness is not None, asked.proof_sha256 is not None]
    if sum(said) > 1:
        raise Invalid("one signature is one of: a crash; a file, function and weakness; fingerprints; a proof's hash")
    if any(len(text) > 4 * _NAME for text in texts if text is not None):
        raise Invalid(f"a part of a signature has at most {4 * _NAME} characters")
    if asked.proof_sha256 is not None:
        if not _SHA256.fullmatch(asked.proof_sha256):
            raise Invalid("a proof's hash has 64 hexadecimal digits")
        return
    if asked.fingerprints and not asked.tool:
        raise Invalid("a fingerprint belongs to a tool: name it")
    if crash is None and not asked.fingerprints and asked.weakness is None:
        raise Invalid("a file and a function alone are no signature: name the weakness too, or the crash")
