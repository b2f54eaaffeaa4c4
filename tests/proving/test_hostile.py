# SPDX-License-Identifier: Apache-2.0
"""Targets that try to get out, to stay, to see, to take everything or to lie: nothing escapes and each limit is reported rightly."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clearwell.proving.oracles import all_reports
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Limits, Sandbox, Server, Spec

pytestmark = pytest.mark.sandbox

SMALL = Limits(wall_seconds=8, cpu_seconds=8, memory_bytes=128 << 20, processes=24, space_bytes=8 << 20, inodes=500)


def test_a_listener_on_the_host_is_out_of_reach(run):
    # given a server on every address of the host
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        listener.settimeout(0.05)
        port = listener.getsockname()[1]
        # when the target tries loopback, the host's own address and a broadcast
        result = run(
            f"""
import socket
for address in ('127.0.0.1', '{socket.gethostbyname("localhost")}', '10.0.0.1', '169.254.169.254', '8.8.8.8'):
    try:
        socket.create_connection((address, {port}), 0.3); print('connected', address)
    except OSError as error: print('refused', error.errno)
"""
        )
        # then nobody came
        assert b"connected" not in result.stdout
        assert result.stdout.count(b"refused") == 5
        with pytest.raises(TimeoutError):
            listener.accept()


def test_only_loopback_exists_and_names_outside_do_not_resolve(run):
    result = run("import socket\nprint([n for _, n in socket.if_nameindex()])\nsocket.getaddrinfo('example.org', 80)")
    assert result.stdout.strip() == b"['lo']"
    assert b"gaierror" in result.stderr


@pytest.mark.parametrize("family", [17, 40, 31, 38, 15, 29])  # packet, vsock, bluetooth, alg, key, can
def test_socket_families_beside_ip_and_unix_are_refused(run, family):
    result = run(f"import socket\ntry:\n socket.socket({family}, socket.SOCK_RAW)\nexcept OSError as e: print(e.errno)")
    assert result.stdout.strip() in {b"1", b"97"}


def test_an_abstract_unix_socket_of_the_host_is_out_of_reach(run):
    name = f"clearwell-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name)
        listener.listen()
        result = run(f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect(chr(0) + '{name}')\nprint('connected')")
    assert result.stdout == b""
    assert b"ConnectionRefusedError" in result.stderr


def test_files_of_the_host_are_not_there(run, tmp_path):
    (tmp_path / "secret").write_text("secret")
    result = run(
        f"""
import os
for path in ('{tmp_path}/secret', '/root', '/home', '/var/lib', '/etc/shadow', '/sys/kernel', '/proc/1/root/etc/shadow', '/boot', '/run'):
    print(os.path.exists(path))
"""
    )
    assert set(result.stdout.split()) == {b"False"}


def test_nothing_outside_the_writable_folders_can_be_written(run, tmp_path):
    (tmp_path / "x.py").write_text("print(1)")
    result = run(
        """
for path in ('/usr/x', '/box/x', '/x', '/box/src/x.py', '/etc/passwd', '/dev/x', '/proc/sys/kernel/hostname', '/proc/sysrq-trigger',
             '/proc/self/uid_map'):
    try: open(path, 'wb', 0).write(b'x'); print('wrote', path)
    except OSError as error: print('no')
