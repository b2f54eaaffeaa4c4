# SPDX-License-Identifier: Apache-2.0
"""Fetches the package archives that the examples' proofs need, so that proving them later needs no network. Executes nothing."""

import argparse
import concurrent.futures
import sys
import threading
from pathlib import Path

from clearwell.proving.archives import Kind, Registry
from clearwell.proving.folder import read_proof
from clearwell.vocabulary.errors import ClearwellError

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
Wanted = tuple[str, Kind | None]
_AT_ONCE = 4


def wanted(proofs: Path, harnesses: Path) -> tuple[Wanted, ...]:
    """Every archive that the proofs beneath `proofs` name: targets, controls and what their harnesses put beside them."""
    found: set[Wanted] = set()
    for document in sorted(proofs.glob("*/proof.toml")):
        try:
            proof = read_proof(document.parent, harnesses)
        except ClearwellError:
            continue  # some examples are wrong on purpose; `clearwell prove` says how
        for side in (proof.file.target, proof.file.control):
            if side is not None and side.purl is not None:
                found.add((side.purl, side.archive or proof.harness.file.archive))
        found.update((purl, None) for purl in proof.harness.file.packages)
    return tuple(sorted(found, key=str))


def fetch_all(archives: tuple[Wanted, ...]) -> tuple[str, ...]:
    """Fetch them, a few at once; return one line for each that could not be had."""
    own = threading.local()

    def fetch(one: Wanted) -> str | None:
        if not hasattr(own, "registry"):
            own.registry = Registry()
        try:
            own.registry.fetch(one[0], one[1])
        except ClearwellError as error:
            return f"{one[0]}: {error}"
        return None

    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(line for line in pool.map(fetch, archives) if line is not None)


def main(arguments: list[str]) -> int:
    """Fetch and tell; exit code 1 when an archive is missing."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    archives = wanted(EXAMPLES / "proofs", EXAMPLES / "harnesses")
    missing = fetch_all(archives)
    print(f"archives: {len(archives) - len(missing)} of {len(archives)} at hand")
    for line in missing:
        print(f"archives: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
