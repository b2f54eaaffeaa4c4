# SPDX-License-Identifier: Apache-2.0
"""Signed notes and checkpoints: every byte counts, keys are spelled one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.ground.ledger.note import (
    Checkpoint,
    SigningKey,
    check_name,
    generate_key,
    parse_checkpoint,
    parse_note,
    parse_secret,
    parse_vkey,
    signers,
)
from clearwell.vocabulary.errors import Invalid

KEY = SigningKey("example.org/ledger", bytes(range(32)))
HEAD = Checkpoint("example.org/ledger", 7, b"\x07" * 32, ("an extension",))


def test_a_key_survives_its_spellings() -> None:
    key = generate_key("example.org/log")

    assert parse_vkey(str(key.vkey)) == key.vkey
    assert parse_secret(key.secret()).vkey == key.vkey


def test_a_signing_key_never_shows_itself() -> None:
    assert "PRIVATE" not in repr(KEY)
    with pytest.raises(Invalid) as caught:
        parse_secret(KEY.secret().replace("+", "-", 3))
    assert KEY.secret()[-20:] not in str(caught.value)


def test_a_signed_checkpoint_reads_back() -> None:
    note = parse_note(HEAD.signed(KEY))

    assert parse_checkpoint(note.text) == HEAD
    assert signers(note, [KEY.vkey]) == (KEY.vkey,)


def test_the_text_is_what_the_specification_draws() -> None:
    text, _, line = HEAD.signed(KEY).decode().partition("\n\n")

    assert text.split("\n") == ["example.org/ledger", "7", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "an extension"]
    assert line.startswith("— example.org/ledger ")
    assert line.endswith("=\n")


@given(st.integers(0, len(HEAD.signed(KEY)) - 1), st.integers(1, 255))
def test_no_byte_of_a_signed_note_can_change_unseen(position: int, flip: int) -> None:
    data = bytearray(HEAD.signed(KEY))
    data[position] ^= flip

    try:
        found = signers(parse_note(bytes(data)), [KEY.vkey])
    except Invalid:
        return

    assert found == ()


def test_signatures_of_unknown_keys_are_ignored_and_of_known_keys_must_verify() -> None:
    other = generate_key("example.net/witness")
    note = parse_note(HEAD.signed(other, KEY))
    forged = HEAD.signed(KEY).replace(b"\n7\n", b"\n8\n")

    assert signers(note, [KEY.vkey]) == (KEY.vkey,)
    assert signers(note, [generate_key(KEY.vkey.name).vkey]) == ()
    with pytest.raises(Invalid, match="changed"):
        signers(parse_note(forged), [KEY.vkey])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"origin\n7\n",
        b"origin\n07\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        b"origin\n-7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        b"origin\n99999999999999999999\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        b"origin\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n",
        b"origin\n7\nBwcH\n",
        b"origin\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        b"\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
    ],
)
def test_a_checkpoint_that_is_none_is_invalid(text: bytes) -> None:
    with pytest.raises(Invalid):
        parse_checkpoint(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_invalid(data: bytes) -> None:
    try:
        parse_note(data)
    except Invalid:
        return


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "x" * 256])
def test_a_key_name_is_visible_and_in_one_piece(name: str) -> None:
    with pytest.raises(Invalid):
        check_name(name)


@pytest.mark.parametrize("text", ["", "x", "a+b+c", "a+00000000+AQ==", str(KEY.vkey)[:-4], str(KEY.vkey).replace("example", "exbmple")])
def test_a_vkey_that_was_changed_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_vkey(text)
