# SPDX-License-Identifier: Apache-2.0
"""Advisories (public) and an operator's actions (its own rows, and nobody else's) in the database."""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from clearwell.ground.storage.database import Transaction, as_json
from clearwell.vocabulary.advisory import Advisory
from clearwell.vocabulary.errors import NotFound
from clearwell.vocabulary.ids import ActionId, AdvisoryId, AssetId, OrganizationId


class Published(msgspec.Struct, frozen=True):
    """A published advisory with the hub's id for it."""

    id: AdvisoryId
    advisory: Advisory


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What one operator should do about one advisory on one asset. `receipt`: told, received, planned, installed.

    `due_on` is a date in the operator's own time zone, None where no directive binds it. `reasons` and `why` are sentences.
    """

    id: ActionId
    organization: OrganizationId
    asset: AssetId
    asset_name: str = ""
    advisory: AdvisoryId
    public_id: str = ""
    title: str = ""
    component: str
    installed_version: str | None
    fixed_version: str | None
    status: str
    receipt: str
    planned_for: date | None = None
    priority: int
    outcome: str
    due_on: date | None
    reasons: tuple[str, ...]
    why: str
    told_at: datetime
    received_at: datetime | None = None
    planned_at: datetime | None = None
    installed_at: datetime | None = None


_ACTION = """
SELECT a.id, a.organization_id AS organization, a.asset_id AS asset, s.name AS asset_name, a.advisory_id AS advisory, v.public_id,
       v.body ->> 'title' AS title, a.component, a.installed_version, a.fixed_version, a.status, a.receipt, a.planned_for, a.priority,
       a.outcome, a.due_on, a.reasons, a.why, a.told_at, a.received_at, a.planned_at, a.installed_at
FROM clearwell.action a JOIN clearwell.asset s ON s.id = a.asset_id JOIN clearwell.advisory v ON v.id = a.advisory_id
"""


def insert_advisory(tx: Transaction, advisory_id: AdvisoryId, advisory: Advisory) -> None:
    """Publish an advisory: from now on everybody sees it."""
    tx.execute(
        """
        INSERT INTO clearwell.advisory (id, aliases, public_id, revision, body, published_at)
        VALUES (%(id)s, %(aliases)s, %(public)s, %(revision)s, %(body)s, %(at)s)
        """,
        id=advisory_id,
        aliases=list(advisory.vulnerability.aliases),
        public=advisory.id,
        revision=advisory.revision,
        body=as_json(advisory),
        at=advisory.initial_release,
    )
    replace_components(tx, advisory_id, advisory)


def update_advisory(tx: Transaction, advisory_id: AdvisoryId, advisory: Advisory) -> None:
    """Publish a further revision of an advisory."""
    tx.execute(
        "UPDATE clearwell.advisory SET aliases = %(aliases)s, revision = %(revision)s, body = %(body)s WHERE id = %(id)s",
        id=advisory_id,
        aliases=list(advisory.vulnerability.aliases),
        revision=advisory.revision,
        body=as_json(advisory),
    )
    replace_components(tx, advisory_id, advisory)


def replace_components(tx: Transaction, advisory_id: AdvisoryId, advisory: Advisory) -> None:
    """Index an advisory by the components that it names."""
    tx.execute("DELETE FROM clearwell.advisory_component WHERE advisory_id = %(id)s", id=advisory_id)
    for entry in advisory.vulnerability.affected:
        tx.execute(
            "INSERT INTO clearwell.advisory_component (component, advisory_id) VALUES (%(c)s, %(id)s) ON CONFLICT DO NOTHING",
            c=entry.component,
            id=advisory_id,
        )


def load_advisory(tx: Transaction, public_id: str) -> Published:
    """Load a published advisory by its public id; raise NotFound."""
    row = tx.row("SELECT id, body AS advisory FROM clearwell.advisory WHERE public_id = %(id)s", id=public_id)
    if row is None:
        raise NotFound("there is no such advisory")
    return msgspec.convert(row, Published)


def advisory_by_id(tx: Transaction, advisory_id: AdvisoryId) -> Published:
    """Load a published advisory by the hub's own id; raise NotFound."""
    row = tx.row("SELECT id, body AS advisory FROM clearwell.advisory WHERE id = %(id)s", id=advisory_id)
    if row is None:
        raise NotFound("there is no such advisory")
    return msgspec.convert(row, Published)


