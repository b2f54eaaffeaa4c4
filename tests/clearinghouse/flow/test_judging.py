# SPDX-License-Identifier: Apache-2.0
"""Judging: a split gives back exactly what was; a merge or split that brings a proof to a new participant takes two people."""

import msgspec
import pytest

from browser.scene import Scene, report
from clearwell.clearinghouse.case import report_store, store
from clearwell.clearinghouse.case.report import Answer
from clearwell.clearinghouse.case.store import KeptParticipant
from clearwell.clearinghouse.flow import confirming, coordinating, judging, maintaining, reporting
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.assertion import Assertion, Kind, Outcome, Sanity
from clearwell.ground.identity.actor import CASE, PROVING, SANITY, Member, OrganizationKind, Permission
from clearwell.ground.identity.members import issue_token, member_of_session, member_of_token, open_session
from clearwell.ground.identity.two_person import Proposal
from clearwell.vocabulary.errors import ClearwellError, Conflict, NotFound, Refused, TooLate
from clearwell.vocabulary.ids import CaseId, FindingId, ParticipantId, TokenId
from hub import Hub


@pytest.fixture
def scene(hub: Hub) -> Scene:
    """A proven case whose maintainer was invited."""
    return Scene(hub).prove()


def another(scene: Scene, line: int = 90, proof: bool = True) -> tuple[CaseId, FindingId]:
    """A case of its own, of the same component."""
    sent = scene.submit(
        scene.other_lab, report(f"another, line {line}", "other words", line=line, proof=proof, function=f"f{line}"), f"{line}"
    )
    finding = reporting.read_answers(scene.house, scene.other_lab, sent)[0].finding
    return finding.case, finding.id


def vendor(scene: Scene, case: CaseId, contact: str = "ada@reader.example") -> None:
    """Somebody with a contact takes part in a case from now on."""
    with scene.house.transaction(CASE) as tx:
        part, now = ParticipantId(scene.house.new_id("part")), scene.hub.clock.now()
        store.insert_participants(
            tx, [KeptParticipant(id=part, case=case, role="vendor", contact=contact, joined_at=now, first_reported=now)]
        )


def proposed(scene: Scene, case: CaseId) -> Proposal:
    made = coordinating.merge_cases(scene.house, scene.coordinator, case, scene.case, "one root cause").proposal
    assert made is not None and made.act == judging.MERGE
    return made


def shown_to_the_maintainer(scene: Scene) -> set[FindingId]:
    return {finding.id for finding in maintaining.read_linked(scene.house, maintaining.open_link(scene.house, scene.link)).findings}


def merged_into(scene: Scene, case: CaseId) -> CaseId | None:
    return coordinating.read_case(scene.house, scene.coordinator, case).kept.merged_into


def test_a_merge_that_brings_a_proof_to_the_maintainer_waits_for_a_second_person(scene: Scene) -> None:
    case, finding = another(scene)

    proposal = proposed(scene, case)
    assert merged_into(scene, case) is None and finding not in shown_to_the_maintainer(scene)
    confirming.confirm_proposal(scene.house, scene.second, proposal.id)

    assert merged_into(scene, case) == scene.case and finding in shown_to_the_maintainer(scene)
    (joined,) = [a for a in scene.view().attachments if a.finding == finding]
    assert joined.attached_by == scene.second.person and ("proposed by", scene.coordinator.person) in joined.evidence


@pytest.mark.parametrize("proof", [True, False], ids=["the maintainer has it already", "it has no proof"])
def test_a_merge_that_brings_no_proof_to_anybody_new_takes_one(scene: Scene, proof: bool) -> None:
    case, _ = another(scene, proof=proof)
    if proof:
        vendor(scene, case, "ADA@reader.example")

    assert coordinating.merge_cases(scene.house, scene.coordinator, case, scene.case, "one root cause").cases == (scene.case,)
    assert merged_into(scene, case) == scene.case


def test_one_person_with_two_sessions_and_a_token_is_one_person(scene: Scene) -> None:
    case, _ = another(scene)
    proposal, now = proposed(scene, case), scene.hub.clock.now()
    with scene.house.transaction(scene.coordinator) as tx:
        sessions = [member_of_session(tx, open_session(tx, scene.coordinator.person, now, 8), now) for _ in range(2)]
        token = issue_token(tx, TokenId(scene.house.new_id("token")), scene.coordinator, "mine", Permission, now, 3)
        same = [*sessions, member_of_token(tx, token, now)]

    for who in same:
        assert who is not None
        with pytest.raises(Refused, match="second person"):
            coordinating.confirm_merge(scene.house, who, proposal.id)
        again = coordinating.merge_cases(scene.house, who, case, scene.case, "and again")
        assert again.cases == () and again.proposal is not None
        proposal = again.proposal
    assert merged_into(scene, case) is None


