# SPDX-License-Identifier: Apache-2.0
"""Settings: one frozen object, read once from the environment and `settings.toml`, each value with its source."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from clearwell.vocabulary.errors import Invalid


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of a hub. A field's environment name is `CLEARWELL_` and its name in capitals.

    Sizes are bytes, times are seconds unless the name says days.
    """

    data_dir: Path = Path(".clearwell")
    database_url: str | None = None
    migrate_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    secure_cookies: bool = False
    ledger_origin: str = "clearwell.example/ledger"
    sequencer_seconds: float = 0.5
    worker_concurrency: int = 2
    worker_queues: tuple[str, ...] = ()
    worker_poll_seconds: float = 1.0
    stalled_worker_seconds: float = 30.0
    harnesses: Path | None = None
    kev_feed: Path | None = None
    proving_runs: int = 3
    require_enforced_limits: bool = False
    proving_backend: str = "bubblewrap"
    proving_recheck_share: float = 0.1
    proving_worker_key: Path | None = None
    proving_worker_keys: tuple[str, ...] = ()
    proving_apart: bool = False
    prover_url: str | None = None
    mail_folder: Path | None = None
    smtp_url: str | None = None
    submission_bytes: int = 256 * 1024 * 1024
    findings_per_day: int = 2_000_000
    bytes_per_day: int = 16 * 1024 * 1024 * 1024
    submissions_in_flight: int = 1_000
    proofs_per_day: int = 2_000
    source_days: int = 30
    request_bytes: int = 8 * 1024 * 1024
    link_days: int = 14
    code_minutes: int = 15
    session_hours: int = 12
    proposal_hours: int = 72
    known_tick_seconds: float = 1.0
    known_budget_per_day: int = 2_000
    known_alarm_positives: int = 100
    claim_check_salt: str | None = None
    claim_check_contact: str = ""
    log_level: str = "info"
    metadata_url: str = "https://clearwell.example"

    @property
    def blobs_dir(self) -> Path:
        """Where encrypted evidence lies."""
        return self.data_dir / "blobs"

    @property
    def keys_dir(self) -> Path:
        """Where the hub's own keys lie; a backup keeps them apart."""
        return self.data_dir / "keys"

    @property
    def ledger_dir(self) -> Path:
        """The ledger's static files: tiles and the signed checkpoint."""
        return self.data_dir / "ledger"

    @property
    def feed_dir(self) -> Path:
        """The published advisories: a static folder."""
        return self.data_dir / "feed"

    @property
    def outbox_dir(self) -> Path:
        """Where mail is written when no SMTP server is set."""
        return self.mail_folder or self.data_dir / "outbox"


SECRET = frozenset({"claim_check_salt", "database_url", "migrate_url", "prover_url", "smtp_url"})
"""Settings whose values are never shown."""


class Sourced(msgspec.Struct, frozen=True):
    """One setting as `clearwell settings show` prints it."""

    name: str
    value: str
    source: str


def read_settings(environ: Mapping[str, str], file: Path | None = None) -> tuple[Settings, tuple[Sourced, ...]]:
    """Read the settings: environment over file over default. Unknown `CLEARWELL_` names in the file are errors (Invalid)."""
    written = _read_file(file)
    values: dict[str, Any] = {}
    rows: list[Sourced] = []
    for field in msgspec.structs.fields(Settings):
        variable = f"CLEARWELL_{field.name.upper()}"
        if variable in environ:
            raw, source = environ[variable], f"environment {variable}"
        elif field.name in written:
            raw, source = written[field.name], f"file {file}"
        else:
            rows.append(Sourced(field.name, _shown(field.name, field.default), "default"))
            continue
        values[field.name] = _convert(field.name, raw, field.type)
        rows.append(Sourced(field.name, _shown(field.name, values[field.name]), source))
    return Settings(**values), tuple(rows)


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None or not file.is_file():
        return {}
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise Invalid(f"{file} is not TOML: {reason}") from None
    known = {field.name for field in msgspec.structs.fields(Settings)}
    unknown = sorted(set(written) - known)
    if unknown:
        raise Invalid(f"{file} has unknown settings: {', '.join(unknown)}")
    return written


def _convert(name: str, raw: Any, kind: Any) -> Any:
    if isinstance(raw, str) and "tuple" in str(kind):
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    if isinstance(raw, str) and "Path" in str(kind):
        return Path(raw)
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as reason:
        raise Invalid(f"setting {name}: {reason}") from None


def _shown(name: str, value: Any) -> str:
    if name in SECRET and value is not None:
        return "(secret)"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
