# SPDX-License-Identifier: Apache-2.0
"""The howto "Submit reports": each `clearwell submit` on the page, run against a hub of its own (`parse` is run by the house)."""

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from api import Api
from clearwell.clearinghouse.case.report import Answer
from clearwell.faces.cli import root
from clearwell.ground.identity.actor import OrganizationKind
from house.markdown import Command, commands, fences
from house.tree import ROOT

PAGE = ROOT / "docs/howto/submit-reports.md"


def submits() -> list[Command]:
    blocks = (fence for fence in fences(PAGE.read_text(encoding="utf-8")) if fence.language == "console")
    return [command for fence in blocks for command in commands(fence) if command.line.startswith("clearwell submit")]


def option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_each_submit_of_the_page_is_answered_line_by_line(api: Api, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = api.caller(OrganizationKind.LAB)
    monkeypatch.setenv("CLEARWELL_URL", address)
    monkeypatch.setenv("CLEARWELL_TOKEN", lab.secret or "")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(ROOT)
    found = submits()
    for command in found:  # sent before, so that the hub has read them when the command asks: the same bytes are the same submission
        words = shlex.split(command.line)
        sent: dict[str, object] = {name: value for name in ("target", "tool") if (value := option(words, f"--{name}")) is not None}
        sent["column"] = [value for name, value in pairwise(words) if name == "--column"]
        lab.call("POST", "/submissions", 202, content=Path(words[2]).read_bytes(), params={"name": Path(words[2]).name, **sent})
    api.hub.work()

    done = {command.line: CliRunner().invoke(root, shlex.split(command.line)[1:]) for command in found}

    assert len(done) == 6
    assert [(line, result.exit_code) for line, result in done.items()] == [(command.line, command.code) for command in found]
    assert all(any(answer.value in result.stdout for answer in Answer) for result in done.values())
