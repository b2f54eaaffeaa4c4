# SPDX-License-Identifier: Apache-2.0
"""Proof and harness folders: what is read, and what is refused with a message that says what to do."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.proving.folder import Input, from_files, input_bytes, read_folder, read_proof
from clearwell.vocabulary.errors import Invalid, NotFound
from proving.lab import write_folder

HARNESS = """format = 1
version = 1
for = ["pkg:pypi/sample"]
command = ["python3", "{harness}/h.py"]
[servers]
8096 = { status = 302, location = "http://localhost:8097/x" }
[preconditions]
"*" = "always"
"risky" = "only when risky"
[[feature]]
input = { text = "x" }
output = "x"
"""
PROOF = """format = 1
title = "t"
weakness = "CWE-94"
harness = "sample"
input = { text = "x" }
[target]
purl = "pkg:pypi/sample@1.0"
[oracle]
kind = "command"
"""
FEATURE = '[[feature]]\ninput = { text = "" }\n'


@pytest.fixture
def read(tmp_path: Path):
    def read_one(proof: str = PROOF, harness: str = HARNESS, files: dict[str, str | bytes] | None = None):
        write_folder(tmp_path / "harnesses/sample", {"harness.toml": harness, "h.py": "print('x')"})
        folder = write_folder(tmp_path / "proof", {"proof.toml": proof, **(files or {})})
        return read_proof(folder, tmp_path / "harnesses")

    return read_one


def test_a_plain_proof_is_read(read):
    proof = read()
    assert proof.file.target.purl == "pkg:pypi/sample@1.0"
    assert proof.harness.assurance == "hub"
    assert proof.harness.preconditions_of(("risky",)) == ("always", "only when risky")
    assert proof.harness.preconditions_of(()) == ("always",)


WRONG_PROOFS = {
    "unknown field": PROOF + "[limits]\nruns = 3\n",
    "unknown field `command`": PROOF.replace('title = "t"', 'title = "t"\ncommand = ["x"]'),
    "format 2": PROOF.replace("format = 1", "format = 2"),
    "exactly one of file, text": PROOF.replace('{ text = "x" }', '{ text = "x", hex = "00" }'),
    "not hexadecimal": PROOF.replace('{ text = "x" }', '{ hex = "0g" }'),
    "no file": PROOF.replace('{ text = "x" }', '{ file = "missing" }'),
    "beneath its folder": PROOF.replace('{ text = "x" }', '{ file = "../../etc/passwd" }'),
    "does not lie beneath": PROOF.replace('{ text = "x" }', '{ file = "/etc/passwd" }'),
    "grows with": PROOF.replace('{ text = "x" }', '{ parts = [["x", "n"]] }'),
    "a number of times": PROOF.replace('{ text = "x" }', '{ parts = [["x", "m"]] }'),
    "64 MB": PROOF.replace('{ text = "x" }', '{ parts = [["x", 99999999999]] }'),
    "not a CWE": PROOF.replace("CWE-94", "bad"),
    "exact version": PROOF.replace("sample@1.0", "sample"),
    "package URL": PROOF.replace("pkg:pypi/sample@1.0", "sample"),
    "is for pkg:pypi/sample, not for": PROOF.replace("pkg:pypi/sample@1.0", "pkg:pypi/other@1.0"),
    "no such harness": PROOF.replace('harness = "sample"', 'harness = "other"'),
    "is not a name": PROOF.replace('harness = "sample"', 'harness = "../sample"'),
    "inside the proof": PROOF.replace('harness = "sample"', 'harness = "./a/../../x"'),
    "no such folder": PROOF.replace('harness = "sample"', 'harness = "./mine"'),
    "is not one of": PROOF.replace('"command"', '"magic"'),
    "is not a parameter of command": PROOF + 'access = "READ"\n',
    "needs class and functions": PROOF.replace('"command"', '"sanitizer"'),
    "needs context": PROOF.replace('"command"', '"output"'),
    "rising sizes": PROOF.replace('"command"', '"growth"\nsizes = [4, 2]\ncpu_seconds = 1'),
    'part repeated "n"': PROOF.replace('"command"', '"growth"\nsizes = [2, 4]\ncpu_seconds = 1'),
    "resource or an exception": PROOF.replace('"command"', '"exhaustion"'),
    "port of one of": PROOF.replace('"command"', '"leak"\nto = 8098'),
    "PORT/path": PROOF.replace('"command"', '"request"\nto = "x"'),
    "one genuine accepted": PROOF.replace('"command"', '"bypass"'),
    "exactly one of purl and patch": PROOF + "[control]\n",
    "only for the control": PROOF.replace('purl = "pkg:pypi/sample@1.0"', 'purl = "pkg:pypi/sample@1.0"\npatch = "p"'),
    "64 hexadecimal": PROOF.replace('purl = "pkg:pypi/sample@1.0"', 'purl = "pkg:pypi/sample@1.0"\nsha256 = "x"'),
    "args holds a NUL": PROOF.replace('title = "t"', 'title = "t"\nargs = ["a\\u0000b"]'),
    "args is more than": PROOF.replace('title = "t"', f'title = "t"\nargs = ["{"x" * 70_000}"]'),
    "args is more than 1,000 words": PROOF + f"[[variant]]\nargs = {['x'] * 1_001}\n",
    "proof.toml": "this is = not = toml",
    "nested too deeply": "x = " + "[" * 5000,
}


@pytest.mark.parametrize("said", WRONG_PROOFS)
def test_a_wrong_proof_is_refused_with_the_reason(read, said):
    with pytest.raises(Invalid, match=said):
        read(WRONG_PROOFS[said])


WRONG_HARNESSES = {
    "never a shell": HARNESS.replace('["python3", "{harness}/h.py"]', '["bash", "-c", "id"]'),
    "at least one": HARNESS.partition("[[feature]]")[0].replace("version = 1", "version = 1\nfeature = []"),
    "give the output": HARNESS.replace('output = "x"', ""),
    "must name an exact version": HARNESS.replace("version = 1", 'version = 1\nwith = ["pkg:pypi/six"]'),
    "names pkg:pypi/six twice": HARNESS.replace("version = 1", 'version = 1\nwith = ["pkg:pypi/six@1.16.0", "pkg:pypi/six@1.15.0"]'),
    "names pkg:pypi/sample twice": HARNESS.replace("version = 1", 'version = 1\nwith = ["pkg:pypi/sample@1.0"]'),
    "has no file 'b.sh'": HARNESS.replace("version = 1", 'version = 1\nbuild = "b.sh"'),
    "not a port": HARNESS.replace("8096 =", "80 ="),
    "HTTP status": HARNESS.replace("302", "9999"),
    "line break": HARNESS.replace("/x", r"/x\r\nSet-Cookie: a=b"),
    "cannot be used": HARNESS.replace("version = 1", 'version = 1\nenv = { "A=B" = "x" }'),
    "env holds a NUL": HARNESS.replace("version = 1", 'version = 1\nenv = { A = "\\u0000" }'),
    "command holds a NUL": HARNESS.replace("{harness}/h.py", "{harness}/h.py\\u0000"),
    "beneath the archive": HARNESS.replace("version = 1", 'version = 1\nroot = "../x"'),
    "names no package": HARNESS.replace('["pkg:pypi/sample"]', "[]"),
    "Invalid enum value": HARNESS.replace("version = 1", 'version = 1\nsanitizers = ["thread"]'),
}


@pytest.mark.parametrize("said", WRONG_HARNESSES)
def test_a_wrong_harness_is_refused_with_the_reason(read, said):
    with pytest.raises(Invalid, match=said):
        read(harness=WRONG_HARNESSES[said])


@pytest.mark.parametrize("make", ["symlink", "folder link", "fifo", "loop"])
def test_a_folder_with_a_link_or_special_file_is_refused(tmp_path, make):
    folder = write_folder(tmp_path / "proof", {"proof.toml": PROOF})
    match make:
        case "symlink":
            (folder / "input").symlink_to("/etc/passwd")
        case "folder link":
            (folder / "sub").symlink_to("/etc")
        case "fifo":
            os.mkfifo(folder / "input")
        case "loop":
            (folder / "loop").symlink_to(".")
    with pytest.raises(Invalid, match=r"link|special"):
        read_proof(folder, None)


def test_a_link_to_a_proof_folder_is_refused(tmp_path):
    write_folder(tmp_path / "proof", {"proof.toml": PROOF})
    (tmp_path / "link").symlink_to("proof")
    with pytest.raises(Invalid, match="link"):
        read_folder(tmp_path / "link")


def test_a_missing_folder_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        read_folder(tmp_path / "nothing")


def test_a_hub_harness_without_a_registry_says_how_to_name_one(tmp_path):
    folder = write_folder(tmp_path / "proof", {"proof.toml": PROOF})
    with pytest.raises(NotFound, match="--harnesses"):
        read_proof(folder, None)


def test_a_folder_of_too_much_is_refused_without_being_read(tmp_path):
    folder = write_folder(tmp_path / "proof", {"proof.toml": PROOF})
    with (folder / "big").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Invalid, match="too large"):
        read_folder(folder)


def test_parts_are_joined_in_order():
    recipe = Input(parts=("1.2.3", (" ", "n"), "<", ("ab", 2)))
    assert input_bytes(recipe, from_files({}), 3) == b"1.2.3   <abab"
    assert recipe.grows


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=20), max_size=5))
def test_names_from_a_report_never_leave_their_folder(files):
    try:
        folder = from_files(files)
    except Invalid:
        return
    for name in folder.files:
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert "\0" not in name


@given(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=9)), st.dictionaries(st.sampled_from("abc"), st.binary(max_size=9)))
def test_two_folders_have_one_hash_only_if_they_are_equal(one, other):
    assert (from_files(one).sha256 == from_files(other).sha256) == (one == other)


def test_what_is_written_for_the_box_can_be_read_by_everyone(tmp_path):
    from_files({"a/b/c": b"x"}).write(tmp_path / "box")
    assert (tmp_path / "box/a/b").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "box/a/b/c").stat().st_mode & 0o777 == 0o644
