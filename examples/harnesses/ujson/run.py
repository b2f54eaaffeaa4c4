# SPDX-License-Identifier: Apache-2.0
"""Reads JSON from stdin and passes it through the freshly built ujson: `dumps INDENT` or `loads`."""

import json
import sys

build, verb, *rest = sys.argv[1:]
sys.path.insert(0, build)

import ujson  # noqa: E402  (it stands in the build folder)

text = sys.stdin.read()
if verb == "dumps":
    print(len(ujson.dumps(json.loads(text), indent=int(rest[0]))), "characters")
elif verb == "loads":
    value = ujson.loads(text)
    print(type(value).__name__, "of", len(value))
else:
    sys.exit(f"no verb {verb}")
