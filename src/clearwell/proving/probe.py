# SPDX-License-Identifier: Apache-2.0
"""What the sandbox truly enforces on this machine, found out by trying each limit."""

import functools

import msgspec

from clearwell.proving.sandbox import DEFAULT, MANDATORY, Limits, Sandbox, Spec, Strength
from clearwell.vocabulary.errors import Unavailable

_NOTHING: dict[str, Strength] = dict.fromkeys((*MANDATORY, "memory", "processes", "cpu", "file_size"), "none")

# One word per property that holds; each line tries the thing rather than asking about it, where a shell can.
_INSIDE = r"""
[ "$(id -u)" = NUMBER ] && ! chown 12345 /box/root 2>/dev/null && echo user_namespace
grep -q '^CapEff:.0*$' /proc/self/status && grep -q '^CapBnd:.0*$' /proc/self/status &&
    ! chown 1 /box/root 2>/dev/null && ! mount -t tmpfs none /tmp 2>/dev/null && echo capabilities
grep -q '^Seccomp:.2$' /proc/self/status && echo seccomp
[ $$ -lt 10 ] && [ ! -e /proc/1/root/home ] && echo pid_namespace
unshare --user true 2>/dev/null || unshare --mount true 2>/dev/null || echo nested_namespaces
[ "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')" = lo ] && [ "$(wc -l < /proc/net/route)" -le 1 ] && echo network
[ ! -e /root ] && [ ! -e /home ] && [ ! -e /var ] && [ ! -e /etc/shadow ] && [ ! -e /sys/kernel/debug ] &&
    ! (: > /usr/written) 2>/dev/null && ! (: > /box/written) 2>/dev/null && ! (: > /written) 2>/dev/null && echo host_files
head -c 6000000 /dev/zero > /tmp/a 2>/dev/null || head -c 6000000 /dev/zero > /box/root/a 2>/dev/null || echo temporary_space
rm -f /tmp/a /box/root/a
head -c 2000000 /dev/zero > /tmp/b 2>/dev/null || echo file_size
"""


class Probe(msgspec.Struct, frozen=True):
    """Limit -> how strongly it holds here; `reason` says what is missing when `is_usable` is False.

    `ways_tried` counts the attempts to get a word out of the box, none of which arrived.
    """

    limits: dict[str, Strength]
    is_usable: bool
    reason: str
    backend: str = DEFAULT
    ways_tried: int = 0


@functools.cache
def probe(backend: str = DEFAULT) -> Probe:
    """Try every limit on a backend, once per process (half a second on bubblewrap, a few on gVisor). Raises Invalid for no such name."""
    with Sandbox(backend) as sandbox:
        try:
            return _try(sandbox)
        except Unavailable as error:
            return Probe(_NOTHING, False, str(error), backend)


def _try(sandbox: Sandbox) -> Probe:
    found: dict[str, Strength] = dict(_NOTHING)
    space = Limits(wall_seconds=5, space_bytes=5 << 20, file_bytes=7 << 20)
    # Inside gVisor's own kernel the target has the number 0, without capabilities; to the machine's kernel it is nobody all the same.
    inside = sandbox.run(_shell(_INSIDE.replace("NUMBER", "0" if sandbox.backend == "gvisor" else "65534"), space))
    for name in inside.stdout.decode("ascii", "replace").split():
        if name in found:
            found[name] = "enforced"
    small = sandbox.run(_shell("head -c 2000000 /dev/zero > /tmp/b || echo refused", Limits(wall_seconds=5, file_bytes=1 << 20)))
    found["file_size"] = "enforced" if b"refused" in small.stdout or small.exit != 0 else "none"
    wall = sandbox.run(_shell("sleep 20", Limits(wall_seconds=0.1)))
    found["wall_clock"] = "enforced" if wall.killed == "wall_clock" and wall.wall_seconds < 8 else "none"
    flood = sandbox.run(_shell("yes", Limits(wall_seconds=5, stdout_bytes=1 << 16)))
    found["output_bytes"] = "enforced" if flood.killed == "output_bytes" and len(flood.stdout) <= (1 << 16) + 1 else "none"
    memory = sandbox.run(_shell("head -c 200000000 /dev/zero | tail -c 190000000 | wc -c", Limits(wall_seconds=8, memory_bytes=48 << 20)))
    if memory.killed == "memory":
        found["memory"] = memory.isolation["memory"]
    crowd = "i=0; while [ $i -lt 60 ]; do sleep 1 & i=$((i+1)); done; echo all"
    many = sandbox.run(_shell(crowd, Limits(wall_seconds=5, processes=20)))
    if b"all" not in many.stdout or many.killed == "processes":
        found["processes"] = many.isolation["processes"]
    spin = sandbox.run(_shell("while :; do :; done", Limits(wall_seconds=6, cpu_seconds=0.1)))
    found["cpu"] = "enforced" if spin.killed == "cpu" or (spin.signal in {9, 24} and spin.killed is None) else "none"
    missing = [name for name in MANDATORY if found[name] == "none"]
    missing += [name for name in ("memory", "processes") if found[name] == "none"]
    reason = f"the sandbox does not hold these limits here: {', '.join(missing)}" if missing else ""
    return Probe(found, not missing, reason, sandbox.backend, inside.ways_tried)


def _shell(script: str, limits: Limits) -> Spec:
    return Spec(argv=("/bin/sh", "-c", script), env={"PATH": "/usr/bin:/bin"}, limits=limits, collect=())
