# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: the database, the blobs, the ledger, the feed and the settings in one folder; the keys in another.

The order makes a backup of a running hub whole: the ledger's files are always a prefix of the database, so they are copied before
it; the blobs that the database names exist before it names them, so they are copied after it. The manifest is written last: a folder
without one is no backup.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg

from clearwell.ground.settings import Settings
from clearwell.ground.storage.embedded import program
from clearwell.ground.storage.keys import NAMES, Keys, load_keys
from clearwell.ground.storage.migrate import known_migrations
from clearwell.vocabulary.errors import Conflict, Invalid, NotFound, Unavailable

FORMAT = 1
_MANIFEST, _DUMP, _SETTINGS = "manifest.json", "database.dump", "settings.toml"
_FOLDERS = ("ledger", "blobs", "feed")
_SCHEMAS = ("clearwell", "clearwell_migrations", "prover", "procrastinate")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself. `key_mark` tells which keys belong to it, and nothing about them; `files` counts each folder's."""

    format: int
    release: str
    made_at: datetime
    migrations: tuple[str, ...]
    database_sha256: str
    key_mark: str
    files: dict[str, int]


def back_up(settings: Settings, owner_url: str, target: Path, keys_target: Path | None, release: str, now: datetime) -> Manifest:
    """Write a backup of a hub, running or not, into the new folder `target`; its keys into `keys_target`, or nowhere.

    Raises Conflict when a folder is not empty, Invalid when the keys would lie inside the backup, Unavailable when pg_dump fails.
    """
    if keys_target is not None and keys_target.resolve().is_relative_to(target.resolve()):
        raise Invalid("the keys would lie inside the backup: name a folder elsewhere, best on another medium")
    keys = load_keys(settings.keys_dir)
    _new_folder(target)
    if keys_target is not None:
        _new_folder(keys_target)
        _write_keys(settings.keys_dir, keys_target)
    for _ in range(2):  # a partial tile may give way to the full one between listing and copying; the second look finds that one
        _copy_folder(settings.ledger_dir, target / "ledger")
    _dump(owner_url, target / _DUMP)
    _copy_folder(settings.blobs_dir, target / "blobs")
    _copy_folder(settings.feed_dir, target / "feed")
    if (settings.data_dir / _SETTINGS).is_file():
        _copy(settings.data_dir / _SETTINGS, target / _SETTINGS)
    manifest = Manifest(
        format=FORMAT,
        release=release,
        made_at=now,
        migrations=_applied(owner_url),
        database_sha256=_sha256(target / _DUMP),
        key_mark=_mark(keys),
        files={name: sum(1 for _ in _files(target / name)) for name in _FOLDERS},
    )
    os.sync()
    _write(target / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest


def restore(settings: Settings, owner_url: str, source: Path, keys_source: Path | None) -> Manifest:
    """Bring a backup into an empty data folder and an empty database; the caller then applies newer migrations.

    Raises NotFound when `source` is no whole backup, Invalid when the keys are missing or others, Conflict when there is a hub here
    already, Unavailable when the backup is of a newer release or damaged.
    """
    manifest = read_manifest(source)
    _check_empty(settings, owner_url)
    keys = _keys_for(settings, manifest, keys_source)
    unknown = sorted(set(manifest.migrations) - known_migrations())
    if unknown:
        raise Unavailable(f"this backup is of a newer release ({manifest.release}; {unknown[0]}): restore it with that release")
    if _sha256(source / _DUMP) != manifest.database_sha256:
        raise Unavailable(f"{source / _DUMP} was changed or cut since it was made: use another backup")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _FOLDERS:
        _copy_folder(source / name, settings.data_dir / name)
    if (source / _SETTINGS).is_file() and not (settings.data_dir / _SETTINGS).exists():
        _copy(source / _SETTINGS, settings.data_dir / _SETTINGS)
    if keys_source is not None:
        settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_keys(keys_source, settings.keys_dir)
    os.sync()
    _load(owner_url, source / _DUMP)
    return msgspec.structs.replace(manifest, key_mark=_mark(keys))


def read_manifest(source: Path) -> Manifest:
    """Read what a backup says of itself; raise NotFound or Invalid."""
    path = source / _MANIFEST
    if not path.is_file():
        raise NotFound(f"{source} is no whole backup: it has no {_MANIFEST}, which is written last")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise Invalid(f"{path} cannot be read: {reason}") from None
    if manifest.format != FORMAT:
        raise Invalid(f"{path} is of format {manifest.format}; this release reads format {FORMAT}")
    return manifest


# -- keys ------------------------------------------------------------------------------------------------------


def _keys_for(settings: Settings, manifest: Manifest, keys_source: Path | None) -> Keys:
    """The keys that belong to the backup, from the folder named or already in their place; raise Invalid."""
    place = keys_source or settings.keys_dir
    if any(not (place / name).is_file() for name in NAMES):
        where = f"{place} lacks some of {', '.join(NAMES)}" if keys_source is not None else "a backup holds no keys"
        raise Invalid(
            f"{where}: name the folder that `clearwell backup --keys` wrote (--keys); without them its evidence stays sealed for ever"
        )
    keys = Keys(*((place / name).read_bytes() for name in NAMES))
    if _mark(keys) != manifest.key_mark:
        raise Invalid(f"the keys in {place} belong to another hub or another backup: they would open nothing in this one")
    return keys


def _mark(keys: Keys) -> str:
    return hashlib.sha256(b"clearwell keys\0" + keys.hub + keys.ledger + keys.advisory).hexdigest()[:32]


def _write_keys(source: Path, target: Path) -> None:
    for name in NAMES:
        _write(target / name, (source / name).read_bytes())


# -- files -----------------------------------------------------------------------------------------------------


def _new_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not empty: name a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    """Every regular file beneath, links and half-written ones left out."""
    if not folder.is_dir():
        return
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (path for name in names if not name.startswith(".") and not (path := Path(place) / name).is_symlink())


def _copy_folder(source: Path, target: Path) -> None:
    """Copy what `target` lacks. What vanishes meanwhile was replaced or destroyed: it is left out."""
    target.mkdir(mode=0o700, exist_ok=True)
    for path in _files(source):
        copy = target / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _copy(path, copy)
            except FileNotFoundError:
                copy.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise NotFound(f"{path} is missing from the backup")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- the database ----------------------------------------------------------------------------------------------


def _dump(owner_url: str, target: Path) -> None:
    schemas = [f"--schema={name}" for name in _SCHEMAS]
    _run("pg_dump", owner_url, "--format=custom", "--no-owner", "--no-privileges", *schemas, f"--file={target}")
    target.chmod(0o600)


def _load(owner_url: str, source: Path) -> None:
    _run("pg_restore", owner_url, "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source))


def _run(name: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on a database; a password goes by the environment, where `ps` does not show it."""
    parts = {key: str(value) for key, value in psycopg.conninfo.conninfo_to_dict(url).items() if value is not None}
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGPASSWORD": parts.pop("password", ""), "HOME": os.environ.get("HOME", "/")}
    address = psycopg.conninfo.make_conninfo(**parts)
    done = subprocess.run([program(name), *options, "-d", address], capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{name} failed: {done.stderr.strip()[-1000:]}")


def _applied(owner_url: str) -> tuple[str, ...]:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute("SELECT migration_id FROM clearwell_migrations._yoyo_migration ORDER BY 1").fetchall()
    return tuple(row[0] for row in rows)


def _check_empty(settings: Settings, owner_url: str) -> None:
    for name in _FOLDERS:
        if any(_files(settings.data_dir / name)):
            raise Conflict(f"{settings.data_dir / name} is not empty: restore into a new data folder (CLEARWELL_DATA_DIR)")
    with psycopg.connect(owner_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = ANY (%s)", (list(_SCHEMAS),)).fetchone()
    if row is None or row[0]:
        raise Conflict("this database holds a hub already: restore into an empty one")
