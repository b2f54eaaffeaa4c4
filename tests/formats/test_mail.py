# SPDX-License-Identifier: Apache-2.0
"""E-mail: reports in attachments, in forwarded messages and in the text; prose without any is a finding; hostile MIME is bounded."""

import base64
import json
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import read
from clearwell.formats.mail import MAX_BYTES, why_not
from clearwell.formats.mail.mime import plain_text
from clearwell.vocabulary.document import Document
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.product import parse_target

SARIF = json.dumps(
    {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "grinder"}}, "results": [{"ruleId": "sqli", "message": {"text": "m"}}]}]}
).encode()
CRASH = (
    "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011 at pc 0x4f1a2b bp 0x7f sp 0x7e\n"
    "READ of size 4 at 0x602000000011 thread T0\n    #0 0x4f1a2a in sift src/sift.c:9:1\n    #1 0x4f1a2b in main src/main.c:3:1\n"
)


def message(text: str | None = "Hello, see src/a.c:12.", subject: str = "A flaw", **attached: bytes | EmailMessage) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Jo <jo@example.org>"
    made["Subject"] = subject
    if text is not None:
        made.set_content(text)
    for name, content in attached.items():
        if isinstance(content, EmailMessage):
            made.add_attachment(content)
        else:
            made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name.replace("_", "."))
    return made


def parsed(mail: EmailMessage | bytes) -> Document:
    return read(mail if isinstance(mail, bytes) else mail.as_bytes(), "x.eml")


def test_prose_is_one_finding_with_what_it_states() -> None:
    mail = message(
        "In pkg:pypi/mill@1.2 the sieve (CWE-787) fails, see src/a.c:12 and CVE-2026-90001.", "Re: [list] Fwd: Mill writes too far"
    )

    (finding,) = parsed(mail).findings

    assert (finding.title, finding.format) == ("Mill writes too far", "mail")
    assert finding.product == parse_target("pkg:pypi/mill@1.2")
    assert [(w.id, w.source, w.origin) for w in finding.weaknesses] == [("CWE-787", "stated", "text")]
    assert (finding.locations[0].file, finding.locations[0].line) == ("src/a.c", 12)
    assert finding.aliases == ("CVE-2026-90001",)


def test_attached_reports_of_any_format_are_the_findings_and_the_text_is_their_letter() -> None:
    document = parsed(message("For pkg:pypi/mill@1.2.", a_sarif=SARIF, log_txt=CRASH.encode(), poc_bin=b"\x00\x01"))

    assert [finding.format for finding in document.findings] == ["sarif", "crash-log"]
    assert {finding.product for finding in document.findings} == {parse_target("pkg:pypi/mill@1.2")}
    assert [finding.remarks for finding in document.findings] == [("attached: a.sarif",), ("attached: log.txt",)]
    assert {part.position for part in document.left_out} == {"part 4", "text"}


def test_a_report_in_the_text_itself_is_read() -> None:
    (finding,) = parsed(message(f"Hello,\n\n{CRASH}\nBye")).findings

    assert finding.crash is not None and finding.crash.state == "sift\n"


def test_a_forward_of_a_forward_is_read() -> None:
    inner = message("See the log.", "Sift reads too far", log_txt=CRASH.encode())
    outer = message("FYI", "Fwd: Fwd: it", fwd=message("FYI", "Fwd: it", fwd=inner))

    assert [finding.format for finding in parsed(outer).findings] == ["crash-log"]


def test_a_message_forwarded_in_the_text_gives_its_own_subject() -> None:
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: A\nSubject: Re: Sift reads too far\n\nIt does."

    assert parsed(message(text, "Fwd: please look")).findings[0].title == "Sift reads too far"


def test_a_broken_attachment_is_named_and_the_good_one_stays() -> None:
    document = parsed(message("x", a_sarif=SARIF, b_sarif=b'{"version": "1.0.0", "runs": [{"tool": {}, "results": []}]}'))

    assert len(document.findings) == 1
    assert [problem.position for problem in document.problems] == ["part 3"]


def test_an_mbox_of_several_messages_is_read_message_by_message() -> None:
    box = b"".join(b"From jo Thu Oct  8 09:12:00 2026\n" + message(subject=f"Flaw {n}").as_bytes() + b"\n\n" for n in range(3))

    assert [finding.title for finding in parsed(box).findings] == ["Flaw 0", "Flaw 1", "Flaw 2"]


