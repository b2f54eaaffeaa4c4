# SPDX-License-Identifier: Apache-2.0
"""The filter of system calls as the kernel walks it."""

import platform
import struct

import pytest

from clearwell.proving.seccomp import compiled_filter

_X86_64 = 0xC000003E
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001


def _walk(number: int, arguments: tuple[int, ...] = ()) -> tuple[int, int]:
    """What the filter answers to a call of this machine's, and in how many steps (linux/filter.h, struct seccomp_data)."""
    words = [number, _X86_64, 0, 0]
    for argument in (*arguments, *([0] * (6 - len(arguments)))):
        words += [argument & 0xFFFFFFFF, argument >> 32]
    code = list(struct.iter_unpack("HBBI", compiled_filter()))
    place, held, steps = 0, 0, 0
    while True:
        operation, yes, no, value = code[place]
        place, steps = place + 1, steps + 1
        if operation == 0x06:
            return value, steps
        if operation == 0x20:
            held = words[value // 4]
        elif operation == 0x54:
            held &= value
        elif operation == 0x05:
            place += value
        else:
            holds = {0x15: held == value, 0x25: held > value, 0x35: held >= value, 0x45: held & value != 0}[operation]
            place += yes if holds else no


pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of calls below are x86_64's")


def test_calls_are_allowed_and_refused_by_number_and_argument() -> None:
    read, ptrace, mount, socket, clone, ioctl = 0, 101, 165, 41, 56, 16
    assert _walk(read)[0] == _ALLOW
    assert _walk(ptrace)[0] == _walk(mount)[0] == _REFUSE
    assert _walk(socket, (2,))[0] == _ALLOW
    assert _walk(socket, (40,))[0] == _REFUSE  # AF_VSOCK
    assert _walk(clone, (0x11,))[0] == _ALLOW
    assert _walk(clone, (0x10000011,))[0] == _REFUSE  # a user namespace
    assert _walk(ioctl, (0, 0x5413))[0] == _ALLOW
    assert _walk(ioctl, (0, 0x5412))[0] == _REFUSE  # TIOCSTI


def test_the_kernel_finds_each_call_in_a_few_steps() -> None:
    """It walks the filter for every call there is when a run loads it; a list of three hundred numbers cost a third of a millisecond."""
    assert max(_walk(number)[1] for number in range(512) if number != 16) < 40
