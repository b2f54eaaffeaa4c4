# SPDX-License-Identifier: Apache-2.0
"""Matching: does an advisory say that an installed component is affected, which version fixes it, and on what evidence.

The rules are OSV's evaluation algorithm (OSV 1.7, "Evaluation"), extended by CSAF's product status, with three answers: what
the documents do not say is "unknown".
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Literal

import msgspec

from clearwell.inventory import versions
from clearwell.vocabulary.component import Component, identify
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.product import registry_of
from clearwell.vocabulary.vulnerability import Affected, Timeline, Turn, Vulnerability

Status = Literal["affected", "not_affected", "unknown"]


class Match(msgspec.Struct, frozen=True):
    """What an advisory says about an installed component. `fixed` is the lowest version that it names as a way out, else None."""

    status: Status
    fixed: str | None
    why: str


class _Interval(msgspec.Struct, frozen=True):
    """One stretch of affected versions. `start` None is before any version; at most one of `fixed` and `last` is set."""

    start: str | None
    fixed: str | None = None
    last: str | None = None

    def __str__(self) -> str:
        start = f"from {self.start}" if self.start is not None else "every version"
        if self.fixed is not None:
            return f"{start} up to the fix in {self.fixed}"
        return f"{start} up to and including {self.last}" if self.last is not None else f"{start} on, with no fix named"


def match(component: Component, flaw: Vulnerability) -> Match | None:
    """Return what the advisory says about the component; None when it does not name it.

    A component without a package URL is met by name alone: the answer is then "unknown", since a name is no identity.
    """
    if component.purl is None:
        like = next((entry.component for entry in flaw.affected if component.name.lower() in bare_names(entry.component)), None)
        return None if like is None else Match("unknown", None, f"the inventory gives {component.name} no package URL: it may be {like}")
    wanted = {component.purl, *component.sources}
    named = [entry for entry in flaw.affected if entry.component in wanted or _canonical(entry.component) in wanted]
    entries = [entry for entry in named if entry.release is None or component.release in (None, entry.release)]
    if not entries:
        return None
    if flaw.withdrawn:
        return Match("not_affected", None, f"the advisory was withdrawn on {flaw.withdrawn[:10]}")
    elsewhere = entries[0].component
    entries = [entry for entry in entries if registry_of(entry.component) is None]
    if not entries:
        return Match(
            "unknown", None, f"the advisory is about {elsewhere}: the package of this name in another registry; see where yours is from"
        )
    if component.version is None:
        return Match("unknown", None, f"the installed version is not known: {component.doubt or 'the inventory does not state it'}")
    installed = _Installed(_scheme(component.purl, entries), component.version)
    answers = [(entry, _answer(installed, entry)) for entry in entries]
    return _across_releases(answers) or _strongest([answer for _, answer in answers], installed, entries)


@lru_cache(maxsize=50_000)
def _canonical(purl: str) -> str | None:
    """The spelling in which inventories are read, for advisories that were not read but made here."""
    try:
        return identify(purl).purl
    except Invalid:
        return None


def _scheme(purl: str, entries: list[Affected]) -> str:
    """The ecosystem whose order applies; SemVer's where the ecosystem's own is not known and the advisory's ranges are SEMVER."""
    kind = purl.removeprefix("pkg:").split("/")[0]
    stated = {timeline.type for entry in entries for timeline in entry.timelines} - {"GIT"}
    return "npm" if kind not in versions.SCHEMES and stated == {"SEMVER"} else kind


def match_document(component: Component, flaws: Sequence[Vulnerability]) -> Match | None:
    """Return one answer for a document that holds several vulnerabilities: the worst, fixed where all of its flaws are."""
    answers = [(flaw, answer) for flaw in flaws if (answer := match(component, flaw)) is not None]
    if len(answers) <= 1:
        return answers[0][1] if answers else None
    status = _worst(answer.status for _, answer in answers)
    telling = [(flaw, answer) for flaw, answer in answers if answer.status == status]
    fixes = [answer.fixed for _, answer in telling]
    why = "; ".join(f"{flaw.aliases[0] if flaw.aliases else flaw.id}: {answer.why}" for flaw, answer in telling[:3])
    if len(telling) > 3:
        why += f"; and {len(telling) - 3} more"
    kind = (component.purl or "pkg:").removeprefix("pkg:").split("/")[0]
    return Match(status, _highest(kind, fixes), why)


