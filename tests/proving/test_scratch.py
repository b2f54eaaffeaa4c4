# SPDX-License-Identifier: Apache-2.0
"""Scratch folders: gone at the end, kept while their owner lives, swept when it was killed."""

import subprocess
import sys
from pathlib import Path

from clearwell.proving.scratch import scratch

_HOLD = """
import sys
from pathlib import Path
from clearwell.proving.scratch import scratch
with scratch(Path(sys.argv[1])) as place:
    (place / "proof").write_text("secret")
    print(place, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_gone_at_the_end_whatever_happened(tmp_path: Path):
    try:
        with scratch(tmp_path) as place:
            (place / "deep").mkdir()
            assert place.stat().st_mode & 0o077 == 0
            raise KeyError
    except KeyError:
        pass
    assert list((tmp_path / "scratch").iterdir()) == []


def test_another_process_s_folder_is_kept_while_it_lives_and_swept_when_it_was_killed(tmp_path: Path):
    # given another process with a folder
    with subprocess.Popen([sys.executable, "-c", _HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        # then ours leaves it alone
        with scratch(tmp_path) as ours:
            assert ours != theirs
        assert (theirs / "proof").read_text() == "secret"
        # until it is killed
        other.kill()
        other.wait()
    assert theirs.exists()
    with scratch(tmp_path):
        assert not theirs.exists()