def public_ids(tx: Transaction, advisories: Iterable[AdvisoryId]) -> dict[AdvisoryId, str]:
    """The public ids of published advisories, by the hub's own ids for them."""
    rows = tx.rows("SELECT id, public_id FROM clearwell.advisory WHERE id = ANY(%(ids)s)", ids=list(advisories))
    return {row["id"]: row["public_id"] for row in rows}


def list_advisories(tx: Transaction, limit: int = 10_000) -> tuple[Published, ...]:
    """Every published advisory, newest first."""
    rows = tx.rows("SELECT id, body AS advisory FROM clearwell.advisory ORDER BY published_at DESC, id DESC LIMIT %(limit)s", limit=limit)
    return tuple(msgspec.convert(row, Published) for row in rows)


def advisories_naming_mine(tx: Transaction) -> tuple[Published, ...]:
    """The advisories that name a component of the operator's own current inventories."""
    rows = tx.rows(
        """
        SELECT v.id, v.body AS advisory FROM clearwell.advisory v
        WHERE v.id IN (SELECT c.advisory_id FROM clearwell.advisory_component c
                       JOIN clearwell.installed i ON i.component = c.component
                       JOIN clearwell.inventory n ON n.id = i.inventory_id AND n.is_current)
           OR v.id IN (SELECT advisory_id FROM clearwell.action)
        ORDER BY v.published_at, v.id
        """
    )
    return tuple(msgspec.convert(row, Published) for row in rows)


def save_action(tx: Transaction, action: Action) -> None:
    """Store an action, or bring the stored one to what is known now."""
    tx.execute(
        """
        INSERT INTO clearwell.action (id, organization_id, asset_id, advisory_id, component, installed_version, fixed_version, status, receipt,
               planned_for, priority, outcome, due_on, reasons, why, told_at, received_at, planned_at, installed_at)
        VALUES (%(id)s, %(organization)s, %(asset)s, %(advisory)s, %(component)s, %(installed_version)s, %(fixed_version)s, %(status)s,
                %(receipt)s, %(planned_for)s, %(priority)s, %(outcome)s, %(due_on)s, %(reasons)s, %(why)s, %(told_at)s, %(received_at)s,
                %(planned_at)s, %(installed_at)s)
        ON CONFLICT (organization_id, asset_id, advisory_id, component) DO UPDATE SET
            installed_version = EXCLUDED.installed_version, fixed_version = EXCLUDED.fixed_version, status = EXCLUDED.status,
            receipt = EXCLUDED.receipt, planned_for = EXCLUDED.planned_for, priority = EXCLUDED.priority, outcome = EXCLUDED.outcome,
            due_on = EXCLUDED.due_on, reasons = EXCLUDED.reasons, why = EXCLUDED.why, received_at = EXCLUDED.received_at,
            planned_at = EXCLUDED.planned_at, installed_at = EXCLUDED.installed_at, told_at = EXCLUDED.told_at
        """,
        **{**msgspec.structs.asdict(action), "reasons": as_json(list(action.reasons))},
    )


def my_actions(tx: Transaction, with_installed: bool, limit: int = 500) -> tuple[Action, ...]:
    """The operator's own actions, the most urgent first."""
    rows = tx.rows(
        f"""
        {_ACTION} WHERE %(all)s OR a.receipt <> 'installed'
        ORDER BY (a.receipt = 'installed'), a.priority DESC, a.due_on NULLS LAST, a.id LIMIT %(limit)s
        """,
        all=with_installed,
        limit=limit,
    )
    return tuple(msgspec.convert(row, Action) for row in rows)


def load_action(tx: Transaction, action: ActionId) -> Action:
    """Load one of the operator's own actions; raise NotFound."""
    row = tx.row(f"{_ACTION} WHERE a.id = %(id)s FOR UPDATE OF a", id=action)
    if row is None:
        raise NotFound("there is no such action, or none of yours")
    return msgspec.convert(row, Action)


def operators(tx: Transaction) -> tuple[OrganizationId, ...]:
    """Every organization that may send inventories: the list to go through one by one, each as itself."""
    return tuple(
        OrganizationId(row["id"])
        for row in tx.rows("SELECT id FROM clearwell.organization WHERE kind IN ('operator', 'agency') ORDER BY id")
    )