""",
        binds=((tmp_path, "/box/src"),),
    )
    assert b"wrote" not in result.stdout
    assert result.stdout.count(b"no") == 9
    assert (tmp_path / "x.py").read_text() == "print(1)"


def test_processes_of_the_host_are_not_seen(run):
    result = run("import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))\nprint(os.getppid())")
    assert result.stdout.split(b"\n")[0] == b"[1, 2]"
    assert result.stdout.split(b"\n")[1] == b"1"


def test_killing_everything_kills_only_the_target(run):
    result = run("import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)\nprint('alive', flush=True)\nos.kill(-1, 9)\nprint('not shown')")
    assert result.stdout.startswith(b"alive")
    assert run("print('next')").stdout == b"next\n"


@pytest.mark.parametrize(
    "call",
    [
        "c.ptrace(0, 0, 0, 0)",
        "c.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "c.umount2(b'/proc', 2)",
        "c.unshare(0x10000000)",
        "c.unshare(0x00020000)",
        "c.setns(os.open('/proc/self/ns/net', 0), 0)",
        "c.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",  # clone into a new user namespace
        "c.chroot(b'/tmp')",
        "c.pivot_root(b'/tmp', b'/tmp')",
        "c.syscall(321, 0, 0, 0)",  # bpf
        "c.syscall(298, 0, 0, 0, 0, 0)",  # perf_event_open
        "c.syscall(425, 1, 0)",  # io_uring_setup
        "c.syscall(323, 0)",  # userfaultfd
        "c.syscall(250, 0, 0)",  # keyctl
        "c.syscall(304, 0, 0, 0)",  # open_by_handle_at
        "c.syscall(310, 1, 0, 0, 0, 0, 0)",  # process_vm_readv
        "c.syscall(246, 0, 0, 0, 0)",  # kexec_load
        "c.syscall(176, b'x', 0)",  # delete_module
        "c.syscall(206, 4096, ctypes.byref(ctypes.c_ulong(0)))",  # io_setup: its contexts are counted for the whole machine
        "c.sethostname(b'x', 1)",
        "c.ioctl(0, 0x5412, b'x')",  # TIOCSTI
        "c.ioctl(0, 0x541C, b'x')",  # TIOCLINUX
        "c.ioctl(0, 0x100005412, b'x')",  # the same with high bits that the kernel ignores
        "c.syscall(135, 0x0400000)",  # personality READ_IMPLIES_EXEC
    ],
)
def test_a_dangerous_system_call_is_refused(run, call):
    result = run(f"import ctypes, os\nc = ctypes.CDLL(None, use_errno=True)\nprint({call}, ctypes.get_errno())")
    assert result.stdout.strip() in {b"-1 1", b"-1 38"}, (result.stdout, result.stderr)


def test_setuid_programs_gain_nothing(run):
    result = run(
        """
import os
print(os.getuid(), flush=True)
try: os.setuid(0)
except OSError as error: print(error.errno, flush=True)
os.execv('/usr/bin/su', ['su', '-c', 'id'])
"""
    )
    assert result.stdout.split()[:2] == [b"65534", b"22"]
    assert b"uid=0" not in result.stdout


def test_no_capability_is_left(run):
    result = run("print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])")
    assert set(result.stdout.strip(b"[]\n").replace(b"'", b"").split(b", ")) == {b"0" * 16}


def test_to_the_kernel_the_target_is_nobody_even_when_the_hub_is_root(sandbox):
    marker = f"2{int.from_bytes(secrets.token_bytes(4), 'big')}"
    thread = threading.Thread(target=sandbox.run, args=(Spec(argv=("/usr/bin/sleep", marker), limits=Limits(wall_seconds=60)),))
    thread.start()
    _wait_until(lambda: any(_command(pid) == b"/usr/bin/sleep" for pid in _processes_with(marker)))
    pid = next(pid for pid in _processes_with(marker) if _command(pid) == b"/usr/bin/sleep")
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert set(status["Uid"].split()) == {str(os.geteuid() or 65534)}
    assert int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0


def test_only_the_promised_descriptors_are_open(run):
    result = run("import os\nprint([os.readlink(f'/proc/self/fd/{n}')[:5] for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}')])")
    assert result.stdout.strip() == b"['pipe:']"


def test_the_hub_s_environment_does_not_leak(run, monkeypatch):
    monkeypatch.setenv("CLEARWELL_SECRET", "hub-secret")
    result = run("import os\nprint(dict(os.environ))\nprint(open('/proc/1/environ').read())", files={"/box/secret/canary.txt": b"f" * 32})
    assert b"hub-secret" not in result.stdout
    assert b"f" * 32 not in result.stdout


def test_a_fork_bomb_ends_at_the_limit_of_processes(run):
    result = run(
        """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0: time.sleep(5); os._exit(0)
        count += 1
except OSError: print('stopped', count)
""",
        SMALL,
    )
    assert result.isolation["processes"] in {"enforced", "watched"}
    stopped = result.stdout.split()
    assert result.killed == "processes" or int(stopped[1]) < 24
    assert result.wall_seconds < 4


def test_a_memory_bomb_ends_at_the_limit_and_is_named(run):
    result = run("blocks = []\nwhile True: blocks.append(bytearray(b'x' * (4 << 20)))", SMALL)
    assert result.killed == "memory"
    assert result.memory_peak is None or result.memory_peak <= 128 << 20


def test_filling_the_disk_ends_at_the_limit_of_space(run):
    result = run(
        """
