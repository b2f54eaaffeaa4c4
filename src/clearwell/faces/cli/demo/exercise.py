# SPDX-License-Identifier: Apache-2.0
"""The exercise as its folder states it: who takes part, what they send and do in which order, and what must come out."""

import base64
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clearwell.vocabulary.errors import Invalid, NotFound

T = TypeVar("T")


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of one of the exercise's files: a misspelled key is an error."""


# -- who takes part ---------------------------------------------------------------------------------------------------------


class Act(_Strict, frozen=True):
    """What a maintainer does about one case: a statement (`say`, with `version` or `text`), or a patch under examples/proofs."""

    case: str
    say: str | None = None
    version: str | None = None
    text: str = ""
    patch: str | None = None


class Maintainer(_Strict, frozen=True):
    """Somebody who maintains components; `limit` is how many open reports they take, `origin` where the contact was found."""

    name: str
    contact: str
    origin: str
    limit: int
    components: tuple[str, ...]
    act: tuple[Act, ...]


class DecisionPoints(_Strict, frozen=True):
    """What the coordinators say of a flaw in SSVC's words, and whose word it is; `because` is for whoever reads the exercise."""

    automatable: str
    technical_impact: str
    source: str
    because: str


class Coordinators(_Strict, frozen=True):
    """The hub's own people: the cases whose fix they distribute, two by two, and what they record of cases before."""

    name: str
    people: tuple[str, str]
    distribute: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]]
    decision_points: dict[str, DecisionPoints] = {}


class Asset(_Strict, frozen=True):
    """Something an operator runs: reachable from a public network (true, false, "unknown"), and its inventory's file name."""

    name: str
    exposed: bool | str
    inventory: str


class Receipt(_Strict, frozen=True):
    """What an operator answers about a component on an asset before its next inventory."""

    asset: str
    component: str
    receipt: str
    planned_in_days: int | None = None


class Operator(_Strict, frozen=True):
    """An operator: who it is, what it runs before and after (`inventories`: round -> asset -> bytes, read from its folder)."""

    name: str
    kind: str
    sector: str
    size: str
    system_class: str
    time_zone: str
    asset: tuple[Asset, ...]
    receipt: tuple[Receipt, ...] = ()
    folder: str = ""
    inventories: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})


# -- what must come out -----------------------------------------------------------------------------------------------------


class ExpectedAnswer(_Strict, frozen=True):
    """What one finding is told in the end; `because` stands in the reason, `verdict` is what its own proof showed."""

    case: str
    answer: str
    because: str
    verdict: str | None = None
    assurance: str = "hub"


class ExpectedCase(_Strict, frozen=True):
    """One case; `findings` counts them by lab, `waits_for` names the cases of which one is fixed before it is presented."""

    name: str
    component: str
    title: str
    standing: str
    findings: dict[str, int]
    published: bool = False
    fixed_in: str | None = None
    not_fixed_by: tuple[str, ...] = ()
    fires: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()


class ExpectedMaintainer(_Strict, frozen=True):
    """Which cases were presented to a contact, in any order, and how many codes were mailed: together all their mail."""

    contact: str
    presented: tuple[str, ...]
    codes: int


class ExpectedAction(_Strict, frozen=True):
    """One thing an operator was told; `due_in_days` counts from the day of telling in its own zone, None: no due date.

    `listed_on` is the day KEV lists it, from which the days count when it is the earlier one.
    """

    asset: str
    case: str
    receipt: str
    status: str = "affected"
    outcome: str | None = None
    due_in_days: int | None = None
    listed_on: date | None = None


class ExpectedOperator(_Strict, frozen=True):
    """Everything an operator was told of."""

    folder: str
    actions: tuple[ExpectedAction, ...]


class Expected(_Strict, frozen=True):
    """All of expected.toml. `answers`: lab/file -> one answer for each finding."""

    days_to_end: int
    answers: dict[str, tuple[ExpectedAnswer, ...]]
    case: tuple[ExpectedCase, ...]
    maintainer: tuple[ExpectedMaintainer, ...]
    operator: tuple[ExpectedOperator, ...]


