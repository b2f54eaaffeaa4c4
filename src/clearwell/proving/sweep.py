# SPDX-License-Identifier: Apache-2.0
"""A version sweep: which releases does a proof fire on? Bisection over the registry's releases, told as OSV's ranges.

Every change between two tried releases is followed until it lies between neighbors. Releases between two that agree are taken to
agree; the ends of each line of releases are tried first, so that a fix on an older line, or a flaw that came back, shows.
"""

import itertools
from collections.abc import Callable

import msgspec
from packageurl import PackageURL

from clearwell.proving.archives import Registry
from clearwell.proving.folder import Ladder, Proof, Side
from clearwell.proving.releases import in_order, is_preview, series
from clearwell.proving.reproduction import Settings, reproduce_proof
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.verdict import Outcome
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid

_ENDS_MAX = 24

Fires = Callable[[str], tuple[bool | None, str]]
"""Try one version: whether the proof fires there (None: it cannot be told), and why."""


class Tried(msgspec.Struct, frozen=True):
    """One release that was run; `fired` is None where that told nothing, `reason` says what happened."""

    version: str
    fired: bool | None
    reason: str


class Sweep(msgspec.Struct, frozen=True):
    """What a sweep showed. `events` are OSV's (introduced, fixed, last_affected) for one range of the type ECOSYSTEM.

    `releases` counts those considered, `tried` lists those run. `is_one_range` is false when the flaw came back or older lines were
    fixed too. `notes` say what the events leave open.
    """

    package: str
    first: str
    last: str
    events: tuple[dict[str, str], ...]
    releases: int
    tried: tuple[Tried, ...]
    is_one_range: bool
    notes: tuple[str, ...]


def sweep(proof: Proof, settings: Settings, *, sandbox: Sandbox, registry: Registry) -> Sweep:
    """Find the releases of the target's package on which the proof fires.

    Raises Invalid (no registry lists its releases), Conflict (it does not fire on the target itself), NotFound and Unavailable.
    """
    purl = proof.file.target.purl or ""
    package = PackageURL.from_string(purl)
    ordered = in_order(purl, registry.versions(purl))
    target = _spelled(str(package.version), ordered, purl)
    wanted = tuple(version for version in ordered if not is_preview(purl, version) or version == target)

    def fires(version: str) -> tuple[bool | None, str]:
        return _try(proof, package._replace(version=version).to_string(), settings, sandbox, registry)

    return search(package._replace(version=None).to_string(), wanted, target, lambda version: series(purl, version), fires)


def search(package: str, releases: tuple[str, ...], target: str, line: Callable[[str], str], fires: Fires) -> Sweep:
    """Sweep releases that are in order, oldest first, by trying as few as tell every change that the ends of lines show."""
    tried: dict[int, Tried] = {}

    def attempt(index: int) -> bool | None:
        if index not in tried:
            fired, reason = fires(releases[index])
            tried[index] = Tried(releases[index], fired, reason)
        return tried[index].fired

    at = releases.index(target)
    if attempt(at) is not True:
        raise Conflict(f"the proof does not fire on {target}, where it should: {tried[at].reason}")
    for index in _ends(releases, line, at):
        attempt(index)
    while (pair := _open_pair(tried)) is not None:
        low, high = pair
        for index in sorted(range(low + 1, high), key=lambda place: (abs(place - (low + high) // 2), place)):
            if index not in tried:
                attempt(index)
                break
    return _told(package, releases, tried)


def _ends(releases: tuple[str, ...], line: Callable[[str], str], target: int) -> list[int]:
    """The newest and the oldest release, then first and last of each line, those nearest to the target first; a bounded number."""
    found = {0, len(releases) - 1}
    for index in range(1, len(releases)):
        if line(releases[index - 1]) != line(releases[index]):
            found |= {index - 1, index}
    found.discard(target)
    outer = [index for index in (0, len(releases) - 1) if index in found]
    inner = sorted(found - set(outer), key=lambda index: (abs(index - target), index))
    if len(inner) > _ENDS_MAX:  # near the target closely, further away evenly
        near, far = inner[: _ENDS_MAX // 2], inner[_ENDS_MAX // 2 :]
        inner = near + far[:: -(-len(far) // (_ENDS_MAX // 2))]
    return outer + inner


def _open_pair(tried: dict[int, Tried]) -> tuple[int, int] | None:
    """Two tried releases that differ, told ones, with an untried one between them."""
    told = sorted(index for index, one in tried.items() if one.fired is not None)
    for low, high in itertools.pairwise(told):
        if tried[low].fired != tried[high].fired and any(index not in tried for index in range(low + 1, high)):
            return low, high
    return None


def _told(package: str, releases: tuple[str, ...], tried: dict[int, Tried]) -> Sweep:
    told = sorted(index for index, one in tried.items() if one.fired is not None)
    events: list[dict[str, str]] = []
    notes: list[str] = []
    firing = [index for index in told if tried[index].fired]
    before: int | None = None
    for index in told:
        if tried[index].fired and (before is None or not tried[before].fired):
            # OSV: "0" stands for a version before any other.
            events.append({"introduced": "0" if index == 0 else releases[index]})
            if index - 1 != (before if before is not None else -1):
                notes.append(f"it may have come earlier than {releases[index]}: releases before that could not be told")
        elif not tried[index].fired and before is not None and tried[before].fired:
            if index - before == 1:
                events.append({"fixed": releases[index]})
            else:
                events.append({"last_affected": releases[before]})
                notes.append(f"between {releases[before]} (fires) and {releases[index]} (clean) no release could be told")
        before = index
    if before is not None and tried[before].fired:
        events.append({"last_affected": releases[before]})
        if before != len(releases) - 1:
            notes.append(f"releases after {releases[before]} could not be told")
    count = sum("introduced" in one for one in events)
    if count > 1:
        notes.append(f"{count} separate ranges: the flaw came back, or was fixed on older lines too")
    order = tuple(tried[index] for index in sorted(tried))
    return Sweep(package, releases[firing[0]], releases[firing[-1]], tuple(events), len(releases), order, count == 1, tuple(notes))


def _try(proof: Proof, purl: str, settings: Settings, sandbox: Sandbox, registry: Registry) -> tuple[bool | None, str]:
    target = proof.file.target
    is_own = purl == target.purl
    side = Side(purl=purl, archive=target.archive, root=target.root, sha256=target.sha256 if is_own else None)
    file = msgspec.structs.replace(proof.file, target=side, control=None, variant=(), ladder=Ladder())
    one = msgspec.structs.replace(settings, runs=1, least=1, with_ladder=False)
    try:
        verdict = reproduce_proof(msgspec.structs.replace(proof, file=file), one, sandbox=sandbox, registry=registry).verdict
    except ClearwellError as error:
        return None, str(error)
    told = {Outcome.REPRODUCED: True, Outcome.NOT_REPRODUCED: False}.get(verdict.verdict)
    return told, f"{verdict.verdict.value}: {verdict.reason}"


def _spelled(version: str, releases: tuple[str, ...], purl: str) -> str:
    if version in releases:
        return version
    same = [one for one in releases if in_order(purl, (one, version)) and in_order(purl, (version, one)) != in_order(purl, (one, version))]
    if not same:
        raise Invalid(f"the registry does not list {purl}, so there is nothing to sweep around it")
    return same[0]
