# SPDX-License-Identifier: Apache-2.0
"""The box by bubblewrap: Linux namespaces and a seccomp filter around the target. Standard library only: the stage imports it."""

import base64
import fcntl
import os
from typing import Any

from clearwell.proving import kernel

PLAIN = False
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
LINKS = (
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
)
"""What a program expects in /dev. bubblewrap's own --dev mounts the same and reads the machine's list of mounts for each of them."""
OVERHEAD_BYTES, OVERHEAD_PROCESSES, GRACE_SECONDS = 0, 0, 0.0


def start(request: dict[str, Any], space: str, standard_input: int, ends: dict[str, int], go: int) -> int:
    """Start bubblewrap on the folder that holds the box's tree; it waits for a byte on `go` before anything foreign runs."""
    filter_file = os.memfd_create("seccomp")
    os.write(filter_file, base64.b64decode(request["seccomp"]))
    os.lseek(filter_file, 0, os.SEEK_SET)
    given = (standard_input, ends["stdout"], ends["stderr"], ends["said"], ends["info"], filter_file, go)
    # Lifted above the numbers that are about to be filled; all others close themselves.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20) for descriptor in given]
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(high)]
    command = _command(request, space)
    try:
        return os.posix_spawn(command[0], command, {"PATH": "/usr/bin:/bin"}, file_actions=actions)
    finally:
        for descriptor in (*high, filter_file):
            os.close(descriptor)


def _command(request: dict[str, Any], space: str) -> list[str]:
    nobody = str(kernel.NOBODY)
    command = [request["program"], "--unshare-user", "--uid", nobody, "--gid", nobody, "--disable-userns"]
    command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--hostname", "box", "--cap-drop", "ALL"]
    command += ["--die-with-parent", "--new-session", "--info-fd", "4", "--seccomp", "5", "--block-fd", "6", "--clearenv"]
    for name, value in request["env"].items():
        command += ["--setenv", name, value]
    # Only what the stage bound as a device works as one: every other mount of the tree says nodev already.
    command += ["--dev-bind", space, "/", "--proc", "/proc"]
    # bubblewrap's own first process would be without the filter and, being the same user's, writable through /proc/1/mem: a shell
    # takes its place, beneath the filter like everything else. It passes 128 + n on for a signal, as bubblewrap does.
    command += ["--as-pid-1", "--remount-ro", "/", "--chdir", request["cwd"], "--"]
    return [*command, "/bin/sh", "-c", '"$@"; exit $?', "sh", *request["argv"]]
