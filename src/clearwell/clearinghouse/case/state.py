# SPDX-License-Identifier: Apache-2.0
"""The case state: CERT/CC's six letters `vfdpxa`, 32 states and 58 transitions, small until it happened, capital after.

Source: Householder and Spring, "A State-Based Model for Multi-Party Coordinated Vulnerability Disclosure",
CMU/SEI-2021-SR-021, sections 2 and 3 (V before F before D; a public exploit makes the flaw public; public means the vendor knows).
"""

from enum import StrEnum
from itertools import product

import msgspec

from clearwell.vocabulary.errors import Conflict, Invalid


class CaseEvent(StrEnum):
    """What can happen to a flaw, each once and for good. The letter is CERT/CC's."""

    VENDOR_AWARE = "V"
    FIX_READY = "F"
    FIX_DEPLOYED = "D"
    PUBLIC_AWARE = "P"
    EXPLOIT_PUBLIC = "X"
    ATTACKS_OBSERVED = "A"


FIX_PATHS = ("vfd", "Vfd", "VFd", "VFD")
"""The four steps of a fix: unaware, aware, ready, deployed. No other spelling of these three letters exists."""

WORLDS = tuple("".join(letters) for letters in product("pP", "xX", "aA"))
"""The eight states of the world around it: public, exploit, attacks."""

STATES = tuple(path + world for path, world in product(FIX_PATHS, WORLDS))

_NEEDS = {CaseEvent.FIX_READY: "V", CaseEvent.FIX_DEPLOYED: "F"}
_HAPPENED = {
    CaseEvent.VENDOR_AWARE: "the vendor knows already",
    CaseEvent.FIX_READY: "a fix is ready already",
    CaseEvent.FIX_DEPLOYED: "the fix is deployed already",
    CaseEvent.PUBLIC_AWARE: "it is public already",
    CaseEvent.EXPLOIT_PUBLIC: "an exploit is public already",
    CaseEvent.ATTACKS_OBSERVED: "attacks were observed already",
}
_UNMET = {
    CaseEvent.FIX_READY: "the vendor must know (V) before a fix is ready (F)",
    CaseEvent.FIX_DEPLOYED: "a fix must be ready (F) before it is deployed (D)",
}
_FORCES = {
    CaseEvent.PUBLIC_AWARE: "a public exploit makes the flaw public, so P comes first",
    CaseEvent.VENDOR_AWARE: "a public flaw is known to its vendor, so V comes first",
}


class CaseState(msgspec.Struct, frozen=True):
    """One of the 32 states, as its six letters: `VFdpxa` is fix ready, not deployed, nothing public."""

    letters: str = "vfdpxa"

    def __post_init__(self) -> None:
        if self.letters not in STATES:
            raise Invalid(f"'{self.letters}' is not one of CERT/CC's 32 case states, like vfdpxa: no F without V, no D without F")

    def has(self, event: CaseEvent) -> bool:
        """True when `event` has happened."""
        return event.value in self.letters

    @property
    def is_quiet(self) -> bool:
        """True while nothing is public, no exploit is public and no attack was seen: only then can an embargo hold."""
        return self.letters[3:] == "pxa"

    @property
    def forced(self) -> CaseEvent | None:
        """The event that must follow before any other: P after a public exploit, V after publication; else None."""
        if self.has(CaseEvent.EXPLOIT_PUBLIC) and not self.has(CaseEvent.PUBLIC_AWARE):
            return CaseEvent.PUBLIC_AWARE
        if self.has(CaseEvent.PUBLIC_AWARE) and not self.has(CaseEvent.VENDOR_AWARE):
            return CaseEvent.VENDOR_AWARE
        return None

    @property
    def possible(self) -> tuple[CaseEvent, ...]:
        """The events that can happen next."""
        return tuple(event for event in CaseEvent if self._forbidden(event) is None)

    def apply(self, event: CaseEvent) -> "CaseState":
        """Return the state after `event`; raise Conflict naming the rule that forbids it here."""
        rule = self._forbidden(event)
        if rule is not None:
            raise Conflict(f"case state {self.letters}: {event.value} is not possible: {rule}")
        return CaseState(self.letters.replace(event.value.lower(), event.value))

    def observe(self, event: CaseEvent) -> "CaseState":
        """Return the state after `event` and whatever it forces: a public exploit is also P, and P is also V."""
        state = self.apply(event)
        while state.forced is not None:
            state = state.apply(state.forced)
        return state

    def _forbidden(self, event: CaseEvent) -> str | None:
        if self.has(event):
            return _HAPPENED[event]
        if self.forced is not None and event is not self.forced:
            return _FORCES[self.forced]
        needed = _NEEDS.get(event)
        return _UNMET[event] if needed is not None and needed not in self.letters else None


TRANSITIONS = tuple((state, event, CaseState(state).apply(event).letters) for state in STATES for event in CaseState(state).possible)
"""All 58 transitions as (state, event, state)."""
