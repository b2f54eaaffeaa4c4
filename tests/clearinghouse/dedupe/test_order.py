# SPDX-License-Identifier: Apache-2.0
"""In whatever order reports arrive (L0, L1): what belongs together is together, no two versions meet, and no report bridges two others."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearwell.clearinghouse.case.case import open_case
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe.cluster import cluster
from clearwell.clearinghouse.dedupe.decide import Known, decide, speaks_for_case, usable
from clearwell.clearinghouse.dedupe.signature import PLACES, Signature, run_signatures
from clearwell.clearinghouse.dedupe.spelling import component_of
from clearwell.vocabulary.finding import Finding, ProofFiles
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId
from clearwell.vocabulary.marking import Marking
from clearwell.vocabulary.weakness import Weakness

from .conftest import at, crash, report

NOW = datetime(2026, 11, 2, tzinfo=UTC)
Run = Sequence[Finding]
Name = tuple[int, int]
"""A finding's name whatever the order: its run and its place there."""


class Shelf:
    """Cases as a hub makes them of reports that arrive one after another, with the hub's own decisions and nothing else."""

    def __init__(self) -> None:
        self.known: dict[bytes, list[Known]] = {}
        self.cases: dict[CaseId, KeptCase] = {}
        self.members: dict[CaseId, list[Name]] = {}

    def take(self, number: int, run: Run) -> None:
        """Decide one run's findings in order."""
        submission = SubmissionId(f"sub_{number}")
        for position, (finding, found) in enumerate(zip(run, map(usable, run_signatures(run)), strict=True)):
            version = component_of(finding.product)[1]
            joined = decide(found, submission, version, False, self.known, self.cases)
            case = joined.case if joined else CaseId(f"case_{len(self.cases)}")
            noun = open_case(case, "pkg:pypi/libfoo", "a title", (), NOW, NOW)
            kept = self.cases.get(case, KeptCase(case=noun, marking=Marking.AMBER))
            self.cases[case] = msgspec.structs.replace(kept, version=kept.version or version)
            self.members.setdefault(case, []).append((number, position))
            for signature in found:
                rows = self.known.setdefault(signature.key, [])
                if any(row.case == case for row in rows) or speaks_for_case(signature, joined):
                    rows.append(Known(signature.key, FindingId("finding_x"), submission, case, signature.at, False))

    @property
    def partition(self) -> set[frozenset[Name]]:
        """Which findings are in one case."""
        return {frozenset(members) for members in self.members.values()}


def arrived(runs: Sequence[Run], order: Sequence[int]) -> Shelf:
    shelf = Shelf()
    for number in order:
        shelf.take(number, runs[number])
    return shelf


def orders(runs: Sequence[Run]) -> list[Shelf]:
    return [arrived(runs, order) for order in permutations(range(len(runs)))]


def weak(finding: Finding, *weaknesses: str) -> Finding:
    return msgspec.structs.replace(finding, weaknesses=tuple(Weakness(weakness) for weakness in weaknesses))


STATIC = st.builds(
    lambda function, weaknesses, tool, mark, line, words, version: at(
        weak(
            report("a.c", line, function, tool=tool, title=words, fingerprints=(("id/v1", mark * 32),) if mark else (), rule="r1"),
            *weaknesses,
        ),
        version,
    ),
    st.sampled_from([None, "pump", "valve"]),
    st.lists(st.sampled_from(["CWE-787", "CWE-89", "CWE-79"]), min_size=1, max_size=2, unique=True),
    st.sampled_from(["tool-a", "tool-b"]),
    st.sampled_from([None, "1a", "2b"]),
    st.sampled_from([10, 20]),
    st.sampled_from(["an overflow in the pump of this program", "the pump of this program writes behind its buffer"]),
    st.sampled_from([None, "1.0", "2.0"]),
)
CRASHES = st.builds(
    lambda functions, version: at(crash(*functions), version),
    st.sampled_from([("pump", "run", "main"), ("valve", "run", "main")]),
    st.sampled_from([None, "1.0", "2.0"]),
)
RUNS = st.lists(st.lists(STATIC | CRASHES, min_size=1, max_size=2), min_size=2, max_size=4)


