# SPDX-License-Identifier: Apache-2.0
"""The minimizer: less input, the same effect, and a folder that proves it."""

import pytest

from clearwell.proving.folder import Input, input_bytes
from clearwell.proving.minimize import class_of, minimize, replaced, shrink
from clearwell.proving.oracles import Effect
from clearwell.proving.writing import write_proof
from clearwell.vocabulary.errors import Conflict
from proving.lab import NOTES, wheel


def content(recipe: Input) -> bytes:
    return input_bytes(recipe, None)  # type: ignore[arg-type]  # no file is read


@pytest.mark.parametrize(
    ("given", "is_enough", "least"),
    [
        (b"one\ntwo BUG three\nfour\n", lambda data: b"BUG" in data, b"BUG"),
        (b"(((((x)))))", lambda data: data.count(b"(") >= 3, b"((("),
        (b"\x00\xffAB\x80", lambda data: b"\xff" in data and b"B" in data, b"\xffB"),
        (b"nothing can go", lambda data: data == b"nothing can go", b"nothing can go"),
    ],
)
def test_lines_then_bytes_are_left_out(given, is_enough, least):
    recipe = Input(hex=given.hex())
    assert content(shrink(recipe, given, lambda one: is_enough(content(one)))) == least


def test_parts_are_left_out_and_repeated_less_often():
    recipe = Input(parts=("noise", ("a|", 70_000), "more", ("-|", 70_000), "end"))
    found = shrink(recipe, b"", lambda one: content(one).count(b"a|") > 65_535 and content(one).count(b"-|") > 9)
    assert found == Input(parts=(("a|", 65_536), ("-|", 10)))


def test_parts_that_open_and_close_are_repeated_less_often_together():
    recipe = Input(parts=(("[", 100_000), "x", ("]", 100_000)))
    found = shrink(recipe, b"", lambda one: content(one).count(b"[") == content(one).count(b"]") > 1_200)
    assert found == Input(parts=(("[", 1_201), ("]", 1_201)))


def test_parts_that_grow_keep_growing():
    found = shrink(Input(parts=("xx1.2.3", (" ", "n"), "<1")), b"", lambda one: one.grows and "1" in str(one.parts))
    assert found.grows


def test_where_tries_run_out_the_smallest_so_far_is_kept():
    tried = []

    def holds(one: Input) -> bool:
        tried.append(one)
        return b"BUG" in content(one)

    found = shrink(Input(text="BUG" + "x" * 500), b"BUG" + b"x" * 500, holds)
    assert content(found) == b"BUG"
    assert len(tried) < 60


def test_markup_that_acts_is_not_made_a_plain_tag():
    acting = Effect(True, "output: <img>, img@onerror", markup=frozenset({"<img>", "img@onerror"}))
    plain = Effect(True, "output: <i>", markup=frozenset({"<i>"}))
    assert class_of(acting) != class_of(plain) == class_of(Effect(True, "output: <b>", markup=frozenset({"<b>"})))


def test_the_class_of_a_report_is_what_and_where_but_not_how_many_bytes():
    one = Effect(True, "heap-buffer-overflow WRITE 4 | copy < outer")
    other = Effect(True, "heap-buffer-overflow WRITE 1 | copy < other")
    elsewhere = Effect(True, "heap-buffer-overflow WRITE 4 | free_all")
    assert class_of(one) == class_of(other) != class_of(elsewhere)
    assert class_of(Effect(True, "file_write: a")) == class_of(Effect(True, "file_write: b"))


@pytest.mark.sandbox
def test_a_smaller_proof_is_written_and_proves_the_same(lab, tmp_path):
    # given
    proof = lab.read(
        lab.proof("notes", verb="html", text="some words\n<b onclick=f()>", oracle='kind = "output"\ncontext = "html"',
                  control='purl = "pkg:pypi/notes@1.1"', more='[[variant]]\nargs = ["script"]', files={"note.txt": "kept"})
    )  # fmt: skip
    registry = lab.registry()
    # when
    found = minimize(proof, lab.settings, runs=5, sandbox=lab.sandbox, registry=registry)
    registry.close()
    write_proof(replaced(proof, found.input), tmp_path / "small")
    # then
    again = lab.read(tmp_path / "small")
    assert found.after < found.before
    assert again.file == replaced(proof, found.input).file
    assert again.folder.files["note.txt"] == b"kept"
    with pytest.raises(Conflict, match="exists already"):
        write_proof(again, tmp_path / "small")


@pytest.mark.sandbox
def test_what_does_not_reproduce_is_not_made_smaller(lab):
    registry = lab.registry()
    proof = lab.read(lab.proof("notes", verb="html", text="plain", oracle='kind = "output"\ncontext = "html"'))
    with pytest.raises(Conflict, match="not_reproduced"):
        minimize(proof, lab.settings, runs=5, sandbox=lab.sandbox, registry=registry)
    registry.close()


@pytest.mark.sandbox
def test_an_input_on_which_the_control_fires_too_is_not_taken_for_a_smaller_proof(lab):
    # given a fix that stops long inputs, and a flaw that short ones show as well
    for version, check in (("5.0", "True"), ("5.1", "len(name) < 12")):
        code = NOTES.replace('if FIXED and (name.startswith("/") or ".." in name)', f"if not ({check})")
        lab.index.files |= dict([wheel("notes", version, {"notes.py": code})])
    control, oracle = 'purl = "pkg:pypi/notes@5.1"', 'kind = "file_write"'
    path = "/box/out/a_long_name"
    proof = lab.read(lab.proof("notes", verb="save", text=path, oracle=oracle, purl="pkg:pypi/notes@5.0", control=control))
    registry = lab.registry()
    found = minimize(proof, lab.settings, runs=60, sandbox=lab.sandbox, registry=registry)
    registry.close()
    assert found.after == 12
