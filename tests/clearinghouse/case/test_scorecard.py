# SPDX-License-Identifier: Apache-2.0
"""The scorecard's shares and their intervals; of nothing, nothing is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.clearinghouse.case.scorecard import Score, Share


def test_of_nothing_there_is_no_share() -> None:
    score = Score(tool=None, model=None, sent=0, new=0, needs_proof=0, duplicate=0, refused=0, reproduced=0)

    assert score.precision.value is None and score.yielded.interval is None


def test_wilsons_interval_of_a_known_case() -> None:
    low, high = Share(8, 10).interval or (0, 0)

    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Brown, Cai, DasGupta 2001, eq. 4, worked by hand


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share_and_stays_between_nothing_and_all(count: int, of: int) -> None:
    share = Share(min(count, of), of)

    low, high = share.interval or (2, 2)
    assert 0 <= low <= (share.value or 0) + 1e-12 and (share.value or 0) - 1e-12 <= high <= 1
