# SPDX-License-Identifier: Apache-2.0
"""Ids: one spelling, sorted as the UUIDs they hold."""

import random
from functools import reduce
from operator import or_
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.ids import TAKES, mint, number_of, parse_id, spell, uuid7

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def value_of(text: str) -> int:
    number = 0
    for digit in text.partition("_")[2]:
        number = number * 32 + _DIGITS.index(digit)
    return number


@given(st.uuids())
def test_an_id_spells_its_uuid_in_crockfords_base_32(value: UUID) -> None:
    spelled = spell("case", value)

    assert value_of(spelled) == value.int
    assert parse_id("case", spelled) == spelled


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1), st.integers(0, 2**80 - 1))
def test_ids_sort_by_their_time(one: int, other: int, chance: int) -> None:
    first, second = spell("case", uuid7(one, chance)), spell("case", uuid7(other, chance))

    assert (first < second) == (one < other)
    assert uuid7(one, chance).version == 7


@given(st.integers(0, 2**48 - 1), st.lists(st.binary(min_size=TAKES, max_size=TAKES), max_size=5))
def test_minting_is_spelling_uuids_of_version_7(moment: int, chances: list[bytes]) -> None:
    made = mint("case", moment, b"".join(chances))
    values = [UUID(int=number_of(id)) for id in made]

    assert made == [spell("case", value) for value in values] and len(made) == len(chances)
    assert all((value.version, value.variant, value.int >> 80) == (7, RFC_4122, moment) for value in values)


def test_every_other_bit_of_an_id_is_chance() -> None:
    values = [number_of(id) for id in mint("case", 0, bytes(range(256)) * TAKES + random.Random(1).randbytes(4096 * TAKES))]
    varied = reduce(or_, (value ^ values[0] for value in values))

    assert varied == (2**80 - 1) ^ (0xF << 76) ^ (0b11 << 62)


@pytest.mark.parametrize(
    "text", ["", "case_", "case_0", "sub_" + "0" * 26, "case_" + "u" * 26, "case_" + "9" + "0" * 25, "case_" + "0" * 400]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_id("case", text)