@settings(max_examples=100, deadline=None)
@given(runs=RUNS)
def test_in_any_order_no_two_versions_and_no_two_strangers_are_in_one_case(runs: list[list[Finding]]) -> None:
    signed = [list(map(usable, run_signatures(run))) for run in runs]
    for shelf in orders(runs):
        for members in shelf.members.values():
            assert len({component_of(runs[run][position].product)[1] for run, position in members} - {None}) <= 1
            for number, member in enumerate(members[1:], 1):
                assert _share(signed, member, members[0]) or any(_share(signed, member, other, only="L0") for other in members[:number])


@settings(max_examples=100, deadline=None)
@given(runs=RUNS)
def test_what_shares_signatures_pair_by_pair_is_one_case_in_any_order(runs: list[list[Finding]]) -> None:
    signed = [list(map(usable, run_signatures(run))) for run in runs]
    names = [(run, position) for run, row in enumerate(signed) for position in range(len(row))]
    near = {(one, other) for one in names for other in names if one == other or _may_meet(signed, one, other)}
    together = {name: frozenset(other for other in names if (name, other) in near) for name in names}
    settled = {name for name in names if all(together[other] == together[name] for other in together[name])}

    for shelf in orders(runs):
        case_of = {name: members for members in shelf.partition for name in members}
        assert all(case_of[name] == together[name] for name in settled)


def _share(signed: Sequence[Sequence[tuple[Signature, ...]]], one: Name, other: Name, only: str | None = None) -> set[bytes]:
    first, second = ({s.key for s in signed[run][position] if only in {None, s.rung}} for run, position in (one, other))
    return first & second


def _may_meet(signed: Sequence[Sequence[tuple[Signature, ...]]], one: Name, other: Name) -> bool:
    """True when two findings share a signature by which they may be one: no two places of one run, no two versions."""
    theirs = {s.key: s for s in signed[other[0]][other[1]]}
    for mine in signed[one[0]][one[1]]:
        if mine.key not in theirs or (one[0] == other[0] and mine.kind in PLACES):
            continue
        if mine.any_version or mine.at is None or theirs[mine.key].at is None or mine.at == theirs[mine.key].at:
            return True
    return False


@pytest.mark.parametrize("words", [("CWE-787", "CWE-89", "CWE-79"), ("CWE-787", "CWE-89")])
def test_a_report_of_several_weaknesses_at_one_place_bridges_none_of_them_in_any_order(words: tuple[str, ...]) -> None:
    """The fault that was known: such a report, when it came first, drew the reports of each weakness into its own case."""
    alone = [[weak(report("a.c", 10 + n, "pump", tool=f"tool-{n % 3}", title=f"flaw {n}"), words[n % len(words)])] for n in range(4)]
    runs = [*alone, [weak(report("a.c", 9, "pump", tool="tool-x", title="all at once"), *reversed(words))]]
    # it speaks of the one that says most of what the flaw is, and of no other
    flaws = {frozenset((n, 0) for n in (*range(4), 4 * len(words)) if n % len(words) == flaw) for flaw in range(len(words))}
    flaws = {frozenset((min(run, 4), 0) for run, _ in flaw) for flaw in flaws}

    assert all(shelf.partition == flaws for shelf in orders(runs))
    rows = cluster([(f"run {n}", 0, run[0]) for n, run in enumerate(runs)])
    assert len({row.cluster for row in rows}) == len(flaws)


