# SPDX-License-Identifier: Apache-2.0
"""How a run ended, in words for people: what is wrong with a feature's, and how one in which nothing fired left."""

import re

from clearwell.proving.folder import Feature
from clearwell.proving.running import Observation

_LAST_WORDS = 4000
_ERROR_LINE = re.compile(r"(?:Uncaught )?(?:Exception in thread \"[^\"]{1,100}\" )?[\w.$]{0,200}(?:Error|Exception|Throwable)\b")


def wrong_in(feature: Feature, seen: Observation) -> str | None:
    """Say what is wrong with a feature's run, or None."""
    if seen.result.killed is not None:
        return f"it ran into the limit {seen.result.killed}"
    if feature.output is not None and seen.stdout.strip() != feature.output.strip():
        return f"it printed {seen.stdout.strip()[:120]!r} instead of {feature.output.strip()[:120]!r} ({_last_words(seen)})"
    if feature.seen is not None and seen.word != feature.seen:
        return f"fd 3 said {seen.word!r} instead of {feature.seen!r} ({_last_words(seen)})"
    return None


def _last_words(seen: Observation) -> str:
    """The line of stderr that says most: an error's own name, where there is one, else the last.

    Node ends with its version, Java with a frame: neither tells the writer of a harness what went wrong.
    """
    lines = [line.strip() for line in seen.result.stderr[-_LAST_WORDS:].decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return "no error output"
    if lines[-1].startswith(("Node.js v", "at ", "... ")):
        lines = [line for line in lines if _ERROR_LINE.match(line)] or lines
    return lines[-1][:200]


def how_it_ended(seen: Observation) -> str:
    """How a run in which nothing fired ended. Not what it printed: that is as secret as the proof, and an exhibit."""
    result = seen.result
    return f"it died of signal {result.signal}" if result.signal is not None else f"it left with {result.exit}"
