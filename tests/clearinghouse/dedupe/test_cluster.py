# SPDX-License-Identifier: Apache-2.0
"""Clusters: what is one bug, what only looks like it, and that the order of arrival does not matter."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.cluster import Row, cluster
from clearwell.vocabulary.finding import Finding, Location, Origin, ProofFiles
from clearwell.vocabulary.weakness import Weakness

from .conftest import LIBFOO, at, crash, report


def numbered(**runs: list[Finding]) -> list[tuple[str, int, Finding]]:
    return [(file, index, finding) for file, findings in runs.items() for index, finding in enumerate(findings)]


def partition(rows: list[Row]) -> set[frozenset[tuple[str, int]]]:
    members: dict[str, set[tuple[str, int]]] = {}
    for row in rows:
        members.setdefault(row.cluster, set()).add((row.file, row.index))
    return {frozenset(group) for group in members.values()}


def joined(*findings: Finding) -> bool:
    """Each finding comes in a run of its own."""
    return len({row.cluster for row in cluster([(f"run {i}", 0, finding) for i, finding in enumerate(findings)])}) == 1


def test_a_finding_alone_has_no_rung_and_a_place() -> None:
    (row,) = cluster(numbered(a=[report("src/a.c", 7, "parse")]))

    assert (row.rung, row.location, row.evidence) == (None, Location("src/a.c", 7, "parse"), ())


def test_the_same_report_twice_is_one_by_l0() -> None:
    rows = cluster(numbered(a=[report()], b=[report()]))

    assert {row.rung for row in rows} == {"L0"}
    assert rows[0].evidence[0].signal == "report"


def test_the_same_file_given_twice_pairs_each_finding_with_itself() -> None:
    run = [report(line=line, rule="R") for line in (10, 20, 30)]

    rows = cluster(numbered(a=run) + numbered(a=run))

    assert [row.cluster for row in rows[:3]] == [row.cluster for row in rows[3:]]
    assert len({row.cluster for row in rows}) == 3


def test_shifted_lines_and_other_words_are_matched_by_order() -> None:
    run = [report(f"src/{name}.c", line, rule="R") for name in "ab" for line in (10, 20, 30)]
    again = [
        msgspec.structs.replace(f, title="x", message="y", locations=(Location(f.locations[0].file, (f.locations[0].line or 0) + 3),))
        for f in run
    ]

    rows = cluster(numbered(a=run, b=again))

    assert [row.cluster for row in rows[:6]] == [row.cluster for row in rows[6:]]
    assert len({row.cluster for row in rows}) == 6
    assert {row.rung for row in rows} == {"L1"}


def test_two_findings_of_one_run_never_join_by_place() -> None:
    twice = [report("src/a.c", 10, "parse", title="one"), report("src/a.c", 12, "parse", title="two")]

    assert len(partition(cluster(numbered(a=twice)))) == 2


def test_a_third_finding_does_not_chain_two_of_one_run() -> None:
    one = report("src/a.c", 10, "parse", title="one", external_id="6f9619ff-8b86-4d11-b42d-00c04fc964ff")
    two = report("src/a.c", 12, "parse", title="two")
    bridge = report("src/a.c", 11, "parse", title="three", external_id="6f9619ff-8b86-4d11-b42d-00c04fc964ff")

    rows = cluster(numbered(a=[one, two], b=[bridge]))

    assert rows[0].cluster != rows[1].cluster
    assert rows[0].cluster == rows[2].cluster


def test_several_weaknesses_do_not_chain_two_of_one_run() -> None:
    both = msgspec.structs.replace(report("a.c", 5, "f", tool="tool-b"), weaknesses=(Weakness("CWE-787"), Weakness("CWE-79")))

    rows = cluster(numbered(a=[report("a.c", 5, "f"), report("a.c", 5, "f", cwe="CWE-79", title="other")], b=[both]))

    assert rows[0].cluster != rows[1].cluster


def test_look_alikes_at_two_versions_stay_apart() -> None:
    one = at(report("filters.py", 40, "do_attr", cwe="CWE-79", title="key with a space"), "3.1.2")
    two = at(report("filters.py", 41, "do_attr", cwe="CWE-79", title="key with a slash", tool="tool-b"), "3.1.3")

    assert not joined(one, two)


def test_an_unknown_version_joins_one_but_does_not_chain_two() -> None:
    one, two = at(report(function="f", tool="tool-a"), "1.0"), at(report(function="f", tool="tool-b", title="x"), "2.0")
    unknown = at(report(function="f", tool="tool-c", title="y"), None)

    assert joined(one, unknown)
    assert len(partition(cluster(numbered(a=[one], b=[two], c=[unknown])))) == 3


def test_the_same_stack_at_two_versions_or_none_may_be_another_bug() -> None:
    one = crash("parse", "load", "main", state="parse\nload\nmain\n")
    assert one.crash is not None
    bare = msgspec.structs.replace(
        one, crash=msgspec.structs.replace(one.crash, frames=tuple(msgspec.structs.replace(f, line=None) for f in one.crash.frames))
    )

    assert not joined(at(one, "1.0"), at(one, "1.1"))
    assert not joined(at(bare, None), at(bare, None))
    assert joined(at(one, "1.0"), at(bare, "1.0"))
    assert joined(at(one, "1.0"), at(one, None))


def test_other_components_never_join() -> None:
    one = crash("parse", "load", "main")

    assert not joined(one, msgspec.structs.replace(one, product=msgspec.structs.replace(LIBFOO, purl="pkg:pypi/libbar@1.0")))


def test_unknown_components_of_two_tools_never_join() -> None:
    assert not joined(report(product=None, function="f"), report(product=None, function="f", tool="tool-b"))


def test_unknown_components_are_one_software_only_when_the_runs_share_their_files() -> None:
    files = [report(f"src/{i}.py", 5, rule="R", product=None) for i in range(6)]
    setup = report("setup.py", 1, rule="R", product=None)
    other = [report(f"app/{i}.py", 5, rule="R", product=None) for i in range(6)]

    same = cluster(numbered(a=[*files, setup], b=[*files, setup]))
    different = cluster(numbered(a=[*files, setup], b=[*other, setup]))

    assert len(partition(same)) == 7
    assert len(partition(different)) == 14


def test_two_tools_join_by_file_and_family_where_each_has_exactly_one() -> None:
    one = report("src/a.c", None, tool="tool-a", rule="A1", title="one")
    two = report("src/a.c", None, tool="tool-b", rule="B7", title="two", cwe="CWE-125")

    rows = cluster(numbered(a=[one], b=[two]))

    assert {row.rung for row in rows} == {"L1"}
    assert rows[0].evidence[0].signal == "file"


def test_two_tools_do_not_join_where_one_has_two_in_the_file() -> None:
    one = report("src/a.c", 10, tool="tool-a", rule="A1", title="one")
    more = [report("src/a.c", line, tool="tool-b", rule="B7", title="two", cwe="CWE-125") for line in (10, 20)]

    assert len(partition(cluster(numbered(a=[one], b=more)))) == 3


def test_two_tools_do_not_join_by_file_alone_far_apart_or_in_two_functions() -> None:
    one = report("src/a.c", 10, tool="tool-a", title="one")

    assert not joined(one, report("src/a.c", 10, tool="tool-b", title="two", cwe="CWE-79"))
    assert not joined(one, report("src/a.c", 900, tool="tool-b", title="two"))
    assert not joined(report("src/a.c", 10, "f", title="one"), report("src/a.c", 12, "g", title="two", tool="tool-b"))


def test_two_rules_of_one_tool_are_two() -> None:
    assert not joined(report(rule="A1", title="one"), report(rule="A2", title="two"))


def test_crashes_of_one_log_may_join_and_two_stacks_are_not_made_one_by_their_place() -> None:
    place = (Location("src/a.c", 5, "f"),)
    one, two = crash("f", "g", "main"), crash("f", "h", "main")
    one, two = (msgspec.structs.replace(c, locations=place, weaknesses=(Weakness("CWE-125"),)) for c in (one, two))
    words = report("src/a.c", 5, "f", cwe="CWE-125", tool="reader")

    rows = cluster(numbered(log=[one, two, one], ai=[words]))

    assert rows[0].cluster == rows[2].cluster != rows[1].cluster
    assert rows[3].cluster not in (rows[0].cluster, rows[1].cluster)
    assert joined(one, words)


def test_an_unknown_stack_is_told_and_joins_nothing() -> None:
    rows = cluster(numbered(a=[crash("f", None, "main")], b=[crash("f", None, "main")]))

    assert len({row.cluster for row in rows}) == 2
    assert [row.evidence[0].signal for row in rows] == ["unknown signature"] * 2
    assert [row.rung for row in rows] == [None, None]


FINDINGS = st.builds(
    lambda file, line, function, cwe, tool, version, rule, words, identity, proof: at(
        report(
            file,
            line,
            function,
            cwe=cwe,
            tool=tool,
            rule=rule,
            title=words,
            external_id=identity,
            proof=ProofFiles({"input": proof}) if proof else None,
        ),
        version,
    ),
    file=st.sampled_from(["a.c", "b.c"]),
    line=st.sampled_from([None, 5, 8, 200]),
    function=st.sampled_from([None, None, "f", "g"]),
    cwe=st.sampled_from([None, "CWE-787", "CWE-125", "CWE-79"]),
    tool=st.sampled_from(["tool-a", "tool-b", "tool-c"]),
    version=st.sampled_from([None, "1.0", "1.0", "2.0"]),
    rule=st.sampled_from([None, "R", "S"]),
    words=st.sampled_from(["one", "two", "three"]),
    identity=st.sampled_from([None, None, "F-1", "6f9619ff-8b86-4d11-b42d-00c04fc964ff"]),
    proof=st.sampled_from([None, None, None, b"1", b"2"]),
) | st.builds(
    crash,
    st.sampled_from(["f", "g", None]),
    st.sampled_from(["h", "i"]),
    st.just("main"),
    kind=st.sampled_from(["Heap-buffer-overflow", "Timeout"]),
)
PILES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), FINDINGS), max_size=14)


def pile_of(items: list[tuple[str, Finding]]) -> list[tuple[str, int, Finding]]:
    counts: dict[str, int] = {}
    pile = []
    for file, finding in items:
        pile.append((file, counts.setdefault(file, 0), finding))
        counts[file] += 1
    return pile


@settings(max_examples=200, deadline=None)
@given(PILES, st.randoms(use_true_random=False))
def test_clusters_and_their_ids_do_not_depend_on_order_or_file_names(items: list[tuple[str, Finding]], chance: random.Random) -> None:
    pile = pile_of(items)
    shuffled = list(pile)
    chance.shuffle(shuffled)
    renamed = [(f"renamed {file}", index, finding) for file, index, finding in shuffled]

    one, two = cluster(pile), cluster(renamed)

    assert partition(one) == {frozenset((file.removeprefix("renamed "), i) for file, i in group) for group in partition(two)}
    assert sorted(row.cluster for row in one) == sorted(row.cluster for row in two)


@settings(max_examples=200, deadline=None)
@given(PILES)
def test_no_pile_joins_by_place_what_must_stay_apart(items: list[tuple[str, Finding]]) -> None:
    pile = pile_of(items)

    rows = cluster(pile)

    for row, (file, _, finding) in zip(rows, pile, strict=True):
        others = [(other, f, x) for other, (f, _, x) in zip(rows, pile, strict=True) if other is not row and other.cluster == row.cluster]
        assert (row.rung is None) == (not others)
        for other, f, x in others:
            same_run = f == file and (x.origin.tool, x.crash is None) == (finding.origin.tool, finding.crash is None)
            if same_run and finding.crash is None:
                assert "L0" in (row.rung, other.rung)


@settings(max_examples=100, deadline=None)
@given(PILES)
def test_sending_everything_again_adds_no_cluster_of_what_can_be_recognized(items: list[tuple[str, Finding]]) -> None:
    pile = [item for item in pile_of(items) if item[2].crash is None]
    again = [(f"{file} again", index, finding) for file, index, finding in pile]

    rows = cluster(pile + again)

    assert all(one.cluster == two.cluster for one, two in zip(rows[: len(pile)], rows[len(pile) :], strict=True))


def test_a_cluster_keeps_its_id_when_the_same_is_sent_again() -> None:
    (alone,) = cluster(numbered(a=[report()]))

    assert {row.cluster for row in cluster(numbered(a=[report()], b=[report()]))} == {alone.cluster}


def test_a_thousand_runs_take_a_moment() -> None:
    pile = [(f"run {i}", j, report(f"src/{j}.c", j, rule="R", title=f"t{i % 7}", product=None)) for i in range(400) for j in range(10)]

    assert len({row.cluster for row in cluster(pile)}) == 10


def test_origin_without_a_tool_is_its_format() -> None:
    one = msgspec.structs.replace(report(product=None), origin=Origin())

    assert joined(one, one)
