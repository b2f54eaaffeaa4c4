# SPDX-License-Identifier: Apache-2.0
"""What a browser would make of output."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.markup import leaves_script, risky_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", set()),
        ("a < b > c", set()),
        ("<b>x</b>", {"<b>"}),
        ("<a x onmouseover=alert(1) y='1'>", {"<a>", "a@onmouseover"}),
        ('<a  x/onmouseover=alert(1)//="1">', {"<a>", "a@onmouseover"}),
        ("<a title='onclick=1'>", {"<a>"}),
        ('<a title="x"onclick=1>', {"<a>", "a@onclick"}),
        ("<a title=x&quot;onclick=1>", {"<a>"}),
        ("<A OnClick = 1>", {"<a>", "a@onclick"}),
        ("<a href='java\nscript:alert(1)'>", {"<a>", "a@href=script"}),
        ("<a href=/javascript:x>", {"<a>"}),
        ("<iframe srcdoc='x'>", {"<iframe>", "iframe@srcdoc=script"}),
        ("<!-- <img onerror=1> -->", set()),
        ("<!--> <img onerror=1> -->", {"<img>", "img@onerror"}),
        ("<!-- --!> <i>", {"<i>"}),
        ("<a onclick&#x3D;alert(1)>", {"<a>"}),  # a reference in a name is no equals sign
        ("<a onclick&#61;x=1>", {"<a>"}),
        ("<a onclick>", {"<a>"}),  # nothing to run
        ("<a onclick=' '>", {"<a>"}),
        ("<a href='&#106;ava&Tab;script&colon;alert(1)'>", {"<a>", "a@href=script"}),
        ("<a href='&amp;#106;avascript:alert(1)'>", {"<a>"}),
        ("<a href=x href=javascript:alert(1)>", {"<a>"}),  # the first of two counts
        ("<a href=javascript:alert(1) href=x>", {"<a>", "a@href=script"}),
        ("<textarea><img onerror=1></textarea><i>", {"<textarea>", "<i>"}),
        ("<title></titles><b></title><i>", {"<title>", "<i>"}),
        ("<script>'<b>'</script><i>", {"<script>", "<i>"}),
        ("</b onclick=1>", set()),
        ("<b onclick=1", set()),  # a tag that never ends is dropped
        ("<?xml <b>", set()),
        ("&lt;b&gt;", set()),
        ("<svg/onload=alert(1)>", {"<svg>", "svg@onload"}),
        ("<b onclic\u212a=alert(1)>", {"<b>"}),  # the Kelvin sign is no k: names are compared in ASCII
        ("<title>\u0130\u0130\u0130\u0130</title><b>", {"<title>", "<b>"}),  # a sign whose small letter is two moves no place
    ],
)
def test_tags_and_handlers_are_those_of_the_standard(text, parts):
    assert risky_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ('"x"', False),
        ("</script><b>", True),
        ("</SCRIPT >", True),
        ("</scripts>", False),
        ("<\\/script>", False),
        ("/[</script\t]/", True),
        ("<!-- </script> -->", True),
        ("<!-- <script> </script> -->", False),
        ("<!-- <script> </script> </script>", True),
        ("<!-- <script> --> </script>", True),
    ],
)
def test_leaving_a_script_element_follows_the_standard(text, leaves):
    assert leaves_script(text) == leaves


@given(st.text(alphabet="<>/!-='\" abonscript\n", max_size=60))
def test_any_text_is_read(text):
    risky_parts(text)
    leaves_script(text)


@pytest.mark.parametrize(
    "piece", ["<a ", "<a x", "<!--", "<script>", "</", "<a '", "<title>", "<!-- <script>", "=", "<a href=java\n", "<!--x-->", "<!--x--!>"]
)
def test_reading_takes_time_in_proportion(piece):
    started = time.process_time()
    risky_parts(piece * (600_000 // len(piece)))
    leaves_script(piece * (600_000 // len(piece)))
    assert time.process_time() - started < 3
