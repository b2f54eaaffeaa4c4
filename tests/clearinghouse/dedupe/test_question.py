# SPDX-License-Identifier: Apache-2.0
"""Questions stand for the very signatures that findings get, and too little is no question."""

import msgspec
import pytest

from clearwell.clearinghouse.dedupe.decide import usable
from clearwell.clearinghouse.dedupe.question import AskedCrash, AskedSignature, keys_of
from clearwell.clearinghouse.dedupe.signature import signatures
from clearwell.faces.cli.known import question_of
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin, ProofFiles
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.weakness import Weakness

PURL = "pkg:pypi/framer@1.2"
FRAMES = (Frame("read_frame", "frame.c", 4), Frame("next_frame", "frame.c", 9), Frame("serve", "serve.c", 70))
CRASH = Finding(
    format="crash-log",
    title="boom",
    product=Product(purl=PURL),
    crash=Crash(
        sanitizer="AddressSanitizer",
        type="Heap-buffer-overflow\nREAD 1",
        access="READ",
        state="read_frame\nnext_frame\nserve\n",
        frames=FRAMES,
    ),
)
PLACE = Finding(
    format="sarif",
    title="a finding",
    message="in words of its own, and longer than eighty characters so that the report would have a signature by itself",
    product=Product(purl=PURL),
    weaknesses=(Weakness("CWE-787"),),
    locations=(Location("src/frame.c", 41, "read_frame"),),
)
PRINT = Finding(
    format="sarif",
    title="a finding",
    product=Product(purl=PURL),
    origin=Origin(tool="scout"),
    rule="bounds",
    fingerprints=(("primary/v1", "0123456789abcdef0123456789abcdef"),),
    locations=(Location("src/frame.c", 41),),
)
SEVERAL = msgspec.structs.replace(PLACE, weaknesses=(Weakness("CWE-20"), Weakness("CWE-89")))
PROOF = Finding(format="clearwell-report", title="proof", product=Product(purl=PURL), proof=ProofFiles({"proof.toml": b"format = 1"}))


@pytest.mark.parametrize(
    "finding", [CRASH, PLACE, SEVERAL, PRINT, PROOF], ids=["crash", "place", "several weaknesses", "fingerprint", "proof"]
)
def test_a_question_has_keys_that_the_finding_itself_would_be_stored_under(finding: Finding) -> None:
    asked = question_of(finding)

    assert asked is not None
    keys = {signature.key for signature in keys_of(asked)}
    assert keys and keys <= {signature.key for signature in usable(signatures(finding))}


def test_a_question_holds_no_words_of_the_report() -> None:
    asked = question_of(PLACE)

    assert "words of its own" not in repr(asked)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (AskedSignature(PURL, file="a.c", function="f"), "alone are no signature"),
        (AskedSignature(PURL, file="a.c"), "alone are no signature"),
        (AskedSignature(PURL), "alone are no signature"),
        (AskedSignature(PURL, weakness="CWE-787"), "this is no signature"),
        (AskedSignature(PURL, file="a.c", weakness="CWE-787"), "this is no signature"),
        (AskedSignature(PURL, crash=AskedCrash("Heap-buffer-overflow", (Frame(None),))), "this is no signature"),
        (AskedSignature(PURL, fingerprints=(("a", "0123456789abcdef01234567"),)), "belongs to a tool"),
        (AskedSignature(PURL, proof_sha256="xyz"), "64 hexadecimal"),
        (AskedSignature(PURL, file="a" * 2000, function="f", weakness="CWE-1"), "at most 1200"),
        (AskedSignature(PURL, crash=AskedCrash("X", FRAMES * 9)), "at most 16"),
        (AskedSignature("ujson", file="a.c", function="f", weakness="CWE-787"), "a target is"),
    ],
)
def test_what_is_no_signature_is_refused_with_the_reason(asked: AskedSignature, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        keys_of(asked)