def test_who_may_not_coordinate_or_is_elsewhere_confirms_nothing(scene: Scene) -> None:
    case, _ = another(scene)
    proposal = proposed(scene, case)
    weak = msgspec.structs.replace(scene.second, permissions=frozenset({Permission.READ}))
    wrong: list[tuple[Member, type[ClearwellError]]] = [(scene.hub.member(OrganizationKind.COORDINATOR), NotFound), (weak, Refused)]

    for who, error in [*wrong, (scene.lab, Refused), (scene.other_lab, Refused)]:
        with pytest.raises(error):
            coordinating.confirm_merge(scene.house, who, proposal.id)
    with pytest.raises(NotFound):
        coordinating.confirm_split(scene.house, scene.second, proposal.id)
    scene.hub.clock.move(hours=scene.house.settings.proposal_hours + 1)
    with pytest.raises(TooLate):
        coordinating.confirm_merge(scene.house, scene.second, proposal.id)
    assert merged_into(scene, case) is None


def a_report_joined(scene: Scene, case: CaseId) -> None:
    scene.submit(scene.lab, report("another, again", "words", line=91, proof=False, function="f90"), "again")


def somebody_joined(scene: Scene, case: CaseId) -> None:
    vendor(scene, scene.case, "eve@elsewhere.example")


def it_was_joined_elsewhere(scene: Scene, case: CaseId) -> None:
    coordinating.merge_cases(scene.house, scene.coordinator, case, another(scene, 300)[0], "the same as that one")


def the_other_was_joined_elsewhere(scene: Scene, case: CaseId) -> None:
    other, _ = another(scene, 400)
    with scene.house.transaction(CASE) as tx:
        kept = store.load_case(tx, scene.case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, merged_into=other))


def it_was_refused(scene: Scene, case: CaseId) -> None:
    with scene.house.transaction(CASE) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.refuse(scene.hub.clock.now(), "no such file")))


def they_were_found_different(scene: Scene, case: CaseId) -> None:
    coordinating.find_different(scene.house, scene.coordinator, case, scene.case, "another root cause")


