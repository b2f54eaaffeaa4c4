# SPDX-License-Identifier: Apache-2.0
"""What a hostile submitter tried on the readers, kept: each was slow, leaked, or stopped a whole report."""

import pytest

from clearwell.clearinghouse.dedupe.question import AskedCrash, AskedSignature, keys_of
from clearwell.clearinghouse.dedupe.signature import run_signatures
from clearwell.clearinghouse.intake.minimization import minimize
from clearwell.clearinghouse.validation.quotation import squeeze
from clearwell.formats import read
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin
from clearwell.vocabulary.product import Product

TOKEN = "ghp_" + "Ab1" * 12
JAVA = b'Exception in thread "main" java.lang.IllegalStateException: x\n\tat com.a.B.cc(B.java:%s)\n\tat com.a.B.dd(B.java:7)\n'


@pytest.mark.parametrize(
    "document",
    [
        b'From: a@b.org\nSubject: x\nContent-Type: text/plain; x="' + b"\\a" * 900 + b"\n\nhi",
        b"From: a@b.org\nSubject: x\n" + b"a" * 130_000 + b"\n\nhi",
        b"---\nformat: clearwell-report\nversion: 1\n---\n# t\n```" + b" " * 200_000 + b"`\n",
    ],
    ids=["a parameter of backslashes", "a header without a colon", "a fence of blanks"],
)
def test_a_document_made_to_be_slow_is_answered(document: bytes) -> None:
    """Each took minutes to forever; a run that hangs here is the failure."""
    try:
        read(document, "mail.eml")
    except ClearwellError as reason:
        assert str(reason)


@pytest.mark.parametrize("line", [b"99999999999999999999999", b"9" * 6_000, b"2147483648"])
def test_a_line_that_no_file_has_is_no_line_and_stops_nothing(line: bytes) -> None:
    findings = read(JAVA % line, "log.txt", Product(purl="pkg:maven/com.a/b@1")).findings

    assert len(run_signatures(findings)) == len(findings) == 1
    assert findings[0].crash is not None and all((frame.line or 0) < 2**31 for frame in findings[0].crash.frames)
    with pytest.raises(Invalid, match="line"):
        keys_of(AskedSignature("pkg:pypi/a@1", crash=AskedCrash("X", (Frame("f", "a.c", 2**70),))))


def test_people_and_keys_are_left_out_of_every_field_in_which_they_were_seen() -> None:
    frames = (Frame(f"f_{TOKEN}", "home/jdoe/src/a.c", 3),)
    finding = Finding(
        format="x",
        title="x" * 160 + " " + TOKEN[:20],
        locations=(Location("home/jdoe/src/a.c", 3), Location("C:/Users/jdoe/b.c", 4), Location("home/templates/page.html", 5)),
        crash=Crash(type="Panic", state=f"jane.doe@hospital.org {TOKEN}\n", frames=frames),
        origin=Origin(tool="t", tool_version=TOKEN, model="m", model_version=TOKEN),
    )

    shown = minimize(finding)

    assert "jdoe" not in repr(shown) and TOKEN not in repr(shown) and "hospital" not in repr(shown) and TOKEN[:20] not in shown.title
    assert shown.locations[2].file == "home/templates/page.html"


def test_source_made_to_be_slow_is_squeezed() -> None:
    assert squeeze('\\"' * 200_000, ".c", with_comments=False).text
