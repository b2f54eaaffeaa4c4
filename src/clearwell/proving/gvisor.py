# SPDX-License-Identifier: Apache-2.0
"""The box by gVisor: the target speaks to a kernel in user space (runsc, ptrace), which holds almost nothing of ours. Stage side.

The stage's own empty namespaces stand around runsc: what would break out of gVisor finds itself where bubblewrap's target starts.
"""

import json
import os
import signal
from typing import Any

from clearwell.proving import kernel

PLAIN = True
DEVICES: tuple[str, ...] = ()  # runsc makes a /dev of its own
LINKS: tuple[tuple[str, str], ...] = ()
OVERHEAD_BYTES, OVERHEAD_PROCESSES, GRACE_SECONDS = 192 << 20, 160, 3.0
"""What runsc itself needs beside the target: two Go programs, threads for each thread inside, and the time until it stands."""


def start(request: dict[str, Any], space: str, standard_input: int, ends: dict[str, int], go: int) -> int:
    """Start runsc as the first process of a pid namespace of its own, on the folder that holds the box's tree."""
    bundle = f"{os.path.dirname(space)}/own"
    with open(f"{bundle}/config.json", "w") as configuration:
        json.dump(_configuration(request, space), configuration)
    # Read-only binds lie in the tree already and come along with the root. Without servers the target gets gVisor's own loopback;
    # with them, the stage's: a network namespace that holds nothing else.
    network = "host" if request["servers"] else "none"
    command = [request["program"], "--rootless", "--ignore-cgroups", "--oci-seccomp", "--platform=ptrace", f"--network={network}"]
    command += ["--file-access-mounts=shared", f"--root={bundle}/state", "run", f"--bundle={bundle}", "box"]
    outer = os.fork()
    if outer == 0:
        try:
            kernel.die_with_parent()
            kernel.unshare(kernel.NEWNS | kernel.NEWPID | kernel.NEWIPC | kernel.NEWUTS, "unshare mounts and processes")
            inner = os.fork()
            if inner == 0:
                _become(command, standard_input, ends, go)
            os.write(ends["info"], json.dumps({"child-pid": inner}).encode())
            for descriptor in (standard_input, *ends.values()):
                os.close(descriptor)
            code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
            os._exit(code if code >= 0 else 128 - code)
        except OSError as error:
            os.write(2, f"stage: {error}\n".encode())
        finally:
            os._exit(125)
    return outer


def _become(command: list[str], standard_input: int, ends: dict[str, int], go: int) -> None:
    try:
        kernel.die_with_parent()
        kernel.mount_proc("/proc")
        os.setsid()
        os.read(go, 1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for number, descriptor in enumerate((standard_input, ends["stdout"], ends["stderr"])):
            os.dup2(descriptor, number)
        os.closerange(3, 4096)
        os.execve(command[0], command, {"PATH": "/usr/bin:/bin"})  # noqa: S606 - a vector of ours
    except OSError as error:
        os.write(ends["stderr"], f"stage: {error}\n".encode())
    finally:
        os._exit(125)


def _configuration(request: dict[str, Any], space: str) -> dict[str, Any]:
    limits = request["limits"]
    bounds = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(limits["cpu_seconds"]) + 1,
        "RLIMIT_FSIZE": limits["file_bytes"],
        "RLIMIT_NOFILE": 512,
        "RLIMIT_NPROC": limits["processes"] + 8,
        "RLIMIT_STACK": limits["stack_bytes"],
    }
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "nodev", "noexec"]}]
    mounts += [
        {"destination": target, "type": "bind", "source": f"{space}{target}", "options": ["rbind", "rw", "nosuid", "nodev"]}
        for target in request["writable"]
    ]
    sets = ("bounding", "effective", "inheritable", "permitted", "ambient")
    process = {
        "user": {"uid": 0, "gid": 0},
        # fd 3 is a file of the box that only this run knows of: runsc hands no other descriptors on.
        "args": ["/bin/sh", "-c", 'exec 3>>/box/.said/word; "$@"; exit $?', "sh", *request["argv"]],
        "env": [f"{name}={value}" for name, value in request["env"].items()],
        "cwd": request["cwd"],
        "noNewPrivileges": True,
        "capabilities": {name: [] for name in sets},
        "rlimits": [{"type": name, "hard": value, "soft": value} for name, value in bounds.items()],
    }
    return {
        "ociVersion": "1.0.2",
        "process": process,
        "root": {"path": space, "readonly": True},
        "hostname": "box",
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", *(() if request["servers"] else ("network",)))],
            "seccomp": request["oci_seccomp"],
        },
    }
