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
        ("A zip-slip flaw in the importer could lead to code execution", "CWE-22"),
        ("Allows remote attackers to execute arbitrary code via a use-after-free", "CWE-416"),
        ("The plugin allows SQL injection", "CWE-89"),
        ("Uncontrolled format string", "CWE-134"),
        ("memory leak in parse", "CWE-401"),
        ("The volume is not encrypted", "CWE-311"),
        ("Redis over an unencrypted connection", "CWE-319"),
        ("X-XSS-Protection is switched off", "CWE-693"),
    ],
)
def test_a_tools_words_name_a_weakness(words: str, cwe: str) -> None:
    found = weakness_from_words(words, "rule id")

    assert found is not None
    assert (found.id, found.source) == (cwe, "inferred")


@pytest.mark.parametrize("words", ["unused-import", "line-too-long", "sqlite3 is imported", "missing docstring", "",
    "an unauthenticated remote attacker sends a request", "%s in format string needs a char pointer", "This gets data of the session",
    "private keys leaked by the build", "scanf needs another argument type", "insecure-template-usage",
])  # fmt: skip
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


LABELLED = [
    # what a report might say, and the family of the weakness that its author would give
    ("Heap buffer overflow in decode_row when the width is negative", "memory"),
    ("An out-of-bounds read in the TIFF reader discloses memory", "memory"),
    ("lib/ring.c writes one byte past the end of the buffer, which may allow code execution", "memory"),
    ("The connection object is used after it was freed, causing a denial of service", "lifetime"),
    ("Double free on the error path of open_archive", "lifetime"),
    ("A crafted header makes the parser dereference a null pointer", "null"),
    ("Null pointer dereference in session_close leads to a crash", "null"),
    ("Integer overflow when computing the size of the image", "integer"),
    ("Division by zero if the sample rate is 0", "divide"),
    ("Path traversal in the upload handler allows reading arbitrary files", "path"),
    ("Directory traversal via the name parameter, resulting in remote code execution", "path"),
    ("OS command injection through the hostname field", "command"),
    ("User input reaches subprocess with shell=True", "command"),
    ("eval use on the filter expression", "code"),
    ("Untrusted data is unpickled; attackers could execute arbitrary commands", "deserialization"),
    ("SQL injection in the order-by clause, which could lead to information disclosure", "sql"),
    ("Reflected XSS on the search page", "markup"),
    ("Stored cross-site scripting allows stealing sessions", "markup"),
    ("XML external entities are resolved", "xml-entity"),
    ("Server-side request forgery through the avatar address", "request"),
    ("Open redirect in the login page", "redirect"),
    ("Missing CSRF token check", "csrf"),
    ("TLS certificate validation is switched off", "certificate"),
    ("DES is used for the session cookie", "cipher"),
    ("Passwords are hashed with MD5", "hash"),
    ("Session ids come from an insecure random generator", "random"),
    ("Hardcoded password for the admin account", "credentials"),
    ("Regular expression denial of service in the date parser", "complexity"),
    ("Prototype pollution in merge() may lead to cross-site scripting", "pollution"),
    ("The signature of the token is not verified: missing signature check", "signature"),
    ("Request smuggling because of a lenient chunk parser", "header"),
    ("LDAP injection in the user filter", "ldap"),
    ("A crafted file makes the loader loop: infinite loop", "exhaustion"),
    ("Deeply nested input makes the parser recurse until the stack is used up: uncontrolled recursion", "recursion"),
    ("Type confusion between String and Buffer", "type"),
    ("Race condition between the check and the use of the file", "race"),
    ("The page loads slowly", None),
    ("An unauthenticated attacker may call the service", None),
    ("The application crashes", None),
    ("Unused variable in the signature of the method", None),
    ("The documentation of the format is outdated", None),
    ("Users may be confused by the message", None),
]


def test_what_is_inferred_is_right_and_nothing_is_inferred_from_words_about_nothing() -> None:
    """Of 42 sentences of our own: a wrong weakness is worse than none, so every inference must be right; most flaws must be told."""
    told = {words: found.family for words, _ in LABELLED if (found := weakness_from_words(words, "message")) is not None}
    wrong = {words: (family, right) for words, right in LABELLED if (family := told.get(words)) not in (None, right)}
    flaws = [words for words, right in LABELLED if right is not None]

    assert wrong == {}
    assert len([words for words in flaws if words in told]) >= 0.9 * len(flaws)
