# SPDX-License-Identifier: Apache-2.0
"""The projection: what is private is left out wherever it stands and told without its words; code and documentation stay."""

import ast
import hashlib
import inspect
import itertools
import string

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearwell.clearinghouse.intake import minimization, private_words
from clearwell.clearinghouse.intake.minimization import LISTED, minimize, minimize_text, words_of
from clearwell.clearinghouse.intake.private_words import hits_in
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin, Quote
from clearwell.vocabulary.omission import MARKER, NUMBERS, omission_number, patterns_of
from clearwell.vocabulary.product import Product, parse_purl

BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
AWS = "AKIA" + "QYLPMN5HJKRT2345"

WORD = "a1B2c3D4e5F6g7H8i9J0" * 3
HEX = "0a1b2c3d4e5f6789" * 4
VENDORS = [
    "github_pat_" + WORD[:22] + "_" + WORD, "glrt-" + WORD[:20], "xapp-1-A0A1B2C3D4E-1234567890123-" + HEX, "ya29." + WORD,
    "GOCSPX-" + WORD[:28], "whsec_" + WORD[:32], "gsk_" + WORD[:52], "xai-" + WORD, "r8_" + WORD[:37], "SK" + HEX[:32], "key-" + HEX[:32],
    HEX[:32] + "-us12", "dop_v1_" + HEX, "shpat_" + HEX[:32], "123456789:AA" + WORD[:33], "M" + WORD[:23] + ".a1B2c3." + WORD[:38],
    "dapi" + HEX[:32], "lin_api_" + WORD[:40], "ntn_" + WORD[:46], "figd_" + WORD[:40], "glsa_" + WORD[:32] + "_0a1b2c3d",
    "NRAK-" + WORD[:27].upper(), "dckr_pat_" + WORD[:27], WORD[:14] + ".atlasv1." + WORD, "hvs." + WORD,
    "AGE-SECRET-KEY-1" + WORD[:58].upper(),
    "sq0csp-" + WORD[:43], "dp.pt." + WORD[:43], "PMAK-" + HEX[:24] + "-" + HEX[:34], "ATATT3xFfGF0" + WORD, "pat" + WORD[:14] + "." + HEX,
    "sntrys_" + WORD, "sbp_" + HEX[:40], "rubygems_" + HEX[:48], "pscale_tkn_" + WORD[:43], "tskey-auth-" + WORD[:40],
    "AKCp" + WORD + "a1B2c3",
    "squ_" + HEX[:40], "EAA" + WORD + "a1", "HRKU-" + WORD[:36],
]  # fmt: skip

