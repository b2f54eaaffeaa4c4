# SPDX-License-Identifier: Apache-2.0
"""Growth: does the cost of an input rise faster than its size? CPU is measured inside the box, start-up subtracted.

The exponent of cost ~ size ** exponent comes with an interval, from noise that was seen in repeated runs. Where the interval spans the
hub's rule, sizes are run again; where it still does, nothing is said. How the figures below were found: docs/explanation/growth.md.
"""

import math
from collections.abc import Callable

import msgspec

from clearwell.proving.oracles.exhaustion import was_ended_for_cpu
from clearwell.proving.running import Observation

FASTEST_ORDINARY = 1.5
"""The hub's rule: an exponent above this is growth (n log n stays near 1.1, a square near 2)."""

LEAST_LOW, MOST_HIGH = 1.25, 1.75
"""How far the interval may reach beyond the rule: growth's lower end lies above the first, no growth's upper end below the second."""

LEAST_NET_SECONDS = 0.25
"""Below this at the largest size nothing is said: noise of start-up and of the machine would decide."""

_MEASURABLE = 0.01
_TELLING = 0.05
_SMALLER = 5
_LARGER = 2
_STARTUPS = 3
_RERUNS = 3
_NOISE_UNSEEN, _NOISE_LEAST, _NOISE_MOST = 0.4, 0.05, 1.0
_UNMEASURED = "CPU time could not be measured inside the box on this machine"

Run = Callable[[int], Observation]


class Measured(msgspec.Struct, frozen=True):
    """Net CPU seconds at each size that was run to its end; `cut` is the one that hit the limit, `at_least` what it had used by then.

    `noise` is the relative error of a cost as repeated runs showed it, `floor` the absolute one in seconds (start-up's spread).
    `times` is how often the decisive size was run; `void` says why nothing can be told.
    """

    startup: float
    net: tuple[tuple[int, float], ...]
    cut: int | None = None
    at_least: float = 0.0
    void: str | None = None
    noise: float = _NOISE_UNSEEN
    floor: float = _MEASURABLE
    times: int = 1

    @property
    def hit_limit(self) -> bool:
        """True when a size ran into the limit."""
        return self.cut is not None

    @property
    def usable(self) -> tuple[tuple[int, float], ...]:
        """The last three sizes that ended and can be measured; none when the largest is too cheap or flat."""
        points = [(size, cost) for size, cost in self.net if cost >= max(_MEASURABLE, self.floor)]
        return tuple(points[-3:]) if len(points) > 1 and points[-1][1] >= LEAST_NET_SECONDS else ()

    @property
    def exponent(self) -> float | None:
        """Slope of log(cost) over log(size) over the usable sizes; None if there are none."""
        return _slope(list(self.usable)) if self.usable else None

    @property
    def error(self) -> float:
        """Half the width of the exponent's interval: what noise at both ends of the usable sizes can do to the slope."""
        if not self.usable:
            return math.inf
        (small, low), (large, high) = self.usable[0], self.usable[-1]
        return (2 * self.noise + self.floor / low + self.floor / high) / math.log(large / small)

    @property
    def jumps(self) -> bool:
        """True when only the largest size is measurable, yet expensive: exponential growth on small steps looks like this."""
        costs = [cost for _, cost in self.net]
        least = max(_MEASURABLE, self.floor)
        if self.cut is not None:
            return not costs or costs[-1] < least  # nothing, or next to nothing, and then past the limit
        return len(costs) >= 2 and costs[-1] >= LEAST_NET_SECONDS and costs[-2] < least

    @property
    def is_open(self) -> bool:
        """True when the interval spans the hub's rule, so that noise would decide."""
        if self.exponent is None or self.jumps or self._cut_decides:
            return False
        if self.exponent > FASTEST_ORDINARY:
            return self.exponent - self.error <= LEAST_LOW
        return self.exponent + self.error >= MOST_HIGH

    @property
    def fires(self) -> bool:
        """True by the hub's rule. A limit that is hit counts unless smaller sizes show that the cost is in proportion."""
        if self.void is not None or self.is_open:
            return False
        return self.jumps or self._cut_decides or (self.exponent is not None and self.exponent > FASTEST_ORDINARY)

    @property
    def _cut_decides(self) -> bool:
        if self.cut is None:
            return False
        points = [(size, max(cost, _MEASURABLE)) for size, cost in self.net][-3:]
        if not points:
            return True
        # The one that was cut cost at least what it had used. What smaller ones cost is taken as seen: a discount for noise would
        # call an ordinary cost growth that reaches the limit because its largest size is large.
        before = points[-1]
        within = len(points) > 1 and points[-1][1] >= _TELLING and _slope(points) - self.error > LEAST_LOW
        return (within and _slope(points) > FASTEST_ORDINARY) or _slope([before, (self.cut, self.at_least)]) > FASTEST_ORDINARY

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
        exponent = f"; exponent {self.exponent:.2f} +- {self.error:.2f}" if self.exponent is not None else ""
        return f"growth: net CPU {', '.join(figures)}{exponent}"


