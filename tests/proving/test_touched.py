# SPDX-License-Identifier: Apache-2.0
"""What a patch touches: flagged from its text, and nothing flagged that a right patch needs."""

import difflib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.patches import parse
from clearwell.proving.touched import Secrets, flags_of, is_idle, is_test

OLD = {
    "lib/x.c": b"int used(int a)\n{\n    return a;\n}\n\nstatic int helper(const char *name, int size)\n{\n    return size;\n}\n",
    "tests/check.c": b"int main(void)\n{\n    return used(1) != 1;\n}\n",
    "Makefile": b"all:\n\tcc x.c\n",
}
SECRET = Secrets((b"a secret input of the proof",), ("8096",), (b"ordinary words",), frozenset({"drive.c"}))


def flagged(name: str, new: bytes | None, secrets: Secrets = SECRET) -> set[str]:
    old = OLD.get(name, b"")
    lines = [content.splitlines(keepends=True) for content in (old, new or b"")]
    to = b"b/" + name.encode() if new is not None else b"/dev/null"
    diff = b"".join(difflib.diff_bytes(difflib.unified_diff, *lines, b"a/" + name.encode() if old else b"/dev/null", to))
    before = {name: old} if old else {}
    return {flag.kind for flag in flags_of(parse(diff), secrets, before, {name: new} if new is not None else {})}


def changed(line: str) -> bytes:
    return OLD["lib/x.c"].replace(b"    return a;", line.encode())


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('    if (strcmp(p, "a secret input of the proof") == 0) return 0;', "bytes_of_the_proof"),
        (r'    if (memcmp(p, "a secret \x69nput of", 17) == 0) return 0;', "bytes_of_the_proof"),
        ("    char t[] = {0x61, 32, 's', 0x65, 'c', 'r', 'e', 't', ' ', 'i', 'n', 'p', 'u', 't'};", "bytes_of_the_proof"),
        ("    if (size == 27) return 0;", "bytes_of_the_proof"),
        (f'    if (same(d, "{hashlib.sha256(b"a secret input of the proof").hexdigest()}")) return 0;', "bytes_of_the_proof"),
        ('    if (access("/box/secret/canary.txt", 0) == 0) return 0;', "names_the_box"),
        ("    if (port == 8096) return 0;", "names_a_canary_port"),
        ("    __asan_default_options();", "names_the_sanitizer"),
        ("#ifdef __SANITIZE_ADDRESS__", "names_the_sanitizer"),
        ("#if __has_feature(address_sanitizer)", "names_the_sanitizer"),
        ("    __attribute__((no_address_safety_analysis))", "names_the_sanitizer"),
        ("    if (size > 26 && size < 28) return 0;", "bytes_of_the_proof"),
        ("    if 27 <= len(p) <= 27: return", "bytes_of_the_proof"),
        ('    if (getenv("X")) return 0;', "asks_where_it_runs"),
        ("    if len(sys.argv) > 1: return", "asks_where_it_runs"),
        ("    if (process.argv[1]) return", "asks_where_it_runs"),
        ("    if (size > 9) exit(0);", "ends_the_process"),
        ("    process.exit(0)", "ends_the_process"),
        ('    __attribute__((no_sanitize("address")))', "names_the_sanitizer"),
    ],
)
def test_what_a_patch_has_no_reason_to_know_is_flagged(line, kind):
    assert flagged("lib/x.c", changed(line)) == {kind}


@pytest.mark.parametrize(
    "line",
    [
        "    if (a > 27) return 0;",
        '    if (strcmp(p, "secret") == 0) return 0;',
        '    if (strcmp(p, "ordinary words") == 0) return 0;',
        "    if (port == 18096) return 0;",
        "    char t[] = {1, 2, 3, 4, 5};",
    ],
)
def test_what_a_right_patch_may_say_is_not_flagged(line):
    assert flagged("lib/x.c", changed(line)) == set()


def test_a_new_file_that_python_would_take_for_one_of_its_own_is_flagged():
    assert (
        flagged("json.py", b"loads = None\n")
        == flagged("sitecustomize.py", b"x = 1\n") | flagged("json/__init__.py", b"\n")
        == {"shadows_the_runtime"}
    )
    assert flagged("package/json.py", b"loads = None\n") == set()


def test_tests_that_change_build_files_harnesses_and_what_is_deleted_are_flagged():
    assert flagged("tests/check.c", OLD["tests/check.c"].replace(b"!= 1", b"!= 2")) == {"tests"}
    assert flagged("tests/check.c", OLD["tests/check.c"] + b"/* more */\n") == set()
    assert flagged("Makefile", b"all:\n\tcc -w x.c\n") == {"build_files"}
    assert flagged("fuzz/target.c", b"int x;\n") == {"harness"}
    assert flagged("src/drive.c", b"int x;\n") == {"harness"}
    assert flagged("lib/x.c", OLD["lib/x.c"].partition(b"static")[0]) == {"deleted_function"}
    assert flagged("lib/x.c", None) == {"deleted_file", "deleted_function"}
    assert flagged("lib/x.c", OLD["lib/x.c"].replace(b"    return size;", b"    return size > 0 ? size : 0;")) == set()


def test_a_test_is_told_by_its_place_or_name():
    assert all(map(is_test, ("tests/a.c", "src/__tests__/x.js", "test_a.py", "lib/a_test.go", "x.spec.ts", "conftest.py", "test.js")))
    assert not any(map(is_test, ("src/a.c", "latest.py", "contest/x.c", "attest.js", "testimony.py")))


def test_blanks_and_comments_alone_are_nothing_but_a_comment_in_a_text_is_no_comment():
    old = OLD["lib/x.c"]
    assert is_idle({"lib/x.c": old}, {"lib/x.c": b"/* why */\n" + old.replace(b"return a;", b"return  a; // kept")})
    assert not is_idle({"lib/x.c": old}, {"lib/x.c": changed("    return a + 1;")})
    assert not is_idle({"a.c": b'x("// a");'}, {"a.c": b'x("// b");'})
    assert is_idle({"a.py": b"x = 1\n"}, {"a.py": b"x = 1  # one\n\n"})
    assert not is_idle({"a.py": b"if a:\n  b\nc\n"}, {"a.py": b"if a:\n  b\n  c\n"})


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), min_size=1, max_size=20))
def test_any_lines_are_read_without_a_fault(lines):
    content = b"".join(line + b"\n" for line in lines)
    diff = b"--- /dev/null\n+++ b/n.c\n@@ -0,0 +1,%d @@\n" % len(lines) + b"".join(b"+" + line + b"\n" for line in lines)
    flags_of(parse(diff), SECRET, {}, {"n.c": content})
    assert is_idle({"n.c": content}, {"n.c": content})
