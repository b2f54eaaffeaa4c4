# SPDX-License-Identifier: Apache-2.0
"""Observations made by hand, for the tests of oracles."""

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles import Asked, Effect, judge
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Result

TOKEN = "0123456789abcdef0123456789abcdef"
NOTHING = Result(0, None, b"", b"", b"", 0.1, 0.1, None, False, {}, (), {})
REPORT = """=================================================================
==2==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000018 at pc 0x1 bp 0x2 sp 0x3
WRITE of size 4 at 0x602000000018 thread T0
    #0 0x7f0 in __interceptor_memcpy ../../../../src/libsanitizer/x.inc:827
    #1 0x401 in copy /box/src/lib/copy.c:12
    #2 0x402 in ns::outer(int, char const*) /box/build/work/outer.cc:7:3
    #3 0x403 in main /box/harness/h.c:4

0x602000000018 is located 0 bytes to the right of 8-byte region
allocated by thread T0 here:
    #0 0x7f1 in malloc (/lib/libasan.so+0x1)
    #1 0x404 in allocate /box/src/lib/copy.c:3
"""


def judged(oracle: Oracle, functions: tuple[str, ...] = (), reports: tuple[str, ...] = (), word: str | None = None, **seen) -> Effect:
    """What the oracle says of a run that did nothing but `seen`."""
    result = Result(**({name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__} | seen))
    return judge(Asked(oracle, functions), Observation(result, TOKEN, word, reports))
