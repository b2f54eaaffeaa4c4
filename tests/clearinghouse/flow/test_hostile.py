# SPDX-License-Identifier: Apache-2.0
"""More attacks on what is one: another's ids, and merges, refusals, appeals, proofs and splits in odd orders."""

from clearinghouse.flow.test_attacks import labs, one, send
from clearwell.ground.identity.actor import Member
from hub import Hub

__all__ = ["labs"]
STRONG = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"


def place(function: str, file: str = "a.c") -> dict[str, object]:
    """Where a report says the flaw is."""
    return {"locations": [{"file": file, "line": 3, "function": function}]}


# Ids of others -----------------------------------------------------------------------------------------------------


def test_anothers_id_on_a_proof_of_something_else_takes_nothing_in(hub: Hub, labs: tuple[Member, Member]) -> None:
    (mine,) = send(hub, labs[1], one("mine, under an id that the tool will give to another", proof="x = 1", external_id=STRONG))

    (real,) = send(hub, labs[0], one("an injection", external_id=STRONG, weakness="CWE-89", **place("query", "db.c")))

    assert real.finding.case != mine.finding.case and real.finding.answer == "needs_proof"


def test_the_first_finding_of_two_labs_is_not_one(hub: Hub, labs: tuple[Member, Member]) -> None:
    (first,) = send(hub, labs[0], one("in the pump", external_id="F-1"))
    (again,) = send(hub, labs[0], one("in the valve", external_id="F-1", **place("valve")))
    (other,) = send(hub, labs[1], one("in the tank", external_id="F-1", **place("tank")))

    assert len({first.finding.case, again.finding.case, other.finding.case}) == 3
