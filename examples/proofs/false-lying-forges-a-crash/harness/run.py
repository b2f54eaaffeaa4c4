# SPDX-License-Identifier: Apache-2.0
"""Repeats its input; for one input, prints a report that no sanitizer made."""

import sys

text = sys.stdin.read()
if text == "crash":
    print(
        "==7==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7ffc00000010 at pc 0x7f0000000001 bp 0x7ffc00000000 sp 0x7ffc00000000\n"
        "WRITE of size 1 at 0x7ffc00000010 thread T0\n"
        "    #0 0x7f0000000000 in encode /box/src/lib/ultrajsonenc.c:682\n"
        "    #1 0x7f0000000001 in objToJSON /box/src/python/objToJSON.c:883\n\n"
        "SUMMARY: AddressSanitizer: stack-buffer-overflow /box/src/lib/ultrajsonenc.c:682 in encode\n"
        "==7==ABORTING",
        file=sys.stderr,
    )
    sys.exit(1)
print(text)
