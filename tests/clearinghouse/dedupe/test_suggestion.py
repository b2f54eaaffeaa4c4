# SPDX-License-Identifier: Apache-2.0
"""The index's nouns: few tokens whatever a report says, postings that stop growing, the hub's index finding what all tokens find."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.sketch import Sketch, number_of, sketch
from clearwell.clearinghouse.dedupe.suggestion import MOST_POSTINGS, Place, Posting, candidates, copies_of, indexed, place_of
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Quote
from clearwell.vocabulary.ids import CaseId
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.weakness import Weakness

MOST_TOKENS = 43
WORDS = st.text(max_size=400)
FINDINGS = st.builds(
    Finding,
    format=st.just("x"),
    title=WORDS,
    message=st.text(max_size=3_000),
    product=st.none() | st.builds(Product, repository=st.just("https://example.org/a")),
    weaknesses=st.lists(st.sampled_from([Weakness("CWE-787"), Weakness("CWE-89"), Weakness("CWE-79"), Weakness("CWE-22")])).map(tuple),
    locations=st.lists(st.builds(Location, file=WORDS, line=st.integers(1, 10**6), function=WORDS), max_size=30).map(tuple),
    crash=st.none()
    | st.builds(
        Crash,
        type=WORDS,
        state=st.text(max_size=1_000),
        frames=st.lists(st.builds(Frame, function=WORDS, file=WORDS), max_size=50).map(tuple),
    ),
    introduced=st.lists(WORDS, max_size=30).map(tuple),
    quotes=st.lists(st.builds(Quote, text=st.text(max_size=2_000)), max_size=5).map(tuple),
)


@given(FINDINGS)
def test_whatever_a_report_says_it_takes_few_places_of_64_bits_in_the_index(finding: Finding) -> None:
    entry = indexed(sketch(finding, [quote.text for quote in finding.quotes]))

    assert 1 <= len(entry.numbers) <= MOST_TOKENS and len(entry.copies) <= 3
    assert all(-(2**63) <= number < 2**63 for number in (*entry.numbers, *entry.copies))


def test_a_token_of_one_component_is_not_that_of_another_and_a_copy_s_is_of_none() -> None:
    place = {"files": ("src/inflate.c",), "functions": ("inflate",), "weaknesses": (Weakness("CWE-787"),)}
    one, other = (Sketch(component=name, **place) for name in ("a", "b"))  # type: ignore[arg-type]

    assert not set(indexed(one).numbers) & set(indexed(other).numbers)
    assert copies_of(one) == copies_of(other) != ()
    assert copies_of(msgspec.structs.replace(one, files=("third_party/inflate.c",))) == copies_of(one)
    assert number_of("x", "a") != number_of("x", "b") != number_of("x")


def test_a_posting_that_holds_too_many_counts_on_and_names_nobody() -> None:
    posting = Posting()
    for number in range(MOST_POSTINGS):
        posting = posting.add([number])
    assert posting.seen == len(posting.numbers) == MOST_POSTINGS

    posting = posting.add([MOST_POSTINGS]).add([7])

    assert posting == Posting(MOST_POSTINGS + 2, ())


def test_who_shares_the_rarest_comes_first_and_nobody_finds_itself() -> None:
    common, rare = Sketch("c", functions=("main",), files=("a.c",)), Sketch("c", functions=("main", "inflate"), files=("b.c",))
    entries = [indexed(common)] * 6 + [indexed(rare), indexed(rare)]
    postings: dict[int, Posting] = {}
    for number, entry in enumerate(entries):
        for token in entry.numbers:
            postings[token] = postings.get(token, Posting()).add([number])

    found = candidates(7, entries[7], postings)

    assert found[0] == 6 and 7 not in found


def test_a_place_in_the_queue_is_read_as_it_is_written() -> None:
    place = Place(0.0625, CaseId("case_01jd0000000000000000000000"), CaseId("case_01jd0000000000000000000001"))
    assert place_of(str(place)) == place

    for wrong in (
        "",
        "0.5",
        "0.5~case_x~case_y",
        f"nan~{place.one}~{place.other}",
        f"2.0~{place.one}~{place.other}",
        f"{place}~x",
        "9" * 500,
    ):
        with pytest.raises(Invalid):
            place_of(wrong)
