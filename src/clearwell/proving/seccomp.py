# SPDX-License-Identifier: Apache-2.0
"""The system calls that a target may make: an allow-list by purpose, compiled to a filter for bubblewrap's --seccomp."""

import errno
import functools
import os
import tempfile
from typing import Any

from clearwell.vocabulary.errors import Unavailable

# fmt: off
ALLOWED: dict[str, tuple[str, ...]] = {
    "memory": (
        "brk", "mmap", "mmap2", "mprotect", "munmap", "mremap", "madvise", "mincore", "msync", "mlock", "mlock2", "munlock", "mlockall",
        "munlockall", "membarrier", "pkey_alloc", "pkey_free", "pkey_mprotect", "get_mempolicy",
    ),
    "files": (
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "open", "openat", "openat2",
        "creat", "close", "close_range", "lseek", "_llseek", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock", "fsync", "fdatasync",
        "sync_file_range", "truncate", "ftruncate", "truncate64", "ftruncate64", "fallocate", "fadvise64", "readahead", "copy_file_range",
        "sendfile", "sendfile64", "splice", "tee", "vmsplice", "pipe", "pipe2", "stat", "lstat", "fstat", "newfstatat", "stat64",
        "lstat64", "fstat64", "fstatat64", "statx", "statfs", "fstatfs", "statfs64", "fstatfs64", "access", "faccessat", "faccessat2",
        "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "symlinkat", "unlink", "unlinkat", "readlink", "readlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown",
        "fchownat", "umask", "utime", "utimes", "utimensat", "futimesat", "getdents", "getdents64", "getxattr", "lgetxattr", "fgetxattr",
        "listxattr", "llistxattr", "flistxattr", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
        "sync", "syncfs", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "mknod", "mknodat",
    ),
    "waiting": (
        "poll", "ppoll", "select", "_newselect", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait",
        "epoll_wait_old", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd", "signalfd4", "timerfd_create",
        "timerfd_settime", "timerfd_gettime", "futex", "futex_waitv", "nanosleep", "clock_nanosleep", "pause", "semget",
        "semop", "semctl", "semtimedop", "msgget", "msgsnd",
        "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
    ),
    "time": (
        "time", "gettimeofday", "clock_gettime", "clock_getres", "times", "getitimer", "setitimer", "alarm", "timer_create",
        "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete", "adjtimex",
    ),
    "processes": (
        "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "kill", "tkill", "tgkill", "getpid",
        "getppid", "gettid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
        "getresgid", "getgroups", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
        "capget", "capset", "prctl", "arch_prctl", "set_tid_address", "set_robust_list", "get_robust_list", "set_thread_area",
        "get_thread_area", "rseq", "restart_syscall", "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam",
        "sched_getscheduler", "sched_setscheduler", "sched_setparam", "sched_getattr", "sched_setattr", "sched_get_priority_max",
        "sched_get_priority_min", "sched_rr_get_interval", "getpriority", "setpriority", "getrlimit", "setrlimit", "prlimit64",
        "getrusage", "getcpu", "uname", "sysinfo", "getrandom", "pidfd_open", "pidfd_send_signal", "ioprio_get", "ioprio_set",
    ),
    "signals": (
        "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
        "rt_sigtimedwait", "sigaltstack", "sigreturn",
    ),
    "loopback": (
        "socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt",
        "shutdown", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg",
    ),
}
"""Purpose -> calls. Refused by absence: ptrace, process_vm_*, mounts, namespaces, keys, bpf, perf, io_uring, userfaultfd, modules, more.

The older asynchronous input and output (io_setup) too: its contexts are counted for the whole machine, and one box could take them all.
And memory that no process has: memfd_create and System V's segments are full and resident nowhere, so that a watchdog does not see them
where there is no control group. Shared memory in /dev/shm is bounded by the box's space.
"""
# fmt: on

_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; not AF_VSOCK, which no network namespace holds back
_PERSONALITIES = (0, 0x0008, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF)
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX


