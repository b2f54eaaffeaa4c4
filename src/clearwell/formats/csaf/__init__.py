# SPDX-License-Identifier: Apache-2.0
"""CSAF 2.0 (OASIS Standard): a security advisory written from our vocabulary, and any advisory or VEX read for matching."""

from clearwell.formats.csaf.reading import parse_range, read
from clearwell.formats.csaf.writing import Publisher, Revision, write

__all__ = ["Publisher", "Revision", "parse_range", "read", "write"]
