# SPDX-License-Identifier: Apache-2.0
"""The exercise: its folder keeps what it promises, and a small one is played through the API, compared, and played again."""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from clearwell.faces.asgi import build_app
from clearwell.faces.cli.demo.acts import Played
from clearwell.faces.cli.demo.exercise import Exercise, Submission, read_exercise
from clearwell.faces.cli.demo.outcome import observe
from clearwell.faces.cli.demo.personas import enroll
from clearwell.faces.cli.demo.surroundings import Surroundings
from clearwell.formats import read
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import parse_target
from hub import Hub

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = frozenset({"ares-escaped-dot", "yaml-objects", "minimist-prototype", "no-such-file", "no-such-version"})
"""One bug in C, one in Python, one for npm, and two false reports."""
OPERATORS = frozenset({"cedar-valley-hospital", "millbrook-water", "office-of-inland-harbors"})

replace = msgspec.structs.replace


@cache
def exercise() -> Exercise:
    return read_exercise(EXAMPLES / "exercise")


def findings(sent: Submission) -> tuple[Finding, ...]:
    document = read(sent.body, sent.file, parse_target(sent.target) if sent.target else None)
    assert document.problems == ()
    return document.findings


def narrowed(whole: Exercise, cases: frozenset[str], operators: frozenset[str]) -> Exercise:
    """The same exercise with the findings of some cases and with some operators only."""
    wanted = whole.expected
    kept = {key: [n for n, answer in enumerate(answers) if answer.case in cases] for key, answers in wanted.answers.items()}
    acts = {m.contact: tuple(act for act in m.act if act.case in cases) for m in whole.maintainers}
    expected = replace(
        wanted,
        answers={key: tuple(wanted.answers[key][n] for n in numbers) for key, numbers in kept.items() if numbers},
        case=tuple(replace(case, waits_for=()) for case in wanted.case if case.name in cases),
        maintainer=tuple(
            replace(one, presented=tuple(name for name in one.presented if name in cases), codes=len(acts[one.contact]))
            for one in wanted.maintainer
        ),
        operator=tuple(
            replace(one, actions=tuple(action for action in one.actions if action.case in cases))
            for one in wanted.operator
            if one.folder in operators
        ),
    )
    return replace(
        whole,
        submissions=tuple(_cut(sent, kept[sent.key]) for sent in whole.submissions if kept[sent.key]),
        maintainers=tuple(replace(m, act=acts[m.contact]) for m in whole.maintainers),
        coordinators=replace(whole.coordinators, distribute=tuple(n for n in whole.coordinators.distribute if n in cases)),
        operators=tuple(one for one in whole.operators if one.folder in operators),
        expected=expected,
    )


def _cut(sent: Submission, numbers: Iterable[int]) -> Submission:
    if sent.body[:1] != b"{":
        return sent
    document = json.loads(sent.body)
    part, field = (document, "findings") if "findings" in document else (document["runs"][0], "results")
    part[field] = [part[field][n] for n in numbers]
    return replace(sent, body=json.dumps(document).encode())


# -- the folder ---------------------------------------------------------------------------------------------------------


def test_forty_findings_in_native_formats_come_from_three_labs_and_a_farm() -> None:
    found = {sent.key: findings(sent) for sent in exercise().submissions}

    assert sum(map(len, found.values())) == 40
    assert len(exercise().labs) == 4
    assert {finding.format for rows in found.values() for finding in rows} == {"clearwell-report", "sarif", "crash-log"}
    assert {key: len(rows) for key, rows in found.items()} == {key: len(rows) for key, rows in exercise().expected.answers.items()}


def test_eight_real_bugs_of_three_ecosystems_show_by_at_least_five_kinds_of_effect() -> None:
    real = {case.name for case in exercise().expected.case if case.standing in {"fixed", "proven"}}
    kinds: dict[str, str] = {}
    targets: dict[str, str] = {}
    for sent in exercise().submissions:
        for finding, answer in zip(findings(sent), exercise().expected.answers[sent.key], strict=True):
            if finding.proof is not None and answer.answer == "reproduced":
                proof = tomllib.loads(finding.proof.files["proof.toml"].decode())
                kinds[answer.case], targets[answer.case] = proof["oracle"]["kind"], proof["target"]["purl"]

    assert len(real) == 8 and set(kinds) == real
    assert len(set(kinds.values())) >= 5
    assert Counter(purl.partition("/")[0] for purl in targets.values()) == {"pkg:pypi": 6, "pkg:npm": 2}
    assert sum(kind == "sanitizer" for kind in kinds.values()) == 2, "C inside an sdist, built under AddressSanitizer"


def test_what_is_expected_of_cases_agrees_with_what_is_expected_of_findings() -> None:
    counted: dict[str, Counter[str]] = {}
    for key, answers in exercise().expected.answers.items():
        for answer in answers:
            counted.setdefault(answer.case, Counter())[key.partition("/")[0]] += 1

    assert counted == {case.name: case.findings for case in exercise().expected.case}


def test_one_maintainer_has_a_third_report_that_waits() -> None:
    limits = {maintainer.contact: maintainer.limit for maintainer in exercise().maintainers}
    presented = {one.contact: one.presented for one in exercise().expected.maintainer}

    assert len(limits) == 3
    assert [contact for contact in limits if len(presented[contact]) > limits[contact]] == ["jonas@templates.example"]


