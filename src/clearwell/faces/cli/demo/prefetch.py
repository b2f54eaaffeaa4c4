# SPDX-License-Identifier: Apache-2.0
"""Fetches beforehand every package archive that the exercise will need, so that its own time holds no network. Executes nothing."""

import concurrent.futures
import threading
from collections.abc import Iterator
from pathlib import Path

from packageurl import PackageURL

from clearwell.faces.cli.demo.exercise import Exercise
from clearwell.formats import read
from clearwell.proving.archives import Kind, Registry
from clearwell.proving.folder import Proof, from_files, proof_of
from clearwell.vocabulary.errors import ClearwellError, NotFound
from clearwell.vocabulary.finding import ProofFiles
from clearwell.vocabulary.product import parse_target

Wanted = tuple[str, Kind | None]
_AT_ONCE = 4


def fetch_archives(exercise: Exercise) -> int:
    """Fetch what is not in the cache yet; return how many archives are at hand.

    What the registry does not have (some reports cite what does not exist) is passed over here: the hub will say so. Raises
    Unavailable when the registry does not answer.
    """
    wanted = sorted(set(_wanted(exercise)), key=str)
    own = threading.local()
    opened: list[Registry] = []

    def fetch(one: Wanted) -> bool:
        if not hasattr(own, "registry"):
            own.registry = Registry()
            opened.append(own.registry)
        try:
            own.registry.fetch(one[0], one[1])
        except NotFound:
            return False
        return True

    try:
        with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(fetch, wanted))
    finally:
        for registry in opened:
            registry.close()


def _wanted(exercise: Exercise) -> Iterator[Wanted]:
    components = {case.name: case.component for case in exercise.expected.case}
    for sent in exercise.submissions:
        target = parse_target(sent.target) if sent.target else None
        for finding in read(sent.body, sent.file, target).findings:
            if finding.product is not None and finding.product.purl is not None:
                yield finding.product.purl, _source(finding.product.purl)
            if finding.proof is not None:
                yield from _of_proof(finding.proof, exercise.harnesses)
    for maintainer in exercise.maintainers:
        for act in maintainer.act:
            if act.version is not None and act.case in components:
                purl = f"{components[act.case]}@{act.version}"
                yield purl, _source(purl)


def _of_proof(files: ProofFiles, harnesses: Path) -> Iterator[Wanted]:
    """The archives of a proof's sides and ladder, and of what its harness puts beside them."""
    try:
        proof = proof_of(from_files(files.files), harnesses)
    except ClearwellError:
        return
    kind = proof.harness.file.archive
    for side in (proof.file.target, proof.file.control):
        if side is not None and side.purl is not None:
            yield side.purl, side.archive or kind
    yield from ((purl, kind) for purl in _rungs(proof))
    yield from ((purl, None) for purl in proof.harness.file.packages)


def _rungs(proof: Proof) -> Iterator[str]:
    if proof.file.ladder is not None and proof.file.target.purl is not None:
        package = PackageURL.from_string(proof.file.target.purl)
        for version in (*proof.file.ladder.fires, *proof.file.ladder.clean):
            yield package._replace(version=version).to_string()


def _source(purl: str) -> Kind:
    return "npm" if purl.startswith("pkg:npm/") else "sdist"
