# SPDX-License-Identifier: Apache-2.0
"""Growth: does the cost of an input rise faster than its size? CPU is measured inside the box, start-up subtracted."""

import math
import signal
from collections.abc import Callable

import msgspec

from clearwell.proving.running import Observation

FASTEST_ORDINARY = 1.5
"""The hub's rule: cost ~ size ** exponent with an exponent above this is growth (n log n stays near 1.1, a square near 2)."""

LEAST_NET_SECONDS = 0.25
"""Below this at the largest size nothing is said: noise of start-up and of the machine would decide."""

_MEASURABLE = 0.01
_TELLING = 0.05
_SMALLER = 5
_UNMEASURED = "CPU time could not be measured inside the box on this machine"


class Measured(msgspec.Struct, frozen=True):
    """Net CPU seconds at each size that was run to its end; `cut` is the one that hit the limit, `at_least` what it had used by then.

    `void` says why nothing can be told.
    """

    startup: float
    net: tuple[tuple[int, float], ...]
    cut: int | None = None
    at_least: float = 0.0
    void: str | None = None

    @property
    def hit_limit(self) -> bool:
        """True when a size ran into the limit."""
        return self.cut is not None

    @property
    def exponent(self) -> float | None:
        """Slope of log(cost) over log(size), from the last three sizes that ended and can be measured; None if too cheap."""
        usable = [(size, cost) for size, cost in self.net if cost >= _MEASURABLE]
        if len(usable) < 2 or usable[-1][1] < LEAST_NET_SECONDS:
            return None
        return _slope(usable[-3:])

    @property
    def jumps(self) -> bool:
        """True when only the largest size is measurable, yet expensive: exponential growth on small steps looks like this."""
        costs = [cost for _, cost in self.net]
        if self.cut is not None:
            return not costs or costs[-1] < _MEASURABLE  # nothing, or next to nothing, and then past the limit
        return len(costs) >= 2 and costs[-1] >= LEAST_NET_SECONDS and costs[-2] < _MEASURABLE

    @property
    def fires(self) -> bool:
        """True by the hub's rule. A limit that is hit counts unless smaller sizes show that the cost is in proportion."""
        if self.jumps or (self.exponent is not None and self.exponent > FASTEST_ORDINARY):
            return True
        if self.cut is None:
            return False
        points = [(size, max(cost, _MEASURABLE)) for size, cost in self.net][-3:]
        within = len(points) > 1 and points[-1][1] >= _TELLING and _slope(points) > FASTEST_ORDINARY
        return within or _slope([points[-1], (self.cut, self.at_least)]) > FASTEST_ORDINARY

    @property
    def decisive(self) -> int | None:
        """The size to repeat: the one that hit the limit where only it decides, else the largest that ended."""
        if self.cut is not None and (self.exponent is None or self.exponent <= FASTEST_ORDINARY):
            return self.cut
        return self.net[-1][0] if self.net else self.cut

    @property
    def signature(self) -> str:
        """The figures, for people."""
        figures = [f"{size}: {cost:.2f} s" for size, cost in self.net]
        if self.cut is not None:
            figures.append(f"{self.cut}: >= {self.at_least:.2f} s (hit the limit)")
        exponent = f"; exponent {self.exponent:.2f}" if self.exponent is not None else ""
        return f"growth: net CPU {', '.join(figures)}{exponent}"


def _slope(points: list[tuple[int, float]]) -> float:
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    mean_x, mean_y = (sum(p[i] for p in logs) / len(logs) for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread if spread > 0 else 0.0


def measure(run: Callable[[int], Observation], sizes: tuple[int, ...], cpu_seconds: float) -> Measured:
    """Run the input at each size, smallest first, until one hits the limit; the input of size 1 gives the start-up cost.

    When fewer than two sizes ended before that one, smaller ones that the hub chooses are run too: they tell growth from an input
    that is merely large. A single size (an input that does not grow) is taken as it is.
    """
    startup = _cpu(run(1))
    if startup is None:
        return Measured(0, (), void=_UNMEASURED)
    measured = Measured(startup, ())
    for size in sizes:
        measured = _with(measured, run(size), size, cpu_seconds)
        if measured.cut is not None or measured.void is not None:
            break
    least = sizes[0]
    for _ in range(_SMALLER if len(sizes) > 1 else 0):
        least //= 2 if measured.net else 4
        if measured.cut is None or measured.void is not None or len(measured.net) > 1 or least < 2:
            break
        smaller = _with(Measured(startup, ()), run(least), least, cpu_seconds)
        if smaller.void is not None:
            break
        measured = smaller if smaller.cut is not None else msgspec.structs.replace(measured, net=(*smaller.net, *measured.net))
    return measured


def again(run: Callable[[int], Observation], measured: Measured, cpu_seconds: float) -> Measured:
    """Run the decisive size once more and put its cost in the place of the one known."""
    size = measured.decisive
    if size is None:
        return measured
    kept = tuple((known, cost) for known, cost in measured.net if known != size)
    renewed = _with(msgspec.structs.replace(measured, net=(), cut=None, at_least=0.0), run(size), size, cpu_seconds)
    net = tuple(sorted(kept + renewed.net))
    if renewed.cut is None and measured.cut not in (None, size):
        return msgspec.structs.replace(renewed, net=net, cut=measured.cut, at_least=measured.at_least)
    return msgspec.structs.replace(renewed, net=net)


def _with(measured: Measured, seen: Observation, size: int, cpu_seconds: float) -> Measured:
    cpu = _cpu(seen)
    if cpu is None:
        return msgspec.structs.replace(measured, void=_UNMEASURED)
    cost = max(0.0, cpu - measured.startup)
    if seen.result.killed == "cpu" or cost >= cpu_seconds or seen.result.signal == signal.SIGXCPU:
        return msgspec.structs.replace(measured, cut=size, at_least=max(cost, _MEASURABLE))
    if seen.result.killed is not None:
        return msgspec.structs.replace(measured, void=f"size {size} ran into the limit {seen.result.killed}")
    return msgspec.structs.replace(measured, net=(*measured.net, (size, cost)))


def _cpu(seen: Observation) -> float | None:
    return seen.result.cpu_seconds
