# SPDX-License-Identifier: Apache-2.0
"""Two worlds that differ in one case which a viewer may not see answer that viewer alike, byte by byte, on every GET route.

The worlds are copies of one database. In one of them somebody else does something secret; then the viewers do the same things in both,
at the same moments and with the same chance; then every address is asked. Excepted: the ledger's tiles, checkpoint and page, whose
leak (how many acts, of which kinds, when) is written down in docs/explanation/architecture.md.
"""

import itertools
import random
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from clearwell import app
from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.store import Contact
from clearwell.clearinghouse.flow import coordinating, maintaining, operating, publishing, reporting, suggesting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.faces.asgi import build_app
from clearwell.faces.web.visit import SESSION
from clearwell.ground.identity.actor import PROVING, Member, OrganizationKind, Permission, Visitor
from clearwell.ground.identity.members import issue_token, open_session
from clearwell.ground.settings import Settings
from clearwell.ground.storage.database import Database
from clearwell.ground.storage.embedded import APPLICATION
from clearwell.vocabulary.ids import CaseId, TokenId
from house.rows import database_of
from hub import Hub, TestClock
from story import plain, report

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECRET_AT, VIEWERS_AT, READ_AT = (START + timedelta(days=92, hours=hours) for hours in (1, 2, 3))
EXCEPTED = re.compile(r"/ledger(/|$)|/openapi|/static/")
CONTACT = Contact("model:acme/router", "the maintainer", "dev@acme.example", "registry", 1)

Answer = tuple[int, tuple[tuple[str, str], ...], bytes]
Told = dict[tuple[str, str], Answer]
Secret = Callable[["World"], None]


class People(msgspec.Struct, frozen=True):
    """Who takes part, and with which credentials the viewers ask."""

    lab: Member
    other: Member
    coordinator: Member
    operator: Member
    neighbor: Member
    auditor: Member
    link: str
    tokens: dict[str, str]
    sessions: dict[str, str]
    ids: tuple[str, ...]


class World:
    """A hub whose time and chance are set, so that the same acts give the same ids and dates."""

    def __init__(self, server: Any, database: str, folder: Path) -> None:
        self.clock = TestClock(START)
        self.pool = Database(server.url(APPLICATION, database), size=4)
        self.pool.open()
        chosen = Settings(data_dir=folder, log_level="critical", worker_concurrency=1)
        app.configure_logs("critical")
        self._house = app.build_house(chosen, self.pool, self.clock)
        self.hub = Hub(self._house, self.clock)

    def at(self, moment: datetime, seed: int) -> None:
        """Set time and chance."""
        self.clock._now = moment
        chance = random.Random(seed)
        self.hub = Hub(msgspec.structs.replace(self._house, chance=chance.randbytes), self.clock)

    def close(self) -> None:
        """End the world."""
        self.pool.close()


def _send(world: World, lab: Member, *findings: dict[str, object]) -> str:
    sent = reporting.submit_report(world.hub.house, lab, [report(*findings)], Envelope(name="report.json")).id
    world.hub.work()
    return sent


def _case(world: World, lab: Member, submission: str) -> CaseId:
    return reporting.read_answers(world.hub.house, lab, submission)[0].finding.case  # type: ignore[arg-type]


def _prove(world: World, case: CaseId) -> None:
    with world.hub.house.transaction(PROVING) as tx:
        kept = store.load_case(tx, case, lock=True)
        store.save_case(tx, msgspec.structs.replace(kept, case=kept.case.prove(world.clock.now())))


def _base(world: World) -> People:
    """What both worlds share: viewers of every kind with things of their own, something published, something under way."""
    hub = world.hub
    lab, other, coordinator = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.COORDINATOR)
    operator = hub.member(OrganizationKind.OPERATOR, sector="health", size="small", system_class="ci_operator")
    neighbor = hub.member(OrganizationKind.OPERATOR, sector="water", size="small", system_class="ci_operator")
    auditor = hub.member(OrganizationKind.AUDITOR)
    coordinating.record_contact(hub.house, coordinator, CONTACT)
    operating.send_inventory(hub.house, operator, "portal", "unknown", b"flask==2.0\n", "requirements.txt")
    old = _send(world, lab, plain("an old flaw", "seen long ago"))
    world.clock._now = START + timedelta(days=91)
    publishing.look_at_clocks(hub.house)
    hub.work()
    world.clock._now = START + timedelta(days=92)
    mine = _send(
        world, lab, plain("a flaw of mine", "my words", proof={"files": {"proof.toml": "not yet"}}), plain("another of mine", "more words")
    )
    _prove(world, _case(world, lab, mine))
    maintaining.invite(hub.house, _case(world, lab, mine))
    hub.work()
    (link,) = [found[1] for mail in hub.mails() if (found := re.search(r"/maintainer/(\S+)", mail)) and "reproduced" in mail]
    viewers = {"lab": lab, "operator": operator, "auditor": auditor}
    with hub.house.transaction(lab) as tx:
        now = world.clock.now()
        tokens = {
            name: issue_token(tx, TokenId(hub.house.new_id("token")), who, "a test", Permission, now, 30) for name, who in viewers.items()
        }
        sessions = {name: open_session(tx, who.person, now, 1000) for name, who in viewers.items()}
    findings = [one.finding.id for sent in (old, mine) for one in reporting.read_answers(hub.house, lab, sent)]  # type: ignore[arg-type]
    public = [one.advisory.id for one in publishing.list_advisories(hub.house, Visitor())]
    assert len(public) == 1
    parts = [row["id"] for row in reporting.my_participations(hub.house, lab)]
    cases = [_case(world, lab, mine)]
    return People(
        lab, other, coordinator, operator, neighbor, auditor, link, tokens, sessions, (old, mine, *findings, *public, *parts, *cases)
    )


