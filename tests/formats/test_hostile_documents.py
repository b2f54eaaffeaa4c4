# SPDX-License-Identifier: Apache-2.0
"""Whatever the bytes are, reading answers: a document or a refusal in words, never a crash; sizes are bounded."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearwell.formats import read
from clearwell.formats.sarif import MAX_OBJECTS
from clearwell.vocabulary.document import MAX_DOCUMENT
from clearwell.vocabulary.errors import ClearwellError, Invalid

SAMPLES = sorted(path for path in (Path(__file__).parent / "samples").rglob("*") if path.is_file() and "golden" not in path.name)


def answers(data: bytes) -> bool:
    try:
        return isinstance(read(data, "x").findings, tuple)
    except ClearwellError as reason:
        return bool(str(reason))


@given(st.binary(max_size=400))
@example(b"\xff\xfe{\x00")
@example(b"{" * 5_000)
@example(b'{"runs":' * 200 + b'{"results":[')
@example(b'{"runs":[{"results":[{"message":{"text":"\\ud800"}}]}]}')
@example(b'{"format":"clearwell-report","version":1e400}')
@example(b'{"CrashSeverity":{},"Stacktrace":["#0  f (' + b"(" * 3_000 + b'"]}')
def test_any_bytes_are_answered(data: bytes) -> None:
    assert answers(data)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
@settings(max_examples=30)
@given(data=st.data())
def test_a_mutated_sample_is_answered(sample: Path, data: st.DataObject) -> None:
    whole = sample.read_bytes()
    kind = data.draw(st.sampled_from(["cut", "flip", "repeat", "nul", "utf-16"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "cut":
        changed = whole[:at]
    elif kind == "flip":
        changed = whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :]
    elif kind == "repeat":
        changed = whole[:at] + whole[at : at + 40] * data.draw(st.integers(2, 50)) + whole[at:]
    elif kind == "nul":
        changed = whole[:at] + b"\0" * data.draw(st.integers(1, 50)) + whole[at:]
    else:
        changed = whole.decode().encode("utf-16")[: at * 2]

    assert answers(changed)


def test_an_unknown_document_is_told_which_formats_were_tried_and_why_each_said_no() -> None:
    with pytest.raises(Invalid) as refusal:
        read(b"dear maintainer, there is a bug", "mail.txt")

    for name in ("sarif (", "clearwell-report (", "casrep (", "crash-log ("):
        assert name in str(refusal.value)


def test_a_document_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Invalid, match="split it"):
        read(b"a" * (MAX_DOCUMENT + 1), "x")


def test_a_dense_document_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(Invalid, match="split it"):
        read(b'{"runs":[{"results":[' + b"{}," * MAX_OBJECTS + b"{}]}]}", "x")


def test_a_single_line_of_many_megabytes_is_read_at_its_start() -> None:
    log = b"==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1 " + b"A" * 20_000_000

    crash = read(log, "x").findings[0].crash

    assert crash is not None
    assert crash.type == "Heap-use-after-free"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_windows_tools_write_is_read(encoding: str) -> None:
    data = '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"größe"}},"results":[{"message":{"text":"m"}}]}]}'.encode(encoding)

    assert read(data, "x").tool == "größe"


@pytest.mark.parametrize(
    ("sign", "word"), [(b"\x1f\x8b\x08\x00", "gzip"), (b"PK\x03\x04", "ZIP"), (b"BZh91AY", "bzip2"), (b"%PDF-1.7", "PDF")]
)
def test_a_packed_file_is_told_to_be_unpacked(sign: bytes, word: str) -> None:
    with pytest.raises(Invalid, match=f"{word}.*unpack"):
        read(sign + b"rest", "report.json")
