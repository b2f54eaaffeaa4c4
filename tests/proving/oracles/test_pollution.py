# SPDX-License-Identifier: Apache-2.0
"""The oracle `pollution`: what fires, what does not, what is forged."""

import pytest

from clearwell.proving.folder import Oracle
from proving.oracles.observed import judged


def test_the_word_on_descriptor_three_fires():
    assert judged(Oracle("pollution"), word="polluted").fired


@pytest.mark.parametrize("word", ["clean", None])
def test_another_word_or_none_does_not(word):
    assert not judged(Oracle("pollution"), word=word).fired


def test_the_word_on_stdout_or_stderr_is_forged():
    assert not judged(Oracle("pollution"), stdout=b"polluted", stderr=b"polluted").fired
    assert not judged(Oracle("pollution"), word="clean", stdout=b"polluted").fired
