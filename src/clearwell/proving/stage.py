# SPDX-License-Identifier: Apache-2.0
"""The stage: a small process of ours that builds the box around one run and watches it. Standard library only.

It is started once (`python -I -S`), reads requests on stdin and forks for each: the fork leaves root, takes its own user, mount and
network namespaces, lays the box out on one bounded tmpfs, serves the harness's servers and starts the backend, whose target lives in
yet another pid namespace: the target can neither see nor signal the stage. The stage itself stays outside and listens for the canary.
When our reader goes away, the stage kills the run and leaves.
"""

import gc
import json
import os
import secrets
import select
import signal
import struct
import sys
import traceback
from typing import Any

from clearwell.proving import cgroups
from clearwell.proving.box import Run
from clearwell.proving.canary import Canary

Message = dict[str, Any]


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
    while (request := _receive()) is not None:
        _serve(request, outside)


def _receive() -> Message | None:
    head = _read_exactly(4)
    if head is None:
        return None
    body = _read_exactly(struct.unpack("!I", head)[0])
    return None if body is None else json.loads(body)


def _read_exactly(size: int) -> bytes | None:
    parts = []
    while size:
        chunk = os.read(0, min(size, 1 << 20))
        if not chunk:
            return None
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)


def _send(message: Message) -> None:
    body = json.dumps(message).encode()
    data = memoryview(struct.pack("!I", len(body)) + body)
    while data:
        data = data[os.write(1, data) :]


def _serve(request: Message, outside: Canary) -> None:
    memory = request["limits"]["memory_bytes"] + request["overhead_bytes"]
    processes = request["limits"]["processes"] + request["overhead_processes"]
    group = cgroups.make(memory, processes) if request["cgroup"] else cgroups.Group()
    request["word"] = secrets.token_hex(16)
    answer, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        _child(request, group, outside, report)
    os.close(report)
    body, watch = [], os.pidfd_open(pid)
    poll = select.poll()
    for descriptor in (0, answer, watch):
        poll.register(descriptor, select.POLLIN)
    is_open = True
    while is_open:
        for descriptor, _ in poll.poll():
            if descriptor == answer:
                chunk = os.read(answer, 1 << 20)
                body.append(chunk)
                is_open = bool(chunk)
            elif descriptor == watch:
                poll.unregister(watch)
            elif descriptor == 0:  # nobody sends while a run is on: our reader is gone
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                group.remove()
                os._exit(1)
    os.close(answer)
    os.close(watch)
    os.waitpid(pid, 0)
    raw = b"".join(body)
    message: Message = json.loads(raw) if raw else {"error": "the stage died"}
    message["reached"] = outside.heard(request["word"])
    message["out_of_memory"] = group.has_run_out_of_memory()
    message["out_of_processes"] = group.has_run_out_of_processes()
    message["memory_peak"] = group.memory_peak()
    group.remove()
    message["by_cgroup"] = {"memory": group.memory is not None, "processes": group.processes is not None, "cpu": group.cpu is not None}
    _send(message)


def _child(request: Message, group: cgroups.Group, outside: Canary, report: int) -> None:
    try:
        for listener in outside.listeners:
            listener.close()
        try:
            message = Run(request, group, outside.addresses).result()
        except OSError as error:
            message = {"error": f"the box could not be built: {error}"}
        body = memoryview(json.dumps(message).encode())
        while body:
            body = body[os.write(report, body) :]
    finally:  # whatever happens, a fork never goes back into the loop that serves
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        os._exit(0)


if __name__ == "__main__":
    main()
    sys.exit(0)