LEFT_OUT = [
    ("write to jane.doe@hospital.org, please", "mail address", "jane.doe@hospital.org"),
    ("<j+tag@sub.uni-x.co.uk>", "mail address", "j+tag@sub.uni-x.co.uk"),
    ("a@b.io/c@d.io", "mail address", "c@d.io"),
    (f"key {AWS} leaked", "key", AWS),
    (f"token={GITHUB}", "token", GITHUB),
    (f"Authorization: Bearer {JWT}", "token", JWT),
    (f"found {BLOCK} in it", "key", BLOCK),
    ("-----BEGIN PRIVATE KEY-----\nMIIEpAIB", "key", "MIIEpAIB"),
    ('api_key = "9fK2lQz7Wb4TnX1vR8mD"', "token", "9fK2lQz7Wb4TnX1vR8mD"),
    ("client_secret: 4f3c2b1a0d9e8f7a6b5c4d3e2f1a0b9c", "token", "4f3c2b1a0d9e8f7a6b5c4d3e2f1a0b9c"),
    ("postgres://app:hunter2@db.internal/x", "password", "hunter2"),
    ("at /home/jdoe/src/pump/main.c:3", "name", "jdoe"),
    ("file:///Users/Maria/x", "name", "Maria"),
    ("C:" + r"\Users\m.mustermann\AppData", "name", "m.mustermann"),
    ("from 81.2.69.142 at noon", "network address", "81.2.69.142"),
    ("http://81.2.69.142:8080/", "network address", "81.2.69.142"),
    ("server 5.9.1.7 answered", "network address", "5.9.1.7"),
    ("peer 2a00:1450:4001:829::200e", "network address", "2a00:1450:4001:829::200e"),
    ("call +1 415 867 5309", "telephone number", "+1 415 867 5309"),
    ("call (415) 867-5309", "telephone number", "(415) 867-5309"),
    ("sent from 12 Elm Street, Springfield, IL 62704 today", "postal address", "12 Elm Street, Springfield, IL 62704"),
    ("?to=erika%40stadtwerk.de&x", "mail address", "erika"),
    ("müller@straßenamt.de wrote", "mail address", "müller"),
    *((f"found {token} in it", "token", token) for token in VENDORS),
    (f"https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/{WORD[:24]}", "token", WORD[:24]),
    (f"https://discord.com/api/webhooks/123456789012345678/{WORD}", "token", WORD),
    (f"https://x.blob.core.windows.net/c?sv=1&sig={WORD}%3D", "token", WORD),
    ("Cookie: PHPSESSID=5ktfjoki2zfc24mnxac61jsed6; lang=de", "token", "5ktfjoki2zfc24mnxac61jsed6"),
    ('password: "hunter2Summer!"', "password", "hunter2Summer!"),
    ("DB_PASSWORD=Tr0ub4dor&3", "password", "Tr0ub4dor&3"),
    ('<add key="pwd" value="Passw0rd!2024"/>', "password", "Passw0rd!2024"),
    ("curl -u admin:Sup3rGeheim https://x", "password", "Sup3rGeheim"),
    ("Private-Lines: 2\nAAAAgQCx\nZ9\nPrivate-MAC: 0a1b\n", "key", "AAAAgQCx"),
    ("/export/home/kwong/a and", "name", "kwong"),
    (r"\\fs01\users\ritab\x", "name", "ritab"),
    (r"c:\users\tbecker\x.cs", "name", "tbecker"),
    ("cc -I/home/bgatt/include", "name", "bgatt"),
    ("1 Infinite Loop, Cupertino, CA 95014", "postal address", "1 Infinite"),
    ("Am Markt 3, 04109 Leipzig", "postal address", "Am Markt 3"),
    ("call +33 1 42 68 53 00", "telephone number", "42 68"),
    ("crash in ~olaf/src/x.c", "name", "olaf"),
    ("call +49 228 1234567", "telephone number", "1234567"),
    ("phone: 415-867-5309", "telephone number", "867-5309"),
    ("Musterstraße 12, 53113 Bonn", "postal address", "Musterstraße 12"),
    ("10 Kings Street, London SW1A 2AA", "postal address", "10 Kings"),
    ("12 rue de la Mine, 75001 Paris", "postal address", "12 rue"),
    ("Kerkstraat 7, 1017 GA Amsterdam", "postal address", "Kerkstraat 7"),
    ("P.O. Box 442, Austin, TX 78701", "postal address", "Box 442"),
    ("742 Evergreen Terrace\nSpringfield, OR 97477", "postal address", "742 Evergreen"),
]

STAYS = """
spring-core@5.2.0.RELEASE and netty-codec@4.1.77.Final
ssh git@forge.example:x/y and user@host and minimist@1.2.5 and pkg:npm/@scope/name@1.0.0
someone@example.com, root@db.example.org, a@b.test
node_modules/.pnpm/chart@dist.js
memcpy@GLIBC_2.14 and x @ y.dot(z) and a@b.dot(c)
@Override public void f() {}
version 1.2.3.4 and v10.0.1.2 and foo-11.22.33.44.tar.gz and release 24.1.2.3
>=10.2.3.4,<20.0.0.1 and Chrome/96.0.46.45
OID 1.3.6.1.4.1.311 and 2.5.29.15
10.0.0.1 192.168.1.1 127.0.0.1 0.0.0.0 169.254.169.254 255.255.255.255
192.0.2.7 198.51.100.3 203.0.113.9 2001:db8::1 fe80::1 ::1
std::vector<a::b>::push_back at 12:30:45
/home/user/x /home/runner/work /home/${USER}/y $HOME/z https://site.example/home/jane
AKIAIOSFODNN7EXAMPLE
password = get_password(request.user2) and token = self.tokens[3] and key=settings.API_KEY_V2
auth_token = os.environ["TOKEN_1"] and secret_key: config.secret_key_base64
key: sha256WithRSAEncryption and Basic authentication is used
postgres://user:password@host/db and https://$USER:$TOKEN@host/
0x41414141 +1234 x+1 (415) +5
CVE-2021-44906 CWE-1321 GHSA-xvch-5gv4-984h
5 Street 99999 lines
firmware 21.4.3.2, CUDA 12.2.140.1, fixed in 48.2.7.1, upgrade to 91.0.16.1
/home/vsts/work/1/s /home/azureuser/x /home/oss-fuzz/x ~user/src
PublicKeyToken=31bf3856ad364e35 and public_key_token=b77a5c561934e089
npm_config_registry
java.lang.Object@6d06d69c and com.acme.Stone@1b6d3586.turn
the key: 0x7f12ab34cd56ef78
password: 'changeme' and pwd = "password1" and passwd=%PASSWORD1!% and curl -u $USER:$PASS https://x
x = ~mask/2 and HEAD~3/x and ~Stone()/2
lodash%404.17.21 and npm/%40scope/x%402.0.0
sl.append(x) and MNOabc.defghi.jkl and key-value-1 and hvs.x and sq_lookup_table_v2
PAGE 12, 10115 Lines
""".strip().splitlines()


