# SPDX-License-Identifier: Apache-2.0
"""The oracle `bypass`: what fires, what does not, what is forged."""

import pytest

from clearwell.proving.folder import Oracle
from proving.oracles.observed import judged


def test_the_word_on_descriptor_three_fires():
    assert judged(Oracle("bypass"), word="accepted").fired


@pytest.mark.parametrize("word", ["refused", None])
def test_another_word_or_none_does_not(word):
    assert not judged(Oracle("bypass"), word=word).fired


def test_the_word_on_stdout_or_stderr_is_forged():
    assert not judged(Oracle("bypass"), stdout=b"accepted", stderr=b"accepted").fired
    assert not judged(Oracle("bypass"), word="refused", stdout=b"accepted").fired