# -- what is sent -----------------------------------------------------------------------------------------------------------


class Submission(msgspec.Struct, frozen=True):
    """A report as it is sent: by which lab, under which file name, in which round, about which target, its bytes."""

    lab: str
    file: str
    round: int
    target: str | None
    body: bytes

    @property
    def key(self) -> str:
        """Its name in expected.toml."""
        return f"{self.lab}/{self.file}"


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """The whole exercise. `labs`: folder -> name; `proofs` is the folder of the examples' proofs (for patches)."""

    labs: dict[str, str]
    submissions: tuple[Submission, ...]
    maintainers: tuple[Maintainer, ...]
    coordinators: Coordinators
    operators: tuple[Operator, ...]
    expected: Expected
    kev_feed: Path
    harnesses: Path
    proofs: Path

    @property
    def rounds(self) -> tuple[int, ...]:
        """The rounds in which reports are sent, in order."""
        return tuple(sorted({sent.round for sent in self.submissions}))


class _Sent(_Strict, frozen=True):
    file: str
    round: int
    target: str | None = None
    proofs: dict[str, str] = {}


class _Lab(_Strict, frozen=True):
    name: str
    submission: tuple[_Sent, ...]


class _Maintainers(_Strict, frozen=True):
    maintainer: tuple[Maintainer, ...]


def read_exercise(folder: Path) -> Exercise:
    """Read the exercise's folder; raise NotFound when there is none, Invalid naming the file that is wrong."""
    if not (folder / "expected.toml").is_file():
        raise NotFound(f"there is no exercise in {folder}: run this in a clone of the repository, or name its folder (--exercise)")
    proofs = folder.parent / "proofs"
    labs: dict[str, str] = {}
    submissions: list[Submission] = []
    for place in sorted((folder / "labs").iterdir()):
        lab = _table(place / "lab.toml", _Lab)
        labs[place.name] = lab.name
        for sent in lab.submission:
            body = _with_proofs((place / sent.file).read_bytes(), sent.proofs, place, proofs)
            submissions.append(Submission(place.name, sent.file, sent.round, sent.target, body))
    return Exercise(
        labs=labs,
        submissions=tuple(submissions),
        maintainers=_table(folder / "maintainers.toml", _Maintainers).maintainer,
        coordinators=_table(folder / "coordinators.toml", Coordinators),
        operators=tuple(_operator(place) for place in sorted((folder / "operators").iterdir())),
        expected=_table(folder / "expected.toml", Expected),
        kev_feed=folder / "kev.json",
        harnesses=folder.parent / "harnesses",
        proofs=proofs,
    )


def _table(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as reason:
        raise Invalid(f"{path}: {reason}") from None


def _operator(place: Path) -> Operator:
    stated = _table(place / "operator.toml", Operator)
    before, after = (
        {asset.name: (place / f"inventory-{number}" / asset.inventory).read_bytes() for asset in stated.asset} for number in (1, 2)
    )
    return msgspec.structs.replace(stated, folder=place.name, inventories=(before, after))


def _with_proofs(report: bytes, wanted: dict[str, str], lab: Path, proofs: Path) -> bytes:
    """Put the proof folders into a Clearwell report, as its sender would: proofs live once, the report names none."""
    if not wanted:
        return report
    document: dict[str, Any] = msgspec.json.decode(report)
    for finding in document["findings"]:
        name = wanted.get(finding.get("external_id", ""))
        if name is not None:
            finding["proof"] = {"files": _files(lab / name if name.startswith("./") else proofs / name)}
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _files(folder: Path) -> dict[str, Any]:
    if not (folder / "proof.toml").is_file():
        raise NotFound(f"{folder} is no proof: it holds no proof.toml")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "patches" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): _content(path.read_bytes()) for path in found}


def _content(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
