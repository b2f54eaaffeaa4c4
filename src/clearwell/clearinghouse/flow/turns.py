# SPDX-License-Identifier: Apache-2.0
"""Turns: proofs of many organizations are run by turns, whoever sent how many first.

Start-time fair queueing (Goyal, Vin, Cheng, 1996), a proof costing one: the k-th waiting proof of an organization stands at the place of
the one that is run next, plus k. A single proof therefore waits for one proof of each organization before it, never for a flood, and a
flood waits for no more than its share.
"""

from collections.abc import Iterable

from clearwell.clearinghouse.case import report_store
from clearwell.clearinghouse.case.report import Proof
from clearwell.clearinghouse.flow.jobs import VALIDATE
from clearwell.ground.jobs.queue import Job, defer, foremost
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.ids import OrganizationId


def queue_proofs(tx: Transaction, proofs: Iterable[Proof]) -> None:
    """Queue proofs to be run, each at its organization's turn."""
    by_organization: dict[OrganizationId, list[Proof]] = {}
    for proof in proofs:
        by_organization.setdefault(proof.organization, []).append(proof)
    if not by_organization:
        return
    now = -(foremost(tx, VALIDATE.name, VALIDATE.queue) or 0)
    jobs: list[Job] = []
    for organization, own in by_organization.items():
        last = report_store.last_turn(tx, organization, VALIDATE.name)
        start = now if last is None else max(now, 1 - last)
        jobs += [VALIDATE.job(proof=proof.id, priority=-(start + number)) for number, proof in enumerate(own)]
    defer(tx, jobs)
