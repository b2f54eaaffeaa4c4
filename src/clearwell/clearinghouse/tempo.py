# SPDX-License-Identifier: Apache-2.0
"""Tempo: how long each step took, in seconds, from raw ledger entries: of cases for coordinators, of an operator for itself.

An operator's entries name it only by salted hashes; the operator alone holds the salts (its own rows) and finds its lines by them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from clearwell.clearinghouse.case import measure_store
from clearwell.clearinghouse.distribution import store as distribution_store
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member
from clearwell.ground.ledger.entries import salted_hash
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import ActionId, CaseId


class CaseTempo(msgspec.Struct, frozen=True):
    """One case's times, each None until its entry is in the ledger: first report, proven, fix verified, published."""

    case: CaseId
    reported: datetime
    proven: datetime | None
    fixed: datetime | None
    published: datetime | None

    @property
    def seconds(self) -> dict[str, float | None]:
        """Seconds from the first report to each step."""
        steps = {"proven": self.proven, "fixed": self.fixed, "published": self.published}
        return {name: (at - self.reported).total_seconds() if at else None for name, at in steps.items()}


class ActionTempo(msgspec.Struct, frozen=True):
    """One of an operator's actions: published, told, received, planned, installed; the seconds count from publication."""

    action: ActionId
    published: datetime
    told: datetime
    received: datetime | None
    planned: datetime | None
    installed: datetime | None

    @property
    def seconds(self) -> dict[str, float | None]:
        """Seconds from publication to each step."""
        steps = {"told": self.told, "received": self.received, "planned": self.planned, "installed": self.installed}
        return {name: (at - self.published).total_seconds() if at else None for name, at in steps.items()}


def case_tempo(house: House, actor: Member, limit: int = 500) -> tuple[CaseTempo, ...]:
    """The tempo of proven cases, newest first, from the entries that name them."""
    house.policy.require(actor, Act.READ_CASES)
    with house.transaction(actor) as tx:
        rows = measure_store.case_times(tx, limit)
    return tuple(msgspec.convert(row, CaseTempo) for row in rows)


def operator_tempo(house: House, actor: Member) -> tuple[ActionTempo, ...]:
    """The operator's own tempo: each receipt is looked up in the ledger by the salts that only the operator holds."""
    house.policy.require(actor, Act.READ_ACTIONS, Subject(organization=actor.organization))
    with house.transaction(actor) as tx:
        actions = distribution_store.my_actions(tx, with_installed=True)
        published = {one.id: one.advisory.initial_release for one in distribution_store.list_advisories(tx)}
        receipts = _receipts(tx, {action.id for action in actions})
    return tuple(
        ActionTempo(
            action.id,
            published[action.advisory],
            action.told_at,
            receipts.get((action.id, "received")) or receipts.get((action.id, "planned")),
            receipts.get((action.id, "planned")),
            action.installed_at if action.receipt == "installed" else None,
        )
        for action in actions
        if action.advisory in published
    )


def _receipts(tx: Transaction, actions: set[ActionId]) -> Mapping[tuple[ActionId, str], datetime]:
    """When each receipt was given: entries whose hashes fit one of the operator's own actions and a step."""
    found: dict[tuple[ActionId, str], datetime] = {}
    for body, salts in _entries(tx, "receipt.given"):
        hashed = {name: value["salted_sha256"] for name, value in body["payload"].items() if isinstance(value, dict)}
        for action in actions:
            if salted_hash(salts["action"], action) == hashed["action"]:
                step = next(s for s in ("received", "planned") if salted_hash(salts["receipt"], s) == hashed["receipt"])
                found.setdefault((action, step), datetime.fromisoformat(body["at"]))
    return found


def _entries(tx: Transaction, kind: str) -> list[tuple[dict[str, Any], dict[str, bytes]]]:
    """The entries of a kind to which the reader holds a salt, with those salts by field."""
    grouped: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {}
    for row in measure_store.entries_with_my_salts(tx, kind):
        body = grouped.setdefault(row["id"], (msgspec.json.decode(bytes(row["body"])), {}))
        body[1][row["field"]] = bytes(row["salt"])
    return list(grouped.values())
