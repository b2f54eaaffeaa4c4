# SPDX-License-Identifier: Apache-2.0
"""Renders the attributes on stdin (a JSON object) into a link; a name that jinja refuses is an answer, not a failure."""

import json
import sys

from jinja2 import Environment

template = Environment(autoescape=True).from_string("<a{{ attributes|xmlattr }}>link</a>")
try:
    print(template.render(attributes=json.load(sys.stdin)))
except ValueError as refusal:
    print("refused", type(refusal).__name__)
