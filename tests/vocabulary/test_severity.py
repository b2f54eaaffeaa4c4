# SPDX-License-Identifier: Apache-2.0
"""CVSS 3: base scores as the specification's equations give them."""

import pytest

from clearwell.vocabulary.severity import cvss3_base_score, cvss3_rating


@pytest.mark.parametrize(
    ("vector", "score", "rating"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "CRITICAL"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, "CRITICAL"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "MEDIUM"), ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8, "LOW"),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N/E:P", 5.9, "MEDIUM"), ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0, "NONE"),
    ],
)  # fmt: skip
def test_base_scores_and_ratings(vector: str, score: float, rating: str) -> None:
    assert cvss3_base_score(vector) == score
    assert cvss3_rating(score) == rating


@pytest.mark.parametrize("vector", ["", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:4.0/AV:N", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"])
def test_other_text_has_no_score(vector: str) -> None:
    assert cvss3_base_score(vector) is None
