# SPDX-License-Identifier: Apache-2.0
"""Assertions: what a report says of a source, one by one, and what a look at the real source showed of each, with evidence."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What a look at the real source showed."""

    EXISTS = "exists"
    MOVED = "moved"
    DOES_NOT_EXIST = "does_not_exist"
    COULD_NOT_BE_CHECKED = "could_not_be_checked"


class Kind(StrEnum):
    """What an assertion is about."""

    PACKAGE = "package"
    VERSION = "version"
    COMMIT = "commit"
    FILE = "file"
    SYMBOL = "symbol"
    LINE = "line"
    QUOTE = "quote"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the look went: the archive and the SHA-256 of its bytes, the file in it and its line."""

    archive: str | None = None
    sha256: str | None = None
    file: str | None = None
    line: int | None = None


class Assertion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One assertion. `said` is the report's word for it, `where` the place at which it stands instead, `reason` a sentence.

    `decides`: when nothing that decides is right, the report is refused. A package, a version and a file that exist only say what the
    rest is about: a report that gets nothing but these right says nothing of the source.
    """

    kind: Kind
    said: str
    outcome: Outcome
    reason: str
    where: str | None = None
    evidence: Evidence = Evidence()
    decides: bool = False


class Sanity(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was looked up for one finding.

    `source` is the archive's name, `source_sha256` of its bytes; `tree_sha256` of its files, as builds know it: the tree that was looked
    at is the tree that is built.
    """

    assertions: tuple[Assertion, ...] = ()
    source: str | None = None
    source_sha256: str | None = None
    tree_sha256: str | None = None

    @property
    def checked(self) -> tuple[Assertion, ...]:
        """The assertions that decide and could be checked."""
        return tuple(one for one in self.assertions if one.decides and one.outcome is not Outcome.COULD_NOT_BE_CHECKED)

    @property
    def is_refused(self) -> bool:
        """True when something could be checked and none of it is right."""
        return bool(self.checked) and all(one.outcome is Outcome.DOES_NOT_EXIST for one in self.checked)

    @property
    def outcome(self) -> Outcome:
        """The worst of all outcomes; nothing checkable could not be checked."""
        seen = {one.outcome for one in self.assertions}
        for outcome in (Outcome.DOES_NOT_EXIST, Outcome.MOVED):
            if outcome in seen:
                return outcome
        return Outcome.EXISTS if self.checked else Outcome.COULD_NOT_BE_CHECKED

    @property
    def refusal(self) -> str:
        """The list of what does not exist, for the sender."""
        return "; ".join(dict.fromkeys(one.reason for one in self.assertions if one.outcome is Outcome.DOES_NOT_EXIST))


class KeptSanity(msgspec.Struct, frozen=True):
    """What was looked up for a finding, and when."""

    sanity: Sanity
    checked_at: datetime


def merged(*parts: Iterable[Assertion]) -> tuple[Assertion, ...]:
    """The assertions of several looks, each once, in order."""
    return tuple(dict.fromkeys(one for part in parts for one in part))
