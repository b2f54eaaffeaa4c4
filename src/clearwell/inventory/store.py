# SPDX-License-Identifier: Apache-2.0
"""Inventories in the database: an operator's own rows. Every query runs as that operator; none crosses operators (never 3)."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.ids import AssetId, InventoryId, OrganizationId


class Asset(msgspec.Struct, frozen=True):
    """Something an operator runs software on. `exposed`: to a public network, "true", "false" or "unknown"."""

    id: AssetId
    name: str
    exposed: str


class Installed(msgspec.Struct, frozen=True):
    """A component on an asset, by the asset's current inventory."""

    asset: AssetId
    component: str
    version: str | None
    found_in: str | None


def save_asset(tx: Transaction, asset: Asset, organization: OrganizationId, now: datetime) -> Asset:
    """Store an asset by its name, or bring it to what is said of it now; return it with its id."""
    row = tx.row(
        """
        INSERT INTO clearwell.asset (id, organization_id, name, exposed, created_at) VALUES (%(id)s, %(organization)s, %(name)s, %(exposed)s, %(now)s)
        ON CONFLICT (organization_id, name) DO UPDATE SET exposed = EXCLUDED.exposed RETURNING id, name, exposed
        """,
        id=asset.id,
        organization=organization,
        name=asset.name,
        exposed=asset.exposed,
        now=now,
    )
    return msgspec.convert(row, Asset)


def my_assets(tx: Transaction) -> tuple[Asset, ...]:
    """The operator's own assets by name."""
    return tuple(msgspec.convert(row, Asset) for row in tx.rows("SELECT id, name, exposed FROM clearwell.asset ORDER BY name"))


def current_digest(tx: Transaction, asset: AssetId) -> str | None:
    """SHA-256 of the asset's current inventory document, or None."""
    digest = tx.value("SELECT sha256 FROM clearwell.inventory WHERE asset_id = %(asset)s AND is_current", asset=asset)
    return None if digest is None else str(digest)


def replace_inventory(
    tx: Transaction,
    inventory: InventoryId,
    organization: OrganizationId,
    asset: AssetId,
    form: str,
    sha256: str,
    components: Iterable[Component],
    now: datetime,
) -> int:
    """Make a document the asset's current inventory; return how many components it names by package URL."""
    tx.execute("UPDATE clearwell.inventory SET is_current = false WHERE asset_id = %(asset)s AND is_current", asset=asset)
    tx.execute("DELETE FROM clearwell.installed WHERE asset_id = %(asset)s", asset=asset)
    rows = [
        (inventory, organization, asset, c.purl, c.version, ", ".join(c.found[:3])[:500] or None) for c in components if c.purl is not None
    ]
    tx.execute(
        """
        INSERT INTO clearwell.inventory (id, organization_id, asset_id, format, sha256, components, received_at, is_current)
        VALUES (%(id)s, %(organization)s, %(asset)s, %(form)s, %(sha)s, %(n)s, %(now)s, true)
        """,
        id=inventory,
        organization=organization,
        asset=asset,
        form=form,
        sha=sha256,
        n=len(rows),
        now=now,
    )
    columns = ("inventory_id", "organization_id", "asset_id", "component", "version", "found_in")
    tx.insert_many("clearwell.installed", columns, rows)
    return len(rows)


def my_installed(tx: Transaction, components: Iterable[str]) -> tuple[Installed, ...]:
    """Where the operator runs these components, by its current inventories."""
    rows = tx.rows(
        """
        SELECT i.asset_id AS asset, i.component, i.version, i.found_in FROM clearwell.installed i
        JOIN clearwell.inventory n ON n.id = i.inventory_id AND n.is_current
        WHERE i.component = ANY(%(components)s) ORDER BY i.asset_id, i.component, i.version
        """,
        components=list(components),
    )
    return tuple(msgspec.convert(row, Installed) for row in rows)
