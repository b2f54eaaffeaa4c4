# SPDX-License-Identifier: Apache-2.0
"""Never 1 and never 2, in every name and every sentence: nothing gates the release of a model, nothing keeps a flaw back.

Names are those of tables, columns, states, acts, roles, routes, commands, types and fields. Sentences are those of the documents,
the pages and the command line. Each rule is proved with counter-examples.
"""

import pytest

from house import schema
from house.tree import files, named
from house.wording import (
    OUTSIDE_WORDS,
    all_names,
    all_prose,
    cedar_names,
    end_date_problems,
    endless_problems,
    gates,
    gating_sentences,
    hoarding_sentences,
    hoards,
    python_names,
    sql_names,
    template_names,
)

MIGRATIONS = sorted((path for path in files(".sql", under="src") if "migrations" in path.parts), key=lambda path: path.name)


def test_never_1_no_name_gates_the_release_of_a_model() -> None:
    assert sorted({f"{file}: {name}" for file, name, where in all_names() if gates(name, where)}) == []


def test_never_1_no_sentence_gates_the_release_of_a_model() -> None:
    assert [f"{file}: {sentence}" for file, text in all_prose() for sentence in gating_sentences(text)] == []


def test_never_2_no_name_keeps_a_flaw_back() -> None:
    assert sorted({f"{file}: {name}" for file, name, _ in all_names() if not file.startswith(OUTSIDE_WORDS) and hoards(name)}) == []


def test_never_2_no_sentence_keeps_a_flaw_back() -> None:
    assert [f"{file}: {sentence}" for file, text in all_prose() for sentence in hoarding_sentences(text)] == []


def test_never_2_every_finding_and_case_has_an_end_date() -> None:
    tables = schema.read(path.read_text(encoding="utf-8") for path in MIGRATIONS)

    assert {"finding", "vulnerability_case"} <= set(tables)
    assert end_date_problems(tables) == []


def test_never_2_nothing_takes_an_end_date_away() -> None:
    assert [p for path in files(".sql", ".py", under="src") for p in endless_problems(named(path), path.read_text(encoding="utf-8"))] == []


def test_the_lint_reads_the_names_it_is_for() -> None:
    seen = {name for _, name, _ in all_names()}

    assert {"vulnerability_case", "ends_at", "needs_proof", "submit_report", "coordinator", "blob_hold", "parse"} <= seen


# -- counter-examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("approve_model", ""), ("ApprovalState", ""), ("license", "model_submission"), ("/api/v1/engagements/{id}/approve", ""),
        ("release_gate", ""), ("held", "model_submission"), ("may_release", "Engagement"), ("hold", "engagement"), ("ModelBlocked", ""),
        ("denied", ""), ("release_permitted", ""), ("hold_model_release", ""), ("blocked_until", "frontier"), ("deny-release", ""),
        ("/models/{id}/hold", ""), ("gatekeeper", ""),
    ],
)  # fmt: skip
def test_a_name_that_gates_is_found(name: str, where: str) -> None:
    assert gates(name, where)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("blob_hold", ""), ("holder_key", ""), ("refused", "finding"), ("model", "Origin"), ("release_refused", ""), ("embargo", "case"),
        ("open_window", ""), ("early_access_until", "engagement"), ("link_holder", ""), ("navigate", ""),
        ("investigate", ""), ("clear", "marking"),
    ],
)  # fmt: skip
def test_a_name_that_gates_nothing_passes(name: str, where: str) -> None:
    assert not gates(name, where)


@pytest.mark.parametrize(
    "name", ["withheld", "hold_back", "HeldBack", "suppressed", "stockpile", "indefinite_embargo", "never_publish", "no_end_date"]
)
def test_a_name_that_keeps_a_flaw_back_is_found(name: str) -> None:
    assert hoards(name)


@pytest.mark.parametrize("name", ["deferred", "embargo", "ends_at", "refused", "expired", "back", "needs_proof", "render_backlog"])
def test_a_name_that_keeps_nothing_back_passes(name: str) -> None:
    assert not hoards(name)


