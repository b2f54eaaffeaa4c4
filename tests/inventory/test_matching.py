# SPDX-License-Identifier: Apache-2.0
"""Matching: OSV's evaluation on its edges, CSAF's status, and unknown wherever the documents do not say."""

import json
from typing import Any

import pytest

from clearwell.formats import osv
from clearwell.inventory.matching import Match, match, match_document
from clearwell.vocabulary.component import Component, identify
from clearwell.vocabulary.vulnerability import Affected, VersionRange, Vulnerability


def record(package: str = "PyPI|sample", versions: tuple[str, ...] = (), **rest: Any) -> Vulnerability:
    """An OSV record for one package; `events` are 'introduced 0, fixed 1.5', several timelines separated by ';'."""
    ecosystem, _, name = package.partition("|")
    kind = rest.pop("type", "ECOSYSTEM")
    ranges = [
        {"type": kind, "events": [dict([event.split()]) for event in timeline.split(",")]}
        for timeline in rest.pop("events", "").split(";")
        if timeline
    ]
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "versions": list(versions), "ranges": ranges}
    return osv.read(json.dumps({"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [affected], **rest}).encode())


def answer(purl: str, flaw: Vulnerability) -> Match:
    found = match(identify(purl), flaw)
    assert found is not None
    return found


STATUS = [
    # (events, versions, installed, status, fixed)
    ("introduced 0,fixed 1.5", (), "1.4.9", "affected", "1.5"),
    ("introduced 0,fixed 1.5", (), "1.5", "not_affected", None),
    ("introduced 0,fixed 1.5", (), "1.5.0", "not_affected", None),
    ("introduced 0,fixed 1.5", (), "1.5rc1", "affected", "1.5"),
    ("introduced 0,fixed 1.5", (), "1.5.dev3", "affected", "1.5"),
    ("introduced 0,fixed 1.5", (), "v1.4", "affected", "1.5"),
    ("introduced 0,fixed 1.5", (), "1!0.1", "not_affected", None),
    ("introduced 0,fixed 1.5", (), "0.dev0", "affected", "1.5"),
    ("introduced 0,fixed 1.5", (), "1.5+local", "not_affected", None),
    ("introduced 1.0,fixed 1.5", (), "1.0rc2", "not_affected", None),
    ("introduced 0,last_affected 1.5", (), "1.5", "affected", None),
    ("introduced 0,last_affected 1.5", (), "1.5.post1", "not_affected", None),
    ("introduced 0,last_affected 1.5", (), "1.5+cu118", "affected", None),
    ("introduced 0", (), "99", "affected", None),
    ("introduced 1.0,fixed 1.5,introduced 2.0,fixed 2.3", (), "1.2", "affected", "1.5"),
    ("introduced 1.0,fixed 1.5,introduced 2.0,fixed 2.3", (), "1.7", "not_affected", None),
    ("introduced 1.0,fixed 1.5,introduced 2.0,fixed 2.3", (), "2.0", "affected", "2.3"),
    ("fixed 2.3,introduced 2.0,fixed 1.5,introduced 1.0", (), "2.1", "affected", "2.3"),
    ("introduced 1.0,introduced 2.0,fixed 1.5,fixed 2.3", (), "1.7", "not_affected", None),
    ("introduced 0,fixed 1.0,introduced 1.0,fixed 2.0", (), "0.5", "affected", "2.0"),
    ("introduced 1.0,last_affected 1.0", (), "1.0", "affected", None),
    ("last_affected 1.0,introduced 1.0", (), "1.1", "not_affected", None),
    ("introduced 0,fixed 1.5;introduced 1.0,fixed 2.0", (), "1.2", "affected", "2.0"),
    ("introduced 0,fixed 1.5;introduced 3.0", (), "3.1", "affected", None),
    ("", ("1.0", "1.1"), "1.1.0", "affected", None),
    ("", ("1.0", "1.1"), "1.2", "not_affected", None),
    ("", ("1.0", "1.1"), "1.1+cu118", "affected", None),
    ("introduced 1.5,fixed 1.6", ("1.4",), "1.4", "affected", "1.6"),
    ("introduced 0,fixed 1.5", ("1.5",), "1.4", "affected", "1.5"),
    ("introduced 0,fixed 1.5,introduced 2.0,fixed 2.1", ("1.5", "2.0"), "1.4", "affected", "2.1"),
    ("introduced 0,fixed 1.5-not-a-version", (), "1.4", "unknown", None),
    ("introduced 0,fixed 1.5-not-a-version", ("1.4",), "1.4", "affected", None),
    ("introduced 0,fixed 1.5", (), "2004d", "unknown", None),
    ("introduced 0,fixed 1.5", ("2004d",), "2004d", "affected", None),
    ("introduced 0,limit 1.5", (), "1.4", "affected", None),
    ("introduced 0,limit 1.5", (), "1.5", "not_affected", None),
    ("introduced 0,limit *", (), "1.5", "affected", None),
    ("", (), "1.0", "unknown", None),
]


@pytest.mark.parametrize(("events", "versions", "installed", "status", "fixed"), STATUS)
def test_osv_is_evaluated_on_its_edges(events: str, versions: tuple[str, ...], installed: str, status: str, fixed: str | None) -> None:
    flaw = record(events=events, versions=versions)

    found = match(Component("sample", purl="pkg:pypi/sample", version=installed), flaw)

    assert found is not None
    assert (found.status, found.fixed) == (status, fixed), found.why
    assert found.why


NAMES = [
    ("PyPI|ruamel.yaml", "pkg:pypi/ruamel-yaml@1.0"),
    ("PyPI|Zope_Interface", "pkg:pypi/zope.interface@1.0"),
    ("PyPI|foo--bar", "pkg:pypi/Foo_Bar@1.0"),
    ("npm|@scope/name", "pkg:npm/%40scope/name@1.0.0"),
    ("npm|@scope/name", "pkg:npm/@scope/name@1.0.0"),
    ("Maven|org.example:lib", "pkg:maven/org.example/lib@1.0?type=jar&classifier=x"),
    ("Go|github.com/Some/Mod", "pkg:golang/github.com/some/mod@v1.0.0#sub/package"),
    ("Packagist|Vendor/Name", "pkg:composer/vendor/name@v1.0.0"),
    ("NuGet|Some.Package", "pkg:nuget/some.package@1.0.0"),
    ("crates.io|my-crate", "pkg:cargo/my-crate@1.0.0"),
    ("RubyGems|rails", "pkg:gem/rails@1.0"),
    ("Debian:12|openssl", "pkg:deb/debian/openssl@1.0-1?arch=amd64&distro=bookworm"),
    ("Debian:12|openssl", "pkg:deb/debian/libssl3@1.0-1?distro=debian-12.5&upstream=openssl"),
    ("Ubuntu:22.04:LTS|bash", "pkg:deb/ubuntu/bash@1.0-1?distro=jammy"),
    ("Alpine:v3.18|curl", "pkg:apk/alpine/curl@1.0-r0?distro=alpine-3.18.4"),
]


@pytest.mark.parametrize(("package", "purl"), NAMES)
def test_names_meet_across_their_spellings(package: str, purl: str) -> None:
    found = match(identify(purl), record(package, events="introduced 0"))

    assert found is not None


@pytest.mark.parametrize(
    ("package", "purl"),
    [
        ("npm|@scope/name", "pkg:npm/name@1.0.0"),
        ("npm|sample", "pkg:pypi/sample@1.0"),
        ("PyPI|sample-extra", "pkg:pypi/sample@1.0"),
        ("Debian:11|openssl", "pkg:deb/debian/openssl@1.0?distro=bookworm"),
        ("Debian:12|openssl", "pkg:deb/ubuntu/openssl@1.0"),
    ],
)
def test_an_advisory_about_another_package_is_no_match(package: str, purl: str) -> None:
    assert match(identify(purl), record(package, events="introduced 0")) is None


def test_an_advisory_made_here_meets_inventories_in_any_spelling() -> None:
    flaw = Vulnerability("X-1", affected=(Affected("pkg:golang/github.com/Some/Mod", ranges=(VersionRange(None, "v2.0.0"),)),))

    assert answer("pkg:golang/github.com/some/mod@v1.0.0", flaw).fixed == "v2.0.0"


def test_an_advisory_about_the_name_in_another_registry_decides_nothing() -> None:
    flaw = Vulnerability(
        "X-1", affected=(Affected("pkg:npm/pump?repository_url=npm.corp.example", ranges=(VersionRange(None, "v2.0.0"),)),)
    )

    found = answer("pkg:npm/pump@1.0.0", flaw)

    assert (found.status, found.fixed) == ("unknown", None)
    assert "another registry" in found.why


def test_what_an_advisory_says_of_another_registry_hides_nothing_that_it_says_of_the_public_one() -> None:
    ranges = (VersionRange(None, "v2.0.0"),)
    affected = (Affected("pkg:npm/pump?repository_url=npm.corp.example", ranges=ranges), Affected("pkg:npm/pump", ranges=ranges))

    found = answer("pkg:npm/pump@1.0.0", Vulnerability("X-1", affected=affected))

    assert (found.status, found.fixed) == ("affected", "v2.0.0")


def test_a_withdrawn_advisory_affects_nothing() -> None:
    found = answer("pkg:pypi/sample@1.0", record(events="introduced 0", withdrawn="2026-02-03T00:00:00Z"))

    assert found.status == "not_affected"
    assert "withdrawn on 2026-02-03" in found.why


def test_without_a_version_the_answer_is_unknown_and_says_why() -> None:
    component = Component("sample", purl="pkg:pypi/sample", doubt="it was installed from a folder")

    found = match(component, record(events="introduced 0,fixed 2"))

    assert found == Match("unknown", None, "the installed version is not known: it was installed from a folder")


def test_without_a_package_url_a_like_name_is_unknown_and_another_is_nothing() -> None:
    flaw = record("npm|sample", events="introduced 0")

    assert match(Component("Sample", version="1.0"), flaw).status == "unknown"  # type: ignore[union-attr]
    assert match(Component("other", version="1.0"), flaw) is None


def test_commits_alone_say_nothing_about_a_version() -> None:
    flaw = record(events="introduced 0,fixed " + "a" * 40, type="GIT")

    assert answer("pkg:pypi/sample@1.0", flaw).status == "unknown"


def test_commits_beside_a_list_of_versions_leave_the_list_to_decide() -> None:
    flaw = record(events="introduced 0", type="GIT", versions=("1.0",))

    assert answer("pkg:pypi/sample@1.0", flaw).status == "affected"
    assert answer("pkg:pypi/sample@1.1", flaw).status == "not_affected"


def test_semver_prereleases_lie_before_their_release_and_build_metadata_does_not_count() -> None:
    flaw = record("npm|sample", events="introduced 1.0.0,fixed 1.2.3", type="SEMVER")

    assert answer("pkg:npm/sample@1.2.3-rc.1", flaw).fixed == "1.2.3"
    assert answer("pkg:npm/sample@1.0.0-alpha", flaw).status == "not_affected"
    assert answer("pkg:npm/sample@1.2.3+build.5", flaw).status == "not_affected"
    assert answer("pkg:npm/sample@1.2.3.4", flaw).status == "unknown"


def test_go_versions_compare_with_or_without_their_v() -> None:
    flaw = record("Go|example.com/mod", events="introduced 0,fixed 1.2.4", type="SEMVER")

    assert answer("pkg:golang/example.com/mod@v1.2.4-0.20200101000000-abcdefabcdef", flaw).status == "affected"
    assert answer("pkg:golang/example.com/mod@v1.2.4", flaw).status == "not_affected"


def test_debian_versions_know_epochs_and_tildes() -> None:
    flaw = record("Debian:12|sample", events="introduced 0,fixed 1:2.0-1~deb12u1")

    assert answer("pkg:deb/debian/sample@1:2.0-1~deb12u0?distro=bookworm", flaw).status == "affected"
    assert answer("pkg:deb/debian/sample@1:2.0-1?distro=bookworm", flaw).status == "not_affected"
    assert answer("pkg:deb/debian/sample@9.9?distro=bookworm", flaw).status == "affected"


def test_an_inventory_without_a_release_is_answered_where_all_releases_agree() -> None:
    eleven = Affected("pkg:deb/debian/sample", ranges=(VersionRange(None, "1.0-1"),), release="11")
    twelve = Affected("pkg:deb/debian/sample", ranges=(VersionRange(None, "3.0-1"),), release="12")
    flaw = Vulnerability("X-1", affected=(eleven, twelve))

    assert answer("pkg:deb/debian/sample@0.9-1", flaw).status == "affected"
    assert answer("pkg:deb/debian/sample@2.0-1", flaw).status == "unknown"
    assert answer("pkg:deb/debian/sample@2.0-1?distro=bookworm", flaw).status == "affected"


def test_an_ecosystem_without_an_order_compares_semver_ranges_and_lists_only() -> None:
    semver = Vulnerability("X-1", affected=(*record("npm|sample", events="introduced 0,fixed 2.0.0", type="SEMVER").affected,))
    entry = semver.affected[0]
    moved = Vulnerability("X-1", affected=(Affected("pkg:generic/sample", timelines=entry.timelines),))

    assert answer("pkg:generic/sample@1.0.0", moved).status == "affected"
    assert answer("pkg:generic/sample@2.0.0", moved).status == "not_affected"
    assert answer("pkg:generic/sample@1.0", Vulnerability("X-2", affected=(Affected("pkg:generic/sample", ("1.0",)),))).status == "affected"


class TestStatusOfCsaf:
    """CSAF names products; what it does not name is unknown."""

    flaw = Vulnerability(
        "X-1",
        affected=(
            Affected(
                "pkg:pypi/sample",
                versions=("1.0", "2.0"),
                fixed=("1.1", "2.1"),
                not_affected=("0.5",),
                under_investigation=("3.0",),
                is_complete=False,
            ),
        ),
    )

    @pytest.mark.parametrize(
        ("installed", "status", "fixed"),
        [
            ("1.0", "affected", "1.1"), ("2.0.0", "affected", "2.1"), ("1.1", "not_affected", None), ("0.5", "not_affected", None),
            ("3.0", "unknown", None), ("1.5", "not_affected", None), ("2.0.5", "unknown", None), ("0.1", "unknown", None),
            ("0.7", "unknown", None), ("9", "not_affected", None),
        ],
    )  # fmt: skip
    def test_named_versions_decide_and_their_neighbors_only_above_a_fix(self, installed: str, status: str, fixed: str | None) -> None:
        found = answer(f"pkg:pypi/sample@{installed}", self.flaw)

        assert (found.status, found.fixed) == (status, fixed), found.why

    def test_a_version_named_as_affected_and_fixed_is_unknown(self) -> None:
        flaw = Vulnerability("X-1", affected=(Affected("pkg:pypi/sample", ("1.0",), fixed=("1.0",), is_complete=False),))

        assert answer("pkg:pypi/sample@1.0", flaw).status == "unknown"

    def test_several_flaws_in_one_document_give_the_worst_and_the_highest_fix(self) -> None:
        flaws = [
            Vulnerability("X-1", aliases=("CVE-1",), affected=(Affected("pkg:pypi/sample", ranges=(VersionRange(None, fix),)),))
            for fix in ("1.9", "1.10", "0.1")
        ]

        found = match_document(identify("pkg:pypi/sample@1.0"), flaws)

        assert found is not None
        assert (found.status, found.fixed) == ("affected", "1.10")
        assert "CVE-1: " in found.why
