# SPDX-License-Identifier: Apache-2.0
"""Trying a fix in isolation: proofs as they are stored, run with a patch or a version in the place of their control."""

from collections.abc import Sequence

from clearwell.clearinghouse.case.store import Fix, KeptCase
from clearwell.clearinghouse.flow.maintaining import fixed_purl
from clearwell.clearinghouse.flow.validating import opened, proving_settings, unusable
from clearwell.ground.house import House
from clearwell.ground.storage.database import Transaction
from clearwell.proving.environments import Control
from clearwell.proving.folder import Side
from clearwell.proving.reproduction import kills, verify_fix
from clearwell.proving.verdict import FixLabel, FixVerdict, Kill
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable


def patch_of(house: House, tx: Transaction, fix: Fix) -> bytes | None:
    """The bytes of a claimed patch, or None for a version. What was claimed is no finder's proof: `fix.claimed` names it in the ledger."""
    return b"".join(house.blobs.open(tx, fix.case, fix.patch_address)) if fix.patch_address else None


def fix_of(kept: KeptCase, fix: Fix, patch: bytes | None) -> Control:
    """What takes the place of the target: the patch's bytes, or the claimed version."""
    return patch if patch is not None else Side(purl=fixed_purl(kept, fix.version or ""))


def try_fix(house: House, files: dict[str, bytes], fix: Control, others: Sequence[tuple[str, dict[str, bytes]]] = ()) -> FixVerdict:
    """Take a fix up the whole ladder; a folder that is no proof makes it inconclusive."""
    try:
        more = [(name, opened(content, house.settings.harnesses)) for name, content in others]
        return verify_fix(opened(files, house.settings.harnesses), fix, proving_settings(house), others=more)
    except (Invalid, NotFound) as reason:
        return FixVerdict(FixLabel.INCONCLUSIVE, None, None, str(reason), unusable(str(reason)))


def try_on(house: House, files: dict[str, bytes], fix: Control) -> Kill:
    """What a fix does to a proof: one cell of the kill matrix. Raises Unavailable where nothing can run."""
    try:
        kill = kills(opened(files, house.settings.harnesses), fix, proving_settings(house))
    except (Invalid, NotFound) as error:
        return Kill("unknown", str(error))
    if not kill.is_available and kill.escaped is None:
        raise Unavailable(f"the fix could not be tried here: {kill.reason}")
    return kill
