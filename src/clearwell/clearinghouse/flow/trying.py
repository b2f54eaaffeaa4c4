# SPDX-License-Identifier: Apache-2.0
"""Trying a fix in isolation: the order for proofs as they are stored, with a patch or a version in the place of their control."""

from collections.abc import Sequence
from typing import Literal

from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.clearinghouse.flow.maintaining import fixed_purl
from clearwell.ground.house import House
from clearwell.ground.storage.database import Transaction
from clearwell.proving.attempt import Settings
from clearwell.proving.order import Order


def patch_of(house: House, tx: Transaction, fix: Fix) -> bytes | None:
    """The bytes of a claimed patch, or None for a version. What was claimed is no finder's proof: `fix.claimed` names it in the ledger."""
    return b"".join(house.blobs.open(tx, fix.case, fix.patch_address)) if fix.patch_address else None


def order_of(
    order: str,
    what: Literal["judge", "kill"],
    files: dict[str, bytes],
    settings: Settings,
    claimed: tuple[KeptCase, Fix, bytes | None],
    others: Sequence[tuple[str, dict[str, bytes]]] = (),
) -> Order:
    """The order to try a case's fix (with its patch's bytes, if it is one) on a proof: the whole ladder, or one cell of the matrix."""
    kept, fix, patch = claimed
    version = fixed_purl(kept, fix.version or "") if patch is None else None
    return Order(order, what, files, settings, patch=patch, version=version, others=tuple(others))
