# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0 and 2.1 (OASIS): an advisory written from our vocabulary, any advisory or VEX read for matching, or as a report."""

from clearwell.formats.csaf.reading import parse_range, read
from clearwell.formats.csaf.report import REPORT
from clearwell.formats.csaf.writing import Publisher, Revision, write

__all__ = ["REPORT", "Publisher", "Revision", "parse_range", "read", "write"]