for place in ('/tmp/a', '/box/root/a', '/box/out/a', '/dev/shm/a'):
    try:
        with open(place, 'wb') as f:
            while True: f.write(b'x' * 65536)
    except OSError as error: print(error.errno)
""",
        SMALL,
    )
    assert result.stdout.split() == [b"28"] * 4
    assert sum(entry.size for entry in result.files["/box/out"]) <= 8 << 20


def test_a_flood_of_small_files_ends_at_the_limit_of_inodes(run):
    result = run(
        "n = 0\ntry:\n  while True: open(f'/tmp/{n}', 'w').close(); n += 1\nexcept OSError as error: print(error.errno, n < 800)", SMALL
    )
    assert result.stdout.split() == [b"28", b"True"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_of_output_is_cut_and_named(run, stream):
    result = run(
        f"import sys\nwhile True: sys.{stream}.write('x' * 65536)", Limits(wall_seconds=8, stdout_bytes=1 << 20, stderr_bytes=1 << 20)
    )
    assert result.killed == "output_bytes"
    assert len(result.stdout) + len(result.stderr) <= (2 << 20) + 2


def test_a_flood_on_fd_3_is_cut_and_says_nothing(run):
    result = run("import os\nwhile True: os.write(3, b'accepted ' * 1000)")
    assert result.killed == "output_bytes"
    assert len(result.said) <= 257


def test_sleeping_past_the_wall_clock_kills_the_whole_tree(run):
    result = run(
        "import os, time\nfor _ in range(3): os.fork()\nos.setsid() if os.getpid() != os.getsid(0) else 0\ntime.sleep(60)",
        Limits(wall_seconds=0.3),
    )
    assert result.killed == "wall_clock"
    assert result.wall_seconds < 3


def test_a_daemon_left_behind_is_dead_before_the_effects_are_read(run):
    marker = secrets.token_hex(8)
    result = run(
        f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: open('/box/out/{marker}', 'a').write('x'); time.sleep(0.001)
    os._exit(0)
time.sleep(0.05)
"""
    )
    assert result.exit == 0
    assert [entry.path for entry in result.files["/box/out"]] == [marker]
    assert not _processes_with(marker)


def test_links_and_special_files_among_the_effects_are_described_not_followed(run):
    result = run(
        """
import os
os.symlink('/etc/passwd', '/box/out/link')
os.mkfifo('/box/out/pipe')
os.mkdir('/box/out/closed')
open('/box/out/closed/f', 'w').write('inside')
os.chmod('/box/out/closed/f', 0)
os.chmod('/box/out/closed', 0)
"""
    )
    found = {entry.path: entry for entry in result.files["/box/out"]}
    assert (found["link"].kind, found["link"].content) == ("link", b"")
    assert found["pipe"].kind == "other"
    assert found["closed/f"].content == b"inside"


def test_sparse_hard_linked_and_oddly_named_effects_are_read_within_bounds(run):
    result = run(
        """
import os, socket
with open('/box/out/sparse', 'wb') as f: f.truncate(60 << 20)
for n in range(40): os.link('/box/out/sparse', f'/box/out/link{n}')
open(b'/box/out/\\xff\\xfe', 'w').write('odd')
socket.socket(socket.AF_UNIX).bind('/box/out/socket')
try: os.mknod('/box/out/device', 0o20666, os.makedev(1, 3)); print('device')
except OSError as error: print(error.errno)
""",
        Limits(wall_seconds=8, memory_bytes=128 << 20),
    )
    found = {entry.path: entry for entry in result.files["/box/out"]}
    assert result.stdout == b"1\n"
    assert sum(len(entry.content) for entry in found.values()) <= 4 << 20
    assert found["\\xff\\xfe"].size == 3
    assert found["socket"].kind == "other"


def test_twenty_thousand_effects_are_cut_not_waited_for(run):
    result = run("for n in range(20000): open(f'/box/out/{n}', 'w').close()", Limits(wall_seconds=8, inodes=22_000))
    assert 0 < len(result.files["/box/out"]) <= 16_384
    assert result.wall_seconds < 6


