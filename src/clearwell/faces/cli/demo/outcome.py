# SPDX-License-Identifier: Apache-2.0
"""What came out of the exercise, seen by signing in as each persona, and every way in which it differs from what must come out."""

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from clearwell.faces.cli.demo.acts import Played
from clearwell.faces.cli.demo.client import Client
from clearwell.faces.cli.demo.exercise import (
    Exercise,
    ExpectedAction,
    ExpectedAnswer,
    ExpectedCase,
    ExpectedMaintainer,
    ExpectedOperator,
    Operator,
)
from clearwell.faces.cli.demo.surroundings import Surroundings
from clearwell.ground.ledger.merkle import WIDTH
from clearwell.ground.ledger.note import parse_checkpoint, parse_note, parse_vkey
from clearwell.ground.ledger.tiles import CHECKPOINT, ENTRIES, tile_path, tile_width
from clearwell.ground.ledger.verify import verify
from clearwell.vocabulary.errors import Conflict, Unavailable

_STACKS = {"call-sites", "crash-lines", "crash"}
_LEDGER_TRIES = 10


class CaseSeen(msgspec.Struct, frozen=True):
    """A line of the summary."""

    name: str
    component: str
    standing: str
    findings: int
    labs: int
    fixed_in: str
    told: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The differences (none: all is as it must be), how many things were compared, and the summary's lines."""

    differences: tuple[str, ...]
    compared: int
    cases: tuple[CaseSeen, ...]
    answers: dict[str, int]
    actions: dict[str, dict[str, int]]
    ledger_size: int


def observe(exercise: Exercise, surroundings: Surroundings, played: Played) -> Outcome:
    """Sign in as everybody and compare all that they see with what must come out."""
    return _Observation(exercise, surroundings, played).look()