def test_encoded_words_charsets_and_html_are_decoded() -> None:
    raw = (
        b"From: a@example.org\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?w7w=?=\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<style>x</style><p onclick=3D'x'>a &lt; b<br>gr=FC=DF</p><a href=3D'javascript:x'>t</a>"
    )

    (finding,) = parsed(raw).findings

    assert finding.title == "Grüßeü"
    assert finding.message == "a < b\ngrüß\nt"


def test_what_is_no_message_is_told_apart() -> None:
    for data in (b"Subject: alone\n\nx", b"hello\nFrom: x\n", b"From: a\nno header line\n\n", b"{}", b"==1==ERROR: AddressSanitizer: x"):
        assert why_not(data, "x") is not None


def test_attachments_nested_too_deep_are_left_out() -> None:
    mail = message("bottom", a_sarif=SARIF)
    for _ in range(7):
        mail = message("again", fwd=mail)

    document = parsed(mail)

    assert all(finding.format == "mail" for finding in document.findings)
    assert any("deep" in part.reason for part in document.left_out)


def test_a_part_of_a_part_is_named_by_its_way() -> None:
    inner = message("again", a_sarif=SARIF, notes_bin=b"zzz")

    document = parsed(message("outer", fwd=inner))

    assert "part 2.3" in {part.position for part in document.left_out}
    assert not any(": part" in str(part) for part in document.left_out)


def test_multiparts_nested_without_end_and_boundaries_without_number_are_bounded() -> None:
    head = b"From: a@example.org\nSubject: deep\n"
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(5_000))
    many = b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 200_000

    assert parsed(head + nested).problems
    assert parsed(head + many).problems
    with pytest.raises(Invalid, match="at most"):
        read(head + b"\n" + b"a" * MAX_BYTES, "x")


def test_html_that_never_closes_is_read_in_one_pass() -> None:
    assert plain_text("<style>" * 200_000) == ""
    assert plain_text("a" + "<" * 200_000).startswith("a<")


def test_unknown_charsets_and_broken_encodings_are_no_obstacle() -> None:
    for charset in ("punycode", "zip", "utf-7", "no-such", "idna", "unicode_escape"):
        raw = f"From: a@b\nSubject: s\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n".encode()
        assert parsed(raw + base64.b64encode(b"text") + b"*x").findings[0].message.startswith("text")


LINES = (
    "--b", "--b--", "Content-Type: multipart/mixed; boundary=b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "",
    "From: x@y", "Subject: =?utf-8?q?=?=", " folded", "x", "Content-Disposition: attachment; filename*=u'x'%ff",
)  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=25))
def test_any_order_of_mime_lines_is_answered(lines: list[str]) -> None:
    try:
        document = read("\n".join(["From: a@b", "Subject: s", *lines]).encode(), "x")
    except ClearwellError as reason:
        assert str(reason)
    else:
        assert document.format == "mail"


def test_lines_that_a_mail_program_broke_are_joined() -> None:
    head = b"From: a@example.org\nSubject: s\nContent-Type: text/plain; charset=utf-8; format=flowed\n\n"

    message = read(head + b"reaches \nweb/a.php:7 \nhere.\nNext.\n-- \nAda\n>> quoted \n>> on\n> less\n", "x", None).findings[0].message

    assert message == "reaches web/a.php:7 here.\nNext.\n-- \nAda\n>> quoted on\n> less"


def test_a_flowed_text_may_say_that_its_line_ends_are_none_of_its_blanks() -> None:
    head = b"From: a@example.org\nSubject: s\nContent-Type: text/plain; format=Flowed; DelSp=yes\n\n"

    assert read(head + b"aa \nbb\n", "x", None).findings[0].message == "aabb"


def test_a_text_signed_in_place_loses_its_armor() -> None:
    head = b"From: a@example.org\nSubject: s\n\n"
    body = b"Hi,\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- -----\nIn a.c:3\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n"

    assert read(head + body + b"-----END PGP SIGNATURE-----\nbye\n", "x", None).findings[0].message == "Hi,\n-----\nIn a.c:3\nbye"
    assert read(head + body, "x", None).findings[0].message == "Hi,\n-----\nIn a.c:3"


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Type: multipart/encrypted; boundary=e\n\n--e\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--e\n"
        b"Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\nhQ\n--e--\n",
        b"Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n",
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIA=\n",
    ],
)
def test_an_encrypted_message_is_no_finding_and_says_what_to_do(body: bytes) -> None:
    with pytest.raises(Invalid, match="encrypted"):
        read(b"From: a@example.org\nSubject: ...\n" + body, "x", None)
