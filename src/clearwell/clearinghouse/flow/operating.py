# SPDX-License-Identifier: Apache-2.0
"""Operating: an operator tells what it runs, is matched as itself, told what to do, and gives receipts through to *installed*."""

import hashlib
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from clearwell.clearinghouse.case.entries import InventoryReceived, OperatorMatched, ReceiptGiven
from clearwell.clearinghouse.distribution import store as distribution_store
from clearwell.clearinghouse.distribution.store import Action, Published
from clearwell.clearinghouse.flow.jobs import MATCH
from clearwell.clearinghouse.prioritization.bod_26_04 import Outcome
from clearwell.clearinghouse.prioritization.facts import Answer as Known
from clearwell.clearinghouse.prioritization.facts import AssetFacts, Exploitation, FlawFacts, TechnicalImpact, answer
from clearwell.clearinghouse.prioritization.priority import Priority, prioritize_asset
from clearwell.formats import kev
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DISTRIBUTION, Member
from clearwell.ground.identity.members import Organization, load_organization
from clearwell.ground.jobs.queue import defer_once
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Scope, Transaction
from clearwell.inventory import store as inventory_store
from clearwell.inventory.components import read_inventory
from clearwell.inventory.matching import Match, match
from clearwell.inventory.store import Asset, Installed
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.ids import ActionId, AdvisoryId, AssetId, InventoryId, OrganizationId
from clearwell.vocabulary.vulnerability import KnownExploited

Place = tuple[AssetId, AdvisoryId, str]
"""Asset, advisory and component: what an action is about."""

_WORST = {"affected": 2, "unknown": 1, "not_affected": 0}


class InventoryTaken(msgspec.Struct, frozen=True):
    """What became of a sent inventory. `unknown` components bear no package URL and cannot be matched."""

    asset: AssetId
    format: str
    components: int
    unknown: int


def send_inventory(house: House, actor: Member, asset_name: str, exposed: bool | str, data: bytes, file_name: str) -> InventoryTaken:
    """Make a document (CycloneDX JSON, pip freeze, package-lock.json) the asset's inventory; matching follows as a job.

    The same document again changes nothing. *Installed* is set here, by what the inventory shows, never by a click alone.
    """
    if not 1 <= len(asset_name) <= 100:
        raise Invalid("an asset's name has 1 to 100 characters")
    read = read_inventory(data, file_name)
    digest, now = hashlib.sha256(data).hexdigest(), house.clock.now()
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.SEND_INVENTORY, Subject(organization=actor.organization))
        wanted = Asset(AssetId(house.new_id("asset")), asset_name, _written(exposed))
        asset = inventory_store.save_asset(tx, wanted, actor.organization, now)
        named = sum(component.purl is not None for component in read.components)
        if inventory_store.current_digest(tx, asset.id) != digest:
            inventory = InventoryId(house.new_id("inv"))
            inventory_store.replace_inventory(tx, inventory, actor.organization, asset.id, read.format, digest, read.components, now)
            mine = actor.organization
            house.write_unnamed(tx, InventoryReceived(Salted(mine, organization=mine), Salted(digest, organization=mine)))
        defer_once(tx, [MATCH.job(organization=actor.organization)])
    return InventoryTaken(asset.id, read.format, named, len(read.components) - named)


def match_operator(house: House, organization: OrganizationId) -> None:
    """Compare one operator's inventories with what is published, as that operator (a job; its argument is the operator alone)."""
    with house.transaction(DISTRIBUTION) as tx:
        house.policy.require(DISTRIBUTION, Act.MATCH, Subject(organization))
        operator = load_organization(tx, organization)
        with tx.acting_as(Scope(organization=organization, kind=operator.kind.value)):
            changed = _Matching(house, tx, operator).run()
            result = Salted("; ".join(sorted(changed)), organization=organization)
            house.write_unnamed(tx, OperatorMatched(Salted(organization, organization=organization), result))


