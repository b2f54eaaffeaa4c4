# SPDX-License-Identifier: Apache-2.0
"""Inferred weaknesses: words and rules of many tools, each with its reason; prose that says nothing stays without one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.vocabulary.inference import WORDS, needed_words, weakness_from_words
from clearwell.vocabulary.tool_rules import TOOLS, weakness_from_rule


@pytest.mark.parametrize(
    ("text", "cwe"),
    [
        ("sift() reads two bytes past the end of its buffer", "CWE-125"), ("writes beyond the allocation", "CWE-787"),
        ("an off-by-one in name_copy", "CWE-193"), ("the node is used after it was freed", "CWE-416"), ("freed twice", "CWE-415"),
        ("attacker can execute arbitrary shell commands", "CWE-78"), ("NoSQL injection", "CWE-943"), ("ReDoS", "CWE-1333"),
        ("quadratic time in the parser", "CWE-407"), ("a zip bomb fills the disk", "CWE-409"), ("follows a symlink out of it", "CWE-59"),
        ("authentication bypass", "CWE-287"), ("TLS verification disabled", "CWE-295"), ("cpp/overrunning-write", "CWE-787"),
        ("js/incomplete-sanitization", "CWE-116"), ("py/full-ssrf", "CWE-918"),
        ("generic.secrets.security.detected-aws-access-key", "CWE-798"),
        ("python.lang.security.audit.subprocess-shell-true", "CWE-78"), ("HARD_CODE_PASSWORD", "CWE-798"),
        ("deeply nested input", "CWE-674"),
    ],
)  # fmt: skip
def test_words_of_people_tools_and_models_tell_a_weakness(text: str, cwe: str) -> None:
    found = weakness_from_words(text, "message")

    assert found is not None
    assert (found.id, found.source) == (cwe, "inferred")
    assert found.origin is not None and found.origin.startswith("message says '") and ": " in found.origin


@pytest.mark.parametrize(
    "text", ["unused import", "this function is too long", "missing docstring", "the process ends", "", "read the file"]
)
def test_words_that_say_nothing_stay_without_a_weakness(text: str) -> None:
    assert weakness_from_words(text, "message") is None


@pytest.mark.parametrize(
    ("tool", "rule", "cwe"),
    [
        ("Bandit", "B602", "CWE-78"), ("gosec", "G304", "CWE-22"), ("ESLint", "security/detect-child-process", "CWE-78"),
        ("eslint", "detect-unsafe-regex", "CWE-1333"), ("Cppcheck", "arrayIndexOutOfBounds", "CWE-788"),
        ("cppcheck", "nullPointer", "CWE-476"),
        ("clang", "core.NullDereference", "CWE-476"), ("Clang Static Analyzer", "cplusplus.NewDelete", "CWE-416"),
        ("GNU C11", "-Wanalyzer-double-free", "CWE-415"), ("PREfast", "C6386", "CWE-787"),
        ("Brakeman", "BRAKE0014/Command Injection", "CWE-78"),
        ("SpotBugs", "PREDICTABLE_RANDOM", "CWE-330"), ("golangci-lint", "gosec/G404", "CWE-338"), ("ShellCheck", "SC2115", "CWE-73"),
    ],
)  # fmt: skip
def test_a_known_rule_of_a_known_tool_tells_a_weakness_and_why(tool: str, rule: str, cwe: str) -> None:
    found = weakness_from_rule(tool, rule)

    assert found is not None
    assert (found.id, found.source) == (cwe, "inferred")
    assert found.origin is not None and rule in found.origin


def test_a_rule_of_another_tool_tells_nothing() -> None:
    assert weakness_from_rule("nightlight", "B602") is None
    assert weakness_from_rule("Bandit", "G304") is None


def test_every_line_of_the_tables_is_a_cwe_with_a_reason() -> None:
    rules = [found for _, _, table in TOOLS for found in table.values()]

    assert all(re.fullmatch(r"CWE-[1-9][0-9]{0,4}", cwe) and why for cwe, why in rules)
    assert all(re.fullmatch(r"CWE-[1-9][0-9]{0,4}", cwe) and why for _, cwe, why in WORDS)
    assert all(rule == rule.lower() for _, _, table in TOOLS for rule in table)


@given(st.lists(st.sampled_from(sorted({word for pattern, _, _ in WORDS for word in re.findall(r"[a-z]{2,}", pattern)})), max_size=12))
def test_looking_for_needed_words_first_changes_no_answer(words: list[str]) -> None:
    text = " ".join(words)
    first = next((cwe for pattern, cwe, _ in WORDS if re.search(rf"\b(?:{pattern})", text)), None)

    found = weakness_from_words(text, "x")

    assert (found.id if found else None) == first


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in WORDS])
def test_needed_words_stand_in_their_own_pattern(pattern: str) -> None:
    assert needed_words(pattern) and all(word in pattern for word in needed_words(pattern))
