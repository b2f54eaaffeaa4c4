# SPDX-License-Identifier: Apache-2.0
"""Two findings side by side: nothing either says is lost, and what is marked as common is common."""

from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.comparison import compare
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location
from clearwell.vocabulary.product import Product

LEFT = Finding(
    format="sarif",
    title="A length is not checked in read_frame",
    product=Product(purl="pkg:pypi/framer@1.2"),
    locations=(Location("src/frame.c", 41, "read_frame"),),
)
RIGHT = Finding(
    format="crash-log",
    title="Heap overflow in read_frame",
    product=Product(purl="pkg:pypi/framer@1.3"),
    crash=Crash(sanitizer="AddressSanitizer", type="Heap-buffer-overflow\nREAD 1", frames=(Frame("read_frame", "src/frame.c", 44),)),
)


def test_each_line_says_what_each_finding_says_and_marks_what_they_share() -> None:
    lines = {line.name: line for line in compare(LEFT, RIGHT)}

    assert lines["component"].is_equal and not lines["version"].is_equal
    assert [piece.text for piece in lines["title"].left.pieces if piece.is_common][-1] == " in read_frame"
    assert lines["place 1"].left.text == "read_frame in src/frame.c:41" and lines["place 1"].right.text == ""
    assert list(lines)[:4] == ["component", "version", "title", "place 1"]


def test_half_a_version_and_a_lone_space_are_nothing_in_common() -> None:
    left = Finding(format="x", title="Stored bytes, read", product=Product(purl="pkg:pypi/framer@3.1.2"))
    right = Finding(format="x", title="A name, unquoted", product=Product(purl="pkg:pypi/framer@3.1.3"))
    lines = {line.name: line for line in compare(left, right)}

    assert not any(piece.is_common for name in ("version", "title") for piece in lines[name].left.pieces)


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_lost_and_both_sides_mark_the_same_words(left: str, right: str) -> None:
    (line,) = compare(Finding(format="x", title=left or "-"), Finding(format="x", title=right or "-"))

    assert (line.left.text, line.right.text) == (left or "-", right or "-")
    common = ["".join(piece.text for piece in side.pieces if piece.is_common) for side in (line.left, line.right)]
    assert common[0] == common[1]


def test_a_huge_text_is_compared_in_part_and_shown_whole() -> None:
    left, right = "a b " * 50_000, "b a " * 50_000

    (_, line) = compare(Finding(format="x", title="t", message=left), Finding(format="x", title="t", message=right))

    assert line.left.text == left and line.right.text == right and not line.left.pieces[-1].is_common
