# SPDX-License-Identifier: Apache-2.0
"""Sourcing: a source archive or git bundle is sent along with reports, and read when what they cite is looked up."""

from collections.abc import Callable, Iterable

from clearwell.clearinghouse.case.entries import SourceRead, SourceReceived
from clearwell.clearinghouse.intake import store as intake_store
from clearwell.clearinghouse.intake.quota import midnight, require_room, usual
from clearwell.clearinghouse.validation import store as validation_store
from clearwell.clearinghouse.validation.store import SourceArchive
from clearwell.ground.house import House
from clearwell.ground.identity.actor import SANITY, Member
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.blobs import Sealed
from clearwell.ground.storage.database import Transaction
from clearwell.proving.bundles import read_bundle
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.scratch import scratch
from clearwell.proving.source import SourceTree, is_bundle, read_tree, write_temporary
from clearwell.vocabulary.errors import Invalid, Unavailable
from clearwell.vocabulary.ids import SourceId


def send_source(house: House, actor: Member, pieces: Iterable[bytes], name: str) -> SourceArchive:
    """Take a source archive in, to be named by reports that are sent after it. Raises Invalid, Refused."""
    house.policy.require(actor, Act.SUBMIT_REPORT, Subject(organization=actor.organization))
    if not 1 <= len(name) <= 255 or not name.isprintable():
        raise Invalid("a source archive's name has 1 to 255 printable characters")
    sealed = house.blobs.put(pieces, house.settings.submission_bytes)
    if sealed.size == 0:
        house.blobs.discard(sealed)
        raise Invalid("the source archive is empty")
    source = SourceArchive(
        id=SourceId(house.new_id("source")), organization=actor.organization, sent_by=actor.person, name=name, address=sealed.address,
        size=sealed.size, received_at=house.clock.now(),
    )  # fmt: skip
    try:
        _keep_source(house, actor, source, sealed)
    except BaseException:
        house.blobs.discard(sealed)
        raise
    return source


def _keep_source(house: House, actor: Member, source: SourceArchive, sealed: Sealed) -> None:
    """Store it within the sender's quota of bytes: a source counts as a report's bytes do."""
    now = house.clock.now()
    with house.transaction(actor) as tx:
        tx.take_turns("sender", [actor.organization])
        used = intake_store.usage(tx, actor.organization, midnight(now))
        require_room(intake_store.load_quota(tx, actor.organization, usual(house.settings)), used, sealed.size, now)
        house.blobs.hold(tx, source.id, sealed)
        validation_store.insert_source(tx, source)
        house.write(tx, SourceReceived(source.id, source.size, Salted(source.address, organization=actor.organization)), by=actor)


def require_own(tx: Transaction, source: SourceId | None) -> None:
    """Raise NotFound unless the source archive that a report names is one that its sender may see."""
    if source is not None:
        validation_store.load_source(tx, source)


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
                return read_tree(file, source.name)
            if sandbox is None:
                raise Unavailable("there is no sandbox here in which a git bundle may be unpacked")
            return read_bundle(sandbox, file, source.name, commit)

    return read
