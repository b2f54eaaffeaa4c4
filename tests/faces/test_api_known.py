# SPDX-License-Identifier: Apache-2.0
"""Asking before sending: what is answered, that nothing else can be read from an answer's length or time, budgets, the ledger."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import Api, Caller, finding, report, speak
from clearwell.clearinghouse.dedupe import claim_hash
from clearwell.clearinghouse.flow import asking, publishing
from clearwell.faces.api.known import seconds_to_tick
from clearwell.ground.identity.actor import DEDUPE, OrganizationKind
from clearwell.vocabulary.product import Product
from hub import Hub

HELD = {"target": "pkg:cargo/framer@1.2.0", "file": "src/frame.c", "function": "read_frame", "weakness": "CWE-787"}
ABSENT = {**HELD, "function": "write_frame"}


@pytest.fixture
def asked(make_hub: Callable[..., Hub]) -> Any:
    """Makes an API whose answers leave at once, with settings of one's own."""
    opened: list[Api] = []

    def make(**settings: object) -> Api:
        api = speak(make_hub(known_tick_seconds=0.0, **settings))
        api.client.__enter__()
        opened.append(api)
        return api

    yield make
    for api in opened:
        api.client.__exit__(None, None, None)


def ask(caller: Caller, *signatures: dict[str, Any], expect: int = 200) -> Any:
    return caller.post("/known", {"signatures": list(signatures)}, expect)


def raw(caller: Caller, *signatures: dict[str, Any]) -> bytes:
    return caller.client.post("/api/v1/known", json={"signatures": list(signatures)}, headers=caller.headers).content


def ledger(api: Api, kind: str) -> list[dict[str, Any]]:
    with api.hub.house.transaction(DEDUPE) as tx:
        rows = tx.rows("SELECT body FROM clearwell.ledger_entry ORDER BY id")
    return [line for row in rows if (line := json.loads(bytes(row["body"])))["type"] == kind]


def test_a_lab_learns_what_is_held_since_when_and_nothing_else(asked: Any) -> None:
    api = asked()
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    lab.submit(report(finding("Secret title")))
    api.hub.work()

    held, absent = ask(other, HELD, ABSENT)["answers"]

    day = api.hub.clock.now().date()
    expected = {"standing": "known", "first_reported": f"{day}", "fix_expected": f"{day + timedelta(days=90)}", "public_id": None}
    assert held == expected and absent == {**dict.fromkeys(expected), "standing": "not known"}


def test_what_is_public_is_named_and_what_was_refused_is_not_known(asked: Any) -> None:
    api = asked()
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    lab.submit(report(finding()))
    api.hub.work()
    api.hub.clock.move(days=91)
    publishing.look_at_clocks(api.hub.house)
    api.hub.work()

    (answer,) = ask(other, HELD)["answers"]

    published = api.visitor.get("/advisories")["advisories"]
    assert answer["standing"] == "public" and answer["public_id"] == published[0]["id"] and answer["fix_expected"] is None


def test_every_answer_is_equally_long(asked: Any) -> None:
    api = asked(known_budget_per_day=3)
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    lab.submit(report(finding()))
    api.hub.work()

    told = [raw(other, question) for question in (HELD, ABSENT, HELD, HELD)]

    assert len({len(one) for one in told}) == 1
    assert [json.loads(one)["answers"][0]["standing"] for one in told] == ["known", "not known", "known", "over budget"]


@given(st.floats(0, 1e6), st.floats(0, 30), st.floats(0.01, 10))
def test_an_answer_leaves_on_a_tick_at_least_one_tick_after_the_question(started: float, work: float, tick: float) -> None:
    wait = seconds_to_tick(started, started + work, tick)

    released = (started + work + wait) / tick
    assert abs(released - round(released)) < 1e-3 and wait >= -1e-6
    assert work + wait >= tick - 1e-6 and work + wait <= max(2 * tick, work + tick) + 1e-6


