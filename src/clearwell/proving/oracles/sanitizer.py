# SPDX-License-Identifier: Apache-2.0
"""A sanitizer reports the asserted class, with one of the functions among the first project frames of its first stack."""

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles.contract import Asked, all_reports
from clearwell.proving.running import Observation
from clearwell.proving.sanitizer_report import Report, names_function


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe the first report that is the asserted one; text on stdout or stderr that looks like a report is none."""
    return next((report.signature for report in all_reports(seen) if _is_asserted(report, asked.oracle, asked.functions)), None)


def _is_asserted(report: Report, oracle: Oracle, functions: tuple[str, ...]) -> bool:
    if not report.is_of(oracle.report_class or ""):
        return False
    wanted = (oracle.access or "").upper().split()
    if wanted and (report.access != wanted[0] or (len(wanted) > 1 and str(report.size) != wanted[1])):
        return False
    return any(names_function(frame, name) for frame in report.project_frames for name in functions)
