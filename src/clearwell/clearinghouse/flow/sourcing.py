# SPDX-License-Identifier: Apache-2.0
"""Sourcing: a source archive or git bundle is sent along with reports, and read when what they cite is looked up."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from clearwell.clearinghouse.case.entries import SourceDestroyed, SourceRead, SourceReceived, SourceSentAgain
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.minimization import minimize_text
from clearwell.clearinghouse.intake.quota import midnight, require_room, usual
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.store import SourceArchive
from clearwell.ground.house import House
from clearwell.ground.identity.actor import INTAKE, SANITY, Member
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.blobs import Sealed
from clearwell.ground.storage.database import Transaction
from clearwell.proving.bundles import read_bundle
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.scratch import scratch
from clearwell.proving.source import SourceTree, is_bundle, read_inside, write_temporary
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable
from clearwell.vocabulary.ids import OrganizationId, SourceId

UNNAMED = timedelta(days=1)
"""How long a source archive waits for the first report that names it."""
_SWEPT = 50
"""Archives looked at in one statement: each may ask for every finding of many reports."""


def send_source(house: House, actor: Member, pieces: Iterable[bytes], name: str) -> SourceArchive:
    """Take a source archive in, to be named by reports that are sent after it; the same again is the same one. Raises Invalid, Refused."""
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(organization=actor.organization))
    if not 1 <= len(name) <= 255 or not name.isprintable():
        raise Invalid("a source archive's name has 1 to 255 printable characters")
    sealed = house.blobs.put(pieces, house.settings.submission_bytes)
    if sealed.size == 0:
        house.blobs.discard(sealed)
        raise Invalid("the source archive is empty")
    source = SourceArchive(
        id=SourceId(house.new_id("source")), organization=actor.organization, sent_by=actor.person, name=minimize_text(name),
        address=sealed.address,
        size=sealed.size, received_at=house.clock.now(),
    )  # fmt: skip
    try:
        return _keep_source(house, actor, source, sealed)
    except BaseException:
        house.blobs.discard(sealed)
        raise


def _keep_source(house: House, actor: Member, source: SourceArchive, sealed: Sealed) -> SourceArchive:
    """Store it within the sender's quota of bytes: a source counts as a report's bytes do."""
    now = house.clock.now()
    with house.transaction(actor) as tx:
        tx.take_turns("sender", [actor.organization])
        known = _sent_again(house, tx, actor, source)
        if known is not None:
            house.blobs.discard(sealed)
            return known
        used = intake_store.usage(tx, actor.organization, midnight(now))
        require_room(intake_store.load_quota(tx, actor.organization, usual(house.settings)), used, sealed.size, now)
        house.blobs.hold(tx, source.id, sealed)
        validation_store.insert_source(tx, source)
        house.write(tx, SourceReceived(source.id, source.size, Salted(source.address, organization=actor.organization)), by=actor)
    return source


def _sent_again(house: House, tx: Transaction, actor: Member, source: SourceArchive) -> SourceArchive | None:
    known = validation_store.find_source(tx, actor.organization, source.address, source.name)
    if known is None:
        return None
    tx.take_turns("source", [known.id])
    known = validation_store.load_source(tx, known.id)
    if known.destroyed_at is not None:
        return None
    house.write(tx, SourceSentAgain(known.id), by=actor)
    with tx.acting_as(INTAKE.scope):
        validation_store.set_sent_again(tx, known.id, house.clock.now())
    return known


def named(tx: Transaction, organization: OrganizationId, source: SourceId | None) -> SourceArchive | None:
    """The source archive that a report names, held as it is until the report is stored. Raises NotFound unless its sender's own sent it."""
    if source is None:
        return None
    tx.take_turns("source", [source])
    found = validation_store.load_source(tx, source)
    if found.organization != organization:
        raise NotFound("your organization sent no such source archive; send it, and name the new one")
    return found


def require_here(source: SourceArchive | None) -> None:
    """Raise NotFound when a source archive's bytes are gone."""
    if source is not None and source.destroyed_at is not None:
        raise NotFound("this source archive was destroyed after its time; send it again and name the new one")


def sweep_sources(house: House) -> None:
    """Destroy the source archives that nothing needs: those that no report named within a day, and those whose time is over.

    Their time (setting `source_days`) begins anew with each report that names them; what an open case needs stays.
    """
    house.policy.require(INTAKE, Act.PARSE)
    now = house.clock.now()
    bounds = (now - UNNAMED, now - timedelta(days=house.settings.source_days))
    after = ""
    while True:
        with house.transaction(INTAKE) as tx:
            found = validation_store.sources_out_of_time(tx, *bounds, after, _SWEPT)
        for source in found:
            _destroy(house, source, bounds)
        if len(found) < _SWEPT:
            return
        after = found[-1].id


def _destroy(house: House, source: SourceArchive, bounds: tuple[datetime, datetime]) -> None:
    """Destroy one, unless somebody named or sent it since it was looked for: who does so takes the same turns."""
    with house.transaction(INTAKE) as tx:
        tx.take_turns("source", [source.id])
        if validation_store.is_out_of_time(tx, source.id, *bounds):
            validation_store.set_destroyed(tx, source.id, house.clock.now())
            house.blobs.destroy(tx, source.id)
            house.write(tx, SourceDestroyed(source.id, source.size), by=INTAKE)


def tree_of(house: House, source: SourceArchive, sandbox: Sandbox | None) -> Callable[[str | None], SourceTree]:
    """Return what reads the archive, at a commit where it is a bundle. Each read is in the ledger before its first byte leaves."""

    def read(commit: str | None) -> SourceTree:
        with house.transaction(SANITY) as tx:
            house.policy.require(SANITY, Act.CHECK, Subject(source.id))
            house.write(tx, SourceRead(source.id, "to look up what a report cites"), by=SANITY)
        with scratch() as folder:
            with house.transaction(SANITY) as tx:
                file = write_temporary(house.blobs.open(tx, source.id, source.address), folder)
            if not is_bundle(file):
                return read_inside(sandbox, file, source.name)
            if sandbox is None:
                raise Unavailable("there is no sandbox here in which a git bundle may be unpacked")
            return read_bundle(sandbox, file, source.name, commit)

    return read
