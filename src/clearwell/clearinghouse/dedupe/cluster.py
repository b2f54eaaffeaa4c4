# SPDX-License-Identifier: Apache-2.0
"""Clusters: what the signatures make of a pile of findings, the same whatever the order in which they came.

Rules are applied from the strongest to the weakest, each to all findings at once. A rule that cannot join its findings without a
contradiction (two findings of one run, two versions) joins none of them: a wrong merge hides a bug, a missed one costs a look.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import msgspec

from clearwell.clearinghouse.dedupe.signature import STACKS, VERSIONS, Signature, content_digest, run_signatures, tool_of, unknown_signature
from clearwell.clearinghouse.dedupe.spelling import component_of, function_of, path_of
from clearwell.vocabulary.finding import Finding, Location

MAX_LINES_APART = 50
"""Two tools' only findings of a family in one file are one only when the lines they name, if both do, lie this near."""

_SAME_SOFTWARE = 0.5
_EVERY_ONE_OF = 2
"""Findings at line 1, and at no other, from which on a run is taken to know no lines."""
_MAX_COMPARED = 300
_MAX_EVIDENCE = 12


class Evidence(msgspec.Struct, frozen=True):
    """Why a finding is where it is: the kind of signature that it shares, and what is the same."""

    signal: str
    value: str


class Row(msgspec.Struct, frozen=True):
    """One finding's place: its cluster's id, and by which rung ("L0", "L1", None when alone) and evidence it is there.

    A crash whose stack gives no signature says why in an evidence "unknown signature".
    """

    file: str
    index: int
    cluster: str
    rung: str | None
    location: Location | None
    evidence: tuple[Evidence, ...]


class _Sets:
    """Disjoint sets of finding numbers (union-find)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, numbers: Iterable[int]) -> None:
        roots = sorted({self.find(number) for number in numbers})
        for root in roots[1:]:
            self._parent[root] = roots[0]


class _Facts(msgspec.Struct):
    """What a cluster must not contradict: the runs of its findings, the versions they name."""

    runs: set[object]
    versions: set[tuple[str | None, str]]


def cluster(findings: Sequence[tuple[str, int, Finding]], unknown: str = "") -> list[Row]:
    """Say which findings are one bug. Each is (file, index within it, finding); rows come in the same order.

    `unknown` is the scope of findings without a component (`signatures`). The cluster's id is made of what its findings say.
    """
    runs = _runs(findings)
    signatures = _all_signatures(findings, runs, unknown)
    clusters = _Clusters([finding for _, _, finding in findings], runs, signatures)
    for kind in VERSIONS:
        clusters.apply(kind)
    return _rows(findings, signatures, clusters)


def _runs(findings: Sequence[tuple[str, int, Finding]]) -> list[tuple[str, int, str]]:
    """Name each finding's run: its file (a file given twice is two), and the tool."""
    seen: Counter[tuple[str, int]] = Counter()
    runs = []
    for file, index, finding in findings:
        runs.append((file, seen[file, index], tool_of(finding)))
        seen[file, index] += 1
    return runs


def _all_signatures(
    findings: Sequence[tuple[str, int, Finding]], runs: Sequence[tuple[str, int, str]], unknown: str
) -> list[tuple[Signature, ...]]:
    members: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for number, run in enumerate(runs):
        members[run].append(number)
    for numbers in members.values():
        numbers.sort(key=lambda number: findings[number][1])
    scopes = _unknown_scopes(findings, members)
    signatures: list[tuple[Signature, ...]] = [()] * len(findings)
    for run, numbers in members.items():
        scope = f"{unknown}\x00{scopes[run]}" if run in scopes else unknown
        for number, row in zip(numbers, run_signatures([findings[number][2] for number in numbers], scope), strict=True):
            signatures[number] = row
    return signatures


