# SPDX-License-Identifier: Apache-2.0
"""Real crash logs, where they are at hand: at least 80 of 89 as OSS-Fuzz's own parser reads them, on all four fields."""

import json
import os
from pathlib import Path

import pytest

from clearwell.formats import read
from clearwell.formats.crash_log.frames import RawFrame
from clearwell.formats.crash_log.notation import is_skipped
from clearwell.vocabulary.errors import ClearwellError
from clearwell.vocabulary.finding import Crash

SHARED = Path(os.environ.get("CLEARWELL_SHARED") or Path(__file__).parents[3] / "shared") / "data" / "crashes"
STATES = SHARED.parent / "duplicates" / "osv_ossfuzz_dev.jsonl"
NEEDED = 80


def crash_in(file: Path) -> Crash:
    try:
        return read(file.read_bytes(), file.name).findings[0].crash or Crash()
    except ClearwellError:
        return Crash()


def spelled(crash: Crash) -> dict[str, object]:
    return {
        "crash_type": crash.type or "",
        "crash_address": crash.address or "",
        "crash_state": crash.state or "",
        "security": bool(crash.security),
    }


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared crash logs are not here: set CLEARWELL_SHARED")
def test_most_real_logs_read_as_oss_fuzz_reads_them() -> None:
    wrong = []
    lines = (SHARED / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        case = json.loads(line)
        expected = {"crash_state": "", **case["expected"]}
        found = spelled(crash_in(SHARED / "logs" / case["file"]))
        if any(str(found[key]).strip() != str(expected[key]).strip() for key in found if key in case["expected"]):
            wrong.append(case["file"])

    assert len(lines) - len(wrong) >= NEEDED, wrong


@pytest.mark.skipif(not STATES.is_file(), reason="OSS-Fuzz's published states are not here: set CLEARWELL_SHARED")
def test_functions_in_published_states_are_not_skipped() -> None:
    published = {line for record in STATES.read_text(encoding="utf-8").splitlines() for line in json.loads(record)["crash_state"]}
    functions = sorted(line for line in published if not line.endswith((".c", ".cc", ".cpp", ".cxx", ".h")))

    skipped = [function for function in functions if is_skipped(RawFrame(function=function))]

    assert len(functions) > 2_000
    assert len(skipped) <= 2, skipped
