# SPDX-License-Identifier: Apache-2.0
"""Organizations, people, service tokens and sessions: who they are, how a secret finds them. Only hashes are stored."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from clearwell.ground.identity.actor import IDENTITY, Member, OrganizationKind, Permission
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Invalid, NotFound, Refused
from clearwell.vocabulary.ids import OrganizationId, PersonId, TokenId

SYSTEM_CLASSES = ("fceb", "nss", "dow", "ic", "slt", "ci_operator", "oss", "other")
"""The system classes of the Order and of BOD 26-04 (requirement R01)."""
SIZES = ("small", "medium", "large")
_TOKEN_PREFIX = "cwt_"  # noqa: S105 the public mark by which scanners find leaked tokens


class Organization(msgspec.Struct, frozen=True):
    """An organization. `system_class` and `sector` are set for operators and agencies; `time_zone` is an IANA name."""

    id: OrganizationId
    name: str
    kind: OrganizationKind
    sector: str | None = None
    size: str | None = None
    system_class: str | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.system_class is not None and self.system_class not in SYSTEM_CLASSES:
            raise Invalid(f"system class {self.system_class!r} is not one of {', '.join(SYSTEM_CLASSES)}")
        if self.size is not None and self.size not in SIZES:
            raise Invalid(f"size {self.size!r} is not one of {', '.join(SIZES)}")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Invalid(f"{self.time_zone!r} is not a time zone; write for example America/Chicago") from None


def add_organization(tx: Transaction, organization: Organization, now: datetime) -> None:
    """Store a new organization."""
    with tx.acting_as(IDENTITY.scope):
        tx.execute(
            """
            INSERT INTO clearwell.organization (id, name, kind, sector, size, system_class, time_zone, created_at)
            VALUES (%(id)s, %(name)s, %(kind)s, %(sector)s, %(size)s, %(system_class)s, %(time_zone)s, %(now)s)
            """,
            **msgspec.to_builtins(organization),
            now=now,
        )


def load_organization(tx: Transaction, organization_id: OrganizationId) -> Organization:
    """Load an organization that the transaction may see; raise NotFound."""
    row = tx.row(
        "SELECT id, name, kind, sector, size, system_class, time_zone FROM clearwell.organization WHERE id = %(id)s", id=organization_id
    )
    if row is None:
        raise NotFound("there is no such organization, or none that you may see")
    return msgspec.convert(row, Organization)


def names_of(tx: Transaction, organizations: Iterable[OrganizationId]) -> dict[OrganizationId, str]:
    """The names of those organizations that the transaction may see, one look-up for all."""
    rows = tx.rows("SELECT id, name FROM clearwell.organization WHERE id = ANY(%(ids)s)", ids=sorted(set(organizations)))
    return {row["id"]: row["name"] for row in rows}


def add_person(tx: Transaction, person: PersonId, organization: OrganizationId, name: str, email: str | None, now: datetime) -> None:
    """Store a new person of an organization."""
    with tx.acting_as(IDENTITY.scope):
        tx.execute(
            """
            INSERT INTO clearwell.person (id, organization_id, name, email, created_at)
            VALUES (%(person)s, %(organization)s, %(name)s, %(email)s, %(now)s)
            """,
            person=person,
            organization=organization,
            name=name,
            email=email,
            now=now,
        )


def addresses_of(tx: Transaction, kind: OrganizationKind, limit: int = 100) -> tuple[tuple[Member, str], ...]:
    """The people of all organizations of a kind with their mail addresses; who gave none is left out."""
    with tx.acting_as(IDENTITY.scope):
        rows = tx.rows(
            """
            SELECT p.id, p.organization_id, p.email FROM clearwell.person p JOIN clearwell.organization o ON o.id = p.organization_id
            WHERE o.kind = %(kind)s AND p.email IS NOT NULL ORDER BY p.id LIMIT %(limit)s
            """,
            kind=kind.value,
            limit=limit,
        )
    return tuple((Member(PersonId(row["id"]), OrganizationId(row["organization_id"]), kind), row["email"]) for row in rows)


def issue_token(
    tx: Transaction, token: TokenId, member: Member, label: str, permissions: Iterable[Permission], now: datetime, days: int
) -> str:
    """Store the hash of a new service token and return the secret, once. Raises Invalid past 366 days."""
    if not 1 <= days <= 366:
        raise Invalid(f"{days} days; a token lives 1 to 366 days")
    secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    with tx.acting_as(IDENTITY.scope):
        tx.execute(
            """
            INSERT INTO clearwell.token (id, person_id, organization_id, label, hash, scopes, created_at, expires_at)
            VALUES (%(token)s, %(person)s, %(organization)s, %(label)s, %(hash)s, %(scopes)s, %(now)s, %(expires)s)
            """,
            token=token,
            person=member.person,
            organization=member.organization,
            label=label,
            hash=digest(secret),
            scopes=sorted(permission.value for permission in permissions),
            now=now,
            expires=now + timedelta(days=days),
        )
    return secret


def revoke_token(tx: Transaction, token: TokenId, organization: OrganizationId, now: datetime) -> None:
    """End a token of one's own organization at once; raise NotFound."""
    with tx.acting_as(IDENTITY.scope):
        done = tx.execute(
            """
            UPDATE clearwell.token SET revoked_at = %(now)s
            WHERE id = %(token)s AND organization_id = %(organization)s AND revoked_at IS NULL
            """,
            token=token,
            organization=organization,
            now=now,
        )
    if not done:
        raise NotFound("there is no such token in force")