class _Observation:
    def __init__(self, exercise: Exercise, surroundings: Surroundings, played: Played) -> None:
        self._exercise, self._hub, self._played = exercise, surroundings, played
        self._differences: list[str] = []
        self._compared = 0
        self._pages: dict[str, Any] = {}
        self._cases: dict[str, str] = {}
        self._organization: dict[str, str] = {}
        self._answers: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._actions: dict[str, dict[str, int]] = {}

    def look(self) -> Outcome:
        expected = self._exercise.expected
        coordinator = self._hub.as_("coordinator:1")
        rows = coordinator.pages("/cases", "cases")
        self._pages = {row["id"]: coordinator.get(f"/cases/{row['id']}") for row in rows}
        for sent in self._exercise.submissions:
            self._look_at_answers(sent.lab, sent.key, expected.answers[sent.key])
        self._equal("the coordinators' cases", len(rows), len(expected.case))
        for case in expected.case:
            self._look_at_case(case)
        self._look_at_advisories(expected.case)
        for maintainer in expected.maintainer:
            self._look_at_mail(maintainer)
        self._equal("operators told before anything was published", self._played.told_too_early, [])
        operators = {operator.folder: operator for operator in self._exercise.operators}
        for stated in expected.operator:
            self._look_at_operator(operators[stated.folder], stated)
        self._look_at_walls()
        self._look_at_tempo(coordinator)
        size = self._look_at_ledger()
        return Outcome(
            differences=tuple(self._differences),
            compared=self._compared,
            cases=tuple(self._seen(case) for case in expected.case),
            answers=dict(self._answers),
            actions=self._actions,
            ledger_size=size,
        )

    def _equal(self, what: str, seen: Any, wanted: Any) -> None:
        self._compared += 1
        if seen != wanted:
            self._differences.append(f"{what}: {seen!r}, expected {wanted!r}")

    # -- as the finders ---------------------------------------------------------------------------------------------------

    def _look_at_answers(self, lab: str, key: str, wanted: tuple[ExpectedAnswer, ...]) -> None:
        client = self._hub.as_(f"lab:{lab}")
        rows = client.pages(f"/submissions/{self._played.submissions[key]}/answers", "answers")
        parts = {part["participation"]: part for part in client.get("/participations")["participations"]}
        self._equal(f"{key}: findings", len(rows), len(wanted))
        for row, expected in zip(rows, wanted, strict=False):
            what = f"{key} [{row['position']}]"
            self._answers[row["answer"]] += 1
            self._equal(f"{what}: answer ({row['reason']})", row["answer"], expected.answer)
            self._equal(f"{what}: {expected.because!r} stands in the reason {row['reason']!r}", expected.because in row["reason"], True)
            self._look_at_runs(client, row["finding"], what, expected)
            self._look_where_it_is(row, parts.get(row["participation"], {}), what, expected)

    def _look_at_runs(self, client: Client, finding: str, what: str, expected: ExpectedAnswer) -> None:
        runs = client.get(f"/findings/{finding}")["runs"]
        self._equal(f"{what}: verdict", runs[-1]["verdict"] if runs else None, expected.verdict)
        if runs:
            self._equal(f"{what}: assurance", runs[-1]["report"]["assurance"], expected.assurance)

    def _look_where_it_is(self, row: Any, part: Any, what: str, expected: ExpectedAnswer) -> None:
        """The finding lies in the case that expected.toml names; its sender takes part, and sees end and standing under an own id."""
        holding = [case_id for case_id, page in self._pages.items() if any(f["id"] == row["finding"] for f in page["findings"])]
        self._equal(f"{what}: lies in one case", len(holding), 1)
        if len(holding) != 1:
            return
        case_id = self._cases.setdefault(expected.case, holding[0])
        self._equal(f"{what}: lies in the case {expected.case}", holding[0], case_id)
        page = self._pages[holding[0]]
        self._equal(f"{what}: end date", part.get("ends_at"), page["case"]["ends_at"])
        self._equal(f"{what}: standing", part.get("standing"), page["case"]["standing"])
        self._equal(f"{what}: the answer's day of the end", row["ends_at"][:10], page["case"]["ends_at"][:10])
        self._equal(f"{what}: its sender sees no id of the case", row["participation"] not in (None, case_id), True)

    # -- as the coordinators ----------------------------------------------------------------------------------------------

    def _look_at_case(self, wanted: ExpectedCase) -> None:
        page = self._pages.get(self._cases.get(wanted.name, ""))
        self._equal(f"case {wanted.name}: is there", page is not None, True)
        if page is None:
            return
        case, what = page["case"], f"case {wanted.name}"
        for name in ("component", "title", "standing"):
            self._equal(f"{what}: {name}", case[name], getattr(wanted, name))
        self._equal(f"{what}: findings by lab", self._by_lab(page), wanted.findings)
        days = _moment(case["ends_at"]) - _moment(case["first_received"])
        self._equal(f"{what}: days from first receipt to end", days, timedelta(days=self._exercise.expected.days_to_end))
        first = min(_moment(finding["received_at"]) for finding in _dating(page))
        self._equal(f"{what}: its end counts from the first report that could be checked", _moment(case["first_received"]), first)
        verified = [fix["version"] for fix in page["fixes"] if fix["state"] == "verified"]
        self._equal(f"{what}: verified fixes", verified, [wanted.fixed_in] if wanted.fixed_in else [])
        failed = [fix["version"] or fix["kind"] for fix in page["fixes"] if fix["state"] == "not_verified"]
        self._equal(f"{what}: fixes that did not hold", failed, list(wanted.not_fixed_by))
        self._equal(f"{what}: published", page["published_at"] is not None, wanted.published)
        if wanted.fires:
            self._equal(f"{what}: versions on which it fires", page["fires"], list(wanted.fires))
        if wanted.waits_for:
            fixed = [self._pages[self._cases[name]]["fixed_at"] for name in wanted.waits_for if name in self._cases]
            freed = min((_moment(at) for at in fixed if at is not None), default=None)
            shown = page["presented_at"] and _moment(page["presented_at"])
            waited = freed is not None and shown is not None and _moment(page["proven_at"]) < freed <= shown
            self._equal(f"{what}: was presented only after one of {', '.join(wanted.waits_for)} was fixed", waited, True)

    def _by_lab(self, page: Any) -> dict[str, int]:
        labs = {sent: key.partition("/")[0] for key, sent in self._played.submissions.items()}
        return dict(Counter(labs.get(finding["submission"], "?") for finding in page["findings"]))

    def _look_at_advisories(self, wanted: tuple[ExpectedCase, ...]) -> None:
        """As anybody: what is published, by component and name elsewhere; each advisory's documents are there."""
        rows = self._hub.anybody().pages("/advisories", "advisories")
        aliases = self._exercise.coordinators.aliases
        seen = sorted((row["components"], row["aliases"], row["minimal"]) for row in rows)
        published = sorted(([case.component], list(aliases.get(case.name, ())), False) for case in wanted if case.published)
        self._equal("published advisories", seen, published)
        for row in rows:
            osv, csaf = (self._hub.anybody().get(f"/advisories/{row['id']}.{kind}") for kind in ("osv", "csaf"))
            named = osv["id"].removeprefix("x_"), csaf["document"]["tracking"]["id"]
            self._equal(f"advisory {row['id']}: documents", named, (row["id"], row["id"]))

    # -- as the maintainers -----------------------------------------------------------------------------------------------

    def _look_at_mail(self, wanted: ExpectedMaintainer) -> None:
        mails = self._hub.mails(wanted.contact)
        links = [mail.link for mail in mails if mail.link]
        names = {case.title: case.name for case in self._exercise.expected.case}
        titles = [self._hub.anybody().get(f"/maintainer/{link}")["title"] for link in links]
        presented = sorted(names.get(title, title) for title in titles)
        self._equal(f"{wanted.contact}: cases presented", presented, sorted(wanted.presented))
        self._equal(f"{wanted.contact}: codes", sum(mail.code is not None for mail in mails), wanted.codes)
        self._equal(f"{wanted.contact}: mails in all", len(mails), len(wanted.presented) + wanted.codes)

    # -- as the operators -------------------------------------------------------------------------------------------------

    def _look_at_operator(self, operator: Operator, wanted: ExpectedOperator) -> None:
        actions = self._hub.as_(f"operator:{operator.folder}").get("/actions", all="true")["actions"]
        self._actions[operator.name] = dict(Counter(action["receipt"] for action in actions))
        named = {self._advisory_key(case): case.name for case in self._exercise.expected.case if case.published}
        rows = self._hub.anybody().pages("/advisories", "advisories")
        by_id = {row["id"]: named.get((row["components"][0], tuple(row["aliases"])), row["id"]) for row in rows}
        seen = {(action["asset"], by_id.get(action["advisory"], action["advisory"])): action for action in actions}
        places = sorted((action.asset, action.case) for action in wanted.actions)
        self._equal(f"{operator.name}: was told of, and of nothing else", sorted(seen), places)
        for expected in wanted.actions:
            if (action := seen.get((expected.asset, expected.case))) is not None:
                self._told[expected.case] += 1
                self._look_at_action(operator, expected, action)

    def _look_at_action(self, operator: Operator, expected: ExpectedAction, action: Any) -> None:
        what = f"{operator.name}, {expected.asset}, {expected.case}"
        self._equal(f"{what}: receipt", action["receipt"], expected.receipt)
        self._equal(f"{what}: installed is dated", action["installed_at"] is not None, expected.receipt == "installed")
        if expected.receipt != "installed":
            self._equal(f"{what}: status", action["status"], expected.status)
        if expected.outcome is not None:
            self._equal(f"{what}: outcome", action["outcome"], expected.outcome)
        told = _moment(action["told_at"]).astimezone(ZoneInfo(operator.time_zone)).date()
        start = min(told, expected.listed_on or told)
        due = start + timedelta(days=expected.due_in_days) if expected.due_in_days is not None else None
        self._equal(f"{what}: due (told on {told})", action["due_on"], due.isoformat() if due else None)

    def _advisory_key(self, case: ExpectedCase) -> tuple[str, tuple[str, ...]]:
        return case.component, tuple(self._exercise.coordinators.aliases.get(case.name, ()))

    # -- what nobody may see, how fast it went, and the log ---------------------------------------------------------------

    def _look_at_walls(self) -> None:
        """Each persona meets the walls: reports of others, cases, operators' lists, anything at all without a token."""
        by_lab = {key.partition("/")[0]: sent for key, sent in self._played.submissions.items()}
        for lab in by_lab:
            client = self._hub.as_(f"lab:{lab}")
            other = next((sent for name, sent in by_lab.items() if name != lab), None)
            if other is not None:
                self._equal(f"{lab} reads another lab's report", client.status(f"/submissions/{other}"), 404)
            self._equal(f"{lab} reads the list of cases", client.status("/cases"), 403)
            self._equal(f"{lab} reads an operator's list", client.status("/actions"), 403)
        for operator in self._exercise.operators:
            client = self._hub.as_(f"operator:{operator.folder}")
            self._equal(f"{operator.name} reads the list of cases", client.status("/cases"), 403)
        self._equal("coordinators read an operator's list", self._hub.as_("coordinator:1").status("/actions"), 403)
        self._equal("the auditor reads the list of cases", self._hub.as_("auditor").status("/cases"), 403)
        self._equal("anybody reads the list of cases", self._hub.anybody().status("/cases"), 401)

    def _look_at_tempo(self, coordinator: Client) -> None:
        tempo = {row["case"]: row for row in coordinator.get("/tempo")["cases"]}
        for case in self._exercise.expected.case:
            if not case.published or case.name not in self._cases:
                continue
            row = tempo.get(self._cases[case.name])
            times = [_moment(row[step]) for step in ("reported", "proven", "fixed", "published") if row and row[step]]
            self._equal(f"case {case.name}: four times in the ledger, in order", (len(times), times), (4, sorted(times)))

    def _look_at_ledger(self) -> int:
        """As the auditor: fetch the log's files, verify them offline with the key that the hub states."""
        auditor = self._hub.as_("auditor")
        vkey = parse_vkey(auditor.get("/ledger/key")["vkey"])
        with tempfile.TemporaryDirectory(prefix="clearwell-ledger-") as place:
            size = self._fetch_ledger(auditor, Path(place))
            report = verify(Path(place), [vkey])
        self._equal("the ledger", (report.status, [problem.what for problem in report.problems]), ("verified", []))
        return size

    def _fetch_ledger(self, auditor: Client, folder: Path) -> int:
        """Fetch a checkpoint and the files under it; again when the log grew meanwhile and replaced one of them."""
        for _ in range(_LEDGER_TRIES):
            note = auditor.raw(f"/ledger/{CHECKPOINT}")
            size = parse_checkpoint(parse_note(note).text).size
            try:
                files = {path: auditor.raw(f"/ledger/{path}") for path in _files_of(size)}
            except Conflict:
                self._hub.pause(1.0)
                continue
            for path, content in {CHECKPOINT: note, **files}.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            return size
        raise Unavailable("the ledger's files change faster than they can be fetched")

    def _seen(self, case: ExpectedCase) -> CaseSeen:
        page = self._pages.get(self._cases.get(case.name, ""))
        if page is None:
            return CaseSeen(case.name, case.component, "missing", 0, 0, "", 0)
        fixed = next((fix["version"] or fix["kind"] for fix in page["fixes"] if fix["state"] == "verified"), "")
        labs = len({finding["organization"] for finding in page["findings"]})
        return CaseSeen(case.name, case.component, page["case"]["standing"], len(page["findings"]), labs, fixed, self._told[case.name])


def _files_of(size: int) -> list[str]:
    """The tiles and bundles that a log of `size` entries consists of (C2SP tlog-tiles)."""
    found: list[str] = []
    for level in range(ENTRIES, 8):
        index = 0
        while (width := tile_width(level, index, size)) > 0:
            found.append(tile_path(level, index, width))
            index += 1
            if width < WIDTH:
                break
    return found


def _dating(page: Any) -> list[Any]:
    """The reports that date a case: in a proven one those with a proof or a stack that was borne out, else all that stand."""
    standing = [finding for finding in page["findings"] if finding["answer"] != "refused"]
    if not any(finding["is_proven"] for finding in standing):
        return standing or page["findings"]
    stacks = {row["finding"] for row in page["joined"] for signal, _ in row["evidence"] if signal in _STACKS}
    return [finding for finding in standing if finding["has_proof"] or finding["id"] in stacks]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
