# SPDX-License-Identifier: Apache-2.0
"""Whole proofs on planted flaws of our own, served by an index of our own: every oracle, every verdict, fixes on their ladder."""

import hashlib
from pathlib import Path

import pytest

from clearwell.proving.folder import Side
from clearwell.proving.reproduction import Settings, reproduce_proof, verify_fix
from clearwell.proving.sandbox import Spec, standing
from clearwell.proving.verdict import FixLabel, Outcome
from clearwell.vocabulary.errors import Invalid
from proving.lab import NAME_C, NAME_H, NAME_HARNESS, NOTES, NOTES_HARNESS, NOTES_RUN, Lab, sdist, wheel

pytestmark = pytest.mark.sandbox

PLANTED = {
    "command": ("eval", "open('/box/out/pwned', 'w').write(open('/box/secret/canary.txt').read())", 'kind = "command"'),
    "file_write": ("save", "/box/out/x", 'kind = "file_write"'),
    "leak": ("load", "../secret/canary.txt", 'kind = "leak"'),
    "leak to a server": ("send", "/box/secret/canary.txt", 'kind = "leak"\nto = 8090'),
    "request": ("get", "http://127.0.0.1:8090/inner", 'kind = "request"\nto = "8090/inner"'),
    "output in html": ("html", "<img src=x onerror=alert(1)>", 'kind = "output"\ncontext = "html"'),
    "output in script": ("script", "</script><script>alert(1)", 'kind = "output"\ncontext = "script"'),
    "bypass": ("check", "", 'kind = "bypass"'),
    "exhaustion by exception": ("nest", "[" * 5000, 'kind = "exhaustion"\nexception = "RecursionError"'),
    "exhaustion of memory": ("grow", "9", 'kind = "exhaustion"\nresource = "memory"'),
    "exhaustion of cpu": ("spin", "99", 'kind = "exhaustion"\nresource = "cpu"\ncpu_seconds = 0.4'),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_flaw_reproduces_and_its_fix_is_clean(lab: Lab, name):
    # given
    verb, text, oracle = PLANTED[name]
    proof = lab.proof("notes", verb=verb, text=text, oracle=oracle, control='purl = "pkg:pypi/notes@1.1"')
    # when
    verdict = lab.prove(proof)
    # then
    assert (verdict.verdict, verdict.target.fired, verdict.control.fired) == (Outcome.REPRODUCED, 1, 0), verdict.reason
    assert verdict.exit_code == 0
    assert verdict.control.kind == "same package"
    assert verdict.assurance == "hub"


def test_growth_is_measured_inside_the_box(lab: Lab):
    body = 'input = { parts = ["n:", ["ab", "n"]] }'
    oracle = 'kind = "growth"\nsizes = [1000, 2000, 4000]\ncpu_seconds = 12'
    verdict = lab.prove(lab.proof("notes", verb="slow", input=body, oracle=oracle, control='purl = "pkg:pypi/notes@1.1"'))
    assert verdict.verdict == Outcome.REPRODUCED, verdict
    assert "exponent" in (verdict.target.signature or "")


def test_pollution_is_heard_on_descriptor_three(lab: Lab):
    proof = lab.proof("merge", purl="pkg:npm/merge-it@1.0.0", text='{"__proto__": {"polluted": 1}}', oracle='kind = "pollution"')
    verdict = lab.prove(proof)
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason
    assert verdict.control == "none"
    assert "no control" in verdict.reason


def test_c_in_an_sdist_is_built_under_the_sanitizer(lab: Lab):
    verdict = lab.prove(lab.c_proof(control='purl = "pkg:pypi/cname@1.1"'))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason
    assert (verdict.target.signature or "").startswith("heap-buffer-overflow WRITE")
    assert [(v.target_fired, v.control_fired) for v in verdict.variants] == [(True, False)]


def test_a_crash_in_another_function_is_different(lab: Lab):
    verdict = lab.prove(lab.c_proof(functions='["other_function"]'))
    assert (verdict.verdict, verdict.exit_code) == (Outcome.DIFFERENT, 11)


def test_undefined_behavior_is_reported_by_its_class(lab: Lab):
    oracle = 'kind = "sanitizer"\nclass = "signed-integer-overflow"\nfunctions = ["cname_scale"]'
    verdict = lab.prove(lab.c_proof(harness="cname-undefined", text="2147483647", oracle=oracle))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason


def test_an_effect_that_does_not_show_says_how_the_run_ended_and_not_what_it_printed(lab: Lab):
    verdict = lab.prove(lab.proof("notes", verb="missing", text="x", oracle='kind = "command"'))
    assert verdict.verdict == Outcome.NOT_REPRODUCED
    assert "(it left with 1)" in verdict.reason and "missing" not in verdict.reason


def test_an_effect_that_does_not_show_is_not_reproduced(lab: Lab):
    verdict = lab.prove(lab.proof("notes", verb="save", text="plain.txt", oracle='kind = "file_write"'))
    assert (verdict.verdict, verdict.exit_code) == (Outcome.NOT_REPRODUCED, 10)


def test_replaying_what_a_feature_shows_to_be_genuine_is_no_bypass(lab: Lab):
    assert lab.prove(lab.proof("notes", verb="check", text="right\n", oracle='kind = "bypass"')).verdict == Outcome.NOT_REPRODUCED


def test_a_control_that_fires_too_is_fix_not_verified(lab: Lab):
    proof = lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"', control='purl = "pkg:pypi/notes@1.0"')
    verdict = lab.prove(proof, runs=2)
    assert (verdict.verdict, verdict.exit_code, verdict.control.n, verdict.control.fired) == (Outcome.FIX_NOT_VERIFIED, 16, 2, 2)


@pytest.mark.parametrize("control", ['purl = "pkg:pypi/notes@0.1"', 'purl = "pkg:pypi/notes@1.0"\nroot = "notes-1.0.dist-info"'])
def test_a_control_on_which_nothing_works_is_said_to_show_no_fix(lab: Lab, control):
    # given a control without the package's code, and a feature of the finder's own that needs none of it
    name, content = wheel("notes", "0.1", {"other.py": ""})
    lab.index.files[name] = content
    verb, text, oracle = PLANTED["command"]
    more = '[[feature]]\nargs = ["echo", "more"]\ninput = { text = "" }\noutput = ""\n'
    verdict = lab.prove(lab.proof("notes", verb=verb, text=text, oracle=oracle, control=control, more=more))
    # then the flaw was shown, as without any control, and the verdict says that no fix was
    assert (verdict.verdict, verdict.target.fired, verdict.control.fired) == (Outcome.REPRODUCED, 1, 0)
    assert "its silence shows no fix" in verdict.reason
    assert len(verdict.features.control_failed) == verdict.features.passed == 4


def test_an_effect_by_chance_is_flaky(lab: Lab):
    proof = lab.proof("notes", verb="sometimes", text="/box/out/x", oracle='kind = "file_write"')
    verdict = lab.prove(proof, runs=14)
    assert (verdict.verdict, verdict.exit_code) == (Outcome.FLAKY, 12)


def test_no_working_feature_is_a_harness_error(lab: Lab):
    harness = NOTES_HARNESS.replace('output = "ok"', 'output = "never"').replace("<p>x</p>", "never")
    lab.harness(
        "notes",
        {"harness.toml": harness.replace('seen = "accepted"', 'seen = "polluted"').replace('seen = "refused"', 'seen = "polluted"')},
    )
    verdict = lab.prove(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"'))
    assert (verdict.verdict, verdict.exit_code) == (Outcome.HARNESS_ERROR, 14)


def test_a_feature_that_fails_on_the_target_is_set_aside_by_name(lab: Lab):
    lab.harness("notes", {"harness.toml": NOTES_HARNESS + '[[feature]]\ninput = { text = "" }\nargs = ["echo"]\noutput = "never"\n'})
    verdict = lab.prove(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"'))
    assert verdict.verdict == Outcome.REPRODUCED
    assert verdict.features.set_aside == ("feature 4 (echo)",)


def test_a_build_that_fails_is_a_harness_error_with_its_last_words(lab: Lab):
    lab.harness("cname", {"build.sh": "echo this went wrong >&2; exit 3"})
    verdict = lab.prove(lab.c_proof())
    assert verdict.verdict == Outcome.HARNESS_ERROR
    assert "this went wrong" in verdict.reason


def test_running_into_the_wall_clock_before_any_effect_is_inconclusive(lab: Lab):
    verdict = lab.prove(lab.proof("notes", verb="sleep", text="30", oracle='kind = "file_write"', more="[limits]\nwall_seconds = 0.3"))
    assert (verdict.verdict, verdict.exit_code) == (Outcome.INCONCLUSIVE, 13)
    assert "wall_clock" in verdict.reason


def test_a_version_that_does_not_exist_is_inconclusive(lab: Lab):
    verdict = lab.prove(lab.proof("notes", purl="pkg:pypi/notes@7", verb="save", text="x", oracle='kind = "file_write"'))
    assert verdict.verdict == Outcome.INCONCLUSIVE
    assert "no version 7" in verdict.reason


def test_an_archive_with_a_link_is_refused_by_name(lab: Lab):
    verdict = lab.prove(lab.c_proof(purl="pkg:pypi/cname@6.6"))
    assert verdict.verdict == Outcome.INCONCLUSIVE
    assert "link" in verdict.reason


@pytest.mark.parametrize(
    ("root", "said"),
    [("cname-1.0/src/lib", "taken off already: write 'src/lib'"), ("lib", "top are 'src'"), ("a**b", "no pattern"), ("./.", "no pattern")],
)
def test_a_root_that_is_no_folder_is_told_what_there_is(lab: Lab, root, said):
    target = f'purl = "pkg:pypi/cname@1.0"\nroot = "{root}"'
    verdict = lab.prove(lab.proof("cname", oracle='kind = "file_write"', text="ann", target=target))
    assert verdict.verdict == Outcome.INCONCLUSIVE
    assert said in verdict.reason


def test_a_pinned_hash_that_differs_is_inconclusive(lab: Lab):
    target = f'purl = "pkg:pypi/notes@1.0"\nsha256 = "{"0" * 64}"'
    verdict = lab.prove(lab.proof("notes", target=target, verb="save", text="/box/out/x", oracle='kind = "file_write"'))
    assert verdict.verdict == Outcome.INCONCLUSIVE
    assert "pinned" in verdict.reason


def test_without_the_archive_and_offline_nothing_is_claimed(lab: Lab):
    lab.cache = lab.place / "empty"
    verdict = lab.prove(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"'), offline=True)
    assert (verdict.verdict, verdict.exit_code) == (Outcome.UNAVAILABLE, 15)


def test_a_second_run_needs_no_index(lab: Lab):
    proof = lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"')
    first = lab.prove(proof)
    lab.index.files.clear()
    second = lab.prove(proof, offline=True)
    assert (first.verdict, second.verdict) == (Outcome.REPRODUCED, Outcome.REPRODUCED)
    assert first.evidence == second.evidence


def test_the_ladder_is_observed_not_believed(lab: Lab):
    more = '[ladder]\nfires = ["1.1"]\nclean = ["1.0", "7"]'
    verdict = lab.prove(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"', more=more))
    assert [(rung.version, rung.stated, rung.fired) for rung in verdict.ladder] == [
        ("1.1", "fires", False),
        ("1.0", "clean", True),
        ("7", "clean", None),
    ]


def test_a_finder_s_harness_is_told_by_its_assurance(lab: Lab):
    own = {"mine/harness.toml": NOTES_HARNESS, "mine/h.py": NOTES_RUN}
    proof = lab.proof("./mine", verb="save", text="/box/out/x", oracle='kind = "file_write"', files=own)
    assert lab.prove(proof).assurance == "hub"  # byte for byte the hub's
    own["mine/h.py"] += "# changed\n"
    proof = lab.proof("./mine", verb="save", text="/box/out/x", oracle='kind = "file_write"', files=own)
    assert lab.prove(proof).assurance == "finder"


def test_preconditions_are_those_of_the_arguments(lab: Lab):
    verdict = lab.prove(lab.proof("notes", verb="eval", text="1", oracle='kind = "command"'))
    assert verdict.preconditions == ("always said", "the application evaluates notes")


RIGHT = """--- a/name.c
+++ b/name.c
@@ -5,3 +5,3 @@
   char *copy = calloc(8, 1);
-  for (size_t i = 0; i <= size; i++)
-    copy[i] = i < size ? name[i] : 0;
+  for (size_t i = 0; i <= size && i < 8; i++)
+    copy[i] = i < size && i < 7 ? name[i] : 0;
"""


def test_a_right_patch_is_not_refuted(lab: Lab):
    fixed = verify_fix(lab.read(lab.c_proof()), RIGHT.encode(), lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.rung, fixed.verdict.control.kind) == (FixLabel.NOT_REFUTED, "touched", "patch")


@pytest.mark.parametrize(
    ("change", "refuted_by"),
    [
        ("i <= size && i < 9", "proof"),
        ("i <= size && size != 11", "variants"),  # only the proof's own length
        ("i < 0", "features"),
        ("i <= (", "builds"),
    ],
)
def test_a_wrong_patch_is_refuted_by_name(lab: Lab, change, refuted_by):
    patch = RIGHT.replace("i <= size && i < 8", change).encode()
    fixed = verify_fix(lab.read(lab.c_proof()), patch, lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.refuted_by) == (FixLabel.REFUTED, refuted_by), fixed.reason


def test_a_patch_that_knows_a_span_of_lengths_around_the_proof_s_is_refuted(lab: Lab):
    verb, text, oracle = PLANTED["command"]
    proof = lab.read(lab.proof("notes", verb=verb, text=text, oracle=oracle))
    near = "    return None if FIXED or 50 < len(text) < 99 else eval(text)"
    patch = f"--- a/notes.py\n+++ b/notes.py\n@@ -7 +7 @@\n-    return None if FIXED else eval(text)\n+{near}\n"
    fixed = verify_fix(proof, patch.encode(), lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.refuted_by) == (FixLabel.REFUTED, "variants"), fixed.reason


def test_a_patch_to_a_module_named_like_a_test_is_told_that_it_stayed_as_it_was(lab: Lab):
    # given a package whose flaw lies in a module that looks like a test by its name
    code = NOTES.replace("import json", "import json\nfrom tests import evaluate")
    body = "def evaluate(text):\n    return eval(text)\n"
    code = code.replace("def evaluate(text):\n    return None if FIXED else eval(text)\n", "")
    lab.index.files |= dict([wheel("notes", "6.0", {"notes.py": code, "tests.py": body})])
    verb, text, oracle = PLANTED["command"]
    proof = lab.read(lab.proof("notes", verb=verb, text=text, oracle=oracle, purl="pkg:pypi/notes@6.0"))
    patch = b"--- a/tests.py\n+++ b/tests.py\n@@ -2 +2 @@\n-    return eval(text)\n+    return None\n"
    fixed = verify_fix(proof, patch, lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.refuted_by) == (FixLabel.REFUTED, "proof")
    assert "stays as it was, whatever the patch makes of it: tests.py" in fixed.reason


def test_a_patch_that_does_not_apply_is_refuted_there(lab: Lab):
    patch = RIGHT.replace("calloc(8, 1)", "calloc(9, 1)").encode()
    fixed = verify_fix(lab.read(lab.c_proof()), patch, lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.rung, fixed.refuted_by) == (FixLabel.REFUTED, None, "applies")


@pytest.mark.parametrize("where", ["deep", "name.h/x.c", "tests/old/new.c"], ids=["a folder", "beneath a file", "beneath a kept test"])
def test_a_patch_that_puts_a_file_where_none_can_be_does_not_apply(lab: Lab, where):
    # given a patch that is well formed, whose new file would take a folder's place, or lie beneath a file
    tree = {"name.c": NAME_C, "name.h": NAME_H, "deep/x.c": "", "tests/old": "x\n"}
    lab.index.files["cname-1.2.tar.gz"] = sdist({f"src/lib/{name}": text for name, text in tree.items()}, "cname-1.2")
    gone = "--- a/tests/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n" if where.startswith("tests") else ""
    patch = f"{RIGHT}{gone}--- /dev/null\n+++ b/{where}\n@@ -0,0 +1 @@\n+x\n".encode()
    proof = lab.read(lab.c_proof(purl="pkg:pypi/cname@1.2"))
    fixed = verify_fix(proof, patch, lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, fixed.caught) == (FixLabel.REFUTED, "does_not_apply"), fixed.reason


def test_a_fixed_version_goes_up_the_same_ladder(lab: Lab):
    proof = lab.read(lab.c_proof())
    fixed = verify_fix(proof, Side(purl="pkg:pypi/cname@1.1"), lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    same = verify_fix(proof, Side(purl="pkg:pypi/cname@1.0"), lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (fixed.label, same.label, same.refuted_by) == (FixLabel.NOT_REFUTED, FixLabel.REFUTED, "proof")


def test_a_fixed_version_that_is_no_later_one_is_flagged_and_another_package_is_no_fix(lab: Lab):
    # given releases without the flaw: one that came before it, and one of another package
    fixed_code = {"notes.py": NOTES.replace("FIXED = False", "FIXED = True")}
    lab.index.files |= dict([wheel("notes", "0.9", fixed_code), wheel("other", "9.9", fixed_code)])
    verb, text, oracle = PLANTED["command"]
    proof = lab.read(lab.proof("notes", verb=verb, text=text, oracle=oracle))
    earlier = verify_fix(proof, Side(purl="pkg:pypi/notes@0.9"), lab.settings, sandbox=lab.sandbox, registry=lab.registry())
    assert (earlier.label, [flag.kind for flag in earlier.flags]) == (FixLabel.FLAGGED, ["no_later_version"])
    with pytest.raises(Invalid, match="another package"):
        verify_fix(proof, Side(purl="pkg:pypi/other@9.9"), lab.settings, sandbox=lab.sandbox, registry=lab.registry())


def test_a_mutation_that_is_genuine_does_not_refute_a_right_fix(lab: Lab):
    # given a check that accepts one word too many, beside two that are genuine
    flawed = 'word.lstrip("=>") == "right"'
    for version, check in (("8.0", flawed), ("8.1", 'word in ("right", ">right")'), ("8.2", f'word != "=right" and {flawed}')):
        code = NOTES.replace('word == "right" or (word == "" and not FIXED)', check)
        lab.index.files |= dict([wheel("notes", version, {"notes.py": code})])
    proof = lab.read(lab.proof("notes", verb="check", text="=right", oracle='kind = "bypass"', purl="pkg:pypi/notes@8.0"))

    def tried(version: str):
        return verify_fix(proof, Side(purl=f"pkg:pypi/notes@{version}"), lab.settings, sandbox=lab.sandbox, registry=lab.registry())

    # then the right fix stands, and one that knows the proof's bytes alone does not
    right, special = tried("8.1"), tried("8.2")
    assert right.label in {FixLabel.NOT_REFUTED, FixLabel.FLAGGED}, right.reason
    assert (special.label, special.refuted_by) == (FixLabel.REFUTED, "variants"), special.reason


def test_a_patch_in_the_folder_is_a_control(lab: Lab):
    verdict = lab.prove(lab.c_proof(control='patch = "fix.patch"', files={"fix.patch": RIGHT}))
    assert (verdict.verdict, verdict.control.kind, verdict.control.fired) == (Outcome.REPRODUCED, "patch", 0)


def test_a_source_file_in_the_folder_needs_no_registry(lab: Lab, tmp_path: Path):
    target = 'purl = "pkg:generic/single@1?file_name=single.py"\narchive = "file"'
    harness = NOTES_HARNESS.replace("pkg:pypi/notes", "pkg:generic/single")
    files = {"single.py": NOTES, "mine/harness.toml": harness}
    files["mine/h.py"] = NOTES_RUN.replace("import notes", "import single as notes")
    verdict = lab.prove(lab.proof("./mine", target=target, verb="save", text="/box/out/x", oracle='kind = "file_write"', files=files))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason
    assert not lab.index.asked


BUILT_AS_PROJECTS_DO = {
    "relative names": 'cd "$SRC"; $CC $CFLAGS -I. name.c /box/harness/h.c -o "$OUT/h"',
    "a copy and make": (
        'mkdir "$OUT/w"; cp "$SRC"/* "$(dirname "$0")/h.c" "$OUT/w"; cd "$OUT/w"\n'
        "printf 'h: h.o name.o\\n\\t$(CC) $(CFLAGS) -o h h.o name.o\\n' > Makefile; make; mv h ..\n"
    ),
    "a folder beside": 'mkdir -p "$OUT/o"; cp -r "$SRC" "$OUT/s"; cd "$OUT/o"; $CC $CFLAGS -I../s ../s/name.c /box/harness/h.c -o "$OUT/h"',
}


@pytest.mark.parametrize("way", BUILT_AS_PROJECTS_DO)
def test_a_build_by_relative_names_leaves_project_frames(lab: Lab, way):
    lab.harness("cname", {"build.sh": BUILT_AS_PROJECTS_DO[way]})
    verdict = lab.prove(lab.c_proof())
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason
    assert "| cname_copy" in (verdict.target.signature or "")


@pytest.mark.parametrize(
    ("code", "outcome"), [("*(volatile int *) 0 = 1;", "different"), ("go(1);", "reproduced"), ("go(0);", "reproduced")]
)
def test_only_a_stack_that_overflows_is_exhausted(lab: Lab, code, outcome):
    """A null pointer; a depth that a larger stack would hold; one that no stack holds."""
    deep = "static int go(int n) { volatile char room[4096]; room[0] = n; return n == 4000 ? 0 : go(n ? n + 1 : 0) + room[0]; }"
    source = f"#include <stdio.h>\n{deep}\n"
    source += f"int main(void) {{ int c = getchar(); if (c == 'x') {{ {code} }} puts(\"ok\"); return 0; }}\n"
    harness = (
        'format = 1\nversion = 1\nfor = ["pkg:generic/one"]\narchive = "file"\nbuild = "b.sh"\ncommand = ["{build}/h"]\nstdin = true\n'
    )
    files = {"one.c": source, "mine/b.sh": '$CC -O0 -w "$SRC"/one.c -o "$OUT/h"\n'}
    files["mine/harness.toml"] = harness + '[[feature]]\ninput = { text = "a" }\noutput = "ok"\n'
    target = 'purl = "pkg:generic/one@1?file_name=one.c"\narchive = "file"'
    oracle = 'kind = "exhaustion"\nresource = "stack"'
    assert lab.prove(lab.proof("./mine", target=target, text="x", oracle=oracle, files=files)).verdict == outcome


def test_a_package_of_with_may_be_published_as_source_alone(lab: Lab):
    lab.index.files["helper-1.0.tar.gz"] = sdist({"helper.py": "NAME = 'help'\n"}, "helper-1.0")
    lab.harness("notes", {"harness.toml": NOTES_HARNESS.replace("stdin", 'with = ["pkg:pypi/helper@1.0"]\nstdin', 1)})
    lab.harness("notes", {"h.py": f"import helper\n{NOTES_RUN}"})
    assert lab.prove(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"')).verdict == Outcome.REPRODUCED


def test_a_harness_that_fails_is_told_the_error_and_not_node_s_version(lab: Lab):
    lab.harness("merge", {"h.js": "const merge = require('merge-it');\nmerge.missing.call();\n"})
    verdict = lab.prove(lab.proof("merge", purl="pkg:npm/merge-it@1.0.0", text="{}", oracle='kind = "pollution"'))
    assert verdict.verdict == Outcome.HARNESS_ERROR
    assert "(TypeError: Cannot read properties of undefined" in verdict.reason


def test_a_build_runs_by_its_own_first_line(lab: Lab):
    bash = '#!/usr/bin/env bash\nset -euo pipefail\nflags=(-I"$SRC")\n[[ -n $CC ]] && cd "$SRC"\n'
    bash += '$CC $CFLAGS "${flags[@]}" name.c "${0%/*}/h.c" -o "$OUT/h"\n'
    lab.harness("cname", {"build.sh": bash})
    assert lab.prove(lab.c_proof()).verdict == Outcome.REPRODUCED


def test_a_program_of_the_harness_may_be_started_and_an_argument_may_be_the_input(lab: Lab):
    own = {"mine/h.py": "#!/usr/bin/python3 -S\nimport sys, notes\nprint(notes.html(open(sys.argv[1]).read()))\n"}
    own["mine/harness.toml"] = (
        'format = 1\nversion = 1\nfor = ["pkg:pypi/notes"]\ncommand = ["{harness}/h.py", "{args}"]\n'
        '[[feature]]\ninput = { text = "x" }\nargs = ["{input}"]\noutput = "<p>x</p>"\n'
    )
    oracle = 'kind = "output"\ncontext = "html"'
    verdict = lab.prove(lab.proof("./mine", verb="{input}", text="<b onclick=x>", oracle=oracle, files=own))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason


def test_two_sanitizers_at_once_and_any_case_of_access(lab: Lab):
    harness = NAME_HARNESS.replace('"SANITIZER"', '"address", "undefined"').replace("ARGUMENTS", 'output = "ann"')
    lab.harness("cname", {"harness.toml": harness})
    oracle = 'kind = "sanitizer"\nclass = "heap-buffer-overflow"\naccess = "write"\nfunctions = ["cname_copy"]'
    assert lab.prove(lab.c_proof(oracle=oracle)).verdict == Outcome.REPRODUCED


def test_an_archive_in_the_folder_is_found_by_its_pinned_hash(lab: Lab):
    archive = lab.index.files["cname-1.0.tar.gz"]
    harness = NAME_HARNESS.replace("pkg:pypi/cname", "pkg:generic/cname").replace("SANITIZER", "address").replace("src/*", "*/src/*")
    lab.harness("cname", {"harness.toml": harness.replace("ARGUMENTS", 'output = "ann"')})
    target = f'purl = "pkg:generic/cname@1.0"\narchive = "file"\nsha256 = "{hashlib.sha256(archive).hexdigest()}"'
    oracle = 'kind = "sanitizer"\nclass = "heap-buffer-overflow"\nfunctions = ["cname_copy"]'
    verdict = lab.prove(lab.proof("cname", target=target, text="elevenchars", oracle=oracle, files={"vendor/old.tgz": archive}))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason


def test_a_fix_may_leave_plain_tags_when_what_acts_is_gone(lab: Lab):
    version = NOTES.replace("FIXED = False", "FIXED = True").replace(
        'text.replace("&", "&amp;").replace("<", "&lt;")', 'text.replace("on", "")'
    )
    name, content = wheel("notes", "1.2", {"notes.py": version})
    lab.index.files[name] = content
    text, oracle = "<img src=x onerror=alert(1)>", 'kind = "output"\ncontext = "html"'
    verdict = lab.prove(lab.proof("notes", verb="html", text=text, oracle=oracle, control='purl = "pkg:pypi/notes@1.2"'))
    assert verdict.verdict == Outcome.REPRODUCED, verdict.reason


def test_markup_of_a_feature_that_was_set_aside_is_ordinary_on_both_sides(lab: Lab):
    # given a fix that leaves a plain tag, which a feature prints too that was written down wrongly
    for version, cleaned in (("7.0", "text"), ("7.1", 'text.replace("<img", "&lt;img")')):
        name, content = wheel("notes", version, {"notes.py": NOTES.replace("if FIXED else text)", f"if FIXED else {cleaned})")})
        lab.index.files[name] = content
    more = '[[feature]]\nargs = ["html"]\ninput = { text = "<math>" }\noutput = "<p>something else</p>"\n'
    proof = lab.proof(
        "notes", verb="html", text="<math><img src=x onerror=alert(1)>", oracle='kind = "output"\ncontext = "html"', more=more,
        purl="pkg:pypi/notes@7.0", control='purl = "pkg:pypi/notes@7.1"',
    )  # fmt: skip
    verdict = lab.prove(proof)
    assert verdict.features.set_aside == ("feature 4 (html)",)
    assert (verdict.verdict, verdict.control.fired) == (Outcome.REPRODUCED, 0), verdict.reason


def test_a_finder_s_small_limits_prove_nothing(lab: Lab):
    # given limits that start-up alone would reach
    cpu = lab.proof("notes", verb="check", text="x", oracle='kind = "exhaustion"\nresource = "cpu"\ncpu_seconds = 0.001')
    memory = 'kind = "exhaustion"\nresource = "memory"'
    small = lab.proof("notes", verb="check", text="x", oracle=memory, more="[limits]\nmemory_mb = 1\nwall_seconds = 0.0001")
    # then
    assert lab.prove(cpu).verdict == Outcome.NOT_REPRODUCED
    assert lab.prove(small).verdict in {Outcome.NOT_REPRODUCED, Outcome.HARNESS_ERROR}


def test_a_large_input_of_ordinary_cost_is_no_growth(lab: Lab):
    linear = NOTES + "\ndef plod(text):\n    return sum(1 for _ in range(40) for c in text if c == '|')\n"
    name, content = wheel("notes", "1.3", {"notes.py": linear})
    lab.index.files[name] = content
    body = 'input = { parts = [["ab", "n"]] }'
    oracle = 'kind = "growth"\nsizes = [600000, 1200000, 2400000]\ncpu_seconds = 0.01'
    verdict = lab.prove(lab.proof("notes", verb="plod", purl="pkg:pypi/notes@1.3", input=body, oracle=oracle))
    assert verdict.verdict == Outcome.NOT_REPRODUCED, verdict.target.signature


def test_watched_limits_can_be_refused(lab: Lab, monkeypatch):
    from clearwell.proving import attempt
    from clearwell.proving.probe import Probe

    monkeypatch.setattr(attempt, "probe", lambda backend: Probe({"memory": "watched"}, True, ""))
    proof = lab.read(lab.proof("notes", verb="save", text="x", oracle='kind = "file_write"'))
    done = reproduce_proof(proof, Settings(accept_watched=False), sandbox=lab.sandbox, registry=lab.registry())
    assert done.verdict.verdict == Outcome.UNAVAILABLE
    assert "memory" in done.verdict.reason


def test_what_a_killed_process_left_of_a_proof_is_removed(lab: Lab):
    left = lab.cache / "scratch" / "4194305-left"  # no process can have that number
    left.mkdir(parents=True)
    (left / "proof").write_text("secret")
    lab.prove(lab.proof("notes", verb="save", text="x", oracle='kind = "file_write"'))
    assert not list((lab.cache / "scratch").iterdir())


@pytest.mark.sandbox
def test_a_sandbox_stands_from_one_proof_to_the_next_and_is_nobody_else_s_meanwhile(sandbox):
    with standing("bubblewrap") as first, standing("bubblewrap") as second:
        assert first is not second
    with standing("bubblewrap") as again:
        assert again in (first, second)
        assert again.run(Spec(argv=("/usr/bin/true",))).exit == 0


def test_a_sandbox_whose_use_went_wrong_is_not_lent_again():
    with pytest.raises(KeyError), standing("bubblewrap") as wrong:
        raise KeyError
    with standing("bubblewrap") as other:
        assert other is not wrong
