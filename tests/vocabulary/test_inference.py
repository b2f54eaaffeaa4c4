# SPDX-License-Identifier: Apache-2.0
"""Inferred weaknesses: from words and from crashes, only where the table is sure."""

import re

import pytest

from clearwell.vocabulary.inference import CRASHES, WORDS, weakness_from_crash, weakness_from_words
from clearwell.vocabulary.weakness import parse_cwe


@pytest.mark.parametrize(
    ("words", "cwe"),
    [
        ("java.audit.cookie-missing-httponly", "CWE-1004"),
        ("cookie-missing-secure-flag", "CWE-614"),
        ("py/reflective-xss", "CWE-79"),
        ("UseAfterFree", "CWE-416"),
        ("hardcoded-password-string", "CWE-798"),
        ("Detected subprocess call with shell=True", "CWE-78"),
    ],
)
def test_a_tools_words_name_a_weakness(words: str, cwe: str) -> None:
    found = weakness_from_words(words, "rule id")

    assert found is not None
    assert (found.id, found.source) == (cwe, "inferred")


@pytest.mark.parametrize("words", ["unused-import", "line-too-long", "sqlite3 is imported", "missing docstring", ""])
def test_words_that_name_no_weakness_give_none(words: str) -> None:
    assert weakness_from_words(words, "rule id") is None


@pytest.mark.parametrize(
    ("kind", "access", "cwe"),
    [
        ("Heap-buffer-overflow\nWRITE 4", "WRITE", "CWE-787"),
        ("Heap-buffer-overflow\nREAD 4", "READ", "CWE-125"),
        ("Kernel failure\nSlab-use-after-free\nREAD 8", "READ", "CWE-416"),
        ("UNKNOWN READ", "READ", None),
        ("Abrt", None, None),
    ],
)
def test_a_crash_names_a_weakness_only_where_its_class_does(kind: str, access: str | None, cwe: str | None) -> None:
    found = weakness_from_crash(kind, access)

    assert (found.id if found else None) == cwe


def test_every_line_of_the_tables_is_sound() -> None:
    for pattern, cwe, why in WORDS:
        assert re.compile(pattern) and parse_cwe(cwe) == cwe and why
    for prefix, _, cwe, why in CRASHES:
        assert prefix == prefix.lower() and parse_cwe(cwe) == cwe and why
