# SPDX-License-Identifier: Apache-2.0
"""Renders the template on stdin in the sandbox; with `apply`, templates get a filter that calls its left side."""

import sys
from pathlib import Path

from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

SECRET = Path("/box/secret/canary.txt").read_text().strip()


class Thing:
    """What a template is given: its module's globals hold the token."""

    def __init__(self) -> None:
        self.name = "thing"


def apply(called, *arguments):
    """Call the left side with the arguments."""
    return called(*arguments)


environment = SandboxedEnvironment()
if "apply" in sys.argv[1:]:
    environment.filters["apply"] = apply
try:
    print(environment.from_string(sys.stdin.read()).render(name="world", o=Thing()))
except TemplateError as refusal:
    print("refused", type(refusal).__name__)