def test_no_effect_hides_behind_many_others_or_a_closed_folder(run):
    code = "import os\nfor n in range(6000): os.mkdir(f'/box/out/a{n}')\nopen('/box/out/pwned', 'w').write('x'); os.chmod('/box/out', 0)"
    result = run(code)
    assert result.exit == 0, result.stderr
    assert any(entry.path == "pwned" and entry.content == b"x" for entry in result.files["/box/out"])


def test_the_token_cannot_be_removed_changed_or_hidden(run):
    result = run(
        """
import os
for act in (lambda p: os.unlink(p), lambda p: open(p, 'w'), lambda p: os.rename(p, '/box/out/x'), lambda p: os.chmod(p, 0),
            lambda p: os.rename('/box/secret', '/box/other'), lambda p: os.link(p, '/box/out/pwned')):
    try: act('/box/secret/canary.txt'); print('done')
    except OSError: print('no')
print(open('/box/secret/canary.txt').read())
""",
        files={"/box/secret/canary.txt": b"f" * 32},
    )
    assert result.stdout.split() == [b"no"] * 6 + [b"f" * 32]


def test_the_box_s_first_process_is_no_way_around_the_filter(run):
    # given: it runs as the same user, so its memory can be written
    result = run(
        """
status = open('/proc/1/status').read().splitlines()
print([line.split()[1] for line in status if line.startswith(('Seccomp:', 'NoNewPrivs', 'CapEff', 'CapBnd', 'CapPrm'))])
"""
    )
    # then it may do nothing that the target may not
    assert result.stdout.strip() == b"['0000000000000000', '0000000000000000', '0000000000000000', '1', '2']"


@pytest.mark.parametrize("word", ["eval", "exec", ".", "cd", "set"])
def test_a_command_is_a_program_never_a_shell_s_own(run, word):
    result = run((word, "echo done > /box/out/x"))
    assert result.exit != 0
    assert not result.files["/box/out"]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_the_signal_that_ended_a_target_is_known(run, number):
    assert run(f"import os\nos.kill(os.getpid(), {int(number)})").signal == number


def test_an_input_of_64_mb_arrives_whole(run, tmp_path):
    (tmp_path / "input").write_bytes(b"x" * (64 << 20))
    result = run("import sys\nprint(len(sys.stdin.buffer.read()))", Limits(wall_seconds=8), stdin=tmp_path / "input")
    assert result.stdout == f"{64 << 20}\n".encode()


def test_a_folder_of_reports_cannot_be_made(run):
    result = run(
        """
import os
for place in ('/box/reports', '/box/.reports', '/box/.reports-x'):
    try: os.mkdir(place); print('made')
    except OSError: print('no')
"""
    )
    assert result.stdout.split() == [b"no"] * 3


def test_a_netlink_socket_changes_no_route_and_no_address(run):
    result = run(
        """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
body = struct.pack('BBHiII', 0, 0, 1, 1, 0, 1)
s.send(struct.pack('IHHII', 16 + len(body), 16, 5, 1, 0) + body)  # RTM_NEWLINK: take lo down
print(struct.unpack('i', s.recv(4096)[16:20])[0])
try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9); print('audit')
except OSError as error: print(error.errno)
"""
    )
    assert result.stdout.split() == [b"-1", b"1"]


def test_a_tree_of_effects_deeper_than_paths_may_be_is_survived(run):
    result = run(
        "import os\nos.chdir('/box/out')\nfor _ in range(60): os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('f', 'w').write('x')", SMALL
    )
    assert result.files["/box/out"]


def test_two_words_on_fd_3_are_no_word(run):
    from clearwell.proving.running import _word

    assert _word(run("import os\nos.write(3, b'accepted\\nrefused')").said) is None
    assert _word(run("import os\nos.write(3, b'accepted\\n')").said) == "accepted"


def test_text_that_reads_like_a_report_is_no_report(run):
    forged = "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1\\nWRITE of size 1 at 0x1 thread T0\\n"
    forged += "    #0 0x1 in f /box/src/f.c:1\\n"
    result = run(f"import sys\nsys.stderr.write('{forged}')\nprint('{forged}')\nsys.exit(86)")
    assert all_reports(Observation(result, "", None, ())) == ()