def _viewers_act(world: World, people: People) -> None:
    """What viewers do after the secret, the same in both worlds."""
    world.at(VIEWERS_AT, 2)
    _send(world, people.lab, plain("a later flaw of mine", "later words", product={"vendor": "other", "model": "switch"}))
    operating.send_inventory(world.hub.house, people.operator, "lab", True, b"flask==2.0\nquietlib==1.0\n", "requirements.txt")
    publishing.look_at_clocks(world.hub.house)
    world.hub.work()


def _addresses(application: Litestar, people: People, secrets: tuple[str, ...]) -> list[str]:
    """Every GET address; those with an id once for each id, the viewers' own and the secret ones."""
    found: list[str] = []
    for route in application.routes:
        if not isinstance(route, HTTPRoute) or "GET" not in route.methods or EXCEPTED.search(route.path):
            continue
        places = re.findall(r"\{[^}]+\}", route.path)
        if len(places) > 1:
            continue
        if places and "secret" in places[0]:
            found.append(route.path.replace(places[0], people.link))
        elif places:
            found += [route.path.replace(places[0], value) for value in (*people.ids, *secrets)]
        else:
            found.append(route.path)
    return found


def _ask(world: World, people: People, secrets: tuple[str, ...], told: Told) -> Told:
    """What each viewer is told at each address that was not asked before: status, headers, body. A GET changes nothing."""
    application = build_app(world.hub.house)
    with TestClient(application, base_url="http://127.0.0.1:8000") as client:
        for viewer in (*people.tokens, "visitor"):
            for address in _addresses(application, people, secrets):
                if (viewer, address) not in told:
                    world.at(READ_AT, 3)
                    told[viewer, address] = _told(client, people, viewer, address)
    return told


def _told(client: Any, people: People, viewer: str, address: str) -> Answer:
    by_token = address.startswith("/api/")
    client.cookies.clear()
    if not by_token and viewer in people.sessions:
        client.cookies.set(SESSION, people.sessions[viewer])
    headers = {"Authorization": f"Bearer {people.tokens[viewer]}"} if by_token and viewer in people.tokens else {}
    answer = client.get(address, headers=headers, follow_redirects=False)
    kept = tuple(sorted((name, _steady(value)) for name, value in answer.headers.items() if name != "date"))
    return answer.status_code, kept, _steady(answer.content)


def _steady(value: Any) -> Any:
    """Without what is new in every answer: a visitor's form is bound by chance."""
    if isinstance(value, bytes):
        return re.sub(rb'(name="csrf"[^>]*value=")[0-9a-f]+', rb"\1", value)
    return re.sub(r"clearwell_visit=[^;]+", "", str(value))


class Worlds:
    """The base, and a copy of it where nothing secret happened (`quiet`), asked by every pair of worlds."""

    def __init__(self, server: Any, place: Path) -> None:
        self._server, self._place, self._numbers = server, place, itertools.count()
        self._name = server.create()
        world = World(server, self._name, place / "base")
        self.people = _base(world)
        world.close()
        self._quiet, self._told_quietly = self._copy(), Told()
        _viewers_act(self._quiet, self.people)

    def quiet(self, secrets: tuple[str, ...]) -> Told:
        """What the viewers are told where nothing secret happened; `secrets` are ids that mean nothing there."""
        told = _ask(self._quiet, self.people, secrets, self._told_quietly)
        wanted = set(_addresses(build_app(self._quiet.hub.house), self.people, secrets))
        return {(viewer, address): answer for (viewer, address), answer in told.items() if address in wanted}

    def after(self, secret: Secret) -> tuple[tuple[str, ...], Told]:
        """The ids that a secret made in a new copy of the base, and what the viewers are told there."""
        world = self._copy()
        try:
            world.at(SECRET_AT, 1)
            secret(world)
            world.hub.work()
            secrets = self._new_ids(world)
            _viewers_act(world, self.people)
            return secrets, _ask(world, self.people, secrets, Told())
        finally:
            name = database_of(world.hub)
            world.close()
            self._server.drop(name)

    def close(self) -> None:
        """End the quiet world."""
        self._quiet.close()

    def _copy(self) -> World:
        folder = self._place / f"world-{next(self._numbers)}"
        shutil.copytree(self._place / "base", folder)
        return World(self._server, self._server.create(self._name), folder)

    def _new_ids(self, world: World) -> tuple[str, ...]:
        with world.hub.house.transaction(self.people.coordinator) as tx:
            tables = ("submission", "finding", "vulnerability_case", "participant", "proof")
            found = [row["id"] for table in tables for row in tx.rows(f"SELECT id FROM clearwell.{table} ORDER BY id DESC LIMIT 2")]
        return tuple(one for one in found if one not in self.people.ids)[:6]


