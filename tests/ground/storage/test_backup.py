# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: a hub with data comes back whole in another data folder; without its keys, or damaged, it says so."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from clearwell import app
from clearwell.clearinghouse.flow import coordinating, reporting
from clearwell.clearinghouse.flow.evidence import read_proof
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import PROVING, OrganizationKind
from clearwell.ground.jobs.orders import Line
from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.verify import verify
from clearwell.ground.settings import Settings
from clearwell.ground.storage.backup import Manifest, back_up, read_manifest, restore
from clearwell.ground.storage.database import Database
from clearwell.ground.storage.embedded import APPLICATION, OWNER, PROVER, EmbeddedServer
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable
from clearwell.vocabulary.ids import SubmissionId
from ground.storage.snapshot import populate
from house.rows import database_of, rows
from hub import Hub
from story import plain, report

PROOF = {"proof.toml": "not yet a proof", "note.txt": "the bytes that matter"}
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Backed:
    """A hub with data, its backup and its keys."""

    def __init__(self, server: Any, hub: Hub, place: Path) -> None:
        self.server, self.hub, self.place = server, hub, place
        populate(hub)
        self.lab = hub.member(OrganizationKind.LAB)
        raw = report(plain("a flaw", proof={"files": PROOF}))
        self.submission = reporting.submit_report(hub.house, self.lab, [raw], Envelope(name="report.json")).id
        hub.work()
        hub.fold()
        (hub.house.settings.data_dir / "settings.toml").write_text("link_days = 21\n")
        self.folder, self.keys = place / "backup", place / "keys"
        self.owner = server.url(OWNER, database_of(hub))

    def back_up(self, with_keys: bool = True) -> Manifest:
        return back_up(self.hub.house.settings, self.owner, self.folder, self.keys if with_keys else None, "0.1.0", NOW)

    def elsewhere(self) -> tuple[Settings, str]:
        """An empty data folder and an empty database."""
        name = self.server.create("template0")
        return msgspec.structs.replace(self.hub.house.settings, data_dir=self.place / "restored"), self.server.url(OWNER, name)


@pytest.fixture
def backed(server: Any, hub: Hub, tmp_path: Path) -> Backed:
    """A hub worth backing up."""
    return Backed(server, hub, tmp_path)


def test_a_hub_comes_back_whole(backed: Backed, server: Any) -> None:
    backed.back_up()
    settings, owner = backed.elsewhere()

    restore(settings, owner, backed.folder, backed.keys)

    assert app.bring_forward(owner) == ()
    assert rows(owner) == rows(backed.owner)
    assert (settings.data_dir / "settings.toml").read_text() == "link_days = 21\n"
    name = owner.split("dbname=")[1].split()[0]
    with Line(server.url(PROVER, name)) as line:  # workers apart find their functions again
        assert line.take("a worker") is None
    with psycopg.connect(owner) as connection:
        public = """
            SELECT count(*) FROM pg_proc
            WHERE pronamespace = 'prover'::regnamespace AND has_function_privilege('clearwell_app', oid, 'EXECUTE')
        """
        assert connection.execute(public.encode()).fetchone() == (0,)
    database = Database(server.url(APPLICATION, name))
    database.open()
    try:
        restored = Hub(app.build_house(settings, database, backed.hub.clock), backed.hub.clock)
        (answered,) = reporting.read_answers(restored.house, backed.lab, SubmissionId(backed.submission))
        assert answered.finding.title == "a flaw"
        proof = coordinating.read_case(restored.house, restored.member(OrganizationKind.COORDINATOR), answered.finding.case).findings[0]
        with restored.house.transaction(PROVING) as tx:
            proof_id = tx.value("SELECT id FROM clearwell.proof WHERE finding_id = %(id)s", id=proof.id)
        assert {
            name: bytes(content).decode() for name, content in read_proof(restored.house, PROVING, proof_id, "a test")[1].items()
        } == PROOF

        # the ledger goes on from where it was, and an older checkpoint is its prefix
        older = (backed.hub.house.settings.ledger_dir / "checkpoint").read_bytes()
        folder = restored.fold()
        checked = verify(folder, [SigningKey(settings.ledger_origin, restored.house.keys.ledger).vkey], older)
        assert checked.status == "verified", checked
        restored.work()
        assert restored.failed_jobs() == backed.hub.failed_jobs()
    finally:
        database.close()


def test_a_backup_holds_no_key_and_no_plain_word(backed: Backed) -> None:
    manifest = backed.back_up()

    whole = b"".join(path.read_bytes() for path in backed.folder.rglob("*") if path.is_file() and path.name != "database.dump")
    for secret in (backed.hub.house.keys.hub, backed.hub.house.keys.ledger, backed.hub.house.keys.advisory, b"the bytes that matter"):
        assert secret not in whole
    assert backed.folder.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in backed.keys.iterdir()) == ["advisory.key", "hub.key", "ledger.key"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in backed.keys.iterdir())
    assert manifest == read_manifest(backed.folder)
    assert manifest.files["blobs"] > 0 and manifest.files["ledger"] > 0


