# SPDX-License-Identifier: Apache-2.0
"""The hostile suite on gVisor: several attacks share a box where they do not disturb each other, each with a name of its own."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from clearwell.proving.sandbox import Limits, Sandbox, Server, Spec

pytestmark = [pytest.mark.sandbox, pytest.mark.skipif(shutil.which("runsc") is None, reason="gVisor is not installed (apt install runsc)")]

SMALL = Limits(wall_seconds=20, cpu_seconds=20, memory_bytes=128 << 20, processes=24, space_bytes=8 << 20, inodes=500)

ATTACKS = r"""
import ctypes, os, socket
c = ctypes.CDLL(None, use_errno=True)
def tried(name, act):
    try: told = act()
    except OSError as error: told = 'errno %d' % error.errno
    print(name, told, flush=True)
def connect(address):
    s = socket.socket(); s.settimeout(0.3); s.connect((address, 80)); return 'connected'
def call(*numbers): return 'refused' if c.syscall(*numbers) == -1 else 'done'
for address in ('127.0.0.1', '10.0.0.1', '169.254.169.254', '8.8.8.8'): tried('network', lambda: connect(address))
for family in (17, 40, 31, 38, 15, 29): tried('family', lambda: str(socket.socket(family, socket.SOCK_RAW)))
tried('names', lambda: [n for _, n in socket.if_nameindex()])
def resolve():
    try: return socket.getaddrinfo('example.org', 80)
    except socket.gaierror: return 'unresolved'
tried('dns', resolve)
def hidden():
    s = socket.socket(socket.AF_UNIX); s.connect(chr(0) + 'clearwell-canary'); return 'connected'
tried('abstract', hidden)
for name, numbers in {'ptrace': (101, 0, 0, 0, 0), 'mount': (165, b'none', b'/tmp', b'tmpfs', 0, 0), 'unshare': (272, 0x10000000),
        'clone': (56, 0x10000011, 0, 0, 0, 0), 'chroot': (161, b'/tmp'), 'bpf': (321, 0, 0, 0), 'perf': (298, 0, 0, 0, 0, 0),
        'io_uring': (425, 1, 0), 'userfaultfd': (323, 0), 'keyctl': (250, 0, 0), 'handles': (304, 0, 0, 0),
        'process_vm': (310, 1, 0, 0, 0, 0, 0), 'kexec': (246, 0, 0, 0, 0), 'hostname': (170, b'x', 1), 'clock': (227, 0, 0),
        'setns': (308, 0, 0), 'pivot': (155, b'/tmp', b'/tmp')}.items():
    tried(name, lambda: call(*numbers))
tried('terminal', lambda: call(16, 0, 0x5412, b'x'))
for path in ('/root', '/home', '/var', '/etc/shadow', '/boot', '/proc/1/root/etc/shadow', '/sys/kernel/debug'):
    tried('sees', lambda: os.path.exists(path))
for path in ('/usr/x', '/box/x', '/x', '/box/secret/canary.txt', '/box/src/x', '/etc/passwd', '/proc/sysrq-trigger'):
    tried('writes', lambda: open(path, 'wb', 0).write(b'x'))
