# SPDX-License-Identifier: Apache-2.0
"""The exercise, reduced to one component: its reports, its maintainer, and what of its expectation is left."""

from collections import Counter

import msgspec

from clearwell.faces.cli.demo.exercise import Exercise, Expected


def reduced(exercise: Exercise, keys: tuple[str, ...]) -> Exercise:
    """Only these submissions, and whoever and whatever they concern."""
    expected = exercise.expected
    answers = {key: expected.answers[key] for key in keys}
    findings: dict[str, Counter[str]] = {}
    for key, lines in answers.items():
        for line in lines:
            findings.setdefault(line.case, Counter())[key.partition("/")[0]] += 1
    cases = tuple(msgspec.structs.replace(case, findings=dict(findings[case.name])) for case in expected.case if case.name in findings)
    names = {case.name for case in cases}
    maintainers = tuple(
        msgspec.structs.replace(one, act=acts)
        for one in exercise.maintainers
        if (acts := tuple(act for act in one.act if act.case in names))
    )
    contacts = {one.contact for one in maintainers}
    left = Expected(
        days_to_end=expected.days_to_end,
        answers=answers,
        case=cases,
        maintainer=tuple(
            msgspec.structs.replace(one, presented=tuple(name for name in one.presented if name in names))
            for one in expected.maintainer
            if one.contact in contacts
        ),
        operator=tuple(
            msgspec.structs.replace(one, actions=tuple(action for action in one.actions if action.case in names))
            for one in expected.operator
        ),
    )
    coordinators = msgspec.structs.replace(
        exercise.coordinators,
        distribute=tuple(name for name in exercise.coordinators.distribute if name in names),
        aliases={name: aliases for name, aliases in exercise.coordinators.aliases.items() if name in names},
    )
    return msgspec.structs.replace(
        exercise,
        submissions=tuple(sent for sent in exercise.submissions if sent.key in keys),
        maintainers=maintainers,
        coordinators=coordinators,
        expected=left,
    )
