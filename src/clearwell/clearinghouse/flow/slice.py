# SPDX-License-Identifier: Apache-2.0
"""A slice: how long one job may go on with a long document before others' documents come in between."""

from collections.abc import Callable
from time import monotonic

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.report import Submission
from clearwell.clearinghouse.flow.jobs import PARSE, PARSE_BULK
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.turn import BULK, MOST, UNIT
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE
from clearwell.ground.jobs.queue import defer, foremost

SECONDS = 5.0
"""A slice's length at least. It is never shorter than the reading took, which the next slice does again."""


class Slice:
    """One job's slice of a submission. Between batches it may pass on: the rest waits for its organization's next turn."""

    def __init__(self, house: House, sent: Submission, seconds: float = SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._house, self._sent, self._seconds, self._clock = house, sent, seconds, clock
        self._started, self._end = clock(), 0.0

    def begin(self) -> None:
        """The document is read: the slice's time runs from now."""
        now = self._clock()
        self._end = now + max(self._seconds, now - self._started)

    def passes_on(self) -> bool:
        """Asked behind a batch, so that each slice brings the document on. True when the slice is over and others wait:

        The rest is deferred then, to be gone on with behind the last batch.
        """
        if self._clock() < self._end:
            return False
        name = PARSE_BULK if self._sent.size > BULK else PARSE
        with self._house.transaction(INTAKE) as tx:
            turn = intake_store.take_turn(tx, self._sent.organization, name.name, MOST * UNIT, is_alone=False)
            first = foremost(tx, name.name, queue=name.queue)
            passes = first is not None and first > turn.priority
            if passes:
                report_store.set_turn(tx, self._sent.id, turn.priority)
                defer(tx, [name.job(submission=self._sent.id, priority=turn.priority)])
        self._end = self._clock() + self._seconds  # nobody waits who comes before: another slice
        return passes
