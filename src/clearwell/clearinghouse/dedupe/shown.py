# SPDX-License-Identifier: Apache-2.0
"""What a run showed, for dedupe: a stack that its oracle matched, or an effect of a kind. What a report states beside it counts only
where the run bears it out: else a true proof of one flaw, under the place of another, would swallow every report of that one. Pure.
"""

from collections.abc import Iterable, Sequence

from clearwell.clearinghouse.dedupe.signature import PLACES, PROJECT_FRAMES, STACKS, Signature, is_entry_point
from clearwell.clearinghouse.dedupe.spelling import function_of
from clearwell.vocabulary.finding import Crash, Finding
from clearwell.vocabulary.weakness import family_of

_FRAMES = 5
"""So many frames of a report's first stack the sanitizer oracle looks at."""

# fmt: off
EFFECTS: dict[str, frozenset[str]] = {
    # An oracle's kind -> the families of weaknesses that lead to its effect (vocabulary.weakness.FAMILIES). A stack is seen itself.
    "command": frozenset({"command", "code", "deserialization", "format-string"}),
    "file_write": frozenset({"path", "race", "code", "deserialization"}),
    "leak": frozenset({
        "path", "xml-entity", "disclosure", "request", "code", "protection", "authorization", "authentication", "trust-boundary",
        "deserialization", "redirect", "memory", "uninitialized", "format-string", "sql", "CWE-359",
    }),
    "request": frozenset({"request", "xml-entity", "redirect", "header", "deserialization"}),
    "output": frozenset({"markup", "header", "code"}),
    "bypass": frozenset({
        "signature", "certificate", "cipher", "hash", "random", "authentication", "authorization", "credentials", "protection", "sql",
        "ldap", "xpath", "type", "CWE-697",
    }),
    "pollution": frozenset({"pollution"}),
    "growth": frozenset({"complexity", "exhaustion", "recursion"}),
    "exhaustion": frozenset({"exhaustion", "recursion", "complexity", "assertion", "null", "divide", "type"}),
    "other_user": frozenset({"authorization", "authentication", "disclosure", "race", "trust-boundary", "sql"}),
}
# fmt: on


def is_of_the_effect(crash: Crash, effect: str | None) -> bool:
    """True for the crash that the oracle matched, by its own words for it (`class access | function < function`).

    A run may report more than was asserted: an undefined behavior of another flaw, that the input passed on its way.
    """
    _, bar, stack = (effect or "").partition(" | ")
    wanted = function_of(stack.split(" < ")[0]) if bar else None
    return wanted is not None and wanted in {function_of(frame.function) for frame in crash.frames[:_FRAMES]}


def borne_out(finding: Finding, stated: Iterable[Signature], effect: str | None, crashes: Sequence[Finding]) -> tuple[Signature, ...]:
    """The stated signatures that a run bears out; the others join nothing, neither now nor later.

    Where it showed a stack, a stated place or stack must name a function among its first project frames, other than the program's entry.
    Where it showed an effect without one, the stated weakness must be one that has such an effect, and a stated stack was not seen.
    """
    told = tuple(stated)
    kind = (effect or "").partition(":")[0]
    if kind in EFFECTS:
        if family_of(finding.weaknesses) in EFFECTS[kind] and finding.crash is None:
            return told
        return tuple(signature for signature in told if signature.kind == "proof")
    top = finding.crash.frames[0].function if finding.crash is not None and finding.crash.frames else None
    named = function_of(top or (finding.location.function if finding.location is not None else None))
    frames = {function_of(f.function) for seen in crashes if seen.crash is not None for f in seen.crash.frames[:PROJECT_FRAMES]}
    if named in {name for name in frames if not is_entry_point(name)} - {None}:
        return told
    return tuple(signature for signature in told if signature.kind not in STACKS | PLACES | {"report", "external-id"})
