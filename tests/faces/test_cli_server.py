# SPDX-License-Identifier: Apache-2.0
"""The verbs that run or administer a hub: serve, worker, migrate, settings, organization, token, job, and help that is instant."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from api import finding, report
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.faces.cli import COMMANDS, root
from clearwell.faces.cli.migrate import roles_sql
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.settings import Settings
from clearwell.vocabulary.errors import ClearwellError, Invalid, Unavailable
from hub import Hub

Run = Callable[..., Result]
CLEARWELL = (sys.executable, "-c", "from clearwell.faces.cli import main; main()")
"""The program, as it is started from outside."""


def environment(hub: Hub) -> dict[str, str]:
    """The environment in which commands find the test's hub."""
    return {
        "CLEARWELL_DATABASE_URL": hub.house.database.url,
        "CLEARWELL_DATA_DIR": str(hub.house.settings.data_dir),
        "CLEARWELL_WORKER_POLL_SECONDS": "0.05",
        "CLEARWELL_LOG_LEVEL": "critical",
    }


@pytest.fixture
def run(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's hub."""
    for name, value in environment(hub).items():
        monkeypatch.setenv(name, value)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(root, list(words))
        if isinstance(result.exception, ClearwellError):
            raise result.exception
        return result

    return invoke


def test_help_loads_click_alone() -> None:
    code = (
        "import sys\nfrom clearwell.faces.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'msgspec', 'psycopg', 'litestar', 'rich', 'httpx', 'uvicorn', 'structlog', 'cryptography'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", ["serve", "worker", "migrate", "submit", "case", "operator", "job", "settings", "organization", "token"])
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(root, [name, "--help"])

    assert result.exit_code == 0 and "Usage:" in result.output


def test_settings_show_their_source_and_hide_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARWELL_SMTP_URL", "smtp://ann:topsecret@mail.example")

    shown = json.loads(run("settings", "show", "--json").output)
    table = run("settings", "show").output

    assert shown["smtp_url"] == {"value": "(secret)", "source": "environment CLEARWELL_SMTP_URL"}
    assert shown["port"] == {"value": "8000", "source": "default"}
    assert "topsecret" not in table + str(shown)


def test_organizations_people_and_tokens_are_added(run: Run, hub: Hub) -> None:
    made = json.loads(run("organization", "add", "Lantern", "--kind", "lab", "--person", "Ann", "--json").output)
    second = run("organization", "add-person", made["organization"], "Ben").output.strip()
    issued = json.loads(run("token", "issue", second, "--label", "nightly", "--permission", "submit", "--json").output)

    assert issued["token"].startswith("cwt_") and second.startswith("person_")
    folder = hub.fold()
    assert issued["token"].encode() not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with pytest.raises(Invalid, match="system class"):
        run("organization", "add", "A hospital", "--kind", "operator")
    with pytest.raises(Invalid, match="person"):
        run("token", "issue", "person_1", "--label", "x", "--permission", "read")


def test_a_drained_worker_did_every_job(run: Run, hub: Hub) -> None:
    lab = hub.member(OrganizationKind.LAB)
    sent = reporting.submit_report(hub.house, lab, [report(finding())], Envelope(name="r.json"))
    done = subprocess.run(
        [*CLEARWELL, "worker", "--drain"], env={**os.environ, **environment(hub)}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(reporting.read_answers(hub.house, lab, sent.id)) == 1
    listed = [json.loads(line) for line in run("job", "list", "--json").output.splitlines()]
    assert {job["name"] for job in listed} >= {"parse", "check"} and all(job["status"] == "succeeded" for job in listed)
    assert run("job", "list", "--failed", "--json").output == ""
    with pytest.raises(Invalid, match="intake"):
        run("worker", "--queues", "intak", "--drain")


def test_a_failed_job_is_listed_and_tried_again(run: Run, hub: Hub) -> None:
    with hub.house.transaction(hub.member(OrganizationKind.LAB)) as tx:
        defer(tx, [Job("intake", "parse", {"submission": hub.house.new_id("sub")})])
        tx.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'doing'")
        tx.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'failed'")

    (failed,) = [json.loads(line) for line in run("job", "list", "--failed", "--json").output.splitlines()]
    assert "parse" in run("job", "list", "--failed").output
    run("job", "retry", str(failed["id"]))

    assert run("job", "list", "--failed").output == "no such jobs\n"
    with pytest.raises(ClearwellError, match="no failed job"):
        run("job", "retry", str(failed["id"]))


def test_migrating_without_the_owners_address_says_what_is_missing(run: Run) -> None:
    with pytest.raises(Unavailable, match="CLEARWELL_MIGRATE_URL"):
        run("migrate")


def test_the_printed_roles_can_do_nothing_but_log_in() -> None:
    printed = CliRunner().invoke(root, ["migrate", "--print-roles"]).output

    assert printed == roles_sql()
    for role in ("clearwell_owner", "clearwell_app", "clearwell_prover"):
        assert re.search(rf"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS", printed)
    assert "GRANT CONNECT ON DATABASE clearwell TO clearwell_app;" in printed


@pytest.fixture
def serving(hub: Hub) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`clearwell serve --worker` on a free port: the process and its address."""
    command = [*CLEARWELL, "serve", "--port", "0", "--worker"]
    process = subprocess.Popen(command, env={**os.environ, **environment(hub)}, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"serving (\S+)", line)
    try:
        assert found is not None, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_in_order_at_a_signal(serving: tuple[subprocess.Popen[str], str], number: signal.Signals) -> None:
    process, address = serving
    assert httpx.get(f"{address}/api/v1/health").json()["status"] == "ok"

    process.send_signal(number)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 0, said
    assert said == ""


def test_serving_says_nothing_of_paths_or_bodies(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, address = serving
    for path, body in (("maintainer/a-secret-link/code", b"{}"), ("submissions?name=words-of-a-report", b"words"), ("%00", b"")):
        httpx.post(f"{address}/api/v1/{path}", content=body)

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)

    assert "secret" not in said and "words" not in said


def test_a_taken_port_is_told_before_anything_starts(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARWELL_DATA_DIR", str(hub.house.settings.data_dir / "none"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result: Any = CliRunner().invoke(root, ["serve", "--port", str(taken.getsockname()[1])])

    assert isinstance(result.exception, Unavailable) and "--port" in str(result.exception)
    assert not Path(hub.house.settings.data_dir / "none").exists()


def test_the_references_name_every_command_and_every_setting() -> None:
    reference = Path(__file__).parents[2] / "docs" / "reference"
    commands, written = (reference / "cli.md").read_text(), (reference / "settings.md").read_text()

    assert [name for name in COMMANDS if f"`clearwell {name}" not in commands] == []
    assert [field.name for field in msgspec.structs.fields(Settings) if f"`{field.name}`" not in written] == []