def test_the_server_can_be_reached_but_neither_seen_nor_killed(run):
    result = run(
        """
import os, socket, time
for p in os.listdir('/proc'):
    if p.isdigit() and int(p) not in (1, os.getpid()): print('sees', p)
try: os.kill(-1, 9) if False else None
except OSError: pass
s = socket.create_connection(('127.0.0.1', 8090)); s.sendall(b'GET /x HTTP/1.0\\r\\n\\r\\n'); print(s.recv(4096).split(b'\\r\\n')[0])
""",
        servers=(Server(8090, 204),),
    )
    assert result.stdout == b"b'HTTP/1.1 204 OK'\n"
    assert [(r.port, r.path) for r in result.requests] == [(8090, "/x")]


def test_a_flood_of_connections_does_not_hold_up_the_end(run):
    result = run(
        """
import socket
kept = []
for _ in range(300):
    s = socket.create_connection(('127.0.0.1', 8090))
    s.sendall(b'x' * 70000)
    kept.append(s)
print('done')
""",
        servers=(Server(8090),),
    )
    assert result.wall_seconds < 6
    assert all(len(r.received) <= 65536 for r in result.requests)


def test_other_proofs_and_the_cache_are_not_there(run, tmp_path):
    # given another proof's private folder and the cache, beside what is bound into this box
    place = tmp_path / "cache" / "scratch"
    (place / "other").mkdir(parents=True)
    (place / "other" / "proof.toml").write_text("another's secret")
    (place / "own").mkdir()
    result = run(
        f"""
import os
print(os.listdir('/box/proof'), os.path.exists('/box/proof/../other'), os.path.exists('{place}'), os.path.exists('/tmp/w0'))
found = [os.path.join(p, f) for p, _, files in os.walk('/box') for f in files]
print(found)
for n in os.listdir('/proc/self/fd'):
    try: print(os.readlink('/proc/self/fd/' + n))
    except OSError: pass
""",
        binds=((place / "own", "/box/proof"),),
    )
    lines = result.stdout.decode().splitlines()
    assert lines[:2] == ["[] False False False", "[]"]
    assert not any("scratch" in line for line in lines)


def test_a_target_learns_no_side_and_no_number_from_its_box(run):
    # given two runs, as one on the target and one on the control would be
    code = """
import os, platform
print(sorted(os.environ.items()), platform.node(), os.getcwd(), sorted(os.listdir('/box')), os.getpid())
"""
    # then names, numbers, folders and processes are the same on both sides
    assert run(code).stdout == run(code).stdout


@pytest.mark.parametrize("name", ["core", "nofile", "fsize", "nproc", "memlock"])
def test_limits_that_the_kernel_keeps_stand_and_cannot_be_raised(run, name):
    result = run(
        f"""
import resource
kind = resource.RLIMIT_{name.upper()}
soft, hard = resource.getrlimit(kind)
print(hard != resource.RLIM_INFINITY)
try: resource.setrlimit(kind, (soft, hard + 1)); print('raised')
except (ValueError, OSError): print('no')
"""
    )
    assert result.stdout.split() == [b"True", b"no"]


@pytest.mark.parametrize(
    "call", ["c.syscall(227, 0, 0)", "c.syscall(170, b'x', 1)", "c.syscall(159, 0)", "c.syscall(248, b'user', b'a', b'b', 1, -3)"]
)
def test_clock_hostname_and_keys_are_not_the_target_s_to_set(run, call):
    result = run(f"import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nprint({call}, ctypes.get_errno())")
    assert result.stdout.split()[0] == b"-1"


def test_two_runs_share_nothing(run):
    run("open('/tmp/left', 'w').write('x'); open('/box/root/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x')")
    result = run("import os\nprint(os.listdir('/tmp') + os.listdir('/box/root') + os.listdir('/dev/shm') + os.listdir('/box/out'))")
    assert result.stdout == b"[]\n"


