# SPDX-License-Identifier: Apache-2.0
"""Snapshots of released databases: `python tests/ground/storage/snapshot.py` writes that of the present version.

A snapshot is what `pg_dump` says of a hub that did a little of everything: schema and rows. It is written once, when a version is
released, and never changed: later versions must bring it forward.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from clearwell import app
from clearwell.clearinghouse.case.store import Contact
from clearwell.clearinghouse.flow import coordinating, operating, reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.settings import Settings
from clearwell.ground.storage.database import Database
from clearwell.ground.storage.embedded import APPLICATION, OWNER, EmbeddedServer, program
from hub import Hub, TestClock

FOLDER = Path(__file__).parent / "released"
REPORT = b"""{"format": "clearwell-report", "version": 1, "tool": {"name": "scout"}, "findings": [
 {"title": "a heap overflow", "text": "in the parser", "product": {"vendor": "acme", "model": "router"}, "weakness": "CWE-787"},
 {"title": "a path escape", "text": "in the server", "product": {"vendor": "acme", "model": "router"}, "weakness": "CWE-22"}]}"""


def populate(hub: Hub) -> None:
    """Do a little of everything that needs neither sandbox nor registry."""
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    hospital = hub.member(OrganizationKind.OPERATOR, sector="health", size="small", system_class="ci_operator")
    coordinating.record_contact(
        hub.house, coordinator, Contact("pkg:npm/minimist", "the maintainer", "dev@minimist.example", "registry", 2)
    )
    operating.send_inventory(hub.house, hospital, "portal", "unknown", b"jinja2==3.1.3\n", "requirements.txt")
    for sender in (lab, other):
        reporting.submit_report(hub.house, sender, [REPORT], Envelope(name="report.json"))
    hub.work()
    case = coordinating.list_cases(hub.house, coordinator)[0].case
    coordinating.propose_extension(hub.house, coordinator, case.id, case.ends_at.replace(hour=23))
    hub.fold()


def dump(url: str, target: Path) -> None:
    """Write our schemas as plain SQL (the job queue's own is installed by the code that brings it)."""
    command = [
        str(program("pg_dump")),
        "--no-owner",
        "--no-privileges",
        "--restrict-key=clearwell",
        "-n",
        "clearwell*",
        "-n",
        "prover",
        "-f",
        str(target),
        "-d",
        url,
    ]
    subprocess.run(command, check=True)
    target.write_text(f"-- SPDX-License-Identifier: Apache-2.0\n{target.read_text()}")


def load(url: str, snapshot: Path) -> None:
    """Bring a snapshot into an empty database, as its owner."""
    command = [str(program("psql")), "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(snapshot), "-d", url]
    subprocess.run(command, check=True)


def main() -> None:
    """Write the present version's snapshot; refuse to change one that exists."""
    target = FOLDER / f"v{version('clearwell')}.sql"
    if target.exists():
        sys.exit(f"{target} exists: a released version's snapshot never changes")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cw-") as place:
        server = EmbeddedServer(Path(place) / "data")
        server.start()
        try:
            app.bring_forward(server.url(OWNER))
            database = Database(server.url(APPLICATION))
            database.open()
            clock = TestClock()
            populate(Hub(app.build_house(Settings(data_dir=Path(place) / "hub"), database, clock), clock))
            database.close()
            dump(server.url(OWNER), target)
        finally:
            server.stop()
    print(f"wrote {target}: commit it with the release")


if __name__ == "__main__":
    main()
