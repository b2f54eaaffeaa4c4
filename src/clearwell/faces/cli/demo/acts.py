# SPDX-License-Identifier: Apache-2.0
"""What the personas do, in order, each through the public API. Everything looks before it acts: played again, nothing is done twice."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from clearwell.faces.cli.demo.client import Client
from clearwell.faces.cli.demo.exercise import Act, DecisionPoints, Exercise, Maintainer, Operator, Receipt, Submission
from clearwell.faces.cli.demo.surroundings import Surroundings
from clearwell.vocabulary.errors import Conflict, NotFound

Told = Callable[[str], None]
"""Called with what happens now, for the display."""


class Played:
    """The exercise being played on a hub: `submissions` are the hub's ids of what was sent, by lab/file."""

    def __init__(self, exercise: Exercise, surroundings: Surroundings, told: Told) -> None:
        self._exercise, self._hub, self._told = exercise, surroundings, told
        self.submissions: dict[str, str] = {}
        self.told_too_early: list[str] = []
        self._titles = {case.name: case.title for case in exercise.expected.case}

    def play(self) -> None:
        """Everything, from the first contact to the second inventory."""
        for step, work in self.steps():
            self._told(step)
            work()
            self._hub.settle()

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """The steps with their names, in order. After each one the hub is left to finish."""
        yield "coordinators record who maintains what; operators tell what they run", self._prepare
        for number in self._exercise.rounds:
            yield f"labs and the farm send reports (round {number}); proofs are run in isolation", partial(self._send, number)
        yield "maintainers answer through their links; claimed fixes are verified", self._answer
        yield "two coordinators read each difference; fixes are distributed", self._distribute
        yield "operators are told what concerns them, and say what they plan", self._receive
        yield "operators install, and send their inventories again", self._install

    # -- before, and the reports ------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        coordinator = self._hub.as_("coordinator:1")
        known = {row["component"] for row in coordinator.pages("/cases", "cases")}
        for maintainer in self._exercise.maintainers:
            for component in maintainer.components:
                if component not in known:
                    coordinator.post("/contacts", _contact(maintainer, component))
        for operator in self._exercise.operators:
            client = self._hub.as_(f"operator:{operator.folder}")
            there = {asset["name"] for asset in client.get("/assets")["assets"]}
            _send_inventory(client, operator, 0, leave_out=there)

    def _send(self, number: int) -> None:
        for sent in self._exercise.submissions:
            if sent.round == number:
                self.submissions[sent.key] = self._submit(sent)

    def _submit(self, sent: Submission) -> str:
        query = {"name": sent.file, **({"target": sent.target} if sent.target else {})}
        answer = self._hub.as_(f"lab:{sent.lab}").post("/submissions", raw=sent.body, key=f"exercise {sent.key}", **query)
        return str(answer["id"])

    # -- maintainers ------------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        """In waves: each case's next act, then the hub finishes; a case that waits for its turn comes in a later wave."""
        self._look_whether_anybody_was_told()
        left = {maintainer.contact: list(maintainer.act) for maintainer in self._exercise.maintainers}
        while any(left.values()):
            before = sum(map(len, left.values()))
            for contact, acts in left.items():
                links = self._links(contact)
                for act in _next_of_each_case(acts):
                    if act.case in links:
                        self._act(contact, links[act.case], act)
                        acts.remove(act)
            if sum(map(len, left.values())) == before:
                waiting = ", ".join(f"{contact} ({acts[0].case})" for contact, acts in left.items() if acts)
                raise Conflict(f"maintainers wait for reports that were not presented to them: {waiting}")
            self._hub.settle()

    def _links(self, contact: str) -> dict[str, str]:
        """The cases that a contact has a link to: name -> secret; told apart by the title that the link shows."""
        names = {title: name for name, title in self._titles.items()}
        found: dict[str, str] = {}
        for mail in self._hub.mails(contact):
            if mail.link is not None:
                title = self._hub.anybody().get(f"/maintainer/{mail.link}")["title"]
                found[names.get(title, title)] = mail.link
        return found

    def _act(self, contact: str, secret: str, act: Act) -> None:
        link = f"/maintainer/{secret}"
        if _is_done(self._hub.anybody().get(link), act):
            return
        before = len(self._hub.mails(contact))
        self._hub.anybody().post(f"{link}/code")
        code = self._hub.await_mail(contact, before).code
        if act.patch is not None:
            patch = (self._exercise.proofs / act.patch).read_text(encoding="utf-8")
            self._hub.anybody().post(f"{link}/patches", {"code": code, "patch": patch})
            return
        version = {"version": act.version} if act.version is not None else {}
        self._hub.anybody().post(f"{link}/statements", {"code": code, "kind": act.say, "text": act.text, **version})

    def _look_whether_anybody_was_told(self) -> None:
        """Before anything is published no operator hears anything, whatever its inventory says (never 3)."""
        if self._hub.anybody().get("/advisories")["advisories"]:
            return
        for operator in self._exercise.operators:
            if self._hub.as_(f"operator:{operator.folder}").get("/actions", all="true")["actions"]:
                self.told_too_early.append(operator.name)

    # -- coordinators -----------------------------------------------------------------------------------------------------

    def _distribute(self) -> None:
        first, second = self._hub.as_("coordinator:1"), self._hub.as_("coordinator:2")
        by_title = {row["title"]: row["id"] for row in first.pages("/cases", "cases")}
        for name in self._exercise.coordinators.distribute:
            case_id = by_title.get(self._titles[name])
            if case_id is None:
                raise NotFound(f"the coordinators see no case {self._titles[name]!r}")
            page = first.get(f"/cases/{case_id}")
            aliases = list(self._exercise.coordinators.aliases.get(name, ()))
            if aliases and page["case"]["aliases"] != aliases:
                first.post(f"/cases/{case_id}/aliases", {"aliases": aliases})
            points = self._exercise.coordinators.decision_points.get(name)
            if points is not None and not _are_recorded(page["case"], points):
                told = {"automatable": points.automatable, "technical_impact": points.technical_impact, "source": points.source}
                first.post(f"/cases/{case_id}/decision-points", told)
            for fix in page["fixes"]:
                if fix["state"] == "verified" and fix["distributed_at"] is None:
                    _distribute_by_two(first, second, fix["id"])

    # -- operators --------------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        for operator in self._exercise.operators:
            client = self._hub.as_(f"operator:{operator.folder}")
            actions = client.get("/actions")["actions"]
            for receipt in operator.receipt:
                for action in actions:
                    if (action["asset"], action["component"], action["receipt"]) == (receipt.asset, receipt.component, "told"):
                        client.post(f"/actions/{action['id']}/receipt", _receipt(receipt, operator))

    def _install(self) -> None:
        for operator in self._exercise.operators:
            _send_inventory(self._hub.as_(f"operator:{operator.folder}"), operator, 1)