class _Matching:
    """One operator being matched, within a transaction that sees its rows and what is public, and nothing else."""

    def __init__(self, house: House, tx: Transaction, operator: Organization) -> None:
        self._house, self._tx, self._operator = house, tx, operator
        self._now: datetime = house.clock.now()
        self._assets = {asset.id: asset for asset in inventory_store.my_assets(tx)}
        self._kev = _known_exploited(house)

    def run(self) -> list[ActionId]:
        """Bring the operator's actions to what its inventories and the advisories say; return the ids of those that changed."""
        actions = {(a.asset, a.advisory, a.component): a for a in distribution_store.my_actions(self._tx, with_installed=True)}
        changed: list[ActionId] = []
        for published in distribution_store.advisories_naming_mine(self._tx):
            answers = self._answers(published)
            stale = [key for key in actions if key[1] == published.id and key not in answers]
            for key in stale:
                answers[key] = (None, Match("not_affected", None, "it is no longer in this asset's inventory"))
            for key, (installed, found) in answers.items():
                action = self._next(published, key, actions.get(key), installed, found)
                if action is not None and action != actions.get(key):
                    distribution_store.save_action(self._tx, action)
                    changed.append(action.id)
        return changed

    def _answers(self, published: Published) -> dict[Place, tuple[Installed | None, Match]]:
        """For each (asset, advisory, component) the worst of what its installed versions give."""
        flaw = published.advisory.vulnerability
        worst: dict[Place, tuple[Installed | None, Match]] = {}
        for installed in inventory_store.my_installed(self._tx, [entry.component for entry in flaw.affected]):
            found = match(Component(name=installed.component, purl=installed.component, version=installed.version), flaw)
            key = (installed.asset, published.id, installed.component)
            if found is not None and (key not in worst or _WORST[found.status] > _WORST[worst[key][1].status]):
                worst[key] = (installed, found)
        return worst

    def _next(self, published: Published, key: Place, before: Action | None, installed: Installed | None, found: Match) -> Action | None:
        if found.status == "not_affected":
            return self._installed(before, installed, found)
        reopened = before is not None and before.receipt == "installed"
        found_at = before.told_at if before is not None and not reopened else self._now
        ranked = self._rank(published, self._assets[key[0]], found_at)
        directive = ranked.directive if ranked.directive is not None and ranked.directive.is_binding else None
        due = directive.due if directive is not None else None
        outcome = directive.outcome if directive is not None else ranked.deployer.urgency
        told = Action(
            id=ActionId(self._house.new_id("action")), organization=self._operator.id, asset=key[0], advisory=published.id,
            component=key[2], installed_version=installed.version if installed else None, fixed_version=found.fixed, status=found.status,
            receipt="told", priority=ranked.value, outcome=str(outcome), due_on=due, reasons=ranked.reasons, why=found.why,
            told_at=found_at, asset_name=self._assets[key[0]].name, public_id=published.advisory.id, title=published.advisory.title,
        )  # fmt: skip
        if before is None:
            return told
        undecided = outcome is Outcome.UNDETERMINED and not reopened
        return msgspec.structs.replace(
            before,
            installed_version=told.installed_version,
            fixed_version=told.fixed_version,
            status=told.status,
            priority=told.priority,
            outcome=told.outcome,
            reasons=told.reasons,
            why=told.why,
            due_on=before.due_on if undecided else told.due_on,
            told_at=told.told_at,
            receipt="told" if reopened else before.receipt,
            installed_at=None if reopened else before.installed_at,
        )

    def _installed(self, before: Action | None, installed: Installed | None, found: Match) -> Action | None:
        if before is None or before.receipt == "installed":
            return before
        version = installed.version if installed else None
        return msgspec.structs.replace(before, receipt="installed", installed_version=version, why=found.why, installed_at=self._now)

    def _rank(self, published: Published, asset: Asset, found_at: datetime) -> Priority:
        """Rank the flaw on the asset. A directive's clock starts when the flaw was found there, not when it is ranked again."""
        names = {published.advisory.id, *published.advisory.vulnerability.aliases}
        known = next((entry for entry in self._kev or () if entry.cve in names), None)
        in_kev = Known.UNKNOWN if self._kev is None else Known.YES if known else Known.NO
        points = dict(published.advisory.decision_points)
        flaw = FlawFacts(
            kev=in_kev,
            kev_added=known.date_added if known else None,
            kev_due=known.due_date if known else None,
            exploitation=Exploitation.ACTIVE if known else Exploitation.UNKNOWN,
            automatable=Known(points.get("automatable", Known.UNKNOWN)),
            technical_impact=TechnicalImpact(points.get("technical_impact", TechnicalImpact.UNKNOWN)),
        )
        facts = AssetFacts(system_class=self._operator.system_class or "other", exposed=answer(_spoken(asset.exposed)))
        zone = ZoneInfo(self._operator.time_zone)
        return prioritize_asset(flaw, facts, zone, self._now.astimezone(zone).date(), identified_at=found_at, proven=True)