def member_of_token(tx: Transaction, secret: str, now: datetime) -> Member:
    """Find who holds a token; raise Refused if it is unknown, expired or revoked (the three are told alike)."""
    with tx.acting_as(IDENTITY.scope):
        row = tx.row(
            """
            SELECT t.person_id AS person, t.organization_id AS organization, o.kind, t.scopes AS permissions
            FROM clearwell.token t JOIN clearwell.organization o ON o.id = t.organization_id
            WHERE t.hash = %(hash)s AND t.expires_at > %(now)s AND t.revoked_at IS NULL
            """,
            hash=digest(secret),
            now=now,
        )
    if row is None:
        raise Refused("this token is not in force; ask your organization for a new one")
    return msgspec.convert(row, Member)


def member_of_person(tx: Transaction, person: PersonId) -> Member:
    """Load a person with all permissions; raise NotFound."""
    with tx.acting_as(IDENTITY.scope):
        row = tx.row(
            """
            SELECT p.id AS person, p.organization_id AS organization, o.kind
            FROM clearwell.person p JOIN clearwell.organization o ON o.id = p.organization_id WHERE p.id = %(person)s
            """,
            person=person,
        )
    if row is None:
        raise NotFound("there is no such person")
    return msgspec.convert(row, Member)


def open_session(tx: Transaction, person: PersonId, now: datetime, hours: int, token_secret: str | None = None) -> str:
    """Start a browser session; return its secret, of which only the hash is stored.

    A session that a service token opened may do what the token may, and ends with it.
    """
    secret = secrets.token_urlsafe(32)
    with tx.acting_as(IDENTITY.scope):
        tx.execute("DELETE FROM clearwell.session WHERE expires_at < %(now)s", now=now)
        tx.execute(
            """
            INSERT INTO clearwell.session (hash, person_id, token_id, created_at, expires_at)
            VALUES (%(hash)s, %(person)s, (SELECT id FROM clearwell.token WHERE hash = %(token)s), %(now)s, %(expires)s)
            """,
            hash=digest(secret),
            person=person,
            token=None if token_secret is None else digest(token_secret),
            now=now,
            expires=now + timedelta(hours=hours),
        )
    return secret


def member_of_session(tx: Transaction, secret: str, now: datetime) -> Member | None:
    """Find who a session belongs to; None when it, or the token that opened it, is over."""
    with tx.acting_as(IDENTITY.scope):
        row = tx.row(
            """
            SELECT p.id AS person, p.organization_id AS organization, o.kind, t.scopes AS permissions
            FROM clearwell.session s JOIN clearwell.person p ON p.id = s.person_id JOIN clearwell.organization o ON o.id = p.organization_id
            LEFT JOIN clearwell.token t ON t.id = s.token_id
            WHERE s.hash = %(hash)s AND s.expires_at > %(now)s
              AND (s.token_id IS NULL OR (t.expires_at > %(now)s AND t.revoked_at IS NULL))
            """,
            hash=digest(secret),
            now=now,
        )
    return msgspec.convert({name: value for name, value in row.items() if value is not None}, Member) if row else None


def close_session(tx: Transaction, secret: str) -> None:
    """End a session."""
    with tx.acting_as(IDENTITY.scope):
        tx.execute("DELETE FROM clearwell.session WHERE hash = %(hash)s", hash=digest(secret))


def digest(secret: str) -> bytes:
    """SHA-256 of a secret of 256 random bits: enough, since it cannot be guessed (no salt or stretching needed)."""
    return hashlib.sha256(secret.encode()).digest()
