# SPDX-License-Identifier: Apache-2.0
"""Formats: one file per outside document. This registry finds those that are reports and asks each whether a file is its own."""

import importlib
import pkgutil
from functools import cache

from clearwell.vocabulary.document import Document, ReportFormat, as_utf8, require_size
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.product import Product


@cache
def report_formats() -> tuple[ReportFormat, ...]:
    """Return every report format (a module of this folder with a `REPORT`), particular ones first, then by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    reports = [module.REPORT for module in modules if isinstance(getattr(module, "REPORT", None), ReportFormat)]
    return tuple(sorted(reports, key=lambda report: (report.general, report.name)))


def report_format(name: str) -> ReportFormat:
    """Return the report format of that name; raise NotFound naming those there are."""
    for report in report_formats():
        if report.name == name:
            return report
    known = ", ".join(report.name for report in report_formats())
    raise NotFound(f"there is no report format {name!r}; there are {known}")


def read(data: bytes, name: str = "", target: Product | None = None) -> Document:
    """Read a report of any format. Findings that name no product get `target`.

    Raises Invalid when no format recognizes the bytes (the message says which were tried and why each said no), or when
    the one that does can make nothing of them.
    """
    require_size(data)
    text = as_utf8(data)
    refusals = []
    for report in report_formats():
        reason = report.why_not(text, name)
        if reason is None:
            return report.read(text, name, target)
        refusals.append(f"{report.name} ({reason})")
    raise Invalid(f"no known report format: tried {'; '.join(refusals)}")
