# SPDX-License-Identifier: Apache-2.0
"""Patches: applied strictly, never outside the tree."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.patches import apply, main
from clearwell.vocabulary.errors import Invalid

OLD = b"one\ntwo\nthree\nfour\nfive\n"
DIFF = b"""diff --git a/lib/x.c b/lib/x.c
--- a/lib/x.c
+++ b/lib/x.c
@@ -1,3 +1,3 @@
 one
-two
+TWO
 three
"""


def test_a_change_is_applied_with_and_without_the_leading_folder():
    assert apply(DIFF, {"lib/x.c": OLD}) == {"lib/x.c": OLD.replace(b"two", b"TWO")}
    assert apply(DIFF, {"a/lib/x.c": OLD}) == {"a/lib/x.c": OLD.replace(b"two", b"TWO")}


@pytest.mark.parametrize(
    "names", [(b"a/lib/x.c.orig", b"b/lib/x.c"), (b"old-1.0/lib/x.c~", b"new-1.0/lib/x.c"), (b"lib/x.c.orig", b"lib/x.c")]
)
def test_what_diff_compared_with_a_copy_aside_changes_the_file_itself(names: tuple[bytes, bytes]) -> None:
    diff = DIFF.replace(b"a/lib/x.c\n+++", names[0] + b"\n+++").replace(b"+++ b/lib/x.c", b"+++ " + names[1])

    assert apply(diff, {"lib/x.c": OLD}) == {"lib/x.c": OLD.replace(b"two", b"TWO")}


def test_a_hunk_that_moved_is_found():
    assert apply(DIFF, {"lib/x.c": b"new\n" * 40 + OLD}) == {"lib/x.c": b"new\n" * 40 + OLD.replace(b"two", b"TWO")}


def test_files_come_and_go():
    diff = b"--- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+hello\n--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n"
    assert apply(diff, {"old.c": b"bye\n"}) == {"new.c": b"hello\n", "old.c": None}


def test_a_missing_newline_at_the_end_is_kept():
    diff = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    assert apply(diff, {"x": b"a"}) == {"x": b"b"}


GIT = b"diff --git a/lib/x.c b/lib/x.c\n"


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        (DIFF.replace(b"-two", b"-tow"), "not there"),
        (DIFF.replace(b"lib/x.c", b"lib/y.c"), "does not have"),
        (DIFF.replace(b"a/lib/x.c", b"../../etc/passwd"), "outside"),
        (DIFF.replace(b"a/lib/x.c", b"/etc/passwd"), "outside"),
        (b"", "changes nothing"),
        (b"hello", "changes nothing"),
        (b"GIT binary patch\nliteral 3\n", "binary"),
        (GIT + b"new file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n", "links"),
        (GIT + b"new file mode 160000\n--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit 1234\n", "submodules"),
        (GIT + b"old mode 100644\nnew mode 120000\n" + DIFF, "links"),
        (GIT + b"similarity index 90%\nrename from lib/x.c\nrename to lib/y.c\n" + DIFF, "renames"),
        (DIFF[:-10], "middle of a hunk"),
        (DIFF.replace(b"@@ -1,3 +1,3 @@", b"@@ x @@"), "head of a hunk"),
        (b"--- /dev/null\n+++ b/lib/x.c\n@@ -0,0 +1 @@\n+x\n", "already exists"),
        (b"x" * (5 << 20), "larger than"),
    ],
    ids=lambda value: value if isinstance(value, str) else "patch",
)
def test_what_does_not_fit_is_refused_with_the_reason(diff, said):
    with pytest.raises(Invalid, match=said):
        apply(diff, {"lib/x.c": OLD})


def test_the_words_of_a_commit_are_no_rename():
    message = b"From 1234\nSubject: fix\n\nrename the buffer, and\ncopy the terminator too;\nnew file mode 120000 is nothing here\n---\n"
    assert apply(message + GIT + DIFF, {"lib/x.c": OLD}) == apply(DIFF, {"lib/x.c": OLD})


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"  c\n", b"d\r\n"]), max_size=30)


@given(LINES, LINES)
def test_what_difflib_writes_is_applied(old, new):
    diff = b"".join(difflib.diff_bytes(difflib.unified_diff, old, new, b"a/f", b"b/f"))
    if not diff:
        return
    result = apply(diff, {"f": b"".join(old)})["f"] if old else apply(diff, {"f": b""})["f"]
    assert (result or b"") == b"".join(new)


@given(st.binary(max_size=300))
def test_any_bytes_are_applied_or_refused(diff):
    try:
        apply(DIFF[:40] + diff, {"lib/x.c": OLD})
    except Invalid:
        return


ADDED = b"--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n"


@pytest.mark.parametrize(
    ("names", "lands"),
    [
        (["new.py"], ["third/pkg/new.py"]),  # no folder tells: the package's root
        (["lib/new.py"], ["third/pkg/lib/new.py"]),  # the folder is the package's
        (["docs/new.py"], ["docs/new.py"]),  # the folder is the archive's
        (["third/pkg/lib/new.py", "NEWS"], ["third/pkg/lib/new.py", "NEWS"]),  # a project diffs from its top
        (["fresh/new.py"], ["third/pkg/fresh/new.py"]),  # a new folder tells nothing
    ],
    ids=["bare", "package", "archive", "top", "fresh"],
)
def test_a_patch_that_only_adds_files_lands_where_its_folders_are(tmp_path, names, lands):
    tree, into = tmp_path / "tree", tmp_path / "into"
    for folder in ("third/pkg/lib", "docs"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "kept.py").write_bytes(b"kept\n")
    into.mkdir()
    patch = tmp_path / "patch"
    patch.write_bytes(b"".join(ADDED % name.encode() for name in names))
    assert main(str(tree), "third/pkg", str(patch), str(into)) == 0
    files = into / "files"
    assert sorted(p.relative_to(files).as_posix() for p in files.rglob("*") if p.is_file()) == sorted(lands)
