# SPDX-License-Identifier: Apache-2.0
"""Products: how a target is read, and what of an address never enters one."""

import json

import pytest

from clearwell.formats import read
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.product import parse_target

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2


@pytest.mark.parametrize("login", ["", f"x-access-token:{SECRET}@", f"{SECRET}@", "robin@"])
def test_a_name_and_password_in_a_repositorys_address_stay_out(login: str) -> None:
    product = parse_target(f"https://{login}forge.example/water/pump.git@0123456789ab")

    assert (product.repository, product.commit) == ("forge.example/water/pump", "0123456789ab")


def test_a_token_that_a_pipeline_left_in_its_scan_names_no_product() -> None:
    provenance = [{"repositoryUri": f"https://ci:{SECRET}@forge.example/water/pump", "revisionId": "0123456789abcdef"}]
    run = {
        "tool": {"driver": {"name": "t"}},
        "versionControlProvenance": provenance,
        "results": [{"ruleId": "a", "level": "error", "message": {"text": "m"}}],
    }

    (finding,) = read(json.dumps({"version": "2.1.0", "runs": [run]}).encode()).findings

    assert finding.product == parse_target("forge.example/water/pump@0123456789abcdef")


@pytest.mark.parametrize(
    "text", ["https://a@b@forge.example/x@0123456789ab", "https://forge.example@0123456", "https://u:p@/x@0123456789ab", "ujson"]
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_target(text)


@pytest.mark.parametrize(
    ("said", "purl", "component"),
    [
        ("pkg:npm/pump@1.0?repository_url=https://u:p@NPM.corp.example/own/", "pkg:npm/pump@1.0?repository_url=npm.corp.example/own", None),
        ("pkg:npm/pump@1.0?repository_url=npm.corp.example/own&arch=x#lib", "pkg:npm/pump@1.0?repository_url=npm.corp.example/own", None),
        ("pkg:npm/pump@1.0?repository_url=", "pkg:npm/pump@1.0", "pkg:npm/pump"),
        ("pkg:npm/pump@1.0?arch=x#lib", "pkg:npm/pump@1.0", "pkg:npm/pump"),
    ],
)
def test_a_package_of_another_registry_is_another_product(said: str, purl: str, component: str | None) -> None:
    product = parse_target(said)

    assert product.purl == purl
    assert product.component == (component or "pkg:npm/pump?repository_url=npm.corp.example/own")
    assert parse_target(product.component).component == product.component
    assert (product.name, product.version) == ("pump 1.0", "1.0")