def test_in_whatever_order_weaknesses_are_told_the_same_one_speaks_for_the_finding() -> None:
    told = (("CWE-787", "CWE-89"), ("CWE-89", "CWE-122"), ("CWE-20", "CWE-89", "CWE-787"), ("CWE-787",))
    runs = [[weak(report("a.c", 10, "pump", tool=f"tool-{n}", title=f"report {n}"), *words)] for n, words in enumerate(told)]

    assert all(len(shelf.cases) == 1 for shelf in orders(runs))


def test_two_findings_of_one_run_at_one_place_are_two_though_a_third_stands_there() -> None:
    lone = [report("a.c", 10, "pump", tool="tool-a", title="one")]
    pair = [report("a.c", line, "pump", tool="tool-b", title=f"at {line}") for line in (20, 30)]

    assert all(len(shelf.cases) == 3 for shelf in orders([lone, pair]))


def places(*run: Finding) -> list[bool]:
    return [any(signature.kind == "location" for signature in row) for row in run_signatures(run)]


def test_a_place_at_two_versions_is_two_places_of_which_a_run_loses_neither() -> None:
    one, other = (at(report("a.c", 10, "pump", title=f"at {version}"), version) for version in ("1.0", "1.1"))

    assert places(one, other) == [True, True]
    assert places(one, at(report("a.c", 20, "pump", title="another"), "1.0")) == [False, False]


def test_what_brings_a_proof_keeps_its_place_beside_others_of_its_run_and_those_without_lose_theirs() -> None:
    proven = [
        msgspec.structs.replace(report("a.c", line, "pump", title=f"at {line}"), proof=ProofFiles({"proof.toml": b"%d" % line}))
        for line in (10, 20)
    ]
    bare = [report("a.c", line, "pump", title=f"at {line}") for line in (30, 40)]

    assert places(*proven) == [True, True]
    assert places(proven[0], bare[0]) == [True, True]
    assert places(*bare) == [False, False]


def test_two_stacks_at_one_place_are_two_flaws_though_a_third_report_names_the_place_alone() -> None:
    place = report("a.c", 10, "pump", tool="tool-a", title="an overflow")
    stacks = [msgspec.structs.replace(crash("pump", caller, "main"), weaknesses=place.weaknesses) for caller in ("run", "step")]
    stacks = [msgspec.structs.replace(one, locations=place.locations) for one in stacks]

    assert all(len(shelf.cases) == 3 for shelf in orders([[place], *([one] for one in stacks)]))


def test_a_report_that_names_no_version_brings_no_two_versions_together_by_whatever_signature() -> None:
    marked = (("id/v1", "1a" * 16),)
    nameless = at(report("a.c", 10, "pump", tool="tool-a", fingerprints=marked), None)
    one = at(report("a.c", 20, "pump", tool="tool-b", title="at one version"), "1.0")
    two = at(report("a.c", 30, None, tool="tool-a", title="at another version", fingerprints=marked), "2.0")

    for shelf in orders([[nameless], [one], [two]]):
        assert not any({(1, 0), (2, 0)} <= members for members in shelf.partition)


def test_what_a_stranger_brings_along_lets_nobody_in_whoever_comes_first() -> None:
    """A report with the mark of one flaw and the place of another goes by its place, whatever arrived before it or after."""
    marked = (("id/v1", "1a" * 16),)
    first = report("a.c", 10, None, tool="tool-a", fingerprints=marked)
    bridge = report("a.c", 20, "pump", tool="tool-a", title="moved", fingerprints=marked)
    last = report("a.c", 30, "pump", tool="tool-b", title="another")

    for shelf in orders([[first], [bridge], [last]]):
        assert shelf.partition == {frozenset({(0, 0)}), frozenset({(1, 0), (2, 0)})}