def _highest(kind: str, fixes: list[str | None]) -> str | None:
    keyed = [(versions.key(kind, fix), fix) for fix in fixes if fix is not None]
    known = [(key, fix) for key, fix in keyed if key is not None]
    return max(known)[1] if known and len(known) == len(fixes) else None


def _worst(statuses: Iterable[Status]) -> Status:
    seen = set(statuses)
    return "affected" if "affected" in seen else "unknown" if "unknown" in seen else "not_affected"


def bare_names(purl: str) -> tuple[str, ...]:
    """Return the names, in lower case, by which an inventory without package URLs may call the component."""
    path = purl.partition("/")[2].replace("%40", "@").lower()
    namespace, _, name = path.rpartition("/")
    return (name, path, f"{namespace}:{name}") if namespace and not namespace.startswith("@") else (path,)


class _Installed:
    """An installed version with its keys. `public` leaves out PEP 440's local label: 1.0+cu118 is a build of 1.0."""

    def __init__(self, kind: str, version: str) -> None:
        self.kind = kind
        self.text = version
        self.key = versions.key(kind, version)
        self.public = versions.key(kind, version.partition("+")[0]) if kind == "pypi" else self.key

    def equals(self, stated: str) -> bool:
        """True when `stated` is this version in any spelling; a local build equals the public version it was built from."""
        if stated == self.text:
            return True
        key = versions.key(self.kind, stated)
        return key is not None and (key == self.key or (key == self.public and "+" not in stated))

    def is_from(self, start: str | None) -> bool | None:
        """True when this version is `start` or later; None when that cannot be told."""
        if start is None:
            return True
        key = versions.key(self.kind, start)
        return None if key is None or self.key is None else self.key >= key

    def is_before(self, end: str) -> bool | None:
        """True when this version is older than `end`."""
        key = versions.key(self.kind, end)
        return None if key is None or self.key is None else self.key < key

    def is_up_to(self, last: str) -> bool | None:
        """True when this version is `last` or older (PEP 440: `<=` does not look at a local label)."""
        key = versions.key(self.kind, last)
        mine = self.key if "+" in last else self.public
        return None if key is None or mine is None else mine <= key


def _answer(installed: _Installed, entry: Affected) -> Match:
    """Evaluate one entry: versions named one by one decide before ranges do."""
    listed = any(map(installed.equals, entry.versions))
    cleared = next((stated for stated in (*entry.fixed, *entry.not_affected) if installed.equals(stated)), None)
    if listed and cleared is not None:
        return Match("unknown", None, f"the advisory contradicts itself: {cleared} is named as affected and as not affected")
    if listed:
        inside = next((interval for interval in _intervals(installed, entry) if _contains(installed, interval)), None)
        where = f" and in the affected range: {inside}" if inside else ""
        return Match("affected", None, f"{installed.text} is listed among the affected versions{where}")
    if cleared is not None:
        return Match("not_affected", None, f"the advisory names {cleared} as {'fixed' if cleared in entry.fixed else 'not affected'}")
    if any(map(installed.equals, entry.under_investigation)):
        return Match("unknown", None, f"the advisory says that {installed.text} is still under investigation")
    if "*" in entry.not_affected:
        return Match("not_affected", None, "the advisory names the component, in every version, as not affected")
    if "*" in entry.under_investigation and not entry.ranges:
        return Match("unknown", None, "the advisory says that the component is still under investigation")
    return _answer_by_ranges(installed, entry)


