# SPDX-License-Identifier: Apache-2.0
"""The oracle `leak`: what fires, what does not, what is forged."""

import base64

import pytest

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles.leak import holds_token
from clearwell.proving.sandbox import Received
from proving.oracles.observed import TOKEN, judged


@pytest.mark.parametrize("prefix", ["", "u", "us", "user:", "user: "])
def test_a_token_is_found_plain_and_in_base64_at_any_offset(prefix):
    encoded = base64.b64encode(f"{prefix}{TOKEN}tail".encode())
    assert holds_token(b"Authorization: Basic " + encoded, TOKEN)
    assert holds_token(f"{prefix}{TOKEN}".encode(), TOKEN)
    assert not holds_token(base64.b64encode(f"{prefix}{TOKEN[:-1]}".encode()), TOKEN)


def test_a_leak_to_a_server_counts_only_there():
    request = Received(8097, b"GET / HTTP/1.1\r\nCookie: " + TOKEN.encode() + b"\r\n\r\n")
    assert judged(Oracle("leak", to=8097), requests=(request,)).fired
    assert not judged(Oracle("leak", to=8096), requests=(request,), stdout=TOKEN.encode()).fired
    assert judged(Oracle("leak"), stdout=TOKEN.encode()).fired


def test_a_token_of_another_run_is_no_leak():
    assert not judged(Oracle("leak"), stdout=TOKEN[::-1].encode()).fired
    assert not judged(Oracle("leak"), stderr=TOKEN.encode()).fired
