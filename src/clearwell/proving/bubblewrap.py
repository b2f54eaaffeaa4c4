# SPDX-License-Identifier: Apache-2.0
"""The box by bubblewrap: Linux namespaces and a seccomp filter around the target. Standard library only: the stage imports it."""

import base64
import fcntl
import os
from typing import Any

from clearwell.proving import kernel

WRITABLE_LATER = ("/dev/shm",)  # noqa: S108 - beneath the /dev that bubblewrap makes itself
PLAIN = False
OVERHEAD_BYTES, OVERHEAD_PROCESSES, GRACE_SECONDS = 0, 0, 0.0


def start(request: dict[str, Any], space: str, later: dict[str, str], standard_input: int, ends: dict[str, int], go: int) -> int:
    """Start bubblewrap on the folder that holds the box's tree; it waits for a byte on `go` before anything foreign runs."""
    filter_file = os.memfd_create("seccomp")
    os.write(filter_file, base64.b64decode(request["seccomp"]))
    os.lseek(filter_file, 0, os.SEEK_SET)
    given = (standard_input, ends["stdout"], ends["stderr"], ends["said"], ends["info"], filter_file, go)
    # Lifted above the numbers that are about to be filled; all others close themselves.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20) for descriptor in given]
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(high)]
    command = _command(request, space, later)
    try:
        return os.posix_spawn(command[0], command, {"PATH": "/usr/bin:/bin"}, file_actions=actions)
    finally:
        for descriptor in (*high, filter_file):
            os.close(descriptor)


def _command(request: dict[str, Any], space: str, later: dict[str, str]) -> list[str]:
    nobody = str(kernel.NOBODY)
    command = [request["program"], "--unshare-user", "--uid", nobody, "--gid", nobody, "--disable-userns"]
    command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--hostname", "box", "--cap-drop", "ALL"]
    command += ["--die-with-parent", "--new-session", "--info-fd", "4", "--seccomp", "5", "--block-fd", "6", "--clearenv"]
    for name, value in request["env"].items():
        command += ["--setenv", name, value]
    command += ["--bind", space, "/", "--proc", "/proc", "--dev", "/dev"]
    for target, place in later.items():
        command += ["--bind", place, target]
    # bubblewrap's own first process would be without the filter and, being the same user's, writable through /proc/1/mem: a shell
    # takes its place, beneath the filter like everything else. It passes 128 + n on for a signal, as bubblewrap does.
    command += ["--as-pid-1", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", request["cwd"], "--"]
    return [*command, "/bin/sh", "-c", '"$@"; exit $?', "sh", *request["argv"]]
