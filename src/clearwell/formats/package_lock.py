# SPDX-License-Identifier: Apache-2.0
"""npm's package-lock.json and npm-shrinkwrap.json, lockfileVersion 1, 2 and 3: what is installed in a Node.js project."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clearwell.vocabulary.component import Component, canonical_purl
from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid

MAX_BYTES = 128 * 1024 * 1024
MAX_PACKAGES = 500_000
MAX_DEPTH = 200

_ADDRESSES = ("git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "http:", "https:", "file:", "link:", "workspace:")


class _Package(msgspec.Struct):
    version: str | None = None
    name: str | None = None
    resolved: str | bool | None = None
    link: bool = False
    dev: bool = False
    optional: bool = False
    devOptional: bool = False
    inBundle: bool = False
    bundled: bool = False


class _Dependency(_Package):
    """Version 1 nests what a package brought along; in `packages` the field of that name holds wishes, which are passed over."""

    dependencies: dict[str, "_Dependency"] | None = None


class _Lock(msgspec.Struct):
    lockfileVersion: int | None = None
    packages: dict[str, _Package] | None = None
    dependencies: dict[str, _Dependency] | None = None


def is_lock(document: dict[str, Any]) -> bool:
    """True when a JSON object has the marks of a lock file."""
    return "lockfileVersion" in document or ("dependencies" in document and ("requires" in document or "lockfile" in document))


def read(data: bytes) -> tuple[Component, ...]:
    """Read the packages of a lock file, in its order; the project itself is left out, since no registry serves it.

    `packages` (versions 2 and 3) is used where there is one, else nested `dependencies` (version 1). Aliases count under the
    package that they stand for; links under the version of the folder that they lead to. Raises Invalid.
    """
    require_size(data, MAX_BYTES)
    try:
        lock = msgspec.json.decode(as_utf8(data), type=_Lock)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise Invalid(f"this is not a package-lock.json: {reason}") from None
    if lock.packages is None and lock.dependencies is None and lock.lockfileVersion is None:
        raise Invalid("this is not a package-lock.json: it has neither packages, dependencies nor lockfileVersion")
    found = _from_packages(lock.packages) if lock.packages else _from_tree(lock.dependencies or {}, "", 0)
    components = []
    for component in found:
        components.append(component)
        if len(components) > MAX_PACKAGES:
            raise Invalid(f"the lock file names more than {MAX_PACKAGES:,} packages")
    return tuple(components)


def _from_packages(packages: dict[str, _Package]) -> Iterator[Component]:
    linked = {package.resolved for package in packages.values() if package.link}
    for path, package in packages.items():
        if path == "" or path in linked:
            continue
        target = packages.get(package.resolved) if package.link and isinstance(package.resolved, str) else package
        if not path.rpartition("node_modules/")[1] and not package.name:
            continue
        name = package.name or (target.name if target else None) or path.rpartition("node_modules/")[2]
        version = target.version if target else None
        yield _component(name, version, path, package, "it is a link to a folder" if package.link else None)


def _from_tree(dependencies: dict[str, _Dependency], above: str, depth: int) -> Iterator[Component]:
    if depth > MAX_DEPTH:
        raise Invalid(f"the lock file nests dependencies more than {MAX_DEPTH} deep")
    for name, package in dependencies.items():
        path = f"{above}node_modules/{name}"
        version = package.version
        if version is not None and version.startswith("npm:"):
            name, _, version = version.removeprefix("npm:").rpartition("@")
        yield _component(name, version, path, package, None)
        yield from _from_tree(package.dependencies or {}, f"{path}/", depth + 1)


def _component(name: str, version: str | None, path: str, package: _Package, doubt: str | None) -> Component:
    if version is not None and version.startswith(_ADDRESSES):
        version, doubt = None, "the lock file states an address in place of its version"
    if not version:
        version, doubt = None, doubt or "the lock file does not state it"
    scope = "dev" if package.dev else "optional" if package.optional or package.devOptional else None
    if package.inBundle or package.bundled:
        scope = f"{scope}, bundled" if scope else "bundled"
    try:
        namespace, _, bare = name.rpartition("/")
        purl = canonical_purl("npm", namespace or None, bare) if len(name) <= 250 else None
    except Invalid:
        purl = None
    if purl is None:
        doubt = "its name is no npm package name"
    return Component(
        name=name[:250], purl=purl, version=version, found=(path[:500],), scope=scope, doubt=doubt if version is None else None
    )
