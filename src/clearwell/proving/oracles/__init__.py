# SPDX-License-Identifier: Apache-2.0
"""Oracles: what decides, from effects alone, that a proof fired (PROOF.md's table). One file each, pure, with one contract."""

import signal

import msgspec

from clearwell.proving.oracles import bypass, command, exhaustion, file_write, leak, other_user, output, pollution, request, sanitizer
from clearwell.proving.oracles.contract import Asked, Judge, all_reports
from clearwell.proving.running import Observation
from clearwell.proving.sanitizer_report import UNDEFINED_SANITIZER, is_undefined

__all__ = ["Asked", "Effect", "all_reports", "crash", "judge"]

CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

ORACLES: dict[str, Judge] = {
    "sanitizer": sanitizer.signature,
    "command": command.signature,
    "file_write": file_write.signature,
    "leak": leak.signature,
    "request": request.signature,
    "output": output.signature,
    "bypass": bypass.signature,
    "pollution": pollution.signature,
    "exhaustion": exhaustion.signature,
    "other_user": other_user.signature,
}
"""Kind -> its oracle. `growth` (oracles/growth.py) looks at many runs and is asked by the attempt itself."""


class Effect(msgspec.Struct, frozen=True):
    """What an oracle saw in one run.

    `signature` describes the effect, the same on every run; `elsewhere` a crash that is not the one asserted; `void` why the run
    decides nothing (it hit a limit before any effect); `markup` what was new in HTML output.
    """

    fired: bool
    signature: str | None = None
    elsewhere: str | None = None
    void: str | None = None
    markup: frozenset[str] = frozenset()


def judge(asked: Asked, seen: Observation) -> Effect:
    """Decide one run."""
    oracle = asked.oracle
    signature = ORACLES[oracle.kind](asked, seen)
    if signature is not None:
        is_html = oracle.kind == "output" and oracle.context == "html"
        return Effect(True, signature, markup=output.new_parts(asked, seen) if is_html else frozenset())
    elsewhere = crash(seen) if oracle.kind != "sanitizer" or not _is_beside(asked, seen) else None
    if elsewhere is None and oracle.kind != "exhaustion" and seen.result.killed is not None:
        return Effect(False, void=f"it ran into the limit {seen.result.killed} before any effect")
    if elsewhere is None and oracle.kind == "exhaustion" and seen.result.killed in {"wall_clock", "output_bytes", "processes"}:
        return Effect(False, void=f"it ran into the limit {seen.result.killed}, which is not the resource asserted")
    return Effect(False, elsewhere=elsewhere)


def _is_beside(asked: Asked, seen: Observation) -> bool:
    """True when all that was reported is undefined behavior, an error of memory is asserted, and the program lived on."""
    reports = all_reports(seen)
    only = all(report.sanitizer == UNDEFINED_SANITIZER for report in reports)
    return bool(reports) and only and seen.result.signal is None and not is_undefined(asked.oracle.report_class or "")


def crash(seen: Observation) -> str | None:
    """Describe how the target died: a sanitizer's report, or a fatal signal that no limit of ours sent; else None.

    After undefined behavior the program goes on: an error of memory counts before it.
    """
    reports = all_reports(seen)
    fatal = [report for report in reports if report.sanitizer != UNDEFINED_SANITIZER]
    if fatal:
        return fatal[0].signature
    number = seen.result.signal
    if number in CRASHES and seen.result.killed is None:
        return signal.Signals(number).name
    return reports[0].signature if reports else None
