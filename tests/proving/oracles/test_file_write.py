# SPDX-License-Identifier: Apache-2.0
"""The oracle `file_write`: what fires, what does not, what is forged."""

from clearwell.proving.folder import Oracle
from clearwell.proving.sandbox import Entry
from proving.oracles.observed import judged


def test_any_file_outside_is_an_effect_but_a_folder_is_none():
    assert judged(Oracle("file_write"), files={"/box/out": (Entry("a/b", "file", 0),)}).fired
    assert judged(Oracle("file_write"), files={"/box/out": (Entry("l", "link", 0),)}).fired
    assert not judged(Oracle("file_write"), files={"/box/out": (Entry("a", "folder", 0),)}).fired


def test_a_file_anywhere_else_is_no_effect():
    assert not judged(Oracle("file_write"), files={"/box/root": (Entry("a", "file", 1),)}, stdout=b"/box/out/a").fired
