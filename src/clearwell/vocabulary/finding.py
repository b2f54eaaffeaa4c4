# SPDX-License-Identifier: Apache-2.0
"""Findings: one assertion in a submission, as a format read it, with its places, crash, origin and proof."""

from typing import Literal

import msgspec

from clearwell.vocabulary.product import Product
from clearwell.vocabulary.severity import Severity
from clearwell.vocabulary.weakness import Weakness

MOST_LINE = 2**31 - 1
"""No file has more lines; what says so is no line."""


def line_of(digits: str | None) -> int | None:
    """Return the line that some digits mean, None where they mean none: outside text may hold numbers of any length."""
    return int(digits) if digits and len(digits) <= 10 and int(digits) <= MOST_LINE else None


class Location(msgspec.Struct, frozen=True):
    """A place in source. `file` is a relative name with forward slashes; `line` counts from 1."""

    file: str | None = None
    line: int | None = None
    function: str | None = None


class Frame(msgspec.Struct, frozen=True):
    """One frame of a stack, innermost first in its tuple. `function` is normalized, None when not symbolized."""

    function: str | None = None
    file: str | None = None
    line: int | None = None
    module: str | None = None


class Crash(msgspec.Struct, frozen=True):
    """What a sanitizer or runtime saw.

    `type`, `address`, `state` and `security` use OSS-Fuzz's notation ("crash type, address, state": `type` may hold a second
    line with access and size, `state` is three frames with a newline after each). `access` is READ, WRITE or None; `size` is
    in bytes. `frames` are the first stack's frames that matter (runtime, allocator, sanitizer frames dropped).
    `security` is None when unknown. `call_sites` are the innermost addresses in the program itself (no system library, inlined
    frames once), each as `module+0x1234` counted from the module's start, where the document gives them: at most three.
    """

    sanitizer: str | None = None
    type: str | None = None
    access: Literal["READ", "WRITE"] | None = None
    size: int | None = None
    address: str | None = None
    state: str | None = None
    frames: tuple[Frame, ...] = ()
    security: bool | None = None
    call_sites: tuple[str, ...] = ()


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who or what wrote a finding: the tool, the model and its version where an AI wrote it, and the person who reviewed it.

    Shown wherever the finding is. A model's version names a model: alone it makes no AI origin.
    """

    tool: str | None = None
    tool_version: str | None = None
    model: str | None = None
    human_reviewer: str | None = None
    model_version: str | None = None

    @property
    def is_ai(self) -> bool:
        """True when a model is named."""
        return self.model is not None


class ProofFiles(msgspec.Struct, frozen=True):
    """A proof folder as it was sent inside a report: relative name -> bytes (PROOF.md, format 1). Never shown in a repr."""

    files: dict[str, bytes]

    def __repr__(self) -> str:
        return f"ProofFiles({len(self.files)} files)"


class Quote(msgspec.Struct, frozen=True, omit_defaults=True):
    """Code that a report quotes, as it quotes it, and where it says that it stands. `line` is the quote's first line, from 1."""

    text: str
    file: str | None = None
    line: int | None = None


class Omission(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something private that a projection leaves out: its kind and where its marker stands, never the words themselves.

    `number` counts a finding's omissions, from 0 under the first version of the patterns, from 1,000 under the second, and so on: the
    number of one list is never that of another. `start` is the marker's first character in the field as shown. `is_false` where the
    originator said that it is nothing private: it is shown again. `more` counts what was left out behind the last one listed.
    """

    number: int
    kind: str
    field: str
    start: int
    is_false: bool = False
    more: int = 0


class Finding(msgspec.Struct, frozen=True):
    """One assertion in a submission. Text fields are outside text: show them only through `vocabulary.outside`.

    `external_id` is the tool's own stable id; `rule` the tool's rule; `fingerprints` the tool's (name, value) pairs.
    `preconditions` are what the report says must be true of an application. `remarks` are what the document says of the
    finding's standing ("suppressed: inSource", "baseline: unchanged"); they decide nothing by themselves. `aliases` are other public
    ids of the flaw (CVE, GHSA), `affected` what is affected in the document's words ("pkg:pypi/ujson: >= 1.34, < 5.2.0"), `references`
    addresses (data: never followed, never a link by themselves), `credits` who found it as the document credits them.
    `introduced` are commits that introduced the flaw, as the document says.
    `quotes` is code that it quotes. `left_out` is what a projection leaves out; a format never fills it.
    """

    format: str
    title: str
    message: str = ""
    product: Product | None = None
    weaknesses: tuple[Weakness, ...] = ()
    locations: tuple[Location, ...] = ()
    crash: Crash | None = None
    severity: Severity | None = None
    origin: Origin = Origin()
    external_id: str | None = None
    rule: str | None = None
    fingerprints: tuple[tuple[str, str], ...] = ()
    preconditions: tuple[str, ...] = ()
    proof: ProofFiles | None = None
    remarks: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    introduced: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    left_out: tuple[Omission, ...] = ()

    @property
    def location(self) -> Location | None:
        """The first place named, which tools put where the flaw is."""
        return self.locations[0] if self.locations else None
