# SPDX-License-Identifier: Apache-2.0
"""A batch: up to 1,000 findings that are answered and committed together, in one transaction (COPY, one entry, one job)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.outside import for_header
from clearwell.vocabulary.product import Product

T = TypeVar("T")

SIZE = 1_000
"""Findings in one batch at most."""
TITLE = 200
"""Characters of a title that are kept for lists; the whole is in the body."""


def cut(findings: Sequence[T], first_batch: int) -> Iterator[tuple[int, int, Sequence[T]]]:
    """Yield (batch number, position of its first finding, findings) from `first_batch` on: those before are committed already."""
    for start in range(first_batch * SIZE, len(findings), SIZE):
        yield start // SIZE, start, findings[start : start + SIZE]


def component_of(product: Product | None, organization: str) -> str:
    """The unit within which signatures may join. Unknown products of different organizations are different units."""
    return storable(product.component) if product is not None else f"unknown:{organization}"


def storable(text: str) -> str:
    """The text with NUL characters, which no database column takes, shown as U+2400: one of them must not lose a whole report."""
    return text.replace("\0", "␀")


def title_of(finding: Finding) -> str:
    """A title for lists: one line, no control characters."""
    return for_header(finding.title or finding.message or finding.rule or "untitled", TITLE) or "untitled"