def test_six_operators_of_six_kinds_say_true_false_and_unknown_about_exposure() -> None:
    operators = exercise().operators

    assert Counter(one.sector for one in operators) == {"health": 2, "government": 2, "financial-services": 1, "water": 1}
    assert {one.system_class for one in operators} == {"ci_operator", "slt", "fceb"}
    assert {asset.exposed for one in operators for asset in one.asset} == {True, False, "unknown"}


def test_one_flaw_is_due_on_different_days_and_the_points_that_decide_are_recorded_with_reasons() -> None:
    coordinators = exercise().coordinators
    (agency,) = (one for one in exercise().expected.operator if one.folder == "office-of-inland-harbors")
    days = {(action.asset, action.case): (action.outcome, action.due_in_days) for action in agency.actions}

    assert set(coordinators.decision_points) == {"yaml-objects", "tar-slashes"} <= set(coordinators.distribute)
    assert all(points.because for points in coordinators.decision_points.values())
    assert days["public-site", "yaml-objects"] == ("3DF", 3) and days["records", "yaml-objects"] == ("14D", 14)
    assert {outcome for outcome, _ in days.values()} == {"3DF", "14D", "60D", "FSU"}


def test_a_misspelled_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "expected.toml").write_text("days_to_end = 90\nanswer = {}\n")
    (tmp_path / "labs").mkdir()
    (tmp_path / "maintainers.toml").write_text("[[maintainers]]\n")

    with pytest.raises(Invalid, match=r"maintainers\.toml"):
        read_exercise(tmp_path)
    with pytest.raises(NotFound, match="--exercise"):
        read_exercise(tmp_path / "labs")


# -- played -------------------------------------------------------------------------------------------------------------


@pytest.mark.sandbox
@pytest.mark.registry
def test_a_small_exercise_comes_out_as_expected_and_played_again_doubles_nothing(make_hub: Callable[..., Hub]) -> None:
    small = narrowed(exercise(), SMALL, OPERATORS)
    hub = make_hub(kev_feed=small.kev_feed)

    def settle() -> None:
        hub.work()
        hub.fold()

    with TestClient(build_app(hub.house), base_url="http://localhost") as http:
        surroundings = Surroundings(http, hub.house.settings.outbox_dir, enroll(hub.house, small), settle, lambda _: hub.work())
        played = Played(small, surroundings, lambda _: None)
        played.play()
        first = observe(small, surroundings, played)

        assert hub.failed_jobs() == []
        assert first.differences == ()
        assert first.compared > 100

        surroundings = Surroundings(http, hub.house.settings.outbox_dir, enroll(hub.house, small), settle, lambda _: hub.work())
        again = Played(small, surroundings, lambda _: None)
        again.play()
        second = observe(small, surroundings, again)

        assert again.submissions == played.submissions
        assert second.differences == ()
        assert (second.cases, second.answers, second.actions) == (first.cases, first.answers, first.actions)

        differences = observe(wrongly_expected(small), surroundings, again).differences
        assert [said for said in NAMED if not any(said in difference for difference in differences)] == []


NAMED = (
    "days from first receipt to end",
    "case ares-escaped-dot: standing",
    "case ares-escaped-dot: verified fixes",
    "case ares-escaped-dot: findings by lab",
    "the coordinators' cases",
    "published advisories",
    "Cedar Valley Hospital: was told of, and of nothing else",
    "Millbrook Water District, pump-panel, ares-escaped-dot: receipt",
    "Millbrook Water District, pump-panel, ares-escaped-dot: due (told on",
    "Office of Inland Harbors, field-kit, minimist-prototype: due (told on",
    "ruth@bindings.example: codes",
    "ruth@bindings.example: mails in all",
    "northgate/native.json [0]: answer (",
    "northgate/native.json [0]: 'no such words' stands in the reason",
    "northgate/native.json [0]: verdict",
)
"""What the comparison must name of `wrongly_expected`."""


def wrongly_expected(right: Exercise) -> Exercise:
    """The same exercise with much expected wrongly."""
    wanted = right.expected
    ares = replace(wanted.case[0], standing="unproven", fixed_in="9.9", findings={"lantern": 1})
    hospital, water, agency = wanted.operator
    sooner = replace(agency.actions[-1], due_in_days=2)
    late = replace(water.actions[0], receipt="installed", due_in_days=3)
    answer = replace(wanted.answers["northgate/native.json"][0], answer="refused", because="no such words", verdict="flaky")
    expected = replace(
        wanted,
        days_to_end=89,
        answers={**wanted.answers, "northgate/native.json": (answer, *wanted.answers["northgate/native.json"][1:])},
        case=(ares, *wanted.case[2:]),
        maintainer=(replace(wanted.maintainer[0], codes=7), *wanted.maintainer[1:]),
        operator=(
            replace(hospital, actions=hospital.actions[1:]),
            replace(water, actions=(late, *water.actions[1:])),
            replace(agency, actions=(*agency.actions[:-1], sooner)),
        ),
    )
    return replace(right, expected=expected)
