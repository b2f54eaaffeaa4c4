# SPDX-License-Identifier: Apache-2.0
"""The few system calls that building a box needs and that Python has no name for. Standard library only: the stage imports it."""

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from typing import Any

NOBODY = 65534
NEWNS, NEWUSER, NEWNET, NEWPID, NEWIPC, NEWUTS = 0x20000, 0x10000000, 0x40000000, 0x20000000, 0x08000000, 0x04000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE, _MS_SLAVE = 2, 4, 8, 4096, 16384, 1 << 18, 1 << 19
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_SETATTR = -100, 0x8000, 442
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_host() -> None:
    """Take mount and network namespaces of our own; without root, a user namespace that owns them, too.

    What is mounted outside still shows here until `stand_alone`.
    """
    if os.geteuid() == 0:
        _check(_libc.unshare(NEWNS | NEWNET), "unshare mounts and network")
    else:
        user, group = os.geteuid(), os.getegid()
        _check(_libc.unshare(NEWUSER | NEWNS | NEWNET), "unshare user, mounts and network")
        _map_to_root(user, group)
    _mount(None, "/", None, _MS_REC | _MS_SLAVE, None)


def stand_alone() -> None:
    """From here on no mount of ours shows outside and none of outside here."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE, None)


def become_nobody() -> None:
    """Root gives itself up and takes a user namespace of nobody's own; the network stays root's, so nobody may change it."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    _check(_libc.unshare(NEWUSER), "unshare user")
    _map_to_root(NOBODY, NOBODY)


def unshare(flags: int, what: str) -> None:
    """Take further namespaces; raise OSError."""
    _check(_libc.unshare(flags), what)


def die_with_parent() -> None:
    """Be killed by the kernel when the process that made us ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def raise_loopback() -> None:
    """Bring `lo` up in a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running


def mount_tmpfs(place: str, options: str, *, plain: bool) -> None:
    """Mount a bounded tmpfs. A `plain` one may be remounted by a program that does not repeat our flags, as runsc must."""
    _mount("tmpfs", place, "tmpfs", 0 if plain else _MS_NOSUID | _MS_NODEV, options)


def mount_proc(place: str) -> None:
    """Mount the process list of our own pid namespace."""
    _mount("proc", place, "proc", _MS_NOSUID | _MS_NODEV, None)


def mount_terminals(place: str) -> None:
    """Mount pseudo-terminals that nobody else has."""
    _mount("devpts", place, "devpts", _MS_NOSUID | _MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")


def bind(source: str, place: str, *, read_only: bool, is_device: bool = False) -> None:
    """Bind a file or folder with what is mounted beneath it, without devices and set-user-id (mount_setattr: Linux 5.12)."""
    _mount(source, place, None, _MS_BIND | _MS_REC, None)
    flags = _ATTR_NOSUID | (_ATTR_RDONLY if read_only else 0) | (0 if is_device else _ATTR_NODEV)
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    done = _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, place.encode(), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    _check(done, f"mount_setattr {place}")


def limit(pid: int, limits: dict[str, Any]) -> None:
    """Set a process's resource limits, which its children inherit."""
    cpu = int(limits["cpu_seconds"]) + 1
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_NPROC, limits["processes"] + 8),
        (resource.RLIMIT_MEMLOCK, 1 << 16),
    ):
        resource.prlimit(pid, kind, (value, value))
    # Stated, not inherited: what overflows a stack must not depend on who started the hub.
    most = resource.prlimit(pid, resource.RLIMIT_STACK)[1]
    stack = limits["stack_bytes"] if most == resource.RLIM_INFINITY else min(limits["stack_bytes"], most)
    resource.prlimit(pid, resource.RLIMIT_STACK, (stack, most))


def _map_to_root(user: int, group: int) -> None:
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        descriptor = os.open(f"/proc/self/{file}", os.O_WRONLY | os.O_CLOEXEC)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None) -> None:
    encode = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _check(_libc.mount(encode[0], encode[1], encode[2], ctypes.c_ulong(flags), encode[3]), f"mount {target}")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
