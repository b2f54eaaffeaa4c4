# SPDX-License-Identifier: Apache-2.0
"""scrutineer's salted hash, as its interchange documentation defines it."""

import hashlib

from clearwell.clearinghouse.dedupe.claim_hash import hash_of, salt_mark
from clearwell.vocabulary.product import Product

EXPECTED = hashlib.sha256(b"s3cret\0https://github.com/acme/framer\0src/frame.c\0CWE-125,CWE-787").digest()


def test_repository_location_and_weaknesses_are_evened_out_as_documented() -> None:
    same = [
        (Product(repository="github.com/Acme/Framer"), "src/frame.c", ["CWE-787", "CWE-125"]),
        (Product(repository="github.com/acme/framer.git"), "SRC\\Frame.c:42", [" cwe-125 ", "CWE-787", "CWE-787", ""]),
        (Product(repository="github.com/acme/framer/"), "src/frame.c:10-20\nsrc/other.c:1", ["CWE-125", "CWE-787"]),
        (Product(purl="pkg:github/acme/framer@1.0"), "src/frame.c:42:7", ["CWE-787", "CWE-125"]),
    ]

    assert {hash_of("s3cret", *one) for one in same} == {EXPECTED}


def test_what_names_no_repository_or_file_has_no_hash() -> None:
    assert hash_of("s", Product(purl="pkg:pypi/framer@1.0"), "a.c", ["CWE-1"]) is None
    assert hash_of("s", Product(repository="github.com/a/b"), None, ["CWE-1"]) is None


def test_another_salt_makes_other_hashes_and_another_mark() -> None:
    assert hash_of("other", Product(repository="github.com/acme/framer"), "src/frame.c", ["CWE-125", "CWE-787"]) != EXPECTED
    assert salt_mark("s3cret") != salt_mark("other")