@pytest.fixture(scope="module")
def worlds(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """One base for all pairs of worlds."""
    made = Worlds(server, tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


# -- secrets ------------------------------------------------------------------------------------------------------------


def another_organizations_report(world: World, people: People, title: str = "a secret flaw", text: str = "secret words") -> None:
    """A report about something else."""
    _send(world, people.other, plain(title, text, product={"vendor": "hush", "model": "box"}, proof={"files": {"proof.toml": text}}))


def a_proven_case_of_the_same_component(world: World, people: People) -> None:
    """A case that waits for the very maintainer whose link a viewer holds."""
    sent = _send(world, people.other, plain("a secret flaw", "secret words about the router"))
    _prove(world, _case(world, people.other, sent))
    maintaining.invite(world.hub.house, _case(world, people.other, sent))


def another_operators_inventory(world: World, people: People) -> None:
    """Another operator runs something."""
    operating.send_inventory(world.hub.house, people.neighbor, "portal", True, b"flask==2.0\n", "requirements.txt")


def cases_merged_by_a_coordinator(world: World, people: People) -> None:
    """Two cases of another organization become one, and one of them gets a name."""
    sent = _send(world, people.other, plain("one", "one thing"), plain("two", "quite another thing"))
    first, second = (one.finding.case for one in reporting.read_answers(world.hub.house, people.other, sent))  # type: ignore[arg-type]
    coordinating.merge_cases(world.hub.house, people.coordinator, first, second, "they are one")
    coordinating.record_aliases(world.hub.house, people.coordinator, second, ("CVE-2026-12345",))


def a_report_like_what_a_viewer_sends_later(world: World, people: People) -> None:
    """Likeness is suggested to coordinators, and told to nobody else."""
    _send(world, people.other, plain("a later flaw of theirs", "later words", product={"vendor": "other", "model": "switch"}))


SECRETS = (
    a_report_like_what_a_viewer_sends_later,
    another_organizations_report,
    a_proven_case_of_the_same_component,
    another_operators_inventory,
    cases_merged_by_a_coordinator,
)


def _differences(ours: Told, theirs: Told) -> list[tuple[str, str]]:
    assert ours.keys() == theirs.keys()
    return [asked for asked in ours if ours[asked] != theirs[asked]]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.__name__)
def test_who_may_not_see_a_case_is_told_the_same_with_and_without_it(worlds: Worlds, secret: Callable[[World, People], None]) -> None:
    secrets, with_it = worlds.after(lambda world: secret(world, worlds.people))
    without = worlds.quiet(secrets)

    assert secrets
    assert sum(answer[0] == 200 for answer in without.values()) > 40
    assert _differences(without, with_it) == []


SAID = st.tuples(st.text(min_size=1, max_size=80), st.text(max_size=2_000))


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SAID, SAID)
def test_who_may_not_see_a_case_is_told_the_same_whatever_it_says(worlds: Worlds, one: tuple[str, str], two: tuple[str, str]) -> None:
    (_, first), (_, second) = (
        worlds.after(lambda world, said=said: another_organizations_report(world, worlds.people, *said)) for said in (one, two)
    )

    assert _differences(first, second) == []


def test_the_alike_report_is_suggested_to_coordinators(worlds: Worlds) -> None:
    """What one of the secrets makes, and no viewer is told of."""
    seen: list[int] = []

    def count(world: World) -> None:
        _viewers_act(world, worlds.people)
        seen.append(len(suggesting.list_suggestions(world.hub.house, worlds.people.coordinator, limit=500).pairs))

    def secret(world: World) -> None:
        a_report_like_what_a_viewer_sends_later(world, worlds.people)
        count(world)

    worlds.after(secret)
    worlds.after(count)

    assert seen[0] == seen[1] + 1


def test_what_the_test_compares_would_show_a_difference(worlds: Worlds) -> None:
    def own_report(world: World) -> None:
        _send(world, worlds.people.lab, plain("a third flaw of mine", "its words", product={"vendor": "x", "model": "y"}))

    secrets, with_it = worlds.after(own_report)

    assert {viewer for viewer, _ in _differences(worlds.quiet(secrets), with_it)} == {"lab"}
