# SPDX-License-Identifier: Apache-2.0
"""The decision as findings arrive: what joins, and what is kept apart because a wrong merge hides a bug."""

from datetime import UTC, datetime

import msgspec
import pytest

from clearwell.clearinghouse.case.case import open_case
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe.decide import Joined, Known, absorbed, decide, same_proven
from clearwell.clearinghouse.dedupe.signature import Signature
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId
from clearwell.vocabulary.marking import Marking

NOW = datetime(2026, 11, 2, tzinfo=UTC)
KEY = b"k" * 16


def case(name: str = "case_a", fires: tuple[str, ...] = (), clean: tuple[str, ...] = (), standing: str = "unproven") -> KeptCase:
    noun = open_case(CaseId(name), "pkg:pypi/pump", "a title", (), NOW, NOW)
    if standing in {"proven", "fixed"}:
        noun = noun.prove(NOW)
    if standing == "fixed":
        noun = noun.fix(NOW)
    if standing == "refused":
        noun = noun.refuse(NOW, "there is no such file")
    return KeptCase(case=noun, marking=Marking.AMBER, fires=fires, clean=clean)


def signature(kind: str = "location", at: str | None = "1.5", rung: str = "L1") -> Signature:
    return Signature(rung=rung, kind=kind, version=1, key=KEY, at=at, any_version=rung == "L0", evidence=("place", "pump in a.c"))  # type: ignore[arg-type]


def stored(version: str | None = "1.5", submission: str = "sub_other", name: str = "case_a", proven: bool = False) -> Known:
    return Known(KEY, FindingId("finding_x"), SubmissionId(submission), CaseId(name), version, proven)


def decided(
    found: Signature, others: list[Known], cases: list[KeptCase], version: str | None = "1.5", has_proof: bool = False
) -> Joined | None:
    return decide([found], SubmissionId("sub_mine"), "1.5", has_proof, {KEY: others}, {kept.id: kept for kept in cases})


def test_a_report_joins_an_unproven_case_of_its_signature_and_version() -> None:
    joined = decided(signature(), [stored()], [case()])

    assert joined == Joined(CaseId("case_a"), "L1", (("place", "pump in a.c"),))


@pytest.mark.parametrize(
    ("found", "others", "cases", "has_proof"),
    [
        (signature(), [stored()], [case()], True),
        (signature(), [stored(version="2.5")], [case()], False),
        (signature(), [stored(submission="sub_mine")], [case()], False),
        (signature(), [stored()], [case(standing="refused")], False),
        (signature(), [stored()], [case(standing="fixed", fires=("2.5",))], False),
        (signature(), [stored()], [case(standing="proven", fires=("2.5",))], False),
        (signature("order"), [stored(version="2.5")], [case(standing="proven", fires=("1.5", "2.5"))], False),
        (signature(), [stored(), stored(name="case_b")], [case(), case("case_b")], False),
    ],
    ids=["own proof", "other version", "same run", "refused", "fixed elsewhere", "proven elsewhere", "order across versions", "doubt"],
)
def test_doubt_opens_a_case_of_its_own(found: Signature, others: list[Known], cases: list[KeptCase], has_proof: bool) -> None:
    assert decided(found, others, cases, has_proof=has_proof) is None


def test_a_report_on_a_version_where_the_proof_fired_joins_the_public_flaw() -> None:
    assert decided(signature(), [stored()], [case(standing="fixed", fires=("1.5",))]) is not None


def test_the_same_proof_belongs_where_the_first_went() -> None:
    assert decided(signature("proof", rung="L0"), [stored()], [case(standing="refused")], has_proof=True) is not None


def test_proven_cases_are_one_only_when_their_ladders_agree() -> None:
    new = case("case_new", fires=("1.5",), clean=("1.1",), standing="proven")
    agreeing, contradicting = case(fires=("1.5",), standing="proven"), case(fires=("1.1",), standing="proven")

    assert same_proven(new, [signature("crash")], {KEY: [stored(proven=True)]}, {agreeing.id: agreeing}) is not None
    assert same_proven(new, [signature("crash")], {KEY: [stored(proven=True)]}, {contradicting.id: contradicting}) is None
    unproven = msgspec.structs.replace(agreeing, case=case().case)
    assert same_proven(new, [signature("crash")], {KEY: [stored(proven=True)]}, {unproven.id: unproven}) is None


def test_a_proven_case_that_fires_on_the_version_makes_it_doubtful_though_it_was_told_for_another() -> None:
    told_for_this = case(standing="proven", fires=("1.5",))
    told_for_another = case("case_b", fires=("1.5", "2.5"), standing="proven")

    assert decided(signature(), [stored(), stored(version="2.5", name="case_b")], [told_for_this, told_for_another]) is None


@pytest.mark.parametrize("named", ["2.0", "3.0"])
def test_a_case_that_names_a_version_on_which_the_proof_did_not_fire_is_not_absorbed_by_its_report_that_names_none(named: str) -> None:
    proven = case("case_new", fires=("1.5",), clean=("2.0",), standing="proven")
    open_one = msgspec.structs.replace(case(), version=named)
    silent, naming = stored(version=None), stored(version=named)

    for rows in ([silent, naming], [naming, silent], [silent]):
        assert absorbed(proven, [signature()], {KEY: rows}, {open_one.id: open_one}) == ()
    same = msgspec.structs.replace(case(), version="1.5")
    assert [taken for taken, _ in absorbed(proven, [signature()], {KEY: [silent]}, {same.id: same})] == [same.id]


def test_proven_cases_that_fired_on_no_version_in_common_are_not_one_by_their_stack() -> None:
    # An incomplete fix, then its own fix: the same stack in adjacent releases is two flaws. Only the patches, or a ladder, say more.
    new, older = case("case_new", fires=("1.7",), standing="proven"), case(fires=("1.5",), standing="proven")

    assert same_proven(new, [signature("crash")], {KEY: [stored(proven=True)]}, {older.id: older}) is None
    unknown = case(standing="proven")
    assert same_proven(new, [signature("crash-lines")], {KEY: [stored(proven=True)]}, {unknown.id: unknown}) is not None
