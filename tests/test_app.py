# SPDX-License-Identifier: Apache-2.0
"""The hall: every job's function takes just the ids with which the flow defers it."""

import ast
import inspect
from pathlib import Path

import clearwell
from clearwell import app
from clearwell.clearinghouse.flow import jobs
from hub import Hub

FLOW = Path(clearwell.__file__).parent / "clearinghouse" / "flow"


def deferred() -> list[tuple[str, frozenset[str]]]:
    """(job's constant, names of its ids) wherever the flow makes a job."""
    found = []
    for file in FLOW.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "job":
                names = frozenset(keyword.arg for keyword in node.keywords if keyword.arg not in {None, "not_before", "priority"})
                if isinstance(node.func.value, ast.Name):
                    found.append((node.func.value.id, frozenset(str(name) for name in names)))
    return found


def test_every_job_s_function_takes_the_ids_with_which_it_is_deferred(hub: Hub) -> None:
    work, made = app.work_of(hub.house), deferred()

    assert len(made) > 10
    for constant, ids in made:
        job = getattr(jobs, constant, None)
        if isinstance(job, jobs.JobName):
            assert set(inspect.signature(work[job.name][1]).parameters) == ids, constant