def test_without_its_keys_a_backup_says_so(backed: Backed) -> None:
    backed.back_up(with_keys=False)
    settings, owner = backed.elsewhere()

    with pytest.raises(Invalid, match=r"a backup holds no keys.*--keys"):
        restore(settings, owner, backed.folder, None)
    strange = backed.place / "strange"
    strange.mkdir()
    for name in ("hub.key", "ledger.key", "advisory.key"):
        (strange / name).write_bytes(b"k" * 32)
    with pytest.raises(Invalid, match="another hub or another backup"):
        restore(settings, owner, backed.folder, strange)
    assert restore(settings, owner, backed.folder, backed.hub.house.settings.keys_dir)


def test_keys_inside_the_backup_are_refused(backed: Backed) -> None:
    backed.keys = backed.folder / "keys"

    with pytest.raises(Invalid, match="inside the backup"):
        backed.back_up()


def test_a_folder_that_is_not_empty_is_not_written_over(backed: Backed) -> None:
    backed.folder.mkdir()
    (backed.folder / "letters.txt").write_text("mine")

    with pytest.raises(Conflict, match="not empty"):
        backed.back_up()


def _harmed(folder: Path, harm: str) -> Path:
    """A copy of a backup, damaged."""
    copy = folder.with_name(f"{folder.name} {harm}")
    shutil.copytree(folder, copy)
    manifest, dump = copy / "manifest.json", copy / "database.dump"
    said = json.loads(manifest.read_text())
    changed = {
        "newer release": {"migrations": [*said["migrations"], "9999_later"]},
        "strange": {"more": 1},
        "another format": {"format": 2},
    }
    if harm in {"no manifest", "no dump"}:
        (manifest if harm == "no manifest" else dump).unlink()
    elif harm == "cut dump":
        dump.write_bytes(dump.read_bytes()[:-10])
    else:
        manifest.write_text(json.dumps({**said, **changed[harm]}))
    return copy


def test_a_damaged_backup_is_refused_and_nothing_is_restored(backed: Backed) -> None:
    backed.back_up()
    settings, owner = backed.elsewhere()

    for harm in ("no manifest", "cut dump", "no dump", "newer release", "strange", "another format"):
        with pytest.raises((NotFound, Unavailable, Invalid)):
            restore(settings, owner, _harmed(backed.folder, harm), backed.keys)
        assert rows(owner) == {}, harm
        assert not settings.data_dir.exists(), harm


def test_a_hub_is_not_restored_over_another(backed: Backed) -> None:
    backed.back_up()

    with pytest.raises(Conflict):
        restore(backed.hub.house.settings, backed.owner, backed.folder, backed.keys)
    settings, _ = backed.elsewhere()
    with pytest.raises(Conflict, match="holds a hub already"):
        restore(settings, backed.owner, backed.folder, backed.keys)


@pytest.fixture
def data_folder(tmp_path: Path) -> Iterator[Path]:
    """A hub's data folder for the command line; its server goes with it."""
    folder = tmp_path / "d"
    yield folder
    for name in ("d", "e"):
        server = EmbeddedServer(tmp_path / name)
        if server.cluster.exists():
            server.stop("immediate")
        shutil.rmtree(server.cluster.parent, ignore_errors=True)
        shutil.rmtree(server.socket, ignore_errors=True)


def _clearwell(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CLEARWELL_DATA_DIR": str(data)}
    for name in ("CLEARWELL_DATABASE_URL", "CLEARWELL_MIGRATE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-c", "from clearwell.faces.cli import main; main()", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_line_backs_up_and_restores(data_folder: Path, tmp_path: Path) -> None:
    backup, keys, other = str(tmp_path / "b"), str(tmp_path / "k"), data_folder.with_name("e")

    made = _clearwell(data_folder, "backup", backup)
    assert made.returncode == 0, made.stderr
    assert "holds no keys" in made.stdout
    assert _clearwell(data_folder, "backup", backup).returncode == 6
    shutil.rmtree(backup)
    made = _clearwell(data_folder, "backup", backup, "--keys", keys)
    assert made.returncode == 0 and "Keep them apart" in made.stdout, made.stderr

    assert _clearwell(other, "restore", backup).returncode == 2
    done = _clearwell(other, "restore", backup, "--keys", keys)
    assert done.returncode == 0 and "restored what release" in done.stdout, done.stderr
    assert (other / "keys" / "hub.key").read_bytes() == (data_folder / "keys" / "hub.key").read_bytes()
