# SPDX-License-Identifier: Apache-2.0
"""Growth: which costs count as growth, and which are noise."""

import pytest

from clearwell.proving.growth import measure
from clearwell.proving.running import Observation
from clearwell.proving.sandbox import Result


def observed(cost, startup: float = 0.04, limit: float = 100.0):
    def run(size: int) -> Observation:
        cpu = startup + (cost(size) if size > 1 else 0.0)
        killed = "cpu" if cpu > limit else None
        return Observation(Result(0, killed, b"", b"", b"", cpu, min(cpu, limit), None, False, {}, (), {}), "", None, ())

    return run


@pytest.mark.parametrize(
    ("cost", "fires"),
    [
        (lambda n: 1e-9 * n * n, True),
        (lambda n: 1e-13 * n**3, True),
        (lambda n: 2e-5 * n, False),
        (lambda n: 2e-6 * n * (n.bit_length() - 1), False),
        (lambda n: 1e-11 * n * n, False),  # quadratic, but too cheap to tell from noise
        (lambda n: 0.5, False),  # dear, but flat
        (lambda n: 0.0, False),
    ],
)
def test_cost_that_rises_faster_than_size_fires(cost, fires):
    assert measure(observed(cost), (16_000, 32_000, 64_000), 8).fires == fires


def test_exponential_cost_on_small_steps_fires():
    assert measure(observed(lambda n: 1e-9 * 2.0**n), (26, 28, 30), 8).fires


def test_hitting_the_limit_fires_and_ends_the_measurement():
    measured = measure(observed(lambda n: 1e-8 * n * n, limit=3), (16_000, 32_000, 64_000), 2)
    assert measured.hit_limit
    assert [size for size, _ in measured.net] == [16_000]


def test_without_a_measure_of_cpu_nothing_is_said():
    def run(_: int) -> Observation:
        return Observation(Result(0, None, b"", b"", b"", 1.0, None, None, False, {}, (), {}), "", None, ())

    measured = measure(run, (1, 2), 2)
    assert not measured.fires
    assert measured.void
