# SPDX-License-Identifier: Apache-2.0
"""How often a proof fires: the exact interval of Clopper and Pearson (1934) for a share of runs."""

from collections.abc import Callable
from math import comb


def clopper_pearson(fired: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval that holds the true rate with at least that confidence, whatever the rate is; (0, 1) for no runs."""
    tail = (1 - confidence) / 2
    low = 0.0 if fired == 0 else _root(lambda p: 1 - _at_most(fired - 1, runs, p) - tail)
    high = 1.0 if fired >= runs else _root(lambda p: tail - _at_most(fired, runs, p))
    return round(low, 4), round(high, 4)


def _at_most(count: int, runs: int, rate: float) -> float:
    return sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(count + 1))


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