def test_two_worlds_that_differ_in_the_content_of_an_embargoed_case_answer_alike(asked: Any) -> None:
    told = []
    for words in ("one story", "quite another story, much longer, with other places in other words"):
        api = asked()
        lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
        lab.submit(
            report(finding(words, text=words * 3, severity="high"), finding("more", locations=[{"file": "b.c", "function": words[:3]}]))
        )
        api.hub.work()
        told.append((raw(other, HELD), raw(other, ABSENT), raw(other, HELD, ABSENT)))

    assert told[0] == told[1]


def test_the_hub_keeps_only_keyed_hashes_and_every_question_is_in_the_ledger(asked: Any) -> None:
    api = asked()
    other = api.caller(OrganizationKind.LAB)

    ask(other, HELD)
    ask(other, ABSENT, HELD)

    lines = ledger(api, "known.asked")
    assert [line["payload"]["signatures"] for line in lines] == [1, 2] and "read_frame" not in json.dumps(lines)
    with api.hub.house.transaction(DEDUPE) as tx:
        kept = tx.rows("SELECT * FROM clearwell.asked_signature")
    assert len(kept) == 3 and {len(row["keyed_hash"]) for row in kept} == {32} and "read_frame" not in repr(kept)


def test_many_positive_answers_raise_one_alarm_that_coordinators_see(asked: Any) -> None:
    api = asked(known_alarm_positives=2)
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    lab.submit(report(finding()))
    api.hub.work()

    for _ in range(5):
        ask(other, HELD, ABSENT)

    assert len(ledger(api, "known.alarm_raised")) == 1
    coordinator = api.hub.member(OrganizationKind.COORDINATOR)
    (alarm,) = asking.list_alarms(api.hub.house, coordinator)
    assert alarm["organization"] == other.member.organization and alarm["positive"] == 5 and alarm["asked"] == 10


def test_a_budget_is_one_organizations_own_and_comes_back_after_a_day(asked: Any) -> None:
    api = asked(known_budget_per_day=1)
    first, second = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)

    told = [ask(caller, ABSENT)["answers"][0]["standing"] for caller in (first, first, second)]
    api.hub.clock.move(hours=25)

    assert told == ["not known", "over budget", "not known"] and ask(first, ABSENT)["answers"][0]["standing"] == "not known"


def test_file_and_function_alone_are_refused_and_so_is_who_may_not_submit(asked: Any) -> None:
    api = asked()
    lab = api.caller(OrganizationKind.LAB)

    assert "signatures[1]" in ask(lab, HELD, {**HELD, "weakness": None}, expect=400)["detail"]
    ask(lab, expect=400)
    ask(api.caller(OrganizationKind.AUDITOR), HELD, expect=403)
    ask(api.visitor, HELD, expect=401)


def test_the_claim_check_is_off_until_a_salt_is_set_and_then_answers_as_scrutineer_does(asked: Any) -> None:
    api = asked()
    hashed = claim_hash.hash_of("salt", Product(repository="github.com/acme/framer"), "src/frame.c", ["CWE-787"])
    assert hashed is not None
    api.caller(OrganizationKind.LAB).post("/claim-check", {"hash": hashed.hex()}, expect=404)

    api = asked(claim_check_salt="salt", claim_check_contact="security@clearwell.example")
    lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
    lab.submit(report(finding(product={"repository": "https://github.com/acme/framer", "commit": "abcdef1"})))
    api.hub.work()
    assert asking.hash_claims(api.hub.house) == 1 and asking.hash_claims(api.hub.house) == 0

    assert other.post("/claim-check", {"hash": hashed.hex()}, expect=200) == {"match": True, "contact": "security@clearwell.example"}
    assert other.post("/claim-check", {"hash": "0" * 64}, expect=200) == {"match": False}
    other.post("/claim-check", {"hash": "0"}, expect=400)
    assert len(ledger(api, "claim.checked")) == 2
