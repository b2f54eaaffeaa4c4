# SPDX-License-Identifier: Apache-2.0
"""Mangled names become qualified names; strange ones stay as they are, quickly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats.crash_log.mangling import demangle


@pytest.mark.parametrize(
    ("mangled", "name"),
    [
        ("_Z4pouri", "pour"),
        ("_ZN5maker3PotC2Ev", "maker::Pot::Pot"),
        ("_ZN5maker3PotD1Ev", "maker::Pot::~Pot"),
        ("__ZN5maker3Pot4fillERKSt6vectorIiSaIiEE", "maker::Pot::fill"),
        ("_ZN12_GLOBAL__N_14stirEv", "(anonymous namespace)::stir"),
        ("_ZN5maker4callINS_3PotEEEvT_", "maker::call"),
        ("_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc", "std::operator<<"),
        ("_ZThn16_N5maker3Pot4fillEv", "maker::Pot::fill"),
        ("not_mangled", "not_mangled"),
        ("_ZN5maker", "_ZN5maker"),
    ],
)
def test_a_name_is_read_without_its_types(mangled: str, name: str) -> None:
    assert demangle(mangled) == name


@given(st.text(alphabet="NSt_ILE0123456789abvPKRTFDCJXZ", max_size=60))
def test_any_letters_give_some_name(text: str) -> None:
    assert demangle(f"_Z{text}")
