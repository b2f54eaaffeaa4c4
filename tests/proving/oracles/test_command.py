# SPDX-License-Identifier: Apache-2.0
"""The oracle `command`: what fires, what does not, what is forged."""

from clearwell.proving.folder import Oracle
from clearwell.proving.sandbox import Entry, Received
from proving.oracles.observed import TOKEN, judged


def test_a_command_needs_the_token_of_this_run():
    right = {"/box/out": (Entry("pwned", "file", 33, TOKEN.encode() + b"\n"),)}
    wrong = {"/box/out": (Entry("pwned", "file", 32, b"f" * 32), Entry("other", "file", 32, TOKEN.encode()))}
    assert judged(Oracle("command"), files=right).fired
    assert not judged(Oracle("command"), files=wrong).fired


def test_a_token_said_aloud_is_no_command():
    said = {"stdout": TOKEN.encode(), "stderr": TOKEN.encode(), "requests": (Received(80, TOKEN.encode()),)}
    linked = {"/box/out": (Entry("pwned", "link", 32, b""), Entry("pwned/x", "file", 32, TOKEN.encode()))}
    assert not judged(Oracle("command"), **said).fired
    assert not judged(Oracle("command"), files=linked).fired
