# SPDX-License-Identifier: Apache-2.0
"""Rung L2: what is shown, what finds what, and that it orders and never joins."""

from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.cluster import cluster
from clearwell.clearinghouse.dedupe.proposing import suggestions
from clearwell.clearinghouse.dedupe.similarity import Rarity, compare, score_of, suggest
from clearwell.clearinghouse.dedupe.sketch import sketch, winnowed, words_of
from clearwell.vocabulary.finding import Crash, Finding, Frame, Location, Origin
from clearwell.vocabulary.product import Product
from clearwell.vocabulary.weakness import Weakness

HERE = Product(purl="pkg:generic/framer@1.0")
THERE = Product(purl="pkg:generic/other@1.0")


def crash(*functions: str, kind: str = "Heap-buffer-overflow\nREAD 1", introduced: str = "", product: Product = HERE) -> Finding:
    frames = tuple(Frame(function) for function in functions)
    known = (introduced,) if introduced else ()
    return Finding(format="crash-log", title="crash", product=product, crash=Crash(type=kind, frames=frames), introduced=known)


def place(file: str, line: int | None, text: str, rule: str | None = None, cwe: str = "CWE-787", product: Product = HERE) -> Finding:
    where = (Location(file, line),)
    weak = (Weakness(cwe),)
    return Finding(format="sarif", title=text, product=product, locations=where, weaknesses=weak, rule=rule, origin=Origin(tool="scout"))


CROWD = [crash(f"alpha{n}", f"beta{n % 7}", "dispatch", introduced=f"{n % 5:040x}") for n in range(40)]


def test_what_shares_a_rare_function_and_a_rare_commit_comes_first() -> None:
    pile = [
        *CROWD,
        crash("read_frame", "next_frame", "serve", introduced="ab" * 20),
        crash("copy", "next_frame", "serve", introduced="ab" * 20),
    ]

    found = suggest([sketch(finding) for finding in pile])

    best = found[0]
    assert (best.one, best.other) == (40, 41) and best.score > 0.5
    assert {"introduced", "function", "stack"} <= {signal.signal for signal in best.signals}


def test_what_everybody_shares_says_little_and_another_commit_speaks_against() -> None:
    sketches = [sketch(finding) for finding in CROWD]
    rare = Rarity(sketches)

    signals = {signal.signal: signal.weight for signal in compare(sketches[0], sketches[1], rare)}

    assert signals["introduced elsewhere"] < -1 and signals.get("function", 0.0) < 0.1 and signals["crowd"] < -1
    assert score_of(compare(sketches[0], sketches[1], rare)) < 0.05


def test_findings_of_two_components_or_of_unknown_ones_are_never_compared() -> None:
    pile = [crash("a", "b", "c"), crash("a", "b", "c", product=THERE), Finding(format="x", title="t"), Finding(format="x", title="t")]

    assert suggest([sketch(finding) for finding in pile], least=0.0) == ()


def test_a_moved_file_is_suggested_by_name_line_rule_and_words() -> None:
    pile = [place(f"src/part{n}/unit{n}.c", 10 * n, f"length {n} is not checked", rule="bounds") for n in range(30)]
    pile.append(place("lib/new/unit7.c", 70, "length 7 is not checked", rule="bounds"))

    first = suggest([sketch(finding) for finding in pile])[0]

    assert (first.one, first.other) == (7, 30)
    assert {"moved file", "line", "rule", "words"} <= {signal.signal for signal in first.signals}


def test_another_file_speaks_against_a_scanner_s_findings_and_not_against_stacks() -> None:
    pile = [place("src/cache.c", 77, "a length is not checked"), place("src/filter.c", 277, "a length is not checked")]
    sketches = [sketch(finding) for finding in [*pile, crash("read_frame"), crash("copy")]]
    against = [signal for signal in compare(sketches[0], sketches[1], Rarity(sketches)) if signal.signal == "other file"]

    assert [(signal.value, signal.weight < 0) for signal in against] == [("src/cache.c and src/filter.c", True)]
    assert not [signal for signal in compare(sketches[2], sketches[3], Rarity(sketches)) if signal.signal == "other file"]


def test_other_weaknesses_in_one_file_speak_against_each_other() -> None:
    pile = [place("a.c", 5, "one thing"), place("a.c", 9, "another matter", cwe="CWE-89")]
    rare = Rarity([sketch(finding) for finding in pile])

    weights = {signal.signal: signal.weight for signal in compare(*(sketch(finding) for finding in pile), rare)}

    assert weights["weakness"] < 0


def test_suggestions_stand_between_clusters_and_join_nothing() -> None:
    findings = [
        ("a", 0, crash("read", "next", "serve", introduced="ab" * 20)),
        ("b", 0, crash("copy", "next", "serve", introduced="ab" * 20)),
    ]
    findings += [(f"c{n}", 0, finding) for n, finding in enumerate(CROWD)]
    rows = cluster(findings)

    found = suggestions(findings, rows)

    assert all(one.between[0].cluster != one.between[1].cluster for one in found)
    assert {side.file for side in found[0].between} == {"a", "b"} and found[0].suggestion == "L2"
    assert rows == cluster(findings) and rows[0].cluster != rows[1].cluster


def test_quoted_code_is_fingerprinted_through_white_space() -> None:
    code = "memcpy(buffer, input, length_of(input) + 1); return buffer;"

    assert set(winnowed(code)) == set(winnowed(code.replace(" ", "\n\t")))
    assert set(winnowed(code)) & set(winnowed("x = 1; " + code + " y = 2;")) and list(winnowed("short")) == []


def test_words_of_identifiers() -> None:
    assert words_of("ns::HTTPServer::readFrame_v2") == {"ns", "http", "server", "read", "frame"}


@given(st.lists(st.sampled_from(CROWD), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_a_score_is_the_same_both_ways_and_in_any_order(pile: list[Finding], chance: object) -> None:
    sketches = [sketch(finding) for finding in pile]
    rare = Rarity(sketches)

    assert score_of(compare(sketches[0], sketches[1], rare)) == score_of(compare(sketches[1], sketches[0], rare))
    assert 0 <= score_of(compare(sketches[0], sketches[1], rare)) <= 1
