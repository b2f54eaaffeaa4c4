# SPDX-License-Identifier: Apache-2.0
"""Runs a fuzz target under atheris: the target's name, folders of samples, and libFuzzer's own options.

python tests/fuzz/run.py crash-log tests/formats/samples/crash-log -max_total_time=600
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["clearwell.formats", "clearwell.proving.unpack", "clearwell.vocabulary"]):
    from fuzz.targets import targets

    TARGETS = targets()  # imports every format


def main() -> None:
    """Fuzz the named target until it is told to stop or finds something."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"name a target: {', '.join(sorted(TARGETS))}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