CHANGES = (
    a_report_joined, somebody_joined, it_was_joined_elsewhere, the_other_was_joined_elsewhere, it_was_refused, they_were_found_different,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_since_it_was_proposed_is_not_confirmed(scene: Scene, change: object) -> None:
    case, finding = another(scene)
    proposal = proposed(scene, case)
    assert callable(change)
    change(scene, case)

    with pytest.raises(Conflict):
        coordinating.confirm_merge(scene.house, scene.second, proposal.id)

    assert merged_into(scene, case) != scene.case and finding not in shown_to_the_maintainer(scene)


def test_a_split_that_brings_a_proof_to_who_came_since_waits_for_a_second_person(scene: Scene) -> None:
    home, finding = another(scene)
    other, _ = another(scene, 200, proof=False)
    coordinating.merge_cases(scene.house, scene.coordinator, home, other, "one root cause")
    vendor(scene, home, "new@reader.example")

    judged = coordinating.split_case(scene.house, scene.coordinator, other, (finding,), "they are two")
    assert judged.proposal is not None and judged.cases == () and merged_into(scene, home) == other
    with pytest.raises(Refused):
        coordinating.confirm_split(scene.house, scene.coordinator, judged.proposal.id)
    assert coordinating.confirm_split(scene.house, scene.second, judged.proposal.id) == (home,)

    assert merged_into(scene, home) is None
    assert [f.id for f in coordinating.read_case(scene.house, scene.coordinator, home).findings] == [finding]


def test_a_split_that_changed_since_is_not_confirmed(scene: Scene) -> None:
    home, finding = another(scene)
    other, _ = another(scene, 200, proof=False)
    coordinating.merge_cases(scene.house, scene.coordinator, home, other, "one root cause")
    vendor(scene, home, "new@reader.example")
    judged = coordinating.split_case(scene.house, scene.coordinator, other, (finding,), "they are two")
    vendor(scene, home, "newer@reader.example")

    assert judged.proposal is not None
    with pytest.raises(Conflict, match="propose it anew"):
        coordinating.confirm_split(scene.house, scene.second, judged.proposal.id)

    assert merged_into(scene, home) == other


def test_who_had_the_proof_before_the_merge_gets_it_back_by_one_person(scene: Scene) -> None:
    home, finding = another(scene)
    vendor(scene, home, "own@reader.example")
    other, _ = another(scene, 200, proof=False)
    coordinating.merge_cases(scene.house, scene.coordinator, home, other, "one root cause")

    assert coordinating.split_case(scene.house, scene.coordinator, other, (finding,), "they are two").cases == (home,)


def test_a_split_gives_back_exactly_what_was_duplicates_of_the_woken_case_among_it(scene: Scene) -> None:
    home, _ = another(scene, proof=False)
    scene.submit(scene.lab, report("another, again", "words", line=91, proof=False, function="f90"), "again")
    other, _ = another(scene, 200, proof=False)
    before = [answers(scene, case) for case in (home, other)], [kept(scene, case) for case in (home, other)]
    assert sorted(before[0][0].values()) == [Answer.DUPLICATE, Answer.NEEDS_PROOF]

    coordinating.merge_cases(scene.house, scene.coordinator, home, other, "one root cause")
    came = tuple(answers(scene, other))
    coordinating.split_case(scene.house, scene.coordinator, other, tuple(f for f in came if f in before[0][0]), "they are two")

    assert ([answers(scene, case) for case in (home, other)], [kept(scene, case) for case in (home, other)]) == before


def test_a_duplicate_that_goes_back_alone_speaks_for_the_woken_case(scene: Scene) -> None:
    home, _ = another(scene, proof=False)
    sent = scene.submit(scene.lab, report("another, again", "words", line=91, proof=False, function="f90"), "again")
    repeat = reporting.read_answers(scene.house, scene.lab, sent)[0].finding.id
    other, _ = another(scene, 200, proof=False)
    coordinating.merge_cases(scene.house, scene.coordinator, home, other, "one root cause")

    coordinating.split_case(scene.house, scene.coordinator, other, (repeat,), "only that one")

    assert answers(scene, home) == {repeat: Answer.NEEDS_PROOF}


def answers(scene: Scene, case: CaseId) -> dict[FindingId, Answer]:
    with scene.house.transaction(CASE) as tx:
        return {finding.id: finding.answer for finding in report_store.findings_of_case(tx, case, limit=None)}


def kept(scene: Scene, case: CaseId) -> tuple[object, ...]:
    """All of a case but the ids that copies of participants bear."""
    view = coordinating.read_case(scene.house, scene.coordinator, case)
    return view.kept, {(one.role, one.organization, one.first_reported) for one in view.participants}


def test_credit_counts_from_the_first_report_that_was_proven_or_found_in_the_source(scene: Scene) -> None:
    case, finding = another(scene, proof=False)
    lab = scene.other_lab.organization
    assert coordinating.read_case(scene.house, scene.coordinator, case).credit == {}

    with scene.house.transaction(SANITY) as tx:
        stands = report_store.load_finding(tx, finding)
        exists = Assertion(Kind.SYMBOL, "f90", Outcome.EXISTS, "it stands in line 90", decides=True)
        validation_store.insert_sanity(tx, [(stands, Sanity((exists,)))], scene.hub.clock.now())
    assert coordinating.read_case(scene.house, scene.coordinator, case).credit == {lab: stands.received_at}

    # what only names a file that exists says nothing of the source; what was proven counts without a look
    later, proven = another(scene, 300, proof=False)
    with scene.house.transaction(PROVING) as tx:
        kept = report_store.load_finding(tx, proven)
        only = Assertion(Kind.FILE, "reader/files.py", Outcome.EXISTS, "it is there")
        validation_store.insert_sanity(tx, [(kept, Sanity((only,)))], scene.hub.clock.now())
    assert coordinating.read_case(scene.house, scene.coordinator, later).credit == {}
    with scene.house.transaction(PROVING) as tx:
        report_store.mark_proven(tx, proven)
    assert coordinating.read_case(scene.house, scene.coordinator, later).credit == {lab: kept.received_at}


def test_every_finder_keeps_its_credit_through_a_merge_and_a_split(scene: Scene) -> None:
    credit = scene.view().credit
    assert set(credit) == {scene.lab.organization}
    home, finding = another(scene)
    vendor(scene, home)
    with scene.house.transaction(PROVING) as tx:
        report_store.mark_proven(tx, finding)
        received = report_store.load_finding(tx, finding).received_at

    coordinating.merge_cases(scene.house, scene.coordinator, home, scene.case, "one root cause")
    assert scene.view().credit == {**credit, scene.other_lab.organization: received}
    coordinating.split_case(scene.house, scene.coordinator, scene.case, (finding,), "they are two")

    assert scene.view().credit == credit
    assert coordinating.read_case(scene.house, scene.coordinator, home).credit == {scene.other_lab.organization: received}
