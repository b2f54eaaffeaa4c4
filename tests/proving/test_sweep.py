# SPDX-License-Identifier: Apache-2.0
"""A version sweep: few releases are run, every change that shows is followed to its edge, and what is not known is said."""

import pytest

from clearwell.proving.sweep import search, sweep
from clearwell.vocabulary.errors import Conflict, Invalid
from proving.lab import NOTES, wheel

LINE = [f"{major}.{minor}.{patch}" for major in (1, 2) for minor in range(5) for patch in range(8)]


def swept(vulnerable, target: str, unknown=(), releases=tuple(LINE)):
    def fires(version: str):
        return (None, "it does not build") if version in unknown else (version in vulnerable, "ran")

    return search("pkg:npm/x", tuple(releases), target, lambda version: version.rpartition(".")[0], fires)


def between(first: str, last: str) -> set[str]:
    return set(LINE[LINE.index(first) : LINE.index(last) + 1])


def test_first_and_last_are_found_by_bisection():
    found = swept(between("1.2.3", "2.1.4"), "2.0.0")
    assert found.events == ({"introduced": "1.2.3"}, {"fixed": "2.1.5"})
    assert (found.first, found.last, found.is_one_range) == ("1.2.3", "2.1.4", True)
    assert len(found.tried) < len(LINE) * 2 // 3


def test_a_flaw_that_was_always_there_and_still_is_has_no_fix():
    found = swept(set(LINE), "1.3.0")
    assert found.events == ({"introduced": "0"}, {"last_affected": "2.4.7"})
    assert not found.notes


def test_a_flaw_that_came_back_is_two_ranges():
    found = swept(between("1.0.0", "1.2.5") | between("2.1.2", "2.3.3"), "1.1.0")
    assert found.events == ({"introduced": "0"}, {"fixed": "1.2.6"}, {"introduced": "2.1.2"}, {"fixed": "2.3.4"})
    assert not found.is_one_range
    assert "2 separate ranges" in found.notes[0]


def test_releases_that_do_not_build_are_stepped_over():
    found = swept(between("1.2.3", "2.1.4"), "2.0.0", unknown={"1.2.2", "1.0.0", "1.1.7"})
    assert {"introduced": "1.2.3"} in found.events
    assert {"fixed": "2.1.5"} in found.events
    assert any(one.fired is None and one.reason == "it does not build" for one in found.tried)
    assert any("may have come earlier" in note for note in found.notes)


def test_an_edge_that_cannot_be_seen_is_told_as_the_last_one_affected():
    found = swept(between("1.0.0", "1.2.3"), "1.1.0", unknown={"1.2.4", "1.2.5"})
    assert found.events == ({"introduced": "0"}, {"last_affected": "1.2.3"})
    assert "no release could be told" in found.notes[0]


def test_nothing_is_swept_around_a_target_that_does_not_fire():
    with pytest.raises(Conflict, match=r"does not fire on 1\.1\.0"):
        swept(set(), "1.1.0")


@pytest.mark.sandbox
def test_real_releases_are_run_in_the_box(lab):
    # given five releases, fixed in 1.3, of which one is no archive at all
    for version, fixed in (("0.9", "False"), ("1.2", "False"), ("1.3", "True"), ("1.4", "True")):
        name, content = wheel("notes", version, {"notes.py": NOTES.replace("FIXED = False", f"FIXED = {fixed}")})
        lab.index.files[name] = content if version != "0.9" else b"no archive"
    del lab.index.files["notes-1.1-py3-none-any.whl"]
    proof = lab.read(lab.proof("notes", verb="save", text="/box/out/x", oracle='kind = "file_write"', purl="pkg:pypi/notes@1.0"))
    # when
    registry = lab.registry()
    found = sweep(proof, lab.settings, sandbox=lab.sandbox, registry=registry)
    registry.close()
    # then
    assert {"fixed": "1.3"} in found.events
    assert (found.first, found.last) == ("1.0", "1.2")
    assert next(one for one in found.tried if one.version == "0.9").fired is None


@pytest.mark.sandbox
def test_a_package_that_no_registry_lists_cannot_be_swept(lab):
    target = 'purl = "pkg:generic/notes@1.0"'
    harness = (lab.place / "harnesses" / "notes" / "harness.toml").read_text()
    lab.harness("own", {"harness.toml": harness.replace("pkg:pypi/notes", "pkg:generic/notes").replace("stdin", 'archive = "file"\nstdin'),
                        "h.py": "", "notes-1.0.py": NOTES})  # fmt: skip
    proof = lab.read(lab.proof("own", verb="save", oracle='kind = "file_write"', target=target))
    registry = lab.registry()
    with pytest.raises(Invalid, match="cannot be fetched"):
        sweep(proof, lab.settings, sandbox=lab.sandbox, registry=registry)
    registry.close()
