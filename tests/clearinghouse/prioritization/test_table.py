# SPDX-License-Identifier: Apache-2.0
"""Decision tables as data."""

import pytest

from clearwell.clearinghouse.prioritization.table import either, read_table
from clearwell.vocabulary.errors import Invalid

TEXT = """
version = "t:1"
effective_from = 2026-01-01
source = "ours"
outcomes = ["low", "high"]
[[points]]
name = "a"
values = ["no", "yes"]
[[points]]
name = "b"
values = ["no", "yes"]
[table]
rows = [["no", "no", "low"], ["no", "yes", "low"], ["yes", "no", "low"], ["yes", "yes", "high"]]
"""


def test_what_is_not_known_leaves_the_set_of_outcomes_most_urgent_first():
    table = read_table(TEXT)

    assert table.possible(("no",), ("no", "yes")) == ("low",)
    assert table.possible(("yes",), ("no", "yes")) == ("high", "low")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["no", "no", "low"], ', ""),
        ('["no", "no", "low"]', '["no", "yes", "low"]'),
        ('["no", "no", "low"]', '["no", "maybe", "low"]'),
        ('["no", "no", "low"]', '["no", "no", "none"]'),
        ('source = "ours"', 'source = ""'),
        ('source = "ours"', ""),
        ("2026-01-01", '"soon"'),
        ("[table]", "[table"),
    ],
)
def test_a_table_with_gaps_repeats_or_no_source_is_invalid(before, after):
    with pytest.raises(Invalid):
        read_table(TEXT.replace(before, after, 1))


def test_alternatives_read_as_a_sentence():
    assert [either(choices) for choices in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
