# SPDX-License-Identifier: Apache-2.0
"""The oracle `request`: what fires, what does not, what is forged."""

from clearwell.proving.folder import Oracle
from clearwell.proving.sandbox import Received
from proving.oracles.observed import judged


def test_a_request_counts_by_port_and_path():
    request = Received(8098, b"GET /meta?x=1 HTTP/1.1\r\n\r\n")
    assert judged(Oracle("request", to="8098/meta"), requests=(request,)).fired
    assert judged(Oracle("request", to="8098/meta?x=1"), requests=(request,)).fired
    assert not judged(Oracle("request", to="8098/other"), requests=(request,)).fired
    assert not judged(Oracle("request", to="8097/meta"), requests=(request,)).fired


def test_bytes_that_are_no_request_ask_for_nothing():
    assert not judged(Oracle("request", to="8098/meta"), requests=(Received(8098, b"/meta\r\n\r\n"),), stdout=b"GET /meta HTTP/1.1").fired
