# SPDX-License-Identifier: Apache-2.0
"""A proving ground that shows what the test says: the sandbox is tried elsewhere; orders, signatures and what is believed are real."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from securesystemslib.signer._crypto_signer import CryptoSigner

from clearwell.clearinghouse.flow import ordering
from clearwell.proving.attempt import Reproduction
from clearwell.proving.folder import from_files
from clearwell.proving.order import Handed, Order, Seen, hand_in
from clearwell.proving.verdict import Evidence, FixVerdict, Kill, Outcome, Runs, Verdict

Shown = Reproduction | FixVerdict | Kill


def verdict(
    outcome: Outcome = Outcome.REPRODUCED,
    purl: str | None = None,
    reason: str = "as the test says",
    effect: str | None = "leak: the token is in stdout",
) -> Verdict:
    """A verdict that says little more than its outcome, and the effect by which it fired."""
    return Verdict(
        verdict=outcome, reason=reason, target=Runs(purl, 3, 3, effect), control="none", assurance="hub", preconditions=(), variants=(),
        ladder=(), isolation={}, evidence=(), seconds=0.1,
    )  # fmt: skip


def seen(order: Order, shown: Shown) -> Seen:
    """What carrying the order out showed, about the very bytes of the order."""
    if isinstance(shown, FixVerdict):
        return Seen(_about(order, Reproduction(shown.verdict, {}, escaped=shown.escaped)), judged=shown)
    if isinstance(shown, Kill):
        told = verdict(Outcome.REPRODUCED if shown.is_available else Outcome.UNAVAILABLE)
        return Seen(_about(order, Reproduction(told, {}, escaped=shown.escaped)), kill=shown)
    return Seen(_about(order, shown))


def ground(monkeypatch: pytest.MonkeyPatch, show: Callable[[Order], Shown]) -> None:
    """From now on the hub's own runs show what `show` says of an order."""

    def carried(order: Order, harnesses: Path | None, signer: CryptoSigner) -> Handed:
        return hand_in(order, seen(order, show(order)), signer)

    monkeypatch.setattr(ordering, "carry_out", carried)


def _about(order: Order, done: Reproduction) -> Reproduction:
    others = tuple(one for one in done.verdict.evidence if one.name != "proof")
    evidence = (Evidence("proof", from_files(order.proof).sha256), *others)
    return msgspec.structs.replace(done, verdict=msgspec.structs.replace(done.verdict, evidence=evidence))
