# SPDX-License-Identifier: Apache-2.0
"""Findings for tests, written with few words."""

from typing import Any

import msgspec

from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin
from clearwell.vocabulary.product import Product, parse_purl
from clearwell.vocabulary.weakness import Weakness

LIBFOO = parse_purl("pkg:pypi/libfoo@1.0")


def report(
    file: str | None = "src/parse.c",
    line: int | None = 10,
    function: str | None = None,
    *,
    title: str = "overflow in the parser",
    message: str = "a length is used before it is checked",
    cwe: str | None = "CWE-787",
    tool: str | None = "tool-a",
    product: Product | None = LIBFOO,
    **more: Any,
) -> Finding:
    return Finding(
        format="sarif",
        title=title,
        message=message,
        product=product,
        weaknesses=(Weakness(cwe),) if cwe else (),
        locations=(Location(file, line, function),) if file else (),
        origin=Origin(tool=tool),
        **more,
    )


def crash(
    *functions: str | None,
    kind: str = "Heap-buffer-overflow\nREAD 4",
    state: str | None = None,
    product: Product | None = LIBFOO,
    **more: Any,
) -> Finding:
    frames = tuple(Frame(name, f"/src/{name}.c", 10 + i) for i, name in enumerate(functions))
    return Finding(
        format="asan",
        title="heap-buffer-overflow",
        product=product,
        crash=Crash(sanitizer="address", type=kind, access="READ", state=state, frames=frames, **more),
        origin=Origin(tool="AddressSanitizer"),
    )


def at(finding: Finding, version: str | None) -> Finding:
    """The same finding about another version."""
    return msgspec.structs.replace(finding, product=parse_purl("pkg:pypi/libfoo" + (f"@{version}" if version else "")))