def _slope(points: list[tuple[int, float]] | list[tuple[int, float | int]]) -> float:
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    mean_x, mean_y = (sum(p[i] for p in logs) / len(logs) for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread if spread > 0 else 0.0


def measure(run: Run, sizes: tuple[int, ...], cpu_seconds: float) -> Measured:
    """Run the input at each size, smallest first, until one hits the limit; the input of size 1 gives the start-up cost.

    When fewer than two sizes ended before that one, smaller ones that the hub chooses are run too: they tell growth from an input
    that is merely large. When the largest is too cheap to tell on this machine, yet costs rise steeply, larger ones are. Sizes whose
    costs do not decide beyond noise are run again. A single size (an input that does not grow) is taken as it is.
    """
    measured = _started(run)
    for size in sizes:
        if measured.cut is not None or measured.void is not None:
            return _settled(run, _with_smaller(run, measured, sizes, cpu_seconds), cpu_seconds)
        measured = _with(measured, run(size), size, cpu_seconds)
    if len(sizes) > 1:
        measured = _with_smaller(run, measured, sizes, cpu_seconds)
        measured = _with_larger(run, measured, cpu_seconds)
    return _settled(run, measured, cpu_seconds)


def again(run: Run, measured: Measured, cpu_seconds: float) -> Measured:
    """Run the decisive size once more and put its cost in the place of the one known."""
    size = measured.decisive
    if size is None or measured.void is not None:
        return measured
    kept = tuple((known, cost) for known, cost in measured.net if known != size)
    renewed = _with(msgspec.structs.replace(measured, net=(), cut=None, at_least=0.0), run(size), size, cpu_seconds)
    net = tuple(sorted(kept + renewed.net))
    if renewed.cut is None and measured.cut not in (None, size):
        renewed = msgspec.structs.replace(renewed, net=net, cut=measured.cut, at_least=measured.at_least)
    return _settled(run, msgspec.structs.replace(renewed, net=net), cpu_seconds)


def _started(run: Run) -> Measured:
    costs = sorted(cost for cost in (_cpu(run(1)) for _ in range(_STARTUPS)) if cost is not None)
    if len(costs) < _STARTUPS:
        return Measured(0, (), void=_UNMEASURED)
    return Measured(costs[len(costs) // 2], (), floor=max(_MEASURABLE, min(_TELLING, costs[-1] - costs[0])))


def _with_smaller(run: Run, measured: Measured, sizes: tuple[int, ...], cpu_seconds: float) -> Measured:
    least = sizes[0]
    for _ in range(_SMALLER if len(sizes) > 1 else 0):
        least //= 2 if measured.net else 4
        if measured.cut is None or measured.void is not None or len(measured.net) > 1 or least < 2:
            break
        smaller = _with(msgspec.structs.replace(measured, net=(), cut=None, at_least=0.0), run(least), least, cpu_seconds)
        if smaller.void is not None:
            break
        measured = smaller if smaller.cut is not None else msgspec.structs.replace(measured, net=(*smaller.net, *measured.net))
    return measured


def _with_larger(run: Run, measured: Measured, cpu_seconds: float) -> Measured:
    for _ in range(_LARGER):
        costs = measured.net[-2:]
        if measured.cut is not None or measured.void is not None or len(costs) < 2 or costs[-1][1] >= LEAST_NET_SECONDS:
            break
        if costs[-1][1] < _TELLING or _slope([(size, max(cost, _MEASURABLE)) for size, cost in costs]) <= LEAST_LOW:
            break
        size = costs[-1][0] * 2
        larger = _with(measured, run(size), size, cpu_seconds)
        if larger.void is not None:
            break  # a limit of another kind: what the finder's own sizes showed stands
        measured = larger
    return measured


def _settled(run: Run, measured: Measured, cpu_seconds: float) -> Measured:
    """Run the usable sizes again while noise would decide; the least cost of a size is the one with the least noise in it."""
    seen_noise = 0.0
    for _ in range(_RERUNS):
        if measured.void is not None or not measured.is_open:
            return measured
        costs, spread = dict(measured.net), seen_noise / 2  # noise once seen is not soon forgotten
        for size, known in measured.usable:
            cost = _cpu(run(size))
            if cost is None:
                return msgspec.structs.replace(measured, void=_UNMEASURED)
            seen = sorted((known, min(cpu_seconds, max(_MEASURABLE, cost - measured.startup))))
            costs[size] = seen[0]
            spread = max(spread, seen[1] / seen[0] - 1)
        seen_noise = spread
        noise = min(_NOISE_MOST, max(_NOISE_LEAST, 1.25 * spread))
        measured = msgspec.structs.replace(measured, net=tuple(sorted(costs.items())), noise=noise, times=measured.times + 1)
    if measured.is_open:
        said = f"{measured.signature}: noise on this machine would decide"
        return msgspec.structs.replace(measured, void=said)
    return measured


def _with(measured: Measured, seen: Observation, size: int, cpu_seconds: float) -> Measured:
    cpu = _cpu(seen)
    if cpu is None:
        return msgspec.structs.replace(measured, void=_UNMEASURED)
    cost = max(0.0, cpu - measured.startup)
    if seen.result.killed == "cpu" or cost >= cpu_seconds or was_ended_for_cpu(seen, cpu_seconds):
        return msgspec.structs.replace(measured, cut=size, at_least=max(cost, _MEASURABLE))
    if seen.result.killed is not None:
        return msgspec.structs.replace(measured, void=f"size {size} ran into the limit {seen.result.killed}")
    return msgspec.structs.replace(measured, net=(*measured.net, (size, cost)))


def _cpu(seen: Observation) -> float | None:
    return seen.result.cpu_seconds
