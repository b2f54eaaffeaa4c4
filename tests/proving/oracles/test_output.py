# SPDX-License-Identifier: Apache-2.0
"""The oracle `output`: what fires, what does not, what is forged."""

import pytest

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles import Asked, judge
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Result
from proving.oracles.observed import TOKEN, judged


def test_markup_that_is_new_is_told_with_the_effect():
    effect = judged(Oracle("output", context="html"), stdout=b"<style></style><img onerror=x>")
    assert effect.markup == {"<style>", "<img>", "img@onerror"}


@pytest.mark.parametrize(
    ("context", "stdout", "fires"),
    [
        ("html", b"<p>x</p><img src=x onerror=f()>", True),
        ("html", b'<a href=" java\tscript:f()">x</a>', True),
        ("html", b"&lt;img src=x onerror=f()&gt;", False),
        ("html", b"<!-- <img onerror=f()> -->", False),
        ("html", b"onerror=f() <script", False),  # never closed: a browser drops it
        ("script", b'"</script><b>"', True),
        ("script", b'"<\\/script>"', False),
        ("script", b'"<script>"', False),
    ],
)
def test_only_what_a_browser_takes_as_markup_counts(context, stdout, fires):
    assert judged(Oracle("output", context=context), stdout=stdout).fired == fires


def test_markup_that_a_feature_prints_too_is_ordinary():
    seen = Observation(Result(0, None, b"<p>x</p><b onclick=f()>", b"", b"", 0.1, 0.1, None, False, {}, (), {}), TOKEN, None, ())
    ordinary = frozenset({"<p>", "<b>", "b@onclick"})
    assert not judge(Asked(Oracle("output", context="html"), (), ordinary), seen).fired
    assert judge(Asked(Oracle("output", context="html"), (), ordinary - {"b@onclick"}), seen).fired
