# SPDX-License-Identifier: Apache-2.0
"""/assets and /actions: an operator tells what it runs, reads what to do, gives receipts. Only ever its own rows."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter, RawBody

from clearwell.clearinghouse.distribution.store import Action
from clearwell.clearinghouse.flow import operating
from clearwell.faces.api.routes import Housed, Signed, read, replace, write
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.ids import ActionId, parse_id


class InventoryView(msgspec.Struct, frozen=True):
    """What became of a sent inventory; `unknown` components bear no package URL and cannot be matched."""

    asset: str
    format: str
    components: int
    unknown: int


class AssetView(msgspec.Struct, frozen=True):
    """An asset; `exposed` to a public network: "true", "false" or "unknown"."""

    id: str
    name: str
    exposed: str


class OperatorView(msgspec.Struct, frozen=True, kw_only=True):
    """The operator itself and its assets by name."""

    name: str
    sector: str | None
    size: str | None
    system_class: str | None
    time_zone: str
    assets: tuple[AssetView, ...]


class ActionView(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about one advisory on one asset. `status`: affected, unknown, not_affected; `receipt`: told, received, planned, installed.

    `due_on` is a day in the operator's own time zone, null where no directive binds it. `reasons` and `why` are sentences.
    """

    id: str
    asset: str
    advisory: str
    title: str
    component: str
    installed_version: str | None
    fixed_version: str | None
    status: str
    receipt: str
    priority: int
    outcome: str
    due_on: date | None
    planned_for: date | None
    reasons: tuple[str, ...]
    why: str
    told_at: datetime
    received_at: datetime | None
    planned_at: datetime | None
    installed_at: datetime | None


class Actions(msgspec.Struct, frozen=True):
    """The most urgent first, at most 500."""

    actions: tuple[ActionView, ...]


class ReceiptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done about an action; `planned` needs a day. *Installed* is no receipt: the next inventory shows it."""

    receipt: Literal["received", "planned", "installed"]
    planned_for: date | None = None


def action_view(action: Action) -> ActionView:
    """Show an action to its operator."""
    return ActionView(
        id=action.id, asset=action.asset_name, advisory=action.public_id, title=action.title, component=action.component,
        installed_version=action.installed_version, fixed_version=action.fixed_version, status=action.status, receipt=action.receipt,
        priority=action.priority, outcome=action.outcome, due_on=action.due_on, planned_for=action.planned_for, reasons=action.reasons,
        why=action.why, told_at=action.told_at, received_at=action.received_at, planned_at=action.planned_at,
        installed_at=action.installed_at,
    )  # fmt: skip


@replace("/assets/{name:str}/inventory", Act.SEND_INVENTORY)
def send_inventory(
    house: Housed,
    member: Signed,
    name: Annotated[str, PathParameter(min_length=1, max_length=100)],
    body: RawBody,
    file: Annotated[str, QueryParameter(min_length=1, max_length=255, description="The document's file name.")],
    exposed: Annotated[Literal["true", "false", "unknown"], QueryParameter(description="Whether a public network reaches it.")] = "unknown",
) -> InventoryView:
    """Make the body (CycloneDX JSON, pip freeze, package-lock.json) the asset's inventory; matching follows."""
    taken = operating.send_inventory(house, member, name, {"true": True, "false": False}.get(exposed, exposed), body, file)
    return InventoryView(taken.asset, taken.format, taken.components, taken.unknown)


@read("/assets", Act.READ_ACTIONS)
def list_assets(house: Housed, member: Signed) -> OperatorView:
    """Your organization and its assets."""
    organization, assets = operating.read_assets(house, member)
    return OperatorView(
        name=organization.name,
        sector=organization.sector,
        size=organization.size,
        system_class=organization.system_class,
        time_zone=organization.time_zone,
        assets=tuple(AssetView(asset.id, asset.name, asset.exposed) for asset in assets),
    )


@read("/actions", Act.READ_ACTIONS)
def list_actions(
    house: Housed,
    member: Signed,
    everything: Annotated[bool, QueryParameter(name="all", description="With those that are installed.")] = False,
) -> Actions:
    """What to do, the most urgent first."""
    return Actions(tuple(map(action_view, operating.read_actions(house, member, with_installed=everything))))


@write("/actions/{action_id:str}/receipt", Act.SEND_RECEIPT)
def send_receipt(house: Housed, member: Signed, action_id: FromPath[str], data: JSONBody[ReceiptBody]) -> ActionView:
    """Say that an action was received, or is planned for a day."""
    receipt = operating.send_receipt(house, member, ActionId(parse_id("action", action_id)), data.receipt, data.planned_for)
    return action_view(receipt)


ROUTES = (send_inventory, list_assets, list_actions, send_receipt)
