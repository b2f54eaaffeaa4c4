# SPDX-License-Identifier: Apache-2.0
"""SARIF's places: artifact URIs become relative names (they are data and never dereferenced), logical locations functions."""

import posixpath
import re
from urllib.parse import unquote

from clearwell.formats.sarif.model import Artifact, Logical, Place, Run
from clearwell.vocabulary.finding import Location

MAX_NAME = 1_000
MAX_LINE = 2**31 - 1
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FUNCTION_KINDS = {"function", "member", "method", "constructor", "lambda", "procedure"}
_PACKAGE = re.compile(r"@(?:v?[0-9]+[.:][0-9]|sha256:)")
_MAX_DEPTH = 8
_MAX_CACHE = 50_000


def path_of(uri: str) -> str:
    """Return the path that a `file:` URI, a Windows path or a relative reference means; other schemes stay as they are."""
    uri = uri[: 4 * MAX_NAME].replace("\\", "/")
    scheme = _SCHEME.match(uri)
    if scheme is not None and scheme.group(1).lower() != "file":
        return uri[:MAX_NAME]
    if scheme is not None:
        uri = uri[scheme.end() :]
        if uri.startswith("//"):
            uri = uri[2:]
            host, slash, rest = uri.partition("/")
            uri = slash + rest if host in ("", "localhost") else f"//{host}/{rest}"
    path = unquote(uri.split("#", 1)[0] if scheme is not None else uri)
    if not path:
        return ""
    if re.match(r"/[A-Za-z]:/", path):
        path = path[1:]
    normal = posixpath.normpath(path)
    return normal + "/" if path.endswith("/") and normal != "/" else normal


def _relative(path: str) -> str:
    """Strip what makes a path absolute or leave its folder: names are matched within an archive only."""
    while path.startswith(("/", "../", "./")):
        path = path.partition("/")[2]
    return "" if path in ("..", ".") else path


def _is_package_or_path(name: str) -> bool:
    """True for what scanners of packages name where a function could stand: `left-mill@4.17.15`, `image:/var/lib/dpkg/status`."""
    return ("@" in name and _PACKAGE.search(name[:MAX_NAME]) is not None) or ("/" in name and (name[0] == "/" or ":/" in name))


class Places:
    """One run's way from SARIF's locations to ours, with a cache: files repeat from result to result."""

    def __init__(self, run: Run) -> None:
        self._artifacts = [entry.location for entry in run.artifacts or []]
        self._logical = run.logicalLocations or []
        self._bases = run.originalUriBaseIds or {}
        self._roots = self._find_roots(run)
        self._names: dict[tuple[str | None, str | None, int | None], str | None] = {}

    def location(self, place: Place) -> Location | None:
        """Return our location, or None when the place says nothing."""
        file, line, function = None, None, None
        physical = place.physicalLocation
        if physical is not None:
            if physical.artifactLocation is not None:
                file = self._file(physical.artifactLocation)
            if physical.region is not None:
                start = physical.region.startLine
                line = start if start is not None and 0 < start <= MAX_LINE else None
        if place.logicalLocations:
            function = self._function(place.logicalLocations)
        return None if file is None and line is None and function is None else Location(file, line, function)

    def _file(self, artifact: Artifact) -> str | None:
        key = (artifact.uri, artifact.uriBaseId, artifact.index)
        try:
            return self._names[key]
        except KeyError:
            name = self._name(artifact)
        if len(self._names) < _MAX_CACHE:
            self._names[key] = name
        return name

    def _name(self, artifact: Artifact) -> str | None:
        if artifact.uri is None and artifact.index is not None and 0 <= artifact.index < len(self._artifacts):
            listed = self._artifacts[artifact.index]
            if listed is None or listed.uri is None:
                return None
            artifact = listed
        if artifact.uri is None:
            return None
        path = path_of(artifact.uri)
        if not path.startswith("/") and not _SCHEME.match(path):
            path = self._prefix(artifact.uriBaseId) + path
        for root in self._roots:
            if path.startswith(root) and len(path) > len(root):
                path = path[len(root) :]
                break
        if not _SCHEME.match(path) or re.match(r"[A-Za-z]:/", path):
            path = _relative(posixpath.normpath(path)) if path else ""
        return path[:MAX_NAME] or None

    def _prefix(self, base_id: str | None) -> str:
        """Return what a base adds to a relative name: its own relative part; an absolute base is the root itself."""
        prefix = ""
        for _ in range(_MAX_DEPTH):
            base = self._bases.get(base_id) if base_id is not None else None
            if base is None or base.uri is None:
                break
            path = path_of(base.uri)
            if path.startswith("/") or _SCHEME.match(path):
                break
            prefix = f"{path.rstrip('/')}/{prefix}" if path.strip("./") else prefix
            base_id = base.uriBaseId
        return prefix

    def _find_roots(self, run: Run) -> tuple[str, ...]:
        """Absolute folders that names are relative to: bases without a base, and where the tool ran; longest first."""
        candidates = [base.uri for base in self._bases.values() if base.uri is not None and base.uriBaseId is None]
        candidates += [i.workingDirectory.uri for i in run.invocations or [] if i.workingDirectory and i.workingDirectory.uri]
        paths = {path_of(uri).rstrip("/") + "/" for uri in candidates[:100]}
        absolute = {path for path in paths if len(path) > 1 and (path.startswith("/") or re.match(r"[A-Za-z]:/", path))}
        return tuple(sorted(absolute, key=len, reverse=True))

    def _function(self, logical: list[Logical]) -> str | None:
        """Return the innermost function named; a namespace or type alone is none."""
        for entry in logical:
            if entry.index is not None and 0 <= entry.index < len(self._logical):
                listed = self._logical[entry.index]
                entry = Logical(entry.name or listed.name, entry.fullyQualifiedName or listed.fullyQualifiedName, entry.kind or listed.kind)
            name = entry.fullyQualifiedName or entry.name
            if name and (entry.kind in _FUNCTION_KINDS or (entry.kind is None and not _is_package_or_path(name))):
                return name[:MAX_NAME]
        return None
