# SPDX-License-Identifier: Apache-2.0
"""Asking before sending: what is answered, that nothing else can be read from an answer's length or time, budgets, the ledger."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import Api, Caller, finding, report, speak
from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.dedupe import claim_hash
from clearwell.clearinghouse.flow import asking, coordinating, publishing, reporting
from clearwell.faces.api.known import on_tick, seconds_to_tick
from clearwell.ground.identity.actor import DEDUPE, PROVING, OrganizationKind
from clearwell.vocabulary.ids import CaseId
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


class Jumping(asyncio.SelectorEventLoop):
    """A loop whose clock stands still while it works and jumps to the next timer when it waits: seconds are said, not spent."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now, self._select = now, self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now

    def _jump(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return self._select(timeout)
        self.now += timeout
        return self._select(0)


@given(started=st.floats(0, 1e4), tick=st.floats(0.05, 2), shares=st.lists(st.floats(0, 0.99), min_size=2, max_size=4))
def test_however_long_the_work_takes_within_a_tick_the_answer_leaves_at_one_and_the_same_moment(
    started: float, tick: float, shares: list[float]
) -> None:
    """Two worlds in which a look-up takes more or less time: who asked at the same moment is answered at the same moment."""
    left = []
    for share in shares:
        loop = Jumping(started)
        try:
            loop.run_until_complete(on_tick(tick, partial(_spend, loop, share * tick)))
            left.append(loop.time())
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    assert max(left) - min(left) < 1e-6 * max(1.0, tick + started)
    assert min(left) >= started + tick - 1e-6


def _spend(loop: Jumping, seconds: float) -> None:
    loop.now += seconds


def in_other_words(api: Api, lab: Caller) -> None:
    """The report says something else, at greater length, and more besides."""
    more = [finding(f"more {n}", text="x" * 3_000, locations=[{"file": "b.c", "function": f"f{n}"}]) for n in range(20)]
    lab.submit(report(finding("quite another story", text="much longer, with other words" * 60, severity="high"), *more))


def for_its_recipients_alone(api: Api, lab: Caller) -> None:
    """The report is marked TLP:RED."""
    lab.submit(report(finding()), marking="TLP:RED")


def embargoed_for_longer(api: Api, lab: Caller) -> None:
    """Two people moved the case's end date."""
    case = _held(api, lab)
    coordinator = api.hub.member(OrganizationKind.COORDINATOR)
    until = coordinating.read_case(api.hub.house, coordinator, case).kept.case.ends_at + timedelta(days=20)
    proposal = coordinating.propose_extension(api.hub.house, coordinator, case, until)
    coordinating.confirm_extension(api.hub.house, api.hub.colleague(coordinator), proposal.id)


def proven_and_reported_by_others_too(api: Api, lab: Caller) -> None:
    """Its proof fired, its maintainer knows, and three others found it."""
    case = _held(api, lab)
    with api.hub.house.transaction(PROVING) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.prove(api.hub.clock.now()), fires=("1.2.0",), clean=("1.2.1",)))
    for number in range(3):
        api.caller(OrganizationKind.LAB).submit(report(finding(f"found again, {number}")))


def _held(api: Api, lab: Caller) -> CaseId:
    sent = lab.submit(report(finding()))
    api.hub.work()
    assert lab.member is not None
    return reporting.read_answers(api.hub.house, lab.member, sent["id"])[0].finding.case


QUESTIONS = ((HELD,), (ABSENT,), (HELD, ABSENT), (HELD,), (HELD,), (HELD,), (ABSENT,))
SECRETS = (in_other_words, for_its_recipients_alone, embargoed_for_longer, proven_and_reported_by_others_too)


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.__name__)
def test_two_worlds_that_differ_in_the_content_of_an_embargoed_case_answer_alike_and_do_the_same_work(
    asked: Any, secret: Callable[[Api, Caller], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and bytes are equal for what is held, what is absent, both at once, and past the budget; so is each statement run."""
    told, ran = [], []
    for make in (_held, secret):
        api = asked(known_budget_per_day=6)
        lab, other = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.LAB)
        make(api, lab)
        api.hub.work()
        statements: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Connection, "execute", _recording(psycopg.Connection.execute, statements))
            told.append(
                [_told(other, *signatures) for signatures in ((HELD,), (ABSENT,), (HELD, ABSENT), (HELD,), (HELD,), (HELD,), (ABSENT,))]
            )
        ran.append(statements)

    assert [json.loads(one[2])["answers"][0]["standing"] for one in told[0]] == [
        "known", "not known", "known", "known", "known", "over budget", "over budget",
    ]  # fmt: skip
    assert told[0] == told[1]
    assert ran[0] == ran[1] and len(ran[0]) > len(told[0])


def _told(caller: Caller, *signatures: dict[str, Any]) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    answer = caller.client.post("/api/v1/known", json={"signatures": list(signatures)}, headers=caller.headers)
    return answer.status_code, tuple(sorted((name, value) for name, value in answer.headers.items() if name != "date")), answer.content


def _recording(execute: Callable[..., Any], statements: list[str]) -> Callable[..., Any]:
    def recorded(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        statements.append(" ".join(str(query).split()))
        return execute(self, query, *args, **more)

    return recorded


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
