# SPDX-License-Identifier: Apache-2.0
"""Verifies the signature on stdin (message, signature) for one fixed key and tells the oracle what the library said."""

import os
import re
import sys

import rsa

# Fixed here: with a key of one's own choice, anybody signs anything.
MODULUS = int(
    "b5e83d326488d8b05ad9892c33698b55d7e54e7b90cc635f97e90b18391a50304a244a7cf1d2f4e59387eee942985fb6f33a4ba46bb2844dc14669d0e586be7e"
    "82856ac018e6dfeefe08f31baf559fe5655e7832b6c60f3da22646472a4bb8743e313ff329f0148e7ea83447660991b7c8a1ce7c30c1117c27e45f3575cae8af"
    "45637964b6bfa79d13d69f7b4ee14b9446e080a2e2c4ebf9dcb38f31c755e534623c19bb622497b1bb9f0ef25da1150b5573e270ff7d88143bb1b27cb18f4f92"
    "6b0602c10e05977d485d916306f06d4b82b8ff9e4d9b8b0ad28d1b7dcd9f4896de3b11f729f5869ecc88926937291e200861317d8a01c6eb28679e868b548a73",
    16,
)
EXPONENT = 3

# Exactly one spelling: the genuine signature, written another way, is no other signature.
lines = re.fullmatch(rb"([^\n]*)\n([0-9a-f]{512})\n", sys.stdin.buffer.read())
if lines is None:
    sys.exit("the input is a message and a signature of 512 hexadecimal digits, a line each")
try:
    rsa.verify(lines[1], bytes.fromhex(lines[2].decode()), rsa.PublicKey(MODULUS, EXPONENT))
except rsa.VerificationError:
    os.write(3, b"refused")
else:
    os.write(3, b"accepted")