@pytest.mark.parametrize(
    "text",
    [
        "The official approves the release of a covered model.",
        "A model is blocked until the assessment is done.",
        "<p>Your model may be released after approval.</p>",
        "The hub holds the model's launch for 30 days.",
        "Each developer needs a license to deploy its model.",
    ],
)
def test_a_sentence_that_gates_is_found(text: str) -> None:
    assert gating_sentences(text)


@pytest.mark.parametrize(
    "text",
    [
        "No state, field or role approves, licenses or holds the release of a model.",
        "The hub can never block a model's release.",
        "A model writes a report. The maintainer releases a fix and holds the link.",
        "CERT/CC's model of an embargo allows ten transitions.",
    ],
)
def test_a_sentence_that_gates_nothing_passes(text: str) -> None:
    assert gating_sentences(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The coordinator may withhold a finding.",
        "A flaw can be kept back for operations.",
        "<td>Embargo: indefinite</td>",
        "We hold the report back.",
    ],
)
def test_a_sentence_that_keeps_a_flaw_back_is_found(text: str) -> None:
    assert hoarding_sentences(text)


def test_a_sentence_that_denies_keeping_back_passes() -> None:
    assert hoarding_sentences("There is no state for keeping a flaw back. Refusing cannot be used to keep a flaw back.") == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE clearwell.finding (id text PRIMARY KEY, title text NOT NULL);",
        "CREATE TABLE clearwell.finding (id text, ends_at timestamptz);",
        "CREATE TABLE clearwell.secret_case (id text, ends_at timestamptz NOT NULL DEFAULT now() + '100 years');",
        "CREATE TABLE clearwell.thing (id text, embargo jsonb NOT NULL);",
        "CREATE TABLE c.finding (id text, ends_at timestamptz NOT NULL); ALTER TABLE c.finding ALTER COLUMN ends_at DROP NOT NULL;",
        "CREATE TABLE clearwell.finding (id text, ends_at timestamptz NOT NULL); ALTER TABLE clearwell.finding DROP COLUMN ends_at;",
        "CREATE TABLE clearwell.thing (id text); ALTER TABLE clearwell.thing ADD COLUMN embargoed boolean;",
    ],
)
def test_a_table_without_an_end_date_is_found(sql: str) -> None:
    assert end_date_problems(schema.read([sql]))


def test_a_table_with_an_end_date_passes() -> None:
    sql = "CREATE TABLE clearwell.late_case (id text, kind text CHECK (kind IN ('a', 'b')), ends_at timestamptz NOT NULL); -- embargo"

    assert end_date_problems(schema.read([sql])) == []


@pytest.mark.parametrize("text", ["UPDATE x SET ends_at = 'infinity'", "until = datetime.max", "ALTER COLUMN ends_at DROP NOT NULL"])
def test_a_time_without_an_end_is_found(text: str) -> None:
    assert endless_problems("a", text)


@pytest.mark.parametrize(
    ("reader", "text", "name"),
    [
        (python_names, "class Act(StrEnum):\n    X = 'approve_model'\n", "approve_model"),
        (python_names, "class M(Struct):\n    approved_at: datetime\n", "approved_at"),
        (python_names, "@post('/models/{id}/deny')\ndef f(): ...\n", "/models/{id}/deny"),
        (python_names, "STATE = Literal['withheld', 'open']\n", "withheld"),
        (python_names, "path = '/models/hold'\n", "/models/hold"),
        (python_names, "COMMANDS = {'approve': ('x', 'y')}\n", "approve"),
        (template_names, '<form action="/models/1/approve">', "/models/1/approve"),
        (template_names, '<button name="verdict" value="deny">', "deny"),
        (cedar_names, 'permit (principal, action == Action::"license_model", resource);', "license_model"),
        (cedar_names, "action approve_release appliesTo { principal: [Member] };", "approve_release"),
        (sql_names, "CREATE TABLE a.b (state text CHECK (state IN ('open', 'withheld')));", "withheld"),
        (sql_names, "CREATE TYPE a.state AS ENUM ('denied');", "denied"),
        (sql_names, "CREATE TABLE a.model_gate (id text);", "model_gate"),
    ],
)  # fmt: skip
def test_a_forbidden_name_is_read_wherever_it_stands(reader: object, text: str, name: str) -> None:
    assert callable(reader)
    assert name in [found for found, _ in reader(text)]
