# SPDX-License-Identifier: Apache-2.0
"""Parses the text on stdin and prints how many statements it holds."""

import sys

import sqlparse
from sqlparse.exceptions import SQLParseError

try:
    print(len(sqlparse.parse(sys.stdin.read())), "statements")
except SQLParseError as refusal:
    print("refused", type(refusal).__name__)
