# SPDX-License-Identifier: Apache-2.0
"""Three hundred mutants of real and written documents: `clearwell parse` always answers, within 10 seconds and 1 GB each.

The whole set runs in `make bench BENCH_ARGS=mutants`, each with its time and memory; here a seeded part of it runs in process, with
small documents, so that an exception or a silence is found at once.
"""

from pathlib import Path

import pytest

from clearwell.faces.cli.parse import rows
from formats.mutants import MUTATIONS, long_line, mutants

SAMPLES = sorted(path for path in (Path(__file__).parent / "samples").rglob("*") if path.is_file() and ".golden." not in path.name)
DOCUMENTS = [(path.name, path.read_bytes()) for path in SAMPLES]
FEW = [mutation for mutation in MUTATIONS if mutation is not long_line]


@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_document_is_always_answered_in_rows(tmp_path: Path, seed: int) -> None:
    place = tmp_path / "mutant"
    for name, data in mutants(DOCUMENTS, 3 * len(DOCUMENTS), seed):
        if len(data) > 2_000_000:
            continue  # the large ones are measured by the bench
        place.write_bytes(data)

        printed = list(rows(str(place), None))

        assert printed and all("error" in row or row["format"] for row in printed), name


def test_the_same_seed_makes_the_same_mutants() -> None:
    first, second = (list(mutants(DOCUMENTS[:3], 9, seed=7)) for _ in range(2))

    assert first == second and len({name for name, _ in first}) == 9