def _unknown_scopes(
    findings: Sequence[tuple[str, int, Finding]], members: dict[tuple[str, int, str], list[int]]
) -> dict[tuple[str, int, str], int]:
    """Number the unknown components: a tool's runs that name no component are about one software when they share most files."""
    files: dict[tuple[str, int, str], frozenset[str]] = {}
    for run, numbers in members.items():
        nameless = [findings[number][2] for number in numbers if component_of(findings[number][2].product)[0] is None]
        if any(finding.crash is None for finding in nameless):
            files[run] = frozenset(path_of(f.location.file) for f in nameless if f.location is not None and f.location.file)
    order = list(files)
    sets = _Sets(len(order))
    distinct: dict[tuple[str, frozenset[str]], int] = {}
    for i, run in enumerate(order):
        sets.join((i, distinct.setdefault((run[2], files[run]), i)))
    by_tool: dict[str, list[tuple[frozenset[str], int]]] = defaultdict(list)
    for (tool, names), i in distinct.items():
        by_tool[tool].append((names, i))
    for different in by_tool.values():
        if len(different) <= _MAX_COMPARED:
            for (a, i), (b, j) in combinations(different, 2):
                if len(a & b) >= _SAME_SOFTWARE * max(1, len(a | b)):
                    sets.join((i, j))
    return {run: sets.find(i) for i, run in enumerate(order)}


class _Clusters:
    """The sets as they grow, rule by rule."""

    def __init__(self, findings: list[Finding], runs: list[tuple[str, int, str]], signatures: list[tuple[Signature, ...]]) -> None:
        self.findings = findings
        self.runs = runs
        self.sets = _Sets(len(findings))
        self.joined: set[bytes] = set()
        self._bearers: dict[str, dict[bytes, list[int]]] = {kind: defaultdict(list) for kind in VERSIONS}
        self._any_version: dict[bytes, bool] = {}
        self._unlined = _runs_without_lines(findings, runs)
        for number, row in enumerate(signatures):
            for signature in row:
                self._bearers[signature.kind][signature.key].append(number)
                self._any_version[signature.key] = signature.any_version

    def apply(self, kind: str) -> None:
        """Join by one rule: first each key's findings, without those that contradict; then what the keys together connect."""
        groups = [(key, numbers) for key, numbers in self._bearers[kind].items() if len(numbers) > 1]
        for key, numbers in groups:
            if self._any_version[key]:  # the same thing sent again: no contradiction can be
                self.joined.add(key)
                self.sets.join(numbers)
        groups = [(key, numbers) for key, numbers in groups if not self._any_version[key]]
        facts = self._facts(kind, groups)
        agreed = [(key, roots) for key, numbers in groups for roots in self._agreed(kind, numbers, facts)]
        tentative = _Sets(len(self.findings))
        connected: dict[int, set[int]] = defaultdict(set)
        for _, roots in agreed:
            tentative.join(roots)
        for _, roots in agreed:
            connected[tentative.find(roots[0])].update(roots)
        whole = {top for top, roots in connected.items() if self._may_join(sorted(roots), facts)}
        for key, roots in agreed:
            if tentative.find(roots[0]) in whole:
                self.joined.add(key)
                self.sets.join(roots)

    def _facts(self, kind: str, groups: list[tuple[bytes, list[int]]]) -> dict[int, _Facts]:
        """Gather the facts of every cluster that this rule touches."""
        touched = {self.sets.find(number) for _, numbers in groups for number in numbers}
        facts = {root: _Facts(set(), set()) for root in touched}
        for number, finding in enumerate(self.findings):
            root = self.sets.find(number)
            if root in facts:
                if finding.crash is None:
                    facts[root].runs.add(self.runs[number])
                elif kind not in STACKS:
                    facts[root].runs.add("a crash")  # two stacks that are not one are not made one by their place
                component, at = component_of(finding.product)
                if at is not None:
                    facts[root].versions.add((component, at))
        return facts

    def _agreed(self, kind: str, numbers: list[int], facts: dict[int, _Facts]) -> list[list[int]]:
        """Return the clusters that one key joins, in as many lists as versions keep them apart."""
        roots = sorted({self.sets.find(number) for number in numbers})
        agreed = []
        for part in _by_version(roots, facts):
            shared = Counter(run for root in part for run in facts[root].runs)
            lonely = [root for root in part if all(shared[run] == 1 for run in facts[root].runs)]
            if kind == "file" and (len(lonely) < len(part) or not self._is_one_place(numbers, set(part))):
                continue
            agreed.append(lonely)
        return [part for part in agreed if part]

    def _is_one_place(self, numbers: list[int], roots: set[int]) -> bool:
        """Without a function: none that contradict, lines that lie near, and not two rules of one tool."""
        functions: set[str] = set()
        lines: list[int] = []
        rules: dict[str, set[str]] = defaultdict(set)
        for number in numbers:
            finding = self.findings[number]
            place = finding.location
            if self.sets.find(number) not in roots or place is None:
                continue
            if (function := function_of(place.function)) is not None:
                functions.add(function)
            if place.line is not None and self.runs[number] not in self._unlined:
                lines.append(place.line)
            if finding.rule is not None:
                rules[tool_of(finding)].add(finding.rule)
        near = not lines or max(lines) - min(lines) <= MAX_LINES_APART
        return near and len(functions) <= 1 and all(len(names) == 1 for names in rules.values())

    def _may_join(self, roots: list[int], facts: dict[int, _Facts]) -> bool:
        """True when all these clusters can be one: no run twice, and a version that all which name one share."""
        runs = Counter(run for root in roots for run in facts[root].runs)
        return all(count == 1 for count in runs.values()) and _shares_version(roots, facts)


