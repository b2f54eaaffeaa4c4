# SPDX-License-Identifier: Apache-2.0
"""Growth: does the cost of an input rise faster than its size? CPU is measured inside the box, start-up subtracted."""

import math
from collections.abc import Callable

import msgspec

from clearwell.proving.running import Observation

FASTEST_ORDINARY = 1.5
"""The hub's rule: cost ~ size ** exponent with an exponent above this is growth (n log n stays near 1.1, a square near 2)."""

LEAST_NET_SECONDS = 0.25
"""Below this at the largest size nothing is said: noise of start-up and of the machine would decide."""

_MEASURABLE = 0.01


class Measured(msgspec.Struct, frozen=True):
    """Net CPU seconds at each size that was run; `hit_limit` when one ran into the CPU limit; `void` when it cannot be told."""

    startup: float
    net: tuple[tuple[int, float], ...]
    hit_limit: bool
    void: str | None = None

    @property
    def exponent(self) -> float | None:
        """Slope of log(cost) over log(size), from the last two measurable sizes at least doubling the cost base; None if too cheap."""
        usable = [(size, cost) for size, cost in self.net if cost >= _MEASURABLE]
        if len(usable) < 2 or usable[-1][1] < LEAST_NET_SECONDS:
            return None
        points = [(math.log(size), math.log(cost)) for size, cost in usable[-3:]]
        mean_x, mean_y = (sum(p[i] for p in points) / len(points) for i in (0, 1))
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread > 0 else None

    @property
    def jumps(self) -> bool:
        """True when only the largest size is measurable, yet expensive: exponential growth on small steps looks like this."""
        costs = [cost for _, cost in self.net]
        return len(costs) >= 2 and costs[-1] >= LEAST_NET_SECONDS and costs[-2] < _MEASURABLE

    @property
    def fires(self) -> bool:
        """True by the hub's rule."""
        return self.hit_limit or self.jumps or (self.exponent is not None and self.exponent > FASTEST_ORDINARY)

    @property
    def signature(self) -> str:
        """The figures, for people."""
        sizes = ", ".join(f"{size}: {cost:.2f} s" for size, cost in self.net)
        exponent = f"; exponent {self.exponent:.2f}" if self.exponent is not None else ""
        return f"growth: net CPU {sizes}{exponent}{'; hit the limit' if self.hit_limit else ''}"


def measure(run: Callable[[int], Observation], sizes: tuple[int, ...], cpu_seconds: float) -> Measured:
    """Run the input at each size, smallest first, until one hits the limit; the input of size 1 gives the start-up cost."""
    startup = _cpu(run(1))
    if startup is None:
        return Measured(0, (), False, "CPU time could not be measured inside the box on this machine")
    net: list[tuple[int, float]] = []
    for size in sizes:
        seen = run(size)
        cpu = _cpu(seen)
        if cpu is None:
            return Measured(startup, tuple(net), False, "CPU time could not be measured inside the box on this machine")
        net.append((size, max(0.0, cpu - startup)))
        if seen.result.killed == "cpu" or cpu - startup >= cpu_seconds or seen.result.signal == 24:
            return Measured(startup, tuple(net), True)
        if seen.result.killed is not None:
            return Measured(startup, tuple(net), False, f"size {size} ran into the limit {seen.result.killed}")
    return Measured(startup, tuple(net), False)


def _cpu(seen: Observation) -> float | None:
    return seen.result.cpu_seconds
