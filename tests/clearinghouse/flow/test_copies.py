# SPDX-License-Identifier: Apache-2.0
"""The same stack or place in components that copy one another is shown to coordinators, and joins nothing."""

import json

import pytest

from clearwell.clearinghouse.flow import answering, coordinating, reporting, sketching, suggesting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import Member, OrganizationKind
from clearwell.vocabulary.ids import CaseId
from hub import Hub


@pytest.fixture
def coordinator(hub: Hub) -> Member:
    return hub.member(OrganizationKind.COORDINATOR)


def case_in(hub: Hub, component: str, file: str, function: str | None, weakness: str = "CWE-787") -> CaseId:
    """The case of a new report about a place."""
    place = {"file": file, "line": 7, **({"function": function} if function else {})}
    finding = {
        "title": f"a flaw in {component}",
        "text": component,
        "product": {"purl": component},
        "weakness": weakness,
        "locations": [place],
    }
    raw = json.dumps({"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [finding]}).encode()
    lab = hub.member(OrganizationKind.LAB)
    sent = reporting.submit_report(hub.house, lab, [raw], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    sketching.sketch_batch(hub.house, sent.id, 0)
    return reporting.read_answers(hub.house, lab, sent.id)[0].finding.case


def copies(hub: Hub, coordinator: Member, case: CaseId) -> set[CaseId]:
    return {other.id for other in coordinating.read_case(hub.house, coordinator, case).copies}


def test_a_vendored_copy_with_the_same_place_is_shown_on_both_pages_and_never_joined(hub: Hub, coordinator: Member) -> None:
    mark = coordinator.organization
    source = case_in(hub, f"pkg:generic/deflate-{mark}@1", "src/inflate.c", f"inflate_{mark}")
    copy = case_in(hub, f"pkg:generic/game-{mark}@9", "third_party/deflate/inflate.c", f"inflate_{mark}", "CWE-125")

    assert source != copy
    assert copies(hub, coordinator, source) == {copy} and copies(hub, coordinator, copy) == {source}
    assert not any({source, copy} == set(p.suggestion.pair) for p in suggesting.list_suggestions(hub.house, coordinator, limit=500).pairs)


@pytest.mark.parametrize(
    ("file", "function", "weakness"),
    [("src/other.c", "inflate", "CWE-787"), ("src/inflate.c", "deflate", "CWE-787"), ("src/inflate.c", None, "CWE-787"),
     ("src/inflate.c", "inflate", "CWE-89")],
    ids=["another file", "another function", "no function", "another weakness"],
)  # fmt: skip
def test_what_differs_in_file_function_or_weakness_is_no_copy(
    hub: Hub, coordinator: Member, file: str, function: str | None, weakness: str
) -> None:
    mark = coordinator.organization
    source = case_in(hub, f"pkg:generic/deflate-{mark}@1", "src/inflate.c", f"inflate{mark}")

    case_in(hub, f"pkg:generic/game-{mark}@9", file, f"{function}{mark}" if function else None, weakness)

    assert copies(hub, coordinator, source) == set()


def test_the_same_component_is_no_copy_of_itself(hub: Hub, coordinator: Member) -> None:
    mark = coordinator.organization
    one = case_in(hub, f"pkg:generic/deflate-{mark}@1", "src/inflate.c", f"inflate_{mark}")

    case_in(hub, f"pkg:generic/deflate-{mark}@1", "lib/inflate.c", f"inflate_{mark}", "CWE-125")

    assert copies(hub, coordinator, one) == set()