@functools.cache
def compiled_filter() -> bytes:
    """Return the filter as BPF for this machine's architecture; raise Unavailable without libseccomp."""
    try:
        import pyseccomp as seccomp  # noqa: PLC0415 - it looks for the C library when imported
    except (ImportError, RuntimeError, OSError) as error:
        raise Unavailable("the seccomp library is missing: install clearwell[hub] on Linux and the system package libseccomp2") from error
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    # A tree of numbers in place of a list: when a filter is loaded, the kernel walks it for each call that there is.
    rules.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)
    for names in ALLOWED.values():
        for name in names:
            _allow(seccomp, rules, name)
    _allow(seccomp, rules, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _NAMESPACES, 0))
    # clone3's flags lie in memory, where no filter sees them: say that it does not exist, and libraries use clone.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for family in _FAMILIES:
        _allow(seccomp, rules, "socket", seccomp.Arg(0, seccomp.EQ, family))
    # getaddrinfo asks the kernel for its addresses: AF_NETLINK, NETLINK_ROUTE.
    _allow(seccomp, rules, "socket", seccomp.Arg(0, seccomp.EQ, 16), seccomp.Arg(2, seccomp.EQ, 0))
    for persona in _PERSONALITIES:
        _allow(seccomp, rules, "personality", seccomp.Arg(0, seccomp.EQ, persona))
    _allow_ioctl(seccomp, rules)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return os.pread(file.fileno(), 1 << 20, 0)


def as_oci() -> dict[str, Any]:
    """Return the same allow-list as an OCI runtime's `linux.seccomp`, which gVisor applies inside its own kernel.

    Requests of ioctl are not looked at there: gVisor knows neither TIOCSTI nor TIOCLINUX.
    """

    def rule(names: list[str], *arguments: tuple[int, int, str, int]) -> dict[str, Any]:
        told = [{"index": index, "value": value, "valueTwo": two, "op": f"SCMP_CMP_{op}"} for index, value, op, two in arguments]
        return {"names": names, "action": "SCMP_ACT_ALLOW", "args": told}

    every = sorted({name for names in ALLOWED.values() for name in names} | {"ioctl"})
    rules = [rule(every), rule(["clone"], (0, _NAMESPACES, "MASKED_EQ", 0))]
    rules += [rule(["socket"], (0, family, "EQ", 0)) for family in _FAMILIES]
    rules += [rule(["socket"], (0, 16, "EQ", 0), (2, 0, "EQ", 0))]
    rules += [rule(["personality"], (0, persona, "EQ", 0)) for persona in _PERSONALITIES]
    return {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules}


def _allow(seccomp, rules, name: str, *arguments) -> None:  # type: ignore[no-untyped-def]  # pyseccomp has no types
    try:
        rules.add_rule(seccomp.ALLOW, name, *arguments)
    except (ValueError, OSError, RuntimeError):
        # A name that this architecture or library does not know needs no rule: what is not allowed is refused.
        return


def _allow_ioctl(seccomp, rules) -> None:  # type: ignore[no-untyped-def]  # pyseccomp has no types
    first, second = sorted(_TERMINAL_INPUT)
    # Ranges around the two refused requests; only the lower 32 bits count for the kernel (CVE-2019-10063), so mask them.
    mask = 0xFFFFFFFF
    for bit in range(32):
        # allow every request that differs from both at some bit: expressed as prefixes that neither shares
        for refused in (first,):
            prefix_mask = (mask >> (bit)) << (bit) & mask
            flipped = (refused ^ (1 << bit)) & prefix_mask
            if flipped == second & prefix_mask:
                _ioctl_beside(seccomp, rules, second, bit)
            else:
                _allow(seccomp, rules, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, prefix_mask, flipped))


def _ioctl_beside(seccomp, rules, refused: int, above: int) -> None:  # type: ignore[no-untyped-def]  # pyseccomp has no types
    for bit in range(above):
        prefix_mask = (0xFFFFFFFF >> bit) << bit & 0xFFFFFFFF
        _allow(seccomp, rules, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, prefix_mask, (refused ^ (1 << bit)) & prefix_mask))