def finding(message: str) -> Finding:
    return Finding(format="x", title="a title", message=message)


@pytest.mark.parametrize(("text", "kind", "word"), LEFT_OUT)
def test_what_is_private_is_left_out_and_told_without_its_words(text: str, kind: str, word: str) -> None:
    shown = minimize(finding(text))

    assert word not in shown.message
    assert kind in {omission.kind for omission in shown.left_out}
    for omission in shown.left_out:
        assert omission.field == "message"
        assert MARKER.match(shown.message, omission.start)
    assert word not in msgspec.json.encode(shown).decode()


@pytest.mark.parametrize("text", STAYS)
def test_code_versions_and_documentation_stay(text: str) -> None:
    assert [text[hit.start : hit.end] for hit in hits_in(text)] == []
    given_one = finding(text)
    assert minimize(given_one) is given_one


def test_every_field_in_which_people_write_is_looked_at() -> None:
    mail = "jane.doe@hospital.org"
    full = Finding(
        format="x", title=mail, message=mail, locations=(Location(f"/home/jdoe/{mail}", 1, mail),),
        crash=Crash(frames=(Frame("f", "/home/jdoe/a.c", 1, "/home/jdoe/b.so"),), call_sites=("/home/jdoe/b.so+0x1",)),
        origin=Origin(mail, "1", mail, mail), external_id=mail, preconditions=(mail,), remarks=(mail,),
        quotes=(Quote(mail, f"/home/jdoe/{mail}"),), rule=mail, aliases=(mail,), introduced=(mail,), affected=(mail,), references=(mail,),
        credits=(mail,), fingerprints=((mail, "/home/jdoe/a.c:12"),),
        product=Product(f"pkg:generic/home/jdoe/tool@{mail.replace('@', '%40')}"),
    )  # fmt: skip

    shown = minimize(full)

    text = msgspec.json.encode(shown).decode()
    assert mail not in text and "jdoe" not in text
    first = omission_number(private_words.VERSION, 0)
    assert [omission.number for omission in shown.left_out] == list(range(first, first + len(shown.left_out)))
    assert minimize(msgspec.structs.replace(shown, left_out=())) == msgspec.structs.replace(shown, left_out=())


def test_a_word_that_the_originator_calls_harmless_is_shown_again_and_keeps_its_number() -> None:
    raw = finding("from jane.doe@hospital.org to joe@hospital.org")
    first = minimize(raw)
    one, other = (omission.number for omission in first.left_out)
    assert (one, other) == (omission_number(private_words.VERSION, 0), omission_number(private_words.VERSION, 1))

    words = words_of(raw, {other})
    second = minimize(raw, words)

    assert words == {"joe@hospital.org"}
    assert second.message == "from [mail address left out] to joe@hospital.org"
    assert [(omission.number, omission.is_false) for omission in second.left_out] == [(one, False), (other, True)]


def test_what_is_left_out_is_listed_within_bounds_and_counted_beyond() -> None:
    shown = minimize(finding("a@b.io " * (LISTED + 50)))

    assert len(shown.left_out) == LISTED and shown.left_out[-1].more == 50
    assert "@" not in shown.message


