# SPDX-License-Identifier: Apache-2.0
"""Each kind of environment builds in the box and carries a proof: CMake, autotools, Meson, Java, Go, Rust, native code of npm."""

import shutil
from pathlib import Path

import pytest

from clearwell.proving.environments import Workshop
from proving.lab import NAME_C, NAME_RUN_C, sdist

H = "#include <stddef.h>\nchar *cname_copy(const char *, size_t);\nint cname_scale(int);\n"
C = {"name.c": NAME_C, "name.h": H}
LINK = '$CC $CFLAGS -I"$SRC" /box/harness/h.c {} -o "$OUT/h"\n'

CMAKE = C | {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(name C)\nadd_library(name STATIC name.c)\n"}
CMAKE_BUILD = 'cmake -S "$SRC" -B work -DCMAKE_BUILD_TYPE=None\ncmake --build work\n' + LINK.format("work/libname.a")

AUTOTOOLS = C | {
    "configure.ac": "AC_INIT([name], [1.0])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_PROG_RANLIB\nAM_PROG_AR\n"
    "AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n",
    "Makefile.am": "noinst_LIBRARIES = libname.a\nlibname_a_SOURCES = name.c name.h\n",
}
AUTOTOOLS_BUILD = 'cp -r "$SRC" work\ncd work\nautoreconf -fi\n./configure\nmake\n' + LINK.format("libname.a")

MESON = C | {"meson.build": "project('name', 'c')\nstatic_library('name', 'name.c')\n"}
MESON_BUILD = 'meson setup --buildtype=plain work "$SRC"\nninja -C work\n' + LINK.format("-Lwork -lname")

SANITIZER = 'kind = "sanitizer"\nclass = "heap-buffer-overflow"\naccess = "WRITE"\nfunctions = ["cname_copy"]'

JAVA = {
    "Nest.java": """package sample;
public class Nest {
  public static int depth(String text, int at) { return at < text.length() && text.charAt(at) == '[' ? depth(text, at + 1) + 1 : 0; }
}
"""
}
JAVA_RUN = """public class Run {
  public static void main(String[] words) throws Exception {
    System.out.println(sample.Nest.depth(new String(System.in.readAllBytes()), 0));
  }
}
"""

GO = {
    "save.go": """package main
import ("fmt"; "io"; "os")
func main() {
  name, _ := io.ReadAll(os.Stdin)
  if err := os.WriteFile("/box/root/" + string(name), []byte("note"), 0o644); err != nil { fmt.Println("refused"); return }
  fmt.Println("saved")
}
"""
}

RUST = {
    "nest.rs": """use std::io::Read;
fn depth(text: &[u8]) -> usize { if text.first() == Some(&b'[') { 1 + depth(&text[1..]) } else { 0 } }
fn main() { let mut text = Vec::new(); std::io::stdin().read_to_end(&mut text).unwrap(); println!("{}", depth(&text)); }
"""
}

ADDON = {
    "package.json": '{"name": "namer", "version": "1.0.0", "main": "m.js"}',
    "m.js": "module.exports = require('/box/build/addon.node')\n",
    "addon.c": """#include <node_api.h>
#include <stdlib.h>
static napi_value copy(napi_env env, napi_callback_info info) {
  size_t count = 1, size = 0, i;
  napi_value given, answer;
  char text[256], *kept = malloc(8);
  napi_get_cb_info(env, info, &count, &given, NULL, NULL);
  napi_get_value_string_utf8(env, given, text, sizeof text, &size);
  for (i = 0; i < size; i++) kept[i] = text[i];
  napi_create_string_utf8(env, kept, size, &answer);
  free(kept);
  return answer;
}
NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "copy", NAPI_AUTO_LENGTH, copy, NULL, &function);
  napi_set_named_property(env, exports, "copy", function);
  return exports;
}
""",
}
ADDON_RUN = "console.log(require('namer').copy(require('fs').readFileSync(0, 'utf8')))\n"


def harness(command: str, more: str, feature: str, output: str) -> str:
    return f"""format = 1
version = 1
for = ["pkg:generic/name", "pkg:npm/namer"]
archive = "file"
build = "build.sh"
command = {command}
stdin = true
{more}
[[feature]]
input = {{ text = "{feature}" }}
output = "{output}"
"""


C_HARNESS = harness('["{build}/h"]', 'sanitizers = ["address"]', "ann", "ann")
CASES = {
    # tools that must be there; source; harness; what build.sh says; the harness's program; the oracle; the input
    "cmake": (["cmake"], CMAKE, C_HARNESS, CMAKE_BUILD, ("h.c", NAME_RUN_C), SANITIZER, 'text = "elevenchars"'),
    "autotools": (["autoreconf"], AUTOTOOLS, C_HARNESS, AUTOTOOLS_BUILD, ("h.c", NAME_RUN_C), SANITIZER, 'text = "elevenchars"'),
    "meson": (["meson", "ninja"], MESON, C_HARNESS, MESON_BUILD, ("h.c", NAME_RUN_C), SANITIZER, 'text = "elevenchars"'),
    "java": (
        ["javac", "java"], JAVA, harness('["java", "-XX:+UseSerialGC", "-Xss512k", "-cp", "{build}", "Run"]', "", "[[", "2"),
        'javac -d "$OUT" "$SRC/Nest.java" /box/harness/Run.java\n', ("Run.java", JAVA_RUN),
        'kind = "exhaustion"\nresource = "stack"', 'parts = [["[", 200000]]',
    ),
    "go": (
        ["go"], GO, harness('["{build}/save"]', "", "a", "saved"),
        'GO111MODULE=off GOCACHE=/tmp/go go build -o "$OUT/save" "$SRC/save.go"\n', ("about", "go"),
        'kind = "file_write"', 'text = "../out/x"',
    ),
    "rust": (
        ["rustc"], RUST, harness('["{build}/nest"]', "", "[[", "2"), 'rustc "$SRC/nest.rs" -o "$OUT/nest"\n', ("about", "rust"),
        'kind = "exhaustion"\nresource = "stack"', 'parts = [["[", 500000]]',
    ),
    "npm": (
        ["node"], ADDON,
        harness('["node", "{harness}/h.js"]', 'sanitizers = ["address"]\nenv = { LD_PRELOAD = "{libasan}" }', "ann", "ann"),
        '$CC $CFLAGS -shared -fPIC -I/usr/include/node "$SRC/addon.c" -o "$OUT/addon.node"\n', ("h.js", ADDON_RUN),
        'kind = "sanitizer"\nclass = "heap-buffer-overflow"\naccess = "WRITE"\nfunctions = ["copy"]', 'text = "elevenchars"',
    ),
}  # fmt: skip
SLOW = {"autotools", "meson", "go", "rust"}


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.proofs] if kind in SLOW else [], id=kind) for kind in CASES])
def test_a_kind_of_environment_builds_and_carries_a_proof(kind, lab):
    # given
    tools, source, text, build, (name, program), oracle, recipe = CASES[kind]
    missing = [tool for tool in tools if shutil.which(tool, path="/usr/bin:/bin") is None]
    if missing or (kind == "npm" and not Path("/usr/include/node/node_api.h").exists()):
        pytest.skip(f"not installed: {', '.join(missing) or 'the headers of node (libnode-dev)'}")
    is_npm = kind == "npm"
    lab.harness(kind, {"harness.toml": text, "build.sh": build, name: program})
    top = "namer-1.0.0" if is_npm else "name-1.0"
    proof = lab.proof(
        kind, oracle=oracle, input=f"input = {{ {recipe} }}", purl=f"pkg:{'npm/namer@1.0.0' if is_npm else 'generic/name@1.0'}",
        files={f"{top}.tar.gz": sdist(source, top)},
    )  # fmt: skip
    proof.joinpath("proof.toml").write_text(proof.joinpath("proof.toml").read_text().replace("[target]", f'[target]\nroot = "{top}"'))
    # when
    verdict = lab.prove(proof)
    # then
    assert verdict.verdict == "reproduced", verdict.reason


@pytest.mark.sandbox
def test_unpacked_files_are_all_of_one_time(lab, tmp_path):
    registry = lab.registry()
    place, _ = Workshop(registry, lab.sandbox, tmp_path).tree(registry.fetch("pkg:pypi/cname@1.1", "sdist"))
    registry.close()
    assert len({path.stat().st_mtime for path in place.rglob("*.*")}) == 1