def read_actions(house: House, actor: Member, with_installed: bool = False) -> tuple[Action, ...]:
    """The operator's own actions, the most urgent first."""
    house.policy.require(actor, Act.READ_ACTIONS, Subject(organization=actor.organization))
    with house.transaction(actor) as tx:
        return distribution_store.my_actions(tx, with_installed)


def read_assets(house: House, actor: Member) -> tuple[Organization, tuple[Asset, ...]]:
    """The operator itself and its own assets."""
    house.policy.require(actor, Act.READ_ACTIONS, Subject(organization=actor.organization))
    with house.transaction(actor) as tx:
        return load_organization(tx, actor.organization), inventory_store.my_assets(tx)


def send_receipt(house: House, actor: Member, action_id: ActionId, receipt: str, planned_for: date | None = None) -> Action:
    """Say that an action was received or is planned for a day. *Installed* is no click: the next inventory shows it (Conflict)."""
    if receipt == "installed":
        raise Conflict("installed is shown by the next inventory: send it, and this item ends by itself")
    if receipt not in {"received", "planned"}:
        raise Invalid("a receipt is 'received' or 'planned'")
    if receipt == "planned" and planned_for is None:
        raise Invalid("'planned' needs the day it is planned for (planned_for, YYYY-MM-DD)")
    now = house.clock.now()
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.SEND_RECEIPT, Subject(action_id, organization=actor.organization))
        action = distribution_store.load_action(tx, action_id)
        if action.receipt == "installed":
            raise Conflict("this item is done: the inventory showed the fix")
        if receipt == "received" and action.receipt == "planned":
            return action
        action = msgspec.structs.replace(
            action,
            receipt=receipt,
            received_at=action.received_at or now,
            planned_at=now if receipt == "planned" else action.planned_at,
            planned_for=planned_for or action.planned_for,
        )
        distribution_store.save_action(tx, action)
        mine = actor.organization
        entry = ReceiptGiven(Salted(mine, organization=mine), Salted(action_id, organization=mine), Salted(receipt, organization=mine))
        house.write_unnamed(tx, entry)
    return action


def _known_exploited(house: House) -> tuple[KnownExploited, ...] | None:
    """The KEV feed's entries; None without a feed: then it is not known whether a flaw is exploited (never 7)."""
    if house.settings.kev_feed is None or not house.settings.kev_feed.exists():
        return None
    return kev.read(house.settings.kev_feed.read_bytes())


def _spoken(exposed: str) -> bool | str:
    return {"true": True, "false": False}.get(exposed, "unknown")


def _written(exposed: bool | str) -> str:
    return {Known.YES: "true", Known.NO: "false"}.get(answer(exposed), "unknown")
