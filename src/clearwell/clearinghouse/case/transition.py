# SPDX-License-Identifier: Apache-2.0
"""One step in a model written as edges: (state, act) -> state, or the Conflict that says what is possible instead."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from clearwell.vocabulary.errors import Conflict

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


def step(model: str, edges: Mapping[tuple[S, A], S], state: S, act: A) -> S:
    """Return the state that `act` leads to; raise Conflict naming the model, the state and the acts it has."""
    reached = edges.get((state, act))
    if reached is not None:
        return reached
    possible = ", ".join(known_act.value for known_state, known_act in edges if known_state == state) or "nothing: it is final"
    raise Conflict(f"{model}: '{act.value}' is not possible from '{state.value}'; possible from there: {possible}")
