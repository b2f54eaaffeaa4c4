# SPDX-License-Identifier: Apache-2.0
"""The oracle `sanitizer`: what fires, what does not, what is forged."""

import pytest

from clearwell.proving.folder import Oracle
from clearwell.proving.oracles import Effect
from proving.oracles.observed import REPORT, judged


@pytest.mark.parametrize(
    ("oracle", "functions", "fires"),
    [
        (Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE"), ("other", "copy"), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE 4"), ("copy",), True),
        (Oracle("sanitizer", "Heap-Buffer-Overflow", "write"), ("copy",), True),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("outer",), True),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("ns::outer",), True),
        (Oracle("sanitizer", "heap-buffer-overflow", "READ"), ("copy",), False),
        (Oracle("sanitizer", "heap-buffer-overflow", "WRITE 8"), ("copy",), False),
        (Oracle("sanitizer", "heap-use-after-free"), ("copy",), False),
        (Oracle("sanitizer", "heap-buffer-overflow"), ("allocate",), False),  # the second stack
        (Oracle("sanitizer", "heap-buffer-overflow"), ("main",), False),  # the harness's frame
        (Oracle("sanitizer", "heap-buffer-overflow"), ("__interceptor_memcpy",), False),
    ],
)
def test_a_report_counts_by_class_access_and_project_frame(oracle, functions, fires):
    effect = judged(oracle, functions, (REPORT,))
    assert effect.fired == fires
    assert fires or (effect.elsewhere or "").startswith("heap-buffer-overflow WRITE 4 | copy < ")


def test_a_report_on_stderr_is_no_report():
    effect = judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), stderr=REPORT.encode(), exit=1)
    assert effect == Effect(False)


def test_a_fatal_signal_is_a_crash_elsewhere():
    assert judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), exit=139).elsewhere == "SIGSEGV"
    assert judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), exit=137, killed="memory").void is not None


def test_two_reports_count_each_but_a_word_on_descriptor_three_does_not():
    assert judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), ("nothing", REPORT)).fired
    assert not judged(Oracle("sanitizer", "heap-buffer-overflow"), ("copy",), word="accepted", stdout=REPORT.encode()).fired