def test_a_report_with_the_mark_of_one_and_the_order_of_another_goes_by_its_mark_whoever_comes_first() -> None:
    """A finding above was mended, so what was the second of two is the first now: the tool's mark says which it is."""
    marks = [(("id/v1", digit * 32),) for digit in ("1a", "2b", "3c")]
    before = [report("a.c", line, rule="r1", title=f"at {line}", fingerprints=mark) for line, mark in zip((10, 20), marks[:2], strict=True)]
    after = [report("a.c", line, rule="r1", title=f"now {line}", fingerprints=mark) for line, mark in zip((18, 30), marks[1:], strict=True)]
    bare = [report("a.c", line, rule="r1", title=f"bare {line}") for line in (10, 20)]

    for shelf in orders([before, after, bare]):
        assert shelf.partition == {frozenset(names) for names in ({(0, 0)}, {(0, 1), (1, 0)}, {(1, 1)}, {(2, 0)}, {(2, 1)})}


MANY = st.builds(
    lambda function, weakness, tool, marks, line, rule: weak(
        report("a.c", line, function, tool=tool, title=f"{tool} says {weakness} {marks} {rule}", fingerprints=tuple(marks), rule=rule),
        weakness,
    ),
    st.sampled_from([None, "pump", "valve"]),
    st.sampled_from(["CWE-787", "CWE-89"]),
    st.sampled_from(["tool-a", "tool-b"]),
    st.lists(
        st.tuples(st.sampled_from(["id/v1", "line/v2"]), st.sampled_from(["1a" * 16, "2b" * 16])), max_size=2, unique_by=lambda m: m[0]
    ),
    st.sampled_from([10, 20]),
    st.sampled_from(["r1", "r2"]),
)
STACKED = st.builds(
    lambda functions, lines, site: msgspec.structs.replace(
        one := crash(*functions, call_sites=(f"lib.so+{site}",) if site else ()),
        crash=msgspec.structs.replace(one.crash, frames=tuple(msgspec.structs.replace(frame, line=lines) for frame in one.crash.frames)),
    ),
    st.sampled_from([("pump", "run", "main"), ("valve", "run", "main"), ("pump", None, "main")]),
    st.sampled_from([None, 3, 4]),
    st.sampled_from([None, "0x10", "0x20"]),
)


@settings(max_examples=200, deadline=None)
@given(
    runs=st.lists(st.lists(MANY | STACKED, min_size=1, max_size=3), min_size=2, max_size=4),
    version=st.sampled_from([None, "1.0"]),
)
def test_reports_with_signatures_of_every_kind_make_the_same_cases_in_any_order(runs: list[list[Finding]], version: str | None) -> None:
    runs = [[at(finding, version) for finding in run] for run in runs]
    assume(all(len(spoken) == 1 for spoken in _spoken_for_words(runs).values()))  # ADR 32: what is left

    first, *others = (shelf.partition for shelf in orders(runs))

    assert all(partition == first for partition in others)


def _spoken_for_words(runs: Sequence[Run]) -> dict[bytes, set[frozenset[bytes]]]:
    """For each report's words the keys of L1 that speak for it: more than one set only where runs of different extent say the same."""
    spoken: dict[bytes, set[frozenset[bytes]]] = {}
    for row in (usable(found) for run in runs for found in run_signatures(run)):
        for words in (signature.key for signature in row if signature.kind == "report"):
            spoken.setdefault(words, set()).add(frozenset(signature.key for signature in row if signature.rung == "L1"))
    return spoken


def test_three_reports_show_why_a_report_goes_by_one_kind_alone() -> None:
    """What no rule can have at once (ADR 32): both pairs of a chain joined when alone, its ends apart, nobody taken out, any order.

    Every way of putting a, b, c into cases, as a function of which of them are there: one that keeps the ends apart parts a pair.
    """
    ways = [{"abc"}, {"ab", "c"}, {"a", "bc"}, {"a", "b", "c"}, {"ac", "b"}]
    together = [{frozenset(pair) for part in way for pair in permutations(part, 2)} for way in ways]
    pairs, ends = {frozenset("ab"), frozenset("bc")}, frozenset("ac")

    assert [way for way, joined in zip(ways, together, strict=True) if pairs <= joined and ends not in joined] == []
