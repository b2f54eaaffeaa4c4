# SPDX-License-Identifier: Apache-2.0
"""Parses the document on stdin and prints its root element's name and text; a document that is refused is an answer."""

import io
import sys
from xml.sax import SAXException

import untangle

features = {"feature_external_ges": True} if "external" in sys.argv[1:] else {}
try:
    # As a file: a string that looks like an address or a path would be fetched, as documented.
    root = untangle.parse(io.StringIO(sys.stdin.read()), **features).children[0]
    print(f"{root._name}: {root.cdata}")
except (SAXException, ValueError) as refusal:  # defusedxml's errors are ValueErrors
    print("refused", type(refusal).__name__)
