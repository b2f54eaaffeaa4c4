# SPDX-License-Identifier: Apache-2.0
"""The transcript of an attempt: what each run was given and what it showed, by hash where it is long. Never a token."""

import hashlib

import msgspec

from clearwell.proving.environments import Environment
from clearwell.proving.running import Observation

STEPS_MAX = 1_000


class Step(msgspec.Struct, frozen=True):
    """One run in the box. Times are seconds, sizes bytes; `word` is what fd 3 said; `ways_tried` the attempts to reach the canary.

    `source_sha256` is of the tree that ran or was built: a patched source bears the purl of the unpatched one.
    """

    purl: str
    args: tuple[str, ...]
    input_sha256: str
    exit: int
    killed: str | None
    wall_seconds: float
    cpu_seconds: float | None
    memory_peak: int | None
    word: str | None
    stdout_sha256: str
    stderr_sha256: str
    reports: int
    effects: int
    requests: int
    ways_tried: int
    source_sha256: str = ""


def step_of(environment: Environment, args: tuple[str, ...], content: bytes, seen: Observation) -> Step:
    """Describe one run."""
    result = seen.result
    return Step(
        purl=environment.purl,
        args=args,
        input_sha256=hashlib.sha256(content).hexdigest(),
        exit=result.exit,
        killed=result.killed,
        wall_seconds=round(result.wall_seconds, 4),
        cpu_seconds=None if result.cpu_seconds is None else round(result.cpu_seconds, 4),
        memory_peak=result.memory_peak,
        word=seen.word,
        stdout_sha256=hashlib.sha256(result.stdout).hexdigest(),
        stderr_sha256=hashlib.sha256(result.stderr).hexdigest(),
        reports=len(seen.reports),
        effects=len(result.files.get("/box/out", ())),
        requests=len(result.requests),
        ways_tried=result.ways_tried,
        source_sha256=environment.source_sha256,
    )
