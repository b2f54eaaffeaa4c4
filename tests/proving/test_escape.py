# SPDX-License-Identifier: Apache-2.0
"""The no-egress proof: a box with a way out makes its run void, and only words that arrive outside count."""

import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from clearwell.proving.attempt import Settings
from clearwell.proving.canary import Canary, cry
from clearwell.proving.reproduction import reproduce
from clearwell.proving.sandbox import Escaped, Limits, Result, Sandbox, Spec
from clearwell.proving.staged import Staged
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import Invalid, Unavailable

LEAKY = """
import sys
sys.path.append(sys.argv[1])
from clearwell.proving import kernel
kernel.NEWNET = 0
kernel.raise_loopback = lambda: None
from clearwell.proving.stage import main
main()
"""
"""A stage that forgets to leave the network: the box stands in the machine's own."""


@pytest.fixture
def leaky(sandbox: Sandbox) -> Iterator[Sandbox]:
    with Sandbox(Staged("bubblewrap", launch=LEAKY)) as opened:
        yield opened


@pytest.mark.sandbox
def test_a_run_in_a_box_with_a_way_out_is_void(leaky):
    with pytest.raises(Escaped, match=r"void.*tcp 127\.0\.0\.1"):
        leaky.run(Spec(argv=("/usr/bin/true",)))


@pytest.mark.sandbox
def test_a_proof_run_in_a_leaky_box_is_unavailable_and_says_why(lab, leaky):
    proof = lab.proof("notes", oracle='kind = "command"', verb="eval", text="open('/box/out/pwned', 'w').write('x')")
    registry = lab.registry()
    try:
        done = reproduce(proof, lab.place / "harnesses", Settings(runs=1), sandbox=leaky, registry=registry)
    finally:
        registry.close()
    assert done.verdict.verdict is Outcome.UNAVAILABLE
    assert "void" in done.verdict.reason
    assert done.escaped == done.verdict.reason


@pytest.mark.sandbox
def test_every_run_tries_every_way_out_before_and_after(run):
    result = run("print('x')")
    assert result.ways_tried >= 6
    assert result.ways_tried % 2 == 0
    assert result.ways_out == ()


@pytest.mark.sandbox
def test_a_target_that_stands_in_for_the_canary_inside_its_box_raises_no_alarm(run):
    # given a target that listens on everything it can and answers whoever comes
    result = run(
        """
import socket
for port in range(1024, 1400):
    s = socket.socket(); s.bind(('0.0.0.0', port)); s.listen()
print('listens')
""",
        Limits(wall_seconds=8),
    )
    # then nothing arrived outside
    assert result.stdout == b"listens\n"
    assert result.ways_out == ()


def test_a_stranger_at_the_canary_s_door_is_no_word_of_a_run():
    canary = Canary()
    try:
        stranger = [address for address in canary.addresses if address[0] == "tcp"][:1]
        cry(stranger, "somebody else")
        assert canary.heard("the run's own word") == []
        cry(canary.addresses, "the run's own word")
        assert len(canary.heard("the run's own word")) == len(canary.addresses)
        assert canary.heard("the run's own word") == []
    finally:
        for listener in canary.listeners:
            listener.close()


def test_an_attempt_that_is_held_back_is_counted_and_no_error():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert cry([["tcp", "127.0.0.1", port], ["unix", "clearwell-nobody-listens", 0]], "word") == 2


def _result(**changes: object) -> Result:
    blank = Result(
        exit=0, killed=None, stdout=b"", stderr=b"", said=b"", wall_seconds=0, cpu_seconds=0, memory_peak=0, is_out_of_memory=False,
        files={}, requests=(), isolation={}, ways_tried=2,
    )  # fmt: skip
    return msgspec.structs.replace(blank, **changes)


class Careless:
    """A backend that holds less than it must, or does not look."""

    name = "careless"

    def __init__(self, result: Result) -> None:
        self.result, self.lock = result, threading.Lock()

    def run(self, spec: Spec) -> Result:
        return self.result

    def close(self) -> None:
        pass


def test_no_backend_may_leave_a_mandatory_limit_or_the_canary_out():
    held = dict.fromkeys(
        ("network", "capabilities", "user_namespace", "pid_namespace", "nested_namespaces", "seccomp", "host_files", "wall_clock",
         "output_bytes", "temporary_space"), "enforced",
    )  # fmt: skip
    spec = Spec(argv=("/usr/bin/true",))
    assert Sandbox(Careless(_result(isolation=held))).run(spec).exit == 0
    with pytest.raises(Unavailable, match="seccomp"):
        Sandbox(Careless(_result(isolation=held | {"seccomp": "watched"}))).run(spec)
    with pytest.raises(Unavailable, match="did not try"):
        Sandbox(Careless(_result(isolation=held, ways_tried=0))).run(spec)


def test_a_name_that_is_no_backend_is_refused():
    with pytest.raises(Invalid, match="bubblewrap, gvisor"):
        Sandbox("chroot")
