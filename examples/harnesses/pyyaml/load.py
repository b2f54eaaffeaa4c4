# SPDX-License-Identifier: Apache-2.0
"""Loads the document on stdin with `yaml.NAME` and prints what came out; a document that yaml refuses is an answer, not a failure."""

import sys

import yaml

try:
    print(repr(getattr(yaml, sys.argv[1])(sys.stdin.read())))
except yaml.YAMLError as refusal:
    print("refused", type(refusal).__name__)
