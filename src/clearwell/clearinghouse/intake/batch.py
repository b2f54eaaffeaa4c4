# SPDX-License-Identifier: Apache-2.0
"""A batch: up to 1,000 findings that are answered and committed together, in one transaction (one ledger entry, two jobs)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.outside import for_header
from clearwell.vocabulary.product import Product

T = TypeVar("T")

SIZE = 1_000
"""Findings in one batch at most."""
TITLE = 200
"""Characters of a title that are kept for lists; the whole is in the body."""
_OFTEN_REPEATED = 300
"""Longer texts are not kept in a cache: outside text must not fill memory."""


def cut(findings: Sequence[T], first_batch: int) -> Iterator[tuple[int, int, Sequence[T]]]:
    """Yield (batch number, position of its first finding, findings) from `first_batch` on: those before are committed already."""
    for start in range(first_batch * SIZE, len(findings), SIZE):
        yield start // SIZE, start, findings[start : start + SIZE]


def component_of(product: Product | None, organization: str) -> str:
    """The unit within which signatures may join. Unknown products of different organizations are different units."""
    return _named(product)[0] if product is not None else f"unknown:{organization}"


def version_of(product: Product | None) -> str | None:
    """The asserted version as it is stored; None when the product is unknown or named without one."""
    return _named(product)[1] if product is not None else None


@lru_cache(maxsize=1_024)
def _named(product: Product) -> tuple[str, str | None]:
    version = product.version
    return storable(product.component), storable(version) if version is not None else None


def storable(text: str) -> str:
    """The text with NUL characters, which no database column takes, shown as U+2400: one of them must not lose a whole report."""
    return text.replace("\0", "␀")


def title_of(finding: Finding) -> str:
    """A title for lists: one line, no control characters."""
    text = finding.title or finding.message or finding.rule or "untitled"
    return _title(text) if len(text) <= _OFTEN_REPEATED else for_header(text, TITLE) or "untitled"


@lru_cache(maxsize=4_096)
def _title(text: str) -> str:
    return for_header(text, TITLE) or "untitled"
