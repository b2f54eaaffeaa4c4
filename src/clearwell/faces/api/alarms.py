# SPDX-License-Identifier: Apache-2.0
"""/alarms: coordinators see why the proving queue is stopped, and let it go on, saying why that is safe."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import JSONBody

from clearwell.clearinghouse.case.alarm_store import Alarm
from clearwell.clearinghouse.flow import alarming
from clearwell.faces.api.routes import Housed, Signed, read, write
from clearwell.ground.policy.policy import Act


class AlarmView(msgspec.Struct, frozen=True):
    """A run that got out of its box: of which proof (null: a look at cited source), when, and by which way."""

    id: str
    proof: str | None
    raised_at: datetime
    reason: str


class Alarms(msgspec.Struct, frozen=True):
    """What stops the proving queue; it runs when there is nothing."""

    is_stopped: bool
    alarms: tuple[AlarmView, ...]


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found, and why it is safe to go on."""

    because: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


@read("/alarms", Act.RESUME_PROVING)
def read_alarms(house: Housed, member: Signed) -> Alarms:
    """What stops the proving queue now."""
    return _view(alarming.read_alarms(house, member))


@write("/alarms/resume", Act.RESUME_PROVING, status_code=200)
def resume_proving(house: Housed, member: Signed, data: JSONBody[Resume]) -> Alarms:
    """Answer every alarm: the queue goes on. Returns what was answered."""
    return msgspec.structs.replace(_view(alarming.resume_proving(house, member, data.because)), is_stopped=False)


def _view(alarms: tuple[Alarm, ...]) -> Alarms:
    return Alarms(bool(alarms), tuple(AlarmView(alarm.id, alarm.proof, alarm.raised_at, alarm.reason) for alarm in alarms))


ROUTES = (read_alarms, resume_proving)