PRODUCTS = [
    (parse_purl("pkg:generic/home/jdoe/tool@1.0"), parse_purl("pkg:generic/home/%5Bname%5D/tool@1.0")),
    (parse_purl("pkg:generic/tool@jane.doe%40hospital.org"), parse_purl("pkg:generic/tool@%5Bmail%20address%20left%20out%5D")),
    (
        Product(repository="C:/Users/jdoe/tool", commit="a" * 40, vendor="jane.doe@hospital.org", model="X"),
        Product(repository="C:/Users/[name]/tool", commit="a" * 40, vendor="[mail address left out]", model="X"),
    ),
]


@pytest.mark.parametrize(("product", "shown"), PRODUCTS)
def test_a_product_names_nobody_and_stays_one(product: Product, shown: Product) -> None:
    kept = minimize(Finding("x", "a title", product=product))

    assert kept.product == shown
    assert kept.product.component == shown.component
    assert [omission.field.partition(".")[0] for omission in kept.left_out] == ["product"] * len(kept.left_out) != []


def test_numbers_in_names_versions_and_hashes_are_versions() -> None:
    given_one = Finding(
        "x", "a title", product=parse_purl("pkg:generic/browser@91.77.4.12"), origin=Origin("tool", "81.2.69.142"),
        affected=("pkg:generic/browser: 91.77.4.11, 91.77.4.12",), fingerprints=(("of/v1", "81.2.69.142"),),
    )  # fmt: skip

    shown = minimize(given_one)

    assert shown == given_one


def test_a_problem_s_words_are_minimized_too() -> None:
    assert minimize_text("unknown key jane.doe@hospital.org") == "unknown key [mail address left out]"


PIECES = [text for text, _, _ in LEFT_OUT] + STAYS + list(string.punctuation) + ["@", "::", "eyJ", "/home/", "://", "\n", "é", "\u202e"]


@settings(max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6).map("".join))
@example("token=" + "=" * 40)
def test_a_projection_is_stable_and_its_hits_lie_apart(text: str) -> None:
    hits = hits_in(text)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
    assert all(one.end <= other.start for one, other in itertools.pairwise(hits))

    shown = minimize_text(text)

    behind = 0
    for hit in hits:
        assert text[behind : hit.start] in shown
        behind = hit.end
    assert minimize_text(text) == shown


HOSTILE = [
    "a.", "a@", "a@a.", "eyJ", "-----BEGIN PRIVATE KEY-----", "://a:", "key=", "token ", "1.1.1.1", "2000:", "+1 22 ", "1 Aa St ",
    "/home/a", "A1b2", "key=a1", "\\", "C:/Users/", "sk-", "(222) ",
    "~a/b", "curl -u ", "password=a1!", "password='a1", "Tel 22 ", "a%40b.", "Aring 1, 1234 A", "1 rue a ", "1 Aa Street, Aa ",
    "1.1.1.1 before ",
    "PO Box 1, A ", "Private-Lines: 1", "glrt-", "a1b2 sl.a", "M1a.", "?sig=", "/api/webhooks/",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_long_hostile_texts_are_answered(unit: str) -> None:
    """No pattern may look at a text more than a bounded number of times; one that did would take minutes here."""
    text = unit * (300_000 // len(unit))

    assert isinstance(hits_in(text), tuple)


def test_a_number_bears_the_version_of_its_patterns() -> None:
    assert [(patterns_of(number), number) for number in (omission_number(1, 0), omission_number(1, LISTED - 1), omission_number(3, 7))] == [
        (1, 0),
        (1, 199),
        (3, 2007),
    ]
    assert LISTED <= NUMBERS


MADE_BY = {1: "2e19d6d9a73f6fa0", 2: "47bd1329ccc63cf5", 3: "483164302334654e"}
"""Version of the patterns -> digest of the code that decides what is found and in which order it is counted."""


def test_who_changes_what_is_found_raises_the_version() -> None:
    """Fails after a change of the patterns or of the order of texts: raise `private_words.VERSION` and add its digest here."""
    decides = hashlib.sha256()
    for part in (private_words, minimization._texts, minimization._rewritten):
        tree = ast.parse(inspect.getsource(part))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                node.body = [line for line in node.body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
        decides.update(ast.unparse(tree).encode())

    assert MADE_BY[private_words.VERSION] == decides.hexdigest()[:16]