tried('processes', lambda: len([p for p in os.listdir('/proc') if p.isdigit()]) < 6)
tried('capabilities', lambda: {l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')} <= {'0' * 16})
tried('chown', lambda: os.chown('/box/root', 12345, 12345))
tried('device', lambda: os.mknod('/box/out/device', 0o20666, os.makedev(1, 3)))
os.symlink('/etc/passwd', '/box/out/link')
tried('core', lambda: __import__('resource').getrlimit(4))
os.write(3, b'accepted')
"""


@pytest.fixture(scope="module")
def gvisor() -> Iterator[Sandbox]:
    with Sandbox("gvisor") as opened:
        yield opened


@pytest.fixture(scope="module")
def attacked(gvisor, tmp_path_factory):
    """One box in which everything that leaves a box standing was tried; what each attack printed, by its name."""
    place = tmp_path_factory.mktemp("src")
    spec = Spec(
        argv=("/usr/bin/python3", "-S", "-c", ATTACKS), env={"PATH": "/usr/bin:/bin"}, binds=((place, "/box/src"),), limits=SMALL,
        files={"/box/secret/canary.txt": b"f" * 32},
    )  # fmt: skip
    result = gvisor.run(spec)
    assert result.exit == 0, result.stderr
    told: dict[str, list[str]] = {}
    for line in result.stdout.decode().splitlines():
        name, _, rest = line.partition(" ")
        told.setdefault(name, []).append(rest)
    return result, told


def test_no_address_can_be_reached(attacked):
    assert len(attacked[1]["network"]) == 4
    assert all(told.startswith("errno") for told in attacked[1]["network"])


def test_no_socket_family_beside_ip_and_unix_is_there(attacked):
    assert [told.split()[0] for told in attacked[1]["family"]] == ["errno"] * 6


def test_nothing_resolves_and_only_loopback_exists(attacked):
    assert attacked[1]["dns"] == ["unresolved"]
    assert attacked[1]["names"] == ["['lo']"]


def test_an_abstract_socket_of_the_host_is_out_of_reach(attacked):
    assert attacked[1]["abstract"][0].startswith("errno")


@pytest.mark.parametrize(
    "name",
    ["ptrace", "mount", "unshare", "clone", "chroot", "bpf", "perf", "io_uring", "userfaultfd", "keyctl", "handles", "process_vm", "kexec",
     "hostname", "clock", "setns", "pivot", "terminal"],
)  # fmt: skip
def test_a_dangerous_system_call_is_refused_there_too(attacked, name):
    assert attacked[1][name] == ["refused"]


def test_nothing_of_the_host_is_seen(attacked):
    assert attacked[1]["sees"] == ["False"] * 7
    assert attacked[1]["processes"] == ["True"]


def test_nothing_outside_the_writable_folders_is_written(attacked):
    assert len(attacked[1]["writes"]) == 7
    assert all(told.startswith("errno") for told in attacked[1]["writes"])


def test_no_capability_no_owner_and_no_device_is_given(attacked):
    assert attacked[1]["capabilities"] == ["True"]
    assert attacked[1]["chown"][0].startswith("errno")
    assert attacked[1]["device"][0].startswith("errno")


def test_a_core_is_never_dumped(attacked):
    assert attacked[1]["core"] == ["(0, 0)"]


def test_effects_and_the_word_on_fd_3_arrive_and_links_are_not_followed(attacked):
    result, _ = attacked
    assert result.said == b"accepted"
    assert [(entry.path, entry.kind, entry.content) for entry in result.files["/box/out"]] == [("link", "link", b"")]


def test_no_word_got_out(attacked):
    assert attacked[0].ways_tried >= 6
    assert attacked[0].ways_out == ()
    assert attacked[0].backend == "gvisor"


def test_a_server_of_the_harness_is_reached_and_nothing_else(gvisor):
    code = """
import socket
s = socket.create_connection(('127.0.0.1', 8090)); s.sendall(b'GET /x HTTP/1.0\\r\\n\\r\\n'); print(s.recv(99).split(b'\\r\\n')[0])
for address in ('10.0.0.1', '8.8.8.8'):
    try: socket.create_connection((address, 80), 0.3); print('connected')
    except OSError: print('no')
"""
    result = gvisor.run(Spec(argv=("/usr/bin/python3", "-S", "-c", code), limits=SMALL, servers=(Server(8090, 204),)))
    assert result.stdout.splitlines() == [b"b'HTTP/1.1 204 OK'", b"no", b"no"]
    assert [(r.port, r.path) for r in result.requests] == [(8090, "/x")]


def test_floods_of_disk_inodes_and_fd_3_end_at_their_limits(gvisor):
    code = """
import os
def fill(place):
    with open(place, 'wb') as f:
        while True: f.write(b'x' * 65536)
def crowd():
    for n in range(5000): open(f'/box/root/{n}', 'w').close()
    print('all')
def talk():
    for _ in range(2000): os.write(3, b'accepted ' * 1000)
    print('all')
for act in (lambda: fill('/tmp/a'), crowd, talk):
    try: act()
    except OSError as error: print(error.errno)
"""
    result = gvisor.run(Spec(argv=("/usr/bin/python3", "-S", "-c", code), limits=SMALL))
    assert b"all" not in result.stdout
    assert len(result.said) <= 257


def test_a_memory_bomb_and_a_flood_of_output_are_ended_and_named(gvisor):
    bomb = gvisor.run(Spec(argv=("/usr/bin/python3", "-S", "-c", "b = []\nwhile True: b.append(b'x' * (8 << 20))"), limits=SMALL))
    assert bomb.killed == "memory"
    flood = gvisor.run(Spec(argv=("/usr/bin/yes",), limits=Limits(wall_seconds=20, stdout_bytes=1 << 18)))
    assert flood.killed == "output_bytes"


def test_a_daemon_past_the_wall_clock_leaves_no_process(gvisor):
    marker = "gvisor-left-behind"
    code = f"import os, time\nname = '{marker}'\nif os.fork() == 0: os.setsid()\ntime.sleep(60)"
    result = gvisor.run(Spec(argv=("/usr/bin/python3", "-S", "-c", code), limits=Limits(wall_seconds=0.1)))
    assert result.killed == "wall_clock"
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in found.splitlines() if line.startswith("runsc") and "/tmp/own/state" in line]


def test_an_overflow_in_c_is_reported_from_a_place_that_only_the_run_knows(gvisor, tmp_path):
    (tmp_path / "a.c").write_text("#include <stdlib.h>\nint main(int n, char **v) { char *p = malloc(8); p[8 + n] = 1; return p[0]; }\n")
    tmp_path.chmod(0o755)
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no compiler here (apt install gcc)")
    subprocess.run([gcc, "-g", "-fsanitize=address", "a.c", "-o", "a"], cwd=tmp_path, check=True)
    spec = Spec(
        argv=("/box/build/a",), env={"ASAN_OPTIONS": "log_path=/box/.reports-x/report:exitcode=86"}, binds=((tmp_path, "/box/build"),),
        writable=("/box/root", "/box/out", "/tmp", "/dev/shm", "/box/.reports-x"), collect=("/box/.reports-x",), limits=SMALL,
    )  # fmt: skip
    result = gvisor.run(spec)
    assert result.exit == 86
    assert b"heap-buffer-overflow" in result.files["/box/.reports-x"][0].content