def _answer_by_ranges(installed: _Installed, entry: Affected) -> Match:
    intervals = list(_intervals(installed, entry))
    judged = [(interval, _contains(installed, interval)) for interval in intervals]
    for interval, inside in judged:
        if inside:
            return Match("affected", None, f"{installed.text} is in the affected range: {interval}")
    ordered = installed.key is not None
    if not ordered and (intervals or installed.kind in versions.SCHEMES):
        return Match("unknown", None, f"{installed.text} cannot be put in order by the rules of {installed.kind}")
    undecided = next((interval for interval, inside in judged if inside is None), None)
    if undecided is not None:
        return Match("unknown", None, f"the range {undecided} cannot be put in order by the rules of {installed.kind}")
    if intervals:
        return Match("not_affected", None, _outside(installed, intervals))
    if entry.is_complete and entry.versions:
        return Match("not_affected", None, f"{installed.text} is not among the {len(entry.versions)} versions listed as affected")
    if not entry.is_complete:
        return _answer_by_neighbors(installed, entry)
    if any(turn.kind == "limit" for stated in entry.timelines if stated.type != "GIT" for turn in stated.turns):
        return Match("not_affected", None, f"{installed.text} is not before the limit of any affected range")
    if any(stated.type == "GIT" for stated in entry.timelines):
        return Match("unknown", None, "the advisory states commits only, which say nothing about a version")
    return Match("unknown", None, "the advisory states no versions that could be compared")


def _answer_by_neighbors(installed: _Installed, entry: Affected) -> Match:
    """A document that names single versions: above a fixed one, and below the next affected one, means fixed; else unknown."""
    older: list[tuple[bytes, str, str]] = []
    for standing, stated in (("affected", entry.versions), ("fixed", entry.fixed), ("not affected", entry.not_affected)):
        for version in stated:
            key = versions.key(installed.kind, version)
            if key is not None and installed.key is not None and key < installed.key:
                older.append((key, standing, version))
    if older and max(older)[1] == "fixed":
        return Match("not_affected", None, f"{installed.text} comes after {max(older)[2]}, which the advisory names as fixed")
    return Match("unknown", None, f"the advisory does not say anything about {installed.text}")


def _intervals(installed: _Installed, entry: Affected) -> Iterator[_Interval]:
    for stated in entry.ranges:
        start = None if stated.introduced in (None, "0") else stated.introduced
        yield _Interval(start, stated.fixed, stated.last_affected)
    for timeline in entry.timelines:
        if timeline.type == "GIT":
            continue
        is_before = _is_before_limits(installed, timeline)
        if is_before is None:
            yield _Interval(None, next(turn.version for turn in timeline.turns if turn.kind == "limit"))
        elif is_before:
            yield from _replay(_in_order(installed.kind, timeline))


def _is_before_limits(installed: _Installed, timeline: Timeline) -> bool | None:
    """OSV's BeforeLimits: without limits, or before any one of them."""
    limits = [turn.version for turn in timeline.turns if turn.kind == "limit"]
    answers = [limit == "*" or installed.is_before(limit) for limit in limits]
    return True if not limits or True in answers else None if None in answers else False


def _in_order(kind: str, timeline: Timeline) -> list[Turn]:
    """Sort the events by version; several on one version stay as stated (OSV leaves it open), `last_affected` after the others.

    Where an event has no place in the ecosystem's order, all stay as stated: what depends on it will be unknown.
    """
    turns = [turn for turn in timeline.turns if turn.kind != "limit"]
    keyed = []
    for turn in turns:
        key = b"" if turn.kind == "introduced" and turn.version == "0" else versions.key(kind, turn.version)
        if key is None:
            return turns
        keyed.append((key, turn.kind == "last_affected", turn))
    return [turn for _, _, turn in sorted(keyed, key=lambda entry: entry[:2])]


def _replay(turns: list[Turn]) -> Iterator[_Interval]:
    """Walk the events as OSV's IncludedInRanges does and yield each stretch in which the flaw is present."""
    start: Turn | None = None
    for turn in turns:
        if turn.kind == "introduced":
            start = start or turn
        elif start is not None:
            since = None if start.version == "0" else start.version
            yield _Interval(since, turn.version) if turn.kind == "fixed" else _Interval(since, None, turn.version)
            start = None
    if start is not None:
        yield _Interval(None if start.version == "0" else start.version)


