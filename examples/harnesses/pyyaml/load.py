# SPDX-License-Identifier: Apache-2.0
"""Loads the document on stdin with `yaml.NAME` and prints what came out; a document that yaml refuses is an answer, not a failure."""

import sys

import yaml

# Not unsafe_load: it runs code by its documentation, so that it does would show nothing.
LOADERS = {name: getattr(yaml, name) for name in ("full_load", "safe_load")}

try:
    print(repr(LOADERS[sys.argv[1]](sys.stdin.buffer.read())))
except yaml.YAMLError as refusal:
    print("refused", type(refusal).__name__)
