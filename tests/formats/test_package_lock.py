# SPDX-License-Identifier: Apache-2.0
"""package-lock.json in its three versions: nesting, aliases, links, bundles and addresses."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.formats import package_lock
from clearwell.vocabulary.component import Component
from clearwell.vocabulary.errors import Invalid


def read(**document: Any) -> dict[str, Component]:
    """Read a lock file and return its components by the place where they were found."""
    return {component.found[0]: component for component in package_lock.read(json.dumps(document).encode())}


def test_version_1_nests_dependencies_and_spells_aliases_and_addresses_in_the_version() -> None:
    found = read(
        lockfileVersion=1,
        requires=True,
        dependencies={
            "outer": {"version": "1.0.0", "dev": True, "dependencies": {"@scope/inner": {"version": "2.0.0-rc.1", "bundled": True}}},
            "short": {"version": "npm:@real/name@3.1.4"},
            "fork": {"version": "git+ssh://git@example.org/fork.git#0123abc"},
            "local": {"version": "file:../local"},
            "site": {"version": "https://example.org/site.tgz"},
        },
    )

    assert (found["node_modules/outer"].version, found["node_modules/outer"].scope) == ("1.0.0", "dev")
    inner = found["node_modules/outer/node_modules/@scope/inner"]
    assert (inner.purl, inner.version, inner.scope) == ("pkg:npm/%40scope/inner", "2.0.0-rc.1", "bundled")
    assert (found["node_modules/short"].purl, found["node_modules/short"].version) == ("pkg:npm/%40real/name", "3.1.4")
    for place in ("fork", "local", "site"):
        assert found[f"node_modules/{place}"].version is None
        assert "address" in (found[f"node_modules/{place}"].doubt or "")


@pytest.mark.parametrize("version", [2, 3])
def test_versions_2_and_3_list_packages_by_path(version: int) -> None:
    found = read(
        name="app",
        lockfileVersion=version,
        dependencies={"stale": {"version": "9.9.9"}} if version == 2 else {},
        packages={
            "": {"name": "app", "version": "1.0.0", "dependencies": {"a": "^1"}},
            "node_modules/a": {"version": "1.2.3", "resolved": "https://example.org/a.tgz", "dependencies": {"b": "^2"}},
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "dev": True, "optional": True},
            "node_modules/alias": {"name": "real", "version": "3.0.0"},
            "node_modules/linked": {"resolved": "packages/linked", "link": True},
            "packages/linked": {"name": "linked-name", "version": "4.0.0"},
            "node_modules/gone": {"resolved": "../outside", "link": True},
            "node_modules/bundled": {"version": "5.0.0", "inBundle": True},
            "node_modules/nothing": {},
        },
    )

    assert {place: (component.purl, component.version) for place, component in found.items()} == {
        "node_modules/a": ("pkg:npm/a", "1.2.3"),
        "node_modules/a/node_modules/@s/b": ("pkg:npm/%40s/b", "2.0.0"),
        "node_modules/alias": ("pkg:npm/real", "3.0.0"),
        "node_modules/linked": ("pkg:npm/linked-name", "4.0.0"),
        "node_modules/gone": ("pkg:npm/gone", None),
        "node_modules/bundled": ("pkg:npm/bundled", "5.0.0"),
        "node_modules/nothing": ("pkg:npm/nothing", None),
    }
    assert found["node_modules/gone"].doubt == "it is a link to a folder"


def nested(depth: int) -> bytes:
    return b'{"lockfileVersion":1,"dependencies":' + b'{"a":{"version":"1.0.0","dependencies":' * depth + b"{}" + b"}}" * depth + b"}"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"{}", b'{"lockfileVersion": 3, "packages": []}', b'{"packages": {"node_modules/a": {"version": 5}}}', nested(300),
     nested(100_000)],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_lock_file_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        package_lock.read(data)


@given(
    st.dictionaries(
        st.text(max_size=30), st.fixed_dictionaries({}, optional={"version": st.text(max_size=20), "name": st.text(max_size=9)})
    )
)
def test_any_names_and_versions_are_read_or_refused(packages: dict[str, dict[str, str]]) -> None:
    with contextlib.suppress(Invalid):
        read(lockfileVersion=3, packages=packages)
    with contextlib.suppress(Invalid):
        read(lockfileVersion=1, dependencies=packages)
