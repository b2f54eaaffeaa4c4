# SPDX-License-Identifier: Apache-2.0
"""The hall: reads settings, fills a House, registers the jobs and the chores."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from clearwell.clearinghouse.dedupe import nearing
from clearwell.clearinghouse.flow import (
    answering,
    asking,
    checking,
    comparing,
    equating,
    jobs,
    maintaining,
    minimizing,
    operating,
    post,
    publishing,
    remediating,
    signing,
    sketching,
    sourcing,
    uploading,
    validating,
)
from clearwell.ground.house import Clock, House, SystemClock
from clearwell.ground.identity.actor import INTAKE, PROVING
from clearwell.ground.jobs import orders, queue
from clearwell.ground.jobs.worker import Chore, Work, WorkerPlan
from clearwell.ground.ledger.ledger import Ledger
from clearwell.ground.ledger.note import SigningKey
from clearwell.ground.ledger.sequencer import Sequencer
from clearwell.ground.policy.policy import Policy
from clearwell.ground.settings import Settings, Sourced, read_settings
from clearwell.ground.storage.blobs import BlobStore
from clearwell.ground.storage.database import NOBODY, Database, Transaction
from clearwell.ground.storage.embedded import APPLICATION, OWNER, EmbeddedServer
from clearwell.ground.storage.keys import load_keys
from clearwell.ground.storage.migrate import migrate, pending
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.ids import EntryId, spell, uuid7

_CLOCK_SECONDS = 5.0
_SWEEP_SECONDS = 6 * 3600.0
_CLAIMS_SECONDS = 60.0


def settings_now(environ: Mapping[str, str] | None = None) -> tuple[Settings, tuple[Sourced, ...]]:
    """Read the settings from the environment and `settings.toml` in the data folder."""
    env = os.environ if environ is None else environ
    return read_settings(env, Path(env.get("CLEARWELL_SETTINGS", Path(env.get("CLEARWELL_DATA_DIR", ".clearwell")) / "settings.toml")))


@contextmanager
def database_server(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Yield the application's and the owner's addresses; start the embedded server when no address is set.

    Who started it stops it at the end, unless others are connected.
    """
    if settings.database_url is not None:
        yield settings.database_url, settings.migrate_url
        return
    server = EmbeddedServer(settings.data_dir)
    started = server.start()
    try:
        yield server.url(APPLICATION), server.url(OWNER)
    finally:
        if started and server.is_running() and server.other_sessions() == 0:
            server.stop()


def bring_forward(owner_url: str) -> tuple[str, ...]:
    """Apply the migrations that are missing, the job queue's own schema among them."""
    return migrate(owner_url, steps=(queue.install, lambda connection: nearing.bring_near(Transaction(connection, NOBODY))))


@contextmanager
def open_house(settings: Settings, clock: Clock | None = None) -> Iterator[House]:
    """Fill a House: database (migrated when the owner's address is known), keys, blobs, policy, ledger."""
    configure_logs(settings.log_level)
    with database_server(settings) as (url, owner_url):
        if owner_url is not None:
            bring_forward(owner_url)
        elif pending(url):
            raise Unavailable("the database lacks migrations of this release: run `clearwell migrate` with CLEARWELL_MIGRATE_URL")
        database = Database(url)
        database.open()
        try:
            with database.transaction(NOBODY) as tx:
                nearing.refuse_far(tx)
            yield build_house(settings, database, clock or SystemClock())
        finally:
            database.close()


def build_house(settings: Settings, database: Database, clock: Clock) -> House:
    """Put the parts together; nothing is opened here but key files and folders."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = load_keys(settings.keys_dir)

    def new_entry_id() -> EntryId:
        return EntryId(spell("entry", uuid7(int(clock.now().timestamp() * 1000), int.from_bytes(os.urandom(10)))))

    return House(
        settings=settings,
        keys=keys,
        database=database,
        policy=Policy(),
        ledger=Ledger(new_entry_id, clock.now, subscribers={}),
        blobs=BlobStore(settings.blobs_dir, keys.hub),
        clock=clock,
        chance=os.urandom,
    )


def work_of(house: House) -> dict[str, tuple[str, Work]]:
    """Every job by its name: the queue it waits in and the function that does it."""
    functions: dict[jobs.JobName, Callable[..., None]] = {
        jobs.PARSE: answering.parse_submission,
        jobs.COMPARE: comparing.compare_scan,
        jobs.SKETCH: sketching.sketch_batch,
        jobs.SKETCH_CASE: sketching.sketch_case,
        jobs.SKETCH_AGAIN: sketching.sketch_again,
        jobs.FORGET_SKETCHES: sketching.forget_sketches,
        jobs.SIGN_AGAIN: signing.sign_again,
        jobs.MINIMIZE: minimizing.minimize_again,
        jobs.CHECK: checking.check_batch,
        jobs.VALIDATE: validating.validate_proof,
        jobs.RECHECK: validating.recheck_proof,
        jobs.INVITE: maintaining.invite,
        jobs.VERIFY_FIX: remediating.verify_fix,
        jobs.RECHECK_FIX: remediating.recheck_fix,
        jobs.COMPARE_FIX: equating.compare_fix,
        jobs.COMPARE_CASE: equating.compare_case,
        jobs.PUBLISH: publishing.publish_case,
        jobs.WRITE_FEED: publishing.refresh_feed,
        jobs.MATCH: operating.match_operator,
        jobs.SEND_MAIL: post.send_mail,
    }
    return {job.name: (job.queue, partial(function, house)) for job, function in functions.items()}


def chores_of(house: House) -> tuple[Chore, ...]:
    """What each worker keeps up: folding the ledger at its cadence, doing what clocks make due, sweeping what crashes left."""
    key = SigningKey(house.settings.ledger_origin, house.keys.ledger)
    sequencer = Sequencer(house.database, house.settings.ledger_dir, key, house.settings.ledger_origin)

    def fold_ledger() -> None:
        sequencer.fold()

    def look_at_clocks() -> None:
        publishing.look_at_clocks(house)

    def sweep_blobs() -> None:
        with house.transaction(INTAKE) as tx:
            house.blobs.sweep(tx, house.clock.now() - timedelta(days=1))
        with house.transaction(PROVING) as tx:
            orders.sweep(tx, house.clock.now() - timedelta(days=1))
        uploading.sweep_uploads(house)
        sourcing.sweep_sources(house)

    def hash_claims() -> None:
        asking.hash_claims(house)

    chores = (house.settings.sequencer_seconds, fold_ledger), (_CLOCK_SECONDS, look_at_clocks), (_SWEEP_SECONDS, sweep_blobs)
    return (*chores, (_CLAIMS_SECONDS, hash_claims)) if house.settings.claim_check_salt else chores


def plan_of(house: House) -> WorkerPlan:
    """How this hub's worker runs."""
    s = house.settings
    return WorkerPlan(house.database.url, s.worker_queues, s.worker_concurrency, s.worker_poll_seconds, s.stalled_worker_seconds)


def ledger_vkey(house: House) -> str:
    """The ledger's public key in the form that auditors pin (signed-note vkey)."""
    return str(SigningKey(house.settings.ledger_origin, house.keys.ledger).vkey)


def configure_logs(level: str) -> None:
    """Structured logs to stderr: ids, counts and kinds of errors; never words of reports or proofs."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    for name in ("procrastinate", "yoyo", "httpx", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
