# SPDX-License-Identifier: Apache-2.0
"""Rung L3: both ways the same root cause, one way subsumes, every doubt to a person."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe.equivalence import Fixed, KnownFix, Relation, compare
from clearwell.vocabulary.ids import CaseId, ProofId, RemediationId

CELLS = st.sampled_from(["killed", "fires", "unknown"])
MIRROR = {Relation.SUBSUMES: Relation.SUBSUMED, Relation.SUBSUMED: Relation.SUBSUMES}


def case(name: str, *fixes: KnownFix, fires: str = "", clean: str = "") -> Fixed:
    return Fixed(CaseId(f"case_{name}"), (ProofId(f"proof_{name}"),), fixes, frozenset(fires.split()), frozenset(clean.split()))


def patch(name: str, sha: str | None = None, places: int = 1) -> KnownFix:
    return KnownFix(RemediationId(f"fix_{name}"), sha or name, places)


def version(name: str) -> KnownFix:
    return KnownFix(RemediationId(f"fix_{name}"))


def matrix(**cells: str):
    return {
        (RemediationId(f"fix_{fix}"), ProofId(f"proof_{proof}")): cell
        for (fix, proof), cell in ((k.split("_"), v) for k, v in cells.items())
    }


@pytest.mark.parametrize(
    ("there", "back", "relation"),
    [
        ("killed", "killed", Relation.SAME),
        ("killed", "fires", Relation.SUBSUMES),
        ("fires", "killed", Relation.SUBSUMED),
        ("fires", "fires", Relation.DIFFERENT),
        ("killed", "unknown", Relation.UNKNOWN),
        ("fires", "unknown", Relation.UNKNOWN),
        ("unknown", "unknown", Relation.UNKNOWN),
    ],
)
def test_two_patches_and_two_proofs(there, back, relation):
    assert compare(case("a", patch("p")), case("b", patch("q")), matrix(p_b=there, q_a=back)).relation is relation


def test_a_later_version_that_silences_both_joins_nothing():
    seen = matrix(v_b="killed", w_a="killed")
    assert compare(case("a", version("v")), case("b", version("w")), seen).relation is Relation.UNKNOWN


def test_look_alikes_in_one_function_are_kept_apart_by_their_versions():
    # given jinja2's two: the earlier fix leaves the other firing; the later version contains both fixes
    one = case("a", version("v"), fires="3.1.2", clean="3.1.3 3.1.4")
    other = case("b", version("w"), fires="3.1.2 3.1.3", clean="3.1.4")
    # then
    assert compare(one, other, matrix(v_b="fires", w_a="killed")).relation is Relation.DIFFERENT


def test_patches_that_agree_while_the_ladders_do_not_are_for_a_person():
    one, other = case("a", patch("p"), fires="1.0", clean="1.1"), case("b", patch("q"), fires="1.0 1.1")
    assert compare(one, other, matrix(p_b="killed", q_a="killed")).relation is Relation.UNKNOWN


def test_one_patch_of_several_that_leaves_the_other_firing_shows_two_flaws():
    one = case("a", patch("p"), patch("r"))
    assert compare(one, case("b", patch("q")), matrix(p_b="killed", r_b="fires", q_a="killed")).relation is Relation.SUBSUMED


def test_one_large_patch_for_both_joins_nothing_and_a_small_one_does():
    def relation(places: int) -> Relation:
        one, other = case("a", patch("p", "same", places)), case("b", patch("q", "same", places))
        return compare(one, other, matrix(p_b="killed", q_a="killed")).relation

    assert (relation(3), relation(1)) == (Relation.UNKNOWN, Relation.SAME)


@given(st.lists(CELLS, min_size=4, max_size=4), st.booleans(), st.sets(st.sampled_from("123")), st.sets(st.sampled_from("123")))
def test_it_is_symmetric_and_joins_only_where_every_patch_agrees(cells, is_version, fires, clean):
    # given
    one = case("a", patch("p"), version("r") if is_version else patch("r"), fires=" ".join(fires))
    other = case("b", patch("q"), patch("s"), clean=" ".join(clean))
    seen = dict(zip(matrix(p_b="x", r_b="x", q_a="x", s_a="x"), cells, strict=True))
    # when
    there, back = compare(one, other, seen).relation, compare(other, one, seen).relation
    # then
    assert back is MIRROR.get(there, there)
    if there is Relation.SAME:
        assert "fires" not in cells
        assert not fires & clean
        assert all(cell == "killed" for cell in ([cells[0], *cells[2:]] if is_version else cells))


@given(st.lists(CELLS, min_size=3, max_size=3))
def test_without_a_patch_of_each_nothing_is_joined(cells):
    seen = dict(zip(itertools.chain(matrix(p_b="x"), matrix(r_b="x"), matrix(p_a="x")), cells, strict=True))
    assert compare(case("a", patch("p"), patch("r")), case("b"), seen).relation is not Relation.SAME
