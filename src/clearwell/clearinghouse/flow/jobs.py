# SPDX-License-Identifier: Apache-2.0
"""The flow's jobs: their names, queues and ids. `app.py` registers the functions; queues are named after stages.

Big documents are parsed in a queue of their own, `bulk`, which a worker serves beside the others: a single report never waits
behind them.
"""

from datetime import datetime

import msgspec

from clearwell.ground.jobs.queue import Job


class JobName(msgspec.Struct, frozen=True):
    """A kind of job. `turns` names the id whose jobs take turns (one at a time), or is empty."""

    queue: str
    name: str
    turns: str = ""

    def job(self, not_before: datetime | None = None, *, priority: int = 0, **ids: str | int) -> Job:
        """One such job, for these ids."""
        lock = f"{self.name}:{ids[self.turns]}" if self.turns else None
        return Job(self.queue, self.name, ids, lock, not_before, priority)


LAST = -(2**31) + 1
"""The priority behind every turn: what may wait until nothing else does (suggestions: each takes as long as ten findings' intake)."""

PARSE = JobName("intake", "parse", "submission")
PARSE_BULK = JobName("bulk", "parse", "submission")
COMPARE = JobName("bulk", "compare", "submission")
SKETCH = JobName("suggestion", "sketch", "submission")
SKETCH_CASE = JobName("suggestion", "sketch_case", "case")
SKETCH_AGAIN = JobName("suggestion", "sketch_again", "finding")
FORGET_SKETCHES = JobName("suggestion", "forget_sketches")
SIGN_AGAIN = JobName("suggestion", "sign_again", "submission")
MINIMIZE = JobName("bulk", "minimize", "submission")
CHECK = JobName("sanity", "check")
VALIDATE = JobName("proving", "validate", "proof")
RECHECK = JobName("proving", "recheck", "proof")
INVITE = JobName("case", "invite", "case")
VERIFY_FIX = JobName("proving", "verify_fix", "fix")
RECHECK_FIX = JobName("proving", "recheck_fix", "fix")
COMPARE_FIX = JobName("proving", "compare_fix", "fix")
COMPARE_CASE = JobName("proving", "compare_case", "case")
PUBLISH = JobName("distribution", "publish", "case")
WRITE_FEED = JobName("distribution", "write_feed")
MATCH = JobName("distribution", "match", "organization")
SEND_MAIL = JobName("post", "send_mail", "mail")
