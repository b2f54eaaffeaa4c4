# SPDX-License-Identifier: Apache-2.0
"""Growth: which costs count as growth, and which are noise."""

import random

import pytest

from clearwell.proving.oracles.growth import again, measure
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


def test_hitting_the_limit_ends_the_measurement_and_smaller_sizes_tell_growth():
    # given a square that hits the limit at the finder's smallest size already
    run = observed(lambda n: 1e-7 * n * n, limit=3)
    # when
    measured = measure(run, (16_000, 32_000, 64_000), 2)
    # then the hub's own sizes show it
    assert measured.fires
    assert measured.cut == 8_000 or measured.cut == 16_000
    assert "64000" not in measured.signature


@pytest.mark.parametrize("factor", [1e-4, 1e-3, 1e-2])
def test_a_large_input_of_ordinary_cost_hits_the_limit_and_is_no_growth(factor):
    measured = measure(observed(lambda n: factor * n, limit=3), (100_000, 200_000, 400_000), 2)
    assert measured.hit_limit
    assert not measured.fires


def test_a_size_that_was_cut_off_is_told_as_a_bound_and_left_out_of_the_exponent():
    measured = measure(observed(lambda n: 1e-9 * n * n, limit=3), (8_000, 16_000, 64_000), 2)
    assert measured.exponent is not None
    assert round(measured.exponent, 2) == 2.0
    assert "64000: >= " in measured.signature


@pytest.mark.parametrize(("sizes", "decisive"), [((16_000, 32_000, 64_000), 32_000), ((26, 28, 40), 40)])
def test_the_size_that_decides_is_run_again(sizes, decisive):
    # given
    ran: list[int] = []
    run = observed((lambda n: 1e-9 * n * n) if sizes[0] > 100 else (lambda n: 1e-12 * 2.0**n), limit=3)
    measured = measure(run, sizes, 2)
    # when
    renewed = again(lambda n: (ran.append(n), run(n))[1], measured, 2)
    # then
    assert ran == [decisive]
    assert renewed.fires
    assert len(renewed.net) == len(measured.net)


def test_growth_that_does_not_show_again_does_not_fire():
    measured = measure(observed(lambda n: 1e-9 * n * n), (16_000, 32_000, 64_000), 8)
    assert not again(observed(lambda n: 0.3), measured, 8).fires


def test_without_a_measure_of_cpu_nothing_is_said():
    def run(_: int) -> Observation:
        return Observation(Result(0, None, b"", b"", b"", 1.0, None, None, False, {}, (), {}), "", None, ())

    measured = measure(run, (1, 2), 2)
    assert not measured.fires
    assert measured.void


CHEAP, SQUARE, CUBE = (lambda n: 4e-5 * n), (lambda n: 2e-9 * n * n), (lambda n: 1e-13 * n**3)
N_LOG_N = lambda n: 3e-6 * n * (n.bit_length() - 1)  # noqa: E731 - costs stand side by side


def noisy(cost, seed: int, most: float):
    """A machine that adds up to `most` times what a run costs, and as much to its start-up, by chance."""
    chance = random.Random(seed)

    def run(size: int) -> Observation:
        cpu = (0.04 + (cost(size) if size > 1 else 0.0)) * (1 + most * chance.random() ** 2)
        killed = "cpu" if cpu > 9 else None
        return Observation(Result(0, killed, b"", b"", b"", cpu, min(cpu, 9.0), None, False, {}, (), {}), "", None, ())

    return run


@pytest.mark.parametrize("most", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("cost", [CHEAP, N_LOG_N])
def test_noise_never_makes_growth_of_ordinary_cost(cost, most):
    told = []
    for seed in range(300):
        run = noisy(cost, seed, most)
        told.append(measured := measure(run, (16_000, 32_000, 64_000), 8))
        assert not (measured.fires and all(again(run, measured, 8).fires for _ in range(2)))
    assert sum(measured.fires for measured in told) <= (3 if most > 1 else 0)
    assert most > 0.2 or sum(measured.void is not None for measured in told) < 5


@pytest.mark.parametrize("most", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("cost", [SQUARE, CUBE])
def test_noise_never_makes_growth_look_ordinary(cost, most):
    told = [measure(noisy(cost, seed, most), (8_000, 16_000, 32_000, 64_000), 8) for seed in range(300)]
    assert all(measured.fires or measured.void for measured in told)
    assert most > 0.2 or sum(measured.fires for measured in told) > 290


def test_growth_too_cheap_on_a_fast_machine_is_followed_to_larger_sizes():
    ran: list[int] = []
    run = observed(lambda n: 3e-11 * n * n)
    measured = measure(lambda n: (ran.append(n), run(n))[1], (16_000, 32_000, 64_000), 8)
    assert measured.fires
    assert max(ran) == 128_000


def test_what_is_cheap_and_in_proportion_is_not_followed():
    ran: list[int] = []
    run = observed(lambda n: 3e-6 * n)
    assert not measure(lambda n: (ran.append(n), run(n))[1], (16_000, 32_000, 64_000), 8).fires
    assert max(ran) == 64_000


def test_a_clock_that_jumps_about_says_nothing_at_all():
    # given a clock whose every second look at the largest size is four times the first
    looks: dict[int, int] = {}

    def cost(size: int) -> float:
        looks[size] = looks.get(size, 0) + 1
        return {16_000: 0.6, 32_000: 0.9, 64_000: 3.2}[size] * (1 if looks[size] % 2 else 0.25 if size == 64_000 else 1.8)

    measured = measure(observed(cost), (16_000, 32_000, 64_000), 8)
    assert not measured.fires


def test_leaving_with_the_number_of_the_cpu_limit_s_signal_is_no_growth():
    def run(size: int) -> Observation:
        code = 152 if size > 1 else 0
        return Observation(Result(code, None, b"", b"", b"", 0.1, 0.1, None, False, {}, (), {}), "", None, ())

    assert not measure(run, (10, 20, 40), 8).fires