def test_a_killed_hub_leaves_no_process_and_no_control_group(sandbox, tmp_path):
    # given a hub that is in the middle of a run
    marker = f"31{int.from_bytes(secrets.token_bytes(4), 'big')}"
    code = f"""
from clearwell.proving.sandbox import *
with Sandbox() as s: s.run(Spec(argv=('/usr/bin/sleep', '{marker}'), limits=Limits(wall_seconds=60)))
"""
    hub = subprocess.Popen([sys.executable, "-c", code])
    _wait_until(lambda: _processes_with(marker))
    groups = _groups_of_children(hub.pid)
    mounts = Path("/proc/self/mountinfo").read_text()
    # when it is killed
    hub.send_signal(signal.SIGKILL)
    hub.wait()
    # then everything of its run goes too
    _wait_until(lambda: not _processes_with(marker))
    _wait_until(lambda: not any(group.exists() for group in groups))
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_a_run_without_control_groups_says_watched_and_still_ends_the_bombs():
    with Sandbox(use_cgroups=False) as sandbox:
        memory = sandbox.run(Spec(argv=("/usr/bin/python3", "-S", "-c", "b = []\nwhile True: b.append(b'x' * (4 << 20))"), limits=SMALL))
        forks = "import os, time\nfor _ in range(40):\n  if os.fork() == 0: time.sleep(3); os._exit(0)\nprint('all')"
        crowd = sandbox.run(Spec(argv=("/usr/bin/python3", "-S", "-c", forks), limits=SMALL))
    assert (memory.killed, memory.isolation["memory"]) == ("memory", "watched")
    assert crowd.isolation["processes"] == "watched"
    assert b"all" not in crowd.stdout


@pytest.mark.parametrize(
    "code",
    [
        "b = b'x' * (8 << 20)\nfor n in range(12):\n  f = os.memfd_create('m')\n  for _ in range(7): os.write(f, b)\n",
        "for n in range(10):\n  a = c.shmat(c.shmget(0, 50 << 20, 0o1666), None, 0)\n"
        "  assert a not in (None, 2**64 - 1)\n  ctypes.memset(a, 1, 50 << 20); c.shmdt(ctypes.c_void_p(a))\n",
    ],
    ids=["memfd", "system v"],
)
def test_memory_that_no_process_holds_is_no_way_around_a_watched_limit(code):
    with Sandbox(use_cgroups=False) as sandbox:
        start = "import ctypes, os\nc = ctypes.CDLL(None)\nc.shmat.restype = ctypes.c_void_p\n"
        result = sandbox.run(Spec(argv=("/usr/bin/python3", "-S", "-c", f"{start}{code}print('all')"), limits=SMALL))
    assert result.isolation["memory"] == "watched"
    assert b"all" not in result.stdout


def _processes_with(marker: str) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            try:
                words = (place / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(marker.encode() in word for word in words) and b"-c" not in words[1:2]:
                found.append(int(place.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


def _groups_of_children(pid: int) -> list[Path]:
    children = {int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()}
    return [group for group in Path("/sys/fs/cgroup").rglob("clearwell-*") if int(group.name.split("-")[1]) in children]


def _wait_until(holds, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.sandbox
def test_the_machine_s_debugging_symbols_are_not_in_the_box(run):
    assert run("import os\nprint(os.path.isdir('/usr/lib/debug') and os.listdir('/usr/lib/debug'))").stdout in {b"[]\n", b"False\n"}


@pytest.mark.parametrize(
    "code",
    [
        "for n in range(40): open(f'/box/build/{n}', 'wb').truncate(60 << 20)",
        "open('/box/build/a', 'wb').truncate(60 << 20)\nfor n in range(40): os.link('/box/build/a', f'/box/build/{n}')",
        "open('/box/build/a', 'wb').truncate(60 << 20)\nfor n in range(40): os.symlink('a', f'/box/build/{n}')",
    ],
    ids=["holes", "hard links", "links"],
)
def test_a_build_of_holes_and_links_does_not_fill_the_machine_s_disk(run, tmp_path, code):
    # given a build that leaves next to nothing in its box, and gigabytes to whoever copies it
    harvest = tmp_path / "build.tar"
    harvest.touch()
    result = run(
        f"import os\n{code}",
        writable=("/box/build", "/box/root", "/tmp", "/dev/shm"),
        collect=(),
        harvest="/box/build",
        harvest_to=harvest,
    )
    # then it is a limit that was hit, and nothing of it is kept
    assert (result.exit, result.killed) == (0, "temporary_space")
    assert harvest.stat().st_size < 1 << 20
