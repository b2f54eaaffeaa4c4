# SPDX-License-Identifier: Apache-2.0
"""The stage: a small process of ours that builds the box around one run and watches it. Standard library only.

It is started once (`python -I -S`), reads requests on stdin and gives each to a fork of its own that waits for it already, in mount and
network namespaces of its own: the fork lays the box out on one bounded tmpfs, leaves root, serves the harness's servers and starts the
backend, whose target lives in yet another pid namespace: the target can neither see nor signal the stage. The stage itself stays outside
and listens for the canary. When our reader goes away, the stage kills the run and leaves.
"""

import gc
import json
import os
import select
import signal
import struct
import sys
from typing import Any, NoReturn

from clearwell.proving import cgroups
from clearwell.proving.box import Run
from clearwell.proving.canary import Canary

Message = dict[str, Any]


class Understudy:
    """A fork that has left the machine's mounts and network already and waits for the request that it will run, one only."""

    def __init__(self, outside: Canary) -> None:
        cue, self.cue = os.pipe()
        self.answer, report = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.cue)
            os.close(self.answer)
            _play(cue, outside, report)
        os.close(cue)
        os.close(report)

    def enter(self, *parts: bytes) -> None:
        """Hand the request over; one who died meanwhile answers nothing."""
        try:
            for part in parts:
                _write(self.cue, part)
        except BrokenPipeError:
            pass
        finally:
            os.close(self.cue)

    def has_left(self) -> bool:
        """True when it ended while it waited (somebody killed it)."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def leave(self) -> None:
        """Wait for its end."""
        os.close(self.answer)
        os.waitpid(self.pid, 0)


def main() -> None:
    """Serve requests, one at a time, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "settle" in sys.argv:
        cgroups.settle()
    cgroups.sweep()
    outside = Canary()
    gc.collect()
    gc.freeze()  # what is shared with every fork stays untouched, so that a fork copies little
    gc.disable()
    understudy, leaving = Understudy(outside), None
    while (head := _receive()) is not None and (body := _receive()) is not None:
        if understudy.has_left():
            os.close(understudy.cue)
            understudy.leave()
            understudy = Understudy(outside)
        on_stage, understudy = understudy, _serve(json.loads(head), body, understudy, outside, leaving)
        leaving = on_stage


def _receive() -> bytes | None:
    head = _read_exactly(4)
    return None if head is None else _read_exactly(struct.unpack("!I", head)[0])


def _read_exactly(size: int) -> bytes | None:
    parts = []
    while size:
        chunk = os.read(0, min(size, 1 << 20))
        if not chunk:
            return None
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _serve(head: Message, body: bytes, understudy: Understudy, outside: Canary, leaving: Understudy | None) -> Understudy:
    """Let the understudy run a request and answer: what it tells, and what is seen from outside. Return the next, made meanwhile.

    `leaving` is who ran the request before: its namespaces are taken down while this one is on.
    """
    group = cgroups.make(head["memory_bytes"], head["processes"]) if head["cgroup"] else cgroups.Group()
    word = os.urandom(16).hex()
    understudy.enter(json.dumps({"word": word, "group": vars(group)}).encode(), b"\n", body)
    following = Understudy(outside)
    if leaving is not None:
        leaving.leave()
    told = _heard_of(understudy, group) or b'{"error": "the stage died"}'
    seen = {
        "reached": outside.heard(word),
        "out_of_memory": group.has_run_out_of_memory(),
        "out_of_processes": group.has_run_out_of_processes(),
        "memory_peak": group.memory_peak(),
        "by_cgroup": {"memory": group.memory is not None, "processes": group.processes is not None, "cpu": group.cpu is not None},
    }
    for part in (told, json.dumps(seen).encode()):
        _write(1, struct.pack("!I", len(part)) + part)
    group.remove()
    return following


def _heard_of(understudy: Understudy, group: cgroups.Group) -> bytes:
    """Everything that the understudy tells until it closes its mouth. When our own reader goes away, kill the run and leave."""
    told: list[bytes] = []
    poll = select.poll()
    for descriptor in (0, understudy.answer):
        poll.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == understudy.answer:
                chunk = os.read(understudy.answer, 1 << 20)
                if not chunk:
                    return b"".join(told)
                told.append(chunk)
            else:  # nobody sends while a run is on: our reader is gone
                os.kill(understudy.pid, signal.SIGKILL)
                understudy.leave()
                group.remove()
                os._exit(1)


def _play(cue: int, outside: Canary, report: int) -> NoReturn:
    try:
        for listener in outside.listeners:
            listener.close()
        try:
            run = Run()
            message = _told(run, cue, outside)
        except OSError as error:
            message = {"error": f"the box could not be built: {error}"}
        _write(report, json.dumps(message).encode())
        os.close(report)
    finally:  # whatever happens, a fork never goes back into the loop that serves
        if sys.exc_info()[0] is not None:
            sys.excepthook(*sys.exc_info())
        os._exit(0)


def _told(run: Run, cue: int, outside: Canary) -> Message:
    parts = []
    while chunk := os.read(cue, 1 << 20):
        parts.append(chunk)
    head, _, body = b"".join(parts).partition(b"\n")
    if not head:
        os._exit(0)  # the stage has left
    given = json.loads(head)
    group = cgroups.Group()
    vars(group).update(given["group"])
    return run.result(json.loads(body), group, outside.addresses, given["word"])


if __name__ == "__main__":
    main()
    sys.exit(0)
