# SPDX-License-Identifier: Apache-2.0
"""Documents of records: one, a list, a list under a key, lines; what stands whole before a break is kept, the rest is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.vocabulary import document
from clearwell.vocabulary.document import Reading
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.records import MAX_OBJECTS, has_keys, keys_of, mend, records

RECORDS = [{"id": "a", "n": {"id": 1}}, {"id": "b", "text": 'with "quotes" and } braces'}, {"id": "c"}]


def read(data: bytes, under: str | None = "vulns") -> tuple[list[tuple[str, str]], list[str]]:
    reading = Reading("x")
    found = [(position, json.loads(bytes(raw))["id"]) for position, raw in records(data, reading, under)]
    reading.leave_out("", "")
    return found, [problem.position for problem in reading.document().problems]


@pytest.mark.parametrize(
    ("data", "positions"),
    [
        (json.dumps(RECORDS[0]), [""]),
        (json.dumps(RECORDS), ["[0]", "[1]", "[2]"]),
        (json.dumps({"vulns": RECORDS}, indent=2), ["vulns[0]", "vulns[1]", "vulns[2]"]),
        ("\n\n".join(json.dumps(record) for record in RECORDS) + "\n", ["line 1", "line 3", "line 5"]),
    ],
)
def test_each_shape_gives_its_records_with_their_positions(data: str, positions: list[str]) -> None:
    found, problems = read(data.encode())

    assert [position for position, _ in found] == positions
    assert problems == []


@pytest.mark.parametrize("whole", [json.dumps(RECORDS), json.dumps({"vulns": RECORDS}), json.dumps({"vulns": RECORDS}, indent=1)])
def test_a_cut_document_keeps_what_stands_whole_and_names_the_break(whole: str) -> None:
    found, problems = read(whole[: whole.index('"c"')].encode())

    assert [identity for _, identity in found] == ["a", "b"]
    assert problems[0] == "" and problems[-1].endswith("[2]")


def test_a_broken_line_is_named_and_the_others_are_read() -> None:
    lines = [json.dumps(record) for record in RECORDS]

    found, problems = read("\n".join([lines[0], lines[1][:-2], lines[2]]).encode())

    assert [identity for _, identity in found] == ["a", "c"]
    assert problems == ["line 2"]


def test_a_broken_single_record_is_refused_with_the_reason() -> None:
    with pytest.raises(Invalid, match="ends early"):
        read(b'{"id": "a", ')


def test_a_dense_document_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(Invalid, match="split it"):
        read(b"[" + b"{}," * MAX_OBJECTS + b"{}]")


def test_an_object_cut_inside_its_list_is_mended() -> None:
    whole = json.dumps({"head": 1, "items": [{"id": 1}, {"id": 2}], "tail": 2}).encode()
    reading = Reading("x")

    assert mend(whole, "items", reading) == whole
    assert json.loads(mend(whole[: whole.index(b"2")], "items", reading)) == {"head": 1, "items": [{"id": 1}]}
    with pytest.raises(Invalid):
        mend(b'{"head": ', "items", reading)


def test_only_keys_of_the_outer_object_count() -> None:
    data = json.dumps({"a": {"inner": 1}, "b": 'the text "quoted": 1', "c": []}).encode()

    assert keys_of(data) == {"a", "b", "c"}
    assert keys_of(data[:-1]) == {"a", "b", "c"}
    assert keys_of(b"[" + data + b"," + data[:9]) == {"a", "b", "c"}
    assert not has_keys(data, "inner") and not has_keys(data, "quoted") and has_keys(data, "a", "c")


@given(st.binary(max_size=200), st.integers(0, 4))
def test_any_bytes_are_answered(data: bytes, kind: int) -> None:
    data = [b"", b"{", b"[", b'{"vulns":[', b'{"id":"'][kind] + data
    reading = Reading("x")
    try:
        list(records(data, reading, "vulns"))
        mend(data, "vulns", reading)
    except Invalid as reason:
        assert str(reason)
    assert isinstance(keys_of(data), frozenset)


@given(
    st.recursive(st.integers() | st.text(max_size=6), lambda inner: st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=12)
)
def test_keys_of_a_whole_and_of_a_cut_object_agree(value: object) -> None:
    data = json.dumps({"first": 1, **(value if isinstance(value, dict) else {})}).encode()

    assert keys_of(data[:-1] + b" ") <= keys_of(data)
    assert set(json.loads(data)) == keys_of(data)


def test_more_records_than_one_reading_takes_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_RECORDS", 2)

    found, problems = read(json.dumps(RECORDS).encode())

    assert [identity for _, identity in found] == ["a", "b"]
    assert problems == [""]
