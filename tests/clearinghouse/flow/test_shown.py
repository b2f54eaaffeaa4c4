# SPDX-License-Identifier: Apache-2.0
"""What a proof says of itself, where its run says nothing of the kind: it takes no report of another flaw in, and hides behind none."""

import pytest

from clearinghouse.flow.test_credit import CRASH, FRAMES, early, home, late, send
from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.flow import validating
from clearwell.ground.identity.actor import PROVING, Member
from clearwell.proving.attempt import REPORT, Reproduction
from clearwell.vocabulary.ids import FindingId
from hub import Hub
from pretend import ground, verdict

__all__ = ["early", "late"]

PUMP = "pkg:generic/pump@1.2.5"
STACK = "heap-buffer-overflow WRITE 1 | fill < run < main"
BESIDE = CRASH.replace("heap-buffer-overflow", "heap-use-after-free").replace("WRITE", "READ").replace(" fill ", " drain ")
"""A report of another flaw, in other functions."""


def prove(hub: Hub, monkeypatch: pytest.MonkeyPatch, finding: FindingId, effect: str, **exhibits: str) -> None:
    """The finding's proof fires by this effect; what its programs printed and reported is told beside it."""
    shown = {name.replace("_", " "): text.encode() for name, text in exhibits.items()}
    ground(monkeypatch, lambda _: Reproduction(verdict(purl=PUMP, effect=effect), shown))
    with hub.house.transaction(PROVING) as tx:
        proof = report_store.proof_of_finding(tx, finding)
    assert proof is not None
    validating.validate_proof(hub.house, proof.id)


@pytest.mark.parametrize("where", ["target_stdout", "target_stderr", "control_report", "crash.txt"])
def test_a_crash_log_that_a_program_printed_joins_no_proven_case(hub: Hub, early: Member, late: Member, monkeypatch, where: str) -> None:
    # given a proven case with a stack that its run showed
    real = send(hub, early, "fill writes behind its buffer", proof="x = 1")
    prove(hub, monkeypatch, real, STACK, target_report=CRASH)
    # when a proof of something else prints that very report
    other = send(hub, late, "words about a pump", proof="y = 1", function="elsewhere")
    prove(hub, monkeypatch, other, "leak: the token is in stdout", **{where: CRASH})
    # then it stays a case of its own
    assert home(hub, other).id != home(hub, real).id
    assert home(hub, other).case.is_proven


def test_a_report_of_another_flaw_beside_the_asserted_one_brings_nobody_in(hub: Hub, early: Member, late: Member, monkeypatch) -> None:
    # given a proven flaw of drain, and a proof of fill whose input passes drain's on its way
    drain = send(hub, early, "drain reads what is gone", proof="x = 1", function="drain")
    prove(hub, monkeypatch, drain, "heap-use-after-free READ 1 | drain < run < main", target_report=BESIDE)
    fill = send(hub, late, "fill writes behind its buffer", proof="y = 1")
    prove(hub, monkeypatch, fill, STACK, target_report=BESIDE)
    assert home(hub, fill).id != home(hub, drain).id


@pytest.mark.parametrize(
    ("effect", "joins"),
    [
        ("leak: the token is in stdout", True),  # reading behind a buffer may lead there
        ("command: /box/out/pwned holds the token", False),
        ("file_write: x", False),
        ("growth: net CPU 0.1 s at 1, 0.4 s at 2", False),
        ("exhaustion: the CPU limit is hit", False),
        ("bypass: fd 3 says accepted", False),
        ("pollution: fd 3 says polluted", False),
        ("request: the server on port 8090 was asked for /", False),
        ("output: <script>", False),
        ("an effect that nobody knows", False),
    ],
)
def test_a_proof_without_a_stack_takes_in_only_what_such_a_weakness_can_be(
    hub: Hub, early: Member, late: Member, monkeypatch, effect: str, joins: bool
) -> None:
    # given a report that names fill for a flaw of memory, and a proof under the same place and weakness
    real = send(hub, early, "the length of fill is not checked")
    squatter = send(hub, late, "my words name fill", proof="a proof of something")
    prove(hub, monkeypatch, squatter, effect)
    # then it takes that report in, and later ones, only where its run shows what a flaw of memory leads to
    assert (home(hub, real).id == home(hub, squatter).id) is joins
    later = send(hub, early, "fill again, in other words")
    assert (home(hub, later).id == home(hub, squatter).id) is joins
    if not joins:
        assert home(hub, later).id == home(hub, real).id


def test_the_program_s_entry_and_a_frame_far_up_the_stack_bear_no_place_out(hub: Hub, early: Member, late: Member, monkeypatch) -> None:
    # given reports of main and of a caller far up, and a proof of fill under each of these places
    deep = "".join(f"    #{n} 0x4f{n}2a1 in f{n} /src/pump/a.c:{n}:5\n" for n in range(len(FRAMES), 9))
    text = CRASH.replace("#2 0x4f22a1 in main /src/pump/m.c:9:5", "#2 0x4f22a1 in main /src/pump/a.c:9:5") + deep
    for function in ("main", "f7"):
        real = send(hub, early, f"the length in {function} is not checked", function=function)
        squatter = send(hub, late, f"my words name {function}", proof=f"a proof of {function}", function=function)
        prove(hub, monkeypatch, squatter, STACK, **{REPORT.replace(" ", "_"): text})
        assert home(hub, real).id != home(hub, squatter).id