def _contains(installed: _Installed, interval: _Interval) -> bool | None:
    if installed.key is None:
        return None
    end: bool | None = True
    if interval.fixed is not None:
        end = installed.is_before(interval.fixed)
    elif interval.last is not None:
        end = installed.is_up_to(interval.last)
    start = installed.is_from(interval.start)
    if start is False or end is False:
        return False
    return None if start is None or end is None else True


def _outside(installed: _Installed, intervals: list[_Interval]) -> str:
    """Say which bound keeps the version out: the nearest end that it has passed, else the first start that it has not reached."""
    passed = [interval for interval in intervals if installed.is_from(interval.start)]
    if not passed:
        starts = sorted((versions.key(installed.kind, text) or b"", text) for interval in intervals if (text := interval.start))
        return f"{installed.text} is older than {starts[0][1]}, where the flaw was introduced"
    ends = [(versions.key(installed.kind, end) or b"", end, interval) for interval in passed if (end := interval.fixed or interval.last)]
    _, end, nearest = max(ends, key=lambda entry: entry[0])
    if nearest.fixed is not None:
        return f"{installed.text} is {'the version' if installed.equals(end) else 'later than ' + end + ','} in which the flaw was fixed"
    return f"{installed.text} is later than {end}, the last version known to be affected"


def _across_releases(answers: list[tuple[Affected, Match]]) -> Match | None:
    """An inventory that does not state the distribution's release gets an answer only where all releases agree."""
    releases = {entry.release: answer.status for entry, answer in answers if entry.release is not None}
    if len(set(releases.values())) <= 1:
        return None
    told = ", ".join(f"{status.replace('_', ' ')} in {release}" for release, status in sorted(releases.items()))
    return Match("unknown", None, f"the inventory does not state the release of the distribution, and it decides: {told}")


def _strongest(answers: list[Match], installed: _Installed, entries: list[Affected]) -> Match:
    status = _worst(answer.status for answer in answers)
    answer = next(answer for answer in answers if answer.status == status)
    if status != "affected":
        return answer
    fixed = _way_out(installed, entries)
    if fixed is not None and _is_affected(_Installed(installed.kind, fixed), entries):
        return Match(status, fixed, f"{answer.why}; the advisory lists {fixed} as affected as well")
    return Match(status, fixed, answer.why)


def _way_out(installed: _Installed, entries: list[Affected]) -> str | None:
    """Return the end of the affected range, or of the next one where that version is itself affected; None when open.

    A version that is only listed, in no range, has the lowest fixed version above it that is not affected.
    """
    if installed.key is None:
        return None
    current, seen = installed, set()
    while True:
        inside = [interval for entry in entries for interval in _intervals(current, entry) if _contains(current, interval)]
        if not inside:
            break
        if any(interval.fixed is None for interval in inside):
            return _named_fix(current, entries)
        step = max((interval.fixed for interval in inside if interval.fixed), key=partial(_sort_key, installed.kind))
        if step in seen:
            return None
        seen.add(step)
        current = _Installed(installed.kind, step)
    if current is installed:
        return _named_fix(current, entries)
    return (_named_fix(current, entries) or current.text) if _is_affected(current, entries) else current.text


def _named_fix(installed: _Installed, entries: list[Affected]) -> str | None:
    """The lowest version above that an entry names as fixed and none as affected."""
    intervals = [interval for entry in entries for interval in _intervals(installed, entry)]
    fixes = {fix for entry in entries for fix in entry.fixed}
    if not any(_contains(installed, interval) for interval in intervals):
        fixes |= {stated.fixed for entry in entries for stated in entry.ranges if stated.fixed is not None}
        turns = [turn for entry in entries for stated in entry.timelines if stated.type != "GIT" for turn in stated.turns]
        fixes |= {turn.version for turn in turns if turn.kind == "fixed"}
    later = sorted((fix for fix in fixes if installed.is_before(fix)), key=partial(_sort_key, installed.kind))
    return next((fix for fix in later if not _is_affected(_Installed(installed.kind, fix), entries)), None)


def _is_affected(installed: _Installed, entries: list[Affected]) -> bool:
    return any(_answer(installed, entry).status == "affected" for entry in entries)


def _sort_key(kind: str, version: str) -> bytes:
    return versions.key(kind, version) or b""