def _runs_without_lines(findings: Sequence[Finding], runs: Sequence[tuple[str, int, str]]) -> set[tuple[str, int, str]]:
    """Runs that say line 1 of everything, which is how a tool that knows no lines fills a field that it must fill."""
    lines: dict[tuple[str, int, str], Counter[int]] = defaultdict(Counter)
    for finding, run in zip(findings, runs, strict=True):
        if finding.location is not None and finding.location.line is not None:
            lines[run][finding.location.line] += 1
    return {run for run, counted in lines.items() if set(counted) == {1} and counted[1] >= _EVERY_ONE_OF}


def _by_version(roots: list[int], facts: dict[int, _Facts]) -> list[list[int]]:
    """Split clusters by the versions they name. Those that name none go with the others only where these agree."""
    if _shares_version(roots, facts):
        return [roots]
    parts: dict[frozenset[tuple[str | None, str]], list[int]] = defaultdict(list)
    for root in roots:
        parts[frozenset(facts[root].versions)].append(root)
    return list(parts.values())


def _shares_version(roots: list[int], facts: dict[int, _Facts]) -> bool:
    named = [facts[root].versions for root in roots if facts[root].versions]
    return not named or bool(set.intersection(*named))


def _rows(findings: Sequence[tuple[str, int, Finding]], signatures: list[tuple[Signature, ...]], clusters: _Clusters) -> list[Row]:
    roots = [clusters.sets.find(number) for number in range(len(findings))]
    names = _names(findings, roots)
    bearers = Counter((roots[number], signature.key) for number, row in enumerate(signatures) for signature in row)
    rows = []
    for number, (file, index, finding) in enumerate(findings):
        shared = [s for s in signatures[number] if s.key in clusters.joined and bearers[roots[number], s.key] > 1]
        shared.sort(key=lambda signature: signature.rung)
        evidence = [Evidence(*signature.evidence) for signature in shared[:_MAX_EVIDENCE]]
        if (reason := unknown_signature(finding)) is not None:
            evidence.append(Evidence("unknown signature", reason))
        rung = min((signature.rung for signature in shared), default=None)
        rows.append(Row(file, index, names[roots[number]], rung, _shown_location(finding), tuple(evidence)))
    return rows


def _names(findings: Sequence[tuple[str, int, Finding]], roots: list[int]) -> dict[int, str]:
    """Name each cluster by the least digest of its findings; equal findings that nothing joins are numbered."""
    least: dict[int, str] = {}
    for (_, _, finding), root in zip(findings, roots, strict=True):
        digest = content_digest(finding).hex()[:24]
        least[root] = min(least.get(root, digest), digest)
    taken: Counter[str] = Counter()
    names = {}
    for root, digest in least.items():
        taken[digest] += 1
        names[root] = digest if taken[digest] == 1 else f"{digest}-{taken[digest]}"
    return names


def _shown_location(finding: Finding) -> Location | None:
    if finding.location is not None:
        return finding.location
    if finding.crash is not None and finding.crash.frames:
        frame = finding.crash.frames[0]
        return Location(frame.file, frame.line, frame.function)
    return None
