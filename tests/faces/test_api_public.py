# SPDX-License-Identifier: Apache-2.0
"""What everybody meets: the Host check, the headers, static files by known names only, problems in one form."""

from collections.abc import Callable
from typing import Any

import pytest

from api import Api
from clearwell.faces.http import EXCEPTIONS, STATUS, status_of
from clearwell.vocabulary import errors
from clearwell.vocabulary.errors import ClearwellError


def test_every_kind_of_error_has_its_status() -> None:
    written = {"Invalid": 400, "NotFound": 404, "Refused": 403, "Conflict": 409, "TooLate": 410, "Unavailable": 503}

    assert {name: status_of(getattr(errors, name)("x")) for name in written} == written
    assert all(issubclass(kind, ClearwellError) for kind in STATUS) and ClearwellError in EXCEPTIONS


def test_health_says_nothing_of_what_lies_in_the_hub(api: Api) -> None:
    assert set(api.visitor.get("/health")) == {"status", "version"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1]"])
def test_another_host_is_refused_everywhere(api: Api, host: str) -> None:
    for path in ("/api/v1/health", "/", "/nothing", "/feed/index.json"):
        answer = api.client.get(path, headers={"Host": host})
        assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "LOCALHOST:1", "localhost"])
def test_the_hubs_own_hosts_are_let_in_with_any_port(api: Api, host: str) -> None:
    assert api.client.get("/api/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/nothing", "/nothing", "/feed/nothing", "/api/v1/cases"])
def test_every_answer_bears_the_security_headers(api: Api, path: str) -> None:
    headers = api.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer" and "default-src 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers and "server" not in headers


def test_https_hubs_say_so(make_api: Callable[..., Api]) -> None:
    api = make_api(public_url="https://hub.example")

    assert "max-age" in api.client.get("/api/v1/health").headers["strict-transport-security"]


def test_addresses_that_are_nothing_are_problems(api: Api) -> None:
    for path in ("/api/v1/nothing", "/api/v1", "/api/v1/x/y", "/api/v1/openapi.yaml"):
        answer = api.client.get(path)
        assert answer.status_code == 404 and answer.json()["status"] == 404, path
    assert "text/html" in api.client.get("/nothing", headers={"Accept": "text/html"}).headers["content-type"]


def test_the_ledger_is_served_file_by_file(api: Api) -> None:
    folder = api.hub.fold()
    api.hub.house.settings.feed_dir.mkdir()
    (api.hub.house.settings.feed_dir / "index.json").write_text("{}")

    checkpoint = api.client.get("/ledger/checkpoint")
    assert checkpoint.content == (folder / "checkpoint").read_bytes() and checkpoint.headers["content-type"].startswith("text/plain")
    again = api.client.get("/ledger/checkpoint", headers={"If-None-Match": checkpoint.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert api.client.head("/ledger/checkpoint").headers["content-length"] == str(len(checkpoint.content))
    assert api.visitor.get("/ledger/key")["vkey"].startswith("clearwell.example/ledger+")
    assert api.client.get("/feed/index.json").json() == {}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../keys/hub",
        "%2e%2e/keys/hub",
        "..%2fkeys%2fhub",
        "tile",
        "tile/",
        "2026",
        ".index.json",
        "index.json%00",
        "keys",
        "//index.json/",
    ],
)
def test_no_other_file_is_opened_and_nothing_listed(api: Api, name: str) -> None:
    settings = api.hub.house.settings
    settings.feed_dir.mkdir(exist_ok=True)
    (settings.feed_dir / "key.json").symlink_to(settings.keys_dir / "hub")

    for root in ("feed", "ledger"):
        answer: Any = api.client.get(f"/{root}/{name}")
        assert answer.status_code == 404 or "text/html" in answer.headers["content-type"], (root, name)
    assert api.client.get("/feed/key.json").status_code == 404


def test_faults_of_ours_tell_nothing_of_their_words(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("words of a report")

    monkeypatch.setattr("clearwell.clearinghouse.flow.publishing.list_advisories", fail)

    answer = api.client.get("/api/v1/advisories")
    assert answer.status_code == 500 and "words" not in answer.text
    said = capsys.readouterr()
    assert "words" not in said.err + said.out
