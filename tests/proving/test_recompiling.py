# SPDX-License-Identifier: Apache-2.0
"""A patched build takes the unpatched one's objects: only those whose source, headers and arguments are the same, whatever times say."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearwell.proving import recompiling
from clearwell.proving.archives import Registry
from clearwell.proving.environments import Environment, Workshop
from clearwell.proving.folder import Proof, read_proof
from clearwell.proving.recompiling import Order, to_compile, understood

A = '#include "n.h"\nint a(void) { return N; }\n'
B = "int b(void) { return 2; }\n"
H = "#define N 1\n"
SOURCES = {"a.c": A, "b.c": B, "include/n.h": H}
MAIN = '#include <stdio.h>\nint a(void); int b(void);\nint main(void) { printf("%d %d\\n", a(), b()); return 0; }\n'

LOOP = 'for f in a b; do $CC $CFLAGS -I"$SRC/include" -c "$SRC/$f.c" -o "$f.o"; done\n$CC $CFLAGS /box/harness/h.c a.o b.o -o "$OUT/h"\n'
ONE_LINE = '$CC $CFLAGS -I"$SRC/include" "$SRC/a.c" "$SRC/b.c" /box/harness/h.c -o "$OUT/h"\n'
# Of the rules of this Makefile none knows the header; the copy keeps its times, so that make itself sees nothing newer.
MAKE = 'cp -a "$SRC" work\ncd work\nmake\n$CC $CFLAGS /box/harness/h.c a.o b.o -o "$OUT/h"\n'
MAKEFILE = "all: a.o b.o\n%.o: %.c\n\t$(CC) $(CFLAGS) -Iinclude -c $< -o $@\n"
CMAKE = 'cmake -S "$SRC" -B work -DCMAKE_BUILD_TYPE=None\ncmake --build work\n'
CMAKE += '$CC $CFLAGS /box/harness/h.c work/libab.a -o "$OUT/h"\nrm -rf work\n'
CMAKELISTS = "cmake_minimum_required(VERSION 3.10)\nproject(ab C)\nadd_library(ab STATIC a.c b.c)\ninclude_directories(include)\n"

RECIPES = {"loop": LOOP, "one line": ONE_LINE, "make": MAKE, "cmake": CMAKE}
PATCHES = {
    "a source": "--- a/b.c\n+++ b/b.c\n@@ -1,1 +1,1 @@\n-int b(void) { return 2; }\n+int b(void) { return 3; }\n",
    "a header": "--- a/include/n.h\n+++ b/include/n.h\n@@ -1,1 +1,1 @@\n-#define N 1\n+#define N 7\n",
    "a new header before the old one": "--- /dev/null\n+++ b/ab-1/n.h\n@@ -0,0 +1,1 @@\n+#define N 8\n",
}
PRINTED = {"a source": "1 3", "a header": "7 2", "a new header before the old one": "8 2"}

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler here")


class Yard:
    """Builds one small library by a recipe, with and without a patch."""

    def __init__(self, place: Path, sandbox) -> None:
        self.place, self.sandbox = place, sandbox
        self.registry = Registry(place / "cache", offline=True)

    def proof(self, recipe: str, build: str) -> Proof:
        harness, proof = self.place / "harnesses" / "ab", self.place / "proof"
        for folder in (harness, proof):
            folder.mkdir(parents=True, exist_ok=True)
        (harness / "harness.toml").write_text(
            'format = 1\nversion = 1\nfor = ["pkg:generic/ab"]\narchive = "file"\nbuild = "build.sh"\nsanitizers = ["address"]\n'
            'command = ["{build}/h"]\n[[feature]]\ninput = { text = "x" }\noutput = "1 2"\n'
        )
        (harness / "build.sh").write_text(build)
        (harness / "h.c").write_text(MAIN)
        with tarfile.open(proof / "ab-1.tar.gz", "w:gz") as archive:
            for name, text in {**SOURCES, "Makefile": MAKEFILE, "CMakeLists.txt": CMAKELISTS}.items():
                info = tarfile.TarInfo(f"ab-1/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        (proof / "proof.toml").write_text(
            'format = 1\ntitle = "t"\nweakness = "CWE-1"\nharness = "ab"\ninput = { text = "x" }\n[target]\n'
            'purl = "pkg:generic/ab@1"\narchive = "file"\nroot = "ab-1"\n[oracle]\nkind = "command"\n'
        )
        return read_proof(proof, self.place / "harnesses")

    def build(self, proof: Proof, control, name: str) -> Environment:
        """Build in a private folder of this name, with the objects that are kept there."""
        private = self.place / name
        if not private.exists():
            private.mkdir()
            proof.harness.folder.write(private / "harness")
        workshop = Workshop(self.registry, self.sandbox, private)
        workshop.cache = private
        return workshop.environment(proof, control, private / "harness")


@pytest.fixture
def yard(tmp_path, sandbox) -> Iterator[Yard]:
    opened = Yard(tmp_path, sandbox)
    yield opened
    opened.registry.close()


def _printed(environment: Environment) -> str:
    assert environment.build is not None
    return subprocess.run([environment.build / "h"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.sandbox
@pytest.mark.parametrize("patch", PATCHES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_patched_build_from_kept_objects_is_the_full_build_to_the_byte(yard, recipe, patch):
    if recipe in {"make", "cmake"} and shutil.which(recipe) is None:
        pytest.skip(f"not installed: {recipe}")
    proof = yard.proof(recipe, RECIPES[recipe])
    # given a build of the unpatched source in one place, and none in the other
    assert _printed(yard.build(proof, proof.file.target, "one")) == "1 2"
    # when the patched source is built in both
    from_objects = yard.build(proof, PATCHES[patch].encode(), "one")
    full = yard.build(proof, PATCHES[patch].encode(), "two")
    # then they are the same, hash by hash
    assert _printed(from_objects) == PRINTED[patch]
    assert from_objects.evidence == full.evidence


@pytest.mark.sandbox
@pytest.mark.parametrize("recipe", ["loop", "one line", "make"])
def test_what_a_patch_leaves_alone_is_not_compiled_again(yard, recipe):
    if recipe == "make" and shutil.which("make") is None:
        pytest.skip("not installed: make")
    proof = yard.proof(recipe, RECIPES[recipe])
    target = yard.build(proof, proof.file.target, "one")
    # given kept objects of which that of a.c is exchanged for one that says another number
    objects = target.build.with_suffix(".objects")
    other = yard.place / "other.c"
    other.write_text("int a(void) { return 99; }\n")
    subprocess.run(["gcc", "-g", "-O1", "-fsanitize=address", "-c", other, "-o", other.with_suffix(".o")], check=True)
    exchanged = [file for file in objects.iterdir() if b"a.c" in file.read_bytes() and b"h.c" not in file.read_bytes()]
    assert len(exchanged) == 1
    exchanged[0].write_bytes(other.with_suffix(".o").read_bytes())
    # when b.c alone is patched, then the object of a.c is the kept one, and that of b.c is new
    assert _printed(yard.build(proof, PATCHES["a source"].encode(), "one")) == "99 3"
    # and a patch to what a.c includes does not take it
    assert _printed(yard.build(proof, PATCHES["a header"].encode(), "one")) == "7 2"


@pytest.mark.sandbox
def test_objects_are_no_part_of_a_build_and_a_patched_build_leaves_none(yard):
    proof = yard.proof("loop", LOOP)
    target = yard.build(proof, proof.file.target, "one")
    patched = yard.build(proof, PATCHES["a source"].encode(), "one")
    assert sorted(path.name for path in target.build.iterdir()) == ["a.o", "b.o", "h"]
    assert target.build.with_suffix(".objects").is_dir()
    assert not patched.build.with_suffix(".objects").exists()


@pytest.mark.sandbox
def test_a_patch_that_does_not_compile_fails_with_the_compiler_s_own_words(yard):
    proof = yard.proof("loop", LOOP)
    yard.build(proof, proof.file.target, "one")
    patch = PATCHES["a source"].replace("return 3;", "return three;")
    with pytest.raises(Exception, match="three"):
        yard.build(proof, patch.encode(), "one")


@pytest.mark.parametrize(
    "words",
    [
        ["-E", "a.c", "-o", "a.i"], ["-c", "a.S", "-o", "a.o"], ["-c", "a.c"], ["--version"], ["-c", "-x", "c", "a", "-o", "a.o"],
        ["-c", "a.c", "-o", "a.o", "-MD"], ["-c", "a.c", "-o", "a.o", "-fprofile-arcs"], ["-c", "a.c", "-o", "a.o", "-g3"],
        ["@words"], ["-c", "a.c", "b.c", "-o", "a.o"], ["a.o", "b.o", "-o", "h"], ["-c", "a.c", "-o", "a.o", "-include-pch", "x"],
        ["-c", "a.c", "-o", "a.o", "-Wp,-MD,a.d"], ["-c", "a.c", "-o", "a.o", "-Wa,-a=list"], ["-c", "a.c", "-o"],
        ["-wrapper", "x", "-c", "a.c", "-o", "a.o"],
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_to_the_compiler(words):
    assert understood(words) is None


def test_a_call_is_read_into_sources_and_words():
    words = ["-O1", "-I", "x.c", "a.c", "b.o", "-lm", "c.c", "-o", "h", "-Wl,-z,now"]
    order = understood(words)
    assert order == Order(("-O1", "-I", "x.c", "b.o", "-lm", "-Wl,-z,now"), ((3, "a.c"), (5, "c.c")), "h", False)
    assert to_compile(order.words) == ["-O1", "-I", "x.c"]
    depends = ["-c", "a.c", "-MD", "-MT", "a.o", "-MF", "a.d", "-o", "a.o"]
    read = understood(depends)
    assert read is not None
    assert to_compile(read.words) == ["-MD", "-MT", "a.o", "-MF", "a.d"]


def test_every_compiler_that_a_recipe_may_name_is_one_of_ours():
    assert {"gcc", "g++"} <= set(recompiling.COMPILERS)
    assert recompiling.STORED.startswith("/box/build/.")
