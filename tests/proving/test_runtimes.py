# SPDX-License-Identifier: Apache-2.0
"""The sanitizers' runtimes in the box have no debugging information; what a report says of the project is the same."""

import shutil
import subprocess

import pytest

from clearwell.proving.runtimes import light_runtimes
from clearwell.proving.sandbox import Spec
from clearwell.proving.sanitizer_report import parse_reports

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("strip") is None, reason="no compiler here")

FLAW = """#include <stdlib.h>
#include <string.h>
void spill(char *to) { memset(to, 1, 9); }
int main(void) { spill(malloc(8)); return 0; }
"""


def _report(sandbox, place, binds):
    spec = Spec(
        argv=("/box/build/a",), env={"ASAN_OPTIONS": "detect_leaks=0"}, binds=((place, "/box/build"), *binds),
    )  # fmt: skip
    return sandbox.run(spec).stderr.decode()


@pytest.mark.sandbox
def test_a_report_names_the_same_frames_of_the_project(sandbox, tmp_path):
    # given a flaw that a sanitizer reports, built where the box sees it
    place = tmp_path / "build"
    place.mkdir(mode=0o755)
    (place / "a.c").write_text(FLAW)
    subprocess.run(["gcc", "-g", "-fsanitize=address", f"-ffile-prefix-map={place}=/box/build", "a.c", "-o", "a"], cwd=place, check=True)
    light = light_runtimes(tmp_path / "cache")
    # when it runs with the machine's runtime and with the light one
    (heavy,), (lightened,) = parse_reports(_report(sandbox, place, ())), parse_reports(_report(sandbox, place, light))
    # then class, access and the project's frames are the same, and the runtime's own frame is told without a file
    assert heavy.signature == lightened.signature == "heap-buffer-overflow WRITE 9 | spill < main"
    assert heavy.project_frames == lightened.project_frames
    assert lightened.frames[0].file is None


def test_a_copy_is_made_once_and_smaller(tmp_path):
    light = {place: copy for copy, place in light_runtimes(tmp_path / "cache")}
    assert any("libasan" in place for place in light)
    for place, copy in light.items():
        assert copy.stat().st_size <= (tmp_path / place).stat().st_size
        assert copy.stat().st_mode & 0o777 == 0o644
