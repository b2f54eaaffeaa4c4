# SPDX-License-Identifier: Apache-2.0
"""The verbs over the API: submit, case, operator, against a hub that listens on a port."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from api import Api, finding, inventory, report
from clearwell.clearinghouse.flow import publishing
from clearwell.faces.cli.hub import KINDS, Hub
from clearwell.faces.http import STATUS
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Refused, Unavailable

Run = Callable[..., Result]


def test_every_status_of_the_error_table_comes_back_as_its_kind() -> None:
    for kind, status in STATUS.items():
        assert issubclass(kind, KINDS[status])


def test_submit_prints_the_answers_and_is_idempotent(api: Api, run: Run, tmp_path: Path) -> None:
    lab, file = api.caller(OrganizationKind.LAB), tmp_path / "r.json"
    file.write_bytes(report(finding("A \x1b[31mred title")))
    sent = lab.submit(file.read_bytes(), name="r.json")
    api.hub.work()

    table = run(lab, "submit", str(file))
    lines = [json.loads(line) for line in run(lab, "submit", str(file), "--json").stdout.splitlines()]

    assert table.exit_code == 0 and "needs_proof" in table.stdout and "\x1b" not in table.stdout
    assert [(line["submission"], line["file"], line["position"]) for line in lines] == [(sent["id"], "r.json", 0)]
    assert lines[0]["finding"] in table.stdout


def test_submit_leaves_with_two_when_a_file_could_not_be_read(api: Api, run: Run, tmp_path: Path) -> None:
    lab, file = api.caller(OrganizationKind.LAB), tmp_path / "r.txt"
    file.write_text("no report")
    lab.submit(b"no report", name="r.txt")
    api.hub.work()

    result = run(lab, "submit", str(file))

    assert result.exit_code == 2 and "not read" in result.stdout


def test_submit_waits_no_longer_than_told(api: Api, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_bytes(report(finding()))

    with pytest.raises(Unavailable, match="safe with the hub"):
        run(api.caller(OrganizationKind.LAB), "submit", str(file), "--wait", "0")


def test_submit_names_what_is_wrong_before_it_sends(api: Api, run: Run, tmp_path: Path) -> None:
    lab = api.caller(OrganizationKind.LAB)
    with pytest.raises(Invalid, match="no file"):
        run(lab, "submit", str(tmp_path / "none.json"))
    (tmp_path / "r.json").write_bytes(b"{}")
    with pytest.raises(Invalid, match="package URL"):
        run(lab, "submit", str(tmp_path / "r.json"), "--target", "ujson")
    with pytest.raises(Invalid, match="no field that a column may hold"):
        run(lab, "submit", str(tmp_path / "r.json"), "--column", "titel=Was")
    with pytest.raises(Invalid, match="TLP:CLEAR"):
        run(lab, "submit", str(tmp_path / "r.json"), "--marking", "SECRET")
    with pytest.raises(Invalid, match="CLEARWELL_TOKEN"):
        run(None, "submit", str(tmp_path / "r.json"))


def test_a_token_file_is_read(api: Api, run: Run, tmp_path: Path) -> None:
    coordinator, file = api.caller(OrganizationKind.COORDINATOR), tmp_path / "token"
    file.write_text(f"{coordinator.secret}\n")

    assert run(None, "case", "list", "--json", "--token-file", str(file)).exit_code == 0


def test_cases_are_listed_shown_split_and_merged(api: Api, run: Run) -> None:
    coordinator = api.caller(OrganizationKind.COORDINATOR)
    for name in ("One place", "One place, said again"):
        api.caller(OrganizationKind.LAB).submit(report(finding(name)))
        api.hub.work()

    (row,) = [json.loads(line) for line in run(coordinator, "case", "list", "--json").stdout.splitlines()]
    assert "pkg:cargo/framer" in run(coordinator, "case", "list").stdout
    shown = run(coordinator, "case", "show", row["id"]).stdout
    assert "next duty: tell maintainer" in shown and "joined by L" in shown and "[AI]" in shown
    page = json.loads(run(coordinator, "case", "show", row["id"], "--json").stdout)
    joined = next(one["finding"] for one in page["joined"] if one["rung"])
    other = run(coordinator, "case", "split", row["id"], joined, "--reason", "another cause").stdout.strip()
    assert other.startswith("case_") and other != row["id"]
    assert run(coordinator, "case", "merge", other, "--into", row["id"], "--reason", "the same after all").exit_code == 0
    run(coordinator, "case", "split", row["id"], joined, "--reason", "two after all")
    assert run(coordinator, "case", "different", row["id"], other, "--reason", "one reads, the other writes").exit_code == 0
    assert f"not the same as {other}" in run(coordinator, "case", "show", row["id"]).stdout
    with pytest.raises(Conflict):
        run(coordinator, "case", "merge", other, "--into", row["id"], "--reason", "alike")
    with pytest.raises(Refused):
        run(api.caller(OrganizationKind.LAB), "case", "list")
    with pytest.raises(NotFound):
        run(coordinator, "case", "show", api.hub.house.new_id("case"))


def test_an_operator_reads_what_to_do(api: Api, run: Run) -> None:
    hospital = api.caller(OrganizationKind.OPERATOR, system_class="ci_operator")
    assert "Nothing to do" in run(hospital, "operator", "todo").stdout
    hospital.call("PUT", "/assets/portal/inventory?file=bom.json", 200, content=inventory("1.2.0"))
    api.caller(OrganizationKind.LAB).submit(report(finding()))
    api.hub.work()
    api.hub.clock.move(days=91)
    publishing.look_at_clocks(api.hub.house)
    api.hub.work()

    said = run(hospital, "operator", "todo").stdout
    assert "cargo/framer" in said and "portal" in said
    (action,) = [json.loads(line) for line in run(hospital, "operator", "todo", "--json").stdout.splitlines()]
    assert action["receipt"] == "told"


def test_a_hub_that_is_not_there_is_unavailable() -> None:
    with Hub("http://127.0.0.1:9", "cwt_x") as hub, pytest.raises(Unavailable, match="does not answer"):
        hub.get("/health")
    with pytest.raises(Invalid, match="address"):
        Hub("ftp://hub", None)
