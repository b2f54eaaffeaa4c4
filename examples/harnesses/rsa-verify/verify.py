# SPDX-License-Identifier: Apache-2.0
"""Verifies the signature on stdin (message, e, n, signature) and tells the oracle what the library said."""

import os
import sys

import rsa

message, exponent, modulus, signature = sys.stdin.read().split("\n")[:4]
key = rsa.PublicKey(int(modulus, 16), int(exponent, 16))
size = (key.n.bit_length() + 7) // 8
try:
    rsa.verify(message.encode(), int(signature, 16).to_bytes(size, "big"), key)
except rsa.VerificationError:
    os.write(3, b"refused")
else:
    os.write(3, b"accepted")