def _contact(maintainer: Maintainer, component: str) -> dict[str, Any]:
    return {
        "component": component, "name": maintainer.name, "contact": maintainer.contact, "origin": maintainer.origin,
        "open_reports_limit": maintainer.limit,
    }  # fmt: skip


def _send_inventory(client: Client, operator: Operator, number: int, leave_out: set[str] | frozenset[str] = frozenset()) -> None:
    for asset in operator.asset:
        if asset.name not in leave_out:
            exposed = str(asset.exposed).lower()
            client.put(f"/assets/{asset.name}/inventory", operator.inventories[number][asset.name], file=asset.inventory, exposed=exposed)


def _next_of_each_case(acts: list[Act]) -> list[Act]:
    first: dict[str, Act] = {}
    for act in acts:
        first.setdefault(act.case, act)
    return list(first.values())


def _is_done(seen: Any, act: Act) -> bool:
    if act.patch is not None:
        return any(fix["kind"] == "patch" for fix in seen["fixes"])
    if act.version is not None:
        return any(fix["version"] == act.version for fix in seen["fixes"])
    return any(said["kind"] == act.say for said in seen["statements"])


def _are_recorded(case: Any, points: DecisionPoints) -> bool:
    return all(case[name]["value"] == getattr(points, name) for name in ("automatable", "technical_impact"))


def _distribute_by_two(first: Client, second: Client, fix: str) -> None:
    """Each of the two reads the difference and names it by the hash of what was read."""
    read = [hashlib.sha256(person.raw(f"/api/v1/fixes/{fix}/difference")).hexdigest() for person in (first, second)]
    waiting = next((row for row in first.get("/proposals")["proposals"] if row["subject"] == fix), None)
    proposal = waiting or first.post(f"/fixes/{fix}/distribution", {"diff_sha256": read[0]})
    second.post(f"/proposals/{proposal['id']}/confirmation", {"diff_sha256": read[1]})


def _receipt(receipt: Receipt, operator: Operator) -> dict[str, Any]:
    if receipt.planned_in_days is None:
        return {"receipt": receipt.receipt}
    day = datetime.now(ZoneInfo(operator.time_zone)).date() + timedelta(days=receipt.planned_in_days)
    return {"receipt": receipt.receipt, "planned_for": day.isoformat()}
